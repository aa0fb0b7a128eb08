//! Archives that are both an OCI layout and what `docker save` wrote, as Docker makes them since 25; and
//! images that a registry holds already.

use bytes::Bytes;
use oci_archive::{
    Archive, Compression, CompressionFormat, Content, Draft, Format, Image, OpenError, OpenOptions,
    Selection, media_type,
};
use serde_json::{Value, json};

use crate::saved::{Saved, compressed, config, diff_id, draft, finish, finish_as};
use crate::support::{Layout, Tar, digest, root, text, with};

pub(crate) const UNCOMPRESSED: &str = "application/vnd.oci.image.layer.v1.tar";

/// An archive with `index.json` and `manifest.json`.
#[derive(Default)]
pub(crate) struct Hybrid {
    pub(crate) layout: Layout,
    pub(crate) listed: Vec<Value>,
    saved: Vec<Value>,
}

impl Hybrid {
    /// Adds an image to both lists, its layers of the type `media_type`.
    pub(crate) fn image(&mut self, layers: &[&[u8]], media_type: &str, name: &str) -> Value {
        let (manifest, saved) = self.unlisted(layers, media_type, name);
        let annotations = json!({ "org.opencontainers.image.ref.name": name });
        self.listed
            .push(with(&manifest, "annotations", annotations));
        self.saved.push(saved);
        manifest
    }

    /// Adds an image's files; tells its descriptor, and what Docker would list.
    fn unlisted(&mut self, layers: &[&[u8]], media_type: &str, name: &str) -> (Value, Value) {
        let diff_ids: Vec<_> = layers.iter().map(|layer| diff_id(layer)).collect();
        let config = config("amd64", &diff_ids.iter().collect::<Vec<_>>());
        let config = self.layout.blob(media_type::OCI_CONFIG, &config);
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| self.layout.blob(media_type, layer))
            .collect();
        let path = |blob: &Value| format!("blobs/sha256/{}", digest(blob).hex());
        let paths: Vec<String> = layers.iter().map(path).collect();
        let saved = json!({ "Config": path(&config), "RepoTags": [name], "Layers": paths });
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        (
            self.layout.manifest(media_type::OCI_MANIFEST, &manifest),
            saved,
        )
    }

    pub(crate) fn read(&self, options: &OpenOptions) -> Result<Content, OpenError> {
        let mut layout = self.layout.clone();
        layout.roots(&self.listed);
        let mut tar = Tar::default();
        for (name, bytes) in &layout.files {
            tar.file(name, bytes);
        }
        let saved = Value::from(self.saved.clone()).to_string();
        tar.file("manifest.json", saved.as_bytes());
        Archive::from_bytes(tar.end(), options)?.read(options)
    }
}

fn image(read: Result<Content, OpenError>) -> Image {
    match read {
        Ok(Content::Image(image)) => *image,
        other => panic!("it should be an image: {other:?}"),
    }
}

#[test]
fn uncompressed_layers_are_compressed_unless_asked_for() {
    let mut hybrid = Hybrid::default();
    let manifest = hybrid.image(&[b"one", b"two"], UNCOMPRESSED, "docker.io/library/x:1");
    let draft = draft(hybrid.read(&OpenOptions::default()));
    assert_eq!(draft.diff_ids(), [diff_id(b"one"), diff_id(b"two")]);
    assert_eq!(draft.names(), ["docker.io/library/x:1"]);
    assert_eq!(draft.origin().format, Some(Format::DockerArchive));
    assert_ne!(root(&finish(&draft)), text(&manifest));

    let mut options = OpenOptions::default();
    options.verbatim = true;
    assert_eq!(root(&image(hybrid.read(&options))), text(&manifest));
    for (format, is_draft) in [(Format::OciArchive, false), (Format::DockerArchive, true)] {
        let mut options = OpenOptions::default();
        options.format = Some(format);
        let read = hybrid.read(&options).expect("sound");
        assert_eq!(matches!(read, Content::Draft(_)), is_draft, "{format:?}");
    }
}

/// Layers that are compressed stay what they are; so does what Docker does not list.
#[test]
fn nothing_else_is_compressed() {
    let mut hybrid = Hybrid::default();
    let layer = compressed(Compression::Gzip, b"one");
    let gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    let manifest = hybrid.image(&[&layer], gzip, "x:1");
    assert_eq!(
        root(&image(hybrid.read(&OpenOptions::default()))),
        text(&manifest)
    );
    let mut hybrid = Hybrid::default();
    let manifest = hybrid.image(&[b"one"], UNCOMPRESSED, "x:1");
    hybrid.saved.clear();
    assert_eq!(
        root(&image(hybrid.read(&OpenOptions::default()))),
        text(&manifest)
    );
}

#[test]
fn lists_that_differ_are_asked_about() {
    let mut hybrid = Hybrid::default();
    let listed = hybrid.image(&[b"one"], "application/x-layer", "x:1");
    let (_, other) = hybrid.unlisted(&[b"two"], UNCOMPRESSED, "y:1");
    hybrid.saved = vec![other];
    let error = hybrid
        .read(&OpenOptions::default())
        .expect_err("two images");
    let OpenError::Selection { reason, images } = error else {
        panic!("{error}");
    };
    assert!(
        reason.contains("index.json and manifest.json differ in what they list"),
        "{reason}"
    );
    assert!(
        images[0].ends_with(" x:1 (linux/amd64)") && images[1].ends_with(" y:1 (linux/amd64)"),
        "{images:?}"
    );
    let choose = |name: &str| {
        let mut options = OpenOptions::default();
        options.select = Some(Selection::Name(name.to_owned()));
        hybrid.read(&options)
    };
    assert_eq!(root(&image(choose("x:1"))), text(&listed));
    assert_eq!(draft(choose("y:1")).diff_ids(), [diff_id(b"two")]);
    // Both are listed; nothing is remarked on.
    let mut hybrid = Hybrid::default();
    hybrid.image(&[b"one"], UNCOMPRESSED, "x:1");
    hybrid.image(&[b"two"], UNCOMPRESSED, "y:1");
    let error = hybrid
        .read(&OpenOptions::default())
        .expect_err("two images");
    assert!(!error.to_string().contains("manifest.json"), "{error}");
    // Where a configuration is lacking, the image is what `index.json` says.
    let mut hybrid = Hybrid::default();
    let manifest = hybrid.image(&[b"one"], "application/x-layer", "x:1");
    hybrid.saved = vec![json!({ "Config": "none.json" })];
    assert_eq!(
        root(&image(hybrid.read(&OpenOptions::default()))),
        text(&manifest)
    );
}

fn recognised(draft: &Draft, manifest: &Bytes, format: Option<CompressionFormat>) -> Option<Image> {
    draft.recognise(media_type::OCI_MANIFEST, manifest, format)
}

#[test]
fn what_was_pushed_before_is_recognised() {
    let draft = Saved::of("amd64", &[b"one", b"two"]).draft();
    for format in [
        CompressionFormat::Gzip,
        CompressionFormat::Zstd,
        CompressionFormat::None,
    ] {
        let pushed = finish_as(&draft, format);
        let manifest = pushed.root().bytes();
        for insisted in [None, Some(format)] {
            let image = recognised(&draft, manifest, insisted).expect("it is the same");
            assert_eq!(image.root().descriptor(), pushed.root().descriptor());
            assert_eq!(image.root().bytes(), manifest);
            assert_eq!(image.root().references(), pushed.root().references());
            assert_eq!(image.config_digest(), pushed.config_digest());
            assert_eq!(image.platforms(), pushed.platforms());
        }
        let other = match format {
            CompressionFormat::Gzip => CompressionFormat::Zstd,
            _ => CompressionFormat::Gzip,
        };
        assert!(
            recognised(&draft, manifest, Some(other)).is_none(),
            "{format:?}"
        );
    }
}

/// Other tools name the same format in Docker's words.
#[test]
fn a_format_in_dockers_words() {
    let draft = Saved::of("amd64", &[b"one"]).draft();
    let pushed = finish(&draft);
    let mut manifest: Value = serde_json::from_slice(pushed.root().bytes()).expect("JSON");
    let words = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    manifest["layers"][0]["mediaType"] = json!(words);
    let manifest = Bytes::from(manifest.to_string());
    assert!(recognised(&draft, &manifest, Some(CompressionFormat::Gzip)).is_some());
    for other in [CompressionFormat::Zstd, CompressionFormat::None] {
        assert!(recognised(&draft, &manifest, Some(other)).is_none());
    }
}

/// The format is insisted on where there is a choice only.
#[test]
fn a_compressed_layer_has_its_format() {
    let mut saved = Saved::default();
    saved.layer("a.tar", &compressed(Compression::Zstd, b"one"));
    let config = saved.config("amd64", &[&diff_id(b"one")]);
    saved.list(&config, &["a.tar"], &[]);
    let draft = saved.draft();
    let pushed = finish(&draft);
    let format = Some(CompressionFormat::Gzip);
    assert!(recognised(&draft, pushed.root().bytes(), format).is_some());
}

#[test]
fn what_is_not_the_same_is_not_recognised() {
    let layers: [&[u8]; 2] = [b"one", b"two"];
    let draft = Saved::of("amd64", &layers).draft();
    let pushed = finish(&draft);
    let bytes = pushed.root().bytes();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut manifest: Value = serde_json::from_slice(bytes).expect("JSON");
        change(&mut manifest);
        Bytes::from(manifest.to_string())
    };
    assert!(recognised(&draft, &changed(&|_| ()), None).is_some());
    for (what, manifest) in [
        (
            "another platform",
            finish(&Saved::of("arm64", &layers).draft())
                .root()
                .bytes()
                .clone(),
        ),
        (
            "fewer layers",
            changed(&|manifest| drop(manifest["layers"].as_array_mut().map(Vec::pop))),
        ),
        (
            "no layers",
            changed(&|manifest| manifest["layers"] = Value::Null),
        ),
        (
            "annotations",
            changed(&|manifest| manifest["annotations"] = json!({ "a": "b" })),
        ),
        (
            "odd annotations",
            changed(&|manifest| manifest["annotations"] = json!([])),
        ),
        (
            "another version",
            changed(&|manifest| manifest["schemaVersion"] = json!(1)),
        ),
        ("no JSON", Bytes::from_static(b"{")),
        ("nothing", Bytes::new()),
    ] {
        assert!(recognised(&draft, &manifest, None).is_none(), "{what}");
    }
    assert!(
        draft
            .recognise(media_type::OCI_INDEX, bytes, None)
            .is_none()
    );
    assert!(
        draft
            .recognise("application/x-unknown", bytes, None)
            .is_none()
    );
    let empty = changed(&|manifest| manifest["annotations"] = json!({}));
    assert!(recognised(&draft, &empty, None).is_some());
}

#[test]
fn annotations_belong_to_what_is_recognised() {
    let saved = Saved::of("amd64", &[b"one"]);
    let plain = saved.draft();
    let mut content = saved.read(&OpenOptions::default()).expect("sound");
    content
        .annotate(&["a=b".parse().expect("an annotation")])
        .expect("it is for a manifest");
    let annotated = draft(Ok(content));
    for (draft, other) in [(&plain, &annotated), (&annotated, &plain)] {
        let manifest = finish(draft).root().bytes().clone();
        assert!(recognised(draft, &manifest, None).is_some());
        assert!(recognised(other, &manifest, None).is_none());
    }
}
