//! Progress as events, for programs: one JSON object a line, and nothing else on standard error.
//! `docs/progress.md` is the contract.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use oci_archive::Digest;
use oci_push::{Event, Observer};
use serde_json::{Map, Value, json};

use super::Printer;

/// The least time between two events that tell how far one blob or layer is. More often is of no use to
/// anybody, and a pipe that is read slowly would hold the upload up.
const INTERVAL: Duration = Duration::from_millis(100);

/// Prints events.
pub(super) struct Events {
    printer: Arc<Printer>,
    /// When it was last told how far a blob or layer is.
    told: Mutex<BTreeMap<Digest, Instant>>,
}

impl Events {
    pub(super) fn new(printer: Arc<Printer>) -> Self {
        Self {
            printer,
            told: Mutex::default(),
        }
    }

    /// Whether `event` tells how far something is that was told just now.
    fn is_too_soon(&self, event: &Event<'_>) -> bool {
        let (Event::BlobProgress { digest, .. }
        | Event::LayerProgress {
            diff_id: digest, ..
        }) = event
        else {
            return false;
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.get(*digest);
        if last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return true;
        }
        told.insert((*digest).clone(), Instant::now());
        false
    }
}

impl Observer for Events {
    fn observe(&self, event: &Event<'_>) {
        if self.is_too_soon(event) {
            return;
        }
        // Strings and numbers always serialize.
        if let Ok(event) = serde_json::to_value(event) {
            self.printer.event(event);
        }
    }
}

/// A line that would be printed otherwise.
pub(super) fn notice(text: &str) -> Value {
    let levels = ["warning", "notice"];
    let of_level = levels.into_iter().find_map(|level| {
        let message = text.strip_prefix(level)?.strip_prefix(": ")?;
        Some((level, message))
    });
    let (level, message) = of_level.unwrap_or(("information", text));
    json!({ "event": "notice", "level": level, "message": message })
}

/// An object of `--json` as an event.
pub(super) fn with_name(name: &str, result: Value) -> Value {
    let mut event = Map::new();
    event.insert("event".to_owned(), name.into());
    if let Value::Object(fields) = result {
        event.extend(fields);
    }
    Value::Object(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices() {
        for (text, level, message) in [
            ("notice: a: b", "notice", "a: b"),
            ("warning: a (b)", "warning", "a (b)"),
            ("credential for a: b", "information", "credential for a: b"),
        ] {
            let expected = json!({ "event": "notice", "level": level, "message": message });
            assert_eq!(notice(text), expected, "{text}");
        }
    }
}
