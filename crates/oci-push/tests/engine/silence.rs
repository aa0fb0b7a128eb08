//! Registries that accept connections, and then say nothing, or listen to nothing.

use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use oci_push::{Failure, UnansweredKind};
use test_registry::SampleImage;

use crate::raw::{Raw, Then};
use crate::support::{Source, options};

/// The very first request is not more final than any other: whoever accepts it, and does not answer once, is asked
/// again.
#[test]
fn the_first_request_is_not_answered_once() {
    let first = Mutex::new(true);
    let registry = Raw::start(move |_, _| {
        if std::mem::take(&mut *first.lock().expect("no panic")) {
            std::thread::sleep(Duration::from_secs(40));
            return Then::Close;
        }
        Then::Answer
    });
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let pushed = registry.push(&source, options());
    pushed.report();
    registry.assert_published(&source);
    assert_eq!(
        pushed.retries,
        ["check-manifest 1: no answer came within 30 s"]
    );
}

/// Interim answers for ever are no answer, and no silence either: whoever sends them is not asked for ten minutes.
#[cfg(target_os = "linux")]
#[test]
fn interim_answers_without_end() {
    use std::io::Write as _;
    let registry = Raw::start(|asked, stream| {
        if asked.method != "POST" {
            return Then::Answer;
        }
        while stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").is_ok() {
            std::thread::sleep(Duration::from_secs(1));
        }
        Then::Close
    });
    let source = Source::new(&SampleImage::of_layers(&[]));
    let start = std::time::Instant::now();
    let pushed = registry.push(&source, options());
    let Failure::Unanswered(unanswered) = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    let kind = &unanswered.kind;
    assert!(matches!(kind, UnansweredKind::Unfinished(30)), "{kind:?}");
    assert_eq!(
        pushed.retries,
        ["start-upload 1: the answer had not ended after 30 s"]
    );
    assert!(
        start.elapsed() < Duration::from_secs(75),
        "{:?}",
        start.elapsed()
    );
}

/// What the machine's buffers hold has not arrived: a layer that fits into them, and is not read, stalls like any
/// other.
#[cfg(target_os = "linux")]
#[test]
fn a_small_layer_is_not_read() {
    let first = Mutex::new(true);
    let registry = Raw::start(move |asked, _| {
        if asked.length > 500_000 && std::mem::take(&mut *first.lock().expect("no panic")) {
            std::thread::sleep(Duration::from_secs(20));
            return Then::Close;
        }
        Then::Answer
    });
    let source = Source::new(&SampleImage::of_layers(&[crate::support::MIB]));
    let mut options = options();
    options.http.stall_timeout = Duration::from_secs(1);
    let start = std::time::Instant::now();
    let pushed = registry.push(&source, options);
    pushed.report();
    registry.assert_published(&source);
    assert_eq!(
        pushed.retries,
        ["upload-blob 1: no byte was accepted for 1 s"]
    );
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

/// A peer that reads slowly, and whose window is narrow, is no stalled one, however long the machine's buffers take no
/// byte.
#[cfg(target_os = "linux")]
#[test]
fn a_layer_is_read_slowly() {
    let registry = Raw::start(|asked, _| {
        if asked.length > 500_000 {
            return Then::AnswerSlowly(10 * 1024);
        }
        Then::Answer
    });
    let source = Source::new(&SampleImage::of_layers(&[1_200_000]));
    let mut options = options();
    options.http.stall_timeout = Duration::from_secs(3);
    let pushed = registry.push(&source, options);
    pushed.report();
    registry.assert_published(&source);
    assert_eq!(pushed.retries, [""; 0]);
}

/// Nobody listens: told soon, since it may be a typing mistake, but not before a registry could have been started
/// again.
#[test]
fn nobody_has_ever_listened() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let reference = format!("{address}/owner/app:1")
        .parse()
        .expect("a reference");
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let pushed = crate::support::push_leaping_to(&[reference], &source, options());
    let Failure::Unanswered(unanswered) = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    let kind = &unanswered.kind;
    assert!(matches!(kind, UnansweredKind::Connect(_)), "{kind:?}");
    let waited: Duration = pushed.waits.iter().sum();
    assert!((15..20).contains(&waited.as_secs()), "{waited:?}");
    assert!((6..20).contains(&pushed.waits.len()), "{:?}", pushed.waits);
}

/// Nobody listens any more: who has answered once will come back.
#[test]
fn a_registry_that_starts_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let reference = format!("{address}/owner/app:1")
        .parse()
        .expect("a reference");
    let restart = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        drop(listener);
        answer_once(stream);
        std::thread::sleep(Duration::from_millis(500));
        let listener = TcpListener::bind(address).expect("the port is free again");
        Raw::listen(listener, |_, _| Then::Answer)
    });
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let pushed = crate::support::push_to(&[reference], &source, options());
    pushed.report();
    restart.join().expect("no panic").assert_published(&source);
    assert!(pushed.retries.len() > 4, "{:?}", pushed.retries);
}

/// Says that there is nothing, and closes the connection.
fn answer_once(mut stream: std::net::TcpStream) {
    use std::io::{Read as _, Write as _};
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let answer = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(answer).expect("somebody waits");
}
