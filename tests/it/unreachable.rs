//! Registries that cannot be reached, or do not answer.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use expect_test::expect;
use test_registry::{Action, Fault, Options, TestRegistry};

use crate::support::{Image, Run, check, command, push};

#[test]
fn unreachable_host() {
    let image = Image::small();
    // A port that was free a moment ago.
    let host = TestRegistry::start(Options::default()).host();
    let reference = format!("{host}/owner/app:1");
    let run = push(&image, &["-q", "--retry", "2", "image.tar", &reference]);
    check(
        &run,
        &host,
        5,
        &expect![[r"
            error: failed to push HOST/owner/app:1
              caused by: no answer from HOST to the request to look up the tag
              caused by: no connection to the host could be made
              caused by: client error (Connect): tcp connect error: Connection refused (os error 111)

            hint: check that HOST is the registry's host and port, and that it is reachable from here
        "]],
    );
}

#[test]
fn a_registry_without_tls() {
    let image = Image::small();
    let registry = TestRegistry::start(Options::default());
    let host = registry.host();
    let reference = format!("{host}/owner/app:1");
    let mut command = command(image.directory.path());
    let output = command.args(["-q", "image.tar", &reference]).output();
    check(
        &Run::of(output.expect("the binary starts")),
        &host,
        5,
        &expect![[r"
            error: failed to push HOST/owner/app:1
              caused by: no answer from HOST to the request to look up the tag
              caused by: the host speaks no TLS on this port
              caused by: client error (Connect): received corrupt message of type InvalidContentType

            hint: check the port of HOST; for a registry without TLS, give --plain-http
        "]],
    );
}

/// What Go's server and nginx say where a request comes without TLS, and what else a server may send.
#[test]
fn a_registry_with_tls() {
    let go = "Client sent an HTTP request to an HTTPS server.\n";
    let nginx = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>";
    let image = Image::small();
    for said in [go, nginx] {
        let registry = TestRegistry::start(Options::default());
        registry.fail(Fault::new(Action::Answer {
            status: 400,
            headers: Vec::new(),
            body: said.to_owned(),
        }));
        let host = registry.host();
        let reference = format!("{host}/owner/app:1");
        let run = push(&image, &["-q", "image.tar", &reference]);
        assert_eq!(run.code, Some(5), "{}", run.stderr);
        assert!(run.stderr.contains(said.trim()), "{}", run.stderr);
        let hint = format!("hint: {host} speaks TLS on this port: leave out --plain-http\n");
        assert!(run.stderr.ends_with(&hint), "{}", run.stderr);
    }
}

/// A fatal alert, "protocol version" (<https://www.rfc-editor.org/rfc/rfc8446#section-6>).
const ALERT: [u8; 7] = [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

/// A server of another make answers with an alert of TLS, which is no HTTP.
#[test]
fn an_alert_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else {
                return;
            };
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(&ALERT);
        }
    });
    let image = Image::small();
    let reference = format!("{host}/owner/app:1");
    let run = push(&image, &["-q", "image.tar", &reference]);
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    let hint = format!(
        "hint: check the port of {host}; if the registry speaks TLS there, leave out --plain-http\n"
    );
    assert!(run.stderr.ends_with(&hint), "{}", run.stderr);
}

/// The proxy is named that stands between, and none that is not used.
#[test]
fn a_proxy_between() {
    let image = Image::small();
    let hint = "hint: requests to registry.invalid go through the proxy of HTTPS_PROXY (127.0.0.1:1): look whether";
    let ignored =
        "warning: what HTTPS_PROXY is set to is no proxy that can be used, and is ignored; write";
    for (name, proxy, reference, told, untold) in [
        (
            "HTTPS_PROXY",
            "http://u:word@127.0.0.1:1",
            "registry.invalid/o/n:1",
            hint,
            "warning",
        ),
        (
            "HTTPS_PROXY",
            "ftp://127.0.0.1:1",
            "127.0.0.1:1/o/n:1",
            ignored,
            "go through",
        ),
        (
            "HTTPS_PROXY",
            "bogus:://x",
            "127.0.0.1:1/o/n:1",
            ignored,
            "go through",
        ),
        (
            "HTTP_PROXY",
            "http://127.0.0.1:1",
            "127.0.0.1:1/o/n:1",
            "give --plain-http",
            "proxy",
        ),
    ] {
        let mut command = command(image.directory.path());
        command.env(name, proxy).args(["--retry", "1"]);
        command.args(["--progress", "none", "image.tar", reference]);
        let run = Run::of(command.output().expect("the binary starts"));
        assert_eq!(run.code, Some(5), "{}", run.stderr);
        assert!(run.stderr.contains(told), "{proxy}: {}", run.stderr);
        assert!(!run.stderr.contains(untold), "{proxy}: {}", run.stderr);
        assert!(!run.stderr.contains("word"), "{proxy}: {}", run.stderr);
    }
}

#[test]
fn the_registry_stays_unavailable() {
    let registry = TestRegistry::start(Options::default());
    let page = Action::Answer {
        status: 503,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: "<html>This page is taking too long to load</html>".to_owned(),
    };
    registry.fail(Fault::new(page));
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["-q", "--retry", "2", "image.tar", &reference]);
    check(
        &run,
        &registry.host(),
        5,
        &expect![[r"
            error: failed to push HOST/owner/app:1
              caused by: HOST answered 503 Service Unavailable to the request to look up the tag
              caused by: it said: <html>This page is taking too long to load</html>
              request: GET http://HOST/v2/owner/app/manifests/1
        "]],
    );
    // Two tries, and a question for the words, of which the answer to HEAD has none.
    assert_eq!(registry.journal().exchanges.len(), 3);
}
