//! Which of the descriptors in `index.json` are images.
//!
//! It is no list of images: exporters also put children, attestations, signatures and fallback tags
//! there. An image is what no other descriptor lists as its child, is about nothing else, and is no
//! fallback tag. That it names an `artifactType` does not make it something else.

use std::collections::BTreeSet;

use crate::Selection;
use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::OpenError;
use crate::walk;

/// containerd's mark of a descriptor that is about another one
/// (<https://github.com/moby/moby/pull/51497>).
const CONTAINERD_SUBJECT: &str = "io.containerd.manifest.subject";

/// Where names stand: containerd's whole reference, the specification's tag or reference.
const NAME_ANNOTATIONS: [&str; 2] = [
    "io.containerd.image.name",
    "org.opencontainers.image.ref.name",
];

/// An image in `index.json`.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) descriptor: Descriptor,
    /// All its names; a tar exported under two names lists one image twice.
    pub(crate) names: Vec<String>,
}

/// Chooses one of the images among `listed`.
pub(crate) fn choose(
    container: &Container,
    listed: &[Descriptor],
    selection: Option<&Selection>,
) -> Result<Root, OpenError> {
    if listed.is_empty() {
        return Err(OpenError::invalid(
            "index.json",
            "it lists no image: its manifests are empty",
        ));
    }
    if let Some(cache) = listed
        .iter()
        .find(|one| crate::media_type::is_build_cache(&one.media_type))
    {
        return Err(walk::build_cache(&cache.digest));
    }
    let mut roots = group(container, listed)?;
    let position = match selection {
        None if roots.len() == 1 => Some(0),
        None => None,
        Some(Selection::Index(position)) => (*position < roots.len()).then_some(*position),
        Some(Selection::Name(name)) => roots.iter().position(|root| root.names.contains(name)),
    };
    match position {
        Some(position) => Ok(roots.swap_remove(position)),
        None => Err(unselected(&roots, selection)),
    }
}

fn unselected(roots: &[Root], selection: Option<&Selection>) -> OpenError {
    let reason = match selection {
        None => format!(
            "the archive holds {} images, and one must be selected",
            roots.len()
        ),
        Some(Selection::Index(position)) => format!("the archive holds no image @{position}"),
        Some(Selection::Name(name)) => format!("the archive holds no image {name:?}"),
    };
    let images = roots.iter().enumerate().map(|(position, root)| {
        format!(
            "@{position} {} {}",
            root.descriptor.digest.short(),
            root.names.join(" ")
        )
    });
    OpenError::Selection {
        reason,
        images: images.map(|line| line.trim_end().to_owned()).collect(),
    }
}

/// The images, each once, in the order in which they are first listed.
fn group(container: &Container, listed: &[Descriptor]) -> Result<Vec<Root>, OpenError> {
    let mut children: BTreeSet<Digest> = BTreeSet::new();
    let mut about_others: BTreeSet<Digest> = BTreeSet::new();
    let mut seen: BTreeSet<&Digest> = BTreeSet::new();
    for descriptor in listed
        .iter()
        .filter(|descriptor| seen.insert(&descriptor.digest))
    {
        let marked = descriptor.annotation(CONTAINERD_SUBJECT).is_some();
        // An absent manifest has no children to tell; if it turns out to be an image, it is missed then.
        let document = walk::document(container, descriptor)?;
        if marked
            || document
                .as_ref()
                .is_some_and(|document| document.subject.is_some())
        {
            about_others.insert(descriptor.digest.clone());
        }
        let own = document
            .and_then(|document| document.manifests)
            .unwrap_or_default();
        children.extend(own.into_iter().map(|child| child.digest));
    }
    let is_image = |descriptor: &Descriptor| {
        !children.contains(&descriptor.digest)
            && !about_others.contains(&descriptor.digest)
            && !names(descriptor).any(is_fallback_tag)
    };
    let mut roots: Vec<Root> = Vec::new();
    for descriptor in listed.iter().filter(|descriptor| is_image(descriptor)) {
        let found = roots
            .iter()
            .position(|root| root.descriptor.digest == descriptor.digest);
        let position = found.unwrap_or_else(|| {
            roots.push(Root {
                descriptor: descriptor.clone(),
                names: Vec::new(),
            });
            roots.len() - 1
        });
        let known = &mut roots[position].names;
        for name in names(descriptor) {
            if !known.iter().any(|other| other == name) {
                known.push(name.to_owned());
            }
        }
    }
    if roots.is_empty() {
        return Err(OpenError::invalid(
            "index.json",
            "it lists no image, only manifests that are about others",
        ));
    }
    Ok(roots)
}

fn names(descriptor: &Descriptor) -> impl Iterator<Item = &str> {
    NAME_ANNOTATIONS
        .iter()
        .filter_map(|key| descriptor.annotation(key))
        .filter(|name| !name.is_empty())
}

/// The tag under which clients keep what is about a manifest where a registry has no API for it
/// (distribution-spec, "Referrers Tag Schema").
fn is_fallback_tag(name: &str) -> bool {
    let tag = name.rsplit([':', '/']).next().unwrap_or(name);
    let Some((algorithm, hex)) = tag.split_once('-') else {
        return false;
    };
    // cosign appends `.sig` and the like.
    let hex = hex.split('.').next().unwrap_or(hex);
    format!("{algorithm}:{hex}").parse::<Digest>().is_ok()
}
