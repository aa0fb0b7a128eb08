//! Counts for the report.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests and retries of one run.
#[derive(Debug, Default)]
pub struct Tally {
    requests: AtomicU64,
    retries: AtomicU64,
    limits: AtomicU64,
}

impl Tally {
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_limit(&self) {
        self.limits.fetch_add(1, Ordering::Relaxed);
    }

    /// Answers that ask everybody to slow down.
    pub(crate) fn limits(&self) -> u64 {
        self.limits.load(Ordering::Relaxed)
    }

    /// HTTP requests sent.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests and uploads tried again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}
