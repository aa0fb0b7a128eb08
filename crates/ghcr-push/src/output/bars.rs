//! Progress as bars, for terminals: one for every blob under way, one for all of them. The only module
//! that draws with indicatif.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use oci_archive::Digest;
use oci_push::{Event, Observer};

use super::Printer;
use super::clean::clean;
use crate::quantity::display_duration;

/// Where bars are drawn. Nothing is drawn on what is no terminal.
#[derive(Default)]
pub(super) struct Screen(MultiProgress);

impl Screen {
    /// Prints something above the bars.
    pub(super) fn above_bars(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }
}

/// Draws bars.
pub(super) struct Bars {
    printer: Arc<Printer>,
    total: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    active: BTreeMap<Digest, ProgressBar>,
    finished: u64,
    blobs_done: usize,
    blobs: usize,
}

impl Bars {
    pub(super) fn new(printer: Arc<Printer>) -> Self {
        let total = printer.screen.0.add(ProgressBar::new(0));
        total.set_style(style("{prefix:12} [{bar:25}] {bytes:>10}/{total_bytes:<10} {binary_bytes_per_sec:>12}  {msg}"));
        total.set_prefix("total");
        Self {
            printer,
            total,
            state: Mutex::default(),
        }
    }

    fn started(&self, state: &mut State, digest: &Digest, size: u64) {
        let bar = state.active.entry(digest.clone()).or_insert_with(|| {
            let bar = self
                .printer
                .screen
                .0
                .insert_before(&self.total, ProgressBar::new(size));
            bar.set_style(style(
                "{prefix:12} [{bar:25}] {bytes:>10}/{total_bytes:<10} {msg}",
            ));
            bar.set_prefix(digest.short().to_owned());
            bar
        });
        // After a restart the bar goes back, visibly.
        bar.set_position(0);
        bar.set_message("uploading");
    }

    fn update_total(&self, state: &State) {
        let under_way: u64 = state.active.values().map(ProgressBar::position).sum();
        self.total.set_position(state.finished + under_way);
        self.total
            .set_message(format!("{}/{} blobs", state.blobs_done, state.blobs));
    }
}

impl Observer for Bars {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
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
            Event::BlobFinished { digest, size } => {
                if let Some(bar) = state.active.remove(*digest) {
                    bar.finish_and_clear();
                    self.printer.screen.0.remove(&bar);
                }
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

impl Drop for Bars {
    fn drop(&mut self) {
        self.total.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
