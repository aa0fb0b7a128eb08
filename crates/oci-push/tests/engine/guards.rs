//! What holds a push back, and what looks after it.

use oci_push::{Failure, Verify};
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{Source, assert_published, options, push};

#[test]
fn no_clobber() {
    let registry = TestRegistry::start(Options::default());
    let first = Source::new(&SampleImage::of_layers(&[1000]));
    let second = Source::new(&SampleImage::of_layers(&[2000]));
    let careful = || {
        let mut options = options();
        options.no_clobber = true;
        options
    };
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
