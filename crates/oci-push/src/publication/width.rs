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

/// How many are added at a time. One of eight would show less than the rate differs by itself.
const STEP: usize = 2;

/// What new connections are given to get going before their rate counts: ten round trips of 50 ms, in which a
/// connection grows from nothing to a thousand times its first window.
const START: Duration = Duration::from_millis(500);

/// How long a width is tried before it is judged. Together with the start, eight are reached after 3 s where that
/// brings something.
const WINDOW: Duration = Duration::from_secs(1);

/// What more connections have to bring, as a factor.
const WORTH: f64 = 1.1;

/// How long nothing is tried after more has brought nothing; twice as long each time.
const REST: Duration = Duration::from_secs(15);

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
        self.semaphore.add_permits(judge.sent(bytes, is_full, now));
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
    /// How far the width grew last, and the rate before that in bytes a second, until that is judged.
    growth: Option<(usize, f64)>,
    /// From when on bytes count, and how many have.
    window: (Instant, u64),
    /// Until when nothing is tried, since more has brought nothing.
    quiet_until: Option<Instant>,
    /// How long nothing will be tried when more brings nothing.
    rest: Duration,
    last_trouble: Option<Instant>,
    /// Until when nothing is tried after trouble, and trouble is still the same.
    calm_until: Option<Instant>,
    /// Whether there was so much trouble that it grows by single steps.
    is_careful: bool,
    /// Limits that the registry has told, of any request.
    limits: u64,
}

impl Adaptive {
    fn new(now: Instant, limits: u64) -> Self {
        Self {
            width: FIRST,
            surplus: 0,
            growth: None,
            window: (now + START, 0),
            quiet_until: None,
            rest: REST,
            last_trouble: None,
            calm_until: None,
            is_careful: false,
            limits,
        }
    }

    /// Takes note of bytes; returns how many more slots there are from now on.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits of size"
    )]
    fn sent(&mut self, bytes: u64, is_full: bool, now: Instant) -> usize {
        if !is_full || self.is_quiet(now) || (self.width == MOST && self.growth.is_none()) {
            // A time in which there was less to do says nothing.
            self.window = (now + START, 0);
            return 0;
        }
        let Some(lasted) = now.checked_duration_since(self.window.0) else {
            return 0;
        };
        self.window.1 += bytes;
        if lasted < WINDOW {
            return 0;
        }
        let rate = self.window.1 as f64 / lasted.as_secs_f64();
        self.window = (now + START, 0);
        match self.growth.take() {
            Some((by, before)) if rate < before * WORTH => {
                self.width -= by;
                self.surplus += by;
                self.quiet_until = Some(now + self.rest);
                self.rest *= 2;
                0
            }
            _ => self.grow(rate),
        }
    }

    /// Returns how many slots that adds to those that there are.
    fn grow(&mut self, rate: f64) -> usize {
        let step = if self.is_careful { 1 } else { STEP };
        let by = step.min(MOST - self.width);
        if by == 0 {
            return 0;
        }
        self.growth = Some((by, rate));
        self.width += by;
        // Those that were to be given back are kept instead.
        let kept = self.surplus.min(by);
        self.surplus -= kept;
        by - kept
    }

    fn is_quiet(&self, now: Instant) -> bool {
        self.is_calm(now) || self.quiet_until.is_some_and(|until| now < until)
    }

    fn trouble(&mut self, now: Instant) {
        if self.is_calm(now) {
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
        if is_news && !self.is_calm(now) {
            self.halve(now);
        }
    }

    /// Whether it was halved just now.
    fn is_calm(&self, now: Instant) -> bool {
        self.calm_until.is_some_and(|until| now < until)
    }

    fn halve(&mut self, now: Instant) {
        let halved = (self.width / 2).max(1);
        self.surplus += self.width - halved;
        self.width = halved;
        self.growth = None;
        self.is_careful = true;
        self.calm_until = Some(now + CALM);
    }

    /// Whether a slot is one too many.
    fn take_back(&mut self) -> bool {
        let is_surplus = self.surplus > 0;
        self.surplus = self.surplus.saturating_sub(1);
        is_surplus
    }
}

#[cfg(test)]
mod tests;
