//! What is about an image and no part of it: signatures, statements, lists of components. Layouts keep it
//! beside the image, with a `subject`, in the index under a fallback tag, or under tags of cosign's.

use std::collections::{BTreeMap, BTreeSet};

use crate::OpenOptions;
use crate::annotate::{Annotation, AnnotationTarget};
use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::Written;
use crate::draft::{Draft, Part};
use crate::error::OpenError;
use crate::image::{Image, Manifest, Notice};
use crate::presence;

/// The length of the longest hash in a fallback tag.
const LONGEST_HASH: usize = 64;

impl Digest {
    /// The tag under which clients keep the list of what is about a manifest of this digest, where a
    /// registry has no API for it (distribution-spec, "Referrers Tag Schema":
    /// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema>).
    #[must_use]
    pub fn referrers_tag(&self) -> String {
        let hash: String = self.hex().chars().take(LONGEST_HASH).collect();
        format!("{}-{hash}", self.algorithm().as_str())
    }
}

/// A tag that says what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FallbackTag<'a> {
    /// The tag as a whole.
    pub(crate) whole: &'a str,
    /// The tag for the list of what is about the same manifest ([`Digest::referrers_tag`]).
    pub(crate) list: &'a str,
    /// Whether it is the tag of one manifest, and not of the list.
    pub(crate) is_of_one: bool,
}

impl<'a> FallbackTag<'a> {
    /// The tag that a name ends in, if it is one of these. cosign appends `.sig` and the like.
    pub(crate) fn in_name(name: &'a str) -> Option<Self> {
        let whole = name.rsplit([':', '/']).next().unwrap_or(name);
        let stem = whole.split('.').next().unwrap_or(whole);
        let (algorithm, hash) = stem.split_once('-')?;
        // Of a longer hash only the beginning is in the tag.
        let padded = match algorithm {
            "sha512" if hash.len() == LONGEST_HASH => format!("{algorithm}:{hash}{hash}"),
            _ => format!("{algorithm}:{hash}"),
        };
        padded.parse::<Digest>().ok()?;
        let length = stem.len().min(algorithm.len() + 1 + LONGEST_HASH);
        Some(Self {
            whole,
            list: &stem[..length],
            is_of_one: whole != stem,
        })
    }
}

/// A manifest that is about another one.
#[derive(Debug, Clone)]
pub(crate) struct Referrer {
    pub(crate) descriptor: Descriptor,
    /// The [`Digest::referrers_tag`] of what it is about, where that is told.
    pub(crate) subject: Option<String>,
    /// The tag under which it is looked for, where it has no `subject`.
    pub(crate) tag: Option<String>,
}

/// Referrers, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Referrers {
    found: Vec<Referrer>,
    positions: BTreeMap<Digest, usize>,
    /// The positions of what is about each subject: there may be as much about each of many images.
    by_subject: BTreeMap<String, BTreeSet<usize>>,
}

impl Referrers {
    pub(crate) fn add(&mut self, descriptor: &Descriptor, subject: Option<String>) {
        let position = self.position(descriptor);
        if let Some(subject) = subject {
            self.tell_subject(position, subject);
        }
    }

    /// Adds what a tag says to be about something.
    pub(crate) fn add_tagged(&mut self, descriptor: &Descriptor, tag: FallbackTag<'_>) {
        let position = self.position(descriptor);
        self.found[position].tag = Some(tag.whole.to_owned());
        if self.found[position].subject.is_none() {
            self.tell_subject(position, tag.list.to_owned());
        }
    }

    fn tell_subject(&mut self, position: usize, subject: String) {
        let before = self.found[position].subject.replace(subject.clone());
        if let Some(about_it) = before.and_then(|before| self.by_subject.get_mut(&before)) {
            about_it.remove(&position);
        }
        self.by_subject.entry(subject).or_default().insert(position);
    }

    fn position(&mut self, descriptor: &Descriptor) -> usize {
        let next = self.found.len();
        let known = self.positions.entry(descriptor.digest.clone());
        let position = *known.or_insert(next);
        if position == next {
            self.found.push(Referrer {
                descriptor: descriptor.clone(),
                subject: None,
                tag: None,
            });
        }
        position
    }

    pub(crate) fn extend(&mut self, others: &[(Descriptor, Digest)]) {
        for (descriptor, subject) in others {
            self.add(descriptor, Some(subject.referrers_tag()));
        }
    }

    /// Those that `options` ask for.
    pub(crate) fn wanted(
        &self,
        container: &Container,
        written: &Written,
        options: &OpenOptions,
    ) -> Result<Vec<&Referrer>, OpenError> {
        let mut wanted = Vec::new();
        for referrer in self.found.iter().filter(|_| options.referrers) {
            let descriptor = &referrer.descriptor;
            if !options.only_present || presence::is_whole(container, written, descriptor)? {
                wanted.push(referrer);
            }
        }
        Ok(wanted)
    }

    /// What is to be said of those that are about `published` or about `others`, which are in the archive
    /// and not published, and that are not published themselves.
    pub(crate) fn left_out(
        &self,
        published: &BTreeSet<&Digest>,
        others: &BTreeSet<Digest>,
        options: &OpenOptions,
    ) -> Vec<Notice> {
        let subjects = tags(published.iter().copied());
        let others = tags(others.iter());
        let about = |subject: &String| self.by_subject.get(subject).into_iter().flatten();
        let subjects_and_others = subjects.iter().chain(&others);
        let positions: BTreeSet<usize> = subjects_and_others.flat_map(about).copied().collect();
        let mut notices = Vec::new();
        for referrer in positions.into_iter().map(|position| &self.found[position]) {
            let digest = &referrer.descriptor.digest;
            if published.contains(digest) {
                continue;
            }
            let subject = referrer.subject.as_ref();
            if !subject.is_some_and(|subject| subjects.contains(subject)) {
                notices.push(Notice::ReferrerOutdated(digest.clone()));
            } else if options.referrers {
                notices.push(Notice::ReferrerIncomplete(digest.clone()));
            } else {
                notices.push(Notice::ReferrerLeftOut(digest.clone()));
            }
        }
        notices
    }
}

fn tags<'a>(digests: impl Iterator<Item = &'a Digest>) -> BTreeSet<String> {
    digests.map(Digest::referrers_tag).collect()
}

/// The digests of everything that an image consists of, and of what is about it.
pub(crate) fn published(image: &Image) -> BTreeSet<&Digest> {
    let all = image.manifests.iter().chain(&image.referrers);
    all.map(|manifest| &manifest.descriptor.digest).collect()
}

impl Draft {
    /// How many manifests are about its finished images, and are published with them.
    #[must_use]
    pub fn referrers(&self) -> usize {
        let finished = self.parts.iter().map(|part| match part {
            Part::Finished(image) => image.referrers.len(),
            Part::Unfinished(_) => 0,
        });
        finished.sum()
    }

    /// Takes note of what annotations will separate from what it is about: what only a tag with the digest
    /// of a manifest before it was annotated tells to be about that manifest.
    pub(crate) fn tell_outdated(&mut self, annotations: &[Annotation]) {
        let mut targets = annotations.iter().flat_map(|one| &one.targets);
        if !targets.any(|target| *target == AnnotationTarget::Manifest) {
            return;
        }
        for part in &self.parts {
            let Part::Finished(image) = part else {
                continue;
            };
            for (_, digest) in &image.referrer_tags {
                let notice = Notice::ReferrerOutdated(digest.clone());
                if !self.notices.contains(&notice) {
                    self.notices.push(notice);
                }
            }
        }
    }
}

/// Drops the referrers of manifests that are not published any more, with a notice for each: those for
/// which `is_published` is false, and those that are changed.
pub(crate) fn prune(image: &mut Image, is_published: impl Fn(&Manifest) -> bool) {
    if image.referrers.is_empty() {
        return;
    }
    let stay = image.manifests.iter().filter(|one| is_published(one));
    let mut published = tags(stay.map(|one| &one.descriptor.digest));
    let mut tagged = std::mem::take(&mut image.referrer_tags);
    tagged.retain(|(tag, _)| {
        FallbackTag::in_name(tag).is_some_and(|tag| published.contains(tag.list))
    });
    let mut dropped = Vec::new();
    // Each stands behind what it is about.
    image.referrers.retain(|one| {
        let digest = &one.descriptor.digest;
        let is_kept = match &one.subject {
            Some(subject) => published.contains(&subject.referrers_tag()),
            None => tagged.iter().any(|(_, tagged)| tagged == digest),
        };
        if is_kept {
            published.insert(digest.referrers_tag());
        } else {
            dropped.push(Notice::ReferrerOutdated(digest.clone()));
        }
        is_kept
    });
    image.referrer_tags = tagged;
    if dropped.is_empty() {
        return;
    }
    dropped.retain(|notice| !image.notices.contains(notice));
    image.notices.extend(dropped);
    let all = image.manifests.iter().chain(&image.referrers);
    let named: BTreeSet<&Digest> = all.flat_map(|manifest| &manifest.references).collect();
    image
        .blobs
        .retain(|blob| named.contains(&blob.descriptor.digest));
}

#[cfg(test)]
mod tests;
