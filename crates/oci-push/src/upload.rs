//! Uploading one blob, until the registry has it or says why not.
//!
//! A blob is sent in one session as a stream or in chunks. What breaks is judged by what the registry
//! may hold now ([`recovery`]): a broken chunk is resumed at the offset that the session reports, a
//! closing request without a clear answer is followed by a look whether the blob is there, and never by
//! a second closing request: ghcr.io answers that with 404, and in one case out of five loses the blob
//! (<https://github.com/GoogleContainerTools/jib/issues/4301>).

mod bounds;
mod chunks;
mod commit;
mod effort;
mod flow;
pub(crate) mod mode;
mod outlook;
pub(crate) mod range;
mod recovery;
mod resumption;
pub(crate) mod session;
mod slot;
mod tries;
pub(crate) mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use oci_archive::{Blob, Descriptor};
use tokio::sync::OwnedSemaphorePermit;

use crate::body::{BlobBody, Verifier};
use crate::failure::Failure;
use crate::observer::Event;
use crate::publication::Slots;
use crate::pusher::Services;
use crate::repository::Repository;
use crate::request::{Body, Transport};
use bounds::ChunkBounds;
use flow::Flow;
use mode::{Mode, Situation, UploadMode};
use outlook::Doom;
use recovery::Aftermath;
use resumption::Begun;
use session::{SessionHandle, UploadSession};
use tries::{MODE_CHANGES, TOKENS, Tries};

/// How blobs are uploaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadSettings {
    pub(crate) mode: UploadMode,
    pub(crate) chunk_size: Option<u64>,
    /// How long a closing request may go unanswered before the registry is asked whether it has the blob.
    pub(crate) commit_patience: Duration,
    /// How long one request may take, by the profile if `None`.
    pub(crate) longest_request: Option<Duration>,
}

/// One blob on its way into one repository.
pub(crate) struct BlobUpload<'a, T> {
    repository: &'a Repository<T>,
    services: &'a Services,
    settings: UploadSettings,
    descriptor: &'a Descriptor,
    verifier: Arc<Verifier>,
    slots: Arc<Slots>,
    /// Held while bytes flow, given back at the last one: a commit needs no bandwidth.
    slot: Arc<Mutex<Vec<OwnedSemaphorePermit>>>,
    flow: Arc<Mutex<Flow>>,
}

impl<'a, T: Transport> BlobUpload<'a, T> {
    pub(crate) fn new(
        repository: &'a Repository<T>,
        services: &'a Services,
        settings: UploadSettings,
        blob: &'a Blob,
        slots: Arc<Slots>,
    ) -> Self {
        Self {
            repository,
            services,
            settings,
            descriptor: &blob.descriptor,
            verifier: Arc::new(Verifier::new(blob.clone())),
            slots,
            slot: Arc::default(),
            flow: Arc::new(Mutex::new(Flow::new(services.clock.now()))),
        }
    }

    /// Uploads the blob, first of all in a session that is open already, if there is one.
    pub(crate) async fn run(&self, mut opened: Option<UploadSession>) -> Result<(), Failure> {
        let economy = &self.repository.learned.economy;
        let share = economy.offer(self.descriptor.size);
        let mut tries = Tries::new(share.number(), self.descriptor.size);
        let mut refusals = 0;
        let mut resumed = self.resume().await;
        if opened.is_some() || resumed.is_some() {
            self.take_slot().await;
        } else {
            opened = self.take_slot_and_open().await?;
        }
        // Waiting for the slot was nobody's failure.
        *self.flow() = Flow::new(self.services.clock.now());
        loop {
            self.take_slot().await;
            let begun = match (resumed.take(), opened.take()) {
                (Some(resumed), _) => resumed,
                (None, Some(session)) => Begun::anew(session),
                (None, None) => Begun::anew(self.start().await?),
            };
            let Begun { session, held } = begun;
            let (mode, reason) = self.choose(&tries, held, session.bounds());
            self.flow().begin();
            self.verifier.start_over();
            self.observe(&Event::BlobStarted {
                digest: &self.descriptor.digest,
                size: self.descriptor.size,
                mode,
                reason,
            });
            let handle = session.handle();
            let result = match mode {
                Mode::Streamed => tokio::select! {
                    result = self.close(&session, 0) => result,
                    doom = self.doom() => {
                        leave(&handle);
                        tries.outlasts |= doom == Doom::Outlasts;
                        self.release_slot();
                        self.tell_interrupted(0, doom.as_str());
                        continue;
                    }
                },
                Mode::Chunked(size) => self.send_chunks(session, held, size, &mut tries).await,
            };
            let Err(failure) = result else {
                self.learn(&tries, mode);
                break;
            };
            // A session that has failed is left to expire: it may be the one that is being committed.
            leave(&handle);
            self.tell_interrupted(0, &recovery::in_one_line(&failure));
            refusals += u32::from(recovery::may_pass(&failure));
            match self.aftermath(&failure) {
                _ if refusals > REFUSALS => return Err(self.after_uploads(&tries, failure)),
                Aftermath::TooLarge
                    if tries.mode_changes < MODE_CHANGES && self.step_down(mode) =>
                {
                    tries.mode_changes += 1;
                    continue;
                }
                _ if mode != Mode::Streamed && recovery::takes_no_chunks(&failure) => {
                    let learned = &self.repository.learned;
                    // Known from now on; the other way is a stream, unless that is refused too.
                    learned.refuse_chunks();
                    if learned.body_refused() || tries.mode_changes == MODE_CHANGES {
                        return Err(failure);
                    }
                    tries.mode_changes += 1;
                    continue;
                }
                Aftermath::Unauthorized if tries.refused_tokens < TOKENS => {
                    // A body that went whole may have been stored before it was refused.
                    if self.all_sent() && self.repository.has_blob(self.descriptor).await? {
                        break;
                    }
                    if self.refuse_token(&mut tries) {
                        return Err(failure);
                    }
                    self.flow().begin();
                    continue;
                }
                Aftermath::Unauthorized | Aftermath::TooLarge | Aftermath::Final => {
                    return Err(failure);
                }
                Aftermath::Unclear | Aftermath::Odd if self.has_arrived().await? => break,
                Aftermath::Odd | Aftermath::Missing if tries.is_doubted => return Err(failure),
                Aftermath::Odd | Aftermath::Missing => tries.is_doubted = true,
                Aftermath::Unclear | Aftermath::Lost => {}
            }
            let is_misplaced =
                recovery::is_corrupted(&failure) || recovery::is_out_of_step(&failure);
            if mode != Mode::Streamed && is_misplaced {
                self.repository.learned.refuse_chunks();
            }
            if !self.may_try_again(&mut tries, &failure, mode).await {
                let failure = self.in_words(failure).await;
                return Err(self.after_uploads(&tries, failure));
            }
        }
        let now = self.services.clock.now();
        tries.effort.succeeded(economy, now);
        self.finish();
        Ok(())
    }

    fn finish(&self) {
        self.forget();
        self.observe(&Event::BlobFinished {
            digest: &self.descriptor.digest,
            size: self.descriptor.size,
        });
    }

    /// Opens a session, and learns from it how long a small request takes.
    async fn start(&self) -> Result<UploadSession, Failure> {
        let asked = self.services.clock.now();
        let blob = Some(&self.descriptor.digest);
        let session = match self.repository.start_upload(blob).await {
            // An answer that lost its address on the way is not the registry's way to answer.
            Err(failure) if recovery::lacks_location(&failure) => {
                self.repository.start_upload(blob).await?
            }
            opened => opened?,
        };
        let answered = self.services.clock.now().duration_since(asked);
        self.repository.learned.answered_in(answered);
        Ok(session)
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How to send the blob, of which the session holds `held` bytes already.
    fn choose(&self, tries: &Tries, held: u64, bounds: ChunkBounds) -> (Mode, &'static str) {
        let profile = self.repository.profile;
        let learned = &self.repository.learned;
        let size = self.descriptor.size;
        // What was refused as too large stays so, whatever the registry says it wants.
        let cap = [learned.chunk_limit(), bounds.most];
        let cap = cap.into_iter().flatten().min();
        // Another size may be why connections broke, or may not.
        let guess = tries.chunk_cap.unwrap_or(u64::MAX);
        let chunk = self
            .settings
            .chunk_size
            .unwrap_or_else(|| profile.default_chunk())
            .max(1)
            .min(profile.chunk_limit().unwrap_or(u64::MAX))
            .min(cap.unwrap_or(u64::MAX))
            .min(guess);
        let situation = Situation {
            size,
            broken_streams: tries.broken_streams,
            streams_break: learned.streams_break(),
            outlasts: tries.outlasts,
            goodput: learned.goodput(),
            chunk,
            body_refused: learned.body_refused() || bounds.exceeds(size),
            chunks_refused: learned.chunks_refused() || !profile.takes_chunks(),
            resumable: profile.resumes_chunks(),
            overhead: learned.overhead(),
            held,
        };
        let (mode, reason) = mode::choose(self.settings.mode, &situation);
        let least = self.least_chunk(bounds);
        let least = least.filter(|least| cap.is_none_or(|cap| *least <= cap));
        (mode.at_least(least, size), reason)
    }

    /// The smallest chunk but the last that the registry is known to take.
    fn least_chunk(&self, bounds: ChunkBounds) -> Option<u64> {
        bounds.least.max(self.repository.profile.least_chunk())
    }

    /// Notes that a body was too large; `false` if nothing smaller is left to try.
    fn step_down(&self, mode: Mode) -> bool {
        let learned = &self.repository.learned;
        match mode {
            Mode::Chunked(size) => learned.refuse_chunk(size),
            Mode::Streamed if self.settings.mode == UploadMode::Stream => false,
            Mode::Streamed => {
                learned.refuse_body();
                let chunk = self.choose(&Tries::default(), 0, ChunkBounds::default()).0;
                // A blob that fits into one chunk is still streamed: make the chunks smaller.
                chunk != Mode::Streamed || learned.refuse_chunk(self.descriptor.size)
            }
        }
    }

    fn body(&self, session: &UploadSession, offset: u64, length: u64) -> Body {
        let on_sent = self.on_sent(session.handle());
        let body = BlobBody::new(Arc::clone(&self.verifier), offset, length, on_sent);
        Body::Blob(body.paced(self.services.pace.clone()))
    }

    fn all_sent(&self) -> bool {
        self.flow().sent() >= self.descriptor.size
    }

    /// Of what was sent, only the first `held` bytes are not lost.
    fn tell_interrupted(&self, held: u64, cause: &str) {
        self.observe(&Event::BlobInterrupted {
            digest: &self.descriptor.digest,
            offset: held,
            cause,
        });
    }

    fn observe(&self, event: &Event<'_>) {
        self.services.observer.observe(event);
    }
}

fn leave(handle: &SessionHandle) {
    *handle.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Refusals of one blob whose code does not tell whether they are for good, before they are believed.
const REFUSALS: u32 = 3;

const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// `Content-Range` of a chunk: first and last byte, inclusive, without a unit
/// (distribution-spec, "Pushing a blob in chunks").
fn content_range(offset: u64, length: u64) -> HeaderValue {
    let range = format!("{offset}-{}", offset + length - 1);
    HeaderValue::from_str(&range).unwrap_or_else(|_| unreachable!("digits and a hyphen are ASCII"))
}
