//! How often and for how long one blob is tried.

use std::time::Duration;

use super::effort::Effort;
use super::mode::BROKEN_STREAMS;
use super::recovery::{self, Aftermath};
use super::{BlobUpload, Mode};
use crate::failure::Failure;
use crate::observer::Event;
use crate::repository::smaller_chunk;
use crate::request::Transport;
use crate::retry::{SETTLING_TIME, SETTLING_WAIT, is_transient};
use crate::step::Step;

/// What is small is sent again as fast as a request is repeated.
const SMALL: u64 = 4 * 1024 * 1024;

/// How often the way in which one blob is sent may change before its bytes have gone anywhere.
pub(super) const MODE_CHANGES: u32 = 8;

/// Streams in which a registry may find other bytes than were sent.
const CORRUPTED_STREAMS: u32 = 2;

/// Answers to the bodies of one blob that may be no HTTP.
const MALFORMED_ANSWERS: u32 = 2;

/// See [`BlobUpload::respite`], in seconds.
const RESPITES: [u64; 3] = [5, 60, 300];
const RESPITES_OF_SMALL: [u64; 3] = [0, 15, 300];

/// Uploads that may break off before waits become long: the link may be out for minutes.
const BREAKS: u32 = 5;
const BREAK_RESPITE: Duration = Duration::from_secs(30);

/// Tokens that may be refused for one blob: each can end while it is sent. What a large blob costs ends it sooner.
pub(super) const TOKENS: u32 = 10;

/// What has been tried for one blob.
#[derive(Debug, Default)]
pub(super) struct Tries {
    attempts: u32,
    pub(super) effort: Effort,
    /// Whether the registry has answered once already in a way that means nothing.
    pub(super) is_doubted: bool,
    /// Whether the blob was given up for what it had cost, not for the time.
    is_given_up: bool,
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

    /// Takes note of a body that was refused for its token; `true` if the blob has cost enough.
    pub(super) fn refuse_token(&self, tries: &mut Tries) -> bool {
        tries.refused_tokens += 1;
        let economy = &self.repository.learned.economy;
        let sent = self.flow().sent();
        tries
            .effort
            .failed(sent, self.descriptor.size, true, economy);
        tries.effort.is_spent()
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
        let size = self.descriptor.size;
        let sent = self.flow().sent();
        let economy = &self.repository.learned.economy;
        let is_limit = recovery::is_limit(failure);
        tries.effort.failed(sent, size, is_limit, economy);
        if self.is_unsettled(failure) {
            let Some(wait) = settling_wait(tries.settled) else {
                tries.is_given_up = true;
                return false;
            };
            tries.settled += wait;
            tries.waited = wait;
        } else {
            tries.broken_streams += u32::from(is_stream);
            let is_corrupted = recovery::is_corrupted(failure);
            tries.corrupted_streams += u32::from(is_corrupted && is_stream);
            tries.waited = self
                .wait(tries.waited, failure)
                .max(self.respite(failure, tries.effort.uploads()));
        }
        if let Mode::Chunked(size) = mode
            && recovery::is_cut(failure)
        {
            tries.cut(size, self.repository.profile.least_chunk());
        }
        tries.malformed_answers += u32::from(recovery::is_malformed(failure));
        if tries.corrupted_streams == CORRUPTED_STREAMS
            || tries.malformed_answers == MALFORMED_ANSWERS
        {
            return false;
        }
        let is_spent = tries.effort.is_spent();
        if !is_spent && self.is_out_of_time(tries) {
            return false;
        }
        // A refusal for a limit is waited for: the next upload is as likely to pass as the first.
        if is_spent || !(tries.effort.affords(size, economy) || is_limit) {
            tries.is_given_up = true;
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
    fn is_out_of_time(&self, tries: &Tries) -> bool {
        let policy = &self.services.retry;
        let idle = self.flow().idle(self.services.clock.now());
        policy.max_tries.is_some_and(|most| tries.attempts >= most)
            || idle.saturating_add(tries.waited) > policy.max_time
    }

    /// The failure of a blob that has been uploaded again and again.
    pub(super) fn after_uploads(&self, tries: &Tries, failure: Failure) -> Failure {
        let uploads = tries.effort.uploads();
        if !tries.is_given_up || uploads < 2 {
            return failure;
        }
        Failure::GaveUp {
            digest: self.descriptor.digest.clone(),
            uploads,
            last: Box::new(failure),
        }
    }

    /// The least to wait before a blob is sent again as a whole to a registry that is in trouble: the few uploads are
    /// to last for minutes, or an outage would use them up. Until then small requests find out whether it is over.
    fn respite(&self, failure: &Failure, uploads: u32) -> Duration {
        let is_trouble = failure
            .rejection()
            .is_some_and(|rejection| is_transient(rejection.status.as_u16()));
        if is_trouble && self.all_sent() {
            let waits = if self.descriptor.size < SMALL {
                RESPITES_OF_SMALL
            } else {
                RESPITES
            };
            let number = usize::try_from(uploads.saturating_sub(1)).unwrap_or(usize::MAX);
            Duration::from_secs(waits[number.min(waits.len() - 1)])
        } else if uploads >= BREAKS {
            BREAK_RESPITE
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
        let now = self.services.clock.now();
        self.slots.trouble(now);
        if recovery::is_limit(failure) && !self.services.teller.is_news(wait, now) {
            return self.services.clock.sleep(wait).await;
        }
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

/// The wait for the rights to a new package after `waited` for them, `None` once that was a minute. It grows, since a
/// body is sent after each.
fn settling_wait(waited: Duration) -> Option<Duration> {
    let left = SETTLING_TIME
        .checked_sub(waited)
        .filter(|left| !left.is_zero())?;
    let wait = SETTLING_WAIT + waited * 3;
    // The last upload is at the end of the time.
    let is_last = left < wait + SETTLING_WAIT * 12;
    Some(if is_last { left } else { wait })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_package_is_given_a_minute() {
        let mut waited = Duration::ZERO;
        let mut waits = Vec::new();
        while let Some(wait) = settling_wait(waited) {
            waited += wait;
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [3, 12, 45]);
    }
}
