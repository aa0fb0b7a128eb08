//! Any image, written as a tar file or a directory, reads back as itself; any damage is an error and
//! never a panic; and what is large is opened by its headers alone.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use oci_archive::{Algorithm, Digest, Image, OpenOptions, media_type};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{self, Layout, blob_name, open};

/// An image by its parts.
#[derive(Debug, Clone)]
struct Model {
    /// Layers of each platform; equal ones are one blob.
    platforms: Vec<Vec<Vec<u8>>>,
    names: Vec<String>,
    prefix: &'static str,
    index_first: bool,
}

fn model() -> impl Strategy<Value = Model> {
    let layer = proptest::collection::vec(any::<u8>(), 0..600);
    let layers = proptest::collection::vec(layer, 0..4);
    (
        proptest::collection::vec(layers, 1..4),
        proptest::collection::vec("[a-z0-9./:-]{1,20}", 0..3),
        prop_oneof![Just(""), Just("./"), Just(".//")],
        any::<bool>(),
    )
        .prop_map(|(platforms, names, prefix, index_first)| Model {
            platforms,
            names,
            prefix,
            index_first,
        })
}

/// The layout of a model, and its root's digest.
fn layout(model: &Model) -> (Layout, String) {
    let mut layout = Layout::default();
    let mut children = Vec::new();
    for (position, layers) in model.platforms.iter().enumerate() {
        let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
        children.push(layout.image(&format!("arch{position}"), &layers));
    }
    let root = match children.as_slice() {
        [only] => only.clone(),
        _ => layout.index(&children),
    };
    let digest = support::digest(&root).to_string();
    let mut named: Vec<Value> = model
        .names
        .iter()
        .map(|name| {
            let mut root = root.clone();
            root["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
            root
        })
        .collect();
    if named.is_empty() {
        named.push(root);
    }
    let end = layout.files.len();
    layout.roots_at(if model.index_first { 0 } else { end }, &named);
    (layout, digest)
}

fn check(image: &Image, layout: &Layout, digest: &str, model: &Model) {
    let files = &layout.files;
    assert_eq!(image.root().descriptor().digest.to_string(), digest);
    assert_eq!(image.platforms().len(), distinct_manifests(model, image));
    let mut names = model.names.clone();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    assert_eq!(image.names(), names);
    let stored = |digest: &Digest| {
        let name = blob_name(digest);
        files
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, bytes)| bytes.clone())
    };
    for manifest in image.manifests() {
        assert_eq!(
            stored(&manifest.descriptor().digest),
            Some(manifest.bytes().to_vec())
        );
    }
    for blob in image.blobs() {
        for offset in [0, 1, blob.source.len() / 2, blob.source.len()] {
            let mut bytes = Vec::new();
            let mut reader = blob.source.reader(offset).expect("readable");
            reader.read_to_end(&mut bytes).expect("readable");
            let all = stored(&blob.descriptor.digest).expect("a blob of the model");
            let start = usize::try_from(offset).expect("small").min(all.len());
            assert_eq!(bytes, all[start..]);
        }
    }
    // Manifests, blobs, index.json and oci-layout are all there is. A blob may be a manifest's twin.
    let digests: BTreeSet<String> = image
        .manifests()
        .iter()
        .map(|manifest| manifest.descriptor().digest.to_string())
        .chain(
            image
                .blobs()
                .iter()
                .map(|blob| blob.descriptor.digest.to_string()),
        )
        .collect();
    assert_eq!(digests.len() + 2, files.len());
}

fn distinct_manifests(model: &Model, image: &Image) -> usize {
    let indexes = usize::from(model.platforms.len() > 1);
    image.manifests().len() - indexes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_model_reads_back(model in model()) {
        let directory = TempDir::new().expect("a directory");
        let (layout, digest) = layout(&model);
        let tar = directory.path().join("image.tar");
        layout.write_tar(&tar, model.prefix);
        check(&open(&tar, &OpenOptions::default()).expect("sound"), &layout, &digest, &model);
        let folder = directory.path().join("layout");
        layout.write_directory(&folder);
        check(&open(&folder, &OpenOptions::default()).expect("sound"), &layout, &digest, &model);
    }

    /// A byte changed anywhere gives an error, or the same image with blobs that are found out by
    /// hashing; cut off anywhere it gives an error.
    #[test]
    fn damage_never_panics(model in model(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let directory = TempDir::new().expect("a directory");
        let (layout, digest) = layout(&model);
        let path = directory.path().join("image.tar");
        layout.write_tar(&path, model.prefix);
        let bytes = std::fs::read(&path).expect("readable");
        let position = at.index(bytes.len());
        let mut damaged = bytes.clone();
        damaged[position] = byte;
        std::fs::write(&path, &damaged).expect("writable");
        if let Ok(image) = open(&path, &OpenOptions::default()) {
            prop_assert_eq!(image.root().descriptor().digest.to_string(), digest);
        }
        std::fs::write(&path, &bytes[..position]).expect("writable");
        if let Ok(image) = open(&path, &OpenOptions::default()) {
            // Only the end blocks can be missing then.
            prop_assert!(!image.notices().is_empty() || position + 10_240 > bytes.len());
        }
    }
}

/// A tar of ten gibibytes is opened by its headers: the file is sparse, and is never read through.
#[test]
fn ten_gibibytes_are_opened_by_their_headers() {
    const LAYER: u64 = 10 << 30;
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("image.tar");
    let layer = Digest::of(Algorithm::Sha256, b"whatever it is, nobody hashes it here");
    let blob = |digest: &Digest, size: usize| json!({ "mediaType": "application/x", "digest": digest.to_string(), "size": size });
    let config = b"{}".to_vec();
    let config_digest = Digest::of(Algorithm::Sha256, &config);
    let manifest = json!({
        "schemaVersion": 2,
        "config": blob(&config_digest, config.len()),
        "layers": [{ "mediaType": "application/x", "digest": layer.to_string(), "size": LAYER }],
    });
    let manifest = manifest.to_string().into_bytes();
    let manifest_digest = Digest::of(Algorithm::Sha256, &manifest);
    let mut root = blob(&manifest_digest, manifest.len());
    root["mediaType"] = json!(media_type::OCI_MANIFEST);
    let index = json!({ "schemaVersion": 2, "manifests": [root] })
        .to_string()
        .into_bytes();

    let mut file = File::create(&path).expect("writable");
    let mut header = tar::Header::new_gnu();
    header
        .set_path(format!("blobs/sha256/{}", layer.hex()))
        .expect("short");
    header.set_size(LAYER);
    header.set_cksum();
    file.write_all(header.as_bytes()).expect("writable");
    file.seek(SeekFrom::Current(i64::try_from(LAYER).expect("it fits")))
        .expect("seekable");
    let mut tar = tar::Builder::new(file);
    for (name, bytes) in [
        (format!("blobs/sha256/{}", config_digest.hex()), config),
        (format!("blobs/sha256/{}", manifest_digest.hex()), manifest),
        ("index.json".to_owned(), index),
        (
            "oci-layout".to_owned(),
            br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
        ),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, bytes.as_slice())
            .expect("writable");
    }
    tar.finish().expect("writable");

    let image = open(&path, &OpenOptions::default()).expect("sound");
    assert_eq!(
        image.blobs().iter().map(|blob| blob.descriptor.size).max(),
        Some(LAYER)
    );
    // Reading it through would take many seconds; reading its last byte takes none.
    let mut last = [1];
    let mut reader = image.blobs()[1].source.reader(LAYER - 1).expect("readable");
    reader.read_exact(&mut last).expect("readable");
    assert_eq!(last, [0]);
}

/// A name of three gibibytes, as a header claims it, is not read into memory.
#[test]
fn a_header_that_claims_too_much_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut header = tar::Header::new_gnu();
    header.set_path("././@LongLink").expect("short");
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(3 << 30);
    header.set_cksum();
    file.as_file()
        .write_all(header.as_bytes())
        .expect("writable");
    file.as_file().set_len((3 << 30) + 20_480).expect("sparse");
    let error = open(file.path(), &OpenOptions::default()).expect_err("hostile");
    let source = std::error::Error::source(&error)
        .expect("a cause")
        .to_string();
    assert_eq!(source, "a header and its extensions are larger than 1 MiB");
}
