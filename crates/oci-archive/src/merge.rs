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
use crate::image::{Image, Manifest, ManifestKind, Origin, Provenance};
use crate::media_type;
use crate::platform_filter::key;
use crate::referrers;

/// Merges what several archives hold into one index: one entry for each platform, what is an index itself
/// taken apart, attestations after the images. The result does not depend on the archives' order.
///
/// The index is new, since no archive holds it; the manifests that it lists are not touched.
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
    check_platforms(&contents)?;
    let mut draft = Draft {
        parts: Vec::new(),
        outcome: Outcome::Merged,
        layers: Vec::new(),
        annotations: Vec::new(),
        names: Vec::new(),
        notices: Vec::new(),
        origin: Origin::default(),
        changes: Vec::new(),
    };
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    for content in contents {
        let archive = name_of(&content);
        let changes = content.changes().iter();
        draft.changes.extend(changes.map(|change| match &archive {
            Some(archive) => format!("{archive}: {change}"),
            None => change.clone(),
        }));
        match content {
            Content::Image(mut image) => {
                // What is about an index that is taken apart is about nothing that is published.
                referrers::prune(&mut image, |one| one.kind != ManifestKind::Index);
                draft.notices.append(&mut image.notices);
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
    if draft.layers.is_empty() && draft.diff_ids().is_empty() {
        return Ok(Content::Image(Box::new(draft.finish(&BTreeMap::new())?)));
    }
    Ok(Content::Draft(Box::new(draft)))
}

/// What messages call the archive that something comes from.
fn name_of(content: &Content) -> Option<String> {
    content.origin().archive.clone()
}

/// Finds out before anything is compressed what would be found at the end, and in which archives.
fn check_platforms(contents: &[Content]) -> Result<(), OpenError> {
    let mut seen: BTreeMap<_, (Digest, Option<String>)> = BTreeMap::new();
    for content in contents {
        let archive = name_of(content);
        for (platform, digest) in images_in(content, archive.as_deref())? {
            let found = (digest, archive.clone());
            match seen.insert(key(&platform), found.clone()) {
                Some(other) if other.0 != found.0 => {
                    return Err(conflict(&platform, &other, &found));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The images that something contributes to an index, with their platforms.
fn images_in(
    content: &Content,
    archive: Option<&str>,
) -> Result<Vec<(Platform, Digest)>, OpenError> {
    let parts = match content {
        Content::Image(image) => return entries_in(image, archive),
        Content::Draft(draft) => &draft.parts,
    };
    let mut found = Vec::new();
    for part in parts {
        match part {
            Part::Finished(image) => found.extend(entries_in(image, archive)?),
            Part::Unfinished(draft) => {
                let digest = &draft.config.descriptor.digest;
                let platform = draft.platform.clone();
                let platform = platform.ok_or_else(|| no_platform(digest, archive))?;
                found.push((platform, digest.clone()));
            }
        }
    }
    Ok(found)
}

fn entries_in(image: &Image, archive: Option<&str>) -> Result<Vec<(Platform, Digest)>, OpenError> {
    let mut collected = Collected {
        archive: archive.map(str::to_owned),
        ..Collected::default()
    };
    collected.add_image_with_all(image)?;
    let entries = collected.entries.into_iter();
    Ok(entries
        .filter_map(|entry| Some((entry.platform?, entry.digest)))
        .collect())
}

fn no_platform(digest: &Digest, archive: Option<&str>) -> OpenError {
    OpenError::invalid(
        match archive {
            Some(archive) => format!("image {digest} in {archive}"),
            None => format!("image {digest}"),
        },
        "it names no platform, and can be no part of an index of platforms",
    )
}

/// Two images for one platform, each with its archive.
fn conflict(
    platform: &Platform,
    first: &(Digest, Option<String>),
    second: &(Digest, Option<String>),
) -> OpenError {
    let described = |(digest, archive): &(Digest, Option<String>)| match archive {
        Some(archive) => format!("{digest} in {archive}"),
        None => digest.to_string(),
    };
    let (first, second) = (described(first), described(second));
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
        collected.add_image_with_all(&image)?;
        merged.notices.extend(image.notices);
        merged.blobs.extend(image.blobs);
        merged.referrers.extend(image.referrers);
        merged.referrer_tags.extend(image.referrer_tags);
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
    merged.referrer_tags.sort();
    merged.referrer_tags.dedup();
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
            let [first, second] = [first, second].map(|entry| (entry.digest.clone(), None));
            return Err(conflict(one, &first, &second));
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
    entries.dedup_by(|one, other| {
        let platform = |entry: &Entry| entry.platform.as_ref().map(key);
        one.digest == other.digest && platform(one) == platform(other)
    });
}

/// The entries of the new index.
#[derive(Default)]
struct Collected {
    entries: Vec<Entry>,
    /// What is about the images.
    others: Vec<Entry>,
    /// The indexes that were taken apart; one may be listed many times.
    indexes: BTreeSet<Digest>,
    /// The archive that they come from, where there is one only.
    archive: Option<String>,
}

impl Collected {
    /// Adds what `image` contributes.
    fn add_image_with_all(&mut self, image: &Image) -> Result<(), OpenError> {
        let manifests = image.manifests.iter();
        let by_digest: BTreeMap<&Digest, &Manifest> = manifests
            .map(|manifest| (&manifest.descriptor.digest, manifest))
            .collect();
        self.add(&image.root, &by_digest)
    }

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
        // An index may list one manifest for several platforms.
        let listed = serde_json::from_value(json["platform"].clone()).ok();
        let listed = listed.filter(Platform::is_known);
        let platform = listed.or_else(|| manifest.platform.clone());
        let platform = platform.ok_or_else(|| no_platform(&digest, self.archive.as_deref()))?;
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
    let listed: Option<Platform> = serde_json::from_value(json["platform"].clone()).ok();
    if listed.is_none_or(|listed| listed.is_blank()) {
        json["platform"] = serde_json::to_value(platform).map_err(|source| OpenError::Json {
            what: "the platform".to_owned(),
            source,
        })?;
    }
    Ok(json)
}

fn index(entries: Vec<Entry>, manifests: &[Manifest]) -> Result<Manifest, OpenError> {
    let mut seen = BTreeSet::new();
    let children = entries.iter().map(|entry| entry.digest.clone());
    let children = children
        .filter(|child| seen.insert(child.clone()))
        .collect();
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
        provenance: Provenance::Merged,
    })
}
