//! The entry points that are fuzzed: any bytes in a place where an archive's maker decides on them. None of
//! them may panic, run without end, or take memory without end; which image they give, and for what an
//! error, is left to other tests.
//!
//! The tests of `oci-archive` include this file and run it on the seeds (`crates/oci-archive/tests/seeds.rs`),
//! so it uses nothing that they have not.

use bytes::Bytes;
use oci_archive::{
    Algorithm, Archive, Attestations, Content, Digest, FinishedLayer, FinishedLayers, OpenError,
    OpenOptions, media_type, merge,
};
use serde_json::{Value, json};

/// A target's name, and what it does with bytes; it tells whether there was any image in them.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// Every target.
pub const TARGETS: [Target; 3] = [
    ("tar_index", tar_index),
    ("oci_index", oci_index),
    ("docker_manifest", docker_manifest),
];

/// The bytes are the archive. What is compressed around it is refused, as there is no scratch space.
pub fn tar_index(bytes: &[u8]) -> bool {
    read(Bytes::copy_from_slice(bytes))
}

/// The bytes are `index.json`, an index, and a manifest, one after the other, of a layout that is sound
/// otherwise.
pub fn oci_index(bytes: &[u8]) -> bool {
    let mut layout = Tar::default();
    layout.sound_parts();
    layout.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    let mut as_root = layout.clone();
    as_root.file("index.json", bytes);
    let mut is_read = read(as_root.end());
    for media_type in [media_type::OCI_INDEX, media_type::OCI_MANIFEST] {
        let mut as_document = layout.clone();
        let descriptor = as_document.blob(media_type, bytes);
        let index = json!({ "schemaVersion": 2, "manifests": [descriptor] });
        as_document.file("index.json", index.to_string().as_bytes());
        is_read |= read(as_document.end());
    }
    is_read
}

/// The bytes are `manifest.json`, alone and beside a layout, with a configuration and a layer that are
/// sound; and they are the configuration.
pub fn docker_manifest(bytes: &[u8]) -> bool {
    let mut files = Tar::default();
    let manifest = files.sound_parts();
    let mut alone = files.clone();
    alone.file("manifest.json", bytes);
    let mut is_read = read(alone.end());
    let mut hybrid = files.clone();
    hybrid.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    hybrid.file("index.json", index.to_string().as_bytes());
    hybrid.file("manifest.json", bytes);
    // There is an image in it in any case.
    read(hybrid.end());
    files.file("fuzzed.json", bytes);
    let list = json!([{ "Config": "fuzzed.json", "Layers": ["layer.tar"] }]);
    files.file("manifest.json", list.to_string().as_bytes());
    is_read |= read(files.end());
    is_read
}

/// Reads an archive in every way that there is. Tells whether one of them succeeds.
fn read(archive: Bytes) -> bool {
    let options = OpenOptions::default();
    let Ok(archive) = Archive::from_bytes(archive, &options) else {
        return false;
    };
    // All of them, also after one that succeeds.
    let read = ways().map(|options| read_all(&archive, &options).is_ok());
    read.contains(&true)
}

fn ways() -> [OpenOptions; 4] {
    let whole = OpenOptions::default();
    let mut present = OpenOptions::default();
    present.only_present = true;
    present.referrers = true;
    let mut platform = OpenOptions::default();
    platform.platforms = "linux/amd64".parse().into_iter().collect();
    platform.verbatim = true;
    let mut stripped = OpenOptions::default();
    stripped.attestations = Attestations::Strip;
    [whole, present, platform, stripped]
}

/// Reads all images, makes new manifests where that is asked for, and merges them.
fn read_all(archive: &Archive, options: &OpenOptions) -> Result<(), OpenError> {
    let contents = archive.read_all(options)?;
    for content in &contents {
        let mut annotated = content.clone();
        let annotations: Vec<_> = "manifest:a=b".parse().into_iter().collect();
        annotated.annotate(&annotations)?;
        finish(&annotated)?;
        finish(&merge(vec![content.clone(), content.clone()])?)?;
    }
    // Several images for one platform are the rule in an archive of several.
    if let Ok(merged) = merge(contents) {
        finish(&merged)?;
    }
    Ok(())
}

/// Finishes a draft as if the registry had all its layers, and looks for it in the registry.
fn finish(content: &Content) -> Result<(), OpenError> {
    let Content::Draft(draft) = content else {
        return Ok(());
    };
    let layers = draft.layers().iter().map(|layer| {
        let mut descriptor = descriptor(media_type::OCI_CONFIG, b"");
        descriptor.digest = layer.diff_id.clone();
        (layer.diff_id.clone(), FinishedLayer::elsewhere(descriptor))
    });
    let image = draft.finish(&layers.collect::<FinishedLayers>())?;
    let _ = draft.recognise(media_type::OCI_MANIFEST, image.root().bytes(), None);
    Ok(())
}

fn descriptor(media_type: &str, bytes: &[u8]) -> oci_archive::Descriptor {
    let digest = Digest::of(Algorithm::Sha256, bytes);
    oci_archive::Descriptor::new(media_type, digest, bytes.len() as u64)
}

/// A tar file.
#[derive(Clone, Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn file(&mut self, name: &str, bytes: &[u8]) {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    /// Adds a blob, and describes it.
    fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let descriptor = descriptor(media_type, bytes);
        self.file(&format!("blobs/sha256/{}", descriptor.digest.hex()), bytes);
        json!({
            "mediaType": media_type,
            "digest": descriptor.digest.to_string(),
            "size": descriptor.size,
        })
    }

    /// Adds what seeds name: a layer, a configuration and a manifest of them, under all their names.
    fn sound_parts(&mut self) -> Value {
        let layer = b"layer";
        let config = json!({
            "os": "linux", "architecture": "amd64",
            "rootfs": { "type": "layers", "diff_ids": [descriptor("", layer).digest.to_string()] },
        });
        let config = config.to_string();
        self.file("layer.tar", layer);
        self.file("config.json", config.as_bytes());
        let config = self.blob(media_type::OCI_CONFIG, config.as_bytes());
        let layer = self.blob("application/vnd.oci.image.layer.v1.tar", layer);
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
        self.blob(media_type::OCI_MANIFEST, manifest.to_string().as_bytes())
    }

    fn end(mut self) -> Bytes {
        self.0.resize(self.0.len() + 1024, 0);
        self.0.into()
    }
}
