//! Packages that have just been created: rights to them take a while to be the same everywhere, so that what was
//! allowed a moment ago is refused. What existed before refuses at once.

use std::time::Duration;

use oci_push::{Profile, PushOptions, UploadMode};
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{
    MIB, PASSWORD, Pushed, Source, USERNAME, assert_published, assert_unpublished, push,
};

/// GitHub's registry, under another name.
fn options() -> PushOptions {
    let mut options = crate::support::options();
    options.profile = Some(Profile::Ghcr);
    options
}

const DENIED: (u16, &str, &str) = (403, "DENIED", "permission_denied: write_package");

fn refusals() -> Vec<Action> {
    let wordless = Action::answer(403, &[], "");
    let (status, code, message) = DENIED;
    vec![
        Action::error(status, code, message),
        wordless,
        Action::error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        Action::error(404, "NAME_UNKNOWN", "repository name not known to registry"),
    ]
}

/// Waits that are given to rights.
fn long_waits(pushed: &Pushed) -> usize {
    let waits = pushed.waits.iter();
    waits
        .filter(|wait| **wait >= Duration::from_secs(3))
        .count()
}

/// Whatever request of an upload meets it, and however it is told.
#[test]
fn a_new_package_is_waited_for() {
    for route in [Route::UploadStart, Route::UploadChunk, Route::UploadCommit] {
        for refusal in refusals() {
            let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
            let source = Source::new(&SampleImage::of_layers(&[3 * MIB]));
            // The first POST is the one that creates the package.
            let first = if route == Route::UploadStart { 2 } else { 1 };
            let fault = Fault::new(refusal.clone()).on(route);
            registry.fail(fault.from_request(first).at(Phase::BeforeState).times(3));
            let mut options = options();
            options.upload_mode = UploadMode::Chunked;
            options.chunk_size = Some(MIB);
            let pushed = push(&registry, &source, options);
            pushed.report();
            assert_published(&registry, &source);
            let name = format!("{route:?} {refusal:?}");
            assert_eq!(pushed.retries.len(), 3, "{name}: {:?}", pushed.retries);
            assert!(long_waits(&pushed) >= 3, "{name}: {:?}", pushed.waits);
            let journal = registry.journal();
            assert!(
                journal.blob_bytes() <= 4 * source.sample.blob_bytes(),
                "{name}"
            );
        }
    }
}

/// A minute is given, and no more; then the registry's own words are told.
#[test]
fn a_refusal_that_stays_ends_the_push() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::new(&SampleImage::of_layers(&[9 * MIB]));
    let (status, code, message) = DENIED;
    registry.fail(
        Fault::new(Action::error(status, code, message))
            .on(Route::UploadCommit)
            .at(Phase::BeforeState)
            .body_over(MIB),
    );
    let pushed = push(&registry, &source, options());
    let rejection = pushed.failure().rejection().expect("a refusal");
    assert_eq!(rejection.words(), message);
    let given: Duration = pushed.waits.iter().sum();
    assert!((60..70).contains(&given.as_secs()), "{:?}", pushed.waits);
    let commits = registry
        .journal()
        .uploads_of(source.sample.largest())
        .commits;
    assert_eq!(commits, 4, "a body is sent seldom");
    assert_unpublished(&registry);
}

/// A package with a tag, or with one of the blobs, is not new: what it refuses is refused.
#[test]
fn an_old_package_is_believed_at_once() {
    for shared in [true, false] {
        let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
        let earlier = Source::new(&SampleImage::of_layers(&[1000, 2000]));
        push(&registry, &earlier, options()).report();
        let before = registry.journal().exchanges.len();
        if shared {
            // The tag is not seen, but a layer is.
            let absent = Action::error(404, "MANIFEST_UNKNOWN", "unknown");
            registry.fail(Fault::new(absent).on(Route::ManifestHead).once());
            // All looks are answered before anything is written.
            let delay = Action::Delay(Duration::from_millis(300));
            registry.fail(Fault::new(delay).on(Route::UploadStart));
        }
        let source = Source::new(&SampleImage::of_layers(&[1000, 3 * MIB]));
        let (status, code, message) = DENIED;
        let fault = Fault::new(Action::error(status, code, message)).on(Route::UploadCommit);
        // A body that is not read is often cut off, and its answer lost.
        registry.fail(fault.at(Phase::BeforeState));
        let pushed = push(&registry, &source, options());
        let rejection = pushed.failure().rejection().expect("a refusal");
        assert_eq!(rejection.words(), message);
        assert_eq!(pushed.retries, [""; 0], "tag hidden: {shared}");
        let journal = registry.journal();
        let later = journal.exchanges[before..].iter();
        let commits = later.filter(|one| one.route == Route::UploadCommit);
        assert!(commits.count() <= 2, "one for each blob that was missing");
    }
}

/// Other registries' refusals are refusals, and so is one whose words name a reason that time does not change.
#[test]
fn a_refusal_that_no_age_explains() {
    let (status, code, denied) = DENIED;
    for (profile, words) in [
        (Profile::Specification, denied),
        (Profile::Ghcr, "tag 1 is immutable"),
    ] {
        let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        registry.fail(Fault::new(Action::error(status, code, words)).on(Route::ManifestPut));
        let mut options = options();
        options.profile = Some(profile);
        let pushed = push(&registry, &source, options);
        let rejection = pushed.failure().rejection().expect("a refusal");
        assert_eq!(rejection.words(), words);
        assert_eq!(pushed.retries, [""; 0]);
        assert_unpublished(&registry);
    }
}

/// What is waited for is told in the registry's words.
#[test]
fn the_words_are_told_while_it_waits() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let (status, code, words) = DENIED;
    let fault = Fault::new(Action::error(status, code, words)).on(Route::ManifestPut);
    registry.fail(fault.once());
    let pushed = push(&registry, &source, options());
    pushed.report();
    let told = format!("put-tag 1: the registry answered 403 Forbidden: {words}");
    assert_eq!(pushed.retries, [told]);
}
