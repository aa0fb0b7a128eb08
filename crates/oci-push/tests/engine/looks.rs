//! What a tag shows after the push: what was pushed, something else, or nothing yet.

use std::time::Duration;

use oci_push::{Failure, Found, ReferenceStatus, Shown, Verify};
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{Pushed, Source, assert_published, options, push, push_image};

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

/// What a tag that was not moved is said to show; the reference has failed.
fn unmoved(pushed: &Pushed) -> String {
    let Failure::NotPublished { found, .. } = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    let report = &pushed.result.as_ref().expect_err("it failed").report;
    assert_eq!(report.references[0].status, ReferenceStatus::Failed);
    assert_eq!(report.references[0].shown, None);
    found.to_string()
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

/// What the tag named before is waited out for a minute, or for as long as the user has patience, and is a failure then.
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
        assert_eq!(unmoved(&pushed), Found::Previous(before).to_string());
        assert_eq!(waited(&pushed), Duration::from_secs(patience.min(60)));
        assert_eq!(pushed.retries.len(), looks - 1);
        let last = format!("verify {}: the tag still answers", looks - 1);
        assert!(pushed.retries[looks - 2].starts_with(&last));
        assert_published(&registry, &source);
    }
}

/// A registry that confirms the tag, keeps the manifest under its digest, and never sets the tag.
#[test]
fn a_tag_that_is_never_set() {
    for verify in [Verify::Manifest, Verify::Deep] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::ten_mib();
        // Two for each of the eight looks, after which the manifest itself is asked for.
        let unknown = Action::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        let on = |route| Fault::new(unknown.clone()).on(route);
        registry.fail(on(Route::ManifestHead).from_request(2).times(16));
        registry.fail(on(Route::ManifestGet));
        let mut options = options();
        options.verify = verify;
        let pushed = push(&registry, &source, options);
        assert_eq!(unmoved(&pushed), Found::Untagged.to_string());
        assert_eq!(waited(&pushed), Duration::from_mins(1));
    }
}

/// A tag that was not moved keeps no other from being looked at.
#[test]
fn two_tags_of_which_one_was_not_moved() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let earlier = Source::new(&SampleImage::of_layers(&[1000]));
    push(&registry, &earlier, options()).report();
    let before = names(&earlier.sample.digest);
    // Both are asked for before the push.
    registry.fail(before.from_request(3).times(8));
    let references = ["1", "2"].map(|tag| {
        let reference = format!("{}/owner/app:{tag}", registry.host());
        reference.parse().expect("a reference")
    });
    let pushed = push_image(&references, &source.image, options());
    let report = &pushed.result.as_ref().expect_err("it failed").report;
    let states: Vec<ReferenceStatus> = report.references.iter().map(|one| one.status).collect();
    assert_eq!(states, [ReferenceStatus::Failed, ReferenceStatus::Pushed]);
}

/// Where the answer to a HEAD names no digest, that of a GET's body is the tag's: it is known what the tag named before,
/// what it still names, and that nothing has to be done the second time.
#[test]
fn digests_in_bodies_only() {
    let registry = TestRegistry::start(Options::default());
    let earlier = Source::new(&SampleImage::of_layers(&[1000]));
    push(&registry, &earlier, options()).report();
    let silent = Action::RemoveHeader("docker-content-digest".to_owned());
    registry.fail(Fault::new(silent.clone()).on(Route::ManifestHead));
    registry.fail(Fault::new(silent).on(Route::ManifestGet));
    let source = Source::ten_mib();
    let pushed = push(&registry, &source, options());
    let before = earlier.sample.digest.parse().ok();
    assert_eq!(pushed.report().references[0].previous, before);
    assert_eq!(shown(&pushed), None);
    let pushed = push(&registry, &source, options());
    let status = pushed.report().references[0].status;
    assert_eq!(status, ReferenceStatus::Unchanged);
}

/// Where it is not known what the tag named before, another digest need not be that of another push: it is waited for
/// like a tag that shows late, and no more is said than is known.
#[test]
fn a_tag_of_which_nothing_was_known() {
    for (looks, is_moved) in [(3, true), (8, false)] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::ten_mib();
        let denied = Fault::new(Action::answer(403, &[], "")).on(Route::ManifestHead);
        registry.fail(denied.once());
        registry.fail(names(OTHER).from_request(2).times(looks));
        let pushed = push(&registry, &source, options());
        if is_moved {
            assert_eq!(shown(&pushed), None);
            assert_eq!(pushed.retries.len(), looks);
        } else {
            let other = OTHER.parse().expect("a digest");
            assert_eq!(unmoved(&pushed), Found::Unexplained(other).to_string());
            assert_eq!(waited(&pushed), Duration::from_mins(1));
        }
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
