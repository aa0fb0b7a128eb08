//! Requests at a rate that a registry is known to bear, over the whole run: what exceeds its limits is refused, and
//! refused for longer than it would have taken to wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Method;
use url::Url;

use crate::request::Request;
use crate::step::Step;

/// So many requests at once, and then so many a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) per_minute: u32,
}

/// The rates that a registry bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rates {
    /// Of requests that change something.
    pub(crate) writes: Rate,
    /// Of ranged chunks, which are writes as well.
    pub(crate) chunks: Rate,
}

/// What is left of the rates of registries that are known to have any.
#[derive(Debug, Default)]
pub(super) struct Allowances(Mutex<HashMap<String, Arc<Allowance>>>);

impl Allowances {
    /// Holds `registry` to `rates` from now on, unless it is held to some already.
    pub(super) fn hold(&self, registry: &Url, rates: Rates) {
        self.known()
            .entry(registry.authority().to_owned())
            .or_insert_with(|| Arc::new(Allowance::new(rates)));
    }

    /// Takes the turn of `request`, and tells how long it has to wait for it.
    pub(super) fn take(&self, request: &Request, now: Instant) -> Duration {
        let allowance = self.known().get(request.url.authority()).cloned();
        allowance.map_or(Duration::ZERO, |allowance| allowance.take(request, now))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<Allowance>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is left of the rates of one registry.
#[derive(Debug)]
struct Allowance {
    writes: Mutex<Bucket>,
    chunks: Mutex<Bucket>,
}

impl Allowance {
    fn new(rates: Rates) -> Self {
        Self {
            writes: Mutex::new(Bucket::new(rates.writes)),
            chunks: Mutex::new(Bucket::new(rates.chunks)),
        }
    }

    fn take(&self, request: &Request, now: Instant) -> Duration {
        let take = |bucket: &Mutex<Bucket>| {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(now)
        };
        if request.step == Step::FetchToken || matches!(request.method, Method::GET | Method::HEAD)
        {
            return Duration::ZERO;
        }
        let wait = take(&self.writes);
        if request.step == Step::UploadChunk {
            wait.max(take(&self.chunks))
        } else {
            wait
        }
    }
}

/// A bucket that fills at a rate. It may owe: whoever takes what is not there yet waits for it, in the order of coming.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    level: f64,
    /// When that was its level.
    at: Option<Instant>,
}

impl Bucket {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            level: f64::from(rate.burst),
            at: None,
        }
    }

    fn take(&mut self, now: Instant) -> Duration {
        let per_second = f64::from(self.rate.per_minute) / 60.0;
        let passed = self
            .at
            .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let filled = passed.as_secs_f64().mul_add(per_second, self.level);
        self.level = filled.min(f64::from(self.rate.burst)) - 1.0;
        self.at = Some(now);
        let owed = (-self.level).max(0.0);
        Duration::try_from_secs_f64(owed / per_second).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_a_rate() {
        let start = Instant::now();
        let rate = Rate {
            burst: 3,
            per_minute: 60,
        };
        let mut bucket = Bucket::new(rate);
        for (at, wait) in [
            (0.0, 0),
            (0.0, 0),
            (0.0, 0),
            (0.0, 1),
            (0.0, 2),
            // Two were owed, and are paid by then.
            (2.0, 1),
            (3.0, 1),
            // What fills in a minute is no more than a burst.
            (63.0, 0),
            (63.0, 0),
            (63.0, 0),
            (63.0, 1),
        ] {
            let now = start + Duration::from_secs_f64(at);
            assert_eq!(bucket.take(now), Duration::from_secs(wait), "at {at} s");
        }
    }

    /// In no minute do more go than a burst and a minute's worth.
    #[test]
    fn no_minute_holds_more() {
        let start = Instant::now();
        let rate = Rate {
            burst: 50,
            per_minute: 120,
        };
        let mut bucket = Bucket::new(rate);
        let sent: Vec<f64> = (0..400).map(|_| bucket.take(start).as_secs_f64()).collect();
        for from in &sent {
            let in_minute = sent.iter().filter(|at| (*from..from + 60.0).contains(*at));
            assert!(in_minute.count() <= 170, "from {from} s");
        }
    }

    #[test]
    fn what_counts() {
        let one = Rate {
            burst: 1,
            per_minute: 60,
        };
        let many = Rate {
            burst: 100,
            per_minute: 60,
        };
        let url = Url::parse("https://ghcr.io/v2/o/n/").expect("a test URL is valid");
        let now = Instant::now();
        for (step, method, writes, chunks, waits) in [
            (Step::CheckBlob, Method::HEAD, one, one, false),
            (Step::UploadStatus, Method::GET, one, one, false),
            (Step::FetchToken, Method::POST, one, one, false),
            (Step::StartUpload, Method::POST, one, many, true),
            (Step::StartUpload, Method::POST, many, one, false),
            (Step::UploadChunk, Method::PATCH, many, one, true),
            (Step::PutTag, Method::PUT, one, many, true),
        ] {
            let allowance = Allowance::new(Rates { writes, chunks });
            let request = Request::new(step, method, url.clone());
            assert_eq!(allowance.take(&request, now), Duration::ZERO);
            assert_eq!(!allowance.take(&request, now).is_zero(), waits, "{step}");
        }
    }
}
