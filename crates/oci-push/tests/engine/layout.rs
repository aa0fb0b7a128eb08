//! OCI image layouts in directories, written piece by piece.

use std::path::Path;

use oci_archive::{Algorithm, Digest, Image, OpenError, OpenOptions, media_type};
use serde_json::{Value, json};

pub(crate) struct Layout(pub(crate) tempfile::TempDir);

impl Layout {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn write(&self, name: &Path, bytes: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
        std::fs::write(path, bytes).expect("writable");
    }

    /// Stores a blob, and describes it.
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        self.write(&Path::new("blobs/sha256").join(digest.hex()), bytes);
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    }

    pub(crate) fn manifest(&self, document: &Value) -> Value {
        self.blob(media_type::OCI_MANIFEST, document.to_string().as_bytes())
    }

    /// Reads it, once `roots` are listed.
    pub(crate) fn open(&self, roots: &[Value], options: &OpenOptions) -> Result<Image, OpenError> {
        let index = json!({ "schemaVersion": 2, "manifests": roots }).to_string();
        self.write(Path::new("index.json"), index.as_bytes());
        let layout = br#"{"imageLayoutVersion":"1.0.0"}"#;
        self.write(Path::new("oci-layout"), layout);
        let content = oci_archive::open(self.0.path(), options)?;
        Ok(content.into_image().expect("it needs no finishing"))
    }
}
