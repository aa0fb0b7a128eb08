//! Registries that cannot be reached, or do not answer.

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

            hint: check that HOST is the registry's host and port, that it is reachable from here, and, for a registry without TLS, give --plain-http
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
