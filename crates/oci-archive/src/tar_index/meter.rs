//! A reader that knows where the headers end: it notes how far the `tar` crate has come, and stops it
//! from reading more than a header may hold.
//!
//! The crate keeps long names and PAX records in memory, however long they say they are
//! (<https://docs.rs/tar/0.4.46/src/tar/entry.rs.html>), and takes a file that ends in the wrong place for
//! one that ends in the right one.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};

/// One entry's header with its long name and PAX records. Names are a few hundred bytes; macOS adds
/// extended attributes, a few `KiB` each.
pub(super) const HEADER_LIMIT: u64 = 1024 * 1024;

/// What a [`HeaderReader`] has noted.
#[derive(Debug, Default)]
pub(super) struct Meter {
    position: Cell<u64>,
    since_entry: Cell<u64>,
    ended: Cell<bool>,
}

impl Meter {
    /// A new entry begins.
    pub(super) fn next_entry(&self) {
        self.since_entry.set(0);
    }

    /// Where the next byte would be read.
    pub(super) fn position(&self) -> u64 {
        self.position.get()
    }

    /// Whether a read has met the end of the file.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Whether more was asked for than a header may hold.
    pub(super) fn is_exhausted(&self) -> bool {
        self.since_entry.get() >= HEADER_LIMIT
    }
}

/// Reads `inner` and tells a [`Meter`].
pub(super) struct HeaderReader<'a, R> {
    pub(super) inner: R,
    pub(super) meter: &'a Meter,
}

impl<R: Read> Read for HeaderReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let allowed = HEADER_LIMIT.saturating_sub(self.meter.since_entry.get());
        if allowed == 0 {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "a header and its extensions are larger than 1 MiB",
            ));
        }
        let wanted = usize::try_from(allowed)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.inner.read(&mut buffer[..wanted])?;
        let meter = self.meter;
        meter.position.set(meter.position.get() + read as u64);
        meter.since_entry.set(meter.since_entry.get() + read as u64);
        if read == 0 {
            meter.ended.set(true);
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for HeaderReader<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = self.inner.seek(to)?;
        self.meter.position.set(position);
        Ok(position)
    }
}
