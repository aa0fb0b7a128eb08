//! How much is under way at a time: small requests, small blobs, large blobs.

use std::sync::Arc;
use std::time::Instant;

use oci_archive::Blob;
use tokio::sync::Semaphore;

use super::{CONTROL_WIDTH, Slots};
use crate::tally::Tally;

/// Below this a blob's requests take longer than its bytes, so that more of them are sent at a time
/// (120 layers of 64 KB at 40 ms: 4.7 s and more one after the other or by fours, 1.4 s by sixteens).
const SMALL: u64 = 1024 * 1024;

/// Small blobs whose bytes are in flight.
const SMALL_SLOTS: usize = 16;

/// Blobs that have not been confirmed, so that a registry that is slow to confirm is not given more and
/// more connections.
const SMALL_UNDER_WAY: usize = 32;
const LARGE_UNDER_WAY: usize = 16;

/// What may be under way at a time.
pub(crate) struct Lanes {
    pub(super) control: Semaphore,
    large: Lane,
    /// `None` if a number was asked for, which holds for all blobs.
    small: Option<Lane>,
}

/// Questions at a time for each blob that was asked to be in flight: whoever wants fewer uploads at a time wants fewer
/// requests.
const QUESTIONS: usize = 4;

/// Blobs of one size.
pub(super) struct Lane {
    /// Blobs whose bytes may be in flight.
    pub(super) slots: Arc<Slots>,
    pub(super) under_way: Semaphore,
}

impl Lanes {
    /// `jobs` blobs at a time; or small ones beside as many large ones as bring something.
    pub(crate) fn new(jobs: Option<usize>, now: Instant, tally: &Arc<Tally>) -> Self {
        let lane = |slots: Slots, under_way: usize| Lane {
            slots: Arc::new(slots),
            under_way: Semaphore::new(under_way),
        };
        let tally = || Arc::clone(tally);
        let Some(jobs) = jobs else {
            return Self {
                control: Semaphore::new(CONTROL_WIDTH),
                large: lane(Slots::adaptive(now, tally()), LARGE_UNDER_WAY),
                small: Some(lane(Slots::fixed(SMALL_SLOTS, tally()), SMALL_UNDER_WAY)),
            };
        };
        Self {
            control: Semaphore::new(CONTROL_WIDTH.min(QUESTIONS * jobs.max(1))),
            large: lane(Slots::fixed(jobs, tally()), LARGE_UNDER_WAY.max(jobs)),
            small: None,
        }
    }

    pub(super) fn of(&self, blob: &Blob) -> &Lane {
        match &self.small {
            Some(small) if blob.descriptor.size < SMALL => small,
            _ => &self.large,
        }
    }
}
