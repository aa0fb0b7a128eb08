//! What goes on at the same time. The registry waits in the middle of each request, so that those which
//! may overlap do.

use std::time::Duration;

use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{Source, assert_published, options, push};

/// Twenty layers and a configuration.
fn many_blobs() -> Source {
    Source::new(&SampleImage::of_layers(&[1000; 20]))
}

fn delay(route: Route) -> Fault {
    Fault::new(Action::Delay(Duration::from_millis(500)))
        .on(route)
        .at(Phase::BeforeState)
}

#[test]
fn blobs_are_looked_for_all_at_once() {
    let registry = TestRegistry::start(Options::default());
    // In a repository that has nothing nothing is looked for.
    let earlier = Source::new(&SampleImage::of_layers(&[7]));
    push(&registry, &earlier, options()).report();
    registry.clear_journal();
    let source = many_blobs();
    registry.fail(delay(Route::BlobHead).at(Phase::AfterState));
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.count(Route::BlobHead), source.sample.blobs.len());
    let overlap = journal.most_in_flight(Route::BlobHead);
    assert!(overlap >= 12, "{overlap} at a time");
}

/// A number that is asked for holds for small blobs, too: whoever pushes one at a time has met a limit of requests.
#[test]
fn so_many_blobs_as_are_asked_for() {
    // The registry may be done with a body when the next one has begun already.
    for (jobs, expected) in [(Some(1), 1..=2), (Some(3), 2..=5), (None, 8..=18)] {
        let registry = TestRegistry::start(Options::default());
        let earlier = Source::new(&SampleImage::of_layers(&[7]));
        push(&registry, &earlier, options()).report();
        registry.clear_journal();
        let source = Source::new(&SampleImage::of_layers(&[300_000; 20]));
        let slow = Fault::new(Action::Delay(Duration::from_millis(100)));
        registry.fail(slow.on(Route::BlobHead).at(Phase::AfterState));
        let mut options = options();
        options.jobs = jobs;
        // So slow that bodies overlap.
        options.limit_rate = Some(6_000_000);
        push(&registry, &source, options).report();
        assert_published(&registry, &source);
        let journal = registry.journal();
        let questions = journal.most_in_flight(Route::BlobHead);
        assert!(
            questions <= jobs.map_or(16, |jobs| 4 * jobs),
            "{questions} questions, {jobs:?}"
        );
        let bodies = journal.most_bodies_in_flight();
        assert!(expected.contains(&bodies), "{bodies} bodies, {jobs:?}");
    }
}

/// One body at a time, but what waits for the registry to store it needs no bandwidth.
#[test]
fn a_commit_does_not_keep_other_bodies_waiting() {
    let registry = TestRegistry::start(Options::default());
    let source = many_blobs();
    registry.fail(delay(Route::UploadCommit));
    let mut options = options();
    options.jobs = Some(1);
    push(&registry, &source, options).report();
    assert_published(&registry, &source);
    let overlap = registry.journal().most_in_flight(Route::UploadCommit);
    assert!(overlap >= 12, "{overlap} at a time");
}

/// Children of an index do not wait for one another.
#[test]
fn manifests_of_one_level_are_put_side_by_side() {
    let registry = TestRegistry::start(Options::default());
    let platforms = ["amd64", "arm64", "riscv64", "s390x"];
    let image = platforms
        .iter()
        .fold(SampleImage::default(), |image, platform| {
            image.platform(platform, &[1000])
        });
    let source = Source::new(&image);
    registry.fail(delay(Route::ManifestPut));
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.count(Route::ManifestPut), platforms.len() + 1);
    assert_eq!(
        journal.most_in_flight(Route::ManifestPut),
        platforms.len(),
        "all children, and the index after them"
    );
}
