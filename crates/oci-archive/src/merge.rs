//! Several images under one index.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Content;
use crate::annotate::REFERENCE_DIGEST;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::{Algorithm, Digest};
use crate::document;
use crate::draft::{Draft, Outcome, Part};
use crate::error::OpenError;
use crate::image::{Image, Manifest, ManifestKind, Origin};
use crate::media_type;
use crate::platform_filter::key;

/// Merges what several archives hold into one index: one entry for each platform, what is an index itself
/// taken apart, attestations after the images. The result does not depend on the archives' order.
///
/// # Errors
///
/// If two different images are for the same platform, or one does not tell its platform.
pub fn merge(contents: Vec<Content>) -> Result<Content, OpenError> {
    let mut contents = contents;
    if contents.len() == 1
        && let Some(only) = contents.pop()
    {
        return Ok(only);
    }
    let mut draft = Draft {
        parts: Vec::new(),
        outcome: Outcome::Merged,
        layers: Vec::new(),
        annotations: Vec::new(),
        names: Vec::new(),
        notices: Vec::new(),
        origin: Origin::default(),
    };
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    for content in contents {
        match content {
            Content::Image(image) => {
                draft.notices.extend(image.notices.iter().cloned());
                draft.parts.push(Part::Finished(image));
            }
            Content::Draft(one) => {
                draft.notices.extend(one.notices);
                draft.parts.extend(one.parts);
                let layers = one.layers.into_iter();
                draft
                    .layers
                    .extend(layers.filter(|layer| seen.insert(layer.diff_id.clone())));
            }
        }
    }
    check_platforms(&draft.parts)?;
    if draft.layers.is_empty() && draft.diff_ids().is_empty() {
        return Ok(Content::Image(Box::new(draft.finish(&BTreeMap::new())?)));
    }
    Ok(Content::Draft(Box::new(draft)))
}

/// Finds out before anything is compressed what would be found at the end.
fn check_platforms(parts: &[Part]) -> Result<(), OpenError> {
    let mut seen = BTreeMap::new();
    for part in parts {
        let found: Vec<(Option<&Platform>, &Digest)> = match part {
            Part::Finished(image) if image.root.kind != ManifestKind::Index => {
                vec![(image.root.platform(), &image.root.descriptor.digest)]
            }
            Part::Finished(image) => images_of(image)
                .map(|manifest| (manifest.platform(), &manifest.descriptor.digest))
                .collect(),
            Part::Unfinished(draft) => {
                vec![(draft.platform.as_ref(), &draft.config.descriptor.digest)]
            }
        };
        for (platform, digest) in found {
            let Some(platform) = platform else {
                return Err(no_platform(digest));
            };
            match seen.insert(key(platform), digest) {
                Some(other) if other != digest => return Err(conflict(platform, other, digest)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The images that stand in the index which an image is.
fn images_of(image: &Image) -> impl Iterator<Item = &Manifest> {
    let images = image.manifests.iter();
    images.filter(|manifest| manifest.kind == ManifestKind::Image && manifest.subject.is_none())
}

fn no_platform(digest: &Digest) -> OpenError {
    OpenError::invalid(
        format!("image {digest}"),
        "it names no platform, and can be no part of an index of platforms",
    )
}

fn conflict(platform: &Platform, first: &Digest, second: &Digest) -> OpenError {
    OpenError::invalid(
        "the images cannot be merged",
        format!("two of them are for {platform}: {first} and {second}"),
    )
}

/// An entry of the new index.
struct Entry {
    json: Value,
    platform: Option<Platform>,
    digest: Digest,
}

/// Merges finished images.
pub(crate) fn merge_images(images: Vec<Image>) -> Result<Image, OpenError> {
    let mut collected = Collected::default();
    let mut manifests: Vec<Manifest> = Vec::new();
    let mut merged = Image::empty();
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    for image in images {
        let by_digest: BTreeMap<&Digest, &Manifest> = image
            .manifests
            .iter()
            .map(|manifest| (&manifest.descriptor.digest, manifest))
            .collect();
        collected.add(&image.root, &by_digest)?;
        merged.notices.extend(image.notices);
        merged.blobs.extend(image.blobs);
        merged.referrers.extend(image.referrers);
        let kept = image.manifests.into_iter();
        let kept = kept.filter(|manifest| manifest.kind != ManifestKind::Index);
        manifests.extend(kept.filter(|one| seen.insert(one.descriptor.digest.clone())));
    }
    let mut known = BTreeSet::new();
    merged
        .blobs
        .retain(|blob| known.insert(blob.descriptor.digest.clone()));
    merged
        .referrers
        .retain(|one| seen.insert(one.descriptor.digest.clone()));
    let Collected {
        mut entries,
        mut others,
        ..
    } = collected;
    put_in_order(&mut entries);
    for pair in entries.windows(2) {
        if let [first, second] = pair
            && let (Some(one), Some(other)) = (&first.platform, &second.platform)
            && key(one) == key(other)
        {
            return Err(conflict(one, &first.digest, &second.digest));
        }
    }
    put_in_order(&mut others);
    merged.platforms = entries
        .iter()
        .filter_map(|entry| entry.platform.clone())
        .collect();
    let all: Vec<Entry> = entries.into_iter().chain(others).collect();
    merged.root = index(all, &manifests)?;
    manifests.push(merged.root.clone());
    merged.manifests = manifests;
    Ok(merged)
}

/// An order of its own, so that the digest does not depend on the order of the command line; of entries
/// that describe one manifest for one platform, always the same one stays.
fn put_in_order(entries: &mut Vec<Entry>) {
    entries.sort_by_cached_key(|entry| {
        let platform = entry.platform.as_ref().map(key);
        (platform, entry.digest.clone(), entry.json.to_string())
    });
    entries.dedup_by(|one, other| one.digest == other.digest);
}

/// The entries of the new index.
#[derive(Default)]
struct Collected {
    entries: Vec<Entry>,
    /// What is about the images.
    others: Vec<Entry>,
    /// The indexes that were taken apart; one may be listed many times.
    indexes: BTreeSet<Digest>,
}

impl Collected {
    /// Adds what `manifest` contributes: itself, or what it lists.
    fn add(
        &mut self,
        manifest: &Manifest,
        by_digest: &BTreeMap<&Digest, &Manifest>,
    ) -> Result<(), OpenError> {
        let digest = &manifest.descriptor.digest;
        if manifest.kind != ManifestKind::Index {
            let json = json!({
                "mediaType": manifest.descriptor.media_type,
                "digest": digest.to_string(),
                "size": manifest.descriptor.size,
            });
            return self.add_image(json, manifest);
        }
        if !self.indexes.insert(digest.clone()) {
            return Ok(());
        }
        let document = document::parse_object(manifest)?;
        let listed = document.get("manifests").and_then(Value::as_array);
        for json in listed.into_iter().flatten() {
            let digest: Option<Digest> = json["digest"].as_str().and_then(|text| text.parse().ok());
            let Some(child) = digest.and_then(|digest| by_digest.get(&digest)) else {
                continue;
            };
            let is_about_another =
                json["annotations"][REFERENCE_DIGEST].is_string() || child.subject.is_some();
            match child.kind {
                ManifestKind::Index => self.add(child, by_digest)?,
                ManifestKind::Image if !is_about_another => self.add_image(json.clone(), child)?,
                _ => self.others.push(Entry {
                    json: json.clone(),
                    platform: None,
                    digest: child.descriptor.digest.clone(),
                }),
            }
        }
        Ok(())
    }

    fn add_image(&mut self, json: Value, manifest: &Manifest) -> Result<(), OpenError> {
        let digest = manifest.descriptor.digest.clone();
        let platform = manifest.platform.clone();
        let platform = platform.ok_or_else(|| no_platform(&digest))?;
        self.entries.push(Entry {
            json: with_platform(json, &platform)?,
            platform: Some(platform),
            digest,
        });
        Ok(())
    }
}

/// An entry that says its platform, also where only the configuration did.
fn with_platform(mut json: Value, platform: &Platform) -> Result<Value, OpenError> {
    if json["platform"].is_null() {
        json["platform"] = serde_json::to_value(platform).map_err(|source| OpenError::Json {
            what: "the platform".to_owned(),
            source,
        })?;
    }
    Ok(json)
}

fn index(entries: Vec<Entry>, manifests: &[Manifest]) -> Result<Manifest, OpenError> {
    let children = entries.iter().map(|entry| entry.digest.clone()).collect();
    let list: Vec<Value> = entries.into_iter().map(|entry| entry.json).collect();
    let bytes = Bytes::from(document::write(&json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": list,
    }))?);
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let highest = manifests.iter().map(|manifest| manifest.level).max();
    Ok(Manifest {
        descriptor: Descriptor::new(media_type::OCI_INDEX, digest, bytes.len() as u64),
        bytes,
        kind: ManifestKind::Index,
        platform: None,
        children,
        references: Vec::new(),
        subject: None,
        level: highest.map_or(0, |level| level + 1),
    })
}
