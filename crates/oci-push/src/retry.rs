//! When a request is sent again, and after how long.
//!
//! The decision is a pure function of the attempt and its outcome ([`RetryPolicy::decide`]); the
//! transport around it only waits and counts. There is one retry layer: what the upload state machine
//! recovers from (a broken chunk, an unanswered commit) is marked [`Replay::Never`](crate::request::Replay::Never) and passes through
//! untouched, so that tries are never multiplied by tries.

mod advice;
mod cause;
mod contact;
mod gate;
mod limits;
mod outcome;
mod packages;
mod policy;
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
use crate::request::{Request, Response, Transport};
use crate::tally::Tally;

pub(crate) use advice::advised_wait;
use cause::cause;
pub(crate) use cause::cause_of;
use gate::Gate;
pub(crate) use limits::{SECONDARY_LIMIT, Teller};
pub use outcome::Outcome;
pub(crate) use packages::Packages;
pub use policy::{Attempt, RetryPolicy, Verdict, is_transient};
pub(crate) use policy::{SETTLING_TIME, SETTLING_WAIT, is_outage};
use rate::Allowances;
pub(crate) use rate::{Rate, Rates};

/// Bodies from this size on take their time.
const LARGE_BODY: u64 = 1024 * 1024;

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
            let is_last = request.tries.is_some_and(|tries| attempt.number >= tries);
            let verdict = match outcome {
                Outcome::Answered { .. } if is_last && !outcome.is_limit() => Verdict::Settled,
                _ => self.policy.decide(&attempt, outcome, fraction),
            };
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
                    digest: request.blob.as_ref(),
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
