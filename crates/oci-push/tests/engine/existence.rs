//! What a registry says of blobs before they are sent, where it says it badly or not at all: that costs an upload, and
//! not the push.

use std::time::Duration;

use oci_push::Reference;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{
    PASSWORD, Source, USERNAME, assert_published, options, push, push_leaping, push_to,
};

/// Whatever else it is, it is no reason to give up before the blob was offered.
#[test]
fn answers_that_say_nothing_of_a_blob() {
    for (status, tries) in [(400, 1), (403, 1), (451, 1), (501, 1), (500, 4), (503, 4)] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[1000, 2000]));
        let blobs = source.sample.blobs.len();
        registry.fail(Fault::new(Action::answer(status, &[], "")).on(Route::BlobHead));
        let pushed = push(&registry, &source, options());
        assert_eq!(pushed.report().blobs.uploaded, blobs, "{status}");
        assert_published(&registry, &source);
        let asked = registry.journal().count(Route::BlobHead);
        assert_eq!(asked, blobs * tries, "{status}");
    }
}

/// Only what stands after a few tries is no answer.
#[test]
fn a_limit_is_waited_out_all_the_same() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let limited = Action::error(429, "TOOMANYREQUESTS", "slow down");
    registry.fail(Fault::new(limited).on(Route::BlobHead).times(12));
    let pushed = push(&registry, &source, options());
    assert_eq!(pushed.report().blobs.uploaded, source.sample.blobs.len());
    let asked = registry.journal().count(Route::BlobHead);
    assert_eq!(asked, source.sample.blobs.len() + 12);
}

/// A HEAD that is refused, where the same is answered to a GET, refuses nothing.
#[test]
fn a_head_that_is_refused_where_a_get_is_not() {
    for kind in [Options::default(), Options::ghcr(USERNAME, PASSWORD)] {
        let registry = TestRegistry::start(kind);
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        registry.fail(Fault::new(Action::answer(401, &[], "")).on(Route::ManifestHead));
        let pushed = push(&registry, &source, options());
        assert_eq!(pushed.report().blobs.uploaded, source.sample.blobs.len());
        assert_published(&registry, &source);
        let pushed = push(&registry, &source, options());
        assert_eq!(pushed.report().blobs.uploaded, 0);
    }
}

/// Where a confirmation was lost, the blob is sent once more if nothing is said of it.
#[test]
fn a_lost_confirmation_of_which_nothing_is_said() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let blobs = source.sample.blobs.len();
    let silent = Fault::new(Action::answer(501, &[], "")).on(Route::BlobHead);
    registry.fail(silent.from_request(blobs + 1));
    let lost = Fault::new(Action::Reset).on(Route::UploadCommit);
    registry.fail(lost.at(Phase::AfterState).once());
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
}

/// What the registry claimed to have, and was sent, counts as sent.
#[test]
fn blobs_that_were_said_to_be_there() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000, 2000]));
    push(&registry, &source, options()).report();
    let unknown = Action::error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    registry.fail(Fault::new(unknown).on(Route::ManifestPut).times(6));
    let reference: Reference = format!("{}/owner/app:2", registry.host())
        .parse()
        .expect("a reference");
    let pushed = push_to(&[reference], &source, options());
    let blobs = &pushed.report().blobs;
    assert_eq!(blobs.uploaded, source.sample.blobs.len());
    assert_eq!((blobs.existing, blobs.total), (0, blobs.uploaded));
    assert_eq!(blobs.bytes_uploaded, blobs.bytes_total);
}

/// Every request is counted, also those that oci-client sends where an answer to a HEAD names no digest.
#[test]
fn requests_that_are_told() {
    for is_named in [true, false] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        for route in [Route::ManifestHead, Route::ManifestGet, Route::ManifestPut] {
            let silent = Action::RemoveHeader("docker-content-digest".to_owned());
            if !is_named {
                registry.fail(Fault::new(silent).on(route));
            }
        }
        let pushed = push(&registry, &source, options());
        let sent = registry.journal().exchanges.len() as u64;
        assert_eq!(pushed.report().requests, sent, "{is_named}");
    }
}

/// Whoever never says whether a blob has arrived is asked for as long as anything may take, and not for that time with
/// each look; then there is time to send it once more.
#[test]
fn a_question_that_is_never_answered() {
    for (times, is_published) in [(1, true), (usize::MAX, false)] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[]));
        let broken = Fault::new(Action::answer(500, &[], "")).on(Route::BlobHead);
        registry.fail(broken.from_request(source.sample.blobs.len() + 1));
        let lost = Fault::new(Action::answer(202, &[], "")).on(Route::UploadCommit);
        registry.fail(lost.at(Phase::BeforeState).times(times));
        let pushed = push_leaping(&registry, &source, options());
        assert_eq!(pushed.result.is_ok(), is_published, "{:?}", pushed.result);
        let waited: Duration = pushed.waits.iter().sum();
        let most = if is_published { 11 } else { 21 };
        assert!(waited < Duration::from_mins(most), "{waited:?}");
    }
}
