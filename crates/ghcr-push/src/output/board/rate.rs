//! How fast bytes go, without the jumps of single moments.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Shorter spans say more about buffers than about the link.
const SPAN: Duration = Duration::from_millis(250);

/// What is older than this does not count. At the beginning the kernel takes megabytes at once, which is soon
/// forgotten this way.
const WINDOW: Duration = Duration::from_secs(5);

/// A forecast from less is a guess.
const FORECAST_AFTER: Duration = Duration::from_secs(1);

/// Bytes a second, over the last few seconds.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// How many bytes there were in all.
    last: u64,
    /// How many have gone at which times, the oldest first. What is sent again counts again.
    samples: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Takes note of how many bytes there are in all.
    pub(super) fn note(&mut self, bytes: u64, now: Instant) {
        let Some(&(then, gone)) = self.samples.back() else {
            self.last = bytes;
            self.samples.push_back((now, 0));
            return;
        };
        if now.duration_since(then) < SPAN {
            return;
        }
        // What is sent again has gone back, and says nothing about the link. Nor does a time before the first byte.
        let more = bytes.saturating_sub(self.last);
        self.last = bytes;
        if gone == 0 && more == 0 {
            self.samples.clear();
        }
        self.samples.push_back((now, gone + more));
        while self
            .samples
            .get(1)
            .is_some_and(|(time, _)| now.duration_since(*time) >= WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Bytes a second, if any have gone.
    pub(super) fn per_second(&self) -> Option<u64> {
        let (gone, span) = self.measured()?;
        let rate = u128::from(gone) * 1000 / span.as_millis().max(1);
        Some(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// The same, if it has been measured for long enough to tell what comes.
    pub(super) fn forecast(&self) -> Option<u64> {
        let (_, span) = self.measured()?;
        self.per_second().filter(|_| span >= FORECAST_AFTER)
    }

    fn measured(&self) -> Option<(u64, Duration)> {
        let (start, before) = self.samples.front()?;
        let (end, after) = self.samples.back()?;
        (*after > 0).then(|| (after - before, end.duration_since(*start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(notes: &[(u64, u64)]) -> Rate {
        let start = Instant::now();
        let mut rate = Rate::default();
        for (millis, bytes) in notes {
            rate.note(*bytes, start + Duration::from_millis(*millis));
        }
        rate
    }

    #[test]
    fn rates() {
        for (notes, expected) in [
            (&[][..], None),
            (&[(0, 0), (1000, 0)], None),
            (&[(0, 0), (100, 500)], None),
            (&[(0, 0), (1000, 500)], Some(500)),
            (&[(0, 0), (1000, 500), (2000, 1000)], Some(500)),
            // Nothing before the first byte counts.
            (&[(0, 0), (4000, 0), (5000, 500)], Some(500)),
            // Sent again from the start.
            (&[(0, 0), (1000, 500), (2000, 0), (3000, 500)], Some(333)),
            // It stands still.
            (&[(0, 0), (1000, 500), (2000, 500)], Some(250)),
            (
                &[(0, 0), (1000, 500), (4000, 500), (6000, 500), (7000, 500)],
                Some(0),
            ),
        ] {
            assert_eq!(after(notes).per_second(), expected, "{notes:?}");
        }
        // Four megabytes at once, and then one each second.
        let notes: Vec<(u64, u64)> = (0..=8)
            .map(|second| (1000 * second, 4 * second.min(1) + second))
            .collect();
        assert_eq!(after(&notes[..=8]).per_second(), Some(1));
        assert_eq!(after(&notes[..3]).per_second(), Some(3));
    }

    #[test]
    fn forecasts() {
        for (notes, expected) in [
            (&[(0, 0), (500, 250)][..], None),
            (&[(0, 0), (500, 250), (1000, 500)], Some(500)),
        ] {
            assert_eq!(after(notes).forecast(), expected, "{notes:?}");
        }
    }
}
