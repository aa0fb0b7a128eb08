//! What `docker save` writes, and everything that imitates it: `manifest.json`, which lists images as a
//! configuration and layers by the names of their files
//! (<https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format>).
//!
//! There is no manifest that could be pushed as it is. Which layer is which is told by the configuration's
//! `diff_ids`, the digests of the uncompressed layers, in the order of `Layers`.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::compression::Compression;
use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::{Algorithm, Digest};
use crate::document::MANIFEST_LIMIT;
use crate::draft::{DraftImage, DraftLayer, RawLayer};
use crate::error::OpenError;
use crate::image::Blob;
use crate::media_type;
use crate::select::Candidate;
use crate::source::BlobSource;

const MANIFEST_JSON: &str = "manifest.json";

/// `manifest.json` of an archive with a thousand images stays below this.
const MANIFEST_JSON_LIMIT: u64 = 16 * 1024 * 1024;

/// All configurations of one archive together, which are kept in memory. Real ones are a few `KiB` each.
const MOST_CONFIG_BYTES: usize = 64 * 1024 * 1024;

/// Layers of one image. Docker itself ends at 127.
const MOST_LAYERS: usize = 4096;

/// One image in `manifest.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
    /// What Docker knows of layers that came from elsewhere, by diff id.
    #[serde(default)]
    layer_sources: Option<BTreeMap<String, Descriptor>>,
}

/// What an image's configuration says.
#[derive(Debug, Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<Digest>>,
}

/// An image of `manifest.json` with its configuration.
#[derive(Debug, Clone)]
pub(crate) struct DockerImage {
    entry: Entry,
    config: Bytes,
    /// The configuration's.
    digest: Digest,
}

impl DockerImage {
    /// The platform that the configuration names, if it does.
    pub(crate) fn platform(&self) -> Option<Platform> {
        let platform: Option<Platform> = serde_json::from_slice(&self.config).ok();
        platform.filter(Platform::is_known)
    }

    /// Entries of one configuration are one image, if they name the same layers too. Of two layers that
    /// claim to be the same, nobody could tell which one is meant.
    fn agree(&self, other: &Entry) -> Result<(), OpenError> {
        if self.entry.layers.as_deref().unwrap_or_default()
            == other.layers.as_deref().unwrap_or_default()
        {
            return Ok(());
        }
        let config = &other.config;
        Err(OpenError::invalid(
            MANIFEST_JSON,
            format!("ambiguous: it lists the config {config:?} twice, with different layers"),
        ))
    }
}

/// The images that `manifest.json` lists, each configuration once; `None` if there is no such file.
/// Images without their configuration are left out if `lenient`, else refused.
pub(crate) fn images(
    container: &Container,
    lenient: bool,
) -> Result<Option<Vec<Candidate<DockerImage>>>, OpenError> {
    let Some(bytes) = container.read_only_one(MANIFEST_JSON, MANIFEST_JSON_LIMIT)? else {
        return Ok(None);
    };
    let entries: Vec<Entry> = serde_json::from_slice(&bytes).map_err(|source| OpenError::Json {
        what: MANIFEST_JSON.to_owned(),
        source,
    })?;
    let mut candidates: Vec<Candidate<DockerImage>> = Vec::new();
    let mut positions: BTreeMap<Digest, usize> = BTreeMap::new();
    // A file that is named many times is read once.
    let mut by_path: BTreeMap<String, usize> = BTreeMap::new();
    let mut config_bytes = 0;
    for entry in entries {
        let names = entry.repo_tags.clone().unwrap_or_default();
        if let Some(position) = by_path.get(&entry.config) {
            candidates[*position].target.agree(&entry)?;
            candidates[*position].names.extend(names);
            continue;
        }
        let config = match read_config(container, &entry.config) {
            Ok(config) => config,
            Err(_) if lenient => continue,
            Err(error) => return Err(error),
        };
        config_bytes += config.len();
        if config_bytes > MOST_CONFIG_BYTES {
            return Err(OpenError::invalid(
                MANIFEST_JSON,
                "the configurations that it names are too large, the limit for all is 64 MiB",
            ));
        }
        let digest = config_digest(&entry.config, &config)?;
        let position = *positions.entry(digest.clone()).or_insert(candidates.len());
        by_path.insert(entry.config.clone(), position);
        if let Some(known) = candidates.get_mut(position) {
            known.target.agree(&entry)?;
            known.names.extend(names);
            continue;
        }
        candidates.push(Candidate {
            digest: digest.clone(),
            names,
            target: DockerImage {
                entry,
                config,
                digest,
            },
        });
    }
    for candidate in &mut candidates {
        let mut seen = std::collections::HashSet::new();
        candidate
            .names
            .retain(|name| !name.is_empty() && seen.insert(name.clone()));
    }
    Ok(Some(candidates))
}

fn read_config(container: &Container, path: &str) -> Result<Bytes, OpenError> {
    let found = container.read_named(path, MANIFEST_LIMIT)?;
    found.ok_or_else(|| missing(container, "config", path))
}

/// A configuration's digest. Where its file is named by one, it must be that; nobody would notice a
/// damaged configuration otherwise.
fn config_digest(path: &str, config: &[u8]) -> Result<Digest, OpenError> {
    let named = named_digest(path);
    let algorithm = named.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
    let actual = Digest::of(algorithm, config);
    if named.is_none_or(|named| named == actual) {
        return Ok(actual);
    }
    Err(OpenError::invalid(
        format!("the config {path:?}"),
        format!("digest mismatch: its content hashes to {actual}"),
    ))
}

/// The digest that a file is named by: `blobs/ALGORITHM/HEX`, `HEX.json`, `sha256:HEX`.
fn named_digest(path: &str) -> Option<Digest> {
    if let Some(blob) = path.strip_prefix("blobs/") {
        return blob.replacen('/', ":", 1).parse().ok();
    }
    let name = path.rsplit('/').next()?;
    let name = name.strip_suffix(".json").unwrap_or(name);
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    format!("sha256:{hex}").parse().ok()
}

fn missing(container: &Container, role: &str, path: &str) -> OpenError {
    OpenError::Missing {
        what: format!("the {role} {path:?}, which manifest.json names,"),
        remark: container.suspicion().map(str::to_owned),
    }
}

/// Finds an image's layers, and tells them apart: what is to be made, and what is known already. Each
/// layer's beginning is read, to see how it is compressed.
pub(crate) fn draft(
    container: &Container,
    image: &DockerImage,
) -> Result<(DraftImage, Vec<RawLayer>), OpenError> {
    let config_name = format!("the config {:?}", image.entry.config);
    let json = |source| OpenError::Json {
        what: config_name.clone(),
        source,
    };
    let config: Config = serde_json::from_slice(&image.config).map_err(json)?;
    let platform: Platform = serde_json::from_slice(&image.config).map_err(json)?;
    let diff_ids = config.rootfs.diff_ids.unwrap_or_default();
    let paths = image.entry.layers.clone().unwrap_or_default();
    if paths.len() != diff_ids.len() {
        let reason = format!(
            "layer count mismatch: manifest.json lists {} layers, the config {} diff_ids",
            paths.len(),
            diff_ids.len()
        );
        return Err(OpenError::invalid(config_name, reason));
    }
    if paths.len() > MOST_LAYERS {
        let reason = format!("it has too many layers, the limit is {MOST_LAYERS}");
        return Err(OpenError::invalid(config_name, reason));
    }
    let mut used: BTreeMap<&str, &Digest> = BTreeMap::new();
    let mut raw: BTreeMap<&Digest, RawLayer> = BTreeMap::new();
    let mut layers = Vec::new();
    for (path, diff_id) in paths.iter().zip(&diff_ids) {
        if let Some(other) = used.insert(path, diff_id)
            && other != diff_id
        {
            let reason = format!("it is named as the layer {other} and as the layer {diff_id}");
            return Err(OpenError::Entry {
                name: path.clone(),
                reason,
            });
        }
        if let Some(foreign) = foreign(image, diff_id) {
            layers.push(DraftLayer::Foreign(Box::new(foreign.clone())));
            continue;
        }
        layers.push(DraftLayer::Made(diff_id.clone()));
        if raw.contains_key(diff_id) {
            continue;
        }
        let source = container
            .named(path)?
            .ok_or_else(|| missing(container, "layer", path))?;
        raw.insert(diff_id, raw_layer(path, diff_id, source)?);
    }
    let draft = DraftImage {
        config: config_blob(image),
        platform: Some(platform).filter(Platform::is_known),
        layers,
    };
    Ok((draft, raw.into_values().collect()))
}

/// A layer that is not meant for registries, whose manifest says where it is.
fn foreign<'a>(image: &'a DockerImage, diff_id: &Digest) -> Option<&'a Descriptor> {
    let sources = image.entry.layer_sources.as_ref()?;
    let source = sources.get(&diff_id.to_string())?;
    let is_foreign = media_type::is_non_distributable(&source.media_type);
    (is_foreign && !source.urls.is_empty()).then_some(source)
}

fn raw_layer(path: &str, diff_id: &Digest, source: BlobSource) -> Result<RawLayer, OpenError> {
    let compression = Compression::of(&source).map_err(|source| OpenError::Read {
        what: format!("{path:?} in the archive"),
        source,
    })?;
    Ok(RawLayer {
        diff_id: diff_id.clone(),
        name: path.into(),
        source,
        compression,
    })
}

fn config_blob(image: &DockerImage) -> Blob {
    let bytes = image.config.clone();
    let (digest, size) = (image.digest.clone(), bytes.len() as u64);
    let descriptor = Descriptor::new(media_type::OCI_CONFIG, digest, size);
    Blob::new(descriptor, BlobSource::from_bytes(bytes))
}
