//! What holds a push back, and what looks after it.

use std::sync::Arc;

use oci_push::{
    Failure, FixedKeychain, PlanError, PlannedStatus, PushOptions, PushPlan, Pusher, Reference,
    Silent, Verify,
};
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{Source, assert_published, options, push};

#[test]
fn no_clobber() {
    let registry = TestRegistry::start(Options::default());
    let first = Source::new(&SampleImage::of_layers(&[1000]));
    let second = Source::new(&SampleImage::of_layers(&[2000]));
    push(&registry, &first, careful()).report();
    registry.clear_journal();
    let refused = push(&registry, &second, careful());
    assert!(matches!(refused.failure(), Failure::Exists { .. }));
    assert_eq!(registry.journal().mutating(), 0, "nothing was sent");
    assert_published(&registry, &first);
    // The same image may be pushed again, and without the option the other one too.
    push(&registry, &first, careful()).report();
    push(&registry, &second, options()).report();
    assert_published(&registry, &second);
}

fn careful() -> PushOptions {
    let mut options = options();
    options.no_clobber = true;
    options
}

fn plan(
    source: &Source,
    references: &[Reference],
    options: PushOptions,
) -> Result<PushPlan, Box<PlanError>> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let keychain = Arc::new(FixedKeychain(None));
    let pusher = Pusher::new(options, keychain, Arc::new(Silent)).expect("a client");
    runtime.block_on(pusher.plan(&source.image, references))
}

fn statuses(plan: &PushPlan) -> Vec<PlannedStatus> {
    let references = plan.references.iter();
    references.map(|reference| reference.status).collect()
}

/// A plan refuses what the push would refuse, also where only the tag itself tells what it names.
#[test]
fn a_plan_without_clobber() {
    use PlannedStatus::{Planned, Refused, Unchanged};
    for is_mute in [false, true] {
        let registry = TestRegistry::start(Options::default());
        let first = Source::new(&SampleImage::of_layers(&[1000]));
        let second = Source::new(&SampleImage::of_layers(&[2000]));
        push(&registry, &first, options()).report();
        if is_mute {
            let mute = Action::answer(403, &[], "");
            registry.fail(Fault::new(mute).on(Route::ManifestHead));
        }
        registry.clear_journal();
        let references = ["app:2", "app:1", "other:1"]
            .map(|name| format!("{}/owner/{name}", registry.host()))
            .map(|name| name.parse().expect("a reference"));
        let planned = plan(&second, &references, careful());
        let PlanError {
            plan: found,
            failure,
        } = *planned.expect_err("a tag names another image");
        let Failure::Exists { reference, .. } = failure else {
            panic!("{failure:?}");
        };
        assert_eq!(reference, references[1].to_string());
        assert_eq!(statuses(&found), [Refused, Refused, Planned]);
        let previous = found.references[1].previous.as_ref();
        assert_eq!(
            previous.map(ToString::to_string).as_ref(),
            Some(&first.sample.digest)
        );
        let repositories = found.repositories.iter();
        let missing: Vec<usize> = repositories.map(|one| one.missing).collect();
        assert_eq!(
            missing,
            [2],
            "nothing would be sent to the other repository"
        );

        let planned = plan(&first, &references, careful()).expect("it names that image");
        assert_eq!(statuses(&planned), [Planned, Unchanged, Planned]);
        if !is_mute {
            let planned = plan(&second, &references, options()).expect("it may move");
            assert_eq!(statuses(&planned), [Planned, Planned, Planned]);
        }
        assert_eq!(registry.journal().mutating(), 0);
    }
}

#[test]
fn a_deep_look() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(
        &SampleImage::default()
            .platform("amd64", &[1000])
            .platform("arm64", &[2000]),
    );
    let deep = || {
        let mut options = options();
        options.verify = Verify::Deep;
        options
    };
    push(&registry, &source, deep()).report();
    let journal = registry.journal();
    assert_eq!(
        journal.count(Route::BlobHead),
        2 * source.sample.blobs.len()
    );

    // A blob that is lost after it was confirmed.
    let lossy = TestRegistry::start(Options::default());
    let blobs = source.sample.blobs.len();
    let gone = Action::error(404, "BLOB_UNKNOWN", "gone");
    lossy.fail(Fault::new(gone).on(Route::BlobHead).from_request(blobs + 1));
    let failed = push(&lossy, &source, deep());
    assert!(
        matches!(failed.failure(), Failure::Violation(_)),
        "{:?}",
        failed.failure()
    );
}
