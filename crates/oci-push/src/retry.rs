//! When a request is sent again, and after how long.
//!
//! The decision is a pure function of the attempt and its outcome ([`RetryPolicy::decide`]); the
//! transport around it only waits and counts. There is one retry layer: what the upload state machine
//! recovers from (a broken chunk, an unanswered commit) is marked [`Replay::Never`] and passes through
//! untouched, so that tries are never multiplied by tries.

mod advice;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::failure::{Failure, UnansweredKind};
use crate::observer::{Event, Observer};
use crate::request::{Replay, Request, Response, Transport};
use crate::tally::Tally;

pub(crate) use advice::advised_wait;

/// Tries of a host that has never answered in this run: a typing mistake should not take ten minutes
/// to be told, a short hiccup of the resolver should not end a push.
const TRIES_BEFORE_FIRST_CONTACT: u32 = 4;

/// No wait is shorter, whatever the server advises: ghcr.io advises fractions of a millisecond.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

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
    /// The wait before this try, zero for the first.
    pub waited: Duration,
    /// Whether the host has answered anything in this run.
    pub host_answered: bool,
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered {
        /// Its status.
        status: u16,
        /// The wait that it asks for.
        advised: Option<Duration>,
    },
    /// Without one, in a way that may pass.
    Unanswered,
    /// In a way that no repetition changes (an untrusted certificate, a damaged archive).
    Final,
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
        let advised = match outcome {
            Outcome::Answered { status, advised } if is_transient(status) => advised,
            Outcome::Unanswered => None,
            Outcome::Answered { .. } | Outcome::Final => return Verdict::Settled,
        };
        let exhausted = attempt.replay == Replay::Never
            || self.max_tries.is_some_and(|tries| attempt.number >= tries)
            || (!attempt.host_answered && attempt.number >= TRIES_BEFORE_FIRST_CONTACT);
        let wait = self.wait(attempt.waited, advised, fraction);
        if exhausted || attempt.elapsed + wait > self.max_time {
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

/// Repeats requests that may be repeated.
pub struct RetryTransport<T> {
    inner: T,
    policy: RetryPolicy,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    tally: Arc<Tally>,
    host_answered: AtomicBool,
}

impl<T: Transport> RetryTransport<T> {
    /// Wraps `inner`.
    pub fn new(
        inner: T,
        policy: RetryPolicy,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            inner,
            policy,
            clock,
            observer,
            tally,
            host_answered: AtomicBool::new(false),
        }
    }

    async fn until_settled(&self, request: &Request) -> Result<Response, Failure> {
        let start = self.clock.now();
        let mut attempt = Attempt {
            replay: request.replay,
            number: 1,
            elapsed: Duration::ZERO,
            waited: Duration::ZERO,
            host_answered: false,
        };
        loop {
            let result = self.inner.send(request).await;
            if result.is_ok() {
                self.host_answered.store(true, Ordering::Relaxed);
            }
            attempt.elapsed = self.clock.now().duration_since(start);
            attempt.host_answered = self.host_answered.load(Ordering::Relaxed);
            let verdict = self
                .policy
                .decide(&attempt, outcome(&result), self.clock.fraction());
            let Verdict::Retry(wait) = verdict else {
                return result;
            };
            self.tally.count_retry();
            self.observer.observe(&Event::Retrying {
                step: request.step,
                digest: None,
                cause: &cause(&result),
                wait,
                attempt: attempt.number,
            });
            self.clock.sleep(wait).await;
            attempt.number += 1;
            attempt.waited = wait;
        }
    }
}

impl<T: Transport> Transport for RetryTransport<T> {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(self.until_settled(request))
    }
}

/// How a try ended, for the policy.
fn outcome(result: &Result<Response, Failure>) -> Outcome {
    match result {
        Ok(response) => Outcome::Answered {
            status: response.status.as_u16(),
            advised: advised_wait(response),
        },
        Err(Failure::Unanswered(unanswered)) => match unanswered.kind {
            UnansweredKind::Certificate(_) => Outcome::Final,
            _ => Outcome::Unanswered,
        },
        Err(_) => Outcome::Final,
    }
}

fn cause(result: &Result<Response, Failure>) -> String {
    match result {
        Ok(response) => format!("the registry answered {}", response.status),
        Err(Failure::Unanswered(unanswered)) => unanswered.kind.to_string(),
        Err(failure) => failure.to_string(),
    }
}

#[cfg(test)]
mod tests;
