//! Parts of an index left out on request: platforms, what the archive lacks, attestations. The index is
//! written anew without them; what stays is not touched.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;

use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::document::{self, Document, Written};
use crate::error::OpenError;
use crate::media_type;
use crate::walk::{DEEPEST, configured_platform, described_by, may_be_absent};
use crate::{Attestations, OpenOptions};

/// An index without what was not asked for.
#[derive(Debug)]
pub(crate) struct Filtered {
    /// What the tag should name now.
    pub(crate) root: Descriptor,
    /// How it differs from the archive's; empty if it does not.
    pub(crate) changes: Vec<String>,
}

/// Applies what `options` ask for to the image `root`. New indexes go into `written`.
pub(crate) fn apply(
    container: &Container,
    root: &Descriptor,
    options: &OpenOptions,
    written: &mut Written,
) -> Result<Filtered, OpenError> {
    let unchanged = Filtered {
        root: root.clone(),
        changes: Vec::new(),
    };
    let is_wanted = !options.platforms.is_empty()
        || options.only_present
        || options.attestations == Attestations::Strip;
    if !is_wanted || !media_type::is_index(&root.media_type) {
        return Ok(unchanged);
    }
    let mut filter = Filter {
        container,
        options,
        written,
        kept: Vec::new(),
        available: Vec::new(),
        found: BTreeSet::new(),
        dropped: Dropped::default(),
        attestations_kept: 0,
        decided: BTreeMap::new(),
        about: BTreeMap::new(),
        whole: BTreeMap::new(),
    };
    let verdict = filter.index(root, 0)?;
    let kept = std::mem::take(&mut filter.kept);
    let (mut dropped, attestations_kept) = (filter.dropped.clone(), filter.attestations_kept);
    filter.check_platforms()?;
    let Verdict::Replace(index) = verdict else {
        if verdict == Verdict::Drop {
            return Err(OpenError::invalid(
                document::describe(&root.digest),
                "nothing of it is left to push",
            ));
        }
        return Ok(unchanged);
    };
    // Whoever asks for one platform, or for no attestations, wants the image as the builder made it.
    let is_alone_wanted =
        !options.platforms.is_empty() || options.attestations == Attestations::Strip;
    if let [only] = kept.as_slice()
        && is_alone_wanted
    {
        // There is no index left that could list them.
        dropped.attestations += attestations_kept;
        let mut changes = dropped.told();
        changes.push("only one image is left, which is pushed without an index".to_owned());
        let root = only.clone();
        return Ok(Filtered { root, changes });
    }
    Ok(Filtered {
        root: *index,
        changes: dropped.told(),
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Keep,
    Replace(Box<Descriptor>),
    Drop,
}

/// What was left out, for the user.
#[derive(Debug, Clone, Default)]
struct Dropped {
    platforms: Vec<String>,
    absent: Vec<String>,
    attestations: usize,
}

impl Dropped {
    fn told(&self) -> Vec<String> {
        let mut changes = Vec::new();
        for (names, why) in [
            (&self.platforms, "not asked for"),
            (&self.absent, "not in the archive"),
        ] {
            if !names.is_empty() {
                changes.push(format!("left out as {why}: {}", names.join(", ")));
            }
        }
        match self.attestations {
            0 => {}
            1 => changes.push("1 attestation is left out".to_owned()),
            count => changes.push(format!("{count} attestations are left out")),
        }
        changes
    }
}

struct Filter<'a> {
    container: &'a Container,
    options: &'a OpenOptions,
    written: &'a mut Written,
    /// The images that stay.
    kept: Vec<Descriptor>,
    /// The platforms that there are.
    available: Vec<String>,
    /// Which of the wanted platforms there are.
    found: BTreeSet<usize>,
    dropped: Dropped,
    attestations_kept: usize,
    /// What becomes of each child. One that is listed many times, or in many indexes, is looked at once.
    decided: BTreeMap<(Digest, Option<Platform>), Verdict>,
    /// What each child without an annotation that tells it is about, if it is an attestation.
    about: BTreeMap<Digest, Option<Digest>>,
    /// Whether a manifest and all its blobs are in the archive.
    whole: BTreeMap<Digest, bool>,
}

impl Filter<'_> {
    fn index(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Verdict, OpenError> {
        if depth > DEEPEST {
            return Err(OpenError::invalid(
                document::describe(&descriptor.digest),
                "indexes are nested too deeply, the limit is 16",
            ));
        }
        let loaded = document::load(self.container, self.written, descriptor)?;
        let Some((bytes, Some(document))) = loaded else {
            return Ok(self.absent(descriptor));
        };
        let children = document.manifests();
        let mut verdicts = vec![Verdict::Keep; children.len()];
        let mut dropped: BTreeSet<&Digest> = BTreeSet::new();
        let mut attestations = Vec::new();
        for (position, child) in children.iter().enumerate() {
            if let Some(described) = self.described(child)? {
                attestations.push((position, described));
                continue;
            }
            verdicts[position] = self.child(child, depth)?;
            if verdicts[position] == Verdict::Drop {
                dropped.insert(&child.digest);
            }
        }
        for (position, described) in attestations {
            let is_stripped = self.options.attestations == Attestations::Strip;
            let is_absent = self.options.only_present && !self.is_whole(&children[position])?;
            if is_stripped || is_absent || dropped.contains(&described) {
                self.dropped.attestations += 1;
                verdicts[position] = Verdict::Drop;
            } else {
                self.attestations_kept += 1;
            }
        }
        if verdicts.iter().all(|verdict| *verdict == Verdict::Keep) {
            return Ok(Verdict::Keep);
        }
        if verdicts.iter().all(|verdict| *verdict == Verdict::Drop) {
            return Ok(Verdict::Drop);
        }
        self.rewrite(descriptor, &bytes, &verdicts)
    }

    /// What an attestation is about; `None` if this is none.
    fn described(&mut self, child: &Descriptor) -> Result<Option<Digest>, OpenError> {
        if let Some(described) = described_by(child) {
            return Ok(Some(described));
        }
        if media_type::is_index(&child.media_type) {
            return Ok(None);
        }
        if let Some(known) = self.about.get(&child.digest) {
            return Ok(known.clone());
        }
        let loaded = document::load(self.container, self.written, child)?;
        let document = loaded.and_then(|(_, document)| document);
        let is_attestation = |document: &Document| {
            document.artifact_type.as_deref() == Some(media_type::DOCKER_ATTESTATION)
        };
        let described = document
            .filter(is_attestation)
            .and_then(|document| document.subject)
            .map(|subject| subject.digest);
        self.about.insert(child.digest.clone(), described.clone());
        Ok(described)
    }

    fn child(&mut self, child: &Descriptor, depth: usize) -> Result<Verdict, OpenError> {
        let is_index = media_type::is_index(&child.media_type);
        let platform = child.platform.clone().filter(|_| !is_index);
        let key = (child.digest.clone(), platform);
        if let Some(verdict) = self.decided.get(&key) {
            return Ok(verdict.clone());
        }
        let verdict = if is_index {
            self.index(child, depth + 1)?
        } else {
            self.image(child)?
        };
        self.decided.insert(key, verdict.clone());
        Ok(verdict)
    }

    fn image(&mut self, child: &Descriptor) -> Result<Verdict, OpenError> {
        let platform = match &child.platform {
            Some(platform) => Some(platform.clone()),
            None => configured_platform(self.container, self.written, child)?,
        };
        let platform = platform.filter(crate::Platform::is_known);
        let name = platform
            .as_ref()
            .map_or_else(|| child.digest.to_string(), ToString::to_string);
        self.available.push(name.clone());
        let wanted = &self.options.platforms;
        let mut is_wanted = wanted.is_empty();
        for (position, filter) in wanted.iter().enumerate() {
            if platform
                .as_ref()
                .is_some_and(|platform| filter.matches(platform))
            {
                self.found.insert(position);
                is_wanted = true;
            }
        }
        if !is_wanted {
            self.dropped.platforms.push(name);
            return Ok(Verdict::Drop);
        }
        if self.options.only_present && !self.is_whole(child)? {
            self.dropped.absent.push(name);
            return Ok(Verdict::Drop);
        }
        self.kept.push(child.clone());
        Ok(Verdict::Keep)
    }

    /// What becomes of a manifest that is not there.
    fn absent(&mut self, descriptor: &Descriptor) -> Verdict {
        if !self.options.only_present {
            // The walk tells what is missing.
            return Verdict::Keep;
        }
        self.dropped.absent.push(descriptor.digest.to_string());
        Verdict::Drop
    }

    /// Whether a manifest and all its blobs are in the archive.
    fn is_whole(&mut self, descriptor: &Descriptor) -> Result<bool, OpenError> {
        if let Some(known) = self.whole.get(&descriptor.digest) {
            return Ok(*known);
        }
        let is_whole = self.look_for_all_of(descriptor)?;
        self.whole.insert(descriptor.digest.clone(), is_whole);
        Ok(is_whole)
    }

    fn look_for_all_of(&self, descriptor: &Descriptor) -> Result<bool, OpenError> {
        let loaded = document::load(self.container, self.written, descriptor)?;
        let Some((_, document)) = loaded else {
            return Ok(false);
        };
        let Some(document) = document else {
            return Ok(true);
        };
        for blob in document.config.iter().chain(document.layers()) {
            if self.container.blob(&blob.digest)?.is_none() && !may_be_absent(blob) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rewrite(
        &mut self,
        descriptor: &Descriptor,
        bytes: &Bytes,
        verdicts: &[Verdict],
    ) -> Result<Verdict, OpenError> {
        let mut document = document::parse_bytes(&descriptor.digest, bytes)?;
        if let Some(Value::Array(listed)) = document.get_mut("manifests") {
            let entries = std::mem::take(listed).into_iter().zip(verdicts);
            for (mut entry, verdict) in entries {
                match verdict {
                    Verdict::Keep => {}
                    Verdict::Drop => continue,
                    Verdict::Replace(new) => {
                        entry["digest"] = new.digest.to_string().into();
                        entry["size"] = new.size.into();
                        document::forget_embedded(&mut entry);
                    }
                }
                listed.push(entry);
            }
        }
        let bytes = Bytes::from(document::write(&document)?);
        let digest = Digest::of(descriptor.digest.algorithm(), &bytes);
        let mut new = descriptor.clone();
        new.digest = digest.clone();
        new.size = bytes.len() as u64;
        self.written.insert(digest, bytes);
        Ok(Verdict::Replace(Box::new(new)))
    }

    /// Every platform that was asked for must be there.
    fn check_platforms(&self) -> Result<(), OpenError> {
        let wanted = self.options.platforms.iter().enumerate();
        let missing: Vec<String> = wanted
            .filter(|(position, _)| !self.found.contains(position))
            .map(|(_, filter)| filter.to_string())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(OpenError::NoPlatform {
            wanted: missing,
            available: self.available.clone(),
        })
    }
}
