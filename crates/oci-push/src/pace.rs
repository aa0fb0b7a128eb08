//! A limit on the bytes a second that all uploads of a push take together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets bytes through at a rate. Bodies that wait are served in the order in which they came.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes a second.
    rate: u64,
    /// When the next byte may go.
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most `rate` bytes a second.
    pub(crate) fn new(rate: u64) -> Self {
        Self {
            rate: rate.max(1),
            free_at: Mutex::default(),
        }
    }

    /// How many bytes to hand over at a time: a tenth of a second's worth, so that a body that waits for
    /// its turn is not taken for one that stalls.
    pub(crate) fn frame(&self) -> usize {
        usize::try_from(self.rate / 10).unwrap_or(usize::MAX).max(1)
    }

    /// Reserves the next `bytes`, and tells when they may go.
    pub(crate) fn reserve(&self, bytes: u64, now: Instant) -> Instant {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        // What was not used while nothing was sent is lost, or it would come as a burst.
        let at = free_at.map_or(now, |at| at.max(now));
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate);
        let taken = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        // Beyond what a clock can hold nothing is waited for.
        *free_at = at.checked_add(taken);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_at_the_rate() {
        let pace = Pace::new(1000);
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for (bytes, now, expected) in [
            (100, 0, 0),
            (100, 0, 100),
            (500, 50, 200),
            (100, 700, 700),
            // Half a second of silence is no credit.
            (100, 1300, 1300),
            (100, 1300, 1400),
        ] {
            assert_eq!(
                pace.reserve(bytes, at(now)),
                at(expected),
                "{bytes} at {now}"
            );
        }
    }

    #[test]
    fn frames() {
        for (rate, frame) in [(1, 1), (9, 1), (1000, 100), (10_000_000, 1_000_000)] {
            assert_eq!(Pace::new(rate).frame(), frame);
        }
    }
}
