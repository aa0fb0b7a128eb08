//! How much decoders may make of little. A few bytes can stand for any number of zeros, and some formats
//! can repeat anything: what claims to be an image must end, and must not fill the disk, in bounded time.
//!
//! What real images decode to is not near these bounds. Compressed data may expand 200 times without
//! being counted, and beyond that by as many bytes as no image has that is so repetitive.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

const GIB: u64 = 1024 * 1024 * 1024;

/// How many times larger than its compressed form data may be without being counted as excess. Tar files
/// of real images reach 10, of nothing but text 60.
const UNCOUNTED: u64 = 200;

/// The excess that is decoded, zeros included, although they take no room in scratch space. It is more than
/// the 10 GB of the largest layer that ghcr.io takes
/// (<https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry>),
/// and takes the slowest decoder, of xz, about a minute.
const MOST_EXCESS: u64 = 16 * GIB;

/// The same of all layers of an image together, which are decoded side by side.
const MOST_EXCESS_OF_LAYERS: u64 = 32 * GIB;

/// What is decoded or copied at all. A stream of zeros would go on forever otherwise.
const MOST: u64 = 512 * GIB;

/// What compressed data has become when it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Expansion {
    /// Bytes that were read.
    pub consumed: u64,
    /// Bytes that were made of them.
    pub decoded: u64,
    /// The limit that was met, in bytes: to what there may be beyond 200 times what was read, of all that is
    /// read together; or to what may be read at all.
    pub limit: u64,
}

impl fmt::Display for Expansion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (decoded, limit) = (quantity(self.decoded), quantity(self.limit));
        if excess(self.decoded, self.consumed) == 0 {
            return write!(
                formatter,
                "{decoded} were read so far, and {limit} is the limit"
            );
        }
        write!(
            formatter,
            "{} have become {decoded} so far, and what is more than {UNCOUNTED} times as large is limited to \
             {limit} in all",
            quantity(self.consumed)
        )
    }
}

/// A size as people say it.
fn quantity(bytes: u64) -> String {
    let units = [(GIB, "GiB"), (1024 * 1024, "MiB"), (1024, "KiB")];
    let unit = units.iter().find(|(size, _)| bytes >= *size);
    match unit {
        Some((size, name)) => format!("{} {name}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

/// The bytes that `decoded` has beyond what `consumed` may become.
fn excess(decoded: u64, consumed: u64) -> u64 {
    decoded.saturating_sub(consumed.saturating_mul(UNCOUNTED))
}

/// What several decoders may make together.
#[derive(Debug)]
pub(crate) struct Allowance {
    most_excess: u64,
    most: u64,
    /// The excess of all.
    used: AtomicU64,
}

impl Allowance {
    pub(crate) fn of_archive() -> Self {
        Self::new(MOST_EXCESS, MOST)
    }

    pub(crate) fn of_layers() -> Self {
        Self::new(MOST_EXCESS_OF_LAYERS, MOST)
    }

    pub(crate) fn new(most_excess: u64, most: u64) -> Self {
        Self {
            most_excess,
            most,
            used: AtomicU64::new(0),
        }
    }
}

/// Reads what a decoder yields, as long as its [`Allowance`] lasts. Reading then fails with an
/// [`Expansion`].
pub(crate) struct Bounded<'a, R> {
    decoder: R,
    /// What the decoder has read so far.
    consumed: &'a Cell<u64>,
    decoded: u64,
    excess: u64,
    allowance: &'a Allowance,
}

impl<'a, R> Bounded<'a, R> {
    pub(crate) fn new(decoder: R, consumed: &'a Cell<u64>, allowance: &'a Allowance) -> Self {
        Self {
            decoder,
            consumed,
            decoded: 0,
            excess: 0,
            allowance,
        }
    }

    fn check(&mut self) -> Result<(), Expansion> {
        let consumed = self.consumed.get();
        // It shrinks when more is read; what was counted stays, which is little.
        let excess = excess(self.decoded, consumed).max(self.excess);
        let more = excess - self.excess;
        self.excess = excess;
        let used = self.allowance.used.fetch_add(more, Ordering::Relaxed) + more;
        let (most, most_excess) = (self.allowance.most, self.allowance.most_excess);
        let limit = match (used > most_excess, self.decoded > most) {
            (true, _) => most_excess,
            (_, true) => most,
            (false, false) => return Ok(()),
        };
        Err(Expansion {
            consumed,
            decoded: self.decoded,
            limit,
        })
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        self.decoded += count as u64;
        self.check()
            .map_err(|expansion| io::Error::new(io::ErrorKind::InvalidData, expansion))?;
        Ok(count)
    }
}

/// What made reading fail, if it was an [`Allowance`] that ended.
pub(crate) fn of_error(error: &io::Error) -> Option<Expansion> {
    error.get_ref()?.downcast_ref().copied()
}

/// Counts what is read.
pub(crate) struct Counted<'a, R> {
    inner: R,
    count: &'a Cell<u64>,
}

impl<'a, R> Counted<'a, R> {
    pub(crate) fn new(inner: R, count: &'a Cell<u64>) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
