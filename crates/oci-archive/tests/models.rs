//! Any image, written as a tar file or a directory, reads back as itself; any damage is an error and
//! never a panic; and what is large is opened by its headers alone.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use oci_archive::{Algorithm, Digest, Image, OpenOptions, media_type, open};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

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

/// The layout's files in the order in which they are written, and the root's digest.
fn files(model: &Model) -> (Vec<(String, Vec<u8>)>, String) {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut blob = |bytes: &[u8], media_type: &str| {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let name = format!("blobs/sha256/{}", digest.hex());
        if !files.iter().any(|(known, _)| *known == name) {
            files.push((name, bytes.to_vec()));
        }
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    };
    let mut children = Vec::new();
    for (position, layers) in model.platforms.iter().enumerate() {
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| blob(layer, "application/x-layer"))
            .collect();
        let config =
            json!({ "os": "linux", "architecture": format!("arch{position}") }).to_string();
        let config = blob(
            config.as_bytes(),
            "application/vnd.oci.image.config.v1+json",
        );
        let manifest =
            json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string();
        children.push(blob(manifest.as_bytes(), media_type::OCI_MANIFEST));
    }
    let root = if let [only] = children.as_slice() {
        only.clone()
    } else {
        let index = json!({ "schemaVersion": 2, "manifests": children }).to_string();
        blob(index.as_bytes(), media_type::OCI_INDEX)
    };
    let digest = root["digest"].as_str().unwrap_or_default().to_owned();
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
    let index = json!({ "schemaVersion": 2, "manifests": named })
        .to_string()
        .into_bytes();
    let layout = br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec();
    let position = if model.index_first { 0 } else { files.len() };
    files.insert(position, ("index.json".to_owned(), index));
    files.insert(position, ("oci-layout".to_owned(), layout));
    (files, digest)
}

fn write_tar(path: &Path, files: &[(String, Vec<u8>)], prefix: &str) {
    let mut tar = tar::Builder::new(File::create(path).expect("writable"));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        // Written by hand: the crate would tidy the name up.
        let name = format!("{prefix}{name}");
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).expect("writable");
    }
    tar.finish().expect("writable");
}

fn write_directory(path: &Path, files: &[(String, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = path.join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
        std::fs::write(path, bytes).expect("writable");
    }
}

fn check(image: &Image, files: &[(String, Vec<u8>)], digest: &str, model: &Model) {
    assert_eq!(image.root().descriptor().digest.to_string(), digest);
    assert_eq!(image.platforms().len(), distinct_manifests(model, image));
    let mut names = model.names.clone();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    assert_eq!(image.names(), names);
    let stored = |digest: &Digest| {
        let name = format!("blobs/sha256/{}", digest.hex());
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
        let (files, digest) = files(&model);
        let tar = directory.path().join("image.tar");
        write_tar(&tar, &files, model.prefix);
        check(&open(&tar, &OpenOptions::default()).expect("sound"), &files, &digest, &model);
        let layout = directory.path().join("layout");
        write_directory(&layout, &files);
        check(&open(&layout, &OpenOptions::default()).expect("sound"), &files, &digest, &model);
    }

    /// A byte changed anywhere gives an error, or the same image with blobs that are found out by
    /// hashing; cut off anywhere it gives an error.
    #[test]
    fn damage_never_panics(model in model(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let directory = TempDir::new().expect("a directory");
        let (files, digest) = files(&model);
        let path = directory.path().join("image.tar");
        write_tar(&path, &files, model.prefix);
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

    #[test]
    fn any_index_is_taken(text in "[\\[\\]{}:,\"a-z0-9]{0,200}") {
        let directory = TempDir::new().expect("a directory");
        write_directory(directory.path(), &[
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), text.into_bytes()),
        ]);
        prop_assert!(open(directory.path(), &OpenOptions::default()).is_err());
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
