//! Whether a request is tried again, and after how long: a pure function of the attempt and its outcome.

use std::time::Duration;

use super::contact::{WAIT_BEFORE_FIRST_CONTACT, is_no_host};
use super::{Outcome, limits};
use crate::request::Replay;

/// No wait is shorter, whatever the server advises: ghcr.io advises fractions of a millisecond.
pub(super) const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait for a limit that names none, as none of those can that answer a HEAD: what ghcr.io counts by the
/// minute is free again in seconds. What lasts for more tries, which is some minutes, is another limit, and is waited
/// for like anything else.
const LIMIT_WAIT: Duration = Duration::from_secs(3);
const LIMIT_TRIES: u32 = 60;

/// A 403 without a word is tried again after this long, twice as long, ...
const WORDLESS_WAIT: Duration = Duration::from_secs(2);
const WORDLESS_TRIES: u32 = 4;

/// Tries of an answer that begins and does not end.
const UNFINISHED_TRIES: u32 = 2;

/// Tries of an answer that is no HTTP: whoever sends it will send it again.
const MALFORMED_TRIES: u32 = 3;

/// How long rights to a new package may take to be the same everywhere
/// (<https://github.com/orgs/community/discussions/26274>).
pub(crate) const SETTLING_TIME: Duration = Duration::from_mins(1);
pub(crate) const SETTLING_WAIT: Duration = Duration::from_secs(3);
const SETTLING_TRIES: u32 = 20;

/// How stubborn a push is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Give up after this long without progress.
    pub max_time: Duration,
    /// Give up after this many tries of one request.
    pub max_tries: Option<u32>,
    /// The shortest wait between tries.
    pub first_wait: Duration,
    /// The longest wait between tries that the policy itself chooses.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Ten minutes: outages of ghcr.io longer than 30 seconds and shorter than 7 minutes are on record
    /// (<https://github.com/helixml/helix/pull/2422>).
    fn default() -> Self {
        Self {
            max_time: Duration::from_mins(10),
            max_tries: None,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// What is known of a try when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Whether the transport may repeat the request.
    pub replay: Replay,
    /// The try's number, from 1.
    pub number: u32,
    /// The time since the first try.
    pub elapsed: Duration,
    /// The time since the first try or, if that was later, since anything else succeeded: what outlasts the
    /// budget only while nothing moves.
    pub idle: Duration,
    /// The wait before this try, zero for the first.
    pub waited: Duration,
    /// Whether the host has answered anything in this run.
    pub host_answered: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The outcome stands.
    Settled,
    /// Another try after a wait.
    Retry(Duration),
}

impl RetryPolicy {
    /// Decides whether a request is tried again. `fraction` is a random number in `0.0..1.0`.
    #[must_use]
    pub fn decide(&self, attempt: &Attempt, outcome: Outcome, fraction: f64) -> Verdict {
        let first = attempt.number.saturating_sub(1);
        let (least, advised, tries) = match outcome {
            Outcome::Answered { status, advised } if is_transient(status) => {
                (Duration::ZERO, advised, u32::MAX)
            }
            Outcome::Unanswered | Outcome::Silent | Outcome::Unreachable | Outcome::Unresolved => {
                (Duration::ZERO, None, u32::MAX)
            }
            Outcome::Malformed => (Duration::ZERO, None, MALFORMED_TRIES),
            Outcome::Limited { advised } => {
                let (least, tries) = limits::secondary(attempt.number, advised);
                (least, advised, tries)
            }
            Outcome::Unfinished => (Duration::ZERO, None, UNFINISHED_TRIES),
            Outcome::Wordless => (WORDLESS_WAIT * (first + 1), None, WORDLESS_TRIES),
            Outcome::Unsettled if attempt.elapsed < SETTLING_TIME => {
                (SETTLING_WAIT, None, SETTLING_TRIES)
            }
            Outcome::Answered { .. } | Outcome::Unsettled | Outcome::Final => {
                return Verdict::Settled;
            }
        };
        let exhausted = attempt.replay == Replay::Never
            || attempt.number >= tries
            || self.max_tries.is_some_and(|tries| attempt.number >= tries)
            || (!attempt.host_answered && is_no_host(attempt, outcome));
        let obeyed = advised.and_then(|advised| limits::obeyed_wait(attempt.number, advised));
        let wait = match obeyed {
            Some(wait) => wait + self.first_wait.mul_f64(fraction),
            None => self.wait(attempt.waited, advised, fraction),
        };
        let longest = match outcome {
            Outcome::Answered {
                status: 429,
                advised: None,
            } if attempt.number <= LIMIT_TRIES => LIMIT_WAIT,
            Outcome::Unreachable if !attempt.host_answered => WAIT_BEFORE_FIRST_CONTACT,
            _ => Duration::MAX,
        };
        let wait = wait.min(longest).max(least);
        if exhausted || attempt.idle.saturating_add(wait) > self.max_time {
            Verdict::Settled
        } else {
            Verdict::Retry(wait)
        }
    }

    /// The wait after one of `previous`: decorrelated jitter between the first wait and three times the
    /// previous one, and never less than the server advises.
    #[must_use]
    pub fn wait(&self, previous: Duration, advised: Option<Duration>, fraction: f64) -> Duration {
        let upper = (previous * 3).max(self.first_wait * 2);
        let spread = upper.saturating_sub(self.first_wait).mul_f64(fraction);
        let own = (self.first_wait + spread).min(self.longest_wait);
        advised
            .map_or(own, |advised| own.max(advised))
            .max(SHORTEST_WAIT.min(self.longest_wait))
    }
}

/// Whether a status says "not now" rather than "no". 501 and 505 will not change; 520 to 524 come from
/// a proxy whose server did not answer it.
#[must_use]
pub fn is_transient(status: u16) -> bool {
    matches!(
        status,
        408 | 425 | 429 | 499 | 500 | 502 | 503 | 504 | 520..=524
    )
}

/// Whether a transient status is the whole registry's: 500 is a fault in this very request, and another one may be
/// answered.
pub(crate) fn is_outage(status: u16) -> bool {
    is_transient(status) && status != 500
}
