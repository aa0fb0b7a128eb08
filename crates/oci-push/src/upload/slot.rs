//! The slot that a blob holds while its bytes flow.

use std::pin::pin;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::session::{SessionHandle, UploadSession};
use super::{BlobUpload, leave};
use crate::body::OnSent;
use crate::failure::Failure;
use crate::observer::Event;
use crate::request::Transport;

/// A session that nothing was sent in for this long is not relied on: nobody knows how long ghcr.io keeps one.
const STALE: Duration = Duration::from_mins(1);

impl<T: Transport> BlobUpload<'_, T> {
    /// Reports progress, and gives the slot back with the last byte, with which the session begins to be committed: it
    /// is not cancelled any more then, since some registries give up what they are about to store.
    pub(super) fn on_sent(&self, session: SessionHandle) -> OnSent {
        let observer = Arc::clone(&self.services.observer);
        let slot = Arc::clone(&self.slot);
        let slots = Arc::clone(&self.slots);
        let flow = Arc::clone(&self.flow);
        let clock = Arc::clone(&self.services.clock);
        let digest = self.descriptor.digest.clone();
        let size = self.descriptor.size;
        let lead = self.lead();
        Arc::new(move |offset| {
            let now = clock.now();
            let (sent, ends_soon) = {
                let mut flow = flow.lock().unwrap_or_else(PoisonError::into_inner);
                let sent = flow.reach(offset, now);
                (sent, flow.nears_end(size.saturating_sub(offset), lead))
            };
            slots.sent(sent, now);
            if ends_soon {
                slots.ends_soon();
            }
            observer.observe(&Event::BlobProgress {
                digest: &digest,
                offset,
            });
            if offset == size {
                leave(&session);
                slot.lock().unwrap_or_else(PoisonError::into_inner).clear();
                observer.observe(&Event::BlobCommitting { digest: &digest });
            }
        })
    }

    /// The bytes that go in the time in which a session is opened, twice over.
    fn lead(&self) -> u64 {
        /// Where nothing has been measured.
        const LEAST: u64 = 1024 * 1024;
        const MOST: u64 = 16 * 1024 * 1024;
        let learned = &self.repository.learned;
        let (Some(rate), Some(overhead)) = (learned.goodput(), learned.overhead()) else {
            return LEAST;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what does not fit is bounded"
        )]
        let lead = (2.0 * rate * overhead.as_secs_f64()) as u64;
        lead.clamp(LEAST, MOST)
    }

    /// Waits for a slot. A session is opened when one is about to become free, so that it does not wait for the
    /// answer.
    pub(super) async fn take_slot_and_open(&self) -> Result<Option<UploadSession>, Failure> {
        let mut slot = pin!(self.slots.take());
        tokio::select! {
            biased;
            permit = &mut slot => {
                self.held_slot().extend(permit);
                return Ok(None);
            }
            () = self.slots.nearly_free() => {}
        }
        let opened_at = self.services.clock.now();
        let slot = async { Ok(slot.await) };
        let (session, permit) = tokio::try_join!(self.start(), slot)?;
        self.held_slot().extend(permit);
        let age = self
            .services
            .clock
            .now()
            .saturating_duration_since(opened_at);
        // A stale one is left to expire.
        Ok(Some(session).filter(|_| age < STALE))
    }

    /// The slot, and with it the link if the blob has that for itself.
    pub(super) fn held_slot(&self) -> MutexGuard<'_, Vec<OwnedSemaphorePermit>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn take_slot(&self) {
        let is_free = self.held_slot().is_empty();
        if is_free {
            let permit = self.slots.take().await;
            self.held_slot().extend(permit);
        }
    }

    /// Lets another blob be sent while this one waits.
    pub(super) fn release_slot(&self) {
        self.held_slot().clear();
    }
}
