//! What a tag shows after the push: what was pushed, something else, or nothing yet.

use std::time::Duration;

use oci_push::{Failure, ReferenceStatus, Shown, Verify};
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{Pushed, Source, assert_published, options, push};

const OTHER: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The digest of every answer to a HEAD is another one.
fn names(digest: &str) -> Fault {
    let header = "docker-content-digest".to_owned();
    Fault::new(Action::SetHeader(header, digest.to_owned())).on(Route::ManifestHead)
}

fn shown(pushed: &Pushed) -> Option<Shown> {
    let entry = &pushed.report().references[0];
    assert_eq!(entry.status, ReferenceStatus::Pushed);
    entry.shown.clone()
}

fn waited(pushed: &Pushed) -> Duration {
    pushed.waits.iter().sum()
}

/// The last one to set a tag wins, and nobody has failed.
#[test]
fn another_push_has_moved_the_tag() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    // The first look is the one before the push; the manifest itself is asked for with a third.
    registry.fail(names(OTHER).from_request(2).once());
    let pushed = push(&registry, &source, options());
    let other = OTHER.parse().expect("a digest");
    assert_eq!(shown(&pushed), Some(Shown::Other(other)));
    assert_eq!(pushed.retries, [""; 0]);
}

/// Whoever was to spare the tags of others has been overtaken by one.
#[test]
fn a_race_that_is_lost_without_clobbering() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(names(OTHER).from_request(2).once());
    let mut options = options();
    options.no_clobber = true;
    let pushed = push(&registry, &source, options);
    let Failure::NotPublished { found, .. } = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    assert_eq!(found.to_string(), format!("it answers with {OTHER}"));
    assert_eq!(pushed.retries, [""; 0]);
}

/// What the tag named before is waited out for a minute, or for as long as the user has patience.
#[test]
fn a_tag_that_stays_what_it_was() {
    for (patience, looks) in [(600, 8), (60, 8), (5, 5)] {
        let registry = TestRegistry::start(Options::default());
        let earlier = Source::new(&SampleImage::of_layers(&[1000]));
        push(&registry, &earlier, options()).report();
        let source = Source::ten_mib();
        let before = &earlier.sample.digest;
        registry.fail(names(before).from_request(2).times(looks));
        let mut options = options();
        options.retry.max_time = Duration::from_secs(patience);
        let pushed = push(&registry, &source, options);
        let before = before.parse().expect("a digest");
        assert_eq!(shown(&pushed), Some(Shown::Previous(before)));
        assert_eq!(waited(&pushed), Duration::from_secs(patience.min(60)));
        assert_eq!(pushed.retries.len(), looks - 1);
        let last = format!("verify {}: the tag still answers", looks - 1);
        assert!(pushed.retries[looks - 2].starts_with(&last));
        assert_published(&registry, &source);
    }
}

/// Nothing is asked a second time of a tag that shows what was pushed within the minute.
#[test]
fn a_tag_that_shows_after_half_a_minute() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let unknown = Action::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    let on = |route| Fault::new(unknown.clone()).on(route);
    registry.fail(on(Route::ManifestHead).from_request(2).times(12));
    registry.fail(on(Route::ManifestGet));
    let pushed = push(&registry, &source, options());
    assert_eq!(shown(&pushed), None);
    assert_eq!(waited(&pushed), Duration::from_millis(31_500));
}

/// A registry that is not there any more is given less than two minutes for all tags, and the image is said to be published.
#[test]
fn an_outage_after_the_push() {
    for (patience, given) in [(600, 100), (20, 20)] {
        for fault in [
            Action::error(503, "UNAVAILABLE", "down"),
            Action::Reset,
            Action::Close,
        ] {
            let registry = TestRegistry::start(Options::default());
            let source = Source::ten_mib();
            let on = |route| Fault::new(fault.clone()).on(route);
            registry.fail(on(Route::ManifestHead).from_request(2));
            registry.fail(on(Route::ManifestGet));
            let mut options = options();
            options.retry.max_time = Duration::from_secs(patience);
            let pushed = push(&registry, &source, options);
            let Failure::Unverified { expected, .. } = pushed.failure() else {
                panic!("{:?}", pushed.failure());
            };
            assert_eq!(expected.to_string(), source.sample.digest);
            assert_published(&registry, &source);
            assert_eq!(waited(&pushed), Duration::from_secs(given), "{fault:?}");
            for (number, line) in (1..).zip(&pushed.retries) {
                let start = format!("verify {number}: ");
                assert!(line.starts_with(&start), "{line}");
            }
            let journal = registry.journal();
            let looks = journal.count(Route::ManifestHead) + journal.count(Route::ManifestGet);
            assert!(looks <= 2 * pushed.waits.len() + 6, "{looks} requests");
        }
    }
}

/// Tries are limited as those of any request are.
#[test]
fn an_outage_with_few_tries() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::Reset)
            .on(Route::ManifestHead)
            .from_request(2),
    );
    registry.fail(Fault::new(Action::Reset).on(Route::ManifestGet));
    let mut options = options();
    options.retry.max_tries = Some(3);
    let pushed = push(&registry, &source, options);
    assert!(matches!(pushed.failure(), Failure::Unverified { .. }));
    assert_eq!(pushed.retries.len(), 2, "{:?}", pushed.retries);
}

/// The tags are right, and the rest cannot be asked for.
#[test]
fn an_outage_in_a_deep_look() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let down = Fault::new(Action::error(503, "UNAVAILABLE", "down")).on(Route::BlobHead);
    registry.fail(down.from_request(source.sample.blobs.len() + 1));
    let mut options = options();
    options.verify = Verify::Deep;
    options.retry.max_time = Duration::from_mins(1);
    let pushed = crate::support::push_leaping(&registry, &source, options);
    let Failure::Unverified { error, .. } = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    assert!(error.to_string().contains("503"), "{error}");
    let report = &pushed.result.as_ref().expect_err("it failed").report;
    assert_eq!(report.references[0].status, ReferenceStatus::Pushed);
    assert_published(&registry, &source);
}

/// One that refuses to tell is not asked for minutes.
#[test]
fn a_refusal_after_the_push() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let denied = Fault::new(Action::error(403, "DENIED", "denied"));
    registry.fail(denied.clone().on(Route::ManifestHead).from_request(2));
    registry.fail(denied.on(Route::ManifestGet));
    let pushed = push(&registry, &source, options());
    assert!(matches!(pushed.failure(), Failure::Unverified { .. }));
    assert_eq!(waited(&pushed), Duration::from_secs(8));
}
