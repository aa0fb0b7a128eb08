//! Images whose manifest is still to be made, because their layers are not in the form in which a
//! registry keeps them.
//!
//! A [`Draft`] knows everything but the digests of its compressed layers. Whoever compresses them
//! ([`crate::Compressor`]), or knows them already, gets the image from [`Draft::finish`].

mod image;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use crate::annotate::{self, Annotation, AnnotationTarget};
use crate::compression::Compression;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::{Algorithm, Digest};
use crate::document;
use crate::error::OpenError;
use crate::image::{Blob, Image, Notice, Origin};
use crate::media_type;
use crate::merge;
use crate::source::BlobSource;
pub(crate) use image::{DraftImage, DraftLayer};

/// A layer as the archive holds it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RawLayer {
    /// The digest of its uncompressed bytes.
    pub diff_id: Digest,
    /// The entry that holds it.
    pub name: Arc<str>,
    /// Its bytes as they are in the archive.
    pub source: BlobSource,
    /// How those are compressed.
    pub compression: Compression,
}

impl RawLayer {
    /// Whether it can be pushed as it is.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        matches!(self.compression, Compression::Gzip | Compression::Zstd)
    }
}

/// A layer in the form in which it is pushed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FinishedLayer {
    /// What it is.
    pub descriptor: Descriptor,
    /// Its bytes; `None` if the registry has them already.
    pub source: Option<BlobSource>,
}

impl FinishedLayer {
    /// A layer that was made.
    #[must_use]
    pub fn made(blob: Blob) -> Self {
        Self {
            descriptor: blob.descriptor,
            source: Some(blob.source),
        }
    }

    /// A layer that was not made again, because the registry has it.
    #[must_use]
    pub fn elsewhere(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            source: None,
        }
    }
}

/// The finished layers by diff id.
pub type FinishedLayers = BTreeMap<Digest, FinishedLayer>;

/// What a draft is made of.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Finished(Box<Image>),
    Unfinished(Box<DraftImage>),
}

/// What becomes of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is one, and it is the image.
    Alone,
    /// They become the children of an index.
    Merged,
}

/// An image, or several, whose layers are not all in the form in which they are pushed.
#[derive(Debug, Clone)]
pub struct Draft {
    pub(crate) parts: Vec<Part>,
    pub(crate) outcome: Outcome,
    pub(crate) layers: Vec<RawLayer>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) names: Vec<String>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) origin: Origin,
    pub(crate) changes: Vec<String>,
}

impl Draft {
    pub(crate) fn of_image(image: DraftImage, layers: Vec<RawLayer>) -> Self {
        Self {
            parts: vec![Part::Unfinished(Box::new(image))],
            outcome: Outcome::Alone,
            layers,
            annotations: Vec::new(),
            names: Vec::new(),
            notices: Vec::new(),
            origin: Origin::default(),
            changes: Vec::new(),
        }
    }

    /// Adds annotations, to be written when the image is finished.
    pub(crate) fn annotate(&mut self, annotations: &[Annotation]) -> Result<(), OpenError> {
        let for_index = |one: &&Annotation| one.targets.contains(&AnnotationTarget::Index);
        match annotations.iter().find(for_index) {
            Some(one) if self.outcome == Outcome::Alone => Err(annotate::no_index(&one.key)),
            _ => {
                self.annotations.extend_from_slice(annotations);
                let finished = self.parts.iter().filter_map(|part| match part {
                    Part::Finished(image) => Some(&**image),
                    Part::Unfinished(_) => None,
                });
                let manifests = finished.flat_map(|image| &image.manifests);
                let (changes, notices) = (&mut self.changes, &mut self.notices);
                annotate::tell(manifests, annotations, changes, notices);
                self.tell_outdated(annotations);
                Ok(())
            }
        }
    }

    /// The layers that have to be finished, each once.
    #[must_use]
    pub fn layers(&self) -> &[RawLayer] {
        &self.layers
    }

    /// The blobs that are known already: configurations, and all blobs of images that need no finishing.
    #[must_use]
    pub fn blobs(&self) -> Vec<Blob> {
        let mut seen = BTreeSet::new();
        let blobs = self.parts.iter().flat_map(|part| match part {
            Part::Finished(image) => image.blobs.as_slice(),
            Part::Unfinished(draft) => std::slice::from_ref(&draft.config),
        });
        blobs
            .filter(|blob| seen.insert(&blob.descriptor.digest))
            .cloned()
            .collect()
    }

    /// The images' platforms, each once.
    #[must_use]
    pub fn platforms(&self) -> Vec<Platform> {
        let mut platforms = Vec::new();
        for part in &self.parts {
            match part {
                Part::Finished(image) => platforms.extend(image.platforms.iter().cloned()),
                Part::Unfinished(draft) => platforms.extend(draft.platform.clone()),
            }
        }
        let mut seen = BTreeSet::new();
        platforms.retain(|platform| seen.insert(platform.clone()));
        platforms
    }

    /// The names that the archive gives the image.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is odd about the archive.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How what is made of it differs from manifests that are in the archive; empty where there are none.
    #[must_use]
    pub fn changes(&self) -> &[String] {
        &self.changes
    }

    /// The diff ids of an image's layers in their order, those left out that are not meant for
    /// registries. Of all images, if there are several.
    #[must_use]
    pub fn diff_ids(&self) -> Vec<Digest> {
        let unfinished = self.unfinished().flat_map(|draft| &draft.layers);
        unfinished
            .filter_map(|layer| match layer {
                DraftLayer::Made(diff_id) => Some(diff_id.clone()),
                DraftLayer::Foreign(_) => None,
            })
            .collect()
    }

    /// Whether [`Draft::recognise`] can tell: not where several images become an index.
    #[must_use]
    pub fn is_recognisable(&self) -> bool {
        self.outcome == Outcome::Alone
    }

    fn unfinished(&self) -> impl Iterator<Item = &DraftImage> {
        self.parts.iter().filter_map(|part| match part {
            Part::Unfinished(draft) => Some(&**draft),
            Part::Finished(_) => None,
        })
    }

    /// The image, now that its layers are known.
    ///
    /// # Errors
    ///
    /// If a layer is lacking, or if the images cannot be merged.
    pub fn finish(&self, layers: &FinishedLayers) -> Result<Image, OpenError> {
        let mut images = Vec::new();
        for part in &self.parts {
            images.push(match part {
                Part::Finished(image) => (**image).clone(),
                Part::Unfinished(draft) => draft.finish(layers)?,
            });
        }
        let mut image = match (self.outcome, images.pop()) {
            (Outcome::Alone, Some(image)) => image,
            (_, last) => {
                images.extend(last);
                merge::merge_images(images)?
            }
        };
        image.names.clone_from(&self.names);
        image.notices.clone_from(&self.notices);
        image.changes.clone_from(&self.changes);
        annotate::annotate(&mut image, &self.annotations)?;
        image.origin = self.origin.clone();
        Ok(image)
    }

    /// The image behind a manifest that a registry holds, if it is this one: the same configuration, which
    /// fixes the diff ids, and as many layers. `format`, where it is given, must be that of all layers
    /// that would be compressed.
    ///
    /// `None` if it is another image, or cannot be told.
    #[must_use]
    pub fn recognise(
        &self,
        media_type: &str,
        bytes: &Bytes,
        format: Option<CompressionFormat>,
    ) -> Option<Image> {
        let mut drafts = self.unfinished();
        let (Outcome::Alone, Some(draft)) = (self.outcome, drafts.next()) else {
            return None;
        };
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        let document = document::read("the registry's manifest", &descriptor, bytes).ok()??;
        let config = document.config.as_ref()?;
        let is_same = config.digest == draft.config.descriptor.digest
            && document.layers().len() == draft.layers.len()
            && draft
                .layers
                .iter()
                .zip(document.layers())
                .all(|(layer, found)| self.is_form_of(layer, found, format))
            && is_one_to_one(draft, document.layers())
            && annotate::has_exactly(bytes, &self.annotations);
        is_same.then(|| Image {
            origin: self.origin.clone(),
            names: self.names.clone(),
            notices: self.notices.clone(),
            changes: self.changes.clone(),
            ..draft.image(descriptor, bytes.clone(), document.layers())
        })
    }

    /// Whether `found` can be what this layer would become.
    fn is_form_of(
        &self,
        layer: &DraftLayer,
        found: &Descriptor,
        format: Option<CompressionFormat>,
    ) -> bool {
        let diff_id = match layer {
            DraftLayer::Made(diff_id) => diff_id,
            DraftLayer::Foreign(known) => return known.digest == found.digest,
        };
        // Anything else, such as an encrypted layer, is something else.
        if !media_type::is_plain_layer(&found.media_type) {
            return false;
        }
        let raw = self.layers.iter().find(|raw| raw.diff_id == *diff_id);
        let is_made = raw.is_some_and(|raw| !raw.is_compressed());
        !is_made || format.is_none_or(|format| format.is_that_of(&found.media_type))
    }
}

/// Whether equal layers have become equal blobs, different ones different blobs, and none the
/// configuration. What damaged or careless hands have made of an image is not taken for it.
fn is_one_to_one(draft: &DraftImage, found: &[Descriptor]) -> bool {
    let mut by_diff_id: BTreeMap<&Digest, &Digest> = BTreeMap::new();
    let mut by_digest: BTreeMap<&Digest, &Digest> = BTreeMap::new();
    for (layer, found) in draft.layers.iter().zip(found) {
        let DraftLayer::Made(diff_id) = layer else {
            continue;
        };
        let is_known = by_diff_id.insert(diff_id, &found.digest);
        let is_taken = by_digest.insert(&found.digest, diff_id);
        if is_known.is_some_and(|known| *known != found.digest)
            || is_taken.is_some_and(|taken| taken != diff_id)
            || found.digest == draft.config.descriptor.digest
        {
            return false;
        }
    }
    true
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum CompressionFormat {
    /// gzip, which everything understands.
    #[default]
    Gzip,
    /// Zstandard: smaller and faster; not understood by Docker before 23.
    Zstd,
    /// Not at all.
    None,
}

impl CompressionFormat {
    /// The media type of a layer in this format
    /// (<https://github.com/opencontainers/image-spec/blob/main/layer.md>).
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
            Self::None => "application/vnd.oci.image.layer.v1.tar",
        }
    }

    /// Whether a layer of this media type is in this format, in Docker's words too.
    fn is_that_of(self, media_type: &str) -> bool {
        let dockers = match self {
            Self::Gzip => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            Self::Zstd => "application/vnd.docker.image.rootfs.diff.tar.zstd",
            Self::None => "application/vnd.docker.image.rootfs.diff.tar",
        };
        media_type == self.media_type() || media_type == dockers
    }
}
