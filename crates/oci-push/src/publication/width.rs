//! How many large blobs are sent at a time, found out while they are.
//!
//! One connection seldom fills a link, and too many are taken for abuse: sixteen at a time have met
//! ghcr.io's limit (<https://github.com/fermyon/developer/issues/589>). So the number grows as long as
//! that brings something, and is halved when the registry is in trouble.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tally::Tally;

/// Where it begins; what buildx and crane use.
const FIRST: usize = 4;

/// Where it ends.
const MOST: usize = 8;

/// How long a width is tried before it is judged.
const WINDOW: Duration = Duration::from_secs(3);

/// What one more has to bring, as a factor.
const WORTH: f64 = 1.1;

/// Two troubles within this time are no accident.
const BURST: Duration = Duration::from_secs(10);

/// How long nothing is tried after trouble.
const CALM: Duration = Duration::from_secs(30);

/// Slots for blobs whose bytes are in flight.
#[derive(Debug)]
pub(crate) struct Slots {
    semaphore: Arc<Semaphore>,
    /// `None` for a number that was asked for.
    adaptive: Option<Mutex<Adaptive>>,
    /// Slots that are about to become free, and for which nothing is prepared.
    ending: Semaphore,
    /// The most that are counted there.
    most: usize,
    /// Who has it is sent alone: nobody else gets a slot meanwhile.
    link: Arc<Semaphore>,
    /// Bytes of all blobs.
    total: AtomicU64,
    /// Who knows of limits that the registry has told.
    tally: Arc<Tally>,
}

impl Slots {
    /// So many, always.
    pub(crate) fn fixed(slots: usize, tally: Arc<Tally>) -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(slots.max(1))),
            adaptive: None,
            ending: Semaphore::new(0),
            most: slots.max(1),
            link: Arc::new(Semaphore::new(1)),
            total: AtomicU64::new(0),
            tally,
        }
    }

    /// As many as bring something.
    pub(crate) fn adaptive(now: Instant, tally: Arc<Tally>) -> Self {
        Self {
            adaptive: Some(Mutex::new(Adaptive::new(now, tally.limits()))),
            ..Self::fixed(FIRST, tally)
        }
    }

    /// Waits for a slot, which is given back when it is dropped.
    pub(crate) async fn take(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            // The semaphore is never closed; without a permit the upload would go ahead all the same.
            let permit = Arc::clone(&self.semaphore).acquire_owned().await.ok()?;
            if !self.judge().is_some_and(|mut judge| judge.take_back()) {
                // What was about to become free is taken.
                if let Ok(ending) = self.ending.try_acquire() {
                    ending.forget();
                }
                drop(self.link.acquire().await);
                return Some(permit);
            }
            permit.forget();
        }
    }

    /// Takes the link, for a blob that has a slot; `None` if another blob has it.
    pub(crate) fn take_link(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.link).try_acquire_owned().ok()
    }

    /// Bytes that all blobs have sent.
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Completes for one of those who wait for a slot when one is about to become free.
    pub(crate) async fn nearly_free(&self) {
        match self.ending.acquire().await {
            Ok(ending) => ending.forget(),
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// A slot is about to become free.
    pub(crate) fn ends_soon(&self) {
        if self.ending.available_permits() < self.most {
            self.ending.add_permits(1);
        }
    }

    /// Bytes are on their way.
    pub(crate) fn sent(&self, bytes: u64, now: Instant) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
        let is_full = self.semaphore.available_permits() == 0;
        let Some(mut judge) = self.judge() else {
            return;
        };
        judge.limited(self.tally.limits(), now);
        if judge.sent(bytes, is_full, now) {
            self.semaphore.add_permits(1);
        }
    }

    /// The registry, or the way to it, is in trouble.
    pub(crate) fn trouble(&self, now: Instant) {
        if let Some(mut judge) = self.judge() {
            judge.trouble(now);
        }
    }

    fn judge(&self) -> Option<MutexGuard<'_, Adaptive>> {
        let adaptive = self.adaptive.as_ref()?;
        Some(adaptive.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The judgement, made purely.
#[derive(Debug)]
struct Adaptive {
    width: usize,
    /// Slots that are given back before another blob gets one.
    surplus: usize,
    /// The rate before the width grew last, in bytes a second.
    before: Option<f64>,
    window: (Instant, u64),
    /// Until when nothing is tried.
    quiet_until: Option<Instant>,
    /// More does not bring anything.
    settled: bool,
    last_trouble: Option<Instant>,
    /// Limits that the registry has told, of any request.
    limits: u64,
}

impl Adaptive {
    fn new(now: Instant, limits: u64) -> Self {
        Self {
            width: FIRST,
            surplus: 0,
            before: None,
            window: (now, 0),
            quiet_until: None,
            settled: false,
            last_trouble: None,
            limits,
        }
    }

    /// Takes note of bytes; `true` if one more blob may be sent at a time from now on.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits of size"
    )]
    fn sent(&mut self, bytes: u64, is_full: bool, now: Instant) -> bool {
        if !is_full || self.settled || self.quiet_until.is_some_and(|until| now < until) {
            // A time in which there was less to do says nothing.
            self.window = (now, 0);
            return false;
        }
        self.window.1 += bytes;
        let lasted = now.saturating_duration_since(self.window.0);
        if lasted < WINDOW {
            return false;
        }
        let rate = self.window.1 as f64 / lasted.as_secs_f64();
        self.window = (now, 0);
        match self.before {
            Some(before) if rate < before * WORTH => {
                self.width -= 1;
                self.surplus += 1;
                self.settled = true;
                false
            }
            _ if self.width == MOST => {
                self.settled = true;
                false
            }
            _ => {
                self.before = Some(rate);
                self.width += 1;
                self.surplus == 0 || {
                    // One that was to be given back is kept instead.
                    self.surplus -= 1;
                    false
                }
            }
        }
    }

    fn trouble(&mut self, now: Instant) {
        if self.quiet_until.is_some_and(|until| now < until) {
            // It is the same trouble, met by several blobs.
            return;
        }
        let last = self.last_trouble.replace(now);
        if last.is_some_and(|last| now.saturating_duration_since(last) <= BURST) {
            self.halve(now);
        }
    }

    /// Takes note of how many limits the registry has told. One is no accident.
    fn limited(&mut self, limits: u64, now: Instant) {
        let is_news = limits > self.limits;
        self.limits = limits;
        if is_news && self.quiet_until.is_none_or(|until| now >= until) {
            self.halve(now);
        }
    }

    fn halve(&mut self, now: Instant) {
        let halved = (self.width / 2).max(1);
        self.surplus += self.width - halved;
        self.width = halved;
        self.before = None;
        self.settled = false;
        self.quiet_until = Some(now + CALM);
    }

    /// Whether a slot is one too many.
    fn take_back(&mut self) -> bool {
        let is_surplus = self.surplus > 0;
        self.surplus = self.surplus.saturating_sub(1);
        is_surplus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The widths that a link with these rates at widths 1, 2, ... leads to, window by window.
    fn widths(rate: impl Fn(usize) -> u64, windows: usize) -> Vec<usize> {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 0);
        let mut widths = Vec::new();
        for window in 1..=windows {
            let now = start + WINDOW * u32::try_from(window).expect("few");
            let bytes = rate(adaptive.width) * WINDOW.as_secs();
            adaptive.sent(bytes, true, now);
            widths.push(adaptive.width);
        }
        widths
    }

    #[test]
    fn it_grows_as_long_as_it_helps() {
        let by_stream = |width: usize| 10_000_000 * width as u64;
        assert_eq!(widths(by_stream, 7), [5, 6, 7, 8, 8, 8, 8]);
        let by_link = |_| 40_000_000;
        assert_eq!(widths(by_link, 4), [5, 4, 4, 4]);
        let up_to_six = |width: usize| 10_000_000 * width.min(6) as u64;
        assert_eq!(widths(up_to_six, 5), [5, 6, 7, 6, 6]);
    }

    #[test]
    fn trouble_halves_it_for_a_while() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut adaptive = Adaptive::new(start, 0);
        adaptive.trouble(at(1));
        assert_eq!(adaptive.width, FIRST, "once is an accident");
        for seconds in 2..6 {
            adaptive.trouble(at(seconds));
        }
        assert_eq!((adaptive.width, adaptive.surplus), (2, 2));
        assert!(adaptive.take_back() && adaptive.take_back() && !adaptive.take_back());
        assert!(!adaptive.sent(1_000_000, true, at(20)));
        assert!(!adaptive.sent(1_000_000, true, at(31)));
        assert!(!adaptive.sent(1_000_000, true, at(33)));
        assert!(adaptive.sent(1_000_000, true, at(35)));
        assert_eq!(adaptive.width, 3);
        for seconds in [100, 101, 200, 201, 300, 301] {
            adaptive.trouble(at(seconds));
        }
        assert_eq!(adaptive.width, 1);
    }

    #[test]
    fn a_limit_halves_at_once() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut adaptive = Adaptive::new(start, 3);
        for (limits, seconds, width) in [(3, 1, 4), (4, 2, 2), (9, 3, 2), (9, 40, 2), (10, 41, 1)] {
            adaptive.limited(limits, at(seconds));
            assert_eq!(adaptive.width, width, "after {seconds} s");
        }
    }

    #[tokio::test]
    async fn what_nobody_waited_for_is_not_kept() {
        let slots = Slots::fixed(1, Arc::default());
        let first = slots.take().await;
        for _ in 0..3 {
            slots.ends_soon();
        }
        slots.nearly_free().await;
        let again = tokio::time::timeout(Duration::from_millis(20), slots.nearly_free()).await;
        assert!(again.is_err(), "one slot is one slot");
        slots.ends_soon();
        drop(first);
        let _second = slots.take().await;
        let again = tokio::time::timeout(Duration::from_millis(20), slots.nearly_free()).await;
        assert!(again.is_err(), "the slot has been taken");
    }

    #[tokio::test]
    async fn whoever_has_the_link_is_alone() {
        let slots = Slots::fixed(2, Arc::default());
        let _slot = slots.take().await;
        let link = slots.take_link();
        assert!(link.is_some() && slots.take_link().is_none());
        let waits = tokio::time::timeout(Duration::from_millis(20), slots.take()).await;
        assert!(waits.is_err(), "there is a slot, but not for now");
        drop(link);
        assert!(slots.take().await.is_some());
    }

    #[test]
    fn less_to_do_says_nothing() {
        let start = Instant::now();
        let mut adaptive = Adaptive::new(start, 0);
        assert!(!adaptive.sent(1, false, start + WINDOW));
        assert!(!adaptive.sent(1, true, start + WINDOW));
        assert_eq!(adaptive.width, FIRST);
    }

    #[tokio::test]
    async fn surplus_slots_are_not_given_out() {
        let slots = Slots::adaptive(Instant::now(), Arc::default());
        let mut taken = Vec::new();
        for _ in 0..FIRST {
            taken.push(slots.take().await);
        }
        slots.trouble(Instant::now());
        slots.trouble(Instant::now());
        taken.truncate(2);
        let waits = tokio::time::timeout(Duration::from_millis(50), slots.take()).await;
        assert!(waits.is_err(), "two are in use, and two are allowed");
        taken.clear();
        assert!(slots.take().await.is_some());
    }
}
