//! How events are written as JSON, and that each is documented.

use std::time::Duration;

use oci_archive::Digest;
use serde_json::{Value, json};

use super::Event;
use crate::step::Step;
use crate::upload::mode::Mode;

const HASH: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// An example of the event that is defined after `event`, the first one after none. A variant that is added has
/// no place here, and does not compile, until it has an example.
fn next<'a>(event: Option<&Event<'a>>, digest: &'a Digest) -> Option<Event<'a>> {
    let (size, source, offset, diff_id) = (7, "owner/base", 3, digest);
    Some(match event {
        None => Event::RepositoryStarted {
            repository: "ghcr.io/owner/app",
            blobs: 3,
            bytes: 4096,
        },
        Some(Event::RepositoryStarted { .. }) => Event::TokenFetched { generation: 1 },
        Some(Event::TokenFetched { .. }) => Event::BlobChecked {
            digest,
            size,
            exists: false,
        },
        Some(Event::BlobChecked { .. }) => Event::BlobStarted {
            digest,
            size,
            mode: Mode::Chunked(4),
            reason: "asked for",
        },
        Some(Event::BlobStarted { .. }) => Event::LayerStarted {
            diff_id,
            size,
            is_compressed: false,
        },
        Some(Event::LayerStarted { .. }) => Event::LayerProgress { diff_id, offset },
        Some(Event::LayerProgress { .. }) => Event::LayerFinished {
            diff_id,
            digest,
            size,
            duration: Duration::from_micros(1500),
        },
        Some(Event::LayerFinished { .. }) => Event::BlobProgress { digest, offset },
        Some(Event::BlobProgress { .. }) => Event::BlobInterrupted {
            digest,
            offset,
            cause: "the connection was reset",
        },
        Some(Event::BlobInterrupted { .. }) => Event::BlobMounting {
            digest,
            size,
            source,
        },
        Some(Event::BlobMounting { .. }) => Event::BlobMounted {
            digest,
            size,
            source,
        },
        Some(Event::BlobMounted { .. }) => Event::BlobCommitting { digest },
        Some(Event::BlobCommitting { .. }) => Event::BlobFinished { digest, size },
        Some(Event::BlobFinished { .. }) => Event::Retrying {
            step: Step::UploadBlob,
            digest: Some(digest),
            cause: "the connection was reset",
            wait: Duration::from_millis(1200),
            attempt: 1,
        },
        Some(Event::Retrying { .. }) => Event::ManifestStored { digest },
        Some(Event::ManifestStored { .. }) => Event::ReferrersTagged {
            tag: "sha256-9f86",
            digest,
        },
        Some(Event::ReferrersTagged { .. }) => Event::ReferenceSettled {
            reference: "ghcr.io/owner/app:1",
            digest,
            unchanged: false,
        },
        Some(Event::ReferenceSettled { .. }) => return None,
    })
}

fn all() -> Vec<Value> {
    let digest: Digest = HASH.parse().expect("a digest");
    let mut all = Vec::new();
    let mut event = next(None, &digest);
    while let Some(one) = &event {
        all.push(serde_json::to_value(one).expect("JSON"));
        event = next(Some(one), &digest);
    }
    all
}

#[test]
fn as_json() {
    let all = all();
    let of = |name: &str| all.iter().find(|event| event["event"] == name);
    assert_eq!(
        of("blob-started"),
        Some(&json!({
            "event": "blob-started", "digest": HASH, "size": 7, "mode": "chunked", "chunkSize": 4,
            "reason": "asked for",
        }))
    );
    assert_eq!(
        of("layer-finished"),
        Some(&json!({
            "event": "layer-finished", "diffId": HASH, "digest": HASH, "size": 7, "durationMs": 1,
        }))
    );
    assert_eq!(
        of("retrying"),
        Some(&json!({
            "event": "retrying", "step": "upload-blob", "digest": HASH,
            "cause": "the connection was reset", "waitMs": 1200, "attempt": 1,
        }))
    );
}

/// `docs/progress.md` has a row for each event, which names each of its fields and no other.
#[test]
fn every_event_is_documented() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/progress.md");
    let page = std::fs::read_to_string(page).expect("it is there");
    let (_, events) = page
        .split_once("## What the engine tells")
        .expect("it is there");
    let (events, _) = events.split_once("\n## ").expect("more comes after it");
    let mut rows: Vec<&str> = events
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    for event in all() {
        let fields = event.as_object().expect("an object");
        let name = format!("| `{}` |", event["event"].as_str().expect("a name"));
        let position = rows.iter().position(|row| row.starts_with(&name));
        let row = rows.remove(position.unwrap_or_else(|| panic!("no row {name}")));
        let cell = row.split('|').nth(2).expect("a second cell");
        let mut documented: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        let mut told: Vec<&str> = fields.keys().map(String::as_str).skip(1).collect();
        documented.sort_unstable();
        told.sort_unstable();
        assert_eq!(documented, told, "{row}");
    }
    assert_eq!(rows, [""; 0], "no event is called so");
}
