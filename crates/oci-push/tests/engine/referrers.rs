//! What is about an image can be found: by the registry's own list, or by the client's under a tag.

use oci_archive::{Digest, Image, OpenOptions, media_type};
use oci_push::{Failure, Reference, ViolationKind};
use serde_json::{Value, json};
use test_registry::{Action, Fault, Options, Route, TestRegistry};

use crate::layout::Layout;
use crate::support::{Pushed, options, push_image};

impl Layout {
    fn image(&self) -> Value {
        let config = json!({ "os": "linux", "architecture": "amd64" }).to_string();
        let config = self.blob(media_type::OCI_CONFIG, config.as_bytes());
        self.manifest(&json!({ "schemaVersion": 2, "config": config, "layers": [] }))
    }

    /// Something about `subject`.
    fn about(&self, subject: &Value, what: &str) -> Value {
        let config = self.blob("application/vnd.oci.empty.v1+json", b"{}");
        self.manifest(&json!({
            "schemaVersion": 2, "artifactType": "application/signature", "config": config,
            "layers": [], "subject": subject, "annotations": { "what": what },
        }))
    }

    fn with_referrers(&self, roots: &[Value]) -> Image {
        let mut options = OpenOptions::default();
        options.referrers = true;
        self.open(roots, &options).expect("sound")
    }
}

fn digest(descriptor: &Value) -> Digest {
    let text = descriptor["digest"].as_str().expect("a digest");
    text.parse().expect("a digest")
}

fn reference(registry: &TestRegistry, tag: &str) -> [Reference; 1] {
    let reference = format!("{}/owner/app:{tag}", registry.host());
    [reference.parse().expect("a reference")]
}

fn push(registry: &TestRegistry, image: &Image) -> Pushed {
    push_image(&reference(registry, "1"), image, options())
}

fn listed(registry: &TestRegistry, tag: &str) -> Vec<Value> {
    let list = registry.manifest("owner/app", tag).expect("the list");
    assert_eq!(list.media_type, media_type::OCI_INDEX);
    let list: Value = serde_json::from_slice(&list.bytes).expect("JSON");
    list["manifests"].as_array().expect("entries").clone()
}

fn entry(descriptor: &Value, what: &str) -> Value {
    let mut entry = descriptor.clone();
    entry["artifactType"] = "application/signature".into();
    entry["annotations"] = json!({ "what": what });
    entry
}

#[test]
fn a_registry_that_lists_them_itself_is_left_to_it() {
    let mut own = Options::default();
    own.lists_referrers = true;
    let registry = TestRegistry::start(own);
    let layout = Layout::new();
    let image = layout.image();
    let signature = layout.about(&image, "one");
    push(
        &registry,
        &layout.with_referrers(&[image, signature.clone()]),
    )
    .report();
    assert_eq!(registry.tags("owner/app"), ["1"]);
    let stored = registry.manifest("owner/app", &digest(&signature).to_string());
    assert!(stored.is_some());
    assert_eq!(registry.journal().count(Route::ManifestGet), 0);
}

/// One push after the other, each with something else about the same image: all of it stays listed.
#[test]
fn the_list_under_a_tag_only_grows() {
    for ghcr in [false, true] {
        let registry = TestRegistry::start(if ghcr {
            Options::ghcr(crate::support::USERNAME, crate::support::PASSWORD)
        } else {
            Options::default()
        });
        let layout = Layout::new();
        let image = layout.image();
        let tag = digest(&image).referrers_tag();
        let [one, two, three] = ["one", "two", "three"].map(|what| layout.about(&image, what));
        let of_one = layout.about(&one, "of one");
        push(
            &registry,
            &layout.with_referrers(std::slice::from_ref(&image)),
        )
        .report();
        assert_eq!(registry.tags("owner/app"), ["1"], "nothing to list");
        let all = [image.clone(), one.clone(), of_one.clone()];
        push(&registry, &layout.with_referrers(&all)).report();
        assert_eq!(listed(&registry, &tag), [entry(&one, "one")]);
        let of_one_tag = digest(&one).referrers_tag();
        assert_eq!(listed(&registry, &of_one_tag), [entry(&of_one, "of one")]);
        // Several are added at once.
        let others = [image.clone(), three.clone(), two.clone()];
        push(&registry, &layout.with_referrers(&others)).report();
        let mut grown = listed(&registry, &tag);
        assert_eq!(grown[0], entry(&one, "one"));
        grown.sort_by_key(|entry| entry["annotations"]["what"].to_string());
        let expected = [
            entry(&one, "one"),
            entry(&three, "three"),
            entry(&two, "two"),
        ];
        assert_eq!(grown, expected);
        // And what is listed is not listed again.
        let before = registry.manifest("owner/app", &tag);
        push(&registry, &layout.with_referrers(&others)).report();
        assert_eq!(registry.manifest("owner/app", &tag), before);
    }
}

#[test]
fn what_cannot_be_read_as_a_list_is_not_overwritten() {
    let registry = TestRegistry::start(Options::default());
    let layout = Layout::new();
    let image = layout.image();
    let tag = digest(&image).referrers_tag();
    // Somebody has put an image there.
    let alone = layout.with_referrers(std::slice::from_ref(&image));
    push_image(&reference(&registry, &tag), &alone, options()).report();
    let signed = layout.with_referrers(&[image.clone(), layout.about(&image, "one")]);
    let pushed = push(&registry, &signed);
    assert!(
        matches!(pushed.failure(), Failure::Violation(violation)
            if matches!(violation.kind, ViolationKind::NoReferrersList)),
        "{:?}",
        pushed.failure()
    );
    let there = registry.manifest("owner/app", &tag).expect("it stays");
    assert_eq!(there.digest, digest(&image).to_string());
    assert_eq!(registry.tags("owner/app"), [tag], "nor is the image tagged");
}

/// A refusal to tell what is there is no sign that nothing is.
#[test]
fn a_list_that_may_not_be_read_is_not_overwritten() {
    let registry = TestRegistry::start(Options::default());
    let layout = Layout::new();
    let image = layout.image();
    let tag = digest(&image).referrers_tag();
    let one = layout.about(&image, "one");
    push(
        &registry,
        &layout.with_referrers(&[image.clone(), one.clone()]),
    )
    .report();
    let denied = Action::error(400, "UNSUPPORTED", "not here");
    registry.fail(Fault::new(denied).on(Route::ManifestGet).times(100));
    let two = layout.about(&image, "two");
    let pushed = push(&registry, &layout.with_referrers(&[image, two]));
    assert_eq!(
        pushed.failure().rejection().map(|one| one.status.as_u16()),
        Some(400)
    );
    assert_eq!(listed(&registry, &tag), [entry(&one, "one")]);
}

/// Another client's list, or one that shows late, is looked at again.
#[test]
fn a_list_that_lacks_what_was_added_is_written_again() {
    let registry = TestRegistry::start(Options::default());
    let layout = Layout::new();
    let image = layout.image();
    let tag = digest(&image).referrers_tag();
    let one = layout.about(&image, "one");
    let not_yet = Action::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    registry.fail(Fault::new(not_yet.clone()).on(Route::ManifestGet).times(3));
    let pushed = push(
        &registry,
        &layout.with_referrers(&[image.clone(), one.clone()]),
    );
    pushed.report();
    assert_eq!(listed(&registry, &tag), [entry(&one, "one")]);
    assert!(!pushed.waits.is_empty(), "it was given time");
    // If it never shows, the push has not succeeded.
    let two = layout.about(&image, "two");
    registry.fail(Fault::new(not_yet).on(Route::ManifestGet).times(100));
    let pushed = push(&registry, &layout.with_referrers(&[image, two]));
    assert!(
        matches!(pushed.failure(), Failure::Violation(violation)
            if matches!(violation.kind, ViolationKind::ReferrersNotListed)),
        "{:?}",
        pushed.failure()
    );
}

/// cosign's tags name what does not say itself what it is about.
#[test]
fn tags_of_cosign() {
    let registry = TestRegistry::start(Options::default());
    let layout = Layout::new();
    let image = layout.image();
    let tag = format!("{}.sig", digest(&image).referrers_tag());
    let signed = |statement: &[u8]| {
        let config = layout.blob("application/vnd.oci.image.config.v1+json", b"{}");
        let layer = layout.blob(
            "application/vnd.dev.cosign.simplesigning.v1+json",
            statement,
        );
        let document = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
        let mut signature = layout.manifest(&document);
        signature["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        signature
    };
    let first = signed(b"one");
    for _ in 0..2 {
        push(
            &registry,
            &layout.with_referrers(&[image.clone(), first.clone()]),
        )
        .report();
        let stored = registry.manifest("owner/app", &tag).expect("the tag");
        assert_eq!(stored.digest, digest(&first).to_string());
        assert_eq!(registry.tags("owner/app"), ["1", &tag]);
    }
    // Another one's signature is not overwritten.
    let pushed = push(&registry, &layout.with_referrers(&[image, signed(b"two")]));
    assert!(
        matches!(pushed.failure(), Failure::Violation(violation)
            if matches!(&violation.kind, ViolationKind::ReferrerTagTaken(found)
                if *found == digest(&first))),
        "{:?}",
        pushed.failure()
    );
    let stored = registry.manifest("owner/app", &tag).expect("the tag");
    assert_eq!(stored.digest, digest(&first).to_string());
}

/// What stands in an index and is about one of its images is to be found too; attestations are found by the
/// index.
#[test]
fn what_stands_in_the_index() {
    let registry = TestRegistry::start(Options::default());
    let layout = Layout::new();
    let image = layout.image();
    let signature = layout.about(&image, "one");
    let config = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let attestation = layout.manifest(&json!({
        "schemaVersion": 2, "artifactType": media_type::DOCKER_ATTESTATION, "config": config,
        "layers": [], "subject": image,
    }));
    let children = [image.clone(), signature.clone(), attestation];
    let index = json!({ "schemaVersion": 2, "manifests": children }).to_string();
    let index = layout.blob(media_type::OCI_INDEX, index.as_bytes());
    push(&registry, &layout.with_referrers(&[index])).report();
    let tag = digest(&image).referrers_tag();
    assert_eq!(listed(&registry, &tag), [entry(&signature, "one")]);
}
