//! Readers that tell what passes through them.

use std::cell::Cell;
use std::io::{self, Read};

use crate::digest::Hasher;

/// Tells how far reading has come.
pub(super) struct Watched<'a, R> {
    inner: R,
    read: &'a Cell<u64>,
    on_progress: &'a dyn Fn(u64) -> bool,
}

impl<'a, R> Watched<'a, R> {
    /// `read` takes the number of bytes read so far.
    pub(super) fn new(inner: R, read: &'a Cell<u64>, on_progress: &'a dyn Fn(u64) -> bool) -> Self {
        Self {
            inner,
            read,
            on_progress,
        }
    }
}

/// What a reader fails with whose progress nobody waits for any more.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
pub(super) struct Cancelled;

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        if (self.on_progress)(self.read.get()) {
            Ok(count)
        } else {
            Err(io::Error::other(Cancelled))
        }
    }
}

/// Hashes what is read.
pub(super) struct Hashing<R> {
    pub(super) inner: R,
    pub(super) hasher: Hasher,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}
