//! Several archives under one index: what it holds does not depend on their order, and what cannot be
//! merged is refused by name.

use oci_archive::{Archive, Content, Draft, Image, ManifestKind, OpenError, OpenOptions, merge};
use serde_json::{Value, json};

use crate::saved::{Saved, draft, finish};
use crate::support::{Layout, digest, for_platform, order, root, text, with};

/// What a layout with this one root holds.
fn content(layout: &Layout, root: &Value) -> Content {
    let mut layout = layout.clone();
    layout.roots(std::slice::from_ref(root));
    let options = OpenOptions::default();
    let archive = Archive::from_bytes(layout.tar(""), &options);
    archive
        .and_then(|archive| archive.read(&options))
        .expect("sound")
}

fn saved(architecture: &str, layers: &[&[u8]]) -> Content {
    let saved = Saved::of(architecture, layers);
    saved.read(&OpenOptions::default()).expect("sound")
}

fn merged(contents: &[Content]) -> Image {
    let merged = merge(contents.to_vec()).expect("it can be merged");
    merged.into_image().expect("its layers are finished")
}

fn merged_draft(contents: &[Content]) -> Draft {
    draft(merge(contents.to_vec()))
}

/// Merges in every order, checks that the index is the same, and tells what it lists.
fn in_any_order(contents: &[Content]) -> Vec<Value> {
    let finished = |contents: &[Content]| match merge(contents.to_vec()).expect("mergeable") {
        Content::Image(image) => *image,
        Content::Draft(draft) => finish(&draft),
        other => panic!("{other:?}"),
    };
    let first = finished(contents);
    let mut others = contents.to_vec();
    for _ in 0..contents.len() {
        others.rotate_left(1);
        assert_eq!(root(&finished(&others)), root(&first));
        let mut reversed = others.clone();
        reversed.reverse();
        assert_eq!(root(&finished(&reversed)), root(&first));
    }
    entries(&first)
}

fn entries(image: &Image) -> Vec<Value> {
    let index: Value = serde_json::from_slice(image.root().bytes()).expect("JSON");
    assert_eq!(
        index["mediaType"],
        "application/vnd.oci.image.index.v1+json"
    );
    index["manifests"].as_array().expect("a list").clone()
}

fn refused(contents: &[Content], words: &[&str]) {
    let error = merge(contents.to_vec()).expect_err("it should be refused");
    assert!(matches!(error, OpenError::Invalid { .. }), "{error:?}");
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "{message:?} lacks {word:?}");
    }
}

/// Single images say in their configurations what they are for.
#[test]
fn single_images_and_indexes() {
    let mut layout = Layout::default();
    let [amd64, arm64, s390x, riscv64] =
        ["amd64", "arm64", "s390x", "riscv64"].map(|name| layout.image(name, &[name.as_bytes()]));
    let listed = with(
        &for_platform(&arm64, "linux/arm64/v8"),
        "annotations",
        json!({ "x": "kept" }),
    );
    let inner = layout.index(std::slice::from_ref(&s390x));
    let outer = layout.index(&[listed.clone(), inner]);
    let contents = [
        content(&layout, &riscv64),
        content(&layout, &outer),
        content(&layout, &amd64),
    ];
    let expected = [
        for_platform(&amd64, "linux/amd64"),
        listed,
        for_platform(&riscv64, "linux/riscv64"),
        for_platform(&s390x, "linux/s390x"),
    ];
    assert_eq!(in_any_order(&contents), expected);
    let image = merged(&contents);
    assert_eq!(image.manifests().len(), 5, "the other indexes are gone");
    let platforms: Vec<String> = image.platforms().iter().map(ToString::to_string).collect();
    assert_eq!(
        platforms,
        [
            "linux/amd64",
            "linux/arm64/v8",
            "linux/riscv64",
            "linux/s390x"
        ]
    );
    assert_eq!(
        image.root().children(),
        [&amd64, &arm64, &riscv64, &s390x].map(digest)
    );
    assert_eq!(image.blobs().len(), 8);
    assert_eq!(image.config_digest(), None);
    assert_eq!(order(&image).last(), Some(&root(&image)));
}

#[test]
fn one_alone_is_left_as_it_is() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    assert_eq!(root(&merged(&[content(&layout, &one)])), text(&one));
    let index = layout.index(&[one]);
    assert_eq!(root(&merged(&[content(&layout, &index)])), text(&index));
}

#[test]
fn two_images_for_one_platform() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let two = layout.image("amd64", &[b"two"]);
    let both = layout.index(&[two.clone(), layout.clone().image("arm64", &[])]);
    layout.image("arm64", &[]);
    let words = [text(&one), text(&two)];
    let [first, second] = &words;
    let words = ["two of them are for linux/amd64", first, second];
    refused(&[content(&layout, &one), content(&layout, &two)], &words);
    refused(&[content(&layout, &both), content(&layout, &one)], &words);
    // Under another spelling it is the same platform.
    let arm64 = layout.image("arm64", &[b"three"]);
    let listed = layout.index(&[for_platform(&arm64, "linux/arm64/v8")]);
    refused(
        &[content(&layout, &both), content(&layout, &listed)],
        &["linux/arm64", &text(&arm64)],
    );
    // And another version of the system is another platform.
    let windows =
        |version: &str| json!({ "os": "windows", "architecture": "amd64", "os.version": version });
    let old = layout.index(&[with(&one, "platform", windows("10.0.17763.1"))]);
    let new = layout.index(&[with(&two, "platform", windows("10.0.20348.1"))]);
    assert_eq!(
        in_any_order(&[content(&layout, &new), content(&layout, &old)]).len(),
        2
    );
}

#[test]
fn two_drafts_for_one_platform() {
    let (one, two) = (saved("amd64", &[b"one"]), saved("amd64", &[b"two"]));
    let config = |content: &Content| {
        draft(Ok(content.clone())).blobs()[0]
            .descriptor
            .digest
            .to_string()
    };
    refused(
        &[one.clone(), two.clone()],
        &["linux/amd64", &config(&one), &config(&two)],
    );
    let mut layout = Layout::default();
    let finished = layout.image("amd64", &[b"one"]);
    refused(
        &[one.clone(), content(&layout, &finished)],
        &["linux/amd64", &config(&one), &text(&finished)],
    );
}

#[test]
fn one_image_twice_is_one() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let two = layout.image("arm64", &[b"one"]);
    let annotated = with(&one, "annotations", json!({ "x": "y" }));
    let index = layout.index(&[two.clone(), annotated.clone()]);
    let again = layout.index(&[two.clone(), one.clone()]);
    let contents = [
        content(&layout, &one),
        content(&layout, &index),
        content(&layout, &again),
    ];
    assert_eq!(in_any_order(&contents).len(), 2);
    let image = merged(&contents);
    assert_eq!(image.manifests().len(), 3);
    assert_eq!(image.blobs().len(), 3, "two configurations and one layer");
    let twice = saved("amd64", &[b"one"]);
    let other = saved("arm64", &[b"one"]);
    let draft = merged_draft(&[twice.clone(), other, twice]);
    assert_eq!(draft.layers().len(), 1);
    assert_eq!(draft.blobs().len(), 2);
    assert_eq!(entries(&finish(&draft)).len(), 2);
}

#[test]
fn attestations_come_along_after_the_images() {
    let mut layout = Layout::default();
    let mut indexes = Vec::new();
    let mut attestations = Vec::new();
    for architecture in ["s390x", "amd64"] {
        let image = layout.image(architecture, &[architecture.as_bytes()]);
        let listed = for_platform(&image, &format!("linux/{architecture}"));
        let both = [
            layout.old_attestation(&image),
            layout.new_attestation(&image),
        ];
        indexes.push(layout.index(&[both[0].clone(), listed, both[1].clone()]));
        attestations.extend(both);
    }
    let contents = [content(&layout, &indexes[0]), content(&layout, &indexes[1])];
    let found = in_any_order(&contents);
    let (images, others) = found.split_at(2);
    assert_eq!(images[0]["platform"]["architecture"], "amd64");
    assert_eq!(images[1]["platform"]["architecture"], "s390x");
    attestations.sort_by_key(text);
    assert_eq!(others, attestations, "entries stay as they are");
    let image = merged(&contents);
    let count = image.manifests().iter();
    let count = count.filter(|one| one.kind() == ManifestKind::Attestation);
    assert_eq!(count.count(), 4);
    assert_eq!(image.platforms().len(), 2);
    let again = merged(&[contents[0].clone(), contents[0].clone()]);
    assert_eq!(entries(&again).len(), 3);
}

/// What stands in an index and is about one of its images needs no platform of its own.
#[test]
fn artifacts_of_an_index_come_along() {
    let mut layout = Layout::default();
    let amd64 = layout.image("amd64", &[]);
    let signature = layout.about(&amd64, "signature");
    let index = layout.index(&[signature.clone(), amd64.clone()]);
    let arm64 = layout.image("arm64", &[]);
    let contents = [content(&layout, &index), content(&layout, &arm64)];
    let expected = [
        for_platform(&amd64, "linux/amd64"),
        for_platform(&arm64, "linux/arm64"),
        signature.clone(),
    ];
    assert_eq!(in_any_order(&contents), expected);
    let with_draft = [content(&layout, &index), saved("arm64", &[b"one"])];
    assert_eq!(in_any_order(&with_draft)[2], signature);
}

#[test]
fn images_without_platform() {
    let mut layout = Layout::default();
    let config = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [] });
    let without = layout.manifest("application/vnd.oci.image.manifest.v1+json", &manifest);
    let amd64 = layout.image("amd64", &[]);
    let about = layout.about(&amd64, "signature");
    let index = layout.index(std::slice::from_ref(&without));
    for root in [&without, &index] {
        let words = [text(&without)];
        let words = [words[0].as_str(), "names no platform"];
        refused(&[content(&layout, &amd64), content(&layout, root)], &words);
        // Before anything is compressed, too.
        refused(&[saved("amd64", &[b"one"]), content(&layout, root)], &words);
    }
    // As the root of an archive, what is about another is no image of a platform.
    let mut named = layout.clone();
    named.roots(&[
        with(
            &about,
            "annotations",
            json!({ "org.opencontainers.image.ref.name": "x" }),
        ),
        amd64,
    ]);
    let mut options = OpenOptions::default();
    options.select = Some(oci_archive::Selection::Name("x".to_owned()));
    let about_root = Content::Image(Box::new(named.read(&options).expect("sound")));
    let name = text(&about);
    refused(
        &[saved("arm64", &[b"one"]), about_root],
        &[&name, "names no platform"],
    );
    let mut config = Saved::default();
    config
        .tar
        .file("config.json", br#"{"rootfs":{"diff_ids":[]}}"#);
    config.list("config.json", &[], &[]);
    let read = config.read(&OpenOptions::default()).expect("sound");
    refused(&[saved("arm64", &[b"one"]), read], &["names no platform"]);
}

#[test]
fn drafts_and_images() {
    let mut layout = Layout::default();
    let arm64 = layout.image("arm64", &[b"arm64"]);
    let contents = [
        saved("s390x", &[b"one", b"two"]),
        content(&layout, &arm64),
        saved("amd64", &[b"two", b"three"]),
    ];
    let found = in_any_order(&contents);
    let draft = merged_draft(&contents);
    assert_eq!(draft.layers().len(), 3, "each once");
    assert_eq!(draft.diff_ids().len(), 4);
    assert_eq!(draft.blobs().len(), 4);
    let mut platforms: Vec<String> = draft.platforms().iter().map(ToString::to_string).collect();
    platforms.sort();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64", "linux/s390x"]);
    let image = finish(&draft);
    assert_eq!(found[1], for_platform(&arm64, "linux/arm64"));
    // Each of the others is what it would be alone.
    for (entry, alone) in [(&found[0], &contents[2]), (&found[2], &contents[0])] {
        let alone = finish(&crate::saved::draft(Ok(alone.clone())));
        assert_eq!(text(entry), root(&alone));
    }
    assert_eq!(image.manifests().len(), 4);
    assert_eq!(
        image.blobs().len(),
        7,
        "three configurations and four layers"
    );
    let manifest = finish(&crate::saved::draft(Ok(contents[0].clone())));
    let bytes = manifest.root().bytes();
    let media_type = oci_archive::media_type::OCI_MANIFEST;
    assert!(draft.recognise(media_type, bytes, None).is_none());
}

/// What becomes of each archive is told with its name, and no manifest of an archive is touched.
#[test]
fn changes_and_conflicts_name_the_archives() {
    let mut layout = Layout::default();
    let one = for_platform(&layout.image("amd64", &[b"one"]), "linux/amd64");
    let two = for_platform(&layout.image("arm64", &[b"two"]), "linux/arm64");
    let index = layout.index(&[one.clone(), two]);
    layout.roots(&[index]);
    let mut options = OpenOptions::default();
    options.platforms = vec!["linux/amd64".parse().expect("a platform")];
    let narrowed = Content::Image(Box::new(layout.read(&options).expect("sound")));
    let narrowed = narrowed.called("one.tar");
    let draft = saved("s390x", &[b"three"]).called("three.tar");
    let expected = [
        "one.tar: left out as not asked for: linux/arm64",
        "one.tar: only one image is left, which is pushed without an index",
    ];
    let merged = merged_draft(&[narrowed.clone(), draft.clone()]);
    assert_eq!(merged.changes(), expected);
    assert_eq!(finish(&merged).changes(), expected);
    let mut other = Layout::default();
    let riscv64 = other.image("riscv64", &[b"four"]);
    let other = content(&other, &riscv64).called("four.tar");
    let image = merge(vec![narrowed.clone(), other.clone()]).expect("mergeable");
    assert_eq!(image.changes(), expected);
    assert!(image.is_verbatim(), "the index is in no archive");
    let mut annotated = image.clone();
    let for_index = ["index:a=b".parse().expect("an annotation")];
    annotated.annotate(&for_index).expect("there is an index");
    assert!(annotated.is_verbatim());
    let for_images = ["a=b".parse().expect("an annotation")];
    annotated.annotate(&for_images).expect("there are images");
    assert!(!annotated.is_verbatim());
    assert!(
        !merge(vec![narrowed.clone(), draft])
            .expect("mergeable")
            .is_verbatim()
    );
    // Two archives for one platform.
    let again = saved("amd64", &[b"another"]).called("again.tar");
    let first = format!("{} in one.tar", text(&one));
    refused(
        &[narrowed, again],
        &["linux/amd64", &first, " in again.tar"],
    );
}
