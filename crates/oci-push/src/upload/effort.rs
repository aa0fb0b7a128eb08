//! How many bytes are sent in vain before a blob is given up.
//!
//! Time alone is no measure: a registry that refuses every body at its end would be sent the same bytes for ten
//! minutes. A repository may cost three times its bytes in vain, or four times those of its largest blob, and a blob
//! eight times its own. What a session keeps is not in vain, however often the connection breaks; what is small is tried by
//! time. Where bytes are short, blobs take turns ([`super::turns`]).

use std::time::Instant;

use super::turns::Economy;

/// What is smaller is tried for as long as there is time: it costs its requests rather than its bytes.
pub(super) const SMALL: u64 = 1024 * 1024;

/// Half-uploads that a blob may cost in chunks, or for tokens that are refused: those do not take turns.
const MOST_HALVES: u64 = 7;

/// Uploads that a blob may cost by itself.
const UPLOADS: u64 = 8;

/// Of what was handed to a connection that broke, so much may have been in the machine's buffers still.
const BUFFERED: u64 = 2 * 1024 * 1024;

/// What has been sent of one blob in vain.
#[derive(Debug, Default)]
pub(super) struct Effort {
    /// By which the economy knows the blob.
    number: u64,
    size: u64,
    /// Bytes.
    spent: u64,
    uploads: u32,
}

impl Effort {
    /// Nothing yet, of a blob of `size` bytes.
    pub(super) fn new(number: u64, size: u64) -> Self {
        Self {
            number,
            size,
            ..Self::default()
        }
    }

    /// An upload has failed after `sent` bytes, by a connection that broke if `is_cut`.
    pub(super) fn failed(&mut self, sent: u64, is_cut: bool, economy: &Economy) {
        let cost = cost(sent, self.size, is_cut);
        self.uploads += 1;
        self.spent = self.spent.saturating_add(cost);
        economy.failed(self.number, cost);
    }

    /// A chunk has failed, and has to be sent again from `sent` bytes before.
    pub(super) fn repeated(&mut self, sent: u64, economy: &Economy) {
        self.spent = self.spent.saturating_add(sent);
        economy.lose(sent);
    }

    /// The blob is stored.
    pub(super) fn succeeded(&mut self, economy: &Economy, now: Instant) {
        economy.succeeded(self.number, now);
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The uploads that have failed.
    pub(super) fn uploads(&self) -> u32 {
        self.uploads
    }

    /// Whether the blob has cost enough by itself, without turns.
    pub(super) fn is_spent(&self) -> bool {
        self.size >= SMALL && self.spent.saturating_mul(2) >= self.size.saturating_mul(MOST_HALVES)
    }

    /// The bytes that the blob may cost yet.
    pub(super) fn left(&self) -> u64 {
        self.size.saturating_mul(UPLOADS).saturating_sub(self.spent)
    }
}

/// What an upload of `size` bytes has cost that failed when `sent` had been handed over.
fn cost(sent: u64, size: u64, is_cut: bool) -> u64 {
    if is_cut && sent < size {
        sent.saturating_sub(BUFFERED).max(sent / 2)
    } else {
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_upload_costs() {
        const MIB: u64 = 1024 * 1024;
        for (name, sent, size, is_cut, expected) in [
            ("refused at its end", 40 * MIB, 40 * MIB, false, 40 * MIB),
            ("cut at its end", 40 * MIB, 40 * MIB, true, 40 * MIB),
            ("cut in the middle", 20 * MIB, 40 * MIB, true, 18 * MIB),
            ("cut at its beginning", 2 * MIB, 40 * MIB, true, MIB),
            ("refused in the middle", 20 * MIB, 40 * MIB, false, 20 * MIB),
            ("cut before it", 0, 40 * MIB, true, 0),
        ] {
            assert_eq!(cost(sent, size, is_cut), expected, "{name}");
        }
    }

    #[test]
    fn a_blob_by_itself() {
        let economy = Economy::default();
        for (size, expected) in [(4 * SMALL, 4), (SMALL - 1, u32::MAX)] {
            let share = economy.offer(size);
            let mut effort = Effort::new(share.number(), size);
            while !effort.is_spent() && effort.uploads() < 20 {
                effort.failed(size, false, &economy);
            }
            assert_eq!(effort.uploads(), expected.min(20), "{size}");
            assert_eq!(
                effort.left(),
                size * 8_u64.saturating_sub(effort.uploads().into())
            );
        }
    }
}
