//! What an archive lacks, told.

use std::collections::{BTreeMap, BTreeSet};

use super::Walk;
use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{AbsentManifest, OpenError};
use crate::image::Manifest;

/// An absent manifest with its place in the order of visits.
pub(super) type Absences = BTreeMap<Digest, (usize, AbsentManifest)>;

/// The error that names everything absent below `root`.
pub(super) fn incomplete(
    container: &Container,
    root: &Descriptor,
    manifest: Option<&Manifest>,
    absent: Absences,
    of_index: bool,
) -> OpenError {
    let mut absent: Vec<_> = absent.into_values().collect();
    absent.sort_by_key(|(position, _)| *position);
    let absent: Vec<AbsentManifest> = absent.into_iter().map(|(_, absent)| absent).collect();
    // A single image is not a matter of platforms, unless it was chosen by its platform: what is missing is
    // one of its parts.
    let [only] = absent.as_slice() else {
        return OpenError::Incomplete { absent };
    };
    if of_index || only.digest != root.digest {
        return OpenError::Incomplete { absent };
    }
    let config = manifest.and_then(|manifest| manifest.references.first());
    let what = match only.blobs.as_slice() {
        [] => format!("the manifest {}", only.digest),
        [blob, rest @ ..] => {
            let role = if Some(blob) == config {
                "config"
            } else {
                "layer"
            };
            let rest = match rest.len() {
                0 => String::new(),
                count => format!(" (and {count} more)"),
            };
            format!("the {role} blob {blob}{rest}")
        }
    };
    let file = only.blobs.first().unwrap_or(&only.digest);
    let is_there = matches!(container.blob(file), Ok(Some(_)));
    let remark = if is_there {
        Some("an empty file is in its place, as an exporter leaves it that was cut off".to_owned())
    } else {
        container.suspicion().map(str::to_owned)
    };
    OpenError::Missing { what, remark }
}

impl Walk<'_> {
    pub(super) fn note_absence(&mut self, descriptor: &Descriptor, mut blobs: Vec<Digest>) {
        let mut seen = BTreeSet::new();
        blobs.retain(|blob| seen.insert(blob.clone()));
        let position = self.absent.len();
        let absent = AbsentManifest {
            platform: descriptor.platform.as_ref().map(ToString::to_string),
            digest: descriptor.digest.clone(),
            blobs,
        };
        self.absent
            .insert(descriptor.digest.clone(), (position, absent));
    }
}
