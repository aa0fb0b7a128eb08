//! The slot that a blob holds while its bytes flow.

use std::sync::{Arc, PoisonError};

use super::BlobUpload;
use crate::body::OnSent;
use crate::observer::Event;
use crate::request::Transport;

impl<T: Transport> BlobUpload<'_, T> {
    /// Reports progress, and gives the slot back with the last byte.
    pub(super) fn on_sent(&self) -> OnSent {
        let observer = Arc::clone(&self.services.observer);
        let slot = Arc::clone(&self.slot);
        let slots = Arc::clone(&self.slots);
        let flow = Arc::clone(&self.flow);
        let clock = Arc::clone(&self.services.clock);
        let digest = self.descriptor.digest.clone();
        let size = self.descriptor.size;
        Arc::new(move |offset| {
            let now = clock.now();
            let sent = flow
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .reach(offset, now);
            slots.sent(sent, now);
            observer.observe(&Event::BlobProgress {
                digest: &digest,
                offset,
            });
            if offset == size {
                slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                observer.observe(&Event::BlobCommitting { digest: &digest });
            }
        })
    }

    pub(super) async fn take_slot(&self) {
        let taken = self
            .slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        if !taken {
            let permit = self.slots.take().await;
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = permit;
        }
    }

    /// Lets another blob be sent while this one waits.
    pub(super) fn release_slot(&self) {
        self.slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}
