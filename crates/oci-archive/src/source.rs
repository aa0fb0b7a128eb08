//! Where a blob's bytes are, and how they are read: by position, so that any number of readers share
//! one file without sharing a cursor. Nothing is extracted, copied or kept, and nothing is hashed: that is
//! for whoever reads ([`crate::Digest::hasher`]).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

/// The bytes of a blob. Cheap to clone; can be read any number of times.
#[derive(Debug, Clone)]
pub struct BlobSource {
    place: Place,
    length: u64,
}

#[derive(Debug, Clone)]
enum Place {
    Memory(Bytes),
    /// A part of a file that stays open.
    Range {
        file: Arc<File>,
        path: Arc<Path>,
        offset: u64,
    },
    /// A file of its own, opened when it is read: a layout may hold more blobs than a process may open.
    Path(Arc<Path>),
}

impl BlobSource {
    /// Bytes in memory.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self {
            length: bytes.len() as u64,
            place: Place::Memory(bytes),
        }
    }

    /// `length` bytes of `file` from `offset` on. `path` is the file's name, for messages.
    #[must_use]
    pub fn from_file_range(
        file: Arc<File>,
        path: impl Into<Arc<Path>>,
        offset: u64,
        length: u64,
    ) -> Self {
        let path = path.into();
        Self {
            place: Place::Range { file, path, offset },
            length,
        }
    }

    /// The first `length` bytes of the file at `path`.
    #[must_use]
    pub fn from_path(path: impl Into<Arc<Path>>, length: u64) -> Self {
        Self {
            place: Place::Path(path.into()),
            length,
        }
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether these are the same bytes of the same file, or of the same memory. Equal bytes at two places are not.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let is_same = match (&self.place, &other.place) {
            (Place::Memory(one), Place::Memory(other)) => one.as_ptr() == other.as_ptr(),
            (
                Place::Range { file, offset, .. },
                Place::Range {
                    file: of_other,
                    offset: at,
                    ..
                },
            ) => Arc::ptr_eq(file, of_other) && offset == at,
            (Place::Path(one), Place::Path(other)) => one == other,
            _ => false,
        };
        is_same && self.length == other.length
    }

    /// A reader of everything from `offset` on; of nothing if that is the end or beyond.
    ///
    /// Reading fails with [`io::ErrorKind::UnexpectedEof`] if the file has become shorter meanwhile.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn reader(&self, offset: u64) -> io::Result<BlobReader> {
        let start = offset.min(self.length);
        let (bytes, base) = match &self.place {
            Place::Memory(bytes) => (Positioned::Memory(bytes.clone()), 0),
            Place::Range { file, path, offset } => {
                let (file, path) = (Arc::clone(file), Arc::clone(path));
                (Positioned::File { file, path }, *offset)
            }
            Place::Path(path) => {
                let (file, path) = (Arc::new(File::open(path)?), Arc::clone(path));
                (Positioned::File { file, path }, 0)
            }
        };
        Ok(BlobReader {
            bytes,
            position: base.saturating_add(start),
            remaining: self.length - start,
        })
    }

    /// All bytes, for small blobs.
    pub(crate) fn read_all(&self) -> io::Result<Bytes> {
        if let Place::Memory(bytes) = &self.place {
            return Ok(bytes.clone());
        }
        let length = usize::try_from(self.length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.reader(0)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads a blob from some offset to its end.
#[derive(Debug)]
pub struct BlobReader {
    bytes: Positioned,
    position: u64,
    remaining: u64,
}

#[derive(Debug)]
enum Positioned {
    Memory(Bytes),
    File { file: Arc<File>, path: Arc<Path> },
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.remaining)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = match &self.bytes {
            Positioned::Memory(bytes) => {
                let start = usize::try_from(self.position).map_err(io::Error::other)?;
                buffer[..wanted].copy_from_slice(&bytes[start..start + wanted]);
                wanted
            }
            Positioned::File { file, path } => {
                let read = read_at(file, &mut buffer[..wanted], self.position)?;
                if read == 0 {
                    return Err(self.shortened(path));
                }
                read
            }
        };
        self.position += read as u64;
        self.remaining -= read as u64;
        Ok(read)
    }
}

impl BlobReader {
    fn shortened(&self, path: &Path) -> io::Error {
        let message = format!(
            "{} has become shorter since it was opened: {} bytes from {} on are missing",
            path.display(),
            self.remaining,
            self.position
        );
        io::Error::new(io::ErrorKind::UnexpectedEof, message)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, position)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, position)
}

#[cfg(test)]
mod tests;
