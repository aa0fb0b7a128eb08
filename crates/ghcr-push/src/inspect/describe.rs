//! An image as facts, for the table and for JSON alike.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use oci_archive::{
    Blob, BlobSource, Compression, Content, Digest, Format, Image, Manifest, ManifestKind,
};
use serde_json::{Value, json};

/// GitHub takes no larger layer
/// (<https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry>).
const LARGEST_LAYER: u64 = 10_000_000_000;

/// The label by which GitHub links a package to its repository.
const SOURCE: &str = "org.opencontainers.image.source";

/// One image of one archive.
pub(super) struct Description {
    /// The archive.
    pub(super) name: String,
    /// The image's position among those of its archive; `None` for what is no image by itself, such as one
    /// platform of an index.
    pub(super) position: Option<usize>,
    pub(super) format: &'static str,
    pub(super) compression: Option<&'static str>,
    pub(super) producer: Option<&'static str>,
    pub(super) names: Vec<String>,
    pub(super) digest: String,
    pub(super) media_type: String,
    /// How it differs from what the archive holds.
    pub(super) changes: Vec<String>,
    /// Whether it is all the same something that the archive holds.
    pub(super) is_verbatim: bool,
    pub(super) images: Vec<Part>,
    /// What the image is for. One manifest may be for several.
    pub(super) platforms: Vec<String>,
    pub(super) attestations: usize,
    pub(super) referrers: usize,
    pub(super) blobs: usize,
    pub(super) size: u64,
    pub(super) warnings: Vec<String>,
}

/// One manifest that is no index.
pub(super) struct Part {
    pub(super) digest: String,
    pub(super) platform: Option<String>,
    pub(super) layers: Vec<Layer>,
}

/// One layer.
pub(super) struct Layer {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) media_type: String,
    /// `None` if it is not in the archive.
    pub(super) compression: Option<&'static str>,
}

impl Description {
    /// Gathers what is known of `image`, which is what `content` becomes.
    pub(super) fn of(name: &str, content: &Content, image: &Image) -> io::Result<Self> {
        let origin = content.origin();
        let blobs: BTreeMap<&Digest, &Blob> = image
            .blobs()
            .iter()
            .map(|blob| (&blob.descriptor.digest, blob))
            .collect();
        let of_kind = |kind| {
            image
                .manifests()
                .iter()
                .filter(move |one| one.kind() == kind)
        };
        let mut images = Vec::new();
        for manifest in of_kind(ManifestKind::Image) {
            images.push(part(manifest, &blobs)?);
        }
        let mut changes = image.changes().to_vec();
        let is_of_one = origin.format.is_some();
        if matches!(content, Content::Draft(_)) && is_of_one && content.changes().is_empty() {
            changes.push("the manifest is made from a docker-save archive".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            position: origin.position,
            format: match origin.format {
                Some(Format::OciArchive) => "OCI image layout in a tar file",
                Some(Format::OciDirectory) => "OCI image layout in a directory",
                Some(Format::DockerArchive) => "docker-save archive",
                _ => "several",
            },
            compression: origin.compression.map(Compression::as_str),
            producer: origin.producer,
            names: content.names().to_vec(),
            digest: image.root().descriptor().digest.to_string(),
            media_type: image.root().descriptor().media_type.clone(),
            changes,
            is_verbatim: image.is_verbatim(),
            attestations: of_kind(ManifestKind::Attestation).count(),
            referrers: image.referrers().len(),
            blobs: image.blobs().len(),
            size: image.total_size(),
            warnings: warnings(image, &images, &blobs)?,
            platforms: image.platforms().iter().map(ToString::to_string).collect(),
            images,
        })
    }

    /// What several archives become, as JSON.
    pub(super) fn json_of_all(&self) -> Value {
        let image = |part: &Part| json!({ "digest": part.digest, "platform": part.platform });
        json!({
            "digest": self.digest,
            "mediaType": self.media_type,
            "platforms": self.platforms,
            "changes": self.changes,
            "images": self.images.iter().map(image).collect::<Vec<_>>(),
            "attestations": self.attestations,
            "referrers": self.referrers,
            "blobs": self.blobs,
            "size": self.size,
            "warnings": self.warnings,
        })
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let layer = |layer: &Layer| {
            json!({
                "digest": layer.digest.to_string(),
                "size": layer.size,
                "mediaType": layer.media_type,
                "compression": layer.compression,
            })
        };
        let part = |part: &Part| {
            json!({
                "digest": part.digest,
                "platform": part.platform,
                "layers": part.layers.iter().map(layer).collect::<Vec<_>>(),
            })
        };
        json!({
            "archive": self.name,
            "position": self.position,
            "format": self.format,
            "compression": self.compression,
            "producer": self.producer,
            "names": self.names,
            "digest": self.digest,
            "mediaType": self.media_type,
            "changes": self.changes,
            "platforms": self.platforms,
            "images": self.images.iter().map(part).collect::<Vec<_>>(),
            "attestations": self.attestations,
            "referrers": self.referrers,
            "blobs": self.blobs,
            "size": self.size,
            "warnings": self.warnings,
        })
    }
}

/// A manifest's layers, as far as a push needs them.
fn part(manifest: &Manifest, blobs: &BTreeMap<&Digest, &Blob>) -> io::Result<Part> {
    let document: Value = serde_json::from_slice(manifest.bytes())?;
    let mut layers = Vec::new();
    for layer in document["layers"].as_array().into_iter().flatten() {
        let Some(digest) = layer["digest"].as_str().and_then(|text| text.parse().ok()) else {
            continue;
        };
        let compression = match blobs.get(&digest) {
            Some(blob) => Some(Compression::of(&blob.source)?.as_str()),
            None => None,
        };
        layers.push(Layer {
            digest,
            size: layer["size"].as_u64().unwrap_or_default(),
            media_type: layer["mediaType"].as_str().unwrap_or_default().to_owned(),
            compression,
        });
    }
    Ok(Part {
        digest: manifest.descriptor().digest.to_string(),
        platform: manifest.platform().map(ToString::to_string),
        layers,
    })
}

fn warnings(
    image: &Image,
    parts: &[Part],
    blobs: &BTreeMap<&Digest, &Blob>,
) -> io::Result<Vec<String>> {
    let mut warnings: Vec<String> = image.notices().iter().map(ToString::to_string).collect();
    if !parts.is_empty() && !names_source(image, blobs)? {
        warnings.push(format!(
            "no label or annotation {SOURCE}: GitHub cannot link a new package to its repository"
        ));
    }
    let layers = parts.iter().flat_map(|part| &part.layers);
    for layer in layers.filter(|layer| layer.size > LARGEST_LAYER) {
        warnings.push(format!(
            "layer {} is larger than 10 GB, which ghcr.io does not take",
            layer.digest
        ));
    }
    Ok(warnings)
}

/// Whether the image says where it comes from, in any of the places where GitHub looks.
fn names_source(image: &Image, blobs: &BTreeMap<&Digest, &Blob>) -> io::Result<bool> {
    for manifest in image.manifests() {
        let document: Value = serde_json::from_slice(manifest.bytes()).unwrap_or_default();
        if document["annotations"][SOURCE].is_string() {
            return Ok(true);
        }
        if manifest.kind() != ManifestKind::Image {
            continue;
        }
        let Some(config) = manifest
            .references()
            .first()
            .and_then(|digest| blobs.get(digest))
        else {
            continue;
        };
        let config = small(&config.source)?;
        let config: Value = serde_json::from_slice(&config).unwrap_or_default();
        if config["config"]["Labels"][SOURCE].is_string() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The bytes of a configuration; nothing of what is too large for one.
fn small(source: &BlobSource) -> io::Result<Vec<u8>> {
    const LIMIT: u64 = 4 * 1024 * 1024;
    let mut bytes = Vec::new();
    if source.len() <= LIMIT {
        source.reader(0)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
