//! What is no sound layout is refused by name, and neither takes forever nor fills the memory.

use std::io::Read as _;

use oci_archive::{Format, ManifestKind, Notice, OpenError, OpenOptions, media_type};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Layout, OCI_LAYOUT, blob_name, digest, open, refused, sound};

#[test]
fn kinds_of_manifests() {
    let check = |media_type: &str, document: &Value, words: Option<&str>| {
        let mut layout = Layout::default();
        let root = layout.manifest(media_type, document);
        layout.roots(std::slice::from_ref(&root));
        match words {
            Some(words) => drop(refused(&layout, words)),
            None => assert_eq!(sound(&layout).manifests().len(), 1),
        }
    };
    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let cache = "application/vnd.buildkit.cacheconfig.v0";
    let schema_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let config = json!({ "mediaType": "x", "digest": format!("sha256:{:064}", 0), "size": 0 });
    let index = media_type::OCI_INDEX;
    check("application/x-unknown", &json!({ "anything": 1 }), None);
    check(index, &json!({ "schemaVersion": 2, "manifests": [] }), None);
    check(layer, &json!({}), Some("BuildKit cache export"));
    check(cache, &json!({}), Some("BuildKit cache export"));
    check(schema_1, &json!({}), Some("schema version 1"));
    check(
        index,
        &json!({ "schemaVersion": 1 }),
        Some("schema version 1"),
    );
    check(
        index,
        &json!({ "schemaVersion": 2, "config": config }),
        Some("is an image manifest"),
    );
    let manifest = media_type::OCI_MANIFEST;
    check(
        manifest,
        &json!({ "schemaVersion": 2, "layers": [] }),
        Some("without config"),
    );
    check(
        manifest,
        &json!({ "schemaVersion": 2, "manifests": [] }),
        Some("but is an index"),
    );
    check(
        manifest,
        &json!({ "schemaVersion": 2, "config": config, "Layers": [] }),
        Some("taken for"),
    );
    check(
        manifest,
        &json!({ "schemaVersion": 2, "config": config, "mediaType": index }),
        Some("media type mismatch"),
    );
    check(
        manifest,
        &json!({ "schemaVersion": 2, "config": config, "layers": [], "manifests": [] }),
        Some("ambiguous"),
    );
    for size in [0, 1, 1_u64 << 40] {
        let mut layout = Layout::default();
        let mut root = layout.image("amd64", &[]);
        root["size"] = json!(size);
        layout.roots(&[root]);
        refused(&layout, "size mismatch");
    }
    let mut layout = Layout::default();
    let root = layout.manifest("application/x-unknown", &json!({}));
    layout.roots(std::slice::from_ref(&root));
    let image = sound(&layout);
    assert_eq!(image.root().kind(), ManifestKind::Other);
    assert!(matches!(
        image.notices(),
        [Notice::UnknownManifest { media_type, .. }] if media_type == "application/x-unknown"
    ));
}

#[test]
fn what_is_no_layout_is_named() {
    let check = |files: &[(&str, &[u8])], words: &str| {
        let mut layout = Layout::default();
        for (name, bytes) in files {
            layout.file(name, bytes);
        }
        refused(&layout, words);
    };
    let index = br#"{"schemaVersion":2,"manifests":[]}"#;
    check(&[], "no entries");
    check(&[("manifest.json", b"[]")], "it is empty");
    check(&[("repositories", b"{}")], "older than 1.10");
    check(
        &[("some/file", b"")],
        "oci-layout, which every OCI image layout has, is missing",
    );
    check(&[("layout/oci-layout", b"")], "the folder \"layout\"");
    check(&[("/oci-layout", b"")], "its name is absolute");
    check(&[("oci-layout", OCI_LAYOUT)], "index.json, which");
    check(
        &[("oci-layout", OCI_LAYOUT), ("index.json", index)],
        "no image",
    );
    let both = br#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
    check(
        &[("oci-layout", OCI_LAYOUT), ("index.json", both)],
        "ambiguous",
    );
    check(
        &[("oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#)],
        "layout version \"2.0.0\"",
    );
}

#[test]
fn a_cut_archive_is_suspected() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    layout.roots(&[one]);
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("image.tar");
    layout.write_tar(&path, "");
    let bytes = std::fs::read(&path).expect("readable");
    // Without index.json, oci-layout, and the end blocks.
    let position = bytes.windows(11).position(|at| at == b"oci-layout\0");
    std::fs::write(&path, &bytes[..position.expect("it is there")]).expect("writable");
    let error = open(&path, &OpenOptions::default()).expect_err("it is cut");
    assert!(error.to_string().contains("may be truncated"), "{error}");
}

#[test]
fn formats_are_insisted_on() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    layout.roots(&[one]);
    let directory = TempDir::new().expect("a directory");
    let tar = directory.path().join("image.tar");
    layout.write_tar(&tar, "");
    let folder = directory.path().join("layout");
    layout.write_directory(&folder);
    for (path, format, is_sound) in [
        (&tar, Format::OciArchive, true),
        (&tar, Format::OciDirectory, false),
        (&folder, Format::OciArchive, false),
        (&folder, Format::OciDirectory, true),
    ] {
        let mut options = OpenOptions::default();
        options.format = Some(format);
        match open(path, &options) {
            Ok(_) => assert!(is_sound, "{format:?}"),
            Err(error) => assert!(
                !is_sound && matches!(error, OpenError::WrongFormat { .. }),
                "{error}"
            ),
        }
    }
    let absent = open(&directory.path().join("absent"), &OpenOptions::default());
    assert!(matches!(absent, Err(OpenError::Read { .. })));
}

#[test]
fn a_file_that_shrinks_is_told_while_it_is_read() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[&[b'x'; 4096]]);
    layout.roots_at(0, &[one]);
    let (opened, directory) = layout.open(&OpenOptions::default());
    let image = opened.expect("sound");
    let path = directory.path().join("image.tar");
    let file = std::fs::OpenOptions::new().write(true).open(path);
    file.and_then(|file| file.set_len(512)).expect("writable");
    let mut bytes = Vec::new();
    let mut reader = image.blobs()[1].source.reader(0).expect("still open");
    let error = reader.read_to_end(&mut bytes).expect_err("nothing is left");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(
        error.to_string().contains("image.tar has become shorter"),
        "{error}"
    );
}

#[test]
fn a_hundred_thousand_entries() {
    let mut layout = Layout::default();
    for entry in 0..100_000 {
        layout.file(&format!("empty/{entry}"), b"");
    }
    let one = layout.files.len();
    let image = layout.image("amd64", &[b"one"]);
    layout.roots(std::slice::from_ref(&image));
    assert_eq!(sound(&layout).blobs().len(), 2);
    // Repeated names, and odd ones, are told by number.
    for (position, (name, _)) in layout.files[..one].iter_mut().enumerate() {
        let names = ["empty", "../climbs", "oci-layout"];
        name.clear();
        name.push_str(names[position % 2]);
    }
    let image = sound(&layout);
    let [
        Notice::RepeatedEntries { count, .. },
        Notice::IgnoredEntries { count: odd, .. },
    ] = image.notices()
    else {
        panic!("{:?}", image.notices());
    };
    assert_eq!((*count, *odd), (49_999, 50_000));
}

#[test]
fn large_documents_are_not_read() {
    for media_type in [media_type::OCI_MANIFEST, media_type::OCI_INDEX] {
        let mut layout = Layout::default();
        let root = layout.blob(media_type, &vec![b' '; 64 << 20]);
        layout.roots(&[root]);
        refused(&layout, "the limit for it is 4194304");
    }
    let mut layout = Layout::default();
    layout.file("oci-layout", OCI_LAYOUT);
    layout.file("index.json", &vec![b' '; 17 << 20]);
    refused(&layout, "the limit for it is 16777216");
}

#[test]
fn deep_documents_are_refused() {
    for (start, words) in [("", "a list"), ("{\"x\":", "recursion")] {
        let mut layout = Layout::default();
        layout.file("oci-layout", OCI_LAYOUT);
        let document = format!("{start}{}", "[".repeat(100_000));
        layout.file("index.json", document.as_bytes());
        refused(
            &layout,
            &format!("index.json is not valid JSON of its kind: {words}"),
        );
    }

    let mut layout = Layout::default();
    let mut root = layout.image("amd64", &[]);
    for _ in 0..20 {
        root = layout.index(&[root]);
    }
    layout.roots(&[root]);
    refused(&layout, "nested too deeply");
}

/// One child a thousand times, and a thousand children with one large configuration: each is looked at
/// once.
#[test]
fn repetition_costs_nothing() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let index = layout.index(&vec![one.clone(); 1000]);
    layout.roots(&[index]);
    let image = sound(&layout);
    assert_eq!(image.manifests().len(), 2);
    assert_eq!(image.root().children(), [digest(&one)]);

    let mut layout = Layout::default();
    let mut config = br#"{"os":"linux","architecture":"amd64","padding":""#.to_vec();
    config.resize(4 << 20, b'x');
    let end = config.len() - 2;
    config[end..].copy_from_slice(br#""}"#);
    let config = layout.blob("application/vnd.oci.image.config.v1+json", &config);
    let children: Vec<Value> = (0..1000)
        .map(|number| {
            let annotations = json!({ "number": number.to_string() });
            let manifest = json!({
                "schemaVersion": 2, "config": config, "layers": [], "annotations": annotations,
            });
            layout.manifest(media_type::OCI_MANIFEST, &manifest)
        })
        .collect();
    let index = layout.index(&children);
    layout.roots(&[index]);
    let image = sound(&layout);
    assert_eq!(image.manifests().len(), 1001);
    assert_eq!(image.platforms().len(), 1);
    assert_eq!(image.config_digest(), None);
}

/// Blobs by one name are told apart by their digest; what has none must stand once.
#[test]
fn repeated_entries() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let layer = layout.blob("", b"one");
    layout.roots(&[one]);
    layout.file(&blob_name(&digest(&layer)), b"two");
    layout.file("oci-layout", OCI_LAYOUT);
    let image = sound(&layout);
    let mut bytes = String::new();
    let source = &image.blobs()[1].source;
    let mut reader = source.reader(0).expect("readable");
    reader.read_to_string(&mut bytes).expect("readable");
    assert_eq!(bytes, "one");
    assert!(matches!(
        image.notices(),
        [Notice::RepeatedEntries { count: 2, .. }]
    ));
    layout.file("oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#);
    refused(&layout, "\"oci-layout\" cannot be used: it stands twice");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any bytes in place of `index.json`, of a manifest, or of an index.
    #[test]
    fn any_document_is_taken(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "[\\[\\]{}:,\"a-z0-9]{0,200}".prop_map(String::into_bytes),
            r#"\{"schemaVersion":2,"(config|layers|manifests|subject)":[\[\]{}:,"a-z0-9]{0,20}\}"#
                .prop_map(String::into_bytes),
        ],
    ) {
        let mut layout = Layout::default();
        layout.file("oci-layout", OCI_LAYOUT);
        layout.file("index.json", &bytes);
        prop_assert!(layout.open(&OpenOptions::default()).0.is_err());
        for media_type in [media_type::OCI_MANIFEST, media_type::OCI_INDEX, "x"] {
            let mut layout = Layout::default();
            let root = layout.blob(media_type, &bytes);
            layout.roots(&[root]);
            if let Ok(image) = layout.open(&OpenOptions::default()).0 {
                prop_assert_eq!(image.root().bytes(), &bytes);
            }
        }
    }
}
