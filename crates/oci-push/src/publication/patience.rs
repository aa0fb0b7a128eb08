//! How long what should pass is waited for: by the clock, and by the waits themselves.

use std::time::{Duration, Instant};

use super::Publication;
use crate::clock::Clock;

/// The first wait; each is twice as long as the one before it.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The time that is spent on one matter.
pub(super) struct Patience {
    start: Instant,
    waited: Duration,
    /// Whoever pushes wants no more of it.
    most: Duration,
}

impl Publication<'_> {
    /// Patience that begins now, and is no longer than that with a request.
    pub(super) fn patience(&self) -> Patience {
        Patience {
            start: self.services.clock.now(),
            waited: Duration::ZERO,
            most: self.services.retry.max_time,
        }
    }
}

impl Patience {
    /// What is left of `limit`.
    pub(super) fn left(&self, limit: Duration, clock: &dyn Clock) -> Duration {
        let passed = clock.now().duration_since(self.start).max(self.waited);
        limit.min(self.most).saturating_sub(passed)
    }

    /// The wait after the try of that number, from 1, `None` if `limit` is over. The last one ends with the limit.
    pub(super) fn next(
        &mut self,
        attempt: u32,
        limit: Duration,
        clock: &dyn Clock,
    ) -> Option<Duration> {
        let left = self.left(limit, clock);
        let own = FIRST_WAIT * 2_u32.saturating_pow(attempt.saturating_sub(1).min(16));
        let wait = own.min(LONGEST_WAIT).min(left);
        self.waited += wait;
        (!wait.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn waits_grow_and_end_with_the_limit() {
        for (limit, most, expected) in [
            (60, 600, &[500, 1000, 2000, 4000, 8000, 16000, 28500][..]),
            (60, 5, &[500, 1000, 2000, 1500][..]),
            (
                120,
                600,
                &[500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 28500][..],
            ),
            (60, 0, &[][..]),
        ] {
            let mut patience = Patience {
                start: Instant::now() + Duration::from_mins(1),
                waited: Duration::ZERO,
                most: Duration::from_secs(most),
            };
            let limit = Duration::from_secs(limit);
            let waits: Vec<u128> = (1..)
                .map_while(|attempt| patience.next(attempt, limit, &SystemClock))
                .map(|wait| wait.as_millis())
                .collect();
            assert_eq!(waits, expected);
        }
    }
}
