//! Pushes of several references, one of which fails: what becomes of the others.

use oci_push::{Failure, Reference, ReferenceStatus, Verify};
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{Pushed, Source, options, push_leaping_to, push_to};

fn references(written: &[String]) -> Vec<Reference> {
    let read = |one: &String| one.parse().expect("a reference");
    written.iter().map(read).collect()
}

fn states(pushed: &Pushed) -> Vec<&'static str> {
    let report = match &pushed.result {
        Ok(report) => report,
        Err(error) => &error.report,
    };
    let states = report.references.iter().map(|one| one.status);
    states.map(ReferenceStatus::as_str).collect()
}

/// A tag that a registry does not set says nothing of other repositories, be they its own or another's.
#[test]
fn a_tag_that_is_never_set_in_the_first_of_three_repositories() {
    let registry = TestRegistry::start(Options::default());
    let other = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let unknown = Action::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    for route in [Route::ManifestHead, Route::ManifestGet] {
        registry.fail(
            Fault::new(unknown.clone())
                .on(route)
                .repository("owner/app"),
        );
    }
    let references = references(&[
        format!("{}/owner/app:1", registry.host()),
        format!("{}/owner/second:1", registry.host()),
        format!("{}/owner/third:1", other.host()),
    ]);
    let pushed = push_to(&references, &source, options());
    assert!(
        matches!(pushed.failure(), Failure::NotPublished { .. }),
        "{:?}",
        pushed.failure()
    );
    assert_eq!(states(&pushed), ["failed", "pushed", "pushed"]);
}

/// A registry that is gone when it is asked what was published keeps no other registry from being pushed to, and one
/// that refuses to tell not even its own repositories.
#[test]
fn a_look_without_an_answer_in_the_first_of_three_repositories() {
    for (action, second) in [
        // What is out of reach for one repository is so for the next.
        (Action::Reset, "failed"),
        (Action::error(403, "DENIED", "denied"), "pushed"),
    ] {
        let registry = TestRegistry::start(Options::default());
        let other = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        let first = |route, from| {
            let fault = Fault::new(action.clone()).on(route);
            fault.repository("owner/app").from_request(from)
        };
        registry.fail(first(Route::ManifestHead, 2));
        registry.fail(first(Route::ManifestGet, 1));
        let references = references(&[
            format!("{}/owner/app:1", registry.host()),
            format!("{}/owner/second:1", registry.host()),
            format!("{}/owner/third:1", other.host()),
        ]);
        let pushed = push_to(&references, &source, options());
        assert!(
            matches!(pushed.failure(), Failure::Unverified { .. }),
            "{:?}",
            pushed.failure()
        );
        assert_eq!(states(&pushed), ["failed", second, "pushed"]);
    }
}

/// The failure is that of the first tag that was not set.
#[test]
fn a_tag_that_is_refused_before_an_outage() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let put = |action| Fault::new(action).on(Route::ManifestPut);
    let immutable = Action::error(403, "DENIED", "tag 1 is immutable");
    registry.fail(put(immutable).once());
    registry.fail(put(Action::Reset).from_request(2));
    let tags = ["1", "2"].map(|tag| format!("{}/owner/app:{tag}", registry.host()));
    let mut options = options();
    options.retry.max_tries = Some(2);
    let pushed = push_to(&references(&tags), &source, options);
    let rejection = pushed.failure().rejection().expect("a refusal");
    assert!(rejection.url.ends_with("/manifests/1"), "{}", rejection.url);
    assert_eq!(states(&pushed), ["failed"; 2]);
}

/// What is the whole registry's is not waited out anew for each tag.
#[test]
fn tags_in_an_outage_and_under_a_limit() {
    for (status, words) in [
        (503, ""),
        (403, "You have exceeded a secondary rate limit."),
    ] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        let refused = Action::answer(status, &[], words);
        registry.fail(Fault::new(refused).on(Route::ManifestPut));
        let tags = |tags: &[&str]| {
            let written = tags
                .iter()
                .map(|tag| format!("{}/owner/app:{tag}", registry.host()));
            references(&written.collect::<Vec<_>>())
        };
        let mut options = options();
        options.verify = Verify::None;
        push_leaping_to(&tags(&["1"]), &source, options.clone()).failure();
        let alone = registry.journal().count(Route::ManifestPut);
        registry.clear_journal();
        let pushed = push_leaping_to(&tags(&["1", "2", "3"]), &source, options);
        assert_eq!(states(&pushed), ["failed"; 3], "{status}");
        let puts = registry.journal().count(Route::ManifestPut);
        assert!(puts <= alone + 2, "{status}: {puts}, of one tag {alone}");
    }
}
