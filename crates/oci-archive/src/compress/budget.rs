//! Memory that several threads share, in bytes.

use std::sync::{Condvar, Mutex, PoisonError};

/// What is left of a fixed amount.
#[derive(Debug)]
pub(super) struct Budget {
    left: Mutex<usize>,
    changed: Condvar,
}

/// A part of a [`Budget`], given back when it is dropped.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    budget: &'a Budget,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            left: Mutex::new(bytes),
            changed: Condvar::new(),
        }
    }

    /// Takes `bytes`. Waits for them if `wait`, which is safe only for a caller that holds none: all who
    /// hold some give them back without waiting for more.
    pub(super) fn take(&self, bytes: usize, wait: bool) -> Option<Lease<'_>> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *left < bytes {
            if !wait {
                return None;
            }
            left = self
                .changed
                .wait(left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *left -= bytes;
        Some(Lease {
            budget: self,
            bytes,
        })
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let budget = self.budget;
        *budget.left.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        // Not everybody who waits asks for as much.
        budget.changed.notify_all();
    }
}
