//! One blob in ranged chunks, resumed where the session stands (distribution-spec, "Pushing a blob in
//! chunks").

use std::time::Duration;

use http::{Method, header};

use super::recovery::{Aftermath, aftermath};
use super::session::UploadSession;
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
    ) -> Result<(), Failure> {
        let mut tries = 0;
        let mut waited = Duration::ZERO;
        while self.descriptor.size - held > size {
            self.remember(&session);
            match self.send_chunk(&mut session, held, size).await {
                Ok(now_held) => {
                    held = now_held;
                    tries = 0;
                    waited = Duration::ZERO;
                }
                // The session is as it was, and takes smaller ones.
                Err(failure) if self.takes_smaller(&failure, size) => {
                    size = self.repository.learned.chunk_limit().unwrap_or(size);
                    if self.held(&mut session).await != Some(held) {
                        return Err(failure);
                    }
                }
                Err(failure) => {
                    tries += 1;
                    waited = self.wait(waited, &failure);
                    if !recovery::is_resumable(&failure) || self.is_chunk_given_up(tries, waited) {
                        return Err(failure);
                    }
                    self.pause(&failure, waited, tries).await;
                    match self.held(&mut session).await {
                        // Less than was acknowledged, or more than was sent: not a session to trust.
                        Some(now_held) if (held..=held + size).contains(&now_held) => {
                            held = now_held;
                        }
                        _ => return Err(failure),
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

    /// Sends one chunk, and returns how much the session holds then.
    async fn send_chunk(
        &self,
        session: &mut UploadSession,
        offset: u64,
        length: u64,
    ) -> Result<u64, Failure> {
        let request = Request::new(Step::UploadChunk, Method::PATCH, session.url().clone())
            .header(header::CONTENT_TYPE, OCTET_STREAM)
            .header(header::CONTENT_RANGE, content_range(offset, length))
            .body(self.body(offset, length))
            .deadline(chunk_deadline(length))
            .sent_once();
        let response = self.repository.transport().send(&request).await?;
        // ECR answers 201 (https://github.com/jdx/mise/pull/11376).
        let response = response.expect(&request, &[202, 201, 204])?;
        session.follow(&request, &response)?;
        let end = offset + length;
        // A range that does not advance is known to be a header left stale, not a chunk dropped
        // (https://github.com/crashappsec/chalk/pull/682); the digest at the commit decides.
        let held = reported(&response).filter(|held| (offset + 1..=end).contains(held));
        Ok(held.unwrap_or(end))
    }

    /// Asks the session how much it holds; `None` if it does not say.
    pub(super) async fn held(&self, session: &mut UploadSession) -> Option<u64> {
        let request = Request::new(Step::UploadStatus, Method::GET, session.url().clone());
        let response = self.repository.transport().send(&request).await.ok()?;
        let response = response.expect(&request, &[204, 202, 200]).ok()?;
        session.follow(&request, &response).ok()?;
        reported(&response)
    }
}

fn reported(response: &Response) -> Option<u64> {
    range::held(response.header("range")?)
}

/// How long a registry may take to answer a chunk that has been handed over. Most of it may still be in the
/// machine's own buffers then, on a link of 32 KB a second.
fn chunk_deadline(length: u64) -> Duration {
    Duration::from_secs(120 + length / 32_000)
}
