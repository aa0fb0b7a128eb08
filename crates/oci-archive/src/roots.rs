//! Which of the descriptors in `index.json` are images.
//!
//! It is no list of images: exporters also put children, attestations, signatures and fallback tags
//! there. An image is what no other descriptor lists as its child, is about nothing else, and is no
//! fallback tag. That it names an `artifactType` does not make it something else.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{self, Written};
use crate::error::OpenError;
use crate::referrers::{FallbackTag, Referrers};
use crate::select::Candidate;

/// containerd's mark of a descriptor that is about another one
/// (<https://github.com/moby/moby/pull/51497>).
const CONTAINERD_SUBJECT: &str = "io.containerd.manifest.subject";

/// Where names stand: containerd's whole reference, the specification's tag or reference.
const NAME_ANNOTATIONS: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];

/// What `index.json` lists, told apart; each digest once, in the order in which they are first listed.
pub(crate) struct Contents {
    pub(crate) roots: Vec<Candidate<Descriptor>>,
    /// What is no image by itself: children, and what is about others.
    pub(crate) others: Vec<Candidate<Descriptor>>,
    /// Manifests that are about another one.
    pub(crate) referrers: Referrers,
}

/// Tells apart what `index.json` lists.
pub(crate) fn contents(
    container: &Container,
    listed: &[Descriptor],
) -> Result<Contents, OpenError> {
    let mut children: BTreeSet<Digest> = BTreeSet::new();
    let mut about_others: BTreeSet<&Digest> = BTreeSet::new();
    let mut referrers = Referrers::default();
    let mut seen: BTreeMap<&Digest, &Descriptor> = BTreeMap::new();
    for descriptor in listed {
        let digest = &descriptor.digest;
        if let Some(mark) = descriptor.annotation(CONTAINERD_SUBJECT) {
            let subject: Option<Digest> = mark.parse().ok();
            referrers.add(descriptor, subject.map(|one| one.referrers_tag()));
            about_others.insert(digest);
        }
        let tag = names(descriptor).find_map(FallbackTag::in_name);
        if let Some(tag) = tag.filter(|tag| tag.is_of_one) {
            referrers.add_tagged(descriptor, tag);
        }
        if let Some(first) = seen.insert(digest, descriptor) {
            agree(first, descriptor)?;
            continue;
        }
        // An absent manifest has no children to tell; if it turns out to be an image, it is missed then.
        let Some((_, Some(document))) = document::load(container, &Written::default(), descriptor)?
        else {
            continue;
        };
        if let Some(subject) = &document.subject {
            referrers.add(descriptor, Some(subject.digest.referrers_tag()));
            about_others.insert(digest);
        }
        if let Some(tag) = tag.filter(|tag| !tag.is_of_one) {
            for child in document.manifests() {
                referrers.add(child, Some(tag.list.to_owned()));
            }
        }
        children.extend(
            document
                .manifests()
                .iter()
                .map(|child| child.digest.clone()),
        );
    }
    let is_image = |descriptor: &&Descriptor| {
        !children.contains(&descriptor.digest)
            && !about_others.contains(&descriptor.digest)
            && !names(descriptor).any(|name| FallbackTag::in_name(name).is_some())
    };
    let roots = group(listed.iter().filter(is_image));
    let others = group(listed.iter().filter(|descriptor| !is_image(descriptor)));
    Ok(Contents {
        roots,
        others,
        referrers,
    })
}

/// The configurations of everything that `index.json` names, indexes included, as far as it is in the
/// archive.
pub(crate) fn configurations(
    container: &Container,
    contents: &Contents,
) -> Result<BTreeSet<Digest>, OpenError> {
    /// Deeper and wider than any index that a builder writes; what is missed here is asked about.
    const MOST: usize = 20_000;
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let all = contents.roots.iter().chain(&contents.others);
    let mut left: Vec<Descriptor> = all.map(|one| one.target.clone()).collect();
    while let Some(descriptor) = left.pop() {
        if seen.len() > MOST || !seen.insert(descriptor.digest.clone()) {
            continue;
        }
        let loaded = document::load(container, &Written::default(), &descriptor)?;
        if let Some((_, Some(document))) = loaded {
            found.extend(document.config.iter().map(|config| config.digest.clone()));
            left.extend(document.manifests().iter().cloned());
        }
    }
    Ok(found)
}

/// Descriptors of one digest that contradict each other: only one of them can be right.
fn agree(first: &Descriptor, second: &Descriptor) -> Result<(), OpenError> {
    if first.media_type == second.media_type && first.size == second.size {
        return Ok(());
    }
    let digest = &first.digest;
    Err(OpenError::invalid(
        "index.json",
        format!("ambiguous: it lists {digest} with two media types or sizes"),
    ))
}

fn group<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Vec<Candidate<Descriptor>> {
    let mut candidates: Vec<Candidate<Descriptor>> = Vec::new();
    let mut positions: BTreeMap<&Digest, usize> = BTreeMap::new();
    let mut known: BTreeSet<(usize, &str)> = BTreeSet::new();
    for descriptor in descriptors {
        let position = *positions.entry(&descriptor.digest).or_insert_with(|| {
            candidates.push(Candidate {
                digest: descriptor.digest.clone(),
                names: Vec::new(),
                target: descriptor.clone(),
            });
            candidates.len() - 1
        });
        for name in names(descriptor) {
            if known.insert((position, name)) {
                candidates[position].names.push(name.to_owned());
            }
        }
    }
    candidates
}

fn names(descriptor: &Descriptor) -> impl Iterator<Item = &str> {
    NAME_ANNOTATIONS
        .iter()
        .filter_map(|key| descriptor.annotation(key))
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
