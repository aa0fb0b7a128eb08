//! Uploading one blob, until the registry has it or says why not.
//!
//! A blob is sent in one session as a stream or in chunks. What breaks is judged by what the registry
//! may hold now ([`recovery`]): a broken chunk is resumed at the offset that the session reports, a
//! closing request without a clear answer is followed by a look whether the blob is there, and never by
//! a second closing request: ghcr.io answers that with 404, and in one case out of five loses the blob
//! (<https://github.com/GoogleContainerTools/jib/issues/4301>).

mod chunks;
mod commit;
mod flow;
pub(crate) mod mode;
pub(crate) mod range;
mod recovery;
mod resumption;
pub(crate) mod session;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use oci_archive::{Blob, Descriptor};
use tokio::sync::OwnedSemaphorePermit;

use crate::body::{BlobBody, OnSent, Verifier};
use crate::failure::Failure;
use crate::observer::Event;
use crate::publication::Slots;
use crate::pusher::Services;
use crate::repository::Repository;
use crate::request::{Body, Transport};
use crate::retry::is_transient;
use crate::step::Step;
use flow::Flow;
use mode::{Mode, Situation, UploadMode};
use recovery::{Aftermath, aftermath};
use resumption::Begun;
use session::{SessionHandle, UploadSession};

/// Sessions that may carry bytes of one blob in vain before giving up on it. A registry that refuses at
/// the end of each would otherwise be sent the blob over and over.
const SESSIONS: u32 = 6;

/// The same for a blob that costs nothing to send.
const SESSIONS_OF_SMALL: u32 = 20;
const SMALL: u64 = 4 * 1024 * 1024;

/// How often the way in which one blob is sent may change before its bytes have gone anywhere.
const MODE_CHANGES: u32 = 8;

/// Streams in which a registry may find other bytes than were sent.
const CORRUPTED_STREAMS: u32 = 2;

/// See [`BlobUpload::respite`].
const RESPITE: Duration = Duration::from_secs(5);

/// Tokens that may be refused for one blob: one can end while it is fetched.
const TOKENS: u32 = 2;

/// How blobs are uploaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadSettings {
    pub(crate) mode: UploadMode,
    pub(crate) chunk_size: Option<u64>,
    /// How long a closing request may go unanswered before the registry is asked whether it has the blob.
    pub(crate) commit_patience: Duration,
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
    slot: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
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
        let mut sessions = 0;
        let mut attempts = 0;
        let mut broken_streams = 0;
        let mut corrupted_streams = 0;
        let mut refused_tokens = 0;
        let mut mode_changes = 0;
        let mut waited = Duration::ZERO;
        let mut resumed = self.resume().await;
        self.take_slot().await;
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
            let (mode, reason) = self.choose(broken_streams, held);
            let least = session
                .least_chunk()
                .max(self.repository.profile.least_chunk());
            // What was refused as too large stays so, whatever the registry says it wants.
            let cap = self.repository.learned.chunk_limit();
            let least = least.filter(|least| cap.is_none_or(|cap| *least <= cap));
            let mode = mode.at_least(least, self.descriptor.size);
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
                Mode::Streamed => self.close(&session, 0).await,
                Mode::Chunked(size) => self.send_chunks(session, held, size).await,
            };
            let Err(failure) = result else { break };
            // A session that has failed is left to expire: it may be the one that is being committed.
            leave(&handle);
            match aftermath(&failure, self.all_sent()) {
                Aftermath::TooLarge if mode_changes < MODE_CHANGES && self.step_down(mode) => {
                    mode_changes += 1;
                    continue;
                }
                _ if mode != Mode::Streamed && recovery::takes_no_chunks(&failure) => {
                    let learned = &self.repository.learned;
                    // Known from now on; the other way is a stream, unless that is refused too.
                    learned.refuse_chunks();
                    if learned.body_refused() || mode_changes == MODE_CHANGES {
                        return Err(failure);
                    }
                    mode_changes += 1;
                    continue;
                }
                Aftermath::Unauthorized if refused_tokens < TOKENS => {
                    refused_tokens += 1;
                    self.flow().begin();
                    continue;
                }
                Aftermath::Unauthorized | Aftermath::TooLarge | Aftermath::Final => {
                    return Err(failure);
                }
                Aftermath::Unclear if self.has_arrived().await? => break,
                Aftermath::Unclear | Aftermath::Lost => {}
            }
            attempts += 1;
            sessions += u32::from(self.flow().sent() > 0);
            broken_streams += u32::from(mode == Mode::Streamed);
            let is_corrupted = recovery::is_corrupted(&failure);
            if mode != Mode::Streamed && (is_corrupted || recovery::is_out_of_step(&failure)) {
                self.repository.learned.refuse_chunks();
            }
            corrupted_streams += u32::from(is_corrupted && mode == Mode::Streamed);
            waited = self
                .wait(waited, &failure)
                .max(self.respite(&failure, sessions));
            if corrupted_streams == CORRUPTED_STREAMS
                || self.is_given_up(attempts, sessions, waited)
            {
                return Err(failure);
            }
            self.release_slot();
            self.pause(&failure, waited, attempts).await;
        }
        self.forget();
        self.observe(&Event::BlobFinished {
            digest: &self.descriptor.digest,
            size: self.descriptor.size,
        });
        Ok(())
    }

    /// Opens a session, and learns from it how long a small request takes.
    async fn start(&self) -> Result<UploadSession, Failure> {
        let asked = self.services.clock.now();
        let session = self.repository.start_upload().await?;
        let answered = self.services.clock.now().duration_since(asked);
        self.repository.learned.answered_in(answered);
        Ok(session)
    }

    /// Whether another try after `wait` would be one too many.
    fn is_given_up(&self, attempts: u32, sessions: u32, wait: Duration) -> bool {
        let policy = &self.services.retry;
        let most = if self.descriptor.size < SMALL {
            SESSIONS_OF_SMALL
        } else {
            SESSIONS
        };
        let idle = self.flow().idle(self.services.clock.now());
        sessions >= most
            || policy.max_tries.is_some_and(|tries| attempts >= tries)
            || idle.saturating_add(wait) > policy.max_time
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How to send the blob, of which the session holds `held` bytes already.
    fn choose(&self, broken_streams: u32, held: u64) -> (Mode, &'static str) {
        let profile = self.repository.profile;
        let learned = &self.repository.learned;
        let chunk = self
            .settings
            .chunk_size
            .unwrap_or_else(|| profile.default_chunk())
            .max(1)
            .min(profile.chunk_limit().unwrap_or(u64::MAX))
            .min(learned.chunk_limit().unwrap_or(u64::MAX));
        let situation = Situation {
            size: self.descriptor.size,
            broken_streams,
            goodput: learned.goodput(),
            chunk,
            body_refused: learned.body_refused(),
            chunks_refused: learned.chunks_refused() || !profile.takes_chunks(),
            overhead: learned.overhead(),
            held,
        };
        mode::choose(self.settings.mode, &situation)
    }

    /// Notes that a body was too large; `false` if nothing smaller is left to try.
    fn step_down(&self, mode: Mode) -> bool {
        let learned = &self.repository.learned;
        match mode {
            Mode::Chunked(size) => learned.refuse_chunk(size),
            Mode::Streamed if self.settings.mode == UploadMode::Stream => false,
            Mode::Streamed => {
                learned.refuse_body();
                let chunk = self.choose(0, 0).0;
                // A blob that fits into one chunk is still streamed: make the chunks smaller.
                chunk != Mode::Streamed || learned.refuse_chunk(self.descriptor.size)
            }
        }
    }

    fn body(&self, offset: u64, length: u64) -> Body {
        let on_sent = self.on_sent();
        let body = BlobBody::new(Arc::clone(&self.verifier), offset, length, on_sent);
        Body::Blob(body.paced(self.services.pace.clone()))
    }

    /// Reports progress, and gives the slot back with the last byte.
    fn on_sent(&self) -> OnSent {
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

    async fn take_slot(&self) {
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
    fn release_slot(&self) {
        self.slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// The least to wait before a large blob is sent again as a whole to a registry that is in trouble: six
    /// sessions are to last for minutes, or an outage would use them up.
    fn respite(&self, failure: &Failure, sessions: u32) -> Duration {
        let is_large = self.descriptor.size >= SMALL;
        let is_trouble = failure
            .rejection()
            .is_some_and(|rejection| is_transient(rejection.status.as_u16()));
        if is_large && is_trouble && self.all_sent() {
            RESPITE * 2_u32.saturating_pow(sessions.saturating_sub(1).min(4))
        } else {
            Duration::ZERO
        }
    }

    fn all_sent(&self) -> bool {
        self.flow().sent() >= self.descriptor.size
    }

    /// How long to wait after a failure and a wait of `previous`.
    fn wait(&self, previous: Duration, failure: &Failure) -> Duration {
        let services = self.services;
        let advised = recovery::advised(failure);
        services
            .retry
            .wait(previous, advised, services.clock.fraction())
    }

    async fn pause(&self, failure: &Failure, wait: Duration, attempt: u32) {
        self.services.tally.count_retry();
        self.slots.trouble(self.services.clock.now());
        self.observe(&Event::Retrying {
            step: failure.step().unwrap_or(Step::UploadBlob),
            digest: Some(&self.descriptor.digest),
            cause: &recovery::in_one_line(failure),
            wait,
            attempt,
        });
        self.services.clock.sleep(wait).await;
    }

    fn observe(&self, event: &Event<'_>) {
        self.services.observer.observe(event);
    }
}

fn leave(handle: &SessionHandle) {
    *handle.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

const OCTET_STREAM: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// `Content-Range` of a chunk: first and last byte, inclusive, without a unit
/// (distribution-spec, "Pushing a blob in chunks").
fn content_range(offset: u64, length: u64) -> HeaderValue {
    let range = format!("{offset}-{}", offset + length - 1);
    HeaderValue::from_str(&range).unwrap_or_else(|_| unreachable!("digits and a hyphen are ASCII"))
}
