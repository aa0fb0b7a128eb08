//! The list of what is about a manifest, as a document.

use std::collections::BTreeSet;

use oci_archive::{Manifest, media_type};
use serde_json::{Value, json};

use crate::repository::RemoteManifest;

/// What a tag names is no list, or none that can be understood as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoList;

/// What `found` lists, all of it as it is, and then those of `manifests` that it lacks; `None` if it lacks
/// none.
pub(super) fn extended(
    found: Option<&RemoteManifest>,
    manifests: &[&Manifest],
) -> Result<Option<Manifest>, NoList> {
    let mut document = match found {
        Some(found) if found.media_type == media_type::OCI_INDEX => {
            serde_json::from_slice(&found.bytes).map_err(|_| NoList)?
        }
        Some(_) => return Err(NoList),
        None => json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": [],
        }),
    };
    let Some(Value::Array(entries)) = document.get_mut("manifests") else {
        return Err(NoList);
    };
    let listed = entries.iter().filter_map(|entry| entry["digest"].as_str());
    let mut known: BTreeSet<String> = listed.map(str::to_owned).collect();
    let before = entries.len();
    for manifest in manifests {
        if known.insert(manifest.descriptor().digest.to_string()) {
            entries.push(entry(manifest));
        }
    }
    if entries.len() == before {
        return Ok(None);
    }
    let bytes = serde_json::to_vec(&document).map_err(|_| NoList)?;
    Ok(Some(Manifest::index_of(bytes.into())))
}

/// A manifest as the list names it: with its annotations, and with its configuration's type where it names
/// none of its own
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>).
fn entry(manifest: &Manifest) -> Value {
    let descriptor = manifest.descriptor();
    let mut entry = json!({
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest.to_string(),
        "size": descriptor.size,
    });
    let document: Value = serde_json::from_slice(manifest.bytes()).unwrap_or_default();
    let kinds = [&document["artifactType"], &document["config"]["mediaType"]];
    let mut kinds = kinds.into_iter().filter_map(Value::as_str);
    if let Some(kind) = kinds.find(|kind| !kind.is_empty()) {
        entry["artifactType"] = kind.into();
    }
    if document["annotations"]
        .as_object()
        .is_some_and(|annotations| !annotations.is_empty())
    {
        entry["annotations"] = document["annotations"].clone();
    }
    entry
}

#[cfg(test)]
mod tests;
