//! Annotations added to manifests and indexes on their way. Whatever names a manifest that changes by
//! this is changed with it.

use std::collections::BTreeMap;
use std::str::FromStr;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::document;
use crate::error::OpenError;
use crate::image::{Image, Manifest, ManifestKind, Notice, Provenance};
use crate::referrers;

/// The annotation of an attestation's descriptor that names what it describes
/// (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>).
pub(crate) const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// What an annotation is added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnnotationTarget {
    /// Every image's manifest.
    Manifest,
    /// The index that the tag names.
    Index,
}

/// An annotation to add, with the prefixes of buildx: `[index:|manifest:]KEY=VALUE`
/// (<https://docs.docker.com/build/metadata/annotations/>).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Annotation {
    /// What it is added to.
    pub targets: Vec<AnnotationTarget>,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Why a text is no annotation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationError {
    /// There is no `=`, or nothing before it.
    #[error("an annotation is written KEY=VALUE")]
    Malformed,
    /// It is to be added to something that is not known.
    #[error("the annotation is for {0:?}; known are manifest and index")]
    UnknownTarget(String),
}

impl FromStr for Annotation {
    type Err = AnnotationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or(AnnotationError::Malformed)?;
        let (targets, key) = match name.split_once(':') {
            Some((targets, key)) => (targets, key),
            None => ("manifest", name),
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(AnnotationError::Malformed);
        }
        let targets = targets.split(',').map(|target| match target {
            "manifest" => Ok(AnnotationTarget::Manifest),
            "index" => Ok(AnnotationTarget::Index),
            other => Err(AnnotationError::UnknownTarget(other.to_owned())),
        });
        Ok(Self {
            targets: targets.collect::<Result<_, _>>()?,
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

fn pairs(
    annotations: &[Annotation],
    target: AnnotationTarget,
) -> impl Iterator<Item = (&str, &str)> {
    let wanted = annotations
        .iter()
        .filter(move |one| one.targets.contains(&target));
    wanted.map(|one| (one.key.as_str(), one.value.as_str()))
}

/// Whether a manifest bears these annotations for manifests, and no others.
pub(crate) fn has_exactly(manifest: &[u8], annotations: &[Annotation]) -> bool {
    let wanted: BTreeMap<&str, &str> = pairs(annotations, AnnotationTarget::Manifest).collect();
    let Ok(Value::Object(manifest)) = serde_json::from_slice(manifest) else {
        return false;
    };
    let found = match manifest.get("annotations") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(found)) => found
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
            .collect(),
        Some(_) => return false,
    };
    found == wanted
}

/// What is wrong with an annotation for an index where there is none.
pub(crate) fn no_index(key: &str) -> OpenError {
    OpenError::invalid(
        format!("annotation {key:?}"),
        "it is for an index, and the image is a single manifest",
    )
}

/// Adds `annotations` to an image.
///
/// # Errors
///
/// If one is for an index and there is none.
pub(crate) fn annotate(image: &mut Image, annotations: &[Annotation]) -> Result<(), OpenError> {
    if annotations.is_empty() {
        return Ok(());
    }
    if let Some((key, _)) = pairs(annotations, AnnotationTarget::Index).next()
        && image.root.kind != ManifestKind::Index
    {
        return Err(no_index(key));
    }
    let root = image.root.descriptor.digest.clone();
    let mut changed: BTreeMap<Digest, (Digest, u64)> = BTreeMap::new();
    let is_referrer_of = image.manifests.len();
    let all = image.manifests.iter_mut().chain(&mut image.referrers);
    for (position, manifest) in all.enumerate() {
        if manifest.kind == ManifestKind::Other {
            continue;
        }
        let mut document = document::parse_object(manifest)?;
        let mut is_changed = rename(&mut document, &changed);
        let target = if manifest.kind == ManifestKind::Image && position < is_referrer_of {
            Some(AnnotationTarget::Manifest)
        } else if manifest.descriptor.digest == root {
            Some(AnnotationTarget::Index)
        } else {
            None
        };
        for (key, value) in target
            .into_iter()
            .flat_map(|target| pairs(annotations, target))
        {
            add(&mut document, key, value);
            is_changed = true;
        }
        if is_changed {
            let before = manifest.descriptor.digest.clone();
            replace(manifest, &document, &changed)?;
            let after = &manifest.descriptor;
            changed.insert(before, (after.digest.clone(), after.size));
        }
    }
    if let Some(root) = image.manifests.last() {
        image.root = root.clone();
    }
    if !changed.is_empty() {
        let manifests = image.manifests.iter();
        tell(
            manifests,
            annotations,
            &mut image.changes,
            &mut image.notices,
        );
        referrers::prune(image, |_| true);
    }
    Ok(())
}

/// Takes note of what annotations do to `manifests`, each thing once.
pub(crate) fn tell<'a>(
    mut manifests: impl Iterator<Item = &'a Manifest>,
    annotations: &[Annotation],
    changes: &mut Vec<String>,
    notices: &mut Vec<Notice>,
) {
    const ADDED: &str = "annotations were added";
    if !annotations.is_empty() && !changes.iter().any(|change| change == ADDED) {
        changes.push(ADDED.to_owned());
    }
    let mut for_images = pairs(annotations, AnnotationTarget::Manifest);
    if for_images.next().is_some()
        && !notices.contains(&Notice::AttestationsOutdated)
        && manifests.any(|one| one.kind == ManifestKind::Attestation)
    {
        notices.push(Notice::AttestationsOutdated);
    }
}

/// Adds one annotation to a manifest or index.
fn add(document: &mut Map<String, Value>, key: &str, value: &str) {
    let annotations = document
        .entry("annotations")
        .or_insert_with(|| Value::Object(Map::new()));
    if !annotations.is_object() {
        *annotations = Value::Object(Map::new());
    }
    if let Value::Object(annotations) = annotations {
        annotations.insert(key.to_owned(), value.into());
    }
}

/// Makes a document name changed manifests by their new digests. Tells whether it named any.
fn rename(document: &mut Map<String, Value>, changed: &BTreeMap<Digest, (Digest, u64)>) -> bool {
    let mut is_changed = false;
    let children = document.get_mut("manifests").and_then(Value::as_array_mut);
    for descriptor in children.into_iter().flatten() {
        is_changed |= rename_descriptor(descriptor, changed);
    }
    if let Some(subject) = document.get_mut("subject") {
        is_changed |= rename_descriptor(subject, changed);
    }
    is_changed
}

fn rename_descriptor(descriptor: &mut Value, changed: &BTreeMap<Digest, (Digest, u64)>) -> bool {
    let mut is_changed = false;
    let renamed = |value: &Value| {
        let digest: Digest = value.as_str()?.parse().ok()?;
        changed.get(&digest)
    };
    if let Some((digest, size)) = renamed(&descriptor["digest"]) {
        descriptor["digest"] = digest.to_string().into();
        descriptor["size"] = (*size).into();
        document::forget_embedded(descriptor);
        is_changed = true;
    }
    let annotations = descriptor.get_mut("annotations");
    let reference = annotations.and_then(|annotations| annotations.get_mut(REFERENCE_DIGEST));
    if let Some(reference) = reference
        && let Some((digest, _)) = renamed(reference)
    {
        *reference = digest.to_string().into();
        is_changed = true;
    }
    is_changed
}

/// Gives a manifest its new bytes, and the digest that goes with them.
fn replace(
    manifest: &mut Manifest,
    document: &Map<String, Value>,
    changed: &BTreeMap<Digest, (Digest, u64)>,
) -> Result<(), OpenError> {
    let bytes = Bytes::from(document::write(document)?);
    let algorithm = manifest.descriptor.digest.algorithm();
    manifest.descriptor.digest = Digest::of(algorithm, &bytes);
    manifest.descriptor.size = bytes.len() as u64;
    manifest.bytes = bytes;
    if manifest.provenance == Provenance::Archive {
        manifest.provenance = Provenance::Changed;
    }
    let named = manifest.children.iter_mut().chain(&mut manifest.subject);
    for digest in named {
        if let Some((after, _)) = changed.get(digest) {
            *digest = after.clone();
        }
    }
    Ok(())
}
