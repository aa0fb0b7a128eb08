//! How often and for how long one blob is tried.

use std::time::Duration;

use super::effort::{Effort, SMALL};
use super::mode::BROKEN_STREAMS;
use super::recovery::{self, Aftermath};
use super::turns::{Turn, spread};
use super::{BlobUpload, Mode};
use crate::failure::Failure;
use crate::observer::Event;
use crate::repository::smaller_chunk;
use crate::request::Transport;
use crate::retry::{self, SETTLING_TIME, SETTLING_WAIT, is_transient};
use crate::step::Step;

/// How often the way in which one blob is sent may change before its bytes have gone anywhere.
pub(super) const MODE_CHANGES: u32 = 8;

/// Streams in which a registry may find other bytes than were sent.
const CORRUPTED_STREAMS: u32 = 2;

/// Answers to the bodies of one blob that may be no HTTP.
const MALFORMED_ANSWERS: u32 = 2;

/// Uploads of a blob that end in a way that has nothing to do with an outage, a limit or the age of a package.
const REFUSED_UPLOADS: u32 = 4;

/// The wait before a large body is sent again to a registry that has answered the first whole one with trouble.
const RESPITE: Duration = Duration::from_secs(5);

/// Uploads that break off before waits become long: links do that now and then.
const BREAKS: u32 = 2;

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
    /// Nothing yet, for a blob of `size` bytes that the economy knows by `number`.
    pub(super) fn new(number: u64, size: u64) -> Self {
        Self {
            effort: Effort::new(number, size),
            ..Self::default()
        }
    }

    /// Connections broke in chunks of `size` bytes: perhaps their size is why. Returns the size to go on with, which
    /// is none that the registry is known to find too small, and else no larger than what was found out before.
    pub(super) fn cut(&mut self, size: u64, least: Option<u64>) -> u64 {
        let cap = smaller_chunk(size).unwrap_or(size);
        let cap = self.chunk_cap.map_or(cap, |known| known.min(cap));
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
        tries.effort.failed(sent, false, economy);
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
        let sent = self.flow().sent();
        let economy = &self.repository.learned.economy;
        let is_cut = recovery::is_cut(failure);
        tries.effort.failed(sent, is_cut, economy);
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
            tries.waited = self.wait(tries.waited, failure);
        }
        if let Mode::Chunked(size) = mode
            && is_cut
        {
            tries.cut(size, self.repository.profile.least_chunk());
        }
        tries.malformed_answers += u32::from(recovery::is_malformed(failure));
        if tries.corrupted_streams == CORRUPTED_STREAMS
            || tries.malformed_answers == MALFORMED_ANSWERS
        {
            return false;
        }
        if self.is_out_of_time(tries) {
            return false;
        }
        let is_waited_out =
            is_outage(failure) || recovery::is_limit(failure) || self.is_unsettled(failure);
        if !is_waited_out && tries.effort.uploads() >= REFUSED_UPLOADS {
            tries.is_given_up = true;
            return false;
        }
        self.release_slot();
        self.comes_to_its_turn(tries, failure).await
    }

    /// Waits until the blob may be sent again, by itself or after others; `false` if it may not.
    async fn comes_to_its_turn(&self, tries: &mut Tries, failure: &Failure) -> bool {
        let economy = &self.repository.learned.economy;
        let number = tries.effort.number();
        economy.queue(number);
        loop {
            let change = economy.change();
            match economy.turn(number, tries.effort.left()) {
                Turn::Again { is_relieved } => {
                    let wait = if is_relieved {
                        Duration::ZERO
                    } else {
                        tries.waited.max(self.respite(tries, failure, u64::MAX))
                    };
                    self.pause(failure, wait, tries.attempts).await;
                    return true;
                }
                Turn::Probe { uploads } => {
                    // Those before it may have taken all the time.
                    if self.is_out_of_time(tries) {
                        return false;
                    }
                    let respite = uploads.map(|uploads| self.respite(tries, failure, uploads));
                    let wait = tries.waited.max(respite.unwrap_or_default());
                    self.pause(failure, wait, tries.attempts).await;
                    if economy.is_cheapest(number) {
                        return true;
                    }
                }
                Turn::Wait => change.await,
                Turn::Never => {
                    tries.is_given_up = true;
                    return false;
                }
            }
        }
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
        policy.max_tries.is_some_and(|most| tries.attempts >= most)
            || self.idle().saturating_add(tries.waited) > policy.max_time
    }

    /// The time for which neither the blob got further nor another was stored.
    fn idle(&self) -> Duration {
        let now = self.services.clock.now();
        let idle = self.flow().idle(now);
        let others = self.repository.learned.economy.idle(now);
        others.map_or(idle, |others| others.min(idle))
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

    /// The least to wait before a blob is sent again of which `uploads` are affordable: the last of them are spread
    /// over the time that is left, or an outage would use them up.
    fn respite(&self, tries: &Tries, failure: &Failure, uploads: u64) -> Duration {
        if self.descriptor.size < SMALL || !is_outage(failure) {
            return Duration::ZERO;
        }
        let status = failure
            .rejection()
            .map(|rejection| rejection.status.as_u16());
        let is_trouble = status.is_some_and(is_transient) && self.all_sent();
        let is_whole = status.is_none_or(retry::is_outage);
        let first = if is_trouble { RESPITE } else { Duration::ZERO };
        let quick = if self.all_sent() { 1 } else { BREAKS };
        if tries.effort.uploads() <= quick {
            return first;
        }
        let left = self.services.retry.max_time.saturating_sub(self.idle());
        match uploads {
            // A link breaks for shorter than a registry is in trouble.
            2.. if !is_trouble => spread(uploads.saturating_add(2), left),
            // Nor does a fault in this very request last as an outage does.
            uploads if !is_whole => spread(uploads.saturating_add(1), left).max(first),
            uploads => spread(uploads, left).max(first),
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

/// Whether it is what happens while a registry, or the way to it, is out.
fn is_outage(failure: &Failure) -> bool {
    match failure {
        Failure::Unanswered(_) => true,
        Failure::Rejected(rejection) => is_transient(rejection.status.as_u16()),
        _ => false,
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

    /// A session that has failed is told by the size that it began with.
    #[test]
    fn chunks_that_were_cut_stay_cut() {
        const MIB: u64 = 1024 * 1024;
        let mut tries = Tries::default();
        for (size, least, expected) in [
            (32 * MIB, None, 16 * MIB),
            (16 * MIB, None, 4 * MIB),
            (4 * MIB, None, 3 * MIB),
            (32 * MIB, None, 3 * MIB),
            (32 * MIB, Some(5 * MIB), 5 * MIB),
            (3 * MIB, None, MIB),
            (MIB, Some(5 * MIB), MIB),
        ] {
            assert_eq!(tries.cut(size, least), expected, "{size} {least:?}");
            assert_eq!(tries.chunk_cap, Some(expected));
        }
    }

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
