//! Something under way, and what it does.

use std::time::{Duration, Instant};

use super::rate::Rate;
use crate::quantity::display_size;

/// What is said to be unusually long.
const LONG: Duration = Duration::from_secs(2);

/// What moves no byte for so long is said to stand still.
const STILL: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// A layer that is compressed already is looked into.
    Checking,
    Compressing,
    Mounting(String),
    Uploading,
    Committing,
    /// It broke off, and goes on some time, and why.
    Waiting(String),
    /// A wait before the next try, and why.
    Retrying(Instant, String),
    Done,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) state: State,
    /// Since when it is under way.
    pub(super) start: Instant,
    /// Since when it is in its state.
    pub(super) since: Instant,
    pub(super) size: u64,
    pub(super) offset: u64,
    /// When the offset changed last, or the state did.
    moved: Instant,
    pub(super) rate: Rate,
    /// Whether it is more than a request that is tried again.
    pub(super) is_started: bool,
}

impl Item {
    pub(super) fn new(state: State, size: u64, now: Instant) -> Self {
        Self {
            is_started: !matches!(state, State::Retrying(..)),
            state,
            start: now,
            since: now,
            size,
            offset: 0,
            moved: now,
            rate: Rate::default(),
        }
    }

    pub(super) fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.since = now;
        self.moved = now;
    }

    /// It broke off, and no more than `offset` bytes of it are not lost.
    pub(super) fn wait(&mut self, offset: u64, cause: String, now: Instant) {
        self.offset = offset;
        self.rate = Rate::default();
        self.enter(State::Waiting(cause), now);
    }

    /// So many of its bytes have gone.
    pub(super) fn advance(&mut self, offset: u64, now: Instant) {
        if self.reason().is_some() {
            self.enter(State::Uploading, now);
        }
        if offset != self.offset {
            self.offset = offset;
            self.moved = now;
        }
    }

    /// Why it waits, if it does.
    pub(super) fn reason(&self) -> Option<&str> {
        match &self.state {
            State::Waiting(cause) | State::Retrying(_, cause) => Some(cause),
            _ => None,
        }
    }

    /// What it does, in words; why it waits is told apart.
    pub(super) fn doing(&self, now: Instant) -> String {
        let for_long = |word: &str| match now.duration_since(self.since) {
            short if short < LONG => word.to_owned(),
            long => format!("{word} for {} s", long.as_secs()),
        };
        match &self.state {
            State::Checking => "checking".to_owned(),
            State::Compressing => "compressing".to_owned(),
            State::Mounting(source) => format!("mounting from {source}"),
            State::Uploading if now.duration_since(self.moved) >= STILL => {
                let still = now.duration_since(self.moved).as_secs();
                format!("uploading, nothing for {still} s")
            }
            State::Uploading => match self.rate.per_second() {
                Some(rate) => format!("uploading {}/s", display_size(rate)),
                None => "uploading".to_owned(),
            },
            State::Committing => for_long("committing"),
            State::Waiting(_) => for_long("waiting"),
            State::Retrying(until, _) => {
                let left = until.saturating_duration_since(now);
                // Zero would be said for a whole second.
                let seconds = left.as_millis().div_ceil(1000);
                format!("retrying in {seconds} s")
            }
            State::Done => "done".to_owned(),
        }
    }
}
