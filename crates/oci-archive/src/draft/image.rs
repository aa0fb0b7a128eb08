//! One image whose manifest is still to be written.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Serialize;

use super::FinishedLayers;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::{Algorithm, Digest};
use crate::document;
use crate::error::OpenError;
use crate::image::{Blob, Image, Manifest, ManifestKind, Origin, Provenance};
use crate::media_type;

/// One image, known but for its layers' final form.
#[derive(Debug, Clone)]
pub(crate) struct DraftImage {
    pub(crate) config: Blob,
    pub(crate) platform: Option<Platform>,
    pub(crate) layers: Vec<DraftLayer>,
}

/// A layer of a [`DraftImage`].
#[derive(Debug, Clone)]
pub(crate) enum DraftLayer {
    /// The one of this diff id.
    Made(Digest),
    /// One that is not meant for registries, kept as it is described.
    Foreign(Box<Descriptor>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewManifest<'a> {
    schema_version: u32,
    media_type: &'a str,
    config: &'a Descriptor,
    layers: Vec<&'a Descriptor>,
}

impl DraftImage {
    /// Writes the manifest (<https://github.com/opencontainers/image-spec/blob/main/manifest.md>).
    pub(super) fn finish(&self, finished: &FinishedLayers) -> Result<Image, OpenError> {
        let mut layers = Vec::new();
        let mut blobs = vec![self.config.clone()];
        let mut seen = BTreeSet::new();
        for layer in &self.layers {
            let diff_id = match layer {
                DraftLayer::Foreign(descriptor) => {
                    layers.push((**descriptor).clone());
                    continue;
                }
                DraftLayer::Made(diff_id) => diff_id,
            };
            let finished = finished.get(diff_id).ok_or_else(|| OpenError::Missing {
                what: format!("the finished form of the layer {diff_id}"),
                remark: None,
            })?;
            layers.push(finished.descriptor.clone());
            if let Some(source) = &finished.source
                && seen.insert(&finished.descriptor.digest)
            {
                blobs.push(Blob::new(finished.descriptor.clone(), source.clone()));
            }
        }
        let manifest = NewManifest {
            schema_version: 2,
            media_type: media_type::OCI_MANIFEST,
            config: &self.config.descriptor,
            layers: layers.iter().collect(),
        };
        let bytes = Bytes::from(document::write(&manifest)?);
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        let descriptor = Descriptor::new(media_type::OCI_MANIFEST, digest, bytes.len() as u64);
        let mut image = self.image(descriptor, bytes, &layers);
        image.blobs = blobs;
        Ok(image)
    }

    /// The image of which this is the manifest.
    pub(super) fn image(
        &self,
        descriptor: Descriptor,
        bytes: Bytes,
        layers: &[Descriptor],
    ) -> Image {
        let mut references = vec![self.config.descriptor.digest.clone()];
        let mut seen: BTreeSet<&Digest> = BTreeSet::new();
        for layer in layers.iter().map(|layer| &layer.digest) {
            if seen.insert(layer) && *layer != self.config.descriptor.digest {
                references.push(layer.clone());
            }
        }
        let manifest = Manifest {
            descriptor,
            bytes,
            kind: ManifestKind::Image,
            platform: self.platform.clone(),
            children: Vec::new(),
            references,
            subject: None,
            level: 0,
            provenance: Provenance::Changed,
        };
        Image {
            root: manifest.clone(),
            manifests: vec![manifest],
            referrers: Vec::new(),
            referrer_tags: Vec::new(),
            blobs: vec![self.config.clone()],
            platforms: self.platform.iter().cloned().collect(),
            names: Vec::new(),
            notices: Vec::new(),
            config_digest: Some(self.config.descriptor.digest.clone()),
            origin: Origin::default(),
            changes: Vec::new(),
        }
    }
}
