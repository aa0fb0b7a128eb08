//! Reads container image archives without extracting them.
//!
//! [`open`] turns an OCI image layout, packed as a tar file or lying in a directory, into an [`Image`]:
//! verbatim manifests, and blobs that can be read again, in any part, by any number of readers at once.
//! What `docker save` writes becomes a [`Draft`]: its layers are compressed by a [`Compressor`] first. What is
//! broken or ambiguous is refused here, before anything could be published; what only hashing can show is
//! left to whoever reads the blobs, with [`Digest::hasher`].
//!
//! There is no network here, no asynchrony, no environment and no terminal.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let content = oci_archive::open(Path::new("image.tar"), &oci_archive::OpenOptions::default())?;
//! let image = content.into_image().expect("its layers are finished");
//! for blob in image.blobs() {
//!     let mut hasher = blob.descriptor.digest.hasher();
//!     let mut reader = blob.source.reader(0)?;
//!     let mut frame = [0; 64 * 1024];
//!     loop {
//!         match std::io::Read::read(&mut reader, &mut frame)? {
//!             0 => break,
//!             count => hasher.update(&frame[..count]),
//!         }
//!     }
//!     assert_eq!(hasher.finish(), blob.descriptor.digest, "the archive is damaged");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod annotate;
mod catalogue;
mod compress;
mod compression;
mod container;
mod descriptor;
mod digest;
mod docker;
mod document;
mod draft;
mod error;
mod expansion;
mod filter;
mod image;
mod input;
mod json;
mod layout;
pub mod media_type;
mod merge;
mod narrow;
mod platform_filter;
mod presence;
mod producer;
mod referrers;
mod roots;
mod scratch;
mod select;
mod source;
mod tar_index;
mod walk;

use std::io::Read;
use std::path::Path;

use bytes::Bytes;

pub use annotate::{Annotation, AnnotationError, AnnotationTarget};
pub use compress::{CompressError, CompressionSettings, Compressor};
pub use compression::Compression;
pub use descriptor::{Descriptor, Platform};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use draft::{CompressionFormat, Draft, FinishedLayer, FinishedLayers, RawLayer};
pub use error::{AbsentManifest, OpenError};
pub use expansion::Expansion;
pub use image::{Blob, Image, Manifest, ManifestKind, Notice, Origin};
pub use merge::merge;
pub use platform_filter::{PlatformError, PlatformFilter};
pub use scratch::{Scratch, ScratchError};
pub use source::{BlobReader, BlobSource};

/// A kind of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// An OCI image layout in a tar file.
    OciArchive,
    /// An OCI image layout in a directory.
    OciDirectory,
    /// What `docker save` writes.
    DockerArchive,
}

impl Format {
    fn is_archive(self) -> bool {
        !matches!(self, Self::OciDirectory)
    }
}

/// Which image of several.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// By its position among the images, counted from 0.
    Index(usize),
    /// By a name that the archive gives it, as it writes it or as Docker would complete it. What is no
    /// image by itself, such as one platform of an index, can be chosen too if it has a name of its own.
    Name(String),
}

/// What becomes of attestations in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Attestations {
    /// They stay.
    #[default]
    Keep,
    /// They are left out.
    Strip,
}

/// How to open an archive.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The format to insist on; `None` to look at the contents.
    pub format: Option<Format>,
    /// The image to choose where there are several.
    pub select: Option<Selection>,
    /// The platforms of an index to keep; all if there are none.
    pub platforms: Vec<PlatformFilter>,
    /// Leave out what the archive lacks.
    pub only_present: bool,
    /// What becomes of attestations.
    pub attestations: Attestations,
    /// Take what is about the image along.
    pub referrers: bool,
    /// Take a manifest that names uncompressed layers as it is, rather than have them compressed.
    pub verbatim: bool,
    /// Where to copy what is compressed outside or comes through a pipe. Refused if there is nowhere.
    pub scratch: Option<Scratch>,
}

/// What an archive holds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Content {
    /// An image that can be pushed as it is.
    Image(Box<Image>),
    /// Images whose layers have to be brought into the form in which they are pushed.
    Draft(Box<Draft>),
}

impl Content {
    /// The image, if it is finished.
    #[must_use]
    pub fn into_image(self) -> Option<Image> {
        match self {
            Self::Image(image) => Some(*image),
            Self::Draft(_) => None,
        }
    }

    /// The names that the archive gives it, as it writes them.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match self {
            Self::Image(image) => image.names(),
            Self::Draft(draft) => draft.names(),
        }
    }

    /// What is odd about the archive.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        match self {
            Self::Image(image) => image.notices(),
            Self::Draft(draft) => draft.notices(),
        }
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Image(image) => image.origin(),
            Self::Draft(draft) => draft.origin(),
        }
    }

    /// The same, with what messages are to call the archive.
    #[must_use]
    pub fn called(mut self, archive: impl Into<String>) -> Self {
        let origin = match &mut self {
            Self::Image(image) => &mut image.origin,
            Self::Draft(draft) => &mut draft.origin,
        };
        origin.archive = Some(archive.into());
        self
    }

    /// How what is pushed differs from what is in the archives; empty if it does not, or if they hold no
    /// manifests from which it could.
    #[must_use]
    pub fn changes(&self) -> &[String] {
        match self {
            Self::Image(image) => image.changes(),
            Self::Draft(draft) => draft.changes(),
        }
    }

    /// Whether every manifest is an archive's, byte for byte ([`Image::is_verbatim`]).
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        match self {
            Self::Image(image) => image.is_verbatim(),
            Self::Draft(_) => false,
        }
    }

    /// Adds annotations.
    ///
    /// # Errors
    ///
    /// If one is for an index, and there is none.
    pub fn annotate(&mut self, annotations: &[Annotation]) -> Result<(), OpenError> {
        match self {
            Self::Image(image) => annotate::annotate(image, annotations),
            Self::Draft(draft) => draft.annotate(annotations),
        }
    }
}

/// An archive whose kind is known and whose entries are indexed.
#[derive(Debug)]
pub struct Archive(input::Input);

impl Archive {
    /// Opens the archive at `path`. What is compressed outside, or comes through a named pipe, is copied
    /// into scratch space first; of anything else only the tar headers are read.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the file or entry at fault.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        input::open(path, options).map(Self)
    }

    /// Opens the archive that `reader` yields, after copying it into scratch space. `name` stands for it
    /// in messages.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn from_reader(
        reader: impl Read,
        name: &Path,
        options: &OpenOptions,
    ) -> Result<Self, OpenError> {
        input::read(reader, name, options).map(Self)
    }

    /// Opens an archive that is in memory.
    ///
    /// # Errors
    ///
    /// As [`Archive::open`].
    pub fn from_bytes(bytes: Bytes, options: &OpenOptions) -> Result<Self, OpenError> {
        input::from_bytes(bytes, options).map(Self)
    }

    /// Reads the image that `options` select, or the only one: indexes and manifests, and of a layer no
    /// more than its beginning.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the file or entry at fault, if the archive is of a kind that is not
    /// supported, is damaged, contradicts itself, lacks something that it names, or holds several images
    /// and none is selected.
    pub fn read(&self, options: &OpenOptions) -> Result<Content, OpenError> {
        catalogue::read(&self.0, options)
    }

    /// Reads every image that `options` select: all of them, if nothing is selected.
    ///
    /// # Errors
    ///
    /// As [`Archive::read`], except that several images are no error.
    pub fn read_all(&self, options: &OpenOptions) -> Result<Vec<Content>, OpenError> {
        catalogue::read_all(&self.0, options)
    }
}

/// Opens the archive at `path` and reads the image in it.
///
/// # Errors
///
/// As [`Archive::open`] and [`Archive::read`].
pub fn open(path: &Path, options: &OpenOptions) -> Result<Content, OpenError> {
    Archive::open(path, options)?.read(options)
}
