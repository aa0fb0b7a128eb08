//! A look at what a push has left in the registry.

mod looks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use oci_archive::{Descriptor, Digest, Image, Manifest};
use oci_client::Reference;
use oci_client::manifest::{OciImageIndex, OciImageManifest};

use super::{CONTROL_WIDTH, Publication};
use crate::batch::Batch;
use crate::failure::Failure;
use crate::report::{PushReport, ReferenceStatus};
use crate::repository::Named;
use crate::retry::is_transient;
use crate::verify::Reader;
use looks::Looks;

impl Publication<'_> {
    /// Sees that the tags that were moved name the image, each with what it named before. One that does not keeps no
    /// other from being looked at; the failure is that of the first.
    pub(super) async fn verify(
        &self,
        root: &Manifest,
        moved: &[(&Reference, &Named)],
        report: &mut PushReport,
    ) -> Result<(), Failure> {
        let mut looks = Looks {
            publication: self,
            pushed: root,
            reader: self.reader().await?,
            patience: self.patience(),
        };
        let mut failed = None;
        for (reference, previous) in moved {
            match looks.until_shown(reference, previous).await {
                Ok(shown) => report.update(reference, |entry| entry.shown.clone_from(&shown)),
                Err(failure) => {
                    report.update(reference, |entry| entry.status = ReferenceStatus::Failed);
                    if !matches!(failure, Failure::NotPublished { .. }) {
                        return Err(failed.unwrap_or(failure));
                    }
                    failed.get_or_insert(failure);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Asks for everything that the image is made of, once more.
    pub(super) async fn verify_contents(&self, image: &Image) -> Result<(), Failure> {
        let asked = self.expect_contents(image).await;
        asked.map_err(|failure| {
            let is_outage = match &failure {
                Failure::Rejected(rejection) => {
                    is_transient(rejection.status.as_u16()) || rejection.is_rate_limit()
                }
                failure => matches!(failure, Failure::Unanswered(_)),
            };
            match self.references.first().filter(|_| is_outage) {
                Some(reference) => Failure::Unverified {
                    reference: reference.to_string(),
                    expected: image.root().descriptor().digest.clone(),
                    error: failure.into(),
                },
                None => failure,
            }
        })
    }

    async fn expect_contents(&self, image: &Image) -> Result<(), Failure> {
        let mut questions = Batch::new();
        let mut asked: BTreeSet<Digest> = BTreeSet::new();
        // Also those that were not read here, because the registry had them.
        let manifests = || image.manifests().iter().chain(image.referrers());
        let named = manifests().flat_map(blobs_in);
        let kept = image.blobs().iter().map(|blob| blob.descriptor.clone());
        for blob in kept
            .chain(named)
            .filter(|blob| asked.insert(blob.digest.clone()))
        {
            questions.push(async move { self.repository.expect_blob(&blob).await });
        }
        questions.run(CONTROL_WIDTH).await?;
        let mut questions = Batch::new();
        for manifest in manifests() {
            questions.push(async move { self.repository.expect_manifest(manifest).await });
        }
        questions.run(CONTROL_WIDTH).await.map(drop)
    }

    /// oci-client, with the push's own token, so that it need not fetch one. `None` where there are no
    /// certificates, as it ends the process there, and where the registry wants the credential itself: it
    /// would follow a challenge that `origin.rs` does not trust.
    async fn reader(&self) -> Result<Option<Reader>, Failure> {
        let transport = self.repository.transport();
        if !self.system_roots || transport.is_basic().await {
            return Ok(None);
        }
        let bearer = transport.bearer().await;
        let tally = Arc::clone(&self.services.tally);
        Reader::new(self.options.plain_http, bearer.as_ref(), tally).map(Some)
    }
}

/// The blobs that an image's manifest names and that registries are meant to hold.
fn blobs_in(manifest: &Manifest) -> Vec<Descriptor> {
    let read: Option<OciImageManifest> = serde_json::from_slice(manifest.bytes()).ok();
    let named = read
        .into_iter()
        .flat_map(|read| std::iter::once(read.config).chain(read.layers));
    let held = named.filter(|blob| blob.urls.as_ref().is_none_or(Vec::is_empty));
    held.filter_map(|blob| {
        let size = u64::try_from(blob.size).ok()?;
        Some(Descriptor::new(
            blob.media_type,
            blob.digest.parse().ok()?,
            size,
        ))
    })
    .collect()
}

/// The manifests that an index names.
pub(super) fn children_in(manifest: &Manifest) -> Vec<Digest> {
    let read: Option<OciImageIndex> = serde_json::from_slice(manifest.bytes()).ok();
    let named = read.into_iter().flat_map(|read| read.manifests);
    named
        .filter_map(|child| child.digest.parse().ok())
        .collect()
}

/// The sizes of the blobs that a manifest names, which need not be in the archive in that form.
pub(super) fn sizes_in(manifest: &Manifest) -> Vec<u64> {
    let sizes: BTreeMap<Digest, u64> = blobs_in(manifest)
        .into_iter()
        .map(|blob| (blob.digest, blob.size))
        .collect();
    sizes.into_values().collect()
}
