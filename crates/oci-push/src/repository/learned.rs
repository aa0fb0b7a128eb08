//! What a registry has taught in this run.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::upload::turns::Economy;

/// What a repository held before the push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Nothing: there was no such repository.
    None,
    /// At least one tag.
    Something,
}

/// What the answers of this run have taught, for all blobs of a repository.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// 0 while no chunk has been refused as too large.
    chunk_limit: AtomicU64,
    body_refused: AtomicBool,
    streams_break: AtomicBool,
    chunks_refused: AtomicBool,
    digests_left_out: AtomicBool,
    /// What is known of the repository's contents before the push.
    contents: Mutex<Option<Contents>>,
    goodput: Mutex<Option<f64>>,
    /// The shortest small request, which is what every request costs.
    overhead: Mutex<Option<Duration>>,
    /// What was sent in vain.
    pub(crate) economy: Economy,
    /// Repositories that nothing can be taken over from.
    unmountable: Mutex<BTreeSet<String>>,
}

/// The next size to try where chunks of `size` bytes are too large, `None` if there is none.
pub(crate) fn smaller_chunk(size: u64) -> Option<u64> {
    const MIB: u64 = 1024 * 1024;
    [16 * MIB, 4 * MIB, 3 * MIB, MIB]
        .into_iter()
        .find(|candidate| *candidate < size)
}

impl Learned {
    /// Bodies of `size` bytes are too large. `false` if there is no smaller size worth trying.
    pub(crate) fn refuse_chunk(&self, size: u64) -> bool {
        if let Some(limit) = smaller_chunk(size) {
            self.limit_chunks(limit);
        }
        // Smaller ones are left to try, whoever found out.
        self.chunk_limit().is_some_and(|limit| limit < size)
    }

    /// No chunk is to be larger than `limit`.
    pub(crate) fn limit_chunks(&self, limit: u64) {
        // Another refusal may have lowered it further meanwhile.
        let lowered = |known| (known == 0 || limit < known).then_some(limit);
        let order = Ordering::Relaxed;
        let _ = self.chunk_limit.fetch_update(order, order, lowered);
    }

    /// The largest chunk that may still be tried.
    pub(crate) fn chunk_limit(&self) -> Option<u64> {
        match self.chunk_limit.load(Ordering::Relaxed) {
            0 => None,
            limit => Some(limit),
        }
    }

    /// Streams have broken off again and again where chunks of the same blob went through.
    pub(crate) fn note_broken_streams(&self) {
        self.streams_break.store(true, Ordering::Relaxed);
    }

    pub(crate) fn streams_break(&self) -> bool {
        self.streams_break.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse_body(&self) {
        self.body_refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn body_refused(&self) -> bool {
        self.body_refused.load(Ordering::Relaxed)
    }

    /// The registry has put chunks together into something else than was sent.
    pub(crate) fn refuse_chunks(&self) {
        self.chunks_refused.store(true, Ordering::Relaxed);
    }

    /// The registry names no digest in the answer about a manifest.
    pub(crate) fn leave_out_digests(&self) {
        self.digests_left_out.store(true, Ordering::Relaxed);
    }

    pub(crate) fn digests_left_out(&self) -> bool {
        self.digests_left_out.load(Ordering::Relaxed)
    }

    pub(crate) fn chunks_refused(&self) -> bool {
        self.chunks_refused.load(Ordering::Relaxed)
    }

    /// The repository has answered what it holds. What was found stays found.
    pub(crate) fn holds(&self, contents: Contents) {
        let mut known = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != Some(Contents::Something) {
            *known = Some(contents);
        }
    }

    /// What the repository held before the push, if it is known.
    pub(crate) fn contents(&self) -> Option<Contents> {
        *self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the time that a small request took into account.
    pub(crate) fn answered_in(&self, duration: Duration) {
        let mut overhead = self.overhead.lock().unwrap_or_else(PoisonError::into_inner);
        *overhead = Some(overhead.map_or(duration, |known| known.min(duration)));
    }

    /// What a request costs beside its body.
    pub(crate) fn overhead(&self) -> Option<Duration> {
        *self.overhead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the rate of a finished upload into account.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits of size"
    )]
    pub(crate) fn measured(&self, bytes: u64, duration: Duration) {
        /// Less than this says more about round trips than about the link.
        const WORTH_MEASURING: u64 = 1024 * 1024;
        let seconds = duration.as_secs_f64();
        if bytes < WORTH_MEASURING || seconds <= 0.0 {
            return;
        }
        let rate = bytes as f64 / seconds;
        let mut goodput = self.goodput.lock().unwrap_or_else(PoisonError::into_inner);
        *goodput = Some(goodput.map_or(rate, |known| known.mul_add(0.7, rate * 0.3)));
    }

    /// Bytes per second of one upload.
    pub(crate) fn goodput(&self) -> Option<f64> {
        *self.goodput.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing can be taken over from `source`.
    pub(crate) fn refuse_mounts(&self, source: &str) {
        let mut unmountable = self
            .unmountable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unmountable.insert(source.to_owned());
    }

    /// Whether blobs of `source` can perhaps be taken over.
    pub(crate) fn may_mount(&self, source: &str) -> bool {
        let unmountable = self
            .unmountable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        !unmountable.contains(source)
    }
}
