//! Progress as lines, for logs: one when a blob starts and one when it ends, a heartbeat now and then,
//! every retry with its reason.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use oci_archive::Digest;
use oci_push::{Event, Observer};

use super::Printer;
use crate::quantity::{display_duration, display_size};

/// The least time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Prints lines.
pub(super) struct Lines {
    printer: Arc<Printer>,
    state: Mutex<State>,
}

struct State {
    /// Start and offset of every blob under way.
    active: BTreeMap<Digest, (Instant, u64)>,
    /// Bytes still missing when the uploads began, and those of finished blobs.
    to_send: u64,
    finished: u64,
    start: Instant,
    last_heartbeat: Instant,
}

impl Lines {
    pub(super) fn new(printer: Arc<Printer>) -> Self {
        let now = Instant::now();
        Self {
            printer,
            state: Mutex::new(State {
                active: BTreeMap::new(),
                to_send: 0,
                finished: 0,
                start: now,
                last_heartbeat: now,
            }),
        }
    }

    fn text(&self, event: &Event<'_>) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RepositoryStarted {
                repository,
                blobs,
                bytes,
            } => Some(format!(
                "pushing to {repository}: {blobs} blobs, {}",
                display_size(*bytes)
            )),
            Event::BlobChecked {
                size,
                exists: false,
                ..
            } => {
                state.to_send += size;
                None
            }
            Event::BlobStarted {
                digest,
                size,
                mode,
                reason,
            } => {
                let entry = (Instant::now(), 0);
                state.active.insert((*digest).clone(), entry);
                Some(format!(
                    "{}  uploading {} ({mode}: {reason})",
                    digest.short(),
                    display_size(*size)
                ))
            }
            Event::BlobMounted {
                digest,
                size,
                source,
            } => {
                state.finished += size;
                Some(format!(
                    "{}  taken over from {source} ({})",
                    digest.short(),
                    display_size(*size)
                ))
            }
            Event::BlobProgress { digest, offset } => state.progress(digest, *offset),
            Event::BlobFinished { digest, size } => {
                let (start, _) = state.active.remove(*digest)?;
                state.finished += size;
                Some(format!(
                    "{}  done in {}",
                    digest.short(),
                    display_duration(start.elapsed())
                ))
            }
            Event::ReferrersTagged { tag, digest } => {
                Some(format!("{}  is under the tag {tag}", digest.short()))
            }
            Event::Retrying {
                step,
                digest,
                cause,
                wait,
                attempt,
            } => {
                let subject =
                    digest.map_or_else(|| step.to_string(), |digest| digest.short().to_owned());
                Some(format!(
                    "{subject}  {cause}; trying again in {} (attempt {attempt} failed)",
                    display_duration(*wait)
                ))
            }
            other => of_layer(other),
        }
    }
}

/// What becomes of a layer before it is a blob.
fn of_layer(event: &Event<'_>) -> Option<String> {
    match event {
        Event::LayerStarted {
            diff_id,
            size,
            is_compressed,
        } => {
            let doing = if *is_compressed {
                "checking"
            } else {
                "compressing"
            };
            Some(format!(
                "{}  {doing} {}",
                diff_id.short(),
                display_size(*size)
            ))
        }
        Event::LayerFinished {
            diff_id,
            digest,
            size,
            duration,
        } => Some(format!(
            "{}  is {} ({}), after {}",
            diff_id.short(),
            digest.short(),
            display_size(*size),
            display_duration(*duration)
        )),
        _ => None,
    }
}

impl State {
    /// A heartbeat, if it is time for one.
    fn progress(&mut self, digest: &Digest, offset: u64) -> Option<String> {
        if let Some((_, known)) = self.active.get_mut(digest) {
            *known = offset;
        }
        if self.last_heartbeat.elapsed() < HEARTBEAT {
            return None;
        }
        self.last_heartbeat = Instant::now();
        let under_way: u64 = self.active.values().map(|(_, offset)| offset).sum();
        let sent = self.finished + under_way;
        let seconds = self.start.elapsed().as_secs().max(1);
        let rate = (sent / seconds).max(1);
        let left = Duration::from_secs(self.to_send.saturating_sub(sent) / rate);
        Some(format!(
            "{} of {} sent, {}/s, {} left",
            display_size(sent),
            display_size(self.to_send),
            display_size(rate),
            display_duration(left)
        ))
    }
}

impl Observer for Lines {
    fn observe(&self, event: &Event<'_>) {
        if let Some(text) = self.text(event) {
            self.printer.notice(&text);
        }
    }
}
