//! Layers that are taken for known, and that the registry turns out to lack: they are made and sent after all.

use std::sync::atomic::Ordering;

use oci_archive::{Algorithm, Digest, Draft};
use oci_push::{Failure, ReferenceStatus, Verify};
use serde_json::Value;
use test_registry::{Action, Fault, Options, Route, TestRegistry};

use crate::drafts::{Outcome, Shop, content, draft, push, reference, shop};
use crate::support::options;

fn compressions(outcome: &Outcome) -> usize {
    outcome.counter.compressions.load(Ordering::Relaxed)
}

/// What a manifest names, all of it stored.
fn assert_whole(registry: &TestRegistry, repository: &str, tag: &str) -> Vec<String> {
    let manifest = registry.manifest(repository, tag).expect("published");
    let document: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
    let layers = document["layers"].as_array().expect("layers");
    let named = layers.iter().chain([&document["config"]]);
    let digests: Vec<String> = named
        .map(|blob| blob["digest"].as_str().expect("a digest").to_owned())
        .collect();
    for digest in &digests {
        let stored = registry.blob(repository, digest).expect("it is stored");
        assert_eq!(Digest::of(Algorithm::Sha256, &stored).to_string(), *digest);
    }
    digests
}

/// An image of one layer that was pushed to `owner/app`: its draft, and what was kept of it.
fn pushed_once(registry: &TestRegistry) -> (Draft, Shop) {
    let draft = draft(&[content(1, 50_000)]);
    let shop = shop();
    let first = push(&draft, &shop, &[reference(registry, "app:1")], options());
    first.result.expect("pushed");
    (draft, shop)
}

/// Says that it has every blob of this size.
fn claims(size: u64) -> Fault {
    let yes = Action::answer(200, &[("content-length", &size.to_string())], "");
    Fault::new(yes)
        .on(Route::BlobHead)
        .repository("owner/other")
}

/// Misses a blob when a manifest is stored.
fn misses(digest: &str) -> Fault {
    let body = serde_json::json!({ "errors": [{
        "code": "MANIFEST_BLOB_UNKNOWN",
        "message": "blob unknown to registry",
        "detail": { "digest": digest },
    }] });
    let unknown = Action::answer(
        404,
        &[("content-type", "application/json")],
        &body.to_string(),
    );
    Fault::new(unknown).on(Route::ManifestPut).once()
}

#[test]
fn a_cached_layer_that_a_registry_only_claims_to_have() {
    let registry = TestRegistry::start(Options::default());
    let (draft, shop) = pushed_once(&registry);
    let (_, size) = shop.only_entry();
    registry.fail(claims(size));
    let other = push(&draft, &shop, &[reference(&registry, "other:1")], options());
    assert_eq!(compressions(&other), 1);
    let report = other.result.expect("pushed");
    assert_whole(&registry, "owner/other", "1");
    let [one, other] =
        ["owner/app", "owner/other"].map(|name| registry.manifest(name, "1").expect("published"));
    assert_eq!(one.bytes, other.bytes);
    assert_eq!((report.blobs.uploaded, report.blobs.existing), (2, 0));
    assert_eq!(report.blobs.total, 2);
}

/// Nothing is taken over from where it may be lost as well.
#[test]
fn a_lost_layer_is_sent_though_another_repository_has_it() {
    let registry = TestRegistry::start(Options::default());
    let (draft, shop) = pushed_once(&registry);
    let (layer, size) = shop.only_entry();
    registry.fail(claims(size));
    registry.clear_journal();
    let mut options = options();
    let source = reference(&registry, "app:1");
    options.mount_from = vec![source.parse().expect("a reference")];
    let other = push(&draft, &shop, &[reference(&registry, "other:1")], options);
    let report = other.result.expect("pushed");
    assert_whole(&registry, "owner/other", "1");
    assert_eq!((report.blobs.uploaded, report.blobs.mounted), (1, 1));
    assert_eq!(registry.journal().uploads_of(&layer.to_string()).commits, 1);
}

/// The registry claims to have a blob that the layer does not become.
#[test]
fn a_cache_that_names_a_wrong_blob() {
    let registry = TestRegistry::start(Options::default());
    let (draft, shop) = pushed_once(&registry);
    let (_, size) = shop.only_entry();
    for entry in shop.cache.0.lock().expect("no panic").values_mut() {
        entry.0 = Digest::of(Algorithm::Sha256, b"something else");
    }
    registry.fail(claims(size));
    let other = push(&draft, &shop, &[reference(&registry, "other:1")], options());
    let report = other.result.expect("pushed");
    assert_whole(&registry, "owner/other", "1");
    let published = registry.manifest("owner/other", "1").expect("published");
    let told = report.image.expect("an image");
    assert_eq!(published.digest, told.digest.to_string());
    let (right, _) = shop.only_entry();
    assert_ne!(right, Digest::of(Algorithm::Sha256, b"something else"));
}

/// One is named, and made; when a second one is named, nothing is believed any more.
#[test]
fn registries_name_one_at_a_time() {
    for (lost, made) in [(1, 1), (2, 4)] {
        let registry = TestRegistry::start(Options::default());
        let layers: Vec<Vec<u8>> = (0..4).map(|seed| content(seed, 50_000)).collect();
        let draft = draft(&layers);
        let shop = shop();
        let first = push(&draft, &shop, &[reference(&registry, "app:1")], options());
        first.result.expect("pushed");
        let digests = assert_whole(&registry, "owner/app", "1");
        for (at, digest) in digests[..lost].iter().enumerate() {
            registry.fail(misses(digest).from_request(at + 1));
        }
        registry.clear_journal();
        let again = push(&draft, &shop, &[reference(&registry, "app:2")], options());
        assert_eq!(compressions(&again), made, "{lost}");
        let report = again.result.expect("pushed");
        let journal = registry.journal();
        for digest in &digests[..lost] {
            assert_eq!(journal.uploads_of(digest).commits, 1, "{lost}");
        }
        assert_eq!(report.blobs.uploaded, made, "{lost}");
        assert_eq!(report.blobs.total, 5, "{lost}");
    }
}

/// It does not say which one.
#[test]
fn a_registry_that_names_none() {
    let registry = TestRegistry::start(Options::default());
    let draft = draft(&[content(1, 50_000), content(2, 50_000)]);
    let shop = shop();
    let first = push(&draft, &shop, &[reference(&registry, "app:1")], options());
    first.result.expect("pushed");
    let unknown = Action::error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    registry.fail(Fault::new(unknown).on(Route::ManifestPut).times(7));
    let again = push(&draft, &shop, &[reference(&registry, "app:2")], options());
    assert_eq!(compressions(&again), 2);
    again.result.expect("pushed");
}

/// No other host's word counts for a layer that is not here.
#[test]
fn a_cached_layer_that_is_said_to_be_elsewhere() {
    let registry = TestRegistry::start(Options::default());
    let (draft, shop) = pushed_once(&registry);
    let elsewhere = Action::answer(307, &[("location", "http://127.0.0.1:1/blob")], "");
    registry.fail(Fault::new(elsewhere).on(Route::BlobHead));
    let other = push(&draft, &shop, &[reference(&registry, "other:1")], options());
    assert_eq!(compressions(&other), 1);
    other.result.expect("pushed");
    assert_whole(&registry, "owner/other", "1");
}

/// Answers the question for a tag with the manifest of another repository.
fn shows(registry: &TestRegistry, tag: &str) -> Fault {
    let shown = registry.manifest("owner/app", tag).expect("published");
    let body = String::from_utf8(shown.bytes.to_vec()).expect("JSON");
    let action = Action::Answer {
        status: 200,
        headers: vec![
            ("content-type".to_owned(), shown.media_type.clone()),
            ("docker-content-digest".to_owned(), shown.digest.clone()),
        ],
        body,
    };
    Fault::new(action)
        .on(Route::ManifestGet)
        .repository("owner/other")
        .once()
}

#[test]
fn a_manifest_that_is_there_without_its_blobs() {
    let registry = TestRegistry::start(Options::default());
    let draft = draft(&[content(1, 50_000), content(2, 60_000)]);
    let first = push(&draft, &shop(), &[reference(&registry, "app:1")], options());
    first.result.expect("pushed");
    registry.fail(shows(&registry, "1"));
    // Of two tags, the one that is asked first shows the image, and the other is to be set.
    let references = [
        reference(&registry, "other:1"),
        reference(&registry, "other:2"),
    ];
    let again = push(&draft, &shop(), &references, options());
    assert_eq!(compressions(&again), 2);
    let report = again.result.expect("pushed");
    let mut entries = report.references.iter();
    let pushed = entries.find(|entry| entry.status == ReferenceStatus::Pushed);
    let tag = pushed
        .and_then(|entry| entry.reference.tag())
        .expect("one was set");
    assert_whole(&registry, "owner/other", tag);
    assert_eq!((report.blobs.uploaded, report.blobs.total), (2, 3));
}

/// Nothing is put where the tag names the image already; a deep look finds what is lacking, and it is sent.
#[test]
fn a_deep_look_at_a_tag_whose_blobs_are_lost() {
    let registry = TestRegistry::start(Options::default());
    let draft = draft(&[content(1, 50_000)]);
    let reference = reference(&registry, "app:1");
    let first = push(&draft, &shop(), std::slice::from_ref(&reference), options());
    first.result.expect("pushed");
    let gone = Action::error(404, "BLOB_UNKNOWN", "gone");
    // The look asks for both blobs at once, and ends with the first that is gone; at least one is asked for again.
    registry.fail(Fault::new(gone).on(Route::BlobHead).times(3));
    registry.clear_journal();
    let mut options = options();
    options.verify = Verify::Deep;
    let again = push(&draft, &shop(), &[reference], options);
    again.result.expect("whole again");
    assert!(registry.journal().count(Route::UploadCommit) > 0);
}

/// A refusal for another reason costs no compression.
#[test]
fn a_refusal_that_is_about_something_else() {
    let registry = TestRegistry::start(Options::default());
    let (draft, shop) = pushed_once(&registry);
    let invalid = Action::error(400, "MANIFEST_INVALID", "manifest invalid");
    registry.fail(Fault::new(invalid).on(Route::ManifestPut));
    let other = push(&draft, &shop, &[reference(&registry, "app:2")], options());
    assert_eq!(compressions(&other), 0);
    let failure = other.result.expect_err("refused").failure;
    assert!(matches!(failure, Failure::Rejected(_)), "{failure:?}");
}
