//! Progress as lines, for logs: one when a blob starts and one when it ends, every retry with its reason,
//! and a heartbeat with the total now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use oci_archive::Digest;
use oci_push::{Event, Mode, Observer};

use super::Printer;
use super::board::Board;
use crate::quantity::{display_duration, display_size};

/// The time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The time between two looks at whether it is time for one.
const INTERVAL: Duration = Duration::from_millis(500);

/// Why most blobs are sent as they are, which is not worth telling of each: the engine's words for small ones.
const USUAL: (Mode, &str) = (Mode::Streamed, "it fits into one chunk");

/// Prints lines.
pub(super) struct Lines {
    printer: Arc<Printer>,
    state: Mutex<State>,
}

struct State {
    board: Board,
    /// When the uploads under way began.
    starts: BTreeMap<Digest, Instant>,
    /// When the last heartbeat was, or nothing was under way.
    last: Instant,
}

impl Lines {
    /// Prints until it is dropped.
    pub(super) fn start(printer: &Arc<Printer>) -> Arc<Self> {
        let lines = Arc::new(Self {
            printer: Arc::clone(printer),
            state: Mutex::new(State {
                board: Board::default(),
                starts: BTreeMap::new(),
                last: Instant::now(),
            }),
        });
        let weak = Arc::downgrade(&lines);
        // Without the thread there are no heartbeats, which is no reason not to push.
        let _ = thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || keep_beating(&weak));
        lines
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, event: &Event<'_>) -> Option<String> {
        let now = Instant::now();
        let mut state = self.state();
        state.board.note(event, now);
        match event {
            Event::RepositoryStarted {
                repository,
                blobs,
                bytes,
            } => Some(format!(
                "pushing to {repository}: {blobs} blobs, {}",
                display_size(*bytes)
            )),
            Event::BlobStarted {
                digest,
                size,
                mode,
                reason,
            } => {
                state.starts.insert((*digest).clone(), now);
                let why = if (*mode, *reason) == USUAL {
                    String::new()
                } else {
                    format!(" ({mode}: {reason})")
                };
                let size = display_size(*size);
                Some(format!("{}  uploading {size}{why}", digest.short()))
            }
            Event::BlobMounted {
                digest,
                size,
                source,
            } => Some(format!(
                "{}  taken over from {source} ({})",
                digest.short(),
                display_size(*size)
            )),
            Event::BlobFinished { digest, .. } => {
                let start = state.starts.remove(*digest)?;
                Some(format!(
                    "{}  done in {}",
                    digest.short(),
                    display_duration(now.duration_since(start))
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

fn keep_beating(lines: &Weak<Lines>) {
    while let Some(lines) = lines.upgrade() {
        let text = lines.state().heartbeat(Instant::now());
        if let Some(text) = text {
            lines.printer.notice(&text);
        }
        drop(lines);
        thread::sleep(INTERVAL);
    }
}

impl State {
    /// A heartbeat, if it is time for one: other lines do not tell how far all is.
    fn heartbeat(&mut self, now: Instant) -> Option<String> {
        self.board.pass(now, 0);
        let text = self.board.heartbeat(now);
        if text.is_some() && now.duration_since(self.last) < HEARTBEAT {
            return None;
        }
        self.last = now;
        text
    }
}

impl Observer for Lines {
    fn observe(&self, event: &Event<'_>) {
        if let Some(text) = self.text(event) {
            self.printer.notice(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every ten seconds, and not before, as long as something is under way, whatever else is told.
    #[test]
    fn heartbeats() {
        let start = Instant::now();
        let mut state = State {
            board: Board::default(),
            starts: BTreeMap::new(),
            last: start,
        };
        let second = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(state.heartbeat(second(20)), None, "nothing is under way");
        let digest = Digest::of(oci_archive::Algorithm::Sha256, b"");
        let is_started = Event::BlobStarted {
            digest: &digest,
            size: 5000,
            mode: oci_push::Mode::Streamed,
            reason: "it is small",
        };
        state.board.note(&is_started, second(20));
        assert_eq!(state.heartbeat(second(29)), None, "it has just begun");
        let told = state.heartbeat(second(30)).expect("it is time");
        assert_eq!(
            told,
            "0/0 blobs, 0 B/5.0 kB sent, e3b0c44298fc uploading, nothing for 10 s"
        );
        assert_eq!(state.heartbeat(second(31)), None, "it has just been told");
        for blob in 32..40 {
            let text = blob.to_string();
            let digest = Digest::of(oci_archive::Algorithm::Sha256, text.as_bytes());
            let (digest, size) = (&digest, 1000);
            state
                .board
                .note(&Event::BlobFinished { digest, size }, second(blob));
            assert_eq!(state.heartbeat(second(blob)), None, "{blob}");
        }
        assert!(state.heartbeat(second(40)).is_some(), "blobs have ended");
    }
}
