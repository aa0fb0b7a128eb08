//! What a terminal shows of a push, as lines of text: one for each blob that takes its time, one for all of
//! them. Knows no terminal; time is an argument.

mod item;
mod layout;
mod rate;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use oci_archive::Digest;
use oci_push::Event;

use super::clean::clean;
use crate::quantity::{display_duration, display_size};
use item::{Item, State};
use layout::Layout;
use rate::Rate;

/// What is over sooner gets no line: a hundred small blobs would flicker.
const SHOWN_AFTER: Duration = Duration::from_millis(300);

/// What took as long as this is followed by what will: that need not wait for its line.
const LONG: Duration = Duration::from_millis(600);

/// A line stays this long after its blob is done, so that the next one may take its place and nothing jumps.
const LINGERS: Duration = Duration::from_millis(800);

/// Something under way: a blob, a layer by its diff id, or a request without a blob that is tried again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Blob(Digest),
    Layer(Digest),
    Step(&'static str),
}

impl Key {
    /// As it is shown.
    fn name(&self) -> &str {
        match self {
            Self::Blob(digest) | Self::Layer(digest) => digest.short(),
            Self::Step(step) => step,
        }
    }
}

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct Board {
    items: BTreeMap<Key, Item>,
    /// What has a line, from the top.
    rows: Vec<Key>,
    /// Blobs of all repositories so far, and those of them that earlier repositories have.
    blobs: usize,
    blobs_before: usize,
    /// Bytes of all blobs of this repository, and those of them of which it is known whether the registry has them.
    bytes: u64,
    bytes_known: u64,
    /// Of this repository: the blobs that are there, and those that are or were not.
    there: BTreeSet<Digest>,
    missing: BTreeSet<Digest>,
    /// Bytes of missing blobs that are not taken over, and those of them that are there by now.
    to_send: u64,
    sent: u64,
    rate: Rate,
}

impl Board {
    /// Takes note of what happens.
    pub(super) fn note(&mut self, event: &Event<'_>, now: Instant) {
        match event {
            Event::RepositoryStarted { blobs, bytes, .. } => {
                self.blobs_before = self.blobs;
                self.blobs += blobs;
                self.bytes = *bytes;
                self.bytes_known = 0;
                self.there.clear();
                self.missing.clear();
            }
            Event::BlobChecked {
                digest,
                size,
                exists: true,
            } => {
                let is_news = self.there.insert((*digest).clone());
                self.bytes_known += if is_news { *size } else { 0 };
            }
            Event::BlobChecked {
                digest,
                size,
                exists: false,
            } => self.lacks(digest, *size),
            Event::BlobMounting {
                digest,
                size,
                source,
            } => {
                let state = State::Mounting(clean(source));
                self.enter(Key::Blob((*digest).clone()), state, *size, now);
            }
            Event::BlobStarted { digest, size, .. } => {
                self.lacks(digest, *size);
                let item = self.enter(Key::Blob((*digest).clone()), State::Uploading, *size, now);
                // A line that goes back tells that it is sent again.
                item.offset = 0;
            }
            Event::BlobProgress { digest, offset } => {
                if let Some(item) = self.items.get_mut(&Key::Blob((*digest).clone())) {
                    item.advance(*offset, now);
                }
            }
            Event::BlobInterrupted {
                digest,
                offset,
                cause,
            } => {
                if let Some(item) = self.items.get_mut(&Key::Blob((*digest).clone())) {
                    item.wait(*offset, clean(cause), now);
                }
            }
            Event::BlobCommitting { digest } => self.commit(digest, now),
            Event::BlobMounted { digest, size, .. } => {
                // Nothing of it goes over the wire.
                self.to_send -= self.has(digest, *size, now);
            }
            Event::BlobFinished { digest, size } => {
                self.sent += self.has(digest, *size, now);
            }
            Event::LayerStarted {
                diff_id,
                size,
                is_compressed,
            } => {
                let state = if *is_compressed {
                    State::Checking
                } else {
                    State::Compressing
                };
                self.enter(Key::Layer((*diff_id).clone()), state, *size, now);
            }
            Event::LayerProgress { diff_id, offset } => {
                if let Some(item) = self.items.get_mut(&Key::Layer((*diff_id).clone())) {
                    item.advance(*offset, now);
                }
            }
            Event::LayerFinished { diff_id, .. } => {
                self.done(&Key::Layer((*diff_id).clone()), now);
            }
            Event::Retrying {
                step,
                digest,
                cause,
                wait,
                ..
            } => {
                let key =
                    digest.map_or(Key::Step(step.as_str()), |digest| Key::Blob(digest.clone()));
                self.enter(key, State::Retrying(now + *wait, clean(cause)), 0, now);
            }
            _ => {}
        }
    }

    fn lacks(&mut self, digest: &Digest, size: u64) {
        if !self.there.contains(digest) && self.missing.insert(digest.clone()) {
            self.to_send += size;
            self.bytes_known += size;
        }
    }

    /// The registry has a blob: how many bytes that is more than was known.
    fn has(&mut self, digest: &Digest, size: u64, now: Instant) -> u64 {
        self.lacks(digest, size);
        self.done(&Key::Blob(digest.clone()), now);
        if self.there.insert(digest.clone()) {
            size
        } else {
            0
        }
    }

    fn commit(&mut self, digest: &Digest, now: Instant) {
        if let Some(item) = self.items.get_mut(&Key::Blob(digest.clone())) {
            item.enter(State::Committing, now);
        }
    }

    fn enter(&mut self, key: Key, state: State, size: u64, now: Instant) -> &mut Item {
        let fresh = || Item::new(state.clone(), size, now);
        let item = self.items.entry(key).or_insert_with(fresh);
        if item.state == State::Done {
            *item = Item::new(state, size, now);
            return item;
        }
        if !matches!(state, State::Retrying(..)) {
            item.is_started = true;
            item.size = size;
        }
        item.enter(state, now);
        item
    }

    fn done(&mut self, key: &Key, now: Instant) {
        if let Some(item) = self.items.get_mut(key) {
            item.offset = item.size;
            item.enter(State::Done, now);
        }
    }

    /// Lets time pass: measures rates, ends waits, and gives lines to what has been under way for a while, at most
    /// `most` of them.
    pub(super) fn pass(&mut self, now: Instant, most: usize) {
        let under_way: u64 = self.blobs_under_way().map(|item| item.offset).sum();
        if self.is_stuck() {
            // What went before says nothing about what will.
            self.rate = Rate::default();
        }
        self.rate.note(self.sent + under_way, now);
        let rows = &self.rows;
        self.items.retain(|key, item| {
            item.rate.note(item.offset, now);
            match &item.state {
                State::Retrying(until, cause) if *until <= now => {
                    // It may have to wait for others, or for an answer: what moves says so.
                    let cause = cause.clone();
                    item.enter(State::Waiting(cause), now);
                    item.is_started
                }
                State::Done => rows.contains(key) && now.duration_since(item.since) < LINGERS,
                _ => true,
            }
        });
        let waiting = self
            .items
            .iter()
            .filter(|(key, item)| !self.rows.contains(key) && item.state != State::Done);
        let mut waiting: Vec<(Instant, &Key)> =
            waiting.map(|(key, item)| (item.start, key)).collect();
        waiting.sort();
        let is_old = |start: Instant| now.duration_since(start) >= SHOWN_AFTER;
        let mut waiting = waiting.into_iter().peekable();
        for row in &mut self.rows {
            // How long it took, if it is over.
            let took = match self.items.get(row) {
                Some(item) if item.state == State::Done => item.since.duration_since(item.start),
                Some(_) => continue,
                None => Duration::ZERO,
            };
            if let Some((_, key)) = waiting.next_if(|(start, _)| took >= LONG || is_old(*start)) {
                *row = key.clone();
            }
        }
        let old = waiting.filter(|(start, _)| is_old(*start));
        self.rows.extend(old.map(|(_, key)| key.clone()));
        self.rows.retain(|key| self.items.contains_key(key));
        self.rows.truncate(most);
    }

    fn blobs_under_way(&self) -> impl Iterator<Item = &Item> {
        let blobs = self.items.iter().filter(|(key, item)| {
            matches!(key, Key::Blob(_)) && item.is_started && item.state != State::Done
        });
        blobs.map(|(_, item)| item)
    }

    /// Whether blobs are under way, and all of them wait for better times.
    fn is_stuck(&self) -> bool {
        let mut blobs = self.blobs_under_way().peekable();
        blobs.peek().is_some() && blobs.all(|item| item.reason().is_some())
    }

    /// The lines, the total last. They fit into `room` columns, but for a reason in a line of its own.
    pub(super) fn lines(&self, now: Instant, room: usize) -> Vec<String> {
        let layout = Layout::of(room);
        let mut lines: Vec<String> = Vec::new();
        let mut told = None;
        for key in &self.rows {
            let Some(item) = self.items.get(key) else {
                continue;
            };
            let [line, reason] = layout.item(key.name(), item, now);
            lines.extend(line);
            // Many blobs may wait for one reason, which is told once for those that follow each other.
            if reason.is_some() && told != reason {
                lines.extend(reason.clone());
                told = reason;
            }
        }
        if self.blobs > 0 {
            lines.push(self.total(&layout));
        }
        lines
    }

    /// How far it is in one line, for a log; nothing while it only waits, which was told.
    pub(super) fn heartbeat(&self, now: Instant) -> Option<String> {
        let at_work = self.items.iter().filter(|(_, item)| {
            let is_waiting = matches!(item.state, State::Done | State::Retrying(..));
            !is_waiting
        });
        let others = at_work.clone().count().checked_sub(1)?;
        let (key, oldest) = at_work.min_by_key(|(_, item)| item.since)?;
        let sent = self.sent_by_now();
        let sizes = format!("{}/{}", display_size(sent), display_size(self.to_send));
        let doing = match self.rate.per_second() {
            Some(1..) => self.outlook(sent).join(", "),
            _ if others > 0 => format!("{} {} (and {others} more)", key.name(), oldest.doing(now)),
            _ => format!("{} {}", key.name(), oldest.doing(now)),
        };
        Some(format!("{}, {sizes} sent, {doing}", self.count()))
    }

    /// Bytes that have been sent, of those that are to be.
    fn sent_by_now(&self) -> u64 {
        let under_way: u64 = self.blobs_under_way().map(|item| item.offset).sum();
        (self.sent + under_way).min(self.to_send)
    }

    /// How many blobs there are, of all.
    fn count(&self) -> String {
        let there = self.blobs_before + self.there.len();
        format!("{}/{} blobs", there.min(self.blobs), self.blobs)
    }

    fn total(&self, layout: &Layout) -> String {
        let name = self.count();
        let sent = self.sent_by_now();
        let mut parts = self.outlook(sent);
        if self.are_known() {
            let doing = layout.outlook(&parts);
            return layout.line(&name, sent, self.to_send, &doing);
        }
        // A bar of what is known so far would be full, and start anew with each layer that is compressed.
        if self.to_send > 0 {
            let sizes = format!("{}/{}", display_size(sent), display_size(self.to_send));
            parts.insert(0, format!("{sizes} so far"));
        }
        layout.line(&name, 0, 0, &layout.outlook(&parts))
    }

    /// Whether it is known of all blobs whether the registry has them; before, nobody knows what has to be sent.
    fn are_known(&self) -> bool {
        self.blobs_before + self.there.union(&self.missing).count() >= self.blobs
    }

    /// How it goes on, as far as that is known: what is most worth knowing comes last.
    fn outlook(&self, sent: u64) -> Vec<String> {
        if self.blobs_before + self.there.len() >= self.blobs {
            return vec!["storing manifests".to_owned()];
        }
        if self.are_known() && self.is_stuck() {
            return vec!["waiting".to_owned()];
        }
        if self.are_known() && self.to_send > 0 && sent == self.to_send {
            return vec!["committing".to_owned()];
        }
        let Some(rate) = self.rate.per_second() else {
            let checking = (!self.are_known()).then(|| "checking".to_owned());
            return checking.into_iter().collect();
        };
        let mut outlook = vec![format!("{}/s", display_size(rate))];
        if let Some(forecast) = self.rate.forecast().filter(|_| rate > 0) {
            // What nobody knows yet may have to be sent.
            let (bound, unknown) = if self.are_known() {
                ("", 0)
            } else {
                ("at most ", self.bytes.saturating_sub(self.bytes_known))
            };
            let left = match (self.to_send - sent + unknown).div_ceil(forecast.max(1)) {
                seconds @ 0..60 => format!("{seconds} s"),
                seconds => display_duration(Duration::from_secs(seconds)),
            };
            outlook.push(format!("{bound}{left} left"));
        }
        outlook
    }
}

#[cfg(test)]
mod tests;
