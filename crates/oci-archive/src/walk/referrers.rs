//! What is about an image, found from what it is about.

use std::collections::BTreeMap;

use super::{Siblings, Walk};
use crate::document;
use crate::error::OpenError;
use crate::referrers::Referrer;

impl Walk<'_> {
    /// Visits those of `candidates` that are about something visited, and what is about them in turn.
    pub(super) fn visit_referrers(&mut self, candidates: &[&Referrer]) -> Result<(), OpenError> {
        let mut by_subject: BTreeMap<&str, Vec<&Referrer>> = BTreeMap::new();
        for candidate in candidates {
            if let Some(subject) = &candidate.subject {
                by_subject.entry(subject).or_default().push(candidate);
            }
        }
        // Each comes after what it is about, and may be what others are about.
        let mut position = 0;
        while let Some(manifest) = self
            .manifests
            .get(position)
            .filter(|_| !by_subject.is_empty())
        {
            let subject = manifest.descriptor.digest.referrers_tag();
            for candidate in by_subject.remove(subject.as_str()).unwrap_or_default() {
                self.visit_referrer(candidate, &subject)?;
            }
            position += 1;
        }
        Ok(())
    }

    fn visit_referrer(&mut self, candidate: &Referrer, subject: &str) -> Result<(), OpenError> {
        let descriptor = &candidate.descriptor;
        let loaded = document::load(self.container, self.written, descriptor)?;
        let told = match &loaded {
            Some((_, Some(document))) => document.subject.as_ref(),
            _ => None,
        };
        let is_about_it = told.is_some_and(|told| told.digest.referrers_tag() == subject);
        // A list may be wrong about what it lists; what is absent is told.
        if loaded.is_some() && candidate.tag.is_none() && !is_about_it {
            return Ok(());
        }
        self.visit(descriptor, &Siblings::new(), 0)?;
        if let Some(tag) = &candidate.tag {
            let tagged = (tag.clone(), descriptor.digest.clone());
            self.referrer_tags.push(tagged);
        }
        Ok(())
    }
}
