//! What archives hold in part, and for how many platforms a manifest is.

use oci_archive::{Content, Image, OpenError, OpenOptions, merge};
use serde_json::{Value, json};

use crate::support::{Layout, blob_name, digest, for_platform, root, text, with};

fn wanted(platforms: &[&str], only_present: bool) -> OpenOptions {
    let mut options = OpenOptions::default();
    let parsed = platforms.iter().map(|one| one.parse().expect("a platform"));
    options.platforms = parsed.collect();
    options.only_present = only_present;
    options
}

/// Leaves an empty file in the place of what `descriptor` describes.
fn empty(layout: &mut Layout, descriptor: &Value) {
    let name = blob_name(&digest(descriptor));
    for (_, bytes) in layout.files.iter_mut().filter(|(known, _)| *known == name) {
        bytes.clear();
    }
}

fn listed(image: &Image) -> Vec<Value> {
    let index: Value = serde_json::from_slice(image.root().bytes()).expect("JSON");
    index["manifests"].as_array().expect("a list").clone()
}

#[test]
fn empty_files_are_as_good_as_none() {
    let mut layout = Layout::default();
    let whole = for_platform(&layout.image("amd64", &[b"one"]), "linux/amd64");
    let without_manifest = for_platform(&layout.image("arm64", &[b"two"]), "linux/arm64");
    let without_layer = for_platform(&layout.image("s390x", &[b"three"]), "linux/s390x");
    let layer = layout.blob("application/x-layer", b"three");
    let index = layout.index(&[
        whole.clone(),
        without_manifest.clone(),
        without_layer.clone(),
    ]);
    empty(&mut layout, &without_manifest);
    empty(&mut layout, &layer);
    let mut single = layout.clone();
    single.roots(std::slice::from_ref(&without_layer));
    layout.roots(&[index]);
    let error = layout
        .read(&OpenOptions::default())
        .expect_err("incomplete");
    let OpenError::Incomplete { absent } = &error else {
        panic!("{error}");
    };
    let absent: Vec<_> = absent.iter().map(|one| one.digest.clone()).collect();
    assert_eq!(absent, [&without_manifest, &without_layer].map(digest));
    let present = layout.read(&wanted(&[], true)).expect("what is there");
    assert_eq!(listed(&present), [whole]);
    let error = single
        .read(&OpenOptions::default())
        .expect_err("incomplete");
    assert_eq!(
        error.to_string(),
        format!(
            "the layer blob {} is missing: it is not found in the archive; an empty file is in its place, as an \
             exporter leaves it that was cut off",
            text(&layer)
        )
    );
}

/// An empty layer is one that is there.
#[test]
fn empty_blobs_are_present() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[b""]);
    layout.roots(&[image]);
    assert_eq!(
        layout
            .read(&wanted(&[], true))
            .expect("sound")
            .blobs()
            .len(),
        2
    );
}

/// What was asked for by name and is not whole is left out with the others, not called unknown.
#[test]
fn an_absent_platform_that_was_asked_for() {
    let mut layout = Layout::default();
    let one = for_platform(&layout.image("amd64", &[b"one"]), "linux/amd64");
    let two = for_platform(&layout.image("arm64", &[b"two"]), "linux/arm64");
    let index = layout.index(&[one.clone(), two.clone()]);
    layout.remove(&two);
    layout.roots(&[index]);
    let both = ["linux/amd64", "linux/arm64"];
    let image = layout.read(&wanted(&both, true)).expect("one is there");
    assert_eq!(root(&image), text(&one));
    assert_eq!(
        image.changes()[0],
        "left out as not in the archive: linux/arm64"
    );
    let error = layout.read(&wanted(&both, false)).expect_err("incomplete");
    assert!(matches!(error, OpenError::Incomplete { .. }), "{error}");
    let error = layout.read(&wanted(&["linux/arm64"], false));
    assert_eq!(
        error.expect_err("it is not there").to_string(),
        format!(
            "the archive is incomplete: 1 manifest that the index names is missing or not whole: linux/arm64 ({})",
            text(&two)
        )
    );
}

/// A platform without words is none.
#[test]
fn blank_platforms() {
    let mut layout = Layout::default();
    let blank = json!({ "os": "", "architecture": "" });
    let one = with(&layout.image("amd64", &[b"one"]), "platform", blank.clone());
    let half = json!({ "os": "linux", "architecture": "" });
    let two = with(&layout.image("arm64", &[b"two"]), "platform", half);
    let index = layout.index(&[one.clone(), two.clone()]);
    let mut alone = layout.clone();
    alone.roots(std::slice::from_ref(&one));
    layout.roots(&[index]);
    let image = layout.read(&OpenOptions::default()).expect("sound");
    let platforms: Vec<String> = image.platforms().iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    let image = layout.read(&wanted(&["linux/arm64"], false)).expect("told");
    assert_eq!(root(&image), text(&two));
    // Under a new index it says what it is for.
    let mut other = Layout::default();
    let s390x = other.image("s390x", &[b"three"]);
    other.roots(&[s390x]);
    let contents = [alone, other].map(|one| {
        let image = one.read(&OpenOptions::default()).expect("sound");
        Content::Image(Box::new(image))
    });
    let merged = merge(contents.to_vec()).expect("mergeable").into_image();
    let entries = listed(&merged.expect("an image"));
    assert_eq!(
        entries[0],
        for_platform(&with(&one, "platform", json!(null)), "linux/amd64")
    );
    // Nor does an image that does not say its platform have an empty one.
    let mut without = Layout::default();
    let config = without.blob("application/vnd.oci.image.config.v1+json", b"{}");
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [] });
    let manifest = without.manifest(oci_archive::media_type::OCI_MANIFEST, &manifest);
    without.roots(&[manifest]);
    let error = without.read(&wanted(&["linux/amd64"], false));
    assert_eq!(
        error.expect_err("it does not say").to_string(),
        "the image has no platform linux/amd64; it does not say for which platform it is"
    );
}

/// Data without programs can be one manifest for many platforms.
#[test]
fn one_manifest_for_two_platforms() {
    let mut layout = Layout::default();
    let both = layout.image("arm64", &[b"one"]);
    let [v8, v7] = ["linux/arm64", "linux/arm/v7"].map(|one| for_platform(&both, one));
    let amd64 = for_platform(&layout.image("amd64", &[b"two"]), "linux/amd64");
    let attestation = layout.old_attestation(&both);
    let index = layout.index(&[v8.clone(), v7.clone(), amd64.clone(), attestation.clone()]);
    layout.roots(&[index]);
    let image = layout.read(&OpenOptions::default()).expect("sound");
    let platforms: Vec<String> = image.platforms().iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/arm64", "linux/arm/v7", "linux/amd64"]);
    // One of its two entries goes, and what is about it stays.
    let filtered = layout.read(&wanted(&["linux/arm/v7", "linux/amd64"], false));
    let filtered = filtered.expect("sound");
    assert_eq!(
        listed(&filtered),
        [v7.clone(), amd64.clone(), attestation.clone()]
    );
    let mut other = Layout::default();
    let s390x = other.image("s390x", &[b"three"]);
    other.roots(std::slice::from_ref(&s390x));
    let contents = [image, other.read(&OpenOptions::default()).expect("sound")];
    let contents = contents.map(|one| Content::Image(Box::new(one)));
    let merged = merge(contents.to_vec()).expect("mergeable").into_image();
    let merged = merged.expect("an image");
    let s390x = for_platform(&s390x, "linux/s390x");
    assert_eq!(listed(&merged), [amd64, v7, v8, s390x, attestation]);
    assert_eq!(merged.platforms().len(), 4);
    assert_eq!(merged.root().children().len(), 4, "each once");
}
