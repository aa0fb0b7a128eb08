//! Requests on connections that were closed before they came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use test_registry::SampleImage;

use crate::raw::{Raw, Then};
use crate::support::{Source, options};

/// The server closes each connection after its answer, without a word about it: some requests are on their way then.
/// They are sent again at once, which is nobody's failure.
#[test]
fn a_registry_that_closes_idle_connections() {
    let registry = Raw::start(|_, _| Then::AnswerAndClose);
    let source = Source::new(&SampleImage::of_layers(&[1000; 40]));
    let pushed = registry.push(&source, options());
    pushed.report();
    registry.assert_published(&source);
    let of_blobs = |line: &&String| !line.starts_with("upload-blob");
    let lines: Vec<&String> = pushed.retries.iter().filter(of_blobs).collect();
    assert_eq!(lines, [""; 0]);
}

/// A connection that is read, and then closed instead of being answered, is one that was closed while it was idle, as
/// far as anybody can tell: one more request, no wait.
#[test]
fn a_second_request_that_is_not_answered() {
    let is_closed = Arc::new(AtomicBool::new(false));
    let closed = Arc::clone(&is_closed);
    let registry = Raw::start(move |asked, _| {
        if asked.number > 1 && asked.method != "PUT" && !closed.swap(true, Ordering::Relaxed) {
            return Then::Close;
        }
        Then::Answer
    });
    let source = Source::new(&SampleImage::of_layers(&[]));
    let pushed = registry.push(&source, options());
    pushed.report();
    registry.assert_published(&source);
    assert!(is_closed.load(Ordering::Relaxed));
    assert_eq!(pushed.retries, [""; 0]);
    assert_eq!(registry.body_bytes() as u64, source.sample.blob_bytes());
}

/// On a new connection, the same is a failure, and is told.
#[test]
fn a_first_request_that_is_not_answered() {
    let registry = Raw::start(|asked, _| {
        if asked.method == "HEAD" && asked.of_method == 1 {
            return Then::Close;
        }
        Then::Answer
    });
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let pushed = registry.push(&source, options());
    pushed.report();
    assert_eq!(pushed.retries, ["check-manifest 1: the connection broke"]);
}
