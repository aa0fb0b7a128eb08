//! What an input is, told by its first bytes; names and extensions are not asked. What is compressed
//! outside, or cannot be read by position, is copied into scratch space once.

use std::cell::Cell;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read, Seek as _};
use std::path::Path;

use bytes::Bytes;

use crate::OpenOptions;
use crate::compression::{Compression, Window};
use crate::container::{Backing, Container, NO_ENTRIES};
use crate::error::OpenError;
use crate::expansion::{self, Allowance, Bounded, Counted};
use crate::scratch::{self, SpoolError};
use crate::tar_index::BLOCK;

/// Bytes asked for at a time while decompressing.
const BUFFER: usize = 128 * 1024;

/// The beginnings of what people hand in instead of an image archive.
const UNSUPPORTED: [(&[u8], &str); 7] = [
    (b"\x04\x22\x4d\x18", "a file compressed with lz4"),
    (b"LZIP", "a file compressed with lzip"),
    (b"\x5d\0\0", "a file compressed with lzma"),
    (b"\x1f\x9d", "a file compressed with compress"),
    (b"7z\xbc\xaf\x27\x1c", "a file compressed as a 7z archive"),
    (b"Rar!\x1a\x07", "a file compressed as a RAR archive"),
    // GitHub hands out artifacts like this.
    (b"PK\x03\x04", "a file compressed as a ZIP archive"),
];

/// The beginnings of what stands in an archive's place when something went wrong before.
const MISTAKES: [(&[u8], &str); 7] = [
    (b"\x89PNG", "it is a PNG picture"),
    (b"{", "it is JSON"),
    (b"[", "it is JSON"),
    (
        b"<!DOCTYPE",
        "it is a web page, as a failed download leaves it",
    ),
    (
        b"<!doctype",
        "it is a web page, as a failed download leaves it",
    ),
    (b"<html", "it is a web page, as a failed download leaves it"),
    // https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer
    (
        b"version https://git-lfs.github.com/spec/",
        "it is a pointer of Git LFS: the file itself was not checked out",
    ),
];

/// An opened input.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) container: Container,
    /// How the whole of it was compressed.
    pub(crate) compression: Compression,
}

impl Input {
    fn plain(container: Container) -> Self {
        Self {
            container,
            compression: Compression::None,
        }
    }
}

/// Opens what is at `path`.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Input, OpenError> {
    let read_error = |source| OpenError::Read {
        what: path.display().to_string(),
        source,
    };
    let metadata = path.metadata().map_err(read_error)?;
    let wanted = options.format;
    if metadata.is_dir() {
        return match wanted.filter(|wanted| wanted.is_archive()) {
            Some(_) => Err(OpenError::WrongFormat {
                found: "a directory",
                wanted: "a tar file",
            }),
            None => Ok(Input::plain(Container::Directory(path.to_owned()))),
        };
    }
    if wanted.is_some_and(|wanted| !wanted.is_archive()) {
        return Err(OpenError::WrongFormat {
            found: "a file",
            wanted: "a directory",
        });
    }
    if !metadata.is_file() && !is_pipe(&metadata) {
        return Err(OpenError::NotAnArchive {
            reason: "it is neither a file nor a directory".to_owned(),
        });
    }
    let mut file = File::open(path).map_err(read_error)?;
    if !metadata.is_file() {
        return read(file, path, options);
    }
    let length = metadata.len();
    let mut start = Vec::new();
    (&file)
        .take(BLOCK)
        .read_to_end(&mut start)
        .map_err(read_error)?;
    file.rewind().map_err(read_error)?;
    let compression = identify(&start, length)?;
    if compression == Compression::None {
        let backing = Backing::file(file, path);
        return Ok(Input::plain(Container::open_tar(backing, length)?));
    }
    spool(file, compression, path, options)
}

/// Opens what `reader` yields, which `name` stands for in messages.
pub(crate) fn read(
    reader: impl Read,
    name: &Path,
    options: &OpenOptions,
) -> Result<Input, OpenError> {
    if options.format.is_some_and(|wanted| !wanted.is_archive()) {
        return Err(OpenError::WrongFormat {
            found: "a stream of bytes",
            wanted: "a directory",
        });
    }
    let mut reader = reader;
    let mut start = vec![0; usize::try_from(BLOCK).unwrap_or_default()];
    let filled = scratch::fill(&mut reader, &mut start).map_err(|source| OpenError::Read {
        what: name.display().to_string(),
        source,
    })?;
    start.truncate(filled);
    let compression = identify(&start, filled as u64)?;
    spool(
        io::Cursor::new(start).chain(reader),
        compression,
        name,
        options,
    )
}

/// Opens an archive that is in memory.
pub(crate) fn from_bytes(bytes: Bytes, options: &OpenOptions) -> Result<Input, OpenError> {
    let length = bytes.len() as u64;
    let start = &bytes[..bytes.len().min(512)];
    let compression = identify(start, length)?;
    if compression == Compression::None {
        let container = Container::open_tar(Backing::Memory(bytes), length)?;
        return Ok(Input::plain(container));
    }
    spool(
        io::Cursor::new(bytes),
        compression,
        Path::new("the archive"),
        options,
    )
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_metadata: &Metadata) -> bool {
    false
}

/// Copies the tar file that is in `reader` into scratch space, and opens it there.
fn spool(
    reader: impl Read,
    compression: Compression,
    name: &Path,
    options: &OpenOptions,
) -> Result<Input, OpenError> {
    let allowance = Allowance::of_archive();
    spool_within(&allowance, reader, compression, name, options)
}

fn spool_within(
    allowance: &Allowance,
    reader: impl Read,
    compression: Compression,
    name: &Path,
    options: &OpenOptions,
) -> Result<Input, OpenError> {
    let scratch = options.scratch.as_ref().ok_or_else(|| OpenError::Read {
        what: name.display().to_string(),
        source: io::Error::other("it must be copied into scratch space, and no directory is set"),
    })?;
    let consumed = Cell::new(0);
    let counted = Counted::new(reader, &consumed);
    let unreadable = |source: io::Error| match (expansion::of_error(&source), compression) {
        (Some(expansion), _) => OpenError::Expands(expansion),
        (None, Compression::None) => OpenError::Read {
            what: name.display().to_string(),
            source,
        },
        (None, compression) => OpenError::Compression {
            compression,
            source,
        },
    };
    let decoder = compression
        .decoder(BufReader::with_capacity(BUFFER, counted), Window::Largest)
        .map_err(unreadable)?;
    let mut decoder = Bounded::new(decoder, &consumed, allowance);
    let mut start = vec![0; 2 * usize::try_from(BLOCK).unwrap_or_default()];
    let filled = scratch::fill(&mut decoder, &mut start).map_err(unreadable)?;
    if filled == start.len() && start.iter().all(|byte| *byte == 0) {
        // However many zeros follow.
        return Err(OpenError::NotAnArchive {
            reason: NO_ENTRIES.to_owned(),
        });
    }
    let mut content = start[..filled].chain(decoder);
    let spooled = scratch::spool(&mut content, scratch);
    let (mut file, length) = spooled.map_err(|error| match error {
        SpoolError::Read(source) => unreadable(source),
        SpoolError::Write(error) => error.into(),
    })?;
    let file_error = |source| OpenError::from(scratch.error(source));
    if compression != Compression::None {
        let mut start = Vec::new();
        (&file)
            .take(BLOCK)
            .read_to_end(&mut start)
            .map_err(file_error)?;
        file.rewind().map_err(file_error)?;
        let inner = identify(&start, length)?;
        if inner != Compression::None {
            return Err(OpenError::NotAnArchive {
                reason: format!("it is compressed twice, with {inner} inside of {compression}"),
            });
        }
    }
    let container = Container::open_tar(Backing::file(file, name), length)?;
    Ok(Input {
        container,
        compression,
    })
}

/// How the tar file that starts so is compressed.
fn identify(start: &[u8], length: u64) -> Result<Compression, OpenError> {
    // Asked first, since an entry's name may begin like another kind of file.
    if is_tar_header(start) {
        return Ok(Compression::None);
    }
    let compression = Compression::of_start(start);
    if compression != Compression::None {
        return Ok(compression);
    }
    if let Some((_, kind)) = UNSUPPORTED
        .iter()
        .find(|(magic, _)| start.starts_with(magic))
    {
        return Err(OpenError::Unsupported { kind });
    }
    let mistake = MISTAKES
        .iter()
        .find(|(beginning, _)| start.starts_with(beginning));
    let reason = if start.is_empty() {
        "it is empty (0 bytes), as a failed export leaves it"
    } else if let Some((_, mistake)) = mistake {
        mistake
    } else if length < BLOCK {
        "it is too short"
    } else {
        "its first header has a wrong checksum"
    };
    Err(OpenError::NotAnArchive {
        reason: reason.to_owned(),
    })
}

/// Whether a block is a tar header: the sum of its bytes, with the field of the sum itself taken as
/// blanks, is in that field
/// (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>).
pub(crate) fn is_tar_header(block: &[u8]) -> bool {
    const FIELD: std::ops::Range<usize> = 148..156;
    if block.len() as u64 != BLOCK {
        return false;
    }
    if block.iter().all(|byte| *byte == 0) {
        // An archive without entries is a tar file all the same.
        return true;
    }
    let field = &block[FIELD];
    let text = String::from_utf8_lossy(field);
    let text = text.trim_matches([' ', '\0']);
    let Ok(expected) = u32::from_str_radix(text, 8) else {
        return false;
    };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if FIELD.contains(&at) {
                u32::from(b' ')
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    sum == expected
}

#[cfg(test)]
mod tests;
