//! Scratch space: nameless files that vanish with the process, however it ends.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::source::BlobSource;

/// Zeros of this many bytes at a time are left out, as a hole.
const HOLE: usize = 64 * 1024;

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

/// Files that take many things, each in one piece. There are never more of them than things were written
/// at a time: a file for each would be more than a process may open.
#[derive(Debug)]
pub(crate) struct Volumes {
    scratch: Scratch,
    /// Files that nobody writes to, and where their content ends.
    idle: Mutex<Vec<(Arc<File>, u64)>>,
}

impl Volumes {
    pub(crate) fn new(scratch: Scratch) -> Self {
        Self {
            scratch,
            idle: Mutex::default(),
        }
    }

    /// Begins something new at the end of some file.
    pub(crate) fn begin(&self) -> Result<Piece<'_>, ScratchError> {
        let idle = self.idle().pop();
        let (file, start) = match idle {
            Some(idle) => idle,
            None => (Arc::new(self.scratch.file()?), 0),
        };
        Ok(Piece {
            volumes: self,
            file,
            start,
            end: start,
            is_finished: false,
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Arc<File>, u64)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is being written.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    volumes: &'a Volumes,
    file: Arc<File>,
    start: u64,
    end: u64,
    is_finished: bool,
}

impl Piece<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), ScratchError> {
        let written = write_all_at(&self.file, bytes, self.end);
        written.map_err(|error| self.volumes.scratch.error(error))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// What was written.
    pub(crate) fn finish(mut self) -> BlobSource {
        self.is_finished = true;
        let directory = self.volumes.scratch.directory();
        let length = self.end - self.start;
        BlobSource::from_file_range(Arc::clone(&self.file), directory, self.start, length)
    }
}

impl Drop for Piece<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.end = self.start;
            // Room that is not given back now is so with the file.
            let _ = self.file.set_len(self.start);
        }
        let file = Arc::clone(&self.file);
        self.volumes.idle().push((file, self.end));
    }
}

fn write_all_at(file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        match write_at(file, &bytes[written..], position + written as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, position)
}

#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, position)
}

/// Why something could not be copied into scratch space.
#[derive(Debug)]
pub(crate) enum SpoolError {
    /// It cannot be read.
    Read(io::Error),
    /// The file cannot be written.
    Write(ScratchError),
}

/// Copies all of `reader` into a new file, and tells its length. Zeros become holes.
pub(crate) fn spool(reader: &mut dyn Read, scratch: &Scratch) -> Result<(File, u64), SpoolError> {
    let failed = |source| SpoolError::Write(scratch.error(source));
    let mut file = scratch.file().map_err(SpoolError::Write)?;
    let zeros = vec![0; HOLE];
    let mut buffer = vec![0; HOLE];
    let mut length = 0;
    loop {
        let filled = fill(reader, &mut buffer).map_err(SpoolError::Read)?;
        let bytes = &buffer[..filled];
        // Compared as a whole, which is faster than looking at each byte.
        if *bytes == zeros[..filled] {
            let skipped = i64::try_from(filled).unwrap_or_default();
            file.seek(SeekFrom::Current(skipped)).map_err(failed)?;
        } else {
            file.write_all(bytes).map_err(failed)?;
        }
        length += filled as u64;
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
