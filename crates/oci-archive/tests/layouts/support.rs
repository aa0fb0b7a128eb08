//! Layouts written by hand, so that they can be wrong.

use std::path::Path;

use bytes::Bytes;
use oci_archive::{Algorithm, Archive, Digest, Image, OpenError, OpenOptions, media_type};
use serde_json::{Value, json};
use tar::EntryType;
use tempfile::TempDir;

pub(crate) const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// A layout's files in the order in which they are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Layout {
    /// Adds a file, whatever its name.
    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) {
        self.files.push((name.to_owned(), bytes.to_vec()));
    }

    /// Adds a blob once, and describes it.
    pub(crate) fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let name = blob_name(&digest);
        if !self.files.iter().any(|(known, _)| *known == name) {
            self.file(&name, bytes);
        }
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    }

    /// Adds a manifest or index.
    pub(crate) fn manifest(&mut self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().as_bytes())
    }

    /// Adds an image of these layers for `linux/ARCHITECTURE`.
    pub(crate) fn image(&mut self, architecture: &str, layers: &[&[u8]]) -> Value {
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| self.blob("application/x-layer", layer))
            .collect();
        let config = json!({ "os": "linux", "architecture": architecture }).to_string();
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            config.as_bytes(),
        );
        self.manifest(
            media_type::OCI_MANIFEST,
            &json!({ "schemaVersion": 2, "config": config, "layers": layers }),
        )
    }

    /// Adds an image index.
    pub(crate) fn index(&mut self, manifests: &[Value]) -> Value {
        self.manifest(
            media_type::OCI_INDEX,
            &json!({ "schemaVersion": 2, "manifests": manifests }),
        )
    }

    /// Adds `index.json` and `oci-layout` at `position`.
    pub(crate) fn roots_at(&mut self, position: usize, roots: &[Value]) {
        let index = json!({ "schemaVersion": 2, "manifests": roots }).to_string();
        let index = ("index.json".to_owned(), index.into_bytes());
        self.files.insert(position, index);
        let layout = ("oci-layout".to_owned(), OCI_LAYOUT.to_vec());
        self.files.insert(position, layout);
    }

    /// Adds `index.json` and `oci-layout` at the end.
    pub(crate) fn roots(&mut self, roots: &[Value]) {
        self.roots_at(self.files.len(), roots);
    }

    /// Forgets what `descriptor` describes.
    pub(crate) fn remove(&mut self, descriptor: &Value) {
        let name = blob_name(&digest(descriptor));
        self.files.retain(|(known, _)| *known != name);
    }

    /// The layout as a tar file.
    pub(crate) fn tar(&self, prefix: &str) -> Bytes {
        let mut tar = Tar::default();
        for (name, bytes) in &self.files {
            tar.file(&format!("{prefix}{name}"), bytes);
        }
        tar.end()
    }

    pub(crate) fn write_tar(&self, path: &Path, prefix: &str) {
        std::fs::write(path, self.tar(prefix)).expect("writable");
    }

    pub(crate) fn write_directory(&self, path: &Path) {
        for (name, bytes) in &self.files {
            let path = path.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
            std::fs::write(path, bytes).expect("writable");
        }
    }

    /// Opens the layout as a tar file. The file stays as long as the directory does.
    pub(crate) fn open(&self, options: &OpenOptions) -> (Result<Image, OpenError>, TempDir) {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("image.tar");
        self.write_tar(&path, "");
        (open(&path, options), directory)
    }

    /// Reads the layout as a tar file in memory.
    pub(crate) fn read(&self, options: &OpenOptions) -> Result<Image, OpenError> {
        let content = Archive::from_bytes(self.tar(""), options)?.read(options)?;
        Ok(content.into_image().expect("its layers are finished"))
    }

    /// The bytes of a blob.
    pub(crate) fn stored(&self, digest: &Digest) -> &[u8] {
        let name = blob_name(digest);
        let file = self.files.iter().find(|(known, _)| *known == name);
        file.map(|(_, bytes)| bytes.as_slice()).expect("it is here")
    }

    /// Adds an attestation on `image` as an index lists it, of the form before `BuildKit` 0.32: an
    /// annotation tells what it is about.
    pub(crate) fn old_attestation(&mut self, image: &Value) -> Value {
        let config = self.blob("application/vnd.oci.image.config.v1+json", b"{}");
        let about = format!("about {}", digest(image));
        let statement = self.blob("application/vnd.in-toto+json", about.as_bytes());
        let manifest = self.manifest(
            media_type::OCI_MANIFEST,
            &json!({ "schemaVersion": 2, "config": config, "layers": [statement] }),
        );
        let annotations = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        });
        with(
            &for_platform(&manifest, "unknown/unknown"),
            "annotations",
            annotations,
        )
    }

    /// Adds an attestation on `image` of the form of an artifact with a subject.
    pub(crate) fn new_attestation(&mut self, image: &Value) -> Value {
        let artifact_type = media_type::DOCKER_ATTESTATION;
        let mut manifest = self.about(image, artifact_type);
        manifest["artifactType"] = json!(artifact_type);
        for_platform(&manifest, "unknown/unknown")
    }

    /// Adds an artifact that has `subject` as its subject.
    pub(crate) fn about(&mut self, subject: &Value, artifact_type: &str) -> Value {
        let config = self.blob("application/vnd.oci.empty.v1+json", b"{}");
        let subject = json!({
            "mediaType": subject["mediaType"], "digest": subject["digest"], "size": subject["size"],
        });
        self.manifest(
            media_type::OCI_MANIFEST,
            &json!({
                "schemaVersion": 2, "artifactType": artifact_type, "config": config, "layers": [],
                "subject": subject,
            }),
        )
    }
}

/// A tar file, written entry by entry and by hand: the `tar` crate would tidy names up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    /// Adds a regular file.
    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) {
        self.entry(EntryType::Regular, name, "", bytes);
    }

    /// Adds a link.
    pub(crate) fn link(&mut self, kind: EntryType, name: &str, target: &str) {
        self.entry(kind, name, target, b"");
    }

    fn entry(&mut self, kind: EntryType, name: &str, target: &str, bytes: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        old.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    /// The file, with the blocks that end it.
    pub(crate) fn end(mut self) -> Bytes {
        self.0.resize(self.0.len() + 1024, 0);
        self.0.into()
    }
}

/// A descriptor with one more property.
pub(crate) fn with(descriptor: &Value, key: &str, value: Value) -> Value {
    let mut descriptor = descriptor.clone();
    descriptor[key] = value;
    descriptor
}

/// A descriptor that says its platform.
pub(crate) fn for_platform(descriptor: &Value, platform: &str) -> Value {
    let mut parts = platform.split('/');
    let mut value = json!({ "os": parts.next(), "architecture": parts.next() });
    if let Some(variant) = parts.next() {
        value["variant"] = variant.into();
    }
    with(descriptor, "platform", value)
}

/// The digest in a descriptor as text.
pub(crate) fn text(descriptor: &Value) -> String {
    digest(descriptor).to_string()
}

/// The digest of an image's root as text.
pub(crate) fn root(image: &Image) -> String {
    image.root().descriptor().digest.to_string()
}

/// The digests of all manifests, in the order in which they can be published.
pub(crate) fn order(image: &Image) -> Vec<String> {
    let manifests = image.manifests().iter();
    manifests
        .map(|manifest| manifest.descriptor().digest.to_string())
        .collect()
}

/// Opens an image that needs no finishing.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Image, OpenError> {
    let content = oci_archive::open(path, options)?;
    Ok(content.into_image().expect("its layers are finished"))
}

pub(crate) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().as_str(), digest.hex())
}

/// The digest in a descriptor.
pub(crate) fn digest(descriptor: &Value) -> Digest {
    let text = descriptor["digest"].as_str().expect("a digest");
    text.parse().expect("a digest")
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

pub(crate) fn sound(layout: &Layout) -> Image {
    let (opened, _directory) = layout.open(&OpenOptions::default());
    opened.unwrap_or_else(|error| panic!("it should be sound: {}", chain(&error)))
}

pub(crate) fn refused(layout: &Layout, words: &str) -> OpenError {
    let (opened, _directory) = layout.open(&OpenOptions::default());
    let error = opened.expect_err("it should be refused");
    let message = chain(&error);
    assert!(message.contains(words), "{message:?} lacks {words:?}");
    error
}
