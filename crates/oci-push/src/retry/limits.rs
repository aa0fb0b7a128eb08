//! How limits on requests are waited out, and told.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::policy::SHORTEST_WAIT;

/// Tries for which advice is taken at its word; who goes on like that gives none.
const ADVISED_TRIES: u32 = 25;

/// The wait for GitHub's secondary rate limit where it names none, doubled with each try
/// (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately>).
pub(crate) const SECONDARY_LIMIT: Duration = Duration::from_mins(1);
const LIMITED_TRIES: u32 = 4;

/// Advice below this is told by registries that count requests: it says when the next one is free, not when all that
/// wait are.
const SHORT: Duration = Duration::from_secs(1);

/// What such advice grows to while it does not help, and how often.
const LONGEST_SHORT: Duration = Duration::from_secs(2);
const SHORT_TRIES: u32 = 30;

/// One line says for this long that there is a limit.
const TOLD: Duration = Duration::from_secs(5);

/// Whether `advised` is short.
pub(super) fn is_short(advised: Duration) -> bool {
    advised < SHORT
}

/// The wait after the try of this number, where advice is taken at its word; short advice is doubled each time.
pub(super) fn obeyed_wait(number: u32, advised: Duration) -> Option<Duration> {
    let wait = advised.max(SHORTEST_WAIT);
    if is_short(advised) && number <= SHORT_TRIES {
        let doubled = wait * 2_u32.saturating_pow(number.saturating_sub(1).min(8));
        Some(doubled.min(LONGEST_SHORT))
    } else {
        (number <= ADVISED_TRIES).then_some(wait)
    }
}

/// The least wait after the try of this number that met GitHub's secondary limit, and how many tries there are:
/// advice is obeyed each time, and what gives none, or goes on giving it, is given minutes.
pub(super) fn secondary(number: u32, advised: Option<Duration>) -> (Duration, u32) {
    let obeyed = if advised.is_some() { ADVISED_TRIES } else { 0 };
    let least = match number.checked_sub(obeyed + 1) {
        Some(before) => SECONDARY_LIMIT * 2_u32.saturating_pow(before.min(8)),
        None => Duration::ZERO,
    };
    (least, obeyed + LIMITED_TRIES)
}

/// Says once that there is a limit, however many requests meet it.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    /// Until when what was said holds.
    until: Mutex<Option<Instant>>,
}

impl Teller {
    /// Whether a limit that is waited for from `now` on has to be told.
    pub(crate) fn is_news(&self, wait: Duration, now: Instant) -> bool {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = now.checked_add(wait);
        let covers =
            until.is_some_and(|until| now < until && ends.is_some_and(|ends| ends <= until + TOLD));
        if !covers {
            *until = now.checked_add(wait.max(TOLD));
        }
        !covers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_advice_grows() {
        let milliseconds = |number, advised: f64| {
            obeyed_wait(number, Duration::from_secs_f64(advised)).map(|wait| wait.as_millis())
        };
        for (number, advised, expected) in [
            (1, 0.000_88, Some(100)),
            (2, 0.000_88, Some(200)),
            (5, 0.000_88, Some(1600)),
            (6, 0.000_88, Some(2000)),
            (30, 0.000_88, Some(2000)),
            (31, 0.000_88, None),
            (1, 0.25, Some(250)),
            (4, 0.25, Some(2000)),
            (1, 3.0, Some(3000)),
            (25, 3.0, Some(3000)),
            (26, 3.0, None),
        ] {
            assert_eq!(
                milliseconds(number, advised),
                expected,
                "{number}, {advised}"
            );
        }
    }

    #[test]
    fn advice_of_a_secondary_limit_is_obeyed_each_time() {
        let five = Some(Duration::from_secs(5));
        for (number, advised, minutes, tries) in [
            (1, None, 1, 4),
            (2, None, 2, 4),
            (3, None, 4, 4),
            (1, five, 0, 29),
            (25, five, 0, 29),
            (26, five, 1, 29),
            (27, five, 2, 29),
        ] {
            let expected = (Duration::from_mins(minutes), tries);
            assert_eq!(secondary(number, advised), expected, "{number}");
        }
    }

    #[test]
    fn a_limit_is_told_once() {
        let start = Instant::now();
        let teller = Teller::default();
        for (at, wait, expected) in [
            (0, 100, true),
            (50, 100, false),
            (1000, 2000, false),
            (5100, 2000, true),
            (5200, 60_000, true),
            (30_000, 20_000, false),
            (70_000, 100, true),
        ] {
            let now = start + Duration::from_millis(at);
            let told = teller.is_news(Duration::from_millis(wait), now);
            assert_eq!(told, expected, "at {at}");
        }
    }
}
