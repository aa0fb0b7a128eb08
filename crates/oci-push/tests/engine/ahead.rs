//! Sessions that are opened while the blob before is still being sent, so that no slot waits for a round trip.

use std::time::Duration;

use test_registry::{Action, Fault, Journal, Options, Route, SampleImage, TestRegistry};

use crate::support::{MIB, Source, assert_published, options, push};

/// When sessions were opened, without that for the configuration, which is sent beside.
fn starts(journal: &Journal) -> Vec<Duration> {
    let mut starts: Vec<Duration> = journal.of(Route::UploadStart).map(|one| one.at).collect();
    starts.sort_unstable();
    starts
}

/// When the bodies of large blobs had arrived.
fn ends(journal: &Journal) -> Vec<Duration> {
    let large = journal.of(Route::UploadCommit);
    let large = large.filter(|one| one.body_bytes >= MIB);
    let mut ends: Vec<Duration> = large.filter_map(|one| one.body_ended).collect();
    ends.sort_unstable();
    ends
}

#[test]
fn a_slot_does_not_wait_for_a_session() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[2 * MIB, 2 * MIB, 2 * MIB]));
    let mut options = options();
    options.jobs = Some(1);
    options.limit_rate = Some(4 * MIB);
    push(&registry, &source, options).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    let (starts, ends) = (starts(&journal), ends(&journal));
    assert_eq!(
        (starts.len(), ends.len()),
        (4, 3),
        "none was opened in vain"
    );
    for (number, end) in ends.iter().enumerate() {
        assert!(starts[number + 1] < *end, "{starts:?} {ends:?}");
        let opened = starts.iter().filter(|start| *start < end).count();
        assert_eq!(opened, number + 2, "one is ahead: {starts:?} {ends:?}");
    }
}

/// A session that is gone when the slot is free is opened again.
#[test]
fn a_session_that_was_opened_in_vain() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[2 * MIB, 2 * MIB]));
    let gone = Action::error(
        404,
        "BLOB_UPLOAD_UNKNOWN",
        "blob upload unknown to registry",
    );
    let second = Fault::new(gone).on(Route::UploadCommit).body_over(MIB);
    registry.fail(second.from_request(2).once());
    let mut options = options();
    options.jobs = Some(1);
    options.limit_rate = Some(8 * MIB);
    push(&registry, &source, options).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.count(Route::UploadStart), 4);
}
