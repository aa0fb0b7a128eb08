//! What a broken connection hides. A registry, or a proxy before it, that answers before it has read a body, and then
//! closes the connection, resets it: its answer is lost with what was on the way.

use oci_push::UploadMode;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{MIB, Source, assert_published, options, push};

/// A body over two mebibytes is refused, and nobody hears of it.
///
/// The body has begun by then. Before that, the client could take the connection for one that was closed while it was
/// idle, and repeat the request for nothing, depending on which of both ends is faster.
fn refuse_large_bodies(registry: &TestRegistry) {
    for route in [Route::UploadCommit, Route::UploadChunk] {
        let fault = Fault::new(Action::Reset).on(route).at(Phase::BodyBegun);
        registry.fail(fault.body_over(2 * MIB));
    }
}

/// What breaks again and again is sent in smaller and smaller bodies, until they go through.
#[test]
fn a_limit_that_is_told_by_resets() {
    for (mode, streams) in [(UploadMode::Auto, 2), (UploadMode::Chunked, 0)] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[20 * MIB]));
        refuse_large_bodies(&registry);
        let mut options = options();
        options.upload_mode = mode;
        let pushed = push(&registry, &source, options);
        pushed.report();
        assert_published(&registry, &source);
        let journal = registry.journal();
        let broken = |route| {
            let cut = journal.of(route).filter(|one| one.status.is_none());
            cut.map(|one| one.content_length.unwrap_or(0) / MIB)
                .collect::<Vec<u64>>()
        };
        assert_eq!(broken(Route::UploadCommit), vec![20; streams], "{mode:?}");
        assert_eq!(broken(Route::UploadChunk), [16, 16, 4, 4, 3, 3], "{mode:?}");
        assert_eq!(journal.blob_bytes(), source.sample.blob_bytes());
    }
}

/// The registry's own words are told, if a small request gets any.
#[test]
fn a_refusal_that_is_told_by_resets() {
    let registry = TestRegistry::start(Options::default());
    let earlier = Source::new(&SampleImage::of_layers(&[1000]));
    push(&registry, &earlier, options()).report();
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::Reset)
            .on(Route::UploadCommit)
            .at(Phase::AfterBodyBytes(MIB)),
    );
    let words = "permission_denied: the token has ended";
    let refusal = Action::error(403, "DENIED", words);
    let blobs = source.sample.blobs.len();
    registry.fail(
        Fault::new(refusal)
            .on(Route::UploadStart)
            .from_request(blobs + 1),
    );
    let mut options = options();
    options.retry.max_tries = Some(1);
    let pushed = push(&registry, &source, options);
    let rejection = pushed.failure().rejection().expect("a refusal");
    assert_eq!(rejection.words(), words);
    let commits = registry
        .journal()
        .uploads_of(source.sample.largest())
        .commits;
    assert_eq!(commits, 1);
}
