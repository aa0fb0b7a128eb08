//! Manifests and tags: nothing moves before everything it names is there.

use std::time::Duration;

use oci_push::{Failure, ReferenceStatus};
use test_registry::{Action, Fault, Options, Phase, Refusal, Route, SampleImage, TestRegistry};

use crate::support::{Source, assert_published, assert_unpublished, options, push};

#[test]
fn a_refused_child_leaves_the_tag_alone() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(
        &SampleImage::default()
            .platform("amd64", &[10])
            .platform("arm64", &[20]),
    );
    let refused = Action::error(400, "MANIFEST_INVALID", "manifest invalid");
    let refused = Fault::new(refused).on(Route::ManifestPut);
    registry.fail(refused.at(Phase::BeforeState).once());
    let pushed = push(&registry, &source, options());
    let rejection = pushed.failure().rejection().expect("a rejection");
    assert!(rejection.has_code("MANIFEST_INVALID"));
    assert_unpublished(&registry);
    let report = &pushed.result.as_ref().expect_err("it failed").report;
    assert_eq!(report.references[0].status, ReferenceStatus::Failed);
}

#[test]
fn a_manifest_whose_confirmation_is_lost_is_put_again() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::Reset)
            .on(Route::ManifestPut)
            .at(Phase::AfterState)
            .once(),
    );
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
}

/// Every manifest is stored, and no answer ever comes: what the registry has is asked for after the second try.
#[test]
fn manifests_whose_confirmations_are_always_lost() {
    let registry = TestRegistry::start(Options::ghcr(
        crate::support::USERNAME,
        crate::support::PASSWORD,
    ));
    let image = SampleImage::default()
        .platform("amd64", &[10])
        .platform("arm64", &[20]);
    let source = Source::new(&image);
    let fault = Fault::new(Action::Close).on(Route::ManifestPut);
    registry.fail(fault.at(Phase::AfterState));
    let pushed = push(&registry, &source, options());
    pushed.report();
    assert_published(&registry, &source);
    // Of the two tries of each, one on a connection that had been idle may be sent once more.
    let puts = registry.journal().count(Route::ManifestPut);
    assert!((6..=12).contains(&puts), "{puts}");
    assert_eq!(pushed.retries.len(), 3, "{:?}", pushed.retries);
}

/// What the tag names is another image's, so that the push is tried until there is an answer.
#[test]
fn a_manifest_that_is_not_stored_is_put_again_and_again() {
    let registry = TestRegistry::start(Options::default());
    let earlier = Source::new(&SampleImage::of_layers(&[1000]));
    push(&registry, &earlier, options()).report();
    registry.clear_journal();
    let source = Source::new(&SampleImage::of_layers(&[2000]));
    let fault = Fault::new(Action::Reset).on(Route::ManifestPut);
    registry.fail(fault.at(Phase::BeforeState).times(4));
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    assert_eq!(registry.journal().count(Route::ManifestPut), 5);
}

#[test]
fn a_tag_that_answers_something_else_afterwards_is_a_failure() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let other = format!("sha256:{}", "0".repeat(64));
    let lie = Action::SetHeader("docker-content-digest".to_owned(), other.clone());
    // The first look, before the push, is answered truly.
    registry.fail(Fault::new(lie).on(Route::ManifestHead).from_request(2));
    let pushed = push(&registry, &source, options());
    let Failure::NotPublished { found, .. } = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    assert_eq!(found.to_string(), format!("it answers with {other}"));
    let waited: Duration = pushed.waits.iter().sum();
    assert_eq!(waited, Duration::from_mins(1));
}

#[test]
fn a_tag_that_shows_late_is_waited_for() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let not_yet = Action::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    registry.fail(Fault::new(not_yet.clone()).on(Route::ManifestHead).times(3));
    registry.fail(Fault::new(not_yet).on(Route::ManifestGet).times(2));
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
}

/// A refusal of the first upload stops everything: no byte of a layer has travelled, nothing is retried.
#[test]
fn a_denial_is_final_and_cheap() {
    let registry = TestRegistry::start(Options::ghcr(
        crate::support::USERNAME,
        crate::support::PASSWORD,
    ));
    registry.deny("owner/app", Refusal::WritePackage);
    let source = Source::new(&SampleImage::of_layers(&[1000; 20].map(|size| size * 20)));
    let pushed = push(&registry, &source, options());
    let rejection = pushed.failure().rejection().expect("a rejection");
    assert_eq!(rejection.words(), "permission_denied: write_package");
    assert_eq!(rejection.status, 403);
    assert!(rejection.request_id.is_some());
    assert!(pushed.retries.is_empty());
    assert_eq!(registry.journal().blob_bytes(), 0);
    assert_unpublished(&registry);
}
