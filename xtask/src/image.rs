//! `cargo xtask image`: a container image of a released binary, as an OCI image layout in a tar file. Nothing but
//! this program makes it, and ghcr-push pushes it.
//!
//! There is no base image: the binary is static, and brings the certificate authorities that it trusts where
//! the machine has none. The image depends on the archive and the labels, and on nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::arguments::Arguments;
use crate::run::say;

/// What of the archive is in the image, by its name there, and where it is in the image.
const FILES: [(&str, &str, u32); 3] = [
    ("LICENSE-APACHE", "licenses/LICENSE-APACHE", 0o644),
    ("LICENSE-MIT", "licenses/LICENSE-MIT", 0o644),
    ("ghcr-push", "ghcr-push", 0o755),
];

/// A user without rights, as images without a base have by convention
/// (<https://github.com/GoogleContainerTools/distroless/blob/main/common/variables.bzl>).
const USER: &str = "65532:65532";

/// Makes the image of an archive that `cargo xtask dist` made.
pub(crate) fn image(words: &[String]) -> Result<(), String> {
    let arguments = Arguments::read(words, &["archive", "source", "revision", "output"])?;
    let archive = arguments.need("archive")?;
    let architecture = architecture(archive)?;
    let labels = json!({
        "org.opencontainers.image.description": "Pushes a locally built container image to GitHub Container Registry",
        "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
        "org.opencontainers.image.revision": arguments.need("revision")?,
        "org.opencontainers.image.source": arguments.need("source")?,
        "org.opencontainers.image.title": "ghcr-push",
        "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
    });
    let output = arguments.need("output")?;
    let made = fs::File::open(archive)
        .and_then(files)
        .and_then(|files| layout(&files, architecture, &labels))
        .and_then(|layout| fs::write(output, layout));
    made.map_err(|error| format!("no image can be made of {archive}: {error}"))?;
    say(&format!("{output}: linux/{architecture}"));
    Ok(())
}

/// The processor as images name it, from the archive's name
/// (<https://github.com/opencontainers/image-spec/blob/main/config.md#properties>).
fn architecture(archive: &str) -> Result<&'static str, String> {
    let name = Path::new(archive)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let target = name.strip_prefix("ghcr-push-").unwrap_or_default();
    match target.split_once("-unknown-linux-musl-") {
        Some(("x86_64", _)) => Ok("amd64"),
        Some(("aarch64", _)) => Ok("arm64"),
        _ => Err(format!(
            "{archive} is not named as an archive with a static binary is"
        )),
    }
}

/// The files of the archive that belong into the image.
fn files(archive: impl io::Read) -> io::Result<BTreeMap<&'static str, Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let mut files = BTreeMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        // Behind the one directory that everything is in.
        let name = path.components().skip(1).collect::<std::path::PathBuf>();
        if let Some((known, ..)) = FILES.iter().find(|(known, ..)| Path::new(known) == name) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.insert(*known, content);
        }
    }
    Ok(files)
}

/// The layer, not yet compressed: the files, and a directory for what is needed for a while only.
fn layer(files: &BTreeMap<&str, Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::new());
    for (path, mode) in [("licenses/", 0o755), ("tmp/", 0o1777)] {
        let mut header = header(0, mode);
        header.set_entry_type(tar::EntryType::Directory);
        layer.append_data(&mut header, path, io::empty())?;
    }
    for (name, path, mode) in FILES {
        let missing = || io::Error::other(format!("it holds no {name}"));
        let content = files.get(name).ok_or_else(missing)?;
        layer.append_data(&mut header(content.len(), mode), path, content.as_slice())?;
    }
    layer.into_inner()
}

/// The whole layout (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>).
fn layout(
    files: &BTreeMap<&str, Vec<u8>>,
    architecture: &str,
    labels: &Value,
) -> io::Result<Vec<u8>> {
    let layer = layer(files)?;
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    gzip.write_all(&layer)?;
    let compressed = gzip.finish()?;
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": USER,
            "Env": ["PATH=/"],
            "Entrypoint": ["/ghcr-push"],
            "WorkingDir": "/",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        "history": [{"created_by": "cargo xtask image"}],
    })
    .to_string()
    .into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &compressed)],
        "annotations": labels,
    })
    .to_string()
    .into_bytes();
    let mut named = descriptor(MANIFEST, &manifest);
    named["platform"] = json!({"architecture": architecture, "os": "linux"});
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [named],
    })
    .to_string()
    .into_bytes();
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |path: &str, content: &[u8]| {
        archive.append_data(&mut header(content.len(), 0o644), path, content)
    };
    add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    add("index.json", &index)?;
    for blob in [&manifest, &config, &compressed] {
        let path = format!("blobs/{}", digest(blob).replace(':', "/"));
        add(&path, blob)?;
    }
    archive.into_inner()
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}

fn digest(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let digits = hash.iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}

/// A header without a time or an owner.
fn header(size: usize, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(size as u64);
    header.set_mode(mode);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> BTreeMap<&'static str, Vec<u8>> {
        FILES
            .iter()
            .map(|(name, ..)| (*name, name.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn architectures() {
        for (archive, expected) in [
            (
                "dist/ghcr-push-x86_64-unknown-linux-musl-v1.2.3.tar.gz",
                Some("amd64"),
            ),
            (
                "ghcr-push-aarch64-unknown-linux-musl-v1.2.3.tar.gz",
                Some("arm64"),
            ),
            ("ghcr-push-x86_64-apple-darwin-v1.2.3.tar.gz", None),
            ("image.tar", None),
        ] {
            assert_eq!(architecture(archive).ok(), expected, "{archive}");
        }
    }

    #[test]
    fn what_is_taken_out_of_an_archive() {
        let mut archive =
            tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::fast()));
        for path in [
            "d/README.md",
            "d/ghcr-push",
            "d/man/ghcr-push",
            "d/LICENSE-MIT",
        ] {
            archive
                .append_data(&mut header(path.len(), 0o644), path, path.as_bytes())
                .expect("memory");
        }
        let archive = archive
            .into_inner()
            .and_then(flate2::write::GzEncoder::finish);
        let files = files(archive.expect("memory").as_slice()).expect("an archive");
        let expected = [
            ("LICENSE-MIT", "d/LICENSE-MIT"),
            ("ghcr-push", "d/ghcr-push"),
        ];
        let found: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, content)| (*name, std::str::from_utf8(content).expect("text")))
            .collect();
        assert_eq!(found, expected);
        assert!(layer(&files).is_err(), "a licence is missing");
    }

    /// Read with the tool's own reader, which verifies manifests, and hashed.
    #[test]
    fn the_image_is_sound() {
        let labels = json!({"org.opencontainers.image.title": "ghcr-push"});
        let layout = layout(&sample(), "arm64", &labels).expect("memory");
        assert_eq!(
            layout,
            super::layout(&sample(), "arm64", &labels).expect("memory"),
            "the same files give the same image"
        );
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("image.tar");
        fs::write(&path, layout).expect("writable");
        let content = oci_archive::open(&path, &oci_archive::OpenOptions::default());
        let image = content
            .expect("an archive")
            .into_image()
            .expect("compressed layers");
        let mut sizes = Vec::new();
        for blob in image.blobs() {
            let mut hasher = blob.descriptor.digest.hasher();
            let mut bytes = Vec::new();
            let mut reader = blob.source.reader(0).expect("readable");
            reader.read_to_end(&mut bytes).expect("readable");
            hasher.update(&bytes);
            assert_eq!(hasher.finish(), blob.descriptor.digest);
            sizes.push(bytes.len());
        }
        assert_eq!(sizes.len(), 2, "a configuration and a layer");
        let mut layer = tar::Archive::new(io::Cursor::new(layer(&sample()).expect("memory")));
        let entries = layer.entries().expect("a tar file").map(|entry| {
            let entry = entry.expect("an entry");
            let mode = entry.header().mode().expect("a mode");
            format!("{} {mode:o}", entry.path().expect("text").display())
        });
        assert_eq!(
            entries.collect::<Vec<_>>(),
            [
                "licenses/ 755",
                "tmp/ 1777",
                "licenses/LICENSE-APACHE 644",
                "licenses/LICENSE-MIT 644",
                "ghcr-push 755",
            ]
        );
    }
}
