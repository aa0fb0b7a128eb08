//! When a request is sent again, and after how long.
//!
//! The decision is a pure function of the attempt and its outcome ([`RetryPolicy::decide`]); the
//! transport around it only waits and counts. There is one retry layer: what the upload state machine
//! recovers from (a broken chunk, an unanswered commit) is marked [`Replay::Never`] and passes through
//! untouched, so that tries are never multiplied by tries.

mod advice;
mod cause;
mod contact;
mod gate;
mod limits;
mod outcome;
mod packages;
mod rate;
mod settlement;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use url::Url;

use crate::clock::Clock;
use crate::failure::Failure;
use crate::observer::{Event, Observer};
use crate::request::{Replay, Request, Response, Transport};
use crate::tally::Tally;

pub(crate) use advice::advised_wait;
use cause::cause;
pub(crate) use cause::cause_of;
use contact::is_no_host;
use gate::Gate;
pub(crate) use limits::Teller;
pub use outcome::Outcome;
pub(crate) use packages::Packages;
use rate::Allowances;
pub(crate) use rate::{Rate, Rates};

/// No wait is shorter, whatever the server advises: ghcr.io advises fractions of a millisecond.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// 500 is a fault of the server in this very request rather than an outage: one that stays for longer stays.
const FAULT_TIME: Duration = Duration::from_secs(75);

/// The longest wait for a limit that names none, as none of those can that answer a HEAD: what ghcr.io counts by the
/// minute is free again in seconds.
const LIMIT_WAIT: Duration = Duration::from_secs(3);

/// Tries for which advice is taken at its word; who goes on like that gives none.
const ADVISED_TRIES: u32 = 25;

/// Bodies from this size on take their time.
const LARGE_BODY: u64 = 1024 * 1024;

/// The wait for GitHub's secondary rate limit where it names none, doubled with each try
/// (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately>).
const SECONDARY_LIMIT: Duration = Duration::from_mins(1);
const LIMITED_TRIES: u32 = 4;

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
            Outcome::Answered {
                status: 500,
                advised,
            } if attempt.elapsed < FAULT_TIME => (Duration::ZERO, advised, u32::MAX),
            Outcome::Answered { status: 500, .. } => return Verdict::Settled,
            Outcome::Answered { status, advised } if is_transient(status) => {
                (Duration::ZERO, advised, u32::MAX)
            }
            Outcome::Unanswered | Outcome::Silent | Outcome::Unreachable => {
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
        let obeyed = advised.and_then(|advised| limits::advised_wait(attempt.number, advised));
        let wait = match obeyed {
            Some(wait) => wait + self.first_wait.mul_f64(fraction),
            None => self.wait(attempt.waited, advised, fraction),
        };
        let longest = match outcome {
            Outcome::Answered {
                status: 429,
                advised: None,
            } => LIMIT_WAIT,
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

/// Repeats requests that may be repeated.
pub struct RetryTransport<T> {
    inner: T,
    policy: RetryPolicy,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    tally: Arc<Tally>,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
    allowances: Allowances,
    progress: Mutex<Progress>,
    packages: Arc<Packages>,
    teller: Arc<Teller>,
}

/// What has succeeded in this run.
#[derive(Default)]
struct Progress {
    last: Option<Instant>,
    /// The hosts that have answered anything.
    answered: HashSet<String>,
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
            gates: Mutex::default(),
            allowances: Allowances::default(),
            progress: Mutex::default(),
            packages: Arc::default(),
            teller: Arc::default(),
        }
    }

    /// Holds what is sent to `registry` to rates, over the whole run.
    pub(crate) fn hold_to(&self, registry: &Url, rates: Rates) {
        self.allowances.hold(registry, rates);
    }

    async fn await_turn(&self, request: &Request) {
        let wait = self.allowances.take(request, self.clock.now());
        if !wait.is_zero() {
            let milliseconds = wait.as_millis();
            tracing::debug!(step = %request.step, milliseconds, "waiting, to stay below the registry's limit on requests");
            self.clock.sleep(wait).await;
        }
    }

    /// What is known of the packages that requests go to.
    pub(crate) fn packages(&self) -> Arc<Packages> {
        Arc::clone(&self.packages)
    }

    /// Who tells limits.
    pub(crate) fn teller(&self) -> Arc<Teller> {
        Arc::clone(&self.teller)
    }

    async fn until_settled(&self, request: &Request) -> Result<Response, Failure> {
        let start = self.clock.now();
        let gate = self.gate(request);
        let mut attempt = Attempt {
            replay: request.replay,
            number: 1,
            elapsed: Duration::ZERO,
            idle: Duration::ZERO,
            waited: Duration::ZERO,
            host_answered: false,
        };
        loop {
            self.await_turn(request).await;
            let pass = gate.enter(&*self.clock).await;
            // Large bodies are counted by whoever sends them; they would keep small requests waiting.
            let pass = Some(pass).filter(|_| request.body.len() < LARGE_BODY);
            let opening = self.packages.opens(request);
            let untouched = self.packages.is_untouched(&request.url);
            let result = self.inner.send(request).await;
            drop(pass);
            self.note(request, &result, untouched, self.clock.now());
            let opens = opening.is_some();
            drop(opening);
            let url = &request.url;
            let is_new = if opens && result.as_ref().is_ok_and(is_refusal) {
                self.packages.is_new_after_all(url).await
            } else {
                self.packages.is_new(url)
            };
            let outcome = gate.advised(Outcome::of(request, &result, is_new));
            if let Some(done) = self.settle(request, outcome, attempt.number).await {
                return Ok(done);
            }
            let now = self.clock.now();
            attempt.elapsed = now.duration_since(start);
            attempt.idle =
                now.duration_since(self.progress().last.map_or(start, |at| at.max(start)));
            attempt.host_answered = self.progress().answered.contains(request.url.authority());
            let fraction = self.clock.fraction();
            let verdict = self.policy.decide(&attempt, outcome, fraction);
            if outcome.is_limit() {
                self.tally.count_limit();
                // Also where the request itself is not repeated here: others should wait all the same.
                let wait = match verdict {
                    Verdict::Retry(wait) => wait,
                    Verdict::Settled => outcome
                        .advised()
                        .unwrap_or_else(|| self.policy.wait(Duration::ZERO, None, fraction)),
                };
                gate.close(wait.min(self.policy.max_time), now);
            } else if outcome.is_good() {
                gate.widen(now);
            } else if let Verdict::Retry(wait) = verdict {
                gate.trouble(wait, now);
            }
            let Verdict::Retry(wait) = verdict else {
                return result;
            };
            self.tally.count_retry();
            if !outcome.is_limit() || self.teller.is_news(wait, now) {
                self.observer.observe(&Event::Retrying {
                    step: request.step,
                    digest: None,
                    cause: &cause(request, &result),
                    wait,
                    attempt: attempt.number,
                });
            }
            self.clock.sleep(wait).await;
            attempt.number += 1;
            attempt.waited = wait;
        }
    }

    fn gate(&self, request: &Request) -> Arc<Gate> {
        let host = request.url.authority().to_owned();
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(host).or_default())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what has answered, and what has succeeded.
    fn note(
        &self,
        request: &Request,
        result: &Result<Response, Failure>,
        untouched: bool,
        now: Instant,
    ) {
        let mut progress = self.progress();
        if !matches!(result, Err(Failure::Unanswered(_))) {
            progress.answered.insert(request.url.authority().to_owned());
        }
        if let Ok(response) = result
            && response.status.is_success()
        {
            progress.last = Some(now);
            drop(progress);
            self.packages.succeeded(request, response, untouched);
        }
    }
}

impl<T: Transport> Transport for RetryTransport<T> {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(self.until_settled(request))
    }
}

/// Whether it is an answer that the age of a package can explain.
fn is_refusal(response: &Response) -> bool {
    matches!(response.status.as_u16(), 403 | 404)
}

#[cfg(test)]
mod tests;
