//! From a root descriptor to everything below it: manifests verified and kept byte for byte, blobs
//! located and measured.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::container::{Container, blob_name};
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::error::{AbsentManifest, OpenError};
use crate::image::{Blob, Image, Manifest, Notice};
use crate::layout::{MANIFEST_LIMIT, parse};
use crate::media_type;

/// Indexes within indexes. Docker 29 nests two levels; nobody is known to nest more than five.
const DEEPEST: usize = 16;

/// Manifests of one image. An index of 4 `MiB` cannot list more than some 20,000.
const MOST_MANIFESTS: usize = 20_000;

/// The parts of a manifest or index that a push needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    pub(crate) manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    pub(crate) subject: Option<Descriptor>,
}

/// Collects everything below `root`.
pub(crate) fn walk(container: &Container, root: &Descriptor) -> Result<Image, OpenError> {
    let mut walk = Walk {
        container,
        manifests: Vec::new(),
        levels: BTreeMap::new(),
        blobs: Vec::new(),
        located: BTreeMap::new(),
        platforms: Vec::new(),
        absent: Vec::new(),
        notices: Vec::new(),
        config_digest: None,
    };
    walk.visit(root, 0)?;
    if !walk.absent.is_empty() {
        return Err(OpenError::Incomplete {
            absent: walk.absent,
        });
    }
    let Some(root) = walk.manifests.last().cloned() else {
        unreachable!("the root is neither absent nor refused");
    };
    let is_image = media_type::is_image_manifest(&root.descriptor.media_type);
    Ok(Image {
        config_digest: walk.config_digest.filter(|_| is_image),
        manifests: walk.manifests,
        root,
        blobs: walk.blobs,
        platforms: walk.platforms,
        names: Vec::new(),
        notices: walk.notices,
    })
}

/// What an index with layers in place of manifests is.
pub(crate) fn build_cache(digest: &Digest) -> OpenError {
    OpenError::invalid(
        format!("manifest {digest}"),
        "it stands in an index, but is a layer: this is a BuildKit cache export, not an image",
    )
}

/// A manifest's or index's document, `None` if it is not in the archive.
pub(crate) fn document(
    container: &Container,
    descriptor: &Descriptor,
) -> Result<Option<Document>, OpenError> {
    Ok(load(container, descriptor)?.and_then(|(_, document)| document))
}

/// A manifest's bytes, verified, and its document if it is of a known kind.
fn load(
    container: &Container,
    descriptor: &Descriptor,
) -> Result<Option<(Bytes, Option<Document>)>, OpenError> {
    let name = blob_name(&descriptor.digest);
    let what = format!("manifest {}", descriptor.digest);
    let Some(bytes) = container.read_small(&name, MANIFEST_LIMIT)? else {
        return Ok(None);
    };
    if bytes.len() as u64 != descriptor.size {
        return Err(OpenError::invalid(
            what,
            size_mismatch(descriptor.size, bytes.len() as u64),
        ));
    }
    let mut hasher = descriptor.digest.hasher();
    hasher.update(&bytes);
    let actual = hasher.finish();
    if actual != descriptor.digest {
        let reason = format!("digest mismatch: its content hashes to {actual}");
        return Err(OpenError::invalid(what, reason));
    }
    let known = media_type::is_index(&descriptor.media_type)
        || media_type::is_image_manifest(&descriptor.media_type);
    if !known {
        return Ok(Some((bytes, None)));
    }
    let document: Document = parse(&what, &bytes)?;
    check(&what, descriptor, &document)?;
    Ok(Some((bytes, Some(document))))
}

/// Refuses what two readers could take for two different things
/// (<https://github.com/opencontainers/distribution-spec/security/advisories/GHSA-mc8v-mgrf-8f4m>).
fn check(what: &str, descriptor: &Descriptor, document: &Document) -> Result<(), OpenError> {
    let refused = |reason: String| Err(OpenError::invalid(what, reason));
    if document.schema_version != 2 {
        return refused(format!(
            "schema version {} is not supported",
            document.schema_version
        ));
    }
    if let Some(own) = document
        .media_type
        .as_ref()
        .filter(|own| **own != descriptor.media_type)
    {
        let named = &descriptor.media_type;
        return refused(format!(
            "media type mismatch: it is named as {named:?} and calls itself {own:?}"
        ));
    }
    let as_image = document.config.is_some() || document.layers.is_some();
    let as_index = document.manifests.is_some();
    if as_image && as_index {
        return refused("ambiguous: it has both layers and manifests".to_owned());
    }
    match media_type::is_index(&descriptor.media_type) {
        true if as_image => refused("it is named as an index, but is an image manifest".to_owned()),
        false if as_index => {
            refused("it is named as an image manifest, but is an index".to_owned())
        }
        false if document.config.is_none() => {
            refused("it is an image manifest without config".to_owned())
        }
        _ => Ok(()),
    }
}

fn size_mismatch(named: u64, found: u64) -> String {
    format!("size mismatch: it is named with {named} bytes and has {found}")
}

struct Walk<'a> {
    container: &'a Container,
    /// In the order in which they can be published.
    manifests: Vec<Manifest>,
    /// The level of every manifest visited.
    levels: BTreeMap<Digest, usize>,
    blobs: Vec<Blob>,
    /// The size of every blob located.
    located: BTreeMap<Digest, u64>,
    platforms: Vec<Platform>,
    absent: Vec<AbsentManifest>,
    notices: Vec<Notice>,
    config_digest: Option<Digest>,
}

impl Walk<'_> {
    /// Visits a manifest and all below it, once.
    fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), OpenError> {
        if self.levels.contains_key(&descriptor.digest) {
            return Ok(());
        }
        let what = || format!("manifest {}", descriptor.digest);
        if depth > DEEPEST {
            return Err(OpenError::invalid(what(), "indexes are nested too deeply"));
        }
        if self.levels.len() >= MOST_MANIFESTS {
            return Err(OpenError::invalid(what(), "there are too many manifests"));
        }
        if media_type::is_build_cache(&descriptor.media_type) {
            return Err(build_cache(&descriptor.digest));
        }
        let Some((bytes, document)) = load(self.container, descriptor)? else {
            self.absent.push(AbsentManifest {
                platform: descriptor.platform.as_ref().map(ToString::to_string),
                digest: descriptor.digest.clone(),
            });
            return Ok(());
        };
        let mut level = 0;
        if let Some(document) = document {
            let children = document.manifests.unwrap_or_default();
            self.visit_children(&children, depth + 1)?;
            for below in children.iter().chain(&document.subject) {
                level = level.max(self.levels.get(&below.digest).map_or(0, |level| level + 1));
            }
            self.locate_blobs(
                document.config.as_ref(),
                &document.layers.unwrap_or_default(),
            )?;
            self.note_platform(descriptor, document.config.as_ref())?;
        }
        if let Some(described) = described_by(descriptor) {
            level = level.max(self.levels.get(&described).map_or(0, |level| level + 1));
        }
        self.levels.insert(descriptor.digest.clone(), level);
        self.manifests.push(Manifest {
            descriptor: descriptor.clone(),
            bytes,
            level,
        });
        Ok(())
    }

    /// Visits an index's children, attestations after what they describe.
    fn visit_children(&mut self, children: &[Descriptor], depth: usize) -> Result<(), OpenError> {
        let describes = |child: &&Descriptor| described_by(child).is_some();
        let others = children.iter().filter(|child| !describes(child));
        for child in others.chain(children.iter().filter(describes)) {
            self.visit(child, depth)?;
        }
        Ok(())
    }

    fn locate_blobs(
        &mut self,
        config: Option<&Descriptor>,
        layers: &[Descriptor],
    ) -> Result<(), OpenError> {
        if let Some(config) = config {
            self.locate(config, "config")?;
            self.config_digest = Some(config.digest.clone());
        }
        for layer in layers {
            self.locate(layer, "layer")?;
        }
        Ok(())
    }

    fn locate(&mut self, descriptor: &Descriptor, role: &str) -> Result<(), OpenError> {
        let what = || format!("{role} {}", descriptor.digest);
        let mismatch = |found| {
            Err(OpenError::invalid(
                what(),
                size_mismatch(descriptor.size, found),
            ))
        };
        if let Some(size) = self.located.get(&descriptor.digest) {
            return if *size == descriptor.size {
                Ok(())
            } else {
                mismatch(*size)
            };
        }
        let Some(source) = self.container.blob(&descriptor.digest)? else {
            if media_type::is_non_distributable(&descriptor.media_type) {
                self.notices
                    .push(Notice::LayerLeftOut(descriptor.digest.clone()));
                return Ok(());
            }
            return Err(OpenError::Missing {
                what: format!("the {role} blob {}", descriptor.digest),
            });
        };
        if source.len() != descriptor.size {
            return mismatch(source.len());
        }
        self.located
            .insert(descriptor.digest.clone(), descriptor.size);
        self.blobs.push(Blob::new(descriptor.clone(), source));
        Ok(())
    }

    /// Notes an image's platform: what its descriptor says, else what its configuration says.
    fn note_platform(
        &mut self,
        descriptor: &Descriptor,
        config: Option<&Descriptor>,
    ) -> Result<(), OpenError> {
        let Some(config) = config.filter(|_| described_by(descriptor).is_none()) else {
            return Ok(());
        };
        let platform = match &descriptor.platform {
            Some(platform) => Some(platform.clone()),
            None => self.platform_of(config)?,
        };
        if let Some(platform) = platform.filter(Platform::is_known)
            && !self.platforms.contains(&platform)
        {
            self.platforms.push(platform);
        }
        Ok(())
    }

    /// An artifact's configuration may be anything, so one that is no image configuration is no error.
    fn platform_of(&self, config: &Descriptor) -> Result<Option<Platform>, OpenError> {
        if config.size > MANIFEST_LIMIT {
            return Ok(None);
        }
        let bytes = self
            .container
            .read_small(&blob_name(&config.digest), MANIFEST_LIMIT)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

/// The manifest that an attestation in an index is about
/// (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>).
fn described_by(descriptor: &Descriptor) -> Option<Digest> {
    descriptor
        .annotation("vnd.docker.reference.digest")?
        .parse()
        .ok()
}
