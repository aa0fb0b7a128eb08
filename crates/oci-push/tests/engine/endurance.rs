//! Registries that say "not now" in ways that look like "no", and those that forget for a while.

use std::time::{Duration, Instant};

use oci_push::{Failure, Profile, UploadMode};
use test_registry::{Action, Exchange, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{
    PASSWORD, Source, USERNAME, assert_published, assert_unpublished, options, push, push_to,
};

const SECONDARY: &str =
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";

/// An empty 403 on the first uploads and on the first manifest, then normal.
#[test]
fn a_refusal_without_words_passes() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::answer(403, &[], ""))
            .on(Route::UploadStart)
            .times(2),
    );
    registry.fail(
        Fault::new(Action::answer(403, &[], ""))
            .on(Route::ManifestPut)
            .once(),
    );
    let pushed = push(&registry, &source, options());
    assert_published(&registry, &source);
    assert_eq!(pushed.retries.len(), 3, "{:?}", pushed.retries);
}

/// A large blob whose commit meets a fault of the registry's own twice is not kept back for most of the time there is,
/// as it is in an outage.
#[test]
fn a_fault_at_the_commit_of_a_large_blob() {
    let waited = |status| {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[3 * 1024 * 1024]));
        let fault = Action::error(status, "UNKNOWN", "unknown error");
        let fault = Fault::new(fault).on(Route::UploadCommit);
        registry.fail(fault.body_over(1024 * 1024).at(Phase::BeforeState).times(2));
        let pushed = push(&registry, &source, options());
        assert_published(&registry, &source);
        pushed.waits.iter().sum::<Duration>()
    };
    let (fault, outage) = (waited(500), waited(503));
    assert!(fault < Duration::from_mins(1), "{fault:?}");
    assert!(outage > Duration::from_mins(1), "{outage:?}");
}

/// One that does not pass ends soon.
#[test]
fn a_refusal_without_words_that_stays() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    registry.fail(Fault::new(Action::answer(403, &[], "")).on(Route::UploadStart));
    let pushed = push(&registry, &source, options());
    assert!(matches!(pushed.failure(), Failure::Rejected(_)));
    let starts = registry.journal().count(Route::UploadStart);
    assert!(starts <= 8, "{starts} requests for two blobs");
    assert_unpublished(&registry);
}

/// GitHub's secondary rate limit is told as 403, and waited for in minutes.
#[test]
fn a_rate_limit_that_looks_like_a_refusal() {
    for route in [Route::UploadStart, Route::UploadCommit, Route::ManifestPut] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[200_000]));
        let limited = Action::answer(403, &[], SECONDARY);
        let fault = Fault::new(limited).on(route).once();
        // An answer in the middle of a body can be lost with the connection.
        registry.fail(match route {
            Route::UploadCommit => fault.at(Phase::BeforeState),
            _ => fault,
        });
        let pushed = push(&registry, &source, options());
        assert_published(&registry, &source);
        assert!(!pushed.retries.is_empty(), "{route:?}");
        let longest = pushed.waits.iter().max().copied();
        assert!(
            longest >= Some(Duration::from_secs(59)),
            "{route:?}: {longest:?}"
        );
    }
}

/// Once told to slow down, everybody does: few requests in flight, and none too soon.
#[test]
fn one_gate_for_all() {
    let registry = TestRegistry::start(Options::default());
    let sizes: Vec<u64> = (0..40).map(|number| 1000 + number).collect();
    let source = Source::new(&SampleImage::of_layers(&sizes));
    let limited = Action::answer(
        429,
        &[],
        r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 250.1ms, allowed: 2000/minute"}]}"#,
    );
    registry.fail(Fault::new(limited).on(Route::BlobHead).times(20));
    let start = Instant::now();
    push(&registry, &source, options());
    assert_published(&registry, &source);
    assert!(start.elapsed() < Duration::from_secs(30));
    let journal = registry.journal();
    let first_limit = journal
        .exchanges
        .iter()
        .position(|one| one.status == Some(429))
        .expect("it was told");
    // Those that were on their way already may end; what begins later is few at a time.
    let later: Vec<&Exchange> = journal.exchanges[first_limit..].iter().collect();
    let heads = later
        .iter()
        .filter(|one| one.route == Route::BlobHead)
        .count();
    assert!(heads >= 20, "{heads}");
}

/// A date, from the server's own clock on.
#[test]
fn retry_after_as_a_date() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let headers = [
        ("Date", "Sat, 21 Nov 2026 10:00:00 GMT"),
        ("Retry-After", "Sat, 21 Nov 2026 10:00:07 GMT"),
    ];
    registry.fail(
        Fault::new(Action::answer(503, &headers, ""))
            .on(Route::UploadStart)
            .once(),
    );
    let pushed = push(&registry, &source, options());
    assert_published(&registry, &source);
    let waits = &pushed.waits;
    assert!(
        waits.iter().any(|wait| (7..9).contains(&wait.as_secs())),
        "{waits:?}"
    );
}

/// Rights to a package that was just created are not the same everywhere at once.
#[test]
fn a_refusal_right_after_the_package_was_created() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let denied = Action::error(403, "DENIED", "permission_denied: write_package");
    registry.fail(Fault::new(denied).on(Route::ManifestPut).times(2));
    let mut options = options();
    options.profile = Some(Profile::Ghcr);
    let pushed = push(&registry, &source, options);
    assert_published(&registry, &source);
    assert_eq!(pushed.retries.len(), 2, "{:?}", pushed.retries);
}

/// A registry that lets each chunk overwrite the one before it gets a stream instead.
#[test]
fn chunks_that_are_put_together_wrongly() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let damaged = Action::error(400, "DIGEST_INVALID", "provided digest did not match");
    registry.fail(
        Fault::new(damaged)
            .on(Route::UploadCommit)
            .body_over(1000)
            .at(Phase::BeforeState)
            .once(),
    );
    let mut options = options();
    options.upload_mode = UploadMode::Chunked;
    options.chunk_size = Some(3 << 20);
    push(&registry, &source, options);
    assert_published(&registry, &source);
    let uploads = registry.journal().uploads_of(source.sample.largest());
    assert_eq!(uploads.commits, 2, "{uploads:?}");
}

/// A registry that does not see yet what it has confirmed.
#[test]
fn blobs_that_are_not_visible_yet() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000, 2000]));
    let unknown = Action::error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    registry.fail(Fault::new(unknown).on(Route::ManifestPut).times(3));
    push(&registry, &source, options());
    assert_published(&registry, &source);
    assert_eq!(
        registry.journal().count(Route::UploadStart),
        3,
        "nothing went twice"
    );
}

/// One that has lost what it confirmed gets it again, though it answers a HEAD with 200.
#[test]
fn blobs_that_are_lost() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000, 2000]));
    let (lost, _) = source.sample.blobs[0].clone();
    let body = serde_json::json!({ "errors": [{
        "code": "MANIFEST_BLOB_UNKNOWN",
        "message": "blob unknown to registry",
        "detail": { "digest": lost },
    }] });
    let unknown = Action::answer(
        404,
        &[("Content-Type", "application/json")],
        &body.to_string(),
    );
    registry.fail(Fault::new(unknown).on(Route::ManifestPut).times(6));
    push(&registry, &source, options());
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(
        journal.count(Route::UploadStart),
        4,
        "one of three went twice"
    );
    assert_eq!(journal.uploads_of(&lost).commits, 2);
}

/// A token that ends between the tag and the look at it: what is published is not called unpublished.
#[test]
fn a_token_that_ends_before_the_last_look() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    registry.fail(
        Fault::new(Action::RevokeTokens)
            .on(Route::ManifestPut)
            .at(Phase::AfterState)
            .once(),
    );
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
}

/// One tag that cannot be set keeps no other from being set.
#[test]
fn one_tag_of_three() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let references = ["1", "2", "3"].map(|tag| format!("{}/owner/app:{tag}", registry.host()));
    let references = references.map(|reference| reference.parse().expect("a reference"));
    // The first manifest request is the first tag's.
    registry.fail(
        Fault::new(Action::answer(500, &[], "broken"))
            .on(Route::ManifestPut)
            .from_request(2)
            .times(8),
    );
    let mut options = options();
    options.retry.max_tries = Some(8);
    let pushed = push_to(&references, &source, options);
    let error = pushed.result.expect_err("one is not set");
    let statuses: Vec<&str> = error
        .report
        .references
        .iter()
        .map(|entry| entry.status.as_str())
        .collect();
    assert_eq!(statuses, ["pushed", "failed", "pushed"]);
    assert_eq!(registry.tags("owner/app"), ["1", "3"]);
}
