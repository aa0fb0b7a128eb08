//! Parts of an index left out on request: platforms, what the archive lacks, attestations. The index is
//! written anew without them; what stays is not touched.

mod dropped;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;

use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::document::{self, Written};
use crate::error::OpenError;
use crate::media_type;
use crate::presence;
use crate::walk::{DEEPEST, configured_platform, described_by};
use crate::{Attestations, OpenOptions};
use dropped::Dropped;

/// An index without what was not asked for.
#[derive(Debug)]
pub(crate) struct Filtered {
    /// What the tag should name now.
    pub(crate) root: Descriptor,
    /// How it differs from the archive's; empty if it does not.
    pub(crate) changes: Vec<String>,
    /// What stood in the index and is about another manifest, with that one, where it is left out of the
    /// index though nobody asked for that.
    pub(crate) referrers: Vec<(Descriptor, Digest)>,
    /// Everything that was looked at.
    pub(crate) seen: BTreeSet<Digest>,
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
        referrers: Vec::new(),
        seen: BTreeSet::new(),
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
        kept_about_others: Vec::new(),
        referrers: Vec::new(),
        seen: BTreeSet::from([root.digest.clone()]),
        decided: BTreeMap::new(),
        subjects: BTreeMap::new(),
        whole: BTreeMap::new(),
    };
    let verdict = filter.index(root, 0)?;
    filter.check_platforms()?;
    let Filter {
        kept,
        mut dropped,
        kept_about_others,
        mut referrers,
        seen,
        ..
    } = filter;
    let index = match verdict {
        Verdict::Replace(index) => index,
        Verdict::Keep => return Ok(unchanged),
        Verdict::Drop => {
            let reason = match dropped.told().as_slice() {
                [] => "nothing of it is left to push".to_owned(),
                told => format!("nothing of it is left to push ({})", told.join("; ")),
            };
            let what = document::describe(&root.digest);
            return Err(OpenError::invalid(what, reason));
        }
    };
    // Whoever asks for one platform, or for no attestations, wants the image as the builder made it.
    let is_alone_wanted =
        !options.platforms.is_empty() || options.attestations == Attestations::Strip;
    if let [only] = kept.as_slice()
        && is_alone_wanted
    {
        // There is no index left that could list what is about it.
        for (descriptor, about) in kept_about_others {
            let is_taken = options.referrers && about.is_told_by_itself;
            if about.is_attestation && !is_taken {
                dropped.attestations += 1;
            } else {
                referrers.push((descriptor, about.subject));
            }
        }
        let mut changes = dropped.told();
        changes.push("only one image is left, which is pushed without an index".to_owned());
        return Ok(Filtered {
            root: only.clone(),
            changes,
            referrers,
            seen,
        });
    }
    Ok(Filtered {
        root: *index,
        changes: dropped.told(),
        referrers,
        seen,
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Keep,
    Replace(Box<Descriptor>),
    Drop,
}

/// What a manifest in an index is about.
#[derive(Debug, Clone)]
struct About {
    subject: Digest,
    /// By its `subject`, and not only by an annotation in the index.
    is_told_by_itself: bool,
    is_attestation: bool,
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
    /// What stays and is about something.
    kept_about_others: Vec<(Descriptor, About)>,
    /// What goes and is about something, though it was not asked for that.
    referrers: Vec<(Descriptor, Digest)>,
    seen: BTreeSet<Digest>,
    /// What becomes of each child. One that is listed many times, or in many indexes, is looked at once.
    decided: BTreeMap<(Digest, Option<Platform>), Verdict>,
    /// The subject of each child, and whether it is an attestation of `BuildKit`.
    subjects: BTreeMap<Digest, (Option<Digest>, bool)>,
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
        let mut kept: BTreeSet<&Digest> = BTreeSet::new();
        let mut about_others = Vec::new();
        for (position, child) in children.iter().enumerate() {
            self.seen.insert(child.digest.clone());
            if let Some(about) = self.about(child)? {
                about_others.push((position, about));
                continue;
            }
            verdicts[position] = self.child(child, depth)?;
            // One manifest may be listed for several platforms.
            let same = if verdicts[position] == Verdict::Drop {
                &mut dropped
            } else {
                &mut kept
            };
            same.insert(&child.digest);
        }
        for (position, about) in about_others {
            let child = &children[position];
            let is_stripped =
                about.is_attestation && self.options.attestations == Attestations::Strip;
            let is_absent = self.options.only_present && !self.is_whole(child)?;
            let is_orphan = dropped.contains(&about.subject) && !kept.contains(&about.subject);
            if !is_stripped && !is_absent && !is_orphan {
                self.kept_about_others.push((child.clone(), about));
                continue;
            }
            verdicts[position] = Verdict::Drop;
            if about.is_attestation {
                self.dropped.attestations += 1;
            } else {
                self.referrers.push((child.clone(), about.subject));
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

    /// What a child is about, if it is about something.
    fn about(&mut self, child: &Descriptor) -> Result<Option<About>, OpenError> {
        let described = described_by(child);
        let (subject, is_of_buildkit) = self.subject(child)?;
        Ok(match (described, subject) {
            (Some(described), subject) => Some(About {
                is_told_by_itself: subject.is_some_and(|subject| subject == described),
                subject: described,
                is_attestation: true,
            }),
            (None, Some(subject)) => Some(About {
                subject,
                is_told_by_itself: true,
                is_attestation: is_of_buildkit,
            }),
            (None, None) => None,
        })
    }

    /// The subject that a child names, and whether it is an attestation of `BuildKit`.
    fn subject(&mut self, child: &Descriptor) -> Result<(Option<Digest>, bool), OpenError> {
        if media_type::is_index(&child.media_type) {
            return Ok((None, false));
        }
        if let Some(known) = self.subjects.get(&child.digest) {
            return Ok(known.clone());
        }
        let loaded = document::load(self.container, self.written, child)?;
        let document = loaded.and_then(|(_, document)| document);
        let found = document.map_or((None, false), |document| {
            let artifact_type = document.artifact_type.as_deref();
            let is_of_buildkit = artifact_type == Some(media_type::DOCKER_ATTESTATION);
            (
                document.subject.map(|subject| subject.digest),
                is_of_buildkit,
            )
        });
        self.subjects.insert(child.digest.clone(), found.clone());
        Ok(found)
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
        let platform = match child.told_platform() {
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
        let is_whole = presence::is_whole(self.container, self.written, descriptor)?;
        self.whole.insert(descriptor.digest.clone(), is_whole);
        Ok(is_whole)
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
        let mut seen = BTreeSet::new();
        let available = self.available.iter().filter(|name| seen.insert(*name));
        Err(OpenError::NoPlatform {
            wanted: missing,
            available: available.cloned().collect(),
        })
    }
}
