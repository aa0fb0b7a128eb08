//! Answers that are not what the specification says, or not what is true.

use oci_push::{Failure, ViolationKind};
use test_registry::{Action, Fault, Options, Phase, Route, TestRegistry};

use crate::support::{Source, assert_published, assert_unpublished, options, push};

#[test]
fn other_confirmations_are_believed_after_a_look() {
    for status in [200, 202, 204] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::ten_mib();
        registry.fail(Fault::new(Action::EditStatus(status)).on(Route::UploadCommit));
        push(&registry, &source, options()).report();
        assert_published(&registry, &source);
    }
}

#[test]
fn a_confirmation_of_what_is_not_stored_is_found_out() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let lie = Action::answer(202, &[], "");
    registry.fail(
        Fault::new(lie)
            .on(Route::UploadCommit)
            .at(Phase::BeforeState),
    );
    let pushed = push(&registry, &source, options());
    assert!(
        matches!(pushed.failure(), Failure::Violation(violation)
            if matches!(violation.kind, ViolationKind::BlobNotStored(_))),
        "{:?}",
        pushed.failure()
    );
    assert_unpublished(&registry);
}

#[test]
fn another_digest_in_a_confirmation_is_no_confirmation() {
    let other = format!("sha256:{}", "0".repeat(64));
    for route in [Route::UploadCommit, Route::ManifestPut] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::ten_mib();
        let lie = Action::SetHeader("docker-content-digest".to_owned(), other.clone());
        registry.fail(Fault::new(lie).on(route));
        let pushed = push(&registry, &source, options());
        assert!(
            matches!(pushed.failure(), Failure::Violation(violation)
                if matches!(violation.kind, ViolationKind::DigestDiffers { .. })),
            "{:?}",
            pushed.failure()
        );
    }
}

#[test]
fn a_blob_of_another_size_is_no_such_blob() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let lie = Action::answer(200, &[("content-length", "7")], "");
    registry.fail(
        Fault::new(lie)
            .on(Route::BlobHead)
            .times(source.sample.blobs.len()),
    );
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
}

#[test]
fn ranges_that_say_nothing_do_no_harm() {
    for range in [
        None,
        Some("0-0"),
        Some("bytes=0-1048575"),
        Some("0--1"),
        Some("nonsense"),
    ] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::ten_mib();
        let edit = match range {
            None => Action::RemoveHeader("range".to_owned()),
            Some(range) => Action::SetHeader("range".to_owned(), range.to_owned()),
        };
        registry.fail(Fault::new(edit).on(Route::UploadChunk));
        let mut options = options();
        options.upload_mode = oci_push::UploadMode::Chunked;
        options.chunk_size = Some(1 << 20);
        push(&registry, &source, options).report();
        assert_published(&registry, &source);
        assert_eq!(
            registry.journal().blob_bytes(),
            source.sample.blob_bytes(),
            "{range:?}"
        );
    }
}

#[test]
fn small_requests_are_repeated_until_they_are_answered() {
    let page = |status| Action::answer(status, &[], "<html>");
    for route in [
        Route::ManifestHead,
        Route::BlobHead,
        Route::UploadStart,
        Route::ManifestPut,
    ] {
        for action in [page(503), page(429), Action::Reset, Action::Close] {
            let registry = TestRegistry::start(Options::default());
            let source = Source::ten_mib();
            registry.fail(Fault::new(action.clone()).on(route).times(2));
            let pushed = push(&registry, &source, options());
            pushed.report();
            assert_published(&registry, &source);
            let told = pushed.retries.len();
            // A limit is told once.
            let most = if action == page(429) { 1 } else { 2 };
            // A connection that had carried an answer may just have been idle for too long, which is no failure.
            let is_right = match action {
                Action::Reset | Action::Close => told <= most,
                _ => told == most,
            };
            assert!(is_right, "{route:?} {action:?}: {:?}", pushed.retries);
            assert!(registry.journal().count(route) > 2);
        }
    }
}

#[test]
fn the_advised_wait_is_kept() {
    for (header, body, at_least) in [
        (Some("3"), "", 3000),
        (Some("1.5"), "", 1500),
        (None, "retry-after: 700.5ms, allowed: 2000/minute", 700),
        (Some("-5"), "", 100),
        (Some("soon"), "", 100),
    ] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::ten_mib();
        let headers = header.map(|value| ("retry-after".to_owned(), value.to_owned()));
        let limited = Action::Answer {
            status: 429,
            headers: headers.into_iter().collect(),
            body: format!(r#"{{"errors":[{{"code":"TOOMANYREQUESTS","message":"{body}"}}]}}"#),
        };
        registry.fail(Fault::new(limited).on(Route::UploadStart).once());
        let pushed = push(&registry, &source, options());
        pushed.report();
        let longest = pushed.waits.iter().max().expect("a wait");
        assert!(
            longest.as_millis() >= at_least,
            "{header:?} {body}: {:?}",
            pushed.waits
        );
    }
}
