//! Blobs that would miss the registry's limit on the time of a request: alone if that is enough, else in chunks. The
//! limits are seconds here, where ghcr.io's are minutes.

use std::time::Duration;

use test_registry::{Journal, Options, Route, SampleImage, TestRegistry};

use crate::support::{MIB, Source, assert_published, options, push};

/// Large bodies: how long they took, and whether they were stored.
fn streams(journal: &Journal) -> Vec<(Duration, bool)> {
    let large = journal.of(Route::UploadCommit);
    let large = large.filter(|one| one.content_length > Some(6 * MIB));
    large
        .map(|one| {
            let began = one.body_began.unwrap_or_default();
            let ended = one.body_ended.or(one.ended).unwrap_or(began);
            (ended.saturating_sub(began), one.status == Some(201))
        })
        .collect()
}

/// What comes of layers at 8 `MiB` a second together, where no request may take longer than `longest`.
fn pushed_within(longest: Duration, layers: &[u64]) -> Journal {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(layers));
    let mut options = options();
    options.limit_rate = Some(8 * MIB);
    options.longest_request = Some(longest);
    options.chunk_size = Some(4 * MIB);
    let pushed = push(&registry, &source, options);
    pushed.report();
    assert_published(&registry, &source);
    assert_eq!(pushed.retries, [""; 0], "nothing failed");
    let journal = registry.journal();
    assert!(journal.blob_bytes() < source.sample.blob_bytes() + 12 * MIB);
    journal
}

/// Two blobs of 24 `MiB` take six seconds, and one after the other three each.
#[test]
fn a_blob_gets_the_link_for_itself() {
    let longest = Duration::from_millis(5500);
    let journal = pushed_within(longest, &[24 * MIB, 24 * MIB + 1]);
    assert_eq!(journal.count(Route::UploadChunk), 0);
    let streams = streams(&journal);
    assert_eq!(streams.len(), 3, "one made way: {streams:?}");
    for (took, is_stored) in streams {
        assert!(took < longest || !is_stored, "{took:?}");
    }
}

/// One that would miss it alone is sent in chunks, and that is found out early.
#[test]
fn a_blob_that_is_too_large_for_a_stream() {
    let journal = pushed_within(Duration::from_secs(3), &[32 * MIB]);
    assert_eq!(streams(&journal).len(), 1);
    assert_eq!(journal.count(Route::UploadChunk), 8);
}
