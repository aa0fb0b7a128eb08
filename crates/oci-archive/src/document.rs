//! One manifest or index: found, bounded, verified against its descriptor, and read.
//!
//! What two readers could take for two different things is refused; an unknown media type is not
//! (<https://github.com/opencontainers/image-spec/blob/main/manifest.md>).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::OpenError;
use crate::image::Manifest;
use crate::json;
use crate::media_type;
use crate::presence;

/// The limit that registries set for manifests (distribution-spec, "Pushing Manifests":
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>).
pub(crate) const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// The parts of a manifest or index that a push needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    pub(crate) artifact_type: Option<String>,
    #[serde(default)]
    pub(crate) config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    pub(crate) subject: Option<Descriptor>,
}

impl Document {
    /// What an index lists.
    pub(crate) fn manifests(&self) -> &[Descriptor] {
        self.manifests.as_deref().unwrap_or_default()
    }

    /// What an image is made of.
    pub(crate) fn layers(&self) -> &[Descriptor] {
        self.layers.as_deref().unwrap_or_default()
    }
}

/// Manifests that were written anew, and are in no archive.
#[derive(Debug, Default)]
pub(crate) struct Written(BTreeMap<Digest, Bytes>);

impl Written {
    pub(crate) fn insert(&mut self, digest: Digest, bytes: Bytes) {
        self.0.insert(digest, bytes);
    }

    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.0.contains_key(digest)
    }
}

/// A document as compact JSON.
pub(crate) fn write(document: &impl Serialize) -> Result<Vec<u8>, OpenError> {
    serde_json::to_vec(document).map_err(|source| OpenError::Json {
        what: "the new manifest".to_owned(),
        source,
    })
}

/// Takes out of a descriptor the content that may be embedded in it, once it describes something else
/// (<https://github.com/opencontainers/image-spec/blob/main/descriptor.md#embedded-content>).
pub(crate) fn forget_embedded(descriptor: &mut Value) {
    if let Some(descriptor) = descriptor.as_object_mut() {
        descriptor.shift_remove("data");
    }
}

/// A manifest with everything in it, to be changed and written again. Unknown fields and the order of
/// all stay as they are.
pub(crate) fn parse_object(manifest: &Manifest) -> Result<Map<String, Value>, OpenError> {
    parse_bytes(&manifest.descriptor().digest, manifest.bytes())
}

/// The same from bytes.
pub(crate) fn parse_bytes(digest: &Digest, bytes: &[u8]) -> Result<Map<String, Value>, OpenError> {
    serde_json::from_slice(bytes).map_err(|source| OpenError::Json {
        what: describe(digest),
        source,
    })
}

/// A manifest's bytes, verified, and its document if it is of a known kind; `None` if it is not in the
/// archive, or is an empty file there.
pub(crate) fn load(
    container: &Container,
    written: &Written,
    descriptor: &Descriptor,
) -> Result<Option<(Bytes, Option<Document>)>, OpenError> {
    let what = describe(&descriptor.digest);
    if media_type::is_build_cache(&descriptor.media_type) {
        return Err(OpenError::invalid(
            what,
            "it stands in an index, but is a layer: this is a BuildKit cache export, not an image",
        ));
    }
    if media_type::is_schema_1(&descriptor.media_type) {
        return Err(OpenError::invalid(
            what,
            "schema version 1 is not supported",
        ));
    }
    let bytes = match written.0.get(&descriptor.digest) {
        Some(bytes) => bytes.clone(),
        None => match container.read_blob(&descriptor.digest, MANIFEST_LIMIT)? {
            Some(bytes) => bytes,
            None => return Ok(None),
        },
    };
    let length = bytes.len() as u64;
    if presence::is_left_empty(descriptor, length) {
        return Ok(None);
    }
    if length != descriptor.size {
        return Err(OpenError::invalid(
            what,
            size_mismatch(descriptor.size, length),
        ));
    }
    let mut hasher = descriptor.digest.hasher();
    hasher.update(&bytes);
    let actual = hasher.finish();
    if actual != descriptor.digest {
        let reason = format!("digest mismatch: its content hashes to {actual}");
        return Err(OpenError::invalid(what, reason));
    }
    let document = read(&what, descriptor, &bytes)?;
    Ok(Some((bytes, document)))
}

/// How messages call a manifest.
pub(crate) fn describe(digest: &Digest) -> String {
    format!("manifest {digest}")
}

pub(crate) fn size_mismatch(named: u64, found: u64) -> String {
    format!("size mismatch: it is named with {named} bytes and has {found}")
}

/// The document, if it is of a known kind and can be understood in one way only.
pub(crate) fn read(
    what: &str,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<Option<Document>, OpenError> {
    let is_index = media_type::is_index(&descriptor.media_type);
    if !is_index && !media_type::is_image_manifest(&descriptor.media_type) {
        return Ok(None);
    }
    let document: Document = json::parse(what, bytes)?;
    match objection(descriptor, &document, is_index) {
        Some(reason) => Err(OpenError::invalid(what, reason)),
        None => Ok(Some(document)),
    }
}

/// Why a document is not what its descriptor says, or more than one thing
/// (<https://github.com/opencontainers/distribution-spec/security/advisories/GHSA-mc8v-mgrf-8f4m>).
fn objection(descriptor: &Descriptor, document: &Document, is_index: bool) -> Option<String> {
    let version = document.schema_version;
    if version != 2 {
        return Some(format!("schema version {version} is not supported"));
    }
    let named = &descriptor.media_type;
    if let Some(own) = document.media_type.as_ref().filter(|own| *own != named) {
        return Some(format!(
            "media type mismatch: it is named as {named:?} and calls itself {own:?}"
        ));
    }
    let as_image = document.config.is_some() || document.layers.is_some();
    let as_index = document.manifests.is_some();
    let reason = if as_image && as_index {
        "ambiguous: it has both layers and manifests"
    } else if is_index && as_image {
        "it is named as an index, but is an image manifest"
    } else if !is_index && as_index {
        "it is named as an image manifest, but is an index"
    } else if !is_index && document.config.is_none() {
        "it is an image manifest without config"
    } else {
        return None;
    };
    Some(reason.to_owned())
}
