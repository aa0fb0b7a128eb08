//! Children of an index that a registry has confirmed and lost.

use std::time::Duration;

use oci_push::Failure;
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{Source, assert_published, assert_unpublished, options, push};

fn two_platforms() -> Source {
    let image = SampleImage::default()
        .platform("amd64", &[1000])
        .platform("arm64", &[2000]);
    Source::new(&image)
}

/// The children's digests.
fn children(source: &Source) -> Vec<String> {
    let manifests = source.image.manifests().split_last();
    let (_, children) = manifests.expect("it is an index");
    let digests = children
        .iter()
        .map(|child| child.descriptor().digest.to_string());
    digests.collect()
}

/// Puts of manifests by what they are put under, in order.
fn puts(registry: &TestRegistry) -> Vec<String> {
    let journal = registry.journal();
    let puts = journal.of(Route::ManifestPut);
    puts.map(|one| one.path.rsplit('/').next().unwrap_or_default().to_owned())
        .collect()
}

fn unknown(code: &str, detail: &str) -> Action {
    let error = serde_json::json!({
        "code": code, "message": "unknown", "detail": { "digest": detail },
    });
    Action::answer(
        404,
        &[("content-type", "application/json")],
        &serde_json::json!({ "errors": [error] }).to_string(),
    )
}

/// The one that is named is put again, after a short wait; all are where none is.
#[test]
fn a_lost_child_is_put_again() {
    for code in ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"] {
        for is_named in [true, false] {
            let registry = TestRegistry::start(Options::default());
            let source = two_platforms();
            let children = children(&source);
            let detail = if is_named { &children[1] } else { "" };
            // The children come first.
            let fault = Fault::new(unknown(code, detail)).on(Route::ManifestPut);
            registry.fail(fault.from_request(3).times(2));
            let pushed = push(&registry, &source, options());
            pushed.report();
            assert_published(&registry, &source);
            let again = if is_named {
                &children[1..]
            } else {
                &children[..]
            };
            let puts = puts(&registry);
            assert_eq!(puts[2..4], ["1", "1"], "{puts:?}");
            assert_eq!(puts[4..puts.len() - 1], *again, "{puts:?}");
            assert_eq!(puts.last().map(String::as_str), Some("1"));
            assert_eq!(pushed.retries.len(), 1, "{:?}", pushed.retries);
        }
    }
}

/// One that stays lost is given up after two minutes in all, and the tries are counted.
#[test]
fn a_child_that_stays_lost() {
    let registry = TestRegistry::start(Options::default());
    let source = two_platforms();
    let lost = children(&source).remove(0);
    let fault = Fault::new(unknown("MANIFEST_BLOB_UNKNOWN", &lost)).on(Route::ManifestPut);
    // The child is the fifth.
    registry.fail(fault.clone().from_request(3).times(2));
    registry.fail(fault.from_request(6));
    let pushed = push(&registry, &source, options());
    let Failure::Rejected(rejection) = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    assert!(rejection.has_outlasted);
    assert_unpublished(&registry);
    let waited: Duration = pushed.waits.iter().sum();
    assert_eq!(waited, Duration::from_mins(2));
    assert!(
        pushed.retries[1].starts_with("put-tag 3: "),
        "{:?}",
        pushed.retries
    );
    let lost = puts(&registry).iter().filter(|put| **put == lost).count();
    assert_eq!(lost, 2, "the child is put again once");
}

/// One that the registry does not take is not waited for.
#[test]
fn a_manifest_that_is_refused() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let refusal = Action::error(400, "MANIFEST_INVALID", "the config is no configuration");
    registry.fail(Fault::new(refusal).on(Route::ManifestPut));
    let pushed = push(&registry, &source, options());
    let rejection = pushed.failure().rejection().expect("a refusal");
    assert!(!rejection.is_lacking() && !rejection.has_outlasted);
    assert_eq!(pushed.retries, [""; 0]);
}
