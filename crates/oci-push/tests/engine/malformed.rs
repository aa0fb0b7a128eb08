//! Answers that are no HTTP, or hardly.

use std::io::Write as _;

use oci_push::{Failure, UnansweredKind};
use test_registry::SampleImage;

use crate::raw::{Raw, Then};
use crate::support::{Source, options};

fn small() -> Source {
    Source::new(&SampleImage::of_layers(&[100_000]))
}

/// What is no HTTP is told as such, and tried a few times only: whoever sends it will send it again.
#[test]
fn a_status_that_is_none() {
    let registry = Raw::start(|asked, stream| {
        if asked.method != "POST" {
            return Then::Answer;
        }
        let _ = stream.write_all(b"HTTP/1.1 403 \x1b[31mForbidden\r\nContent-Length: 0\r\n\r\n");
        Then::Close
    });
    let source = Source::new(&SampleImage::of_layers(&[]));
    let pushed = registry.push(&source, options());
    let Failure::Unanswered(unanswered) = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    let kind = &unanswered.kind;
    assert!(matches!(kind, UnansweredKind::Malformed(_)), "{kind:?}");
    let lines = [1, 2].map(|try_| {
        format!("start-upload {try_}: the answer is no valid HTTP: invalid HTTP status-code parsed")
    });
    assert_eq!(pushed.retries, lines);
    assert_eq!(registry.count("POST"), 3);
}

/// A head that cannot be read, as the answer to a blob: its bytes are sent twice, not until the budget ends.
#[test]
fn an_unreadable_answer_to_a_blob() {
    for huge in [false, true] {
        let registry = Raw::start(move |asked, stream| {
            if asked.method != "PUT" {
                return Then::Answer;
            }
            let _ = std::io::copy(&mut stream_of(stream, asked.length), &mut std::io::sink());
            let mut answer = b"HTTP/1.1 201 \x1b[31mCreated\r\n\r\n".to_vec();
            if huge {
                answer = b"HTTP/1.1 201 Created\r\nX: ".to_vec();
                answer.resize(1_000_000, b'x');
            }
            let _ = stream.write_all(&answer);
            Then::Close
        });
        let source = small();
        let pushed = registry.push(&source, options());
        let Failure::Unanswered(unanswered) = pushed.failure() else {
            panic!("{:?}", pushed.failure());
        };
        let kind = &unanswered.kind;
        let is_right = match kind {
            UnansweredKind::Malformed(_) => !huge,
            UnansweredKind::HeadTooLarge => huge,
            _ => false,
        };
        assert!(is_right, "{kind:?}");
        // Two blobs, each in two sessions at most.
        assert!(registry.count("PUT") <= 4, "{}", registry.count("PUT"));
    }
}

/// Reads what remains of a body from the socket itself.
fn stream_of(stream: &std::net::TcpStream, length: u64) -> impl std::io::Read {
    use std::io::Read as _;
    let stream = stream.try_clone().expect("a socket");
    stream
        .set_read_timeout(Some(std::time::Duration::from_millis(200)))
        .expect("a socket");
    stream.take(length)
}

/// A control character in a header's value does not matter: neither in success nor in a refusal.
#[test]
fn an_escape_in_a_header() {
    let registry = Raw::start(|asked, stream| {
        if asked.method == "POST" {
            let _ = stream.write_all(
                b"HTTP/1.1 202 Accepted\r\nWarning: 299 - \"\x1b[31mred\"\r\n\
                  Location: /v2/owner/app/blobs/uploads/1\r\nContent-Length: 0\r\n\r\n",
            );
            return Then::Said;
        }
        Then::Answer
    });
    let source = small();
    let pushed = registry.push(&source, options());
    pushed.report();
    registry.assert_published(&source);
    assert_eq!(pushed.retries, [""; 0]);
    let registry = Raw::start(|asked, stream| {
        if asked.method != "POST" {
            return Then::Answer;
        }
        let _ = stream.write_all(
            b"HTTP/1.1 403 Forbidden\r\nWarning: \x1b[31mred\r\nContent-Length: 2\r\n\r\nno",
        );
        Then::Said
    });
    let pushed = registry.push(&small(), options());
    let rejection = pushed.failure().rejection().expect("a refusal");
    assert_eq!(
        (rejection.status.as_u16(), rejection.words().as_str()),
        (403, "no")
    );
}

/// A refusal that breaks off is one all the same: its head has told what matters.
#[test]
fn a_refusal_that_breaks_off() {
    let registry = Raw::start(|asked, stream| {
        if asked.method != "POST" {
            return Then::Answer;
        }
        let _ = stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 900\r\n\r\nsingle sign-on");
        Then::Close
    });
    let pushed = registry.push(&small(), options());
    let rejection = pushed.failure().rejection().expect("a refusal");
    assert!(rejection.words().starts_with("single sign-on"));
    assert_eq!(pushed.retries, [""; 0]);
}
