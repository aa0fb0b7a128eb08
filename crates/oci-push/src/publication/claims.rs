//! What a registry says that it has, and has to be sent all the same.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oci_archive::{Descriptor, Digest};

use crate::report::BlobCounts;

/// The blobs that were counted as found.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    found: BTreeSet<Digest>,
    /// The sizes of those that were sent nevertheless.
    sent: Vec<u64>,
}

impl Claims {
    /// The registry says that it has a blob.
    pub(crate) fn claimed(&self, digest: &Digest) {
        self.state().found.insert(digest.clone());
    }

    /// A blob was sent, whatever the registry has said.
    pub(super) fn sent(&self, blob: &Descriptor) {
        let mut state = self.state();
        if state.found.remove(&blob.digest) {
            state.sent.push(blob.size);
        }
    }

    /// Counts what was sent nevertheless as sent.
    pub(crate) fn correct(&self, counts: &mut BlobCounts) {
        for size in std::mem::take(&mut self.state().sent) {
            counts.existing = counts.existing.saturating_sub(1);
            counts.uploaded += 1;
            counts.bytes_uploaded += size;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
