//! Who sends again where many uploads fail.
//!
//! As long as little was lost, everybody tries again by itself. Then the blobs of a repository wait, and the smallest
//! of them finds out whether bodies pass again; when it is through, the others follow. So an outage costs the bytes of
//! the smallest blob a few times, which is often nothing, and not those of all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::effort::SMALL;

/// A blob that finds out whether bodies pass is not waited for by one that is so many times smaller.
const MUCH_SMALLER: u64 = 8;

/// What all blobs of a repository have cost, and which of them are tried again.
#[derive(Debug, Default)]
pub(crate) struct Economy {
    account: Mutex<Account>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Account {
    /// The size of all blobs whose upload has begun.
    offered: u64,
    /// The size of the largest of them.
    largest: u64,
    /// Bytes that were sent in vain.
    lost: u64,
    /// The blobs that are on their way, by their numbers.
    uploads: BTreeMap<u64, Upload>,
    begun: u64,
    /// Blobs that went through after they had failed.
    relieved: u64,
    /// When a blob was stored.
    progress: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Upload {
    size: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is sent for the first time, or is judged after a failure.
    Begun,
    /// It waits, since so many went through after they had failed.
    Waiting(u64),
    /// It is sent again beside others.
    Again,
    /// It finds out for others whether bodies pass.
    Probing(u64),
}

/// What a blob that waits may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Be sent again, at once if others had to go first.
    Again { is_relieved: bool },
    /// Be sent again for all; what is affordable is so many uploads, without end for what is small.
    Probe { uploads: Option<u64> },
    /// Nothing, until something changes.
    Wait,
    /// Nothing any more.
    Never,
}

/// A blob's part in the economy, which ends when it is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    economy: &'a Economy,
    number: u64,
}

impl Share<'_> {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.economy.account().uploads.remove(&self.number);
        self.economy.changed.notify_waiters();
    }
}

impl Economy {
    /// The upload of a blob begins.
    pub(super) fn offer(&self, size: u64) -> Share<'_> {
        let mut account = self.account();
        account.offered = account.offered.saturating_add(size);
        account.largest = account.largest.max(size);
        account.begun += 1;
        let number = account.begun;
        let state = State::Begun;
        account.uploads.insert(number, Upload { size, state });
        Share {
            economy: self,
            number,
        }
    }

    /// `bytes` were sent in vain.
    pub(super) fn lose(&self, bytes: u64) {
        let mut account = self.account();
        account.lost = account.lost.saturating_add(bytes);
    }

    /// An upload has failed, which has cost `bytes`. What a small blob finds out for all is not counted: time bounds
    /// that.
    pub(super) fn failed(&self, number: u64, bytes: u64) {
        let mut account = self.account();
        let was = account.set(number, State::Begun);
        let is_free =
            was.is_some_and(|was| was.size < SMALL && matches!(was.state, State::Probing(_)));
        if !is_free {
            account.lost = account.lost.saturating_add(bytes);
        }
        drop(account);
        self.changed.notify_waiters();
    }

    /// A blob is stored.
    pub(super) fn succeeded(&self, number: u64, now: Instant) {
        let mut account = self.account();
        let was = account.uploads.remove(&number);
        if was.is_some_and(|was| was.state != State::Begun) {
            account.relieved += 1;
        }
        account.progress = Some(now);
        drop(account);
        self.changed.notify_waiters();
    }

    /// How long ago a blob of the repository was stored, if any was.
    pub(super) fn idle(&self, now: Instant) -> Option<Duration> {
        let progress = self.account().progress?;
        Some(now.saturating_duration_since(progress))
    }

    /// A blob that has failed waits for its turn.
    pub(super) fn queue(&self, number: u64) {
        let mut account = self.account();
        let state = State::Waiting(account.relieved);
        account.set(number, state);
    }

    /// Completes when something has changed since it was called.
    pub(super) fn change(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// What a blob may do that waits and may cost `left` bytes by itself.
    pub(super) fn turn(&self, number: u64, left: u64) -> Turn {
        let mut account = self.account();
        let turn = account.turn(number, left);
        let state = match turn {
            Turn::Again { .. } => State::Again,
            Turn::Probe { .. } => State::Probing(account.relieved),
            Turn::Never => State::Begun,
            Turn::Wait => return turn,
        };
        account.set(number, state);
        drop(account);
        self.changed.notify_waiters();
        turn
    }

    /// Whether a blob that has waited before it finds out for all still is the one to do that. Another may have come
    /// that costs much less.
    pub(super) fn is_cheapest(&self, number: u64) -> bool {
        let mut account = self.account();
        let Some(&Upload {
            size,
            state: State::Probing(since),
        }) = account.uploads.get(&number)
        else {
            return true;
        };
        let is_cheapest = !account
            .waiting()
            .any(|(_, other)| other.saturating_mul(MUCH_SMALLER) <= size);
        if !is_cheapest {
            account.set(number, State::Waiting(since));
            drop(account);
            self.changed.notify_waiters();
        }
        is_cheapest
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// Returns what the upload was before.
    fn set(&mut self, number: u64, state: State) -> Option<Upload> {
        let upload = self.uploads.get_mut(&number)?;
        let was = *upload;
        upload.state = state;
        Some(was)
    }

    /// The numbers and sizes of blobs that wait.
    fn waiting(&self) -> impl Iterator<Item = (u64, u64)> {
        let uploads = self.uploads.iter();
        uploads
            .filter(|(_, upload)| matches!(upload.state, State::Waiting(_)))
            .map(|(number, upload)| (*number, upload.size))
    }

    /// The bytes that may be in vain with what is being sent again.
    fn at_stake(&self) -> u64 {
        self.uploads
            .values()
            .filter(|upload| matches!(upload.state, State::Again | State::Probing(_)))
            .fold(0, |sum, upload| sum.saturating_add(upload.size))
    }

    fn turn(&self, number: u64, left: u64) -> Turn {
        let Some(&Upload {
            size,
            state: State::Waiting(since),
        }) = self.uploads.get(&number)
        else {
            return Turn::Never;
        };
        let at_stake = self.at_stake();
        let cost = self.lost.saturating_add(at_stake);
        let is_relieved = since < self.relieved;
        let dominated = self.largest.saturating_mul(4);
        let free = if is_relieved {
            self.offered.saturating_mul(2).max(dominated)
        } else {
            self.offered / 2
        };
        if cost.saturating_add(size) <= free && left >= size {
            return Turn::Again { is_relieved };
        }
        let is_smallest = !self
            .waiting()
            .any(|(other, its_size)| (its_size, other) < (size, number));
        let is_found_out = self.uploads.values().any(|upload| {
            matches!(upload.state, State::Probing(_))
                && upload.size < size.saturating_mul(MUCH_SMALLER)
        });
        if !is_smallest || is_found_out {
            return Turn::Wait;
        }
        if size < SMALL {
            return Turn::Probe { uploads: None };
        }
        let most = self.offered.saturating_mul(3).max(dominated);
        match most.saturating_sub(cost).min(left) / size {
            // What is being sent again may arrive yet.
            0 if at_stake > 0 && left >= size => Turn::Wait,
            0 => Turn::Never,
            uploads => Turn::Probe {
                uploads: Some(uploads),
            },
        }
    }
}

/// The least to wait before a large blob is sent again, if `uploads` are affordable and there is time for them until
/// `left` has passed: the last ones are to last, or an outage would use them up.
pub(super) fn spread(uploads: u64, left: Duration) -> Duration {
    match uploads {
        0 | 1 => left * 2 / 3,
        2 => left / 8,
        3 => left / 15,
        4 => left / 30,
        5 => left / 60,
        6 => left / 100,
        7 => left / 200,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
