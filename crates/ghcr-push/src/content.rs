//! Facts about an image that matter to GitHub.

use std::io::Read as _;

use oci_archive::{Blob, Content, Digest};
use serde_json::Value;

/// Names the repository to which GitHub links the package, and from which that inherits its access
/// (<https://docs.github.com/en/packages/learn-github-packages/connecting-a-repository-to-a-package>).
pub(crate) const SOURCE: &str = "org.opencontainers.image.source";

/// Configurations are small; what is larger is none.
const CONFIG_LIMIT: u64 = 4 * 1024 * 1024;

/// Media types of the configurations that have labels.
const CONFIGS: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];

/// What references to it will name. While layers are still to be compressed that is not known.
pub(crate) fn digest(content: &Content) -> Option<&Digest> {
    match content {
        Content::Image(image) => Some(&image.root().descriptor().digest),
        _ => None,
    }
}

/// The size of the largest blob, in bytes. Of a layer that is still to be compressed it is not known.
pub(crate) fn largest_layer(content: &Content) -> Option<u64> {
    blobs(content).iter().map(|blob| blob.descriptor.size).max()
}

/// The repository that the image says it comes from, in a label or in any annotation.
pub(crate) fn source(content: &Content) -> Option<String> {
    let labelled = blobs(content).into_iter().find_map(|blob| label(&blob));
    labelled.or_else(|| match content {
        Content::Image(image) => image.manifests().iter().find_map(|manifest| {
            let manifest: Value = serde_json::from_slice(manifest.bytes()).ok()?;
            Some(manifest["annotations"][SOURCE].as_str()?.to_owned())
        }),
        _ => None,
    })
}

fn blobs(content: &Content) -> Vec<Blob> {
    match content {
        Content::Image(image) => image.blobs().to_vec(),
        Content::Draft(draft) => draft.blobs(),
        _ => Vec::new(),
    }
}

/// The label in a configuration, `None` if the blob is something else.
fn label(blob: &Blob) -> Option<String> {
    let is_config = CONFIGS.contains(&blob.descriptor.media_type.as_str());
    if !is_config || blob.source.len() > CONFIG_LIMIT {
        return None;
    }
    let mut bytes = Vec::new();
    let mut reader = blob.source.reader(0).ok()?;
    reader.read_to_end(&mut bytes).ok()?;
    let config: Value = serde_json::from_slice(&bytes).ok()?;
    Some(config["config"]["Labels"][SOURCE].as_str()?.to_owned())
}
