//! Where a blob's bytes are, and how they are read: by position, so that any number of readers share
//! one file without sharing a cursor.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
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
        offset: u64,
    },
    /// A file of its own, opened when it is read: a layout may hold more blobs than a process may open.
    Path(Arc<PathBuf>),
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

    /// `length` bytes of `file` from `offset` on.
    #[must_use]
    pub fn from_file_range(file: Arc<File>, offset: u64, length: u64) -> Self {
        Self {
            place: Place::Range { file, offset },
            length,
        }
    }

    /// The first `length` bytes of the file at `path`.
    #[must_use]
    pub fn from_path(path: PathBuf, length: u64) -> Self {
        Self {
            place: Place::Path(Arc::new(path)),
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

    /// A reader of everything from `offset` on.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn reader(&self, offset: u64) -> io::Result<BlobReader> {
        let start = offset.min(self.length);
        let bytes = match &self.place {
            Place::Memory(bytes) => Positioned::Memory(bytes.clone()),
            Place::Range { file, .. } => Positioned::File(Arc::clone(file)),
            Place::Path(path) => Positioned::File(Arc::new(File::open(path.as_path())?)),
        };
        let base = match &self.place {
            Place::Range { offset, .. } => *offset,
            Place::Memory(_) | Place::Path(_) => 0,
        };
        Ok(BlobReader {
            bytes,
            position: base + start,
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
    File(Arc<File>),
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
            Positioned::File(file) => read_at(file, &mut buffer[..wanted], self.position)?,
        };
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file has become shorter since it was opened",
            ));
        }
        self.position += read as u64;
        self.remaining -= read as u64;
        Ok(read)
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
mod tests {
    use std::io::Write as _;

    use super::*;

    fn all(source: &BlobSource, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        source.reader(offset)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn every_place_reads_alike() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"--blob").expect("writable");
        let path = file.path().to_owned();
        let open = Arc::new(File::open(&path).expect("readable"));
        for source in [
            BlobSource::from_bytes(Bytes::from_static(b"blob")),
            BlobSource::from_file_range(open, 2, 4),
        ] {
            assert_eq!(all(&source, 0).expect("readable"), b"blob");
            assert_eq!(all(&source, 3).expect("readable"), b"b");
            assert_eq!(all(&source, 9).expect("readable"), b"");
        }
        let source = BlobSource::from_path(path, 3);
        assert_eq!(all(&source, 1).expect("readable"), b"-b");
    }

    #[test]
    fn a_file_that_shrank_is_told() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let source = BlobSource::from_path(file.path().to_owned(), 5);
        let error = all(&source, 0).expect_err("nothing is there");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
