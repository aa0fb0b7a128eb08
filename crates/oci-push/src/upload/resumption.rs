//! Uploads that an earlier run has begun.
//!
//! A large blob that is sent in chunks is worth continuing after a process has ended. All that is kept is
//! where its session is; how far it got is the registry's to say, and the digest at the end is the
//! arbiter of what was put together from two runs.

use super::chunks::Standing;
use super::session::UploadSession;
use super::{BlobUpload, UploadMode, recovery};
use crate::journal::UploadKey;
use crate::request::Transport;

/// Blobs from this size on are kept track of: what is smaller is sent again as fast as it is looked up.
const WORTH_KEEPING: u64 = 64 * 1024 * 1024;

/// A session to begin with.
pub(super) struct Begun {
    pub(super) session: UploadSession,
    /// Bytes that it holds already.
    pub(super) held: u64,
}

impl Begun {
    pub(super) fn anew(session: UploadSession) -> Self {
        Self { session, held: 0 }
    }
}

impl<T: Transport> BlobUpload<'_, T> {
    /// The session that an earlier run left, if the registry still knows it and something is in it.
    pub(super) async fn resume(&self) -> Option<Begun> {
        if self.settings.mode == UploadMode::Stream || self.repository.learned.chunks_refused() {
            return None;
        }
        let key = self.key()?;
        let url = self.services.journal.recall(&key)?;
        let session = self.repository.reopened(&url);
        let begun = match session {
            Some(mut session) => {
                // One that holds everything was cut off while it was closed: nobody knows its state.
                let whole = self.descriptor.size;
                match self.held_perhaps(&mut session).await {
                    Ok(Standing::Holds(held)) if (1..whole).contains(&held) => {
                        Some(Begun { session, held })
                    }
                    // A registry in trouble says nothing about its sessions: another run may find it there.
                    Err(failure) if recovery::may_answer_later(&failure) => return None,
                    _ => None,
                }
            }
            None => None,
        };
        if begun.is_none() {
            self.services.journal.forget(&key);
        }
        begun
    }

    /// Keeps in mind where the session is. An address with a query is not kept: what stands there is the
    /// registry's secret (Distribution signs the state of the upload in it).
    pub(super) fn remember(&self, session: &UploadSession) {
        if session.url().query().is_some() {
            return;
        }
        if let Some(key) = self.key() {
            self.services.journal.note(&key, session.url().as_str());
            // Whoever ends this run early leaves it open for the next.
            session.keep_open();
        }
    }

    /// The blob is stored, or its session is of no use.
    pub(super) fn forget(&self) {
        if let Some(key) = self.key() {
            self.services.journal.forget(&key);
        }
    }

    fn key(&self) -> Option<UploadKey<'_>> {
        (self.descriptor.size >= WORTH_KEEPING).then(|| UploadKey {
            repository: self.repository.address(),
            digest: &self.descriptor.digest,
        })
    }
}
