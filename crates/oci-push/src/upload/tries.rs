//! How often and for how long one blob is tried.

use std::time::Duration;

use super::mode::BROKEN_STREAMS;
use super::recovery::{self, Aftermath};
use super::{BlobUpload, Mode};
use crate::failure::Failure;
use crate::observer::Event;
use crate::repository::smaller_chunk;
use crate::request::Transport;
use crate::retry::{SETTLING_TIME, SETTLING_WAIT, is_transient};
use crate::step::Step;

/// Sessions that may carry bytes of one blob in vain before giving up on it. A registry that refuses at
/// the end of each would otherwise be sent the blob over and over.
const SESSIONS: u32 = 6;

/// The same for a blob that costs nothing to send.
const SESSIONS_OF_SMALL: u32 = 20;
const SMALL: u64 = 4 * 1024 * 1024;

/// How often the way in which one blob is sent may change before its bytes have gone anywhere.
pub(super) const MODE_CHANGES: u32 = 8;

/// Streams in which a registry may find other bytes than were sent.
const CORRUPTED_STREAMS: u32 = 2;

/// Answers to the bodies of one blob that may be no HTTP.
const MALFORMED_ANSWERS: u32 = 2;

/// See [`BlobUpload::respite`].
const RESPITE: Duration = Duration::from_secs(5);

/// Tokens that may be refused for one blob: one can end while it is fetched.
pub(super) const TOKENS: u32 = 2;

/// What has been tried for one blob.
#[derive(Debug, Default)]
pub(super) struct Tries {
    attempts: u32,
    sessions: u32,
    pub(super) broken_streams: u32,
    corrupted_streams: u32,
    malformed_answers: u32,
    pub(super) refused_tokens: u32,
    pub(super) mode_changes: u32,
    /// Whether a stream of the blob would take longer than the registry lets a request take.
    pub(super) outlasts: bool,
    /// No chunk of the blob is to be larger: connections broke.
    pub(super) chunk_cap: Option<u64>,
    waited: Duration,
    /// The time given to the rights to a new package.
    settled: Duration,
}

impl Tries {
    /// Connections broke in chunks of `size` bytes: perhaps their size is why. Returns the size to go on with, which
    /// is none that the registry is known to find too small.
    pub(super) fn cut(&mut self, size: u64, least: Option<u64>) -> u64 {
        let cap = smaller_chunk(size).unwrap_or(size);
        let cap = cap.max(least.unwrap_or(0)).min(size);
        self.chunk_cap = Some(cap);
        cap
    }
}

impl<T: Transport> BlobUpload<'_, T> {
    /// Takes to heart, for other blobs, in what way this one went through at last.
    pub(super) fn learn(&self, tries: &Tries, mode: Mode) {
        if mode == Mode::Streamed {
            return;
        }
        let learned = &self.repository.learned;
        if tries.broken_streams >= BROKEN_STREAMS {
            learned.note_broken_streams();
        }
        if let Some(cap) = tries.chunk_cap {
            learned.limit_chunks(cap);
        }
    }

    /// Waits before another try of the blob, which was sent in `mode`; `false` if there is to be none.
    pub(super) async fn may_try_again(
        &self,
        tries: &mut Tries,
        failure: &Failure,
        mode: Mode,
    ) -> bool {
        tries.attempts += 1;
        let is_stream = mode == Mode::Streamed;
        if self.is_unsettled(failure) {
            let is_small = self.descriptor.size < SMALL;
            let Some(wait) = settling_wait(tries.settled, is_small) else {
                return false;
            };
            tries.settled += wait;
            tries.waited = wait;
        } else {
            tries.broken_streams += u32::from(is_stream);
            tries.sessions += u32::from(self.flow().sent() > 0);
            let is_corrupted = recovery::is_corrupted(failure);
            tries.corrupted_streams += u32::from(is_corrupted && is_stream);
            tries.waited = self
                .wait(tries.waited, failure)
                .max(self.respite(failure, tries.sessions));
        }
        if let Mode::Chunked(size) = mode
            && recovery::is_cut(failure)
        {
            tries.cut(size, self.repository.profile.least_chunk());
        }
        tries.malformed_answers += u32::from(recovery::is_malformed(failure));
        if tries.corrupted_streams == CORRUPTED_STREAMS
            || tries.malformed_answers == MALFORMED_ANSWERS
            || self.is_given_up(tries)
        {
            return false;
        }
        self.release_slot();
        self.pause(failure, tries.waited, tries.attempts).await;
        true
    }

    /// What the registry may hold after `failure`.
    pub(super) fn aftermath(&self, failure: &Failure) -> Aftermath {
        match recovery::aftermath(failure, self.all_sent()) {
            Aftermath::Final if self.is_unsettled(failure) => Aftermath::Lost,
            aftermath => aftermath,
        }
    }

    /// Whether it is a refusal by a package that this run has created.
    fn is_unsettled(&self, failure: &Failure) -> bool {
        recovery::may_settle(failure) && self.services.packages.is_new(self.repository.uploads())
    }

    /// Whether another try after the wait would be one too many.
    fn is_given_up(&self, tries: &Tries) -> bool {
        let policy = &self.services.retry;
        let most = if self.descriptor.size < SMALL {
            SESSIONS_OF_SMALL
        } else {
            SESSIONS
        };
        let idle = self.flow().idle(self.services.clock.now());
        tries.sessions >= most
            || policy.max_tries.is_some_and(|most| tries.attempts >= most)
            || idle.saturating_add(tries.waited) > policy.max_time
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

    /// How long to wait after a failure and a wait of `previous`.
    pub(super) fn wait(&self, previous: Duration, failure: &Failure) -> Duration {
        let services = self.services;
        let advised = recovery::advised(failure);
        services
            .retry
            .wait(previous, advised, services.clock.fraction())
    }

    pub(super) async fn pause(&self, failure: &Failure, wait: Duration, attempt: u32) {
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

    /// The words of the registry in place of a broken connection, if a small request gets any. A registry that
    /// refuses a body before it has read it, and closes the connection, resets it: its answer is lost with what was
    /// on the way.
    pub(super) async fn in_words(&self, failure: Failure) -> Failure {
        let is_cut = matches!(failure, Failure::Unanswered(_)) && !self.all_sent();
        if !is_cut || self.flow().sent() == 0 {
            return failure;
        }
        match self.repository.start_upload_once().await {
            Err(refusal @ Failure::Rejected(_)) => refusal,
            _ => failure,
        }
    }
}

/// The wait for the rights to a new package after `waited` for them, `None` once that was a minute. What is large is
/// sent less often.
fn settling_wait(waited: Duration, is_small: bool) -> Option<Duration> {
    let left = SETTLING_TIME
        .checked_sub(waited)
        .filter(|left| !left.is_zero())?;
    let wait = if is_small {
        SETTLING_WAIT
    } else {
        waited + SETTLING_WAIT
    };
    Some(wait.min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_package_is_given_a_minute() {
        for (is_small, expected) in [(true, &[3; 20][..]), (false, &[3, 6, 12, 24, 15][..])] {
            let mut waited = Duration::ZERO;
            let mut waits = Vec::new();
            while let Some(wait) = settling_wait(waited, is_small) {
                waited += wait;
                waits.push(wait.as_secs());
            }
            assert_eq!(waits, expected);
        }
    }
}
