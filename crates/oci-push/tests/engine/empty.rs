//! Repositories that do not exist yet: no blob need be looked for in them.

use std::time::Duration;

use oci_push::Profile;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{
    PASSWORD, Pushed, Source, USERNAME, assert_published, options, push, push_to,
};

/// Questions for a blob take a while, so that the answer for the tags is there before most of them.
fn slow(registry: &TestRegistry) {
    let delay = Action::Delay(Duration::from_millis(200));
    let slow = Fault::new(delay).on(Route::BlobHead);
    registry.fail(slow.at(Phase::AfterState));
}

fn many_blobs() -> Source {
    Source::new(&SampleImage::of_layers(&[1000; 59]))
}

fn looks(registry: &TestRegistry) -> (usize, usize) {
    let journal = registry.journal();
    (
        journal.count(Route::TagsList),
        journal.count(Route::BlobHead),
    )
}

#[test]
fn a_first_push_looks_for_little() {
    let registry = TestRegistry::start(Options::default());
    let source = many_blobs();
    slow(&registry);
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    assert_eq!(looks(&registry), (1, 16));
}

/// What a tag, or no certain word, says of the repository spares nothing.
#[test]
fn everything_is_looked_for_elsewhere() {
    let unknown = Action::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    for (tag, tags, asked) in [(true, None, 0), (false, Some(unknown), 1)] {
        let registry = TestRegistry::start(Options::default());
        if tag {
            let earlier = Source::new(&SampleImage::of_layers(&[7]));
            push(&registry, &earlier, options()).report();
        }
        if let Some(answer) = tags {
            registry.fail(Fault::new(answer).on(Route::TagsList));
        }
        registry.clear_journal();
        let source = many_blobs();
        slow(&registry);
        push(&registry, &source, options()).report();
        assert_published(&registry, &source);
        assert_eq!(looks(&registry), (asked, 60));
    }
}

/// ghcr.io does not tell names from tags, and is not asked. Few blobs are looked for at once anyway.
#[test]
fn what_brings_nothing_is_not_asked() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let mut ghcr = options();
    ghcr.profile = Some(Profile::Ghcr);
    push(&registry, &many_blobs(), ghcr).report();
    assert_eq!(looks(&registry), (0, 60));
    let registry = TestRegistry::start(Options::default());
    push(&registry, &Source::ten_mib(), options()).report();
    assert_eq!(looks(&registry), (0, 2));
}

/// Mounts are tried all the same.
#[test]
fn an_empty_repository_takes_blobs_over() {
    let registry = TestRegistry::start(Options::default());
    let source = many_blobs();
    let references = ["one", "two"].map(|name| format!("{}/owner/{name}:1", registry.host()));
    let references = references.map(|reference| reference.parse().expect("a reference"));
    slow(&registry);
    let pushed: Pushed = push_to(&references, &source, options());
    let blobs = &pushed.report().blobs;
    assert_eq!((blobs.uploaded, blobs.mounted), (60, 60));
}
