//! An image as a value.

use std::fmt;

use bytes::Bytes;

use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::source::BlobSource;

/// Content that is not a manifest: a configuration, a layer, an attestation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Blob {
    /// What it is.
    pub descriptor: Descriptor,
    /// Where its bytes are.
    pub source: BlobSource,
}

impl Blob {
    /// A blob of `descriptor` whose bytes are in `source`.
    #[must_use]
    pub fn new(descriptor: Descriptor, source: BlobSource) -> Self {
        Self { descriptor, source }
    }
}

/// A manifest or index, byte for byte as the archive holds it.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub(crate) descriptor: Descriptor,
    pub(crate) bytes: Bytes,
    pub(crate) level: usize,
}

impl Manifest {
    /// What it is.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// 0 if it depends on no other manifest, else one more than the highest level among those that it
    /// depends on: its children, and what it is about (`subject`). Manifests of one level can be
    /// published in any order.
    #[must_use]
    pub fn level(&self) -> usize {
        self.level
    }
}

/// Something odd about an archive that does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// An entry stands twice with the same contents.
    RepeatedEntry(String),
    /// The blocks that end a tar file are absent.
    NoEndBlocks,
    /// Other bytes follow the blocks that end a tar file.
    TrailingData,
    /// A layer that is not meant for registries is not in the archive.
    LayerLeftOut(Digest),
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepeatedEntry(name) => write!(formatter, "entry {name:?} stands twice"),
            Self::NoEndBlocks => {
                formatter.write_str("the archive lacks its end blocks; it may be truncated")
            }
            Self::TrailingData => formatter.write_str("other data follows the end of the archive"),
            Self::LayerLeftOut(digest) => {
                write!(
                    formatter,
                    "the non-distributable layer {digest} is not in the archive"
                )
            }
        }
    }
}

/// An image, or several platforms' images under one index, ready to be published.
#[derive(Debug, Clone)]
pub struct Image {
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) root: Manifest,
    pub(crate) blobs: Vec<Blob>,
    pub(crate) platforms: Vec<Platform>,
    pub(crate) names: Vec<String>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) config_digest: Option<Digest>,
}

impl Image {
    /// The manifest or index that a tag should name.
    #[must_use]
    pub fn root(&self) -> &Manifest {
        &self.root
    }

    /// Every manifest once, each after all that it depends on, the root last.
    #[must_use]
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// Every blob once, in the order in which the manifests first name them.
    #[must_use]
    pub fn blobs(&self) -> &[Blob] {
        &self.blobs
    }

    /// The platforms, without those of attestations.
    #[must_use]
    pub fn platforms(&self) -> &[Platform] {
        &self.platforms
    }

    /// The names that the archive gives the image, as it writes them: whole references, bare tags, or
    /// anything else.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is odd about the archive.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The image's configuration, `None` if there are several images.
    #[must_use]
    pub fn config_digest(&self) -> Option<&Digest> {
        self.config_digest.as_ref()
    }
}
