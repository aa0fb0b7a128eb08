//! One gate for each host: when a registry says "not so fast", everybody waits, not only whoever was told.
//! Otherwise sixteen requests that were refused at once would come back at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Outcome;
use super::limits::is_short;
use crate::clock::Clock;

/// Requests in flight to one host that has not complained.
const WIDEST: usize = 64;

/// Requests in flight to a host that has.
const NARROWEST: usize = 4;

/// Failures in a row after which a host is taken to be down.
const DOWN_AFTER: u32 = 6;

/// Good answers in a row that widen the gate again, by one.
const WIDENED_AFTER: u32 = 8;

/// How long a host that has complained is left alone with as few: ghcr.io counts by the minute
/// (`allowed: 2000/minute`).
const CALM: Duration = Duration::from_mins(1);

/// Lets requests to one host through.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    width: usize,
    in_flight: usize,
    good: u32,
    /// Failures in a row.
    failed: u32,
    /// Until when nobody passes.
    closed_until: Option<Instant>,
    /// Until when the gate is not widened.
    narrow_until: Option<Instant>,
    /// The short wait that the host has asked for in words.
    told: Option<Duration>,
}

/// The permission to have one request in flight, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Pass<'a>(&'a Gate);

impl Default for Gate {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                width: WIDEST,
                in_flight: 0,
                good: 0,
                failed: 0,
                closed_until: None,
                narrow_until: None,
                told: None,
            }),
            changed: Notify::new(),
        }
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may go.
    pub(super) async fn enter(&self, clock: &dyn Clock) -> Pass<'_> {
        let mut waited_until = None;
        loop {
            let changed = self.changed.notified();
            let closed_until = {
                let mut state = self.state();
                let until = state.closed_until.filter(|until| {
                    // What was waited for is over, whatever the clock says.
                    waited_until.is_none_or(|waited| *until > waited) && *until > clock.now()
                });
                if until.is_none() && state.in_flight < state.width {
                    state.in_flight += 1;
                    return Pass(self);
                }
                until
            };
            match closed_until {
                Some(until) => {
                    clock
                        .sleep(until.saturating_duration_since(clock.now()))
                        .await;
                    waited_until = Some(until);
                }
                None => changed.await,
            }
        }
    }

    /// The outcome with the advice that the host gave when it had words: an answer to a HEAD has none.
    pub(super) fn advised(&self, outcome: Outcome) -> Outcome {
        let mut state = self.state();
        match outcome {
            Outcome::Answered {
                status: 429,
                advised: Some(advised),
            } => {
                state.told = Some(advised).filter(|advised| is_short(*advised));
                outcome
            }
            Outcome::Answered {
                status: 429,
                advised: None,
            } => Outcome::Answered {
                status: 429,
                advised: state.told,
            },
            other => other,
        }
    }

    /// Closes the gate for `wait`, and narrows it for what follows.
    pub(super) fn close(&self, wait: Duration, now: Instant) {
        let mut state = self.state();
        state.width = NARROWEST;
        state.good = 0;
        // A wait that no clock can hold is bounded by the budget elsewhere.
        let until = now.checked_add(wait);
        state.closed_until = state.closed_until.max(until);
        state.narrow_until = now.checked_add(wait.saturating_add(CALM));
    }

    /// Takes note of a failure that passes. After some in a row the host is taken to be down: one request at a
    /// time finds out whether it is back, instead of one for every blob.
    pub(super) fn trouble(&self, wait: Duration, now: Instant) {
        let mut state = self.state();
        state.good = 0;
        state.failed += 1;
        if state.failed >= DOWN_AFTER {
            state.width = 1;
            let until = now.checked_add(wait);
            state.closed_until = state.closed_until.max(until);
        }
    }

    /// Takes note of a good answer.
    pub(super) fn widen(&self, now: Instant) {
        let mut state = self.state();
        if std::mem::take(&mut state.failed) >= DOWN_AFTER {
            state.width = state.width.max(NARROWEST);
            self.changed.notify_waiters();
        }
        if state.narrow_until.is_some_and(|until| now < until) {
            return;
        }
        state.good += 1;
        if state.good >= WIDENED_AFTER && state.width < WIDEST {
            state.good = 0;
            state.width += 1;
            self.changed.notify_one();
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
        self.0.changed.notify_one();
    }
}
