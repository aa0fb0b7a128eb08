//! One blob in ranged chunks, resumed where the session stands (distribution-spec, "Pushing a blob in
//! chunks").

use std::time::Duration;

use http::{Method, header};

use super::recovery::{Aftermath, aftermath};
use super::session::UploadSession;
use super::tries::Tries;
use super::{BlobUpload, OCTET_STREAM, content_range, range, recovery};
use crate::failure::Failure;
use crate::request::{Request, Response, Transport};
use crate::step::Step;

impl<T: Transport> BlobUpload<'_, T> {
    /// Sends all but the last chunk from `held` on, then closes the session with that one.
    pub(super) async fn send_chunks(
        &self,
        mut session: UploadSession,
        mut held: u64,
        mut size: u64,
        of_blob: &mut Tries,
    ) -> Result<(), Failure> {
        let mut tries = 0;
        let mut cuts = 0;
        // Tries of one chunk in which a part of it went.
        let mut parts = 0;
        let mut waited = Duration::ZERO;
        // What was answered with success, by our own count.
        let mut acknowledged = held;
        let mut out_of_step = 0;
        while self.descriptor.size - held > size {
            self.remember(&session);
            let mut told = None;
            match self.send_chunk(&mut session, held, size, &mut told).await {
                Ok(now_held) => {
                    held = now_held;
                    acknowledged = held;
                    tries = 0;
                    cuts = 0;
                    parts = 0;
                    out_of_step = 0;
                    waited = Duration::ZERO;
                }
                // The session is as it was, and takes smaller ones.
                Err(failure) if self.takes_smaller(&failure, size) => {
                    size = self.repository.learned.chunk_limit().unwrap_or(size);
                    if self.held(&mut session).await != Standing::Holds(held) {
                        return Err(failure);
                    }
                }
                Err(failure) => {
                    tries += 1;
                    cuts += u32::from(recovery::is_cut(&failure));
                    out_of_step += u32::from(recovery::is_out_of_step(&failure));
                    let sent = self.flow().sent();
                    parts += u32::from(sent > held);
                    waited = self.wait(waited, &failure);
                    if parts > PARTS {
                        waited = waited.max(PATIENCE);
                    }
                    if !recovery::is_resumable(&failure)
                        || out_of_step > OUT_OF_STEP
                        || of_blob.effort.is_spent()
                        || self.is_chunk_given_up(tries, waited)
                    {
                        return Err(failure);
                    }
                    self.tell_interrupted(acknowledged, &recovery::in_one_line(&failure));
                    self.pause(&failure, waited, tries).await;
                    let is_plausible =
                        |held: &u64| (acknowledged..=acknowledged + size).contains(held);
                    // What a refusal says of the session spares a question, once.
                    let told =
                        told.filter(|told| out_of_step == 1 && *told != held && is_plausible(told));
                    let standing = match told {
                        Some(told) => Standing::Holds(told),
                        None => self.held(&mut session).await,
                    };
                    held = match standing {
                        // What the registry says of itself was wrong once: our own count may be right, unless that
                        // is what it has refused.
                        _ if out_of_step == OUT_OF_STEP && acknowledged == held => {
                            return Err(failure);
                        }
                        _ if out_of_step == OUT_OF_STEP => acknowledged,
                        // Less than was acknowledged, or more than was sent: not a session to trust.
                        Standing::Holds(now) if is_plausible(&now) => now,
                        // One that does not say anything is tried once more where it was.
                        Standing::Silent if tries == 1 && out_of_step == 0 => held,
                        _ => return Err(failure),
                    };
                    let economy = &self.repository.learned.economy;
                    let vain = sent.saturating_sub(held);
                    of_blob.effort.repeated(vain, economy);
                    if held > acknowledged {
                        cuts = 0;
                        parts = 0;
                    }
                    if cuts == CUTS {
                        cuts = 0;
                        size = of_blob.cut(size, self.least_chunk(session.bounds()));
                    }
                }
            }
        }
        self.close(&session, held).await
    }

    /// Whether a chunk was refused for its size, and there is a smaller one to try.
    fn takes_smaller(&self, failure: &Failure, size: u64) -> bool {
        aftermath(failure, false) == Aftermath::TooLarge
            && self.repository.learned.refuse_chunk(size)
    }

    /// Whether a chunk has been tried often enough. It costs little to send again, so that time decides,
    /// unless a number was asked for.
    fn is_chunk_given_up(&self, tries: u32, wait: Duration) -> bool {
        let policy = &self.services.retry;
        let idle = self.flow().idle(self.services.clock.now());
        policy.max_tries.is_some_and(|most| tries >= most)
            || idle.saturating_add(wait) > policy.max_time
    }

    /// Sends one chunk, and returns how much the session holds then. A refusal of its place may say in `told` how
    /// much the session holds (distribution-spec, "Pushing a blob in chunks": 416 comes with `Range` and `Location`).
    async fn send_chunk(
        &self,
        session: &mut UploadSession,
        offset: u64,
        length: u64,
        told: &mut Option<u64>,
    ) -> Result<u64, Failure> {
        self.flow().go_on_at(offset);
        let request = Request::new(Step::UploadChunk, Method::PATCH, session.url().clone())
            .header(header::CONTENT_TYPE, OCTET_STREAM)
            .header(header::CONTENT_RANGE, content_range(offset, length))
            .body(self.body(session, offset, length))
            .deadline(chunk_deadline(length))
            .sent_once();
        let response = self.repository.transport().send(&request).await?;
        if response.status == 416 && session.follow(&request, &response).is_ok() {
            *told = reported(&response);
        }
        // ECR answers 201 (https://github.com/jdx/mise/pull/11376).
        let response = response.expect(&request, &[202, 201, 204, 200])?;
        session.follow(&request, &response)?;
        let end = offset + length;
        // A range that does not advance is known to be a header left stale, not a chunk dropped
        // (https://github.com/crashappsec/chalk/pull/682); the digest at the commit decides.
        let held = reported(&response).filter(|held| (offset + 1..=end).contains(held));
        Ok(held.unwrap_or(end))
    }

    /// Asks the session how much it holds.
    pub(super) async fn held(&self, session: &mut UploadSession) -> Standing {
        let request = self.status_request(session);
        let answer = self.standing(session, &request).await;
        answer.unwrap_or(Standing::Silent)
    }

    /// The same for a session of an earlier run, which is asked a few times and not for as long as it may take.
    ///
    /// # Errors
    ///
    /// Why it cannot be asked, or what the registry says instead.
    pub(super) async fn held_perhaps(
        &self,
        session: &mut UploadSession,
    ) -> Result<Standing, Failure> {
        const TRIES: u32 = 4;
        let policy = &self.services.retry;
        let most = policy.max_tries.unwrap_or(TRIES).min(TRIES);
        let mut waited = Duration::ZERO;
        let mut tries = 0;
        loop {
            let request = self.status_request(session).sent_once();
            let failure = match self.standing(session, &request).await {
                Err(failure) if recovery::may_answer_later(&failure) => failure,
                outcome => return outcome,
            };
            tries += 1;
            waited = self.wait(waited, &failure);
            if tries >= most || waited > policy.max_time {
                return Err(failure);
            }
            self.pause(&failure, waited, tries).await;
        }
    }

    async fn standing(
        &self,
        session: &mut UploadSession,
        request: &Request,
    ) -> Result<Standing, Failure> {
        let response = self.repository.transport().send(request).await?;
        if matches!(response.status.as_u16(), 404 | 410) {
            return Ok(Standing::Gone);
        }
        let response = response.expect(request, &[204, 202, 200])?;
        if session.follow(request, &response).is_err() {
            return Ok(Standing::Gone);
        }
        Ok(reported(&response).map_or(Standing::Silent, Standing::Holds))
    }

    fn status_request(&self, session: &UploadSession) -> Request {
        Request::new(Step::UploadStatus, Method::GET, session.url().clone())
            .about(&self.descriptor.digest)
    }
}

/// What a session says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// So many bytes are there.
    Holds(u64),
    /// Nothing.
    Silent,
    /// There is no such session.
    Gone,
}

fn reported(response: &Response) -> Option<u64> {
    range::held(response.header("range")?)
}

/// How long a registry may take to answer a chunk that has been handed over. Some of it may still be in the
/// machine's own buffers then, on a link of 32 KB a second; those hold a few megabytes.
fn chunk_deadline(length: u64) -> Duration {
    const BUFFERED: u64 = 4 * 1024 * 1024;
    Duration::from_secs(60 + length.min(BUFFERED) / 32_000)
}

/// Tries of one chunk in which a part of it went, before it is tried only now and then.
const PARTS: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(30);

/// Times that the connection may break in one chunk before a smaller one is tried.
const CUTS: u32 = 2;

/// Times that registry and client may disagree on where a chunk belongs.
const OUT_OF_STEP: u32 = 2;
