//! A server that answers before it has read, and goes on reading: what hyper's own server does not do.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use oci_push::{FixedKeychain, Pusher, Reference, Silent};
use test_registry::SampleImage;

use crate::support::{Source, options, push_to};

/// Takes uploads, refuses each as soon as it begins, and counts the bytes that come all the same.
fn refuse_early(listener: &TcpListener, bytes: &Arc<AtomicU64>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let bytes = Arc::clone(bytes);
        std::thread::spawn(move || serve(stream, &bytes));
    }
}

fn serve(mut stream: TcpStream, bytes: &AtomicU64) {
    let mut head = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        head.push(byte[0]);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        head.clear();
        let answer = match text.split(' ').next() {
            Some("POST") => "202 Accepted\r\nLocation: /v2/owner/app/blobs/uploads/1",
            Some("PUT") => "403 Forbidden",
            _ => "404 Not Found",
        };
        let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
        if text.starts_with("PUT") {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                bytes.fetch_add(count as u64, Ordering::Relaxed);
            }
            return;
        }
    }
}

/// An answer before the end of the body ends the body: nothing goes on behind the back of whoever has been
/// told that the push has failed.
#[test]
fn a_body_ends_with_its_exchange() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let bytes = Arc::new(AtomicU64::new(0));
    std::thread::spawn({
        let bytes = Arc::clone(&bytes);
        move || refuse_early(&listener, &bytes)
    });
    let source = Source::new(&SampleImage::of_layers(&[60_000_000]));
    let mut options = options();
    options.retry.max_tries = Some(1);
    let pusher = Pusher::new(options, Arc::new(FixedKeychain(None)), Arc::new(Silent));
    let pusher = pusher.expect("a client");
    let reference: Reference = format!("{address}/owner/app:1")
        .parse()
        .expect("a reference");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        pusher
            .push(&source.image, &[reference])
            .await
            .expect_err("refused");
        // The connections' own tasks go on running meanwhile.
        tokio::time::sleep(Duration::from_secs(1)).await;
    });
    let arrived = bytes.load(Ordering::Relaxed);
    assert!(arrived < 30_000_000, "{arrived} bytes arrived");
}

/// Docker Hub's proxy ends lines without carriage returns when it limits
/// (<https://github.com/docker/hub-feedback/issues/1907>). It is understood all the same: the wait is kept, and the
/// push goes on.
#[test]
fn an_answer_with_bare_line_feeds() {
    const LIMITED: &str = "HTTP/1.1 429 Too Many Requests\nRetry-After: 2\nContent-Length: 18\n\n\
                           <html>slow</html>\n";
    const DENIED: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let streams = listener.incoming().map_while(Result::ok);
        for (number, mut stream) in streams.enumerate() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let answer = if number == 0 { LIMITED } else { DENIED };
            // Whoever has gone away needs no answer.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let reference = format!("{address}/owner/app:1")
        .parse()
        .expect("a reference");
    let pushed = push_to(&[reference], &source, options());
    let failure = pushed.failure();
    let status = failure
        .rejection()
        .map(|rejection| rejection.status.as_u16());
    assert_eq!(status, Some(403), "{failure:?}");
    assert_eq!(
        pushed.waits.first().map(Duration::as_secs),
        Some(2),
        "{:?}",
        pushed.waits
    );
}
