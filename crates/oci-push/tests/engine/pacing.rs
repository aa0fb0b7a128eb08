//! Uploads at a rate, and uploads that the registry keeps silent about.

use std::time::{Duration, Instant};

use oci_push::{Profile, UploadMode};
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{MIB, PASSWORD, Source, USERNAME, assert_published, options, push};

/// The limit holds for all uploads together, and one that waits for its turn is not taken for one that stalls.
#[test]
fn all_uploads_share_the_rate() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[MIB, MIB, MIB]));
    let mut options = options();
    options.limit_rate = Some(2 * MIB);
    options.http.stall_timeout = Duration::from_millis(500);
    let start = Instant::now();
    let pushed = push(&registry, &source, options);
    let took = start.elapsed();
    assert_published(&registry, &source);
    assert_eq!(pushed.retries, [""; 0]);
    // The first frame of all goes at once.
    assert!(took > Duration::from_millis(1300), "3 MiB in {took:?}");
}

/// A registry that stores a blob and never says so is asked, in both modes.
#[test]
fn a_commit_that_is_never_answered() {
    for mode in [UploadMode::Stream, UploadMode::Chunked] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[3 * MIB, 2000]));
        registry.fail(
            Fault::new(Action::Stall)
                .on(Route::UploadCommit)
                .at(Phase::AfterState),
        );
        let mut options = options();
        options.upload_mode = mode;
        options.chunk_size = Some(MIB);
        options.commit_patience = Duration::from_millis(100);
        let pushed = push(&registry, &source, options);
        assert_published(&registry, &source);
        assert_eq!(pushed.retries, [""; 0], "nothing had to be sent again");
        let journal = registry.journal();
        assert_eq!(journal.blob_bytes(), source.sample.blob_bytes());
        assert_eq!(journal.count(Route::UploadCommit), 3);
    }
}

/// One that is slow is waited for, and asked meanwhile without harm.
#[test]
fn a_commit_that_takes_its_time() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[3 * MIB]));
    registry.fail(
        Fault::new(Action::Delay(Duration::from_millis(1500)))
            .on(Route::UploadCommit)
            .body_over(MIB)
            .at(Phase::BeforeState),
    );
    let mut options = options();
    options.commit_patience = Duration::from_millis(100);
    push(&registry, &source, options).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.uploads_of(source.sample.largest()).commits, 1);
    // After 0.1, 0.3, 0.7 and perhaps 1.5 seconds.
    let looks = journal.count(Route::BlobHead) - source.sample.blobs.len();
    assert!((2..=4).contains(&looks), "{looks}");
}

/// Chunks in a long row go to ghcr.io at a rate that its secondary limit bears, whatever the number of blobs; other
/// registries are spared nothing.
#[test]
fn chunks_in_a_long_row_are_spaced() {
    let guarded = Options::ghcr(USERNAME, PASSWORD);
    for (profile, registry, spaced) in [
        (Profile::Ghcr, guarded, 15..=22),
        (Profile::Specification, Options::default(), 0..=0),
    ] {
        let registry = TestRegistry::start(registry);
        let source = Source::new(&SampleImage::of_layers(&[10 * MIB; 2]));
        let mut options = options();
        options.profile = Some(profile);
        options.upload_mode = UploadMode::Chunked;
        options.chunk_size = Some(64 * 1024);
        let start = Instant::now();
        let pushed = push(&registry, &source, options);
        let took = start.elapsed();
        pushed.report();
        assert_published(&registry, &source);
        let chunks = registry.journal().count(Route::UploadChunk);
        assert!((319..=321).contains(&chunks), "{chunks}");
        // One and a half a second, from the moment on at which they were a long row. A machine that took as long by
        // itself had nothing to wait for.
        let waits = pushed.waits.iter();
        let waits = waits
            .filter(|wait| **wait > Duration::from_millis(300))
            .count();
        let is_slow = took > Duration::from_secs(5) && profile == Profile::Ghcr;
        let spaced = if is_slow { 0..=*spaced.end() } else { spaced };
        assert!(spaced.contains(&waits), "{profile:?}: {waits} in {took:?}");
    }
}
