//! Scratch space: nameless files that vanish with the process, however it ends.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Zeros of this many bytes at a time are left out, as a hole.
const HOLE: usize = 64 * 1024;

/// More than this is not written unless the compressed bytes account for it.
const EXPANSION_ALLOWED: u64 = 512 * 1024 * 1024;

/// How many times larger than its compressed form an archive may be, holes not counted. Tar files of
/// real images reach 10, of nothing but text 60.
const MOST_EXPANSION: u64 = 200;

/// A directory for files that are needed for a while only.
#[derive(Debug, Clone)]
pub struct Scratch {
    directory: PathBuf,
}

/// Why scratch space cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("scratch space in {} cannot be written", .directory.display())]
pub struct ScratchError {
    /// The directory.
    pub directory: PathBuf,
    /// What the system says; [`io::ErrorKind::StorageFull`] if the disk is full.
    #[source]
    pub source: io::Error,
}

impl Scratch {
    /// Scratch space in `directory`. Nothing is written yet.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A new file without a name. It is gone when it is closed, also by a signal.
    pub(crate) fn file(&self) -> Result<File, ScratchError> {
        tempfile::tempfile_in(&self.directory).map_err(|source| self.error(source))
    }

    pub(crate) fn error(&self, source: io::Error) -> ScratchError {
        ScratchError {
            directory: self.directory.clone(),
            source,
        }
    }
}

/// Why something could not be copied into scratch space.
#[derive(Debug)]
pub(crate) enum SpoolError {
    /// It cannot be read.
    Read(io::Error),
    /// The file cannot be written.
    Write(ScratchError),
    /// It grows far beyond what it is made of.
    Expands,
}

/// Copies all of `reader` into a new file, and tells its length. Zeros become holes. `consumed` tells how
/// many bytes of the original have been read so far.
pub(crate) fn spool(
    reader: &mut dyn Read,
    scratch: &Scratch,
    consumed: &dyn Fn() -> u64,
) -> Result<(File, u64), SpoolError> {
    let failed = |source| SpoolError::Write(scratch.error(source));
    let mut file = scratch.file().map_err(SpoolError::Write)?;
    let mut buffer = vec![0; HOLE];
    let (mut length, mut written) = (0, 0);
    loop {
        let filled = fill(reader, &mut buffer).map_err(SpoolError::Read)?;
        let bytes = &buffer[..filled];
        if bytes.iter().all(|byte| *byte == 0) {
            let skipped = i64::try_from(filled).unwrap_or_default();
            file.seek(SeekFrom::Current(skipped)).map_err(failed)?;
        } else {
            file.write_all(bytes).map_err(failed)?;
            written += filled as u64;
        }
        length += filled as u64;
        if written > EXPANSION_ALLOWED && written / MOST_EXPANSION > consumed() {
            return Err(SpoolError::Expands);
        }
        if filled < buffer.len() {
            break;
        }
    }
    file.set_len(length).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok((file, length))
}

/// Fills `buffer` as far as there is something to read.
pub(crate) fn fill(reader: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
