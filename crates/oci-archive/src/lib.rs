//! Reads container image archives without extracting them.
//!
//! [`open`] turns an OCI image layout, packed as a tar file or lying in a directory, into an [`Image`]:
//! verbatim manifests, and blobs that can be read again, in any part, by any number of readers at once.
//! What is broken or ambiguous is refused here, before anything could be published; what only hashing
//! can show is left to whoever reads the blobs, with [`Digest::hasher`].
//!
//! There is no network here, no asynchrony, no environment and no terminal.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let image = oci_archive::open(Path::new("image.tar"), &oci_archive::OpenOptions::default())?;
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

mod container;
mod descriptor;
mod digest;
mod document;
mod error;
mod image;
mod json;
mod layout;
pub mod media_type;
mod roots;
mod sniff;
mod source;
mod tar_index;
mod walk;

use std::path::Path;

pub use descriptor::{Descriptor, Platform};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use error::{AbsentManifest, OpenError};
pub use image::{Blob, Image, Manifest, ManifestKind, Notice};
pub use source::{BlobReader, BlobSource};

/// A kind of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// An OCI image layout in a tar file.
    OciArchive,
    /// An OCI image layout in a directory.
    OciDirectory,
}

/// Which image of several.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// By its position among the images, counted from 0.
    Index(usize),
    /// By a name that the archive gives it, as it writes it. What is no image by itself, such as one
    /// platform of an index, can be chosen too if it has a name of its own.
    Name(String),
}

/// How to open an archive.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The format to insist on; `None` to look at the contents.
    pub format: Option<Format>,
    /// The image to choose where there are several.
    pub select: Option<Selection>,
}

/// Opens the archive at `path`.
///
/// Reads headers, indexes and manifests, never a layer.
///
/// # Errors
///
/// [`OpenError`], which names the file or entry at fault, if the input cannot be read, is of a kind that
/// is not supported, is damaged, contradicts itself, lacks something that it names, or holds several
/// images and none is selected.
pub fn open(path: &Path, options: &OpenOptions) -> Result<Image, OpenError> {
    let container = sniff::open(path, options.format)?;
    layout::read(&container, options.select.as_ref())
}
