//! Which of the descriptors in `index.json` are images, and which one is meant.
//!
//! It is no list of images: exporters also put children, attestations, signatures and fallback tags
//! there. An image is what no other descriptor lists as its child, is about nothing else, and is no
//! fallback tag. That it names an `artifactType` does not make it something else. Nothing is ever chosen
//! by chance: where two are possible, both are named and none is taken.

use std::collections::{BTreeMap, BTreeSet};

use crate::Selection;
use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document;
use crate::error::OpenError;
use crate::image::{Manifest, Notice};

/// containerd's mark of a descriptor that is about another one
/// (<https://github.com/moby/moby/pull/51497>).
const CONTAINERD_SUBJECT: &str = "io.containerd.manifest.subject";

/// Where names stand: containerd's whole reference, the specification's tag or reference.
const NAME_ANNOTATIONS: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];

/// One of the manifests in `index.json`, chosen.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) descriptor: Descriptor,
    /// All its names; a tar exported under two names lists one image twice.
    pub(crate) names: Vec<String>,
    /// Manifests that are about another one, with that one where it is told by its digest.
    pub(crate) about_others: BTreeMap<Digest, Option<Digest>>,
}

/// Chooses one of the images among `listed`.
pub(crate) fn choose(
    container: &Container,
    listed: &[Descriptor],
    selection: Option<&Selection>,
) -> Result<Choice, OpenError> {
    let Contents {
        mut roots,
        others,
        about_others,
    } = contents(container, listed)?;
    let chosen = match selection {
        None if roots.is_empty() => {
            return Err(OpenError::invalid(
                "index.json",
                "it lists no image, only manifests that are about others",
            ));
        }
        None => (roots.len() == 1).then(|| roots.remove(0)),
        Some(Selection::Index(position)) => {
            (*position < roots.len()).then(|| roots.remove(*position))
        }
        Some(Selection::Name(name)) => by_name(&roots, &others, name)?.cloned(),
    };
    match chosen {
        Some(Candidate { descriptor, names }) => Ok(Choice {
            descriptor,
            names,
            about_others,
        }),
        None => Err(unselected(&roots, selection)),
    }
}

/// Those among `about_others` that are about one of `manifests`, but none of them.
pub(crate) fn left_out(
    about_others: &BTreeMap<Digest, Option<Digest>>,
    manifests: &[Manifest],
) -> Vec<Notice> {
    let published: BTreeSet<&Digest> = manifests
        .iter()
        .map(|manifest| &manifest.descriptor().digest)
        .collect();
    let left_out = about_others.iter().filter(|(digest, subject)| {
        let is_about_this = subject.as_ref().is_some_and(|one| published.contains(one));
        is_about_this && !published.contains(digest)
    });
    left_out
        .map(|(digest, _)| Notice::ReferrerLeftOut(digest.clone()))
        .collect()
}

/// A listed manifest with all names that it is listed under.
#[derive(Debug, Clone)]
struct Candidate {
    descriptor: Descriptor,
    names: Vec<String>,
}

/// What `index.json` lists, told apart; each digest once, in the order in which they are first listed.
struct Contents {
    roots: Vec<Candidate>,
    /// What is no image by itself: children, and what is about others.
    others: Vec<Candidate>,
    about_others: BTreeMap<Digest, Option<Digest>>,
}

fn contents(container: &Container, listed: &[Descriptor]) -> Result<Contents, OpenError> {
    let mut children: BTreeSet<Digest> = BTreeSet::new();
    let mut about_others: BTreeMap<Digest, Option<Digest>> = BTreeMap::new();
    let mut seen: BTreeMap<&Digest, &Descriptor> = BTreeMap::new();
    for descriptor in listed {
        let digest = &descriptor.digest;
        if let Some(mark) = descriptor.annotation(CONTAINERD_SUBJECT) {
            about_others.insert(digest.clone(), mark.parse().ok());
        }
        if let Some(first) = seen.insert(digest, descriptor) {
            agree(first, descriptor)?;
            continue;
        }
        // An absent manifest has no children to tell; if it turns out to be an image, it is missed then.
        let Some((_, Some(document))) = document::load(container, descriptor)? else {
            continue;
        };
        if let Some(subject) = &document.subject {
            about_others.insert(digest.clone(), Some(subject.digest.clone()));
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
            && !about_others.contains_key(&descriptor.digest)
            && !names(descriptor).any(is_fallback_tag)
    };
    let roots = group(listed.iter().filter(is_image));
    let others = group(listed.iter().filter(|descriptor| !is_image(descriptor)));
    Ok(Contents {
        roots,
        others,
        about_others,
    })
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

fn group<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut positions: BTreeMap<&Digest, usize> = BTreeMap::new();
    let mut known: BTreeSet<(usize, &str)> = BTreeSet::new();
    for descriptor in descriptors {
        let position = *positions.entry(&descriptor.digest).or_insert_with(|| {
            candidates.push(Candidate {
                descriptor: descriptor.clone(),
                names: Vec::new(),
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

/// The one image of this name; if none has it, what else has it.
fn by_name<'a>(
    roots: &'a [Candidate],
    others: &'a [Candidate],
    name: &str,
) -> Result<Option<&'a Candidate>, OpenError> {
    for candidates in [roots, others] {
        let mut named = candidates
            .iter()
            .filter(|candidate| candidate.names.iter().any(|other| other == name));
        let first = named.next();
        if named.next().is_some() {
            return Err(OpenError::Selection {
                reason: format!("the archive holds more than one image {name:?}"),
                images: shown(candidates),
            });
        }
        if first.is_some() {
            return Ok(first);
        }
    }
    Ok(None)
}

fn unselected(roots: &[Candidate], selection: Option<&Selection>) -> OpenError {
    let reason = match selection {
        None => format!(
            "the archive holds {} images, and one must be selected",
            roots.len()
        ),
        Some(Selection::Index(position)) => format!("the archive holds no image @{position}"),
        Some(Selection::Name(name)) => format!("the archive holds no image {name:?}"),
    };
    OpenError::Selection {
        reason,
        images: shown(roots),
    }
}

fn shown(candidates: &[Candidate]) -> Vec<String> {
    let lines = candidates.iter().enumerate().map(|(position, candidate)| {
        format!(
            "@{position} {} {}",
            candidate.descriptor.digest.short(),
            candidate.names.join(" ")
        )
    });
    lines.map(|line| line.trim_end().to_owned()).collect()
}

fn names(descriptor: &Descriptor) -> impl Iterator<Item = &str> {
    NAME_ANNOTATIONS
        .iter()
        .filter_map(|key| descriptor.annotation(key))
        .filter(|name| !name.is_empty())
}

/// The tag under which clients keep what is about a manifest where a registry has no API for it
/// (distribution-spec, "Referrers Tag Schema":
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema>).
fn is_fallback_tag(name: &str) -> bool {
    let tag = name.rsplit([':', '/']).next().unwrap_or(name);
    let Some((algorithm, hex)) = tag.split_once('-') else {
        return false;
    };
    // cosign appends `.sig` and the like.
    let hex = hex.split('.').next().unwrap_or(hex);
    format!("{algorithm}:{hex}").parse::<Digest>().is_ok()
}

#[cfg(test)]
mod tests;
