//! From a root descriptor to everything below it: manifests verified and kept byte for byte, blobs
//! located and measured. No blob is read but the small configurations that tell a platform.

mod absence;
mod referrers;

use std::collections::{BTreeMap, BTreeSet};

use crate::annotate::REFERENCE_DIGEST;
use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::document::{self, Document, MANIFEST_LIMIT, Written, describe, size_mismatch};
use crate::error::OpenError;
use crate::image::{Blob, Image, Manifest, ManifestKind, Notice, Origin, Provenance};
use crate::media_type;
use crate::presence;
use crate::referrers::Referrer;
use absence::Absences;

/// Indexes within indexes. Docker 29 nests two levels; nobody is known to nest more than five.
pub(crate) const DEEPEST: usize = 16;

/// Manifests of one image. An index of 4 `MiB` cannot list more than some 20,000.
const MOST_MANIFESTS: usize = 20_000;

/// All manifests of one image together, which are kept in memory. Real ones are a few `KiB` each.
const MOST_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// Collects everything below `root`, and, of `candidates`, what is about it. `of_index` says that the root
/// was chosen out of an index.
pub(crate) fn walk(
    container: &Container,
    written: &Written,
    root: &Descriptor,
    candidates: &[&Referrer],
    of_index: bool,
) -> Result<Image, OpenError> {
    let mut walk = Walk {
        container,
        written,
        manifests: Vec::new(),
        manifest_bytes: 0,
        levels: BTreeMap::new(),
        blobs: Vec::new(),
        located: BTreeMap::new(),
        platform_of: BTreeMap::new(),
        listed_for: BTreeMap::new(),
        listed_once: BTreeSet::new(),
        referrer_tags: Vec::new(),
        absent: BTreeMap::new(),
        notices: Vec::new(),
    };
    walk.visit(root, &Siblings::new(), 0)?;
    let last = walk.manifests.last().cloned();
    let Some(found) = last.as_ref().filter(|_| walk.absent.is_empty()) else {
        return Err(absence::incomplete(
            container,
            root,
            last.as_ref(),
            walk.absent,
            of_index,
        ));
    };
    let own = walk.manifests.len();
    walk.visit_referrers(candidates)?;
    if walk.absent.is_empty() {
        Ok(walk.into_image(found.clone(), own))
    } else {
        Err(absence::incomplete(
            container,
            root,
            None,
            walk.absent,
            of_index,
        ))
    }
}

/// The manifests of the index that is visited, by digest.
type Siblings<'a> = BTreeMap<&'a Digest, &'a Descriptor>;

struct Walk<'a> {
    container: &'a Container,
    written: &'a Written,
    /// In the order in which they can be published.
    manifests: Vec<Manifest>,
    manifest_bytes: u64,
    /// The level of every manifest visited.
    levels: BTreeMap<Digest, usize>,
    blobs: Vec<Blob>,
    /// The size of every blob named, and whether it is in the archive.
    located: BTreeMap<Digest, (u64, bool)>,
    /// What each configuration that was read says; many manifests may name one.
    platform_of: BTreeMap<Digest, Option<Platform>>,
    /// The platforms for which indexes list a manifest, in their order. One may be for several.
    listed_for: BTreeMap<Digest, Vec<Platform>>,
    listed_once: BTreeSet<(Digest, Platform)>,
    /// Tags that referrers must have.
    referrer_tags: Vec<(String, Digest)>,
    absent: Absences,
    notices: Vec<Notice>,
}

impl Walk<'_> {
    /// The image of which `root` is the root and the first `own` manifests are parts; the others are about
    /// it.
    fn into_image(mut self, root: Manifest, own: usize) -> Image {
        let referrers = self.manifests.split_off(own);
        let is_image = media_type::is_image_manifest(&root.descriptor.media_type);
        let mut platforms: Vec<Platform> = Vec::new();
        let mut seen = BTreeSet::new();
        for manifest in &self.manifests {
            let Some(own) = manifest.platform() else {
                continue;
            };
            let listed = self.listed_for.get(&manifest.descriptor.digest);
            for platform in listed.map_or(std::slice::from_ref(own), Vec::as_slice) {
                if seen.insert(platform) {
                    platforms.push(platform.clone());
                }
            }
        }
        Image {
            // An image manifest names its configuration first, and cannot be without.
            config_digest: root.references.first().filter(|_| is_image).cloned(),
            platforms,
            manifests: self.manifests,
            root,
            blobs: self.blobs,
            names: Vec::new(),
            notices: self.notices,
            referrers,
            referrer_tags: self.referrer_tags,
            origin: Origin::default(),
            changes: Vec::new(),
        }
    }

    /// Visits a manifest and all below it, once.
    fn visit(
        &mut self,
        descriptor: &Descriptor,
        siblings: &Siblings<'_>,
        depth: usize,
    ) -> Result<(), OpenError> {
        let digest = &descriptor.digest;
        if self.levels.contains_key(digest) || self.absent.contains_key(digest) {
            return Ok(());
        }
        let refused = |reason: &str| Err(OpenError::invalid(describe(digest), reason));
        if depth > DEEPEST {
            return refused("indexes are nested too deeply, the limit is 16");
        }
        if self.levels.len() + self.absent.len() >= MOST_MANIFESTS {
            return refused("there are too many manifests, the limit is 20000");
        }
        let Some((bytes, document)) = document::load(self.container, self.written, descriptor)?
        else {
            self.note_absence(descriptor, Vec::new());
            return Ok(());
        };
        self.manifest_bytes += descriptor.size;
        if self.manifest_bytes > MOST_MANIFEST_BYTES {
            return refused("the manifests are too large, the limit for all is 64 MiB");
        }
        let mut manifest = Manifest {
            descriptor: descriptor.clone(),
            bytes,
            kind: kind(descriptor, document.as_ref()),
            platform: None,
            children: Vec::new(),
            references: Vec::new(),
            subject: None,
            level: 0,
            provenance: if self.written.contains(digest) {
                Provenance::Changed
            } else {
                Provenance::Archive
            },
        };
        let mut below: BTreeSet<Digest> = described_by(descriptor).into_iter().collect();
        match document {
            Some(document) => {
                self.visit_below(&mut manifest, &document, siblings, depth)?;
                below.extend(manifest.children.iter().cloned());
                below.extend(manifest.subject.clone());
            }
            None => self.notices.push(Notice::UnknownManifest {
                digest: digest.clone(),
                media_type: descriptor.media_type.clone(),
            }),
        }
        let levels = below.iter().filter_map(|digest| self.levels.get(digest));
        manifest.level = levels.max().map_or(0, |highest| highest + 1);
        self.levels.insert(digest.clone(), manifest.level);
        self.manifests.push(manifest);
        Ok(())
    }

    /// Visits what a manifest names, and notes it in the manifest.
    fn visit_below(
        &mut self,
        manifest: &mut Manifest,
        document: &Document,
        siblings: &Siblings<'_>,
        depth: usize,
    ) -> Result<(), OpenError> {
        let children = document.manifests();
        self.visit_children(children, depth + 1)?;
        manifest.children = once_each(children.iter());
        if let Some(subject) = &document.subject {
            // What a manifest is about may come after it in the index, and need not be there.
            if let Some(sibling) = siblings.get(&subject.digest) {
                self.visit(sibling, siblings, depth + 1)?;
            }
            manifest.subject = Some(subject.digest.clone());
        }
        let blobs = || document.config.iter().chain(document.layers());
        manifest.references = once_each(blobs());
        let mut lacking = Vec::new();
        for blob in blobs() {
            if !self.locate(blob)? {
                lacking.push(blob.digest.clone());
            }
        }
        if !lacking.is_empty() {
            self.note_absence(&manifest.descriptor, lacking);
        } else if manifest.kind == ManifestKind::Image {
            manifest.platform = self.platform(&manifest.descriptor, document)?;
        }
        Ok(())
    }

    /// Visits an index's children, attestations after what they describe.
    fn visit_children(&mut self, children: &[Descriptor], depth: usize) -> Result<(), OpenError> {
        let siblings: Siblings<'_> = children.iter().map(|one| (&one.digest, one)).collect();
        for child in children {
            if let Some(platform) = child.told_platform().filter(|one| one.is_known()) {
                let listing = (child.digest.clone(), platform.clone());
                if self.listed_once.insert(listing) {
                    let listed = self.listed_for.entry(child.digest.clone());
                    listed.or_default().push(platform.clone());
                }
            }
        }
        let describes = |child: &&Descriptor| described_by(child).is_some();
        let others = children.iter().filter(|child| !describes(child));
        for child in others.chain(children.iter().filter(describes)) {
            self.visit(child, &siblings, depth)?;
        }
        Ok(())
    }

    /// Finds a blob and checks its size; `false` if it should be in the archive and is not.
    fn locate(&mut self, descriptor: &Descriptor) -> Result<bool, OpenError> {
        let digest = &descriptor.digest;
        let mismatch = |found| {
            Err(OpenError::invalid(
                format!("blob {digest}"),
                size_mismatch(descriptor.size, found),
            ))
        };
        let may_be_absent = may_be_absent(descriptor);
        if let Some((size, is_present)) = self.located.get(digest) {
            return if *size == descriptor.size {
                Ok(*is_present || may_be_absent)
            } else {
                mismatch(*size)
            };
        }
        let source = presence::blob(self.container, descriptor)?;
        self.located
            .insert(digest.clone(), (descriptor.size, source.is_some()));
        match source {
            Some(source) if source.len() != descriptor.size => mismatch(source.len()),
            Some(source) => {
                self.blobs.push(Blob::new(descriptor.clone(), source));
                Ok(true)
            }
            None if may_be_absent => {
                self.notices.push(Notice::LayerLeftOut(digest.clone()));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// An image's platform: what its descriptor says, else what its configuration says.
    fn platform(
        &mut self,
        descriptor: &Descriptor,
        document: &Document,
    ) -> Result<Option<Platform>, OpenError> {
        let platform = match (descriptor.told_platform(), &document.config) {
            (Some(platform), _) => Some(platform.clone()),
            (None, Some(config)) => self.configured_platform(config)?,
            (None, None) => None,
        };
        Ok(platform.filter(Platform::is_known))
    }

    fn configured_platform(&mut self, config: &Descriptor) -> Result<Option<Platform>, OpenError> {
        if let Some(known) = self.platform_of.get(&config.digest) {
            return Ok(known.clone());
        }
        let platform = platform_in(self.container, config)?;
        self.platform_of
            .insert(config.digest.clone(), platform.clone());
        Ok(platform)
    }
}

/// An artifact's configuration may be anything, so one that is no image configuration is no error.
fn platform_in(container: &Container, config: &Descriptor) -> Result<Option<Platform>, OpenError> {
    if config.size > MANIFEST_LIMIT {
        return Ok(None);
    }
    let bytes = container.read_blob(&config.digest, MANIFEST_LIMIT)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// What the configuration says that a manifest names.
pub(crate) fn configured_platform(
    container: &Container,
    written: &Written,
    manifest: &Descriptor,
) -> Result<Option<Platform>, OpenError> {
    let loaded = document::load(container, written, manifest)?;
    match loaded.and_then(|(_, document)| document?.config) {
        Some(config) => platform_in(container, &config),
        None => Ok(None),
    }
}

/// Whether an archive may lack a blob. Registries take a manifest whose blob they lack only if it says
/// where else the blob is
/// (<https://github.com/distribution/distribution/blob/main/registry/storage/schema2manifesthandler.go>).
pub(crate) fn may_be_absent(blob: &Descriptor) -> bool {
    media_type::is_non_distributable(&blob.media_type) && !blob.urls.is_empty()
}

fn once_each<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Vec<Digest> {
    let mut seen = BTreeSet::new();
    let digests = descriptors.map(|descriptor| &descriptor.digest);
    digests
        .filter(|digest| seen.insert(*digest))
        .cloned()
        .collect()
}

fn kind(descriptor: &Descriptor, document: Option<&Document>) -> ManifestKind {
    let Some(document) = document else {
        return ManifestKind::Other;
    };
    let is_attestation = described_by(descriptor).is_some()
        || document.artifact_type.as_deref() == Some(media_type::DOCKER_ATTESTATION);
    if media_type::is_index(&descriptor.media_type) {
        ManifestKind::Index
    } else if is_attestation {
        ManifestKind::Attestation
    } else {
        ManifestKind::Image
    }
}

/// The manifest that an attestation in an index is about
/// (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>).
pub(crate) fn described_by(descriptor: &Descriptor) -> Option<Digest> {
    descriptor.annotation(REFERENCE_DIGEST)?.parse().ok()
}
