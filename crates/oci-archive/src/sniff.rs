//! What an input is, told by its first bytes. Names and extensions are not asked, and nothing is decompressed:
//! other kinds are refused by their names.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use crate::Format;
use crate::container::Container;
use crate::error::OpenError;
use crate::tar_index::BLOCK;

/// The beginnings of what people hand in instead of a plain tar file.
const UNSUPPORTED: [(&[u8], &str); 6] = [
    (b"\x1f\x8b", "a file compressed with gzip"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd"),
    (b"\xfd7zXZ\x00", "a file compressed with xz"),
    (b"BZh", "a file compressed with bzip2"),
    (b"\x04\x22\x4d\x18", "a file compressed with lz4"),
    // GitHub hands out artifacts like this.
    (b"PK\x03\x04", "a file compressed as a ZIP archive"),
];

/// Opens what is at `path`.
pub(crate) fn open(path: &Path, wanted: Option<Format>) -> Result<Container, OpenError> {
    let read_error = |source| OpenError::Read {
        what: path.display().to_string(),
        source,
    };
    let metadata = path.metadata().map_err(read_error)?;
    if metadata.is_dir() {
        return match wanted {
            Some(Format::OciArchive) => Err(OpenError::WrongFormat {
                found: "a directory",
                wanted: "a tar file",
            }),
            Some(Format::OciDirectory) | None => Ok(Container::Directory(path.to_owned())),
        };
    }
    if wanted == Some(Format::OciDirectory) {
        return Err(OpenError::WrongFormat {
            found: "a file",
            wanted: "a directory",
        });
    }
    if !metadata.is_file() {
        return Err(OpenError::NotAnArchive {
            reason: "it is neither a file nor a directory".to_owned(),
        });
    }
    let mut file = File::open(path).map_err(read_error)?;
    let length = metadata.len();
    let mut start = Vec::new();
    (&file)
        .take(BLOCK)
        .read_to_end(&mut start)
        .map_err(read_error)?;
    if let Some(error) = refusal(&start, length) {
        return Err(error);
    }
    file.rewind().map_err(read_error)?;
    Container::open_tar(file, path, length)
}

fn refusal(start: &[u8], length: u64) -> Option<OpenError> {
    // Asked first, since an entry's name may begin like another kind of file.
    if has_checksum(start) {
        return None;
    }
    if let Some((_, kind)) = UNSUPPORTED
        .iter()
        .find(|(magic, _)| start.starts_with(magic))
    {
        return Some(OpenError::Unsupported { kind });
    }
    let reason = if length == 0 {
        "it is empty (0 bytes), as a failed export leaves it"
    } else if start.starts_with(b"\x89PNG") {
        "it is a PNG picture"
    } else if matches!(start.first(), Some(b'{' | b'[')) {
        "it is JSON"
    } else if length < BLOCK {
        "it is too short"
    } else {
        "its first header has a wrong checksum"
    };
    Some(OpenError::NotAnArchive {
        reason: reason.to_owned(),
    })
}

/// Whether a block is a tar header: the sum of its bytes, with the field of the sum itself taken as
/// blanks, is in that field
/// (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>).
fn has_checksum(block: &[u8]) -> bool {
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
