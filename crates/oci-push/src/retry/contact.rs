//! When a host that has never answered in this run is taken for none. Who has answered once is given the whole budget.

use std::time::Duration;

use super::{Attempt, Outcome};

/// Tries of a host that has never answered in this run: a typing mistake should not take ten minutes
/// to be told, a short hiccup of the resolver should not end a push.
const TRIES_BEFORE_FIRST_CONTACT: u32 = 4;

/// The time for which connections may be refused, or not come about, by such a host: a registry that is started again
/// listens after a few seconds.
const REFUSALS_BEFORE_FIRST_CONTACT: Duration = Duration::from_secs(15);

/// The longest wait meanwhile.
pub(super) const WAIT_BEFORE_FIRST_CONTACT: Duration = Duration::from_secs(3);

/// The same where connections come about and break: what listens there may speak another language, or stand before a
/// registry that is being started again.
const TIME_BEFORE_FIRST_CONTACT: Duration = Duration::from_mins(1);

/// The same where connections come about and nothing is ever said: four tries of half a minute.
const SILENCE_BEFORE_FIRST_CONTACT: Duration = Duration::from_secs(100);

/// Whether a host that has never answered is taken for none.
pub(super) fn is_no_host(attempt: &Attempt, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Unresolved => attempt.number >= TRIES_BEFORE_FIRST_CONTACT,
        Outcome::Unreachable => {
            attempt.number >= TRIES_BEFORE_FIRST_CONTACT
                && attempt.elapsed >= REFUSALS_BEFORE_FIRST_CONTACT
        }
        // Who begins an answer speaks HTTP, as far as anybody can tell; that has a limit of its own.
        Outcome::Unfinished => false,
        Outcome::Silent => attempt.elapsed >= SILENCE_BEFORE_FIRST_CONTACT,
        _ => attempt.elapsed >= TIME_BEFORE_FIRST_CONTACT,
    }
}
