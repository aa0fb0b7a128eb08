//! What is made to take forever, to fill the memory, or to be read in two ways.

use oci_archive::{Attestations, Content, OpenError, OpenOptions, media_type, merge};
use serde_json::{Value, json};
use tar::EntryType;

use crate::saved::{Saved, config, finish};
use crate::support::{Layout, chain, digest, for_platform, root, text, with};

/// Everything that has an index read through before it is walked.
fn filters() -> [OpenOptions; 4] {
    let mut platform = OpenOptions::default();
    platform.platforms = vec!["linux/amd64".parse().expect("a platform")];
    let mut present = OpenOptions::default();
    present.only_present = true;
    let mut stripped = OpenOptions::default();
    stripped.attestations = Attestations::Strip;
    let mut referrers = OpenOptions::default();
    referrers.referrers = true;
    [platform, present, stripped, referrers]
}

/// Ten levels of indexes, each of which lists the next one forty times: forty to the tenth ways lead to the
/// image, and one is taken.
#[test]
fn indexes_that_multiply() {
    let mut layout = Layout::default();
    let image = for_platform(&layout.image("amd64", &[b"one"]), "linux/amd64");
    let mut inner = image.clone();
    for _ in 0..10 {
        inner = layout.index(&vec![inner; 40]);
    }
    let other = layout.image("arm64", &[]);
    let index = layout.index(&[inner.clone(), other]);
    layout.roots(std::slice::from_ref(&index));
    for options in filters() {
        let found = layout.read(&options).expect("sound");
        let is_one = !options.platforms.is_empty();
        let expected = if is_one { &image } else { &index };
        assert_eq!(root(&found), text(expected));
    }
    let content = Content::Image(Box::new(
        layout.read(&OpenOptions::default()).expect("sound"),
    ));
    let mut layout = Layout::default();
    let s390x = layout.image("s390x", &[]);
    layout.roots(&[s390x]);
    let s390x = Content::Image(Box::new(
        layout.read(&OpenOptions::default()).expect("sound"),
    ));
    let merged = merge(vec![content, s390x]).expect("it can be merged");
    let merged = merged.into_image().expect("it is finished");
    assert_eq!(merged.root().children().len(), 3);
}

/// A manifest of the largest size that is listed for ten thousand platforms is read a few times, and not
/// for each of them.
#[test]
fn one_large_manifest_for_many_platforms() {
    let mut layout = Layout::default();
    let config = layout.blob(media_type::OCI_CONFIG, b"{}");
    let padding = "x".repeat((4 << 20) - 1000);
    let manifest = layout.manifest(
        media_type::OCI_MANIFEST,
        &json!({ "schemaVersion": 2, "config": config, "annotations": { "x": padding } }),
    );
    let listed: Vec<Value> = (0..10_000)
        .map(|number| for_platform(&manifest, &format!("linux/amd64/v{number}")))
        .collect();
    let index = layout.index(&listed);
    layout.roots(std::slice::from_ref(&index));
    for options in filters() {
        let found = layout.read(&options).expect("sound");
        assert_eq!(root(&found), text(&index));
    }
}

/// Something about the image that is an index of that kind is looked through once, and images without
/// names too.
#[test]
fn indexes_that_multiply_beside_an_image() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[b"one"]);
    let mut inner = layout.image("arm64", &[]);
    for _ in 0..10 {
        inner = layout.index(&vec![inner; 40]);
    }
    let subject = json!({ "schemaVersion": 2, "manifests": [inner], "subject": image });
    let about = layout.manifest(media_type::OCI_INDEX, &subject);
    let mut unnamed = layout.clone();
    layout.roots(&[image.clone(), about]);
    let mut options = OpenOptions::default();
    options.referrers = true;
    options.only_present = true;
    let found = layout.read(&options).expect("sound");
    assert_eq!(found.referrers().len(), 12, "each index and the image once");
    unnamed.roots(&[image.clone(), inner]);
    let mut options = OpenOptions::default();
    options.platforms = vec!["linux/amd64".parse().expect("a platform")];
    assert_eq!(root(&unnamed.read(&options).expect("sound")), text(&image));
}

/// Each is about the one before it, and the last is listed first.
#[test]
fn a_long_chain_of_referrers() {
    const LENGTH: usize = 3000;
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[]);
    let mut listed = vec![image.clone()];
    for _ in 0..LENGTH {
        let last = listed[listed.len() - 1].clone();
        listed.push(layout.about(&last, "signature"));
    }
    listed.reverse();
    layout.roots(&listed);
    let mut options = OpenOptions::default();
    options.referrers = true;
    let found = layout.read(&options).expect("sound");
    assert_eq!(found.referrers().len(), LENGTH);
    assert_eq!(found.referrers()[0].subject(), Some(&digest(&image)));
    assert_eq!(found.referrers()[LENGTH - 1].level(), LENGTH);
    assert_eq!(root(&found), text(&image));
}

#[test]
fn one_configuration_for_many_images() {
    let mut content = config("amd64", &[]);
    content.resize(4 << 20, b' ');
    let mut saved = Saved::default();
    saved.tar.file("config.json", &content);
    for number in 0..20_000 {
        saved.list("config.json", &[], &[&format!("x:{number}")]);
    }
    let draft = saved.draft();
    assert_eq!(draft.names().len(), 20_000);
    finish(&draft);

    // Under many names it is read many times, but not without end.
    let mut saved = Saved::default();
    saved.tar.file("config.json", &content);
    for number in 0..1000 {
        let name = format!("{number}.json");
        saved.tar.link(EntryType::Link, &name, "config.json");
        saved.list(&name, &[], &[]);
    }
    saved.refused(
        "manifest.json: the configurations that it names are too large, the limit for all is 64 MiB",
    );
}

/// `serde` reads `["type", "digest", 1]` as a descriptor; nobody else does.
#[test]
fn lists_in_place_of_objects() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[b"one"]);
    let as_list = |descriptor: &Value| {
        let list: Vec<Value> = ["mediaType", "digest", "size"]
            .map(|key| descriptor[key].clone())
            .to_vec();
        Value::from(list)
    };
    let config = layout.blob(media_type::OCI_CONFIG, b"{}");
    let inner = layout.index(&[image.clone(), layout.clone().image("arm64", &[])]);
    layout.image("arm64", &[]);
    let other = layout.image("s390x", &[]);
    let index = media_type::OCI_INDEX;
    let manifest = media_type::OCI_MANIFEST;
    for (media_type, document) in [
        (
            index,
            json!({ "schemaVersion": 2, "manifests": [as_list(&inner), other] }),
        ),
        (
            index,
            json!({ "schemaVersion": 2, "manifests": [with(&image, "platform", json!(["linux", "amd64"]))] }),
        ),
        (index, json!([2, null, null, null, null, [image]])),
        (
            manifest,
            json!({ "schemaVersion": 2, "config": as_list(&config) }),
        ),
        (
            manifest,
            json!({ "schemaVersion": 2, "config": config, "layers": [as_list(&config)] }),
        ),
        (
            manifest,
            json!({ "schemaVersion": 2, "config": config, "subject": as_list(&image) }),
        ),
        (manifest, json!([2, null, null, config])),
    ] {
        let mut layout = layout.clone();
        let root = layout.manifest(media_type, &document);
        layout.roots(&[root]);
        let mut all = filters().to_vec();
        all.push(OpenOptions::default());
        for options in all {
            let error = layout.read(&options).expect_err("it has two readings");
            let message = chain(&error);
            assert!(
                message.contains("a list stands where an object should"),
                "{message}"
            );
        }
    }
    layout.roots(&[as_list(&image)]);
    assert!(matches!(
        layout.read(&OpenOptions::default()),
        Err(OpenError::Json { .. })
    ));
}
