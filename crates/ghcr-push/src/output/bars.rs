//! Progress as bars, for terminals: one for every blob under way, one for all of them. The only module
//! that draws with indicatif.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use oci_archive::Digest;
use oci_push::{Event, Observer};

use super::clean::clean;
use crate::quantity::display_duration;

/// Both fit into 80 columns, the longest message of a blob that is not retried included. The last line
/// leaves room at its end: `^C` is echoed there, and must not wrap into a line that nobody clears.
const BLOB: &str = "{prefix:12} [{bar:18}] {bytes:>10}/{total_bytes:<10} {wide_msg}";
const TOTAL: &str =
    "{prefix:12} [{bar:18}] {bytes:>10}/{total_bytes:<10} {binary_bytes_per_sec:>11} {msg}";

/// Where bars are drawn. Nothing is drawn on what is no terminal.
#[derive(Clone, Default)]
pub(super) struct Screen(MultiProgress);

impl Screen {
    /// Prints something above the bars.
    pub(super) fn above_bars(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }
}

/// Draws bars.
pub(super) struct Bars {
    screen: Screen,
    total: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    active: BTreeMap<Digest, ProgressBar>,
    /// Layers that are compressed, by diff id.
    compressing: BTreeMap<Digest, ProgressBar>,
    finished: u64,
    blobs_done: usize,
    blobs: usize,
    /// Nothing is drawn any more.
    closed: bool,
}

impl Bars {
    pub(super) fn new(screen: Screen) -> Self {
        let total = screen.0.add(ProgressBar::new(0));
        total.set_style(style(TOTAL));
        total.set_prefix("total");
        Self {
            screen,
            total,
            state: Mutex::default(),
        }
    }

    /// Takes all bars away, for good: what is printed from now on stands alone.
    pub(super) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        for bar in state.active.values().chain(state.compressing.values()) {
            bar.finish_and_clear();
        }
        state.active.clear();
        state.compressing.clear();
        self.total.finish_and_clear();
    }

    fn started(&self, state: &mut State, digest: &Digest, size: u64) {
        let bar = state
            .active
            .entry(digest.clone())
            .or_insert_with(|| self.bar(digest, size));
        // After a restart the bar goes back, visibly.
        bar.set_position(0);
        bar.set_message("uploading");
    }

    fn bar(&self, digest: &Digest, size: u64) -> ProgressBar {
        let bar = ProgressBar::new(size);
        let bar = self.screen.0.insert_before(&self.total, bar);
        bar.set_style(style(BLOB));
        bar.set_prefix(digest.short().to_owned());
        bar
    }

    fn finished(&self, bar: Option<ProgressBar>) {
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.screen.0.remove(&bar);
        }
    }

    fn update_total(&self, state: &State) {
        let under_way: u64 = state.active.values().map(ProgressBar::position).sum();
        self.total.set_position(state.finished + under_way);
        self.total
            .set_message(format!("{}/{}", state.blobs_done, state.blobs));
    }
}

impl Observer for Bars {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return;
        }
        match event {
            Event::RepositoryStarted { .. } => {
                self.total.enable_steady_tick(Duration::from_millis(200));
            }
            Event::BlobChecked {
                size,
                exists: false,
                ..
            } => {
                state.blobs += 1;
                self.total.inc_length(*size);
            }
            Event::LayerStarted {
                diff_id,
                size,
                is_compressed,
            } => {
                let bar = self.bar(diff_id, *size);
                bar.set_message(if *is_compressed {
                    "checking"
                } else {
                    "compressing"
                });
                state.compressing.insert((*diff_id).clone(), bar);
            }
            Event::LayerProgress { diff_id, offset } => {
                if let Some(bar) = state.compressing.get(*diff_id) {
                    bar.set_position(*offset);
                }
            }
            Event::LayerFinished { diff_id, .. } => {
                self.finished(state.compressing.remove(*diff_id));
            }
            Event::BlobStarted { digest, size, .. } => self.started(&mut state, digest, *size),
            Event::BlobProgress { digest, offset } => {
                if let Some(bar) = state.active.get(*digest) {
                    bar.set_position(*offset);
                }
            }
            Event::BlobCommitting { digest } => {
                if let Some(bar) = state.active.get(*digest) {
                    bar.set_message("committing");
                }
            }
            Event::BlobMounted { size, .. } => {
                state.finished += size;
                state.blobs_done += 1;
            }
            Event::BlobFinished { digest, size } => {
                self.finished(state.active.remove(*digest));
                state.finished += size;
                state.blobs_done += 1;
            }
            Event::Retrying {
                step,
                digest,
                cause,
                wait,
                ..
            } => {
                let text = clean(&format!("{cause}; again in {}", display_duration(*wait)));
                match digest.and_then(|digest| state.active.get(digest)) {
                    Some(bar) => bar.set_message(text),
                    None => self.total.set_message(format!("{step}: {text}")),
                }
                return;
            }
            _ => return,
        }
        self.update_total(&state);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
