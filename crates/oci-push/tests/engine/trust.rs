//! Credentials and blobs stay with the registry, whatever it names. The other host is real, and is never
//! asked for anything.

use oci_push::{Failure, ViolationKind};
use test_registry::{Action, Fault, Options, Phase, Route, TestRegistry};

use crate::support::{PASSWORD, Source, USERNAME, assert_unpublished, options, push};

/// Pushes with an answer that names another registry, and returns the violation.
#[track_caller]
fn check(
    route: Route,
    answer: impl FnOnce(&str) -> Action,
    expected: impl FnOnce(&ViolationKind) -> bool,
) {
    let registry = TestRegistry::start(Options::default());
    let elsewhere = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::ten_mib();
    // After the whole body: an answer in its middle may be lost with the connection.
    let phase = match route {
        Route::UploadCommit => Phase::BeforeState,
        _ => Phase::BeforeHead,
    };
    registry.fail(Fault::new(answer(&elsewhere.url())).on(route).at(phase));
    let pushed = push(&registry, &source, options());
    let Failure::Violation(violation) = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    assert!(expected(&violation.kind), "{violation:?}");
    assert_eq!(
        elsewhere.journal().exchanges.len(),
        0,
        "nothing was sent elsewhere"
    );
    assert!(pushed.retries.is_empty(), "{:?}", pushed.retries);
    assert_unpublished(&registry);
}

fn answer(status: u16, header: &str, value: &str) -> Action {
    Action::answer(status, &[(header, value)], "")
}

#[test]
fn an_upload_session_elsewhere() {
    check(
        Route::UploadStart,
        |url| {
            answer(
                202,
                "location",
                &format!("{url}/v2/owner/app/blobs/upload/1"),
            )
        },
        |kind| matches!(kind, ViolationKind::LocationElsewhere(_)),
    );
}

#[test]
fn a_token_service_elsewhere() {
    check(
        Route::ManifestHead,
        |url| {
            answer(
                401,
                "www-authenticate",
                &format!("Bearer realm=\"{url}/token\",service=\"x\""),
            )
        },
        |kind| matches!(kind, ViolationKind::RealmElsewhere(_)),
    );
}

#[test]
fn a_redirect_elsewhere() {
    for status in [307, 308] {
        check(
            Route::UploadCommit,
            |url| {
                answer(
                    status,
                    "location",
                    &format!("{url}/v2/owner/app/blobs/upload/1"),
                )
            },
            |kind| matches!(kind, ViolationKind::RedirectElsewhere(_)),
        );
    }
}

/// A redirect that would turn an upload into a GET.
#[test]
fn a_redirect_that_changes_the_request() {
    for status in [301, 302, 303] {
        check(
            Route::UploadCommit,
            |url| answer(status, "location", url),
            |kind| matches!(kind, ViolationKind::RedirectRefused(_)),
        );
    }
}

#[test]
fn a_redirect_on_the_same_origin_is_followed() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let redirect = answer(307, "location", "/v2/owner/app/blobs/uploads/?again=1");
    registry.fail(Fault::new(redirect).on(Route::UploadStart).once());
    push(&registry, &source, options()).report();
    crate::support::assert_published(&registry, &source);
}

#[test]
fn a_blob_that_is_elsewhere_is_sent_when_the_manifest_misses_it() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let redirect = answer(307, "location", "http://127.0.0.1:1/blob");
    registry.fail(Fault::new(redirect).on(Route::BlobHead));
    push(&registry, &source, options()).report();
    crate::support::assert_published(&registry, &source);
}
