//! What of a layout is the image, in which order it can be published, and what of it is absent.

use oci_archive::{
    Image, Manifest, ManifestKind, Notice, OpenError, OpenOptions, Selection, media_type,
};
use serde_json::{Value, json};

use crate::support::{Layout, digest, order, refused, sound, text, with};

fn chosen(layout: &Layout, selection: Selection) -> Result<Image, OpenError> {
    let mut options = OpenOptions::default();
    options.select = Some(selection);
    layout.open(&options).0
}

fn named(descriptor: &Value, name: &str) -> Value {
    let annotations = json!({ "org.opencontainers.image.ref.name": name });
    with(descriptor, "annotations", annotations)
}

#[test]
fn attestations_come_after_what_they_describe() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let config = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let statement = layout.blob("application/vnd.in-toto+json", b"statement");
    let manifest = json!({
        "schemaVersion": 2, "config": config, "layers": [statement],
        "artifactType": media_type::DOCKER_ATTESTATION, "subject": one,
    });
    // The form of BuildKit 0.32, and the one before it.
    let artifact = layout.manifest(media_type::OCI_MANIFEST, &manifest);
    let manifest =
        json!({ "schemaVersion": 2, "config": config, "layers": [statement, statement] });
    let old = layout.manifest(media_type::OCI_MANIFEST, &manifest);
    let old = with(
        &old,
        "annotations",
        json!({ "vnd.docker.reference.digest": text(&one) }),
    );
    let old = with(
        &old,
        "platform",
        json!({ "os": "unknown", "architecture": "unknown" }),
    );
    let index = layout.index(&[old.clone(), artifact.clone(), one.clone()]);
    layout.roots(std::slice::from_ref(&index));
    let image = sound(&layout);
    assert_eq!(
        order(&image),
        [text(&one), text(&artifact), text(&old), text(&index)]
    );
    let levels: Vec<usize> = image.manifests().iter().map(Manifest::level).collect();
    assert_eq!(levels, [0, 1, 1, 2]);
    let kinds: Vec<ManifestKind> = image.manifests().iter().map(Manifest::kind).collect();
    let attestation = ManifestKind::Attestation;
    let expected = [
        ManifestKind::Image,
        attestation,
        attestation,
        ManifestKind::Index,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(image.platforms().len(), 1);
    let root = image.root();
    assert_eq!(
        root.children(),
        [digest(&old), digest(&artifact), digest(&one)]
    );
    assert!(root.references().is_empty());
    assert_eq!(image.manifests()[1].subject(), Some(&digest(&one)));
    assert_eq!(
        image.manifests()[2].references(),
        [digest(&config), digest(&statement)]
    );
    let sizes: u64 = layout
        .files
        .iter()
        .filter(|(name, _)| name.starts_with("blobs/"))
        .map(|(_, bytes)| bytes.len() as u64)
        .sum();
    assert_eq!(image.total_size(), sizes);
}

#[test]
fn images_are_told_from_what_stands_beside_them() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let config = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [], "subject": one });
    let signature = layout.manifest(media_type::OCI_MANIFEST, &manifest);
    let other = layout.image("amd64", &[b"signature of the old kind"]);
    let tag = format!("sha256-{}.sig", digest(&one).hex());
    let index = layout.index(std::slice::from_ref(&one));
    layout.roots(&[
        named(&signature, "signature"),
        named(&other, &tag),
        named(&one, "part"),
        named(&index, "whole"),
        named(&index, "again"),
        named(&index, "whole"),
    ]);
    let image = sound(&layout);
    assert_eq!(text(&index), image.root().descriptor().digest.to_string());
    assert_eq!(image.names(), ["whole", "again"]);
    assert_eq!(
        image.notices(),
        [signature.clone(), other].map(|one| Notice::ReferrerLeftOut(digest(&one)))
    );
    // What is no image by itself is to be had by its own name only.
    for (name, expected) in [("part", &one), ("signature", &signature), ("again", &index)] {
        let image = chosen(&layout, Selection::Name(name.to_owned())).expect("sound");
        assert_eq!(text(expected), image.root().descriptor().digest.to_string());
    }
    assert!(chosen(&layout, Selection::Index(0)).is_ok());
    for nothing in [Selection::Index(1), Selection::Name("WHOLE".to_owned())] {
        let error = chosen(&layout, nothing).expect_err("no such image");
        assert!(matches!(error, OpenError::Selection { .. }), "{error}");
    }
}

#[test]
fn nothing_is_chosen_by_chance() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let two = layout.image("amd64", &[b"two"]);
    layout.roots(&[named(&one, "same"), named(&two, "same"), named(&two, "two")]);
    let error = refused(&layout, "2 images");
    assert!(error.to_string().contains("@1"), "{error}");
    let error = chosen(&layout, Selection::Name("same".to_owned())).expect_err("two have it");
    assert!(error.to_string().contains("more than one"), "{error}");
    let image = chosen(&layout, Selection::Name("two".to_owned())).expect("sound");
    assert_eq!(image.names(), ["same", "two"]);
    let image = chosen(&layout, Selection::Index(0)).expect("sound");
    assert_eq!(text(&one), image.root().descriptor().digest.to_string());
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let other = with(&one, "mediaType", json!(media_type::DOCKER_MANIFEST));
    layout.roots(&[one, other]);
    refused(&layout, "two media types");
}

#[test]
fn what_is_absent_is_named() {
    let mut layout = Layout::default();
    let [one, two, three] = ["amd64", "arm64", "s390x"].map(|architecture| {
        let image = layout.image(architecture, &[architecture.as_bytes()]);
        let platform = json!({ "os": "linux", "architecture": architecture });
        with(&image, "platform", platform)
    });
    // Listed twice, told once.
    let index = layout.index(&[one, two.clone(), three, two.clone()]);
    layout.roots(&[index]);
    let layer = layout.blob("application/x-layer", b"s390x");
    layout.remove(&two);
    layout.remove(&layer);
    let OpenError::Incomplete { absent } = refused(&layout, "incomplete: 2 manifests") else {
        panic!("it should be incomplete");
    };
    let shown: Vec<String> = absent.iter().map(ToString::to_string).collect();
    assert_eq!(shown[0], format!("linux/arm64 ({})", text(&two)));
    assert!(shown[1].ends_with("without 1 blob)"), "{shown:?}");
    assert_eq!(absent[1].blobs, [digest(&layer)]);

    for (missing, words) in [("config", "the config blob"), ("layer", "the layer blob")] {
        let mut layout = Layout::default();
        let one = layout.image("amd64", &[b"layer"]);
        layout.roots(&[one]);
        let gone = match missing {
            "config" => br#"{"os":"linux","architecture":"amd64"}"#.as_slice(),
            _ => b"layer",
        };
        let gone = layout.blob("", gone);
        layout.remove(&gone);
        refused(&layout, words);
    }
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[]);
    layout.roots(std::slice::from_ref(&one));
    layout.remove(&one);
    refused(&layout, &format!("the manifest {}", text(&one)));
}

#[test]
fn layers_that_stay_where_they_are() {
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let check = |urls: Value, is_sound: bool| {
        let mut layout = Layout::default();
        let config = layout.blob("application/vnd.oci.image.config.v1+json", b"{}");
        let layer = layout.blob(foreign, b"foreign");
        layout.remove(&layer);
        let layers = [with(&layer, "urls", urls)];
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        let manifest = layout.manifest(media_type::OCI_MANIFEST, &manifest);
        layout.roots(&[manifest]);
        if is_sound {
            let image = sound(&layout);
            assert_eq!(image.notices(), [Notice::LayerLeftOut(digest(&layer))]);
            assert_eq!(image.blobs().len(), 1);
            assert_eq!(image.root().references().len(), 2);
        } else {
            refused(&layout, "the layer blob");
        }
    };
    check(json!(["https://example.com/layer"]), true);
    check(json!([]), false);
    check(Value::Null, false);
}
