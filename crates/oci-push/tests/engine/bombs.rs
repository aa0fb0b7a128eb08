//! Answers that never end, or nearly never: what a push makes of a token service, or a registry, that means harm.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use oci_push::{Failure, Reference, UnansweredKind};
use test_registry::SampleImage;

use crate::support::{Pushed, Source, options, push_to};

/// What the token service does after it was asked.
type Service = fn(&mut TcpStream) -> std::io::Result<()>;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// Bodies without a length end with the connection.
const BODY: &[u8] = b"\r\n{\"token\":\"";

fn long_headers(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(HEAD)?;
    for number in 0..10 * 1024 {
        write!(stream, "X-{number}: {}\r\n", "x".repeat(1000))?;
    }
    stream.write_all(b"\r\n{}")
}

fn endless_body(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(HEAD)?;
    stream.write_all(BODY)?;
    loop {
        stream.write_all(&[b'x'; 16 * 1024])?;
    }
}

fn trickling_body(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(HEAD)?;
    stream.write_all(BODY)?;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        stream.write_all(b"x")?;
    }
}

/// A refusal whose words trickle: the head has told what matters.
fn trickling_refusal(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\nsingle sign-on")?;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        stream.write_all(b".")?;
    }
}

/// Asks for a token, whatever is wanted.
fn serve(mut stream: TcpStream, service: Service) {
    let address = stream.local_addr().expect("an address");
    let mut head = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        head.push(byte[0]);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let is_token = head.starts_with(b"GET /token");
        head.clear();
        let outcome = if is_token {
            service(&mut stream)
        } else {
            write!(
                stream,
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\
                 WWW-Authenticate: Bearer realm=\"http://{address}/token\"\r\n\r\n"
            )
        };
        if is_token || outcome.is_err() {
            return;
        }
    }
}

fn push_against(service: Service) -> (Pushed, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream, service));
        }
    });
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let reference: Reference = format!("{address}/owner/app:1")
        .parse()
        .expect("a reference");
    let start = Instant::now();
    let pushed = push_to(&[reference], &source, options());
    (pushed, start.elapsed())
}

#[track_caller]
fn unanswered(pushed: &Pushed) -> &UnansweredKind {
    match pushed.failure() {
        Failure::Unanswered(unanswered) => &unanswered.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn headers_of_ten_megabytes() {
    let (pushed, took) = push_against(long_headers);
    let kind = unanswered(&pushed);
    assert!(matches!(kind, UnansweredKind::HeadTooLarge), "{kind:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(pushed.retries, [""; 0]);
}

#[test]
fn a_token_without_end() {
    let (pushed, took) = push_against(endless_body);
    let kind = unanswered(&pushed);
    assert!(matches!(kind, UnansweredKind::TooLong(131_072)), "{kind:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(pushed.retries, [""; 0]);
}

#[test]
fn a_token_at_one_byte_a_second() {
    let (pushed, took) = push_against(trickling_body);
    let kind = unanswered(&pushed);
    assert!(matches!(kind, UnansweredKind::Unfinished(15)), "{kind:?}");
    assert!(took < Duration::from_secs(45), "{took:?}");
    assert_eq!(pushed.retries.len(), 1, "a slow moment may pass");
}

#[test]
fn a_refusal_at_one_byte_a_second() {
    let (pushed, took) = push_against(trickling_refusal);
    let rejection = pushed.failure().rejection().expect("a refusal");
    assert!(rejection.words().starts_with("single sign-on"));
    assert!(took < Duration::from_secs(15), "{took:?}");
}
