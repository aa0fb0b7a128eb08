//! The archives of the corpus that are too large to keep, made from one that is kept. Each holds what its
//! entry in `corpus.json` says.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The image around which they are made.
const SOUND: &str = "constructed/tar-one-zero-block.tar";

const MIB: usize = 1024 * 1024;

/// Writes one of them below `directory`; `None` if this is none that is made here.
pub(crate) fn write(fixtures: &Path, file: &str, directory: &Path) -> io::Result<Option<PathBuf>> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let bytes = match name {
        "many-entries-100k.tar" => many_entries(&std::fs::read(fixtures.join(SOUND))?)?,
        "outer-gzip-zeros-1-gib.tar.gz" => zeros(1024)?,
        "index-deeply-nested.tar" => deeply_nested(fixtures)?,
        "index-same-child-1000.tar" => same_child(fixtures)?,
        "manifest-64-mib.tar" => large_manifest(fixtures)?,
        _ => return Ok(None),
    };
    let path = directory.join(name);
    File::create(&path)?.write_all(&bytes)?;
    Ok(Some(path))
}

fn many_entries(sound: &[u8]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for number in 0..100_000 {
        append(&mut tar, &format!("e/{number:06}"), b"")?;
    }
    let mut bytes = tar.into_inner()?;
    // Without the blocks that end it.
    bytes.truncate(bytes.len() - 1024);
    bytes.extend_from_slice(sound);
    Ok(bytes)
}

/// So many mebibytes of zeros in gzip, whose members may follow one another.
fn zeros(mebibytes: usize) -> io::Result<Vec<u8>> {
    const MEMBER: usize = 64;
    let usual = flate2::Compression::default();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), usual);
    for _ in 0..MEMBER {
        encoder.write_all(&vec![0; MIB])?;
    }
    Ok(encoder.finish()?.repeat(mebibytes / MEMBER))
}

fn deeply_nested(fixtures: &Path) -> io::Result<Vec<u8>> {
    packed(fixtures, "[".repeat(100_000).as_bytes(), &[])
}

/// An index that lists one image a thousand times.
fn same_child(fixtures: &Path) -> io::Result<Vec<u8>> {
    let root = listed(fixtures)?;
    let mut child = root.clone();
    child
        .as_object_mut()
        .map(|child| child.shift_remove("annotations"));
    let index = json!({
        "schemaVersion": 2,
        "mediaType": oci_archive::media_type::OCI_INDEX,
        "manifests": vec![child; 1000],
        "annotations": { "level": "0" },
    });
    let index = index.to_string();
    let outer = described(oci_archive::media_type::OCI_INDEX, index.as_bytes());
    packed(fixtures, around(&outer).as_bytes(), &[index.into_bytes()])
}

/// A manifest of 64 `MiB`.
fn large_manifest(fixtures: &Path) -> io::Result<Vec<u8>> {
    let root = listed(fixtures)?;
    let name = blob(root["digest"].as_str().unwrap_or_default());
    let all = entries(fixtures)?;
    let manifest = all.iter().find(|(other, _)| *other == name);
    let (_, manifest) = manifest.ok_or(io::ErrorKind::NotFound)?;
    let mut manifest: Value = serde_json::from_slice(manifest)?;
    manifest["annotations"] = json!({ "k": "a".repeat(64 * MIB) });
    let manifest = manifest.to_string();
    let root = described(oci_archive::media_type::OCI_MANIFEST, manifest.as_bytes());
    packed(fixtures, around(&root).as_bytes(), &[manifest.into_bytes()])
}

/// What `index.json` lists.
fn listed(fixtures: &Path) -> io::Result<Value> {
    let all = entries(fixtures)?;
    let index = all.iter().find(|(name, _)| name == "index.json");
    let (_, index) = index.ok_or(io::ErrorKind::NotFound)?;
    let index: Value = serde_json::from_slice(index)?;
    Ok(index["manifests"][0].clone())
}

fn around(root: &Value) -> String {
    json!({ "schemaVersion": 2, "manifests": [root] }).to_string()
}

fn described(media_type: &str, bytes: &[u8]) -> Value {
    let digest = oci_archive::Digest::of(oci_archive::Algorithm::Sha256, bytes);
    json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
}

fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

/// The sound image with another `index.json` and more blobs.
fn packed(fixtures: &Path, index: &[u8], blobs: &[Vec<u8>]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in entries(fixtures)? {
        let is_index = name == "index.json";
        append(&mut tar, &name, if is_index { index } else { &bytes })?;
    }
    for bytes in blobs {
        let descriptor = described("", bytes);
        let name = blob(descriptor["digest"].as_str().unwrap_or_default());
        append(&mut tar, &name, bytes)?;
    }
    tar.into_inner()
}

fn entries(fixtures: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in tar::Archive::new(File::open(fixtures.join(SOUND))?).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        found.push((name, bytes));
    }
    Ok(found)
}

fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, bytes)
}
