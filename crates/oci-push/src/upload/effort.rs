//! How many bytes are sent in vain before a blob is given up.
//!
//! Time alone is no measure: a registry that refuses every body at its end would be sent the same bytes for ten
//! minutes. A blob may cost its own bytes about four times, and a repository those of its blobs about three times.
//! What a session keeps is not in vain, however often the connection breaks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Uploads that a blob may cost in vain; the last of them need not have come to its end.
const MOST: f64 = 3.5;

/// What an upload costs at least, however early it ended: it takes requests, too.
const LEAST: f64 = 0.25;

/// The same for a blob that is not small, as soon as anything of it has gone.
const LEAST_OF_LARGE: f64 = 0.6;
const LARGE: u64 = 4 * 1024 * 1024;

/// What has been sent of one blob in vain.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// In blobs.
    spent: f64,
    uploads: u32,
    /// Bytes that the economy holds for the upload that is under way.
    reserved: u64,
}

impl Effort {
    /// An upload has failed after `sent` of `size` bytes. One that met a limit or the end of a token (`is_chance`) says
    /// little about the next one, as long as it costs little.
    pub(super) fn failed(&mut self, sent: u64, size: u64, is_chance: bool, economy: &Economy) {
        const CHEAP: u64 = 1024 * 1024;
        self.uploads += 1;
        let is_cheap = is_chance && size < CHEAP;
        let least = if size >= LARGE && sent > 0 {
            LEAST_OF_LARGE
        } else {
            LEAST
        };
        let part = if is_cheap { LEAST } else { part(sent, size) };
        self.spent += part.max(least);
        economy.lose(std::mem::take(&mut self.reserved), sent);
    }

    /// A chunk has failed, and has to be sent again from `sent` bytes before.
    pub(super) fn repeated(&mut self, sent: u64, size: u64, economy: &Economy) {
        self.spent += part(sent, size);
        economy.lose(0, sent);
    }

    /// The blob is stored.
    pub(super) fn succeeded(&mut self, economy: &Economy) {
        economy.lose(std::mem::take(&mut self.reserved), 0);
    }

    /// The uploads that have failed.
    pub(super) fn uploads(&self) -> u32 {
        self.uploads
    }

    /// Whether the blob has cost enough.
    pub(super) fn is_spent(&self) -> bool {
        self.spent >= MOST
    }

    /// Whether another upload of `size` bytes may be tried.
    pub(super) fn affords(&mut self, size: u64, economy: &Economy) -> bool {
        let may = !self.is_spent() && economy.reserve(size);
        if may {
            self.reserved = size;
        }
        may
    }
}

/// `sent` bytes as a part of `size`; an empty blob is always sent as a whole.
#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate needs no more than 52 bits of size"
)]
fn part(sent: u64, size: u64) -> f64 {
    if size == 0 {
        1.0
    } else {
        sent as f64 / size as f64
    }
}

/// What all blobs of a repository have cost.
#[derive(Debug, Default)]
pub(crate) struct Economy(Mutex<Account>);

#[derive(Debug, Default)]
struct Account {
    /// The size of all blobs whose upload has begun.
    offered: u64,
    /// The size of the largest of them.
    largest: u64,
    /// Bytes that were sent in vain, or may be.
    lost: u64,
}

impl Economy {
    /// The upload of a blob begins.
    pub(super) fn offer(&self, size: u64) {
        let mut account = self.account();
        account.offered = account.offered.saturating_add(size);
        account.largest = account.largest.max(size);
    }

    /// `sent` bytes were sent in vain, for which `reserved` were set aside.
    fn lose(&self, reserved: u64, sent: u64) {
        let mut account = self.account();
        account.lost = account.lost.saturating_sub(reserved).saturating_add(sent);
    }

    /// Sets `size` bytes aside for another upload; `false` if that would be too much for one repository.
    fn reserve(&self, size: u64) -> bool {
        let mut account = self.account();
        let most = account
            .offered
            .saturating_mul(2)
            .max(account.largest.saturating_mul(4));
        let lost = account.lost.saturating_add(size);
        let may = lost <= most;
        if may {
            account.lost = lost;
        }
        may
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many uploads of a blob of `size` fail, each after `sent` bytes, before it is given up.
    fn uploads(sent: u64, size: u64, is_limit: bool) -> u32 {
        let economy = Economy::default();
        economy.offer(size);
        let mut effort = Effort::default();
        loop {
            effort.failed(sent, size, is_limit, &economy);
            if !effort.affords(size, &economy) {
                return effort.uploads();
            }
        }
    }

    #[test]
    fn blobs_are_given_up() {
        const MB: u64 = 1_000_000;
        for (name, sent, size, is_limit, expected) in [
            ("at its end", 40 * MB, 40 * MB, false, 4),
            ("shortly before", 36 * MB, 40 * MB, false, 4),
            ("in the middle", 20 * MB, 40 * MB, false, 6),
            ("at its beginning", 1000, 40 * MB, false, 6),
            ("before it", 0, 40 * MB, false, 14),
            ("small, in the middle", 50, 100, false, 7),
            ("small, at its beginning", 10, 100, false, 14),
            ("small, at its end", 100, 100, false, 4),
            ("empty", 0, 0, false, 4),
            ("small, for a limit", 100, 100, true, 4),
            ("large, for a limit", 40 * MB, 40 * MB, true, 4),
        ] {
            assert_eq!(uploads(sent, size, is_limit), expected, "{name}");
        }
    }

    /// However many blobs fail, all together cost at most twice their bytes beside those that arrive.
    #[test]
    fn a_repository_costs_three_times_its_bytes() {
        let economy = Economy::default();
        let sizes = [40, 20, 10, 5, 5];
        let mut efforts: Vec<Effort> = Vec::new();
        for size in sizes {
            economy.offer(size);
            efforts.push(Effort::default());
        }
        let mut sent: u64 = sizes.iter().sum();
        let mut open: Vec<bool> = vec![true; sizes.len()];
        while open.iter().any(|open| *open) {
            for (place, size) in sizes.into_iter().enumerate() {
                if !open[place] {
                    continue;
                }
                efforts[place].failed(size, size, false, &economy);
                open[place] = efforts[place].affords(size, &economy);
                sent += if open[place] { size } else { 0 };
            }
        }
        assert!(sent <= 3 * 80, "{sent}");
    }

    #[test]
    fn what_arrives_is_not_lost() {
        let economy = Economy::default();
        economy.offer(10);
        for _ in 0..100 {
            let mut effort = Effort::default();
            assert!(effort.affords(10, &economy));
            effort.succeeded(&economy);
        }
    }
}
