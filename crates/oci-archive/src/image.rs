//! An image as a value: what was found and verified, and no knowledge of where it goes.

use std::fmt;

use bytes::Bytes;

use crate::Format;
use crate::compression::Compression;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::{Algorithm, Digest};
use crate::media_type;
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

/// What a manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManifestKind {
    /// One image, or an artifact in the form of one.
    Image,
    /// A list of manifests.
    Index,
    /// A statement on another manifest, made by a builder.
    Attestation,
    /// Of a media type that this crate does not know. It is published as it is.
    Other,
}

/// A manifest or index, byte for byte as the archive holds it.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub(crate) descriptor: Descriptor,
    pub(crate) bytes: Bytes,
    pub(crate) kind: ManifestKind,
    pub(crate) platform: Option<Platform>,
    pub(crate) children: Vec<Digest>,
    pub(crate) references: Vec<Digest>,
    pub(crate) subject: Option<Digest>,
    pub(crate) level: usize,
    pub(crate) provenance: Provenance,
}

/// Where a manifest's bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// They are an archive's.
    Archive,
    /// They were written in place of an archive's.
    Changed,
    /// They are an index over several archives, in place of nothing.
    Merged,
}

impl Manifest {
    /// An OCI index of these bytes that is in no archive, such as a list of referrers.
    #[must_use]
    pub fn index_of(bytes: Bytes) -> Self {
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        let size = bytes.len() as u64;
        Self {
            descriptor: Descriptor::new(media_type::OCI_INDEX, digest, size),
            bytes,
            kind: ManifestKind::Index,
            platform: None,
            children: Vec::new(),
            references: Vec::new(),
            subject: None,
            level: 0,
            provenance: Provenance::Merged,
        }
    }

    /// The descriptor that names it.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> ManifestKind {
        self.kind
    }

    /// The platform of an image: what its descriptor says, else what its configuration says. `None` for
    /// what has no real one: indexes, attestations, artifacts.
    #[must_use]
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// The manifests that an index lists, in its order, each once.
    #[must_use]
    pub fn children(&self) -> &[Digest] {
        &self.children
    }

    /// The blobs that it names, the configuration first, each once; those that are not in the archive
    /// ([`Notice::LayerLeftOut`]) too.
    #[must_use]
    pub fn references(&self) -> &[Digest] {
        &self.references
    }

    /// The manifest that it is about. That need not be in the archive
    /// (<https://github.com/opencontainers/image-spec/blob/main/manifest.md#image-manifest-property-descriptions>).
    #[must_use]
    pub fn subject(&self) -> Option<&Digest> {
        self.subject.as_ref()
    }

    /// 0 if it depends on no other manifest, else one more than the highest level among those that it
    /// depends on: its children, and what it is about. Manifests of one level can be published in any
    /// order.
    #[must_use]
    pub fn level(&self) -> usize {
        self.level
    }
}

/// Something odd about an archive that does no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Entries stand more than once; the first of each name counts.
    RepeatedEntries {
        /// The name of one of them.
        first: String,
        /// How many repetitions there are.
        count: usize,
    },
    /// Entries that no layout can mean, and that nothing refers to.
    IgnoredEntries {
        /// The first one's name.
        first: String,
        /// What is odd about it.
        reason: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The blocks that end a tar file are absent.
    NoEndBlocks,
    /// Other bytes follow the blocks that end a tar file.
    TrailingData,
    /// A layer that is not meant for registries is not in the archive.
    LayerLeftOut(Digest),
    /// Something about the image, such as a signature, that stands beside it and not in its index.
    ReferrerLeftOut(Digest),
    /// Something that is about a manifest which the archive holds, and which is left out or changed.
    ReferrerOutdated(Digest),
    /// Something about the image that was asked for, and that the archive does not hold as a whole.
    ReferrerIncomplete(Digest),
    /// Attestations are about manifests that were changed on their way.
    AttestationsOutdated,
    /// A manifest of an unknown media type: what it names, if anything, is not looked at.
    UnknownManifest {
        /// The manifest.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepeatedEntries { first, count } => write!(
                formatter,
                "{count} entries repeat the name of an earlier one and are ignored, such as {first:?}"
            ),
            Self::IgnoredEntries {
                first,
                reason,
                count,
            } => write!(
                formatter,
                "{count} odd entries are ignored, such as {first:?}: {reason}"
            ),
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
            Self::ReferrerLeftOut(digest) => write!(
                formatter,
                "manifest {digest} is about the image, but no part of it, and is left out"
            ),
            Self::ReferrerOutdated(digest) => write!(
                formatter,
                "manifest {digest} is about one that is left out or changed, and is left out with it"
            ),
            Self::ReferrerIncomplete(digest) => write!(
                formatter,
                "manifest {digest} is about the image, but is not whole in the archive, and is left out"
            ),
            Self::AttestationsOutdated => formatter.write_str(
                "the attestations' statements name the manifests as they were before annotations were added",
            ),
            Self::UnknownManifest { digest, media_type } => write!(
                formatter,
                "manifest {digest} has the unknown media type {media_type:?}; what it names is not looked at"
            ),
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
    pub(crate) referrers: Vec<Manifest>,
    pub(crate) referrer_tags: Vec<(String, Digest)>,
    pub(crate) origin: Origin,
    pub(crate) changes: Vec<String>,
}

/// Where an image comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The kind of archive; `None` if there were several.
    pub format: Option<Format>,
    /// How the archive as a whole is compressed; `None` if it is not.
    pub compression: Option<Compression>,
    /// The tool that wrote it, as far as its habits show.
    pub producer: Option<&'static str>,
    /// Its position among the images of the archive, counted from 0; `None` for what is no image by itself,
    /// or if there were several archives.
    pub position: Option<usize>,
    /// What messages call the archive ([`crate::Content::called`]).
    pub archive: Option<String>,
}

impl Image {
    /// Nothing, to be filled.
    pub(crate) fn empty() -> Self {
        Self {
            manifests: Vec::new(),
            root: Manifest::index_of(Bytes::new()),
            blobs: Vec::new(),
            platforms: Vec::new(),
            names: Vec::new(),
            notices: Vec::new(),
            config_digest: None,
            referrers: Vec::new(),
            referrer_tags: Vec::new(),
            origin: Origin::default(),
            changes: Vec::new(),
        }
    }

    /// Manifests that are about the image and no part of it, such as signatures, in the order in which
    /// they can be published. None unless they were asked for.
    #[must_use]
    pub fn referrers(&self) -> &[Manifest] {
        &self.referrers
    }

    /// Tags under which clients look for some of the referrers, as they have no `subject`: cosign's
    /// `sha256-HEX.sig` and the like, each with the manifest that it names
    /// (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>).
    #[must_use]
    pub fn referrer_tags(&self) -> &[(String, Digest)] {
        &self.referrer_tags
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How its root differs from what is in the archive; empty if it is the archive's, byte for byte. The
    /// index over several archives differs from nothing: it is in none of them.
    #[must_use]
    pub fn changes(&self) -> &[String] {
        &self.changes
    }

    /// Whether every manifest is an archive's, byte for byte. The index over several archives is in none
    /// of them, and does not count.
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        let mut manifests = self.manifests.iter().chain(&self.referrers);
        manifests.all(|manifest| manifest.provenance != Provenance::Changed)
    }

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

    /// The images' platforms, each once. Attestations and artifacts have none.
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

    /// The bytes of all blobs and manifests together.
    #[must_use]
    pub fn total_size(&self) -> u64 {
        let blobs = self.blobs.iter().map(|blob| blob.descriptor.size);
        let manifests = self.manifests.iter().map(|one| one.descriptor.size);
        blobs.chain(manifests).fold(0, u64::saturating_add)
    }

    /// The image's configuration, `None` if there are several images.
    #[must_use]
    pub fn config_digest(&self) -> Option<&Digest> {
        self.config_digest.as_ref()
    }
}
