//! What a registry says about chunks: how large they may be, and where one belongs.

use oci_push::{PushOptions, UploadMode};
use test_registry::{Action, Fault, Options, Personality, Phase, Route, SampleImage, TestRegistry};

use crate::support::{MIB, Source, assert_published, options, push};

fn announce(registry: &TestRegistry, name: &str, value: u64) {
    let edit = Action::SetHeader(name.to_owned(), value.to_string());
    registry.fail(Fault::new(edit).on(Route::UploadStart));
}

fn in_chunks_of(size: u64) -> PushOptions {
    let mut options = options();
    options.upload_mode = UploadMode::Chunked;
    options.chunk_size = Some(size);
    options
}

/// The lengths of the bodies that carried the layer, in mebibytes.
fn bodies(registry: &TestRegistry) -> Vec<u64> {
    let journal = registry.journal();
    let bodies = journal.exchanges.iter().map(|one| one.body_bytes);
    bodies
        .filter(|bytes| *bytes >= MIB)
        .map(|bytes| bytes / MIB)
        .collect()
}

/// `OCI-Chunk-Min-Length` makes chunks larger than asked for, and `OCI-Chunk-Max-Length` makes chunks of a stream.
/// What no registry can mean changes nothing.
#[test]
fn announced_sizes_are_kept() {
    let chunks = || in_chunks_of(MIB);
    for (header, value, options, expected) in [
        ("oci-chunk-min-length", 3 * MIB, chunks(), vec![3, 3, 1]),
        ("oci-chunk-min-length", 100 * MIB, chunks(), vec![7]),
        ("oci-chunk-min-length", u64::MAX, chunks(), vec![1; 7]),
        ("oci-chunk-max-length", 2 * MIB, options(), vec![2, 2, 2, 1]),
        ("oci-chunk-max-length", 100 * MIB, options(), vec![7]),
        ("oci-chunk-max-length", 0, options(), vec![7]),
    ] {
        let registry = TestRegistry::start(Options::default());
        // Whatever a sample layer has around its bytes is small.
        let source = Source::new(&SampleImage::of_layers(&[7 * MIB]));
        announce(&registry, header, value);
        let pushed = push(&registry, &source, options);
        pushed.report();
        assert_published(&registry, &source);
        assert_eq!(bodies(&registry), expected, "{header}: {value}");
        assert_eq!(pushed.retries, [""; 0]);
    }
}

/// A limit of one byte does not make a request of each.
#[test]
fn a_hostile_limit_is_bounded() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[MIB]));
    announce(&registry, "oci-chunk-max-length", 1);
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert!((15..20).contains(&journal.count(Route::UploadChunk)));
}

/// An answer to a chunk is lost, and the session does not say where it stands; the refusal of the same chunk does.
fn out_of_step(lie: Option<&str>) -> (usize, usize, u64) {
    let mut ghcr = Options::default();
    ghcr.personality = Personality::Ghcr;
    let registry = TestRegistry::start(ghcr);
    let source = Source::ten_mib();
    let lost = Fault::new(Action::Reset).on(Route::UploadChunk);
    registry.fail(lost.from_request(2).at(Phase::AfterState).once());
    let silent = Action::error(405, "UNSUPPORTED", "no such method");
    registry.fail(Fault::new(silent).on(Route::UploadStatus).once());
    if let Some(range) = lie {
        let edit = Action::SetHeader("range".to_owned(), range.to_owned());
        let third = Fault::new(edit).on(Route::UploadChunk).from_request(3);
        registry.fail(third.once());
    }
    push(&registry, &source, in_chunks_of(MIB)).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    let refused = journal.of(Route::UploadChunk);
    let refused = refused.filter(|one| one.status == Some(416)).count();
    let again = journal.blob_bytes() - source.sample.blob_bytes();
    (refused, journal.count(Route::UploadStatus), again / MIB)
}

#[test]
fn a_refusal_says_where_to_go_on() {
    assert_eq!(out_of_step(None), (1, 1, 1));
}

/// What it says is believed as far as it is possible: no less than was acknowledged, and no more than was sent.
#[test]
fn a_refusal_that_cannot_be_true_is_asked_about() {
    for lie in ["0-99999999", "0-0", "nonsense"] {
        assert_eq!(out_of_step(Some(lie)), (1, 2, 1), "{lie}");
    }
}
