//! Memory that several threads share, in bytes.

use std::sync::{Condvar, Mutex, PoisonError};

/// What is left of a fixed amount.
#[derive(Debug)]
pub(super) struct Budget {
    left: Mutex<usize>,
    changed: Condvar,
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
    pub(super) fn take(&self, bytes: usize, wait: bool) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *left < bytes {
            if !wait {
                return false;
            }
            left = self
                .changed
                .wait(left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *left -= bytes;
        true
    }

    pub(super) fn give_back(&self, bytes: usize) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        self.changed.notify_one();
    }
}
