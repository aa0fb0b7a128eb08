//! Blobs on their way out: read from the archive, hashed, and handed to the connection in frames.
//!
//! A body is a range of a blob, never a buffer: it can be sent again from any offset. Every byte of a
//! session passes the blob's [`Verifier`], and the frame that would complete the blob is withheld until
//! the digest is known to be right. Only a part of a session that is sent a second time is not hashed a
//! second time; should the file have changed in between, the registry's own check finds it.

mod frames;

use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use oci_archive::{Blob, Digest, Hasher};
use tokio::sync::mpsc;

use crate::failure::BlobFault;
use crate::pace::Pace;
use frames::Frames;

/// Bytes read and handed over at a time. Larger frames gain nothing on loopback (64 to 256 `KiB`
/// measured alike), smaller ones cost a wake-up each.
const FRAME: usize = 128 * 1024;

/// Frames read ahead of the connection: enough to keep reading and sending at the same time.
const FRAMES_AHEAD: usize = 2;

/// Told the absolute offset within the blob up to which bytes were handed to the connection.
pub(crate) type OnSent = Arc<dyn Fn(u64) + Send + Sync>;

/// A range of a blob as a request body.
#[derive(Clone)]
pub struct BlobBody {
    verifier: Arc<Verifier>,
    offset: u64,
    length: u64,
    on_sent: OnSent,
    pace: Option<Arc<Pace>>,
}

impl BlobBody {
    pub(crate) fn new(verifier: Arc<Verifier>, offset: u64, length: u64, on_sent: OnSent) -> Self {
        debug_assert!(offset + length <= verifier.size());
        Self {
            verifier,
            offset,
            length,
            on_sent,
            pace: None,
        }
    }

    /// The same at a rate.
    pub(crate) fn paced(mut self, pace: Option<Arc<Pace>>) -> Self {
        self.pace = pace;
        self
    }

    pub(crate) fn pace(&self) -> Option<&Pace> {
        self.pace.as_deref()
    }

    /// How many bytes the body has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The first byte's offset within the blob.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    pub(crate) fn sent(&self, bytes: u64) {
        (self.on_sent)(self.offset + bytes);
    }

    /// Starts reading on a thread of its own. The thread ends when the body is read, when reading
    /// fails, or when the receiver is dropped.
    pub(crate) fn frames(&self) -> mpsc::Receiver<io::Result<Bytes>> {
        let (sender, receiver) = mpsc::channel(FRAMES_AHEAD);
        let body = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = body.feed(&sender) {
                // A receiver that is gone has lost interest; there is nobody to tell.
                let _ = sender.blocking_send(Err(error));
            }
        });
        receiver
    }

    fn feed(&self, sender: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
        let verifier = &self.verifier;
        verifier.catch_up(self.offset)?;
        let mut reader = verifier.blob.source.reader(self.offset)?;
        let mut remaining = self.length;
        let mut offset = self.offset;
        let longest = self.pace().map_or(FRAME, |pace| FRAME.min(pace.frame()));
        let frames = Frames::default();
        while remaining > 0 {
            let length = longest.min(usize::try_from(remaining).unwrap_or(longest));
            let mut frame = frames.take(length);
            reader
                .read_exact(frame.bytes_mut())
                .map_err(|error| verifier.fail(BlobFault::Read(error)))?;
            verifier.pass(offset, frame.as_ref())?;
            offset += length as u64;
            remaining -= length as u64;
            if sender.blocking_send(Ok(Bytes::from_owner(frame))).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl fmt::Debug for BlobBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BlobBody")
            .field("digest", &self.verifier.digest())
            .field("offset", &self.offset)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// A blob and how much of it has been hashed.
pub(crate) struct Verifier {
    blob: Blob,
    progress: Mutex<Progress>,
}

struct Progress {
    state: State,
    /// Bytes hashed so far, from the blob's start.
    hashed: u64,
    /// Why reading or hashing stopped, for whoever reports it.
    fault: Option<BlobFault>,
}

enum State {
    Hashing(Box<Hasher>),
    Right,
    /// For good: no byte of this blob is handed out any more.
    Wrong,
}

impl Verifier {
    pub(crate) fn new(blob: Blob) -> Self {
        let hasher = blob.descriptor.digest.hasher();
        Self {
            blob,
            progress: Mutex::new(Progress {
                state: State::Hashing(Box::new(hasher)),
                hashed: 0,
                fault: None,
            }),
        }
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.blob.descriptor.digest
    }

    pub(crate) fn size(&self) -> u64 {
        self.blob.descriptor.size
    }

    /// Forgets what was hashed: the blob is sent from its beginning, and the file may have changed.
    pub(crate) fn start_over(&self) {
        let mut progress = self.progress();
        if !matches!(progress.state, State::Wrong) {
            progress.state = State::Hashing(Box::new(self.digest().hasher()));
            progress.hashed = 0;
        }
    }

    /// What was found wrong with the blob, if anything. Given out once.
    pub(crate) fn take_fault(&self) -> Option<BlobFault> {
        self.progress().fault.take()
    }

    /// Confirms an empty blob, for which no frame is ever read.
    pub(crate) fn check_empty(&self) -> Result<(), BlobFault> {
        let mut progress = self.progress();
        progress.settle(self);
        progress.fault.take().map_or(Ok(()), Err)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // A panic while hashing leaves the hasher as it was before the frame; the digest check at the
        // end decides all the same.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hashes what comes before `offset` and was never read in this process: the part of an upload
    /// that an earlier session delivered.
    fn catch_up(&self, offset: u64) -> io::Result<()> {
        let hashed = self.progress().hashed;
        if hashed >= offset {
            return Ok(());
        }
        let mut reader = self.blob.source.reader(hashed)?.take(offset - hashed);
        let mut at = hashed;
        let mut buffer = vec![0; FRAME];
        loop {
            let length = reader
                .read(&mut buffer)
                .map_err(|error| self.fail(BlobFault::Read(error)))?;
            if length == 0 {
                return Ok(());
            }
            self.pass(at, &buffer[..length])?;
            at += length as u64;
        }
    }

    /// Hashes the part of `bytes` (found at `offset`) that has not been hashed yet.
    ///
    /// Bytes that are sent a second time are not hashed a second time: if the file changed in
    /// between, the registry's own check at the commit finds it.
    fn pass(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut progress = self.progress();
        let end = offset + bytes.len() as u64;
        if end > progress.hashed {
            // Whoever reads has caught up before; what was hashed then is forgotten when another session begins.
            let Some(known) = progress.hashed.checked_sub(offset) else {
                return Err(io::Error::other("another session of the blob has begun"));
            };
            let known = usize::try_from(known).unwrap_or(bytes.len());
            if let State::Hashing(hasher) = &mut progress.state {
                hasher.update(&bytes[known..]);
            }
            progress.hashed = end;
            progress.settle(self);
        }
        match progress.state {
            State::Hashing(_) | State::Right => Ok(()),
            State::Wrong => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the blob's bytes do not have its digest",
            )),
        }
    }

    fn fail(&self, fault: BlobFault) -> io::Error {
        let error = io::Error::other(fault.to_string());
        self.progress().fault = Some(fault);
        error
    }
}

impl Progress {
    /// Compares the digest once every byte is hashed.
    fn settle(&mut self, verifier: &Verifier) {
        if self.hashed < verifier.size() || !matches!(self.state, State::Hashing(_)) {
            return;
        }
        let State::Hashing(hasher) = std::mem::replace(&mut self.state, State::Right) else {
            return;
        };
        let actual = hasher.finish();
        if actual != *verifier.digest() {
            self.state = State::Wrong;
            self.fault = Some(BlobFault::DigestMismatch { actual });
        }
    }
}

#[cfg(test)]
mod tests;
