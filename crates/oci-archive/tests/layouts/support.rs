//! Layouts written by hand, so that they can be wrong.

use std::fs::File;
use std::path::Path;

use oci_archive::{Algorithm, Digest, Image, OpenError, OpenOptions, media_type};
use serde_json::{Value, json};
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

    pub(crate) fn write_tar(&self, path: &Path, prefix: &str) {
        let mut tar = tar::Builder::new(File::create(path).expect("writable"));
        for (name, bytes) in &self.files {
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
