//! Time and randomness, passed in so that retries are tested without waiting.

use std::fmt;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

/// Where the engine gets time and chance from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment, monotonic.
    fn now(&self) -> Instant;
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// A number in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64;
}

/// The machine's own clock and a generator seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn fraction(&self) -> f64 {
        fastrand::f64()
    }
}
