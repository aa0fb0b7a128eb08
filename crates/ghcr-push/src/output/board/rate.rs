//! How fast bytes go, without the jumps of single moments.

use std::time::{Duration, Instant};

/// Shorter spans say more about buffers than about the link.
const SPAN: Duration = Duration::from_millis(250);

/// What is older than this hardly counts.
const MEMORY: f64 = 4.0;

/// Bytes a second, smoothed.
#[derive(Debug, Default)]
pub(super) struct Rate {
    last: Option<(Instant, u64)>,
    smooth: Option<f64>,
}

impl Rate {
    /// Takes note of how many bytes there are in all.
    pub(super) fn note(&mut self, bytes: u64, now: Instant) {
        let Some((then, before)) = self.last else {
            self.last = Some((now, bytes));
            return;
        };
        let span = now.duration_since(then);
        if span < SPAN {
            return;
        }
        self.last = Some((now, bytes));
        // What is sent again has gone back, and says nothing about the link. Nor does a time before the first byte.
        let Some(more) = bytes.checked_sub(before) else {
            return;
        };
        if self.smooth.is_none() && more == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let rate = more as f64 / span.as_secs_f64();
        let weight = 1.0 - (-span.as_secs_f64() / MEMORY).exp();
        let smooth = self.smooth.unwrap_or(rate);
        self.smooth = Some(smooth + (rate - smooth) * weight);
    }

    /// Bytes a second, if any have gone.
    pub(super) fn per_second(&self) -> Option<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is no negative number, and three digits are shown"
        )]
        self.smooth.map(|rate| rate as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate_after(notes: &[(u64, u64)]) -> Option<u64> {
        let start = Instant::now();
        let mut rate = Rate::default();
        for (millis, bytes) in notes {
            rate.note(*bytes, start + Duration::from_millis(*millis));
        }
        rate.per_second()
    }

    #[test]
    fn rates() {
        for (notes, expected) in [
            (&[][..], None),
            (&[(0, 0), (1000, 0)], None),
            (&[(0, 0), (100, 500)], None),
            (&[(0, 0), (1000, 500)], Some(500)),
            (&[(0, 0), (1000, 500), (2000, 1000)], Some(500)),
            // Sent again from the start.
            (&[(0, 0), (1000, 500), (2000, 0)], Some(500)),
            (&[(0, 0), (1000, 500), (2000, 0), (3000, 500)], Some(500)),
        ] {
            assert_eq!(rate_after(notes), expected, "{notes:?}");
        }
        let slowed = rate_after(&[(0, 0), (1000, 1000), (2000, 1000)]).expect("some");
        assert!((700..900).contains(&slowed), "{slowed}");
    }
}
