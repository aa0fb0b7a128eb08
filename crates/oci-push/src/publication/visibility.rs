//! Manifests stored in registries that do not see at once what they have confirmed, or that have lost it.

use std::collections::BTreeSet;
use std::time::Duration;

use oci_archive::{Blob, Digest, FinishedLayers, Image, Manifest};

use super::{Before, Publication};
use crate::failure::{Failure, ViolationKind};
use crate::finishing::Finishing;
use crate::observer::Event;
use crate::report::PushReport;
use crate::step::Step;

/// When to send a manifest again whose blobs the registry does not see yet.
const VISIBLE_AFTER: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

impl Publication<'_> {
    /// Stores a manifest. A registry that does not see yet what it has confirmed is given some time, and
    /// then what it asks for once more (<https://github.com/oras-project/oras-go/pull/1212>). Tells whether
    /// the registry lists it itself as being about another one.
    pub(super) async fn store(
        &self,
        image: &Image,
        manifest: &Manifest,
        tag: Option<&str>,
    ) -> Result<bool, Failure> {
        let mut waits = VISIBLE_AFTER.into_iter();
        let mut sent_again: BTreeSet<&Digest> = BTreeSet::new();
        loop {
            let failure = match self.repository.put_manifest(manifest, tag).await {
                Ok(is_listed) => return Ok(is_listed),
                Err(failure) => failure,
            };
            let Some(missing) = missing(&failure, image, manifest) else {
                return Err(failure);
            };
            // What was never sent from here does not show by waiting either.
            if names_other(&failure, image, manifest) {
                return Err(failure);
            }
            if let Some(wait) = waits.next() {
                self.wait_for_visibility(&failure, wait).await;
                continue;
            }
            // Registries name one at a time.
            let again = missing
                .into_iter()
                .filter(|blob| !sent_again.contains(&blob.descriptor.digest));
            let again: Vec<&Blob> = again.collect();
            if again.is_empty() {
                return Err(failure);
            }
            for blob in again {
                self.upload(blob).await?;
                sent_again.insert(&blob.descriptor.digest);
            }
        }
    }

    /// Stores the image that `layers` make, under all references. A layer that was taken for known, and that
    /// the registry turns out to lack, is made and sent, and everything is stored once more.
    pub(super) async fn store_finished(
        &self,
        finishing: &Finishing<'_>,
        mut layers: FinishedLayers,
        before: &Before,
        report: &mut PushReport,
    ) -> Result<(), Failure> {
        let mut is_told = false;
        loop {
            let image = finishing.assemble(&layers)?;
            // It need not be the one behind the tag that was recognised.
            self.spare_others(before, Some(&image.root().descriptor().digest))
                .await?;
            let mut stored = self.push_children(&image).await;
            if stored.is_ok() {
                stored = self.put_tags(&image, before, report).await;
            }
            if let Err(failure) = &stored {
                let remade = self.remake(finishing, &mut layers, failure, is_told);
                let remade = remade.await?;
                if remade > 0 {
                    is_told = true;
                    report.blobs.existing -= remade;
                    report.blobs.add(&finishing.take_counts());
                    continue;
                }
            }
            let known = finishing.draft().blobs();
            let sizes = known.iter().map(|blob| blob.descriptor.size);
            let finished = layers.values().map(|layer| layer.descriptor.size);
            report.blobs.count(sizes.chain(finished));
            report.identify(&image);
            return stored;
        }
    }

    /// Makes and sends the layers that were taken for known and that the registry lacks, by what `failure`
    /// says; all that were taken so, if it names none. Registries name one at a time, so that they are all
    /// made once a second one is named. Tells how many they were.
    async fn remake(
        &self,
        finishing: &Finishing<'_>,
        layers: &mut FinishedLayers,
        failure: &Failure,
        is_told: bool,
    ) -> Result<usize, Failure> {
        let Some(lacking) = Lacking::of(failure) else {
            return Ok(0);
        };
        let unproven = layers.iter().filter(|(_, layer)| layer.source.is_none());
        let unproven: Vec<(&Digest, bool)> = unproven
            .map(|(diff_id, layer)| (diff_id, lacking.names(&layer.descriptor.digest)))
            .collect();
        let is_named = unproven.iter().any(|(_, is_named)| *is_named);
        if !is_named && lacking.names_something() {
            return Ok(0);
        }
        let wanted: BTreeSet<Digest> = unproven
            .into_iter()
            .filter(|(_, named)| *named || !is_named || is_told)
            .map(|(diff_id, _)| diff_id.clone())
            .collect();
        if wanted.is_empty() {
            return Ok(0);
        }
        let cause = "the registry lacks layers that it was known to have";
        self.note_retry(failure, cause, Duration::ZERO);
        layers.extend(finishing.make_layers(self, &wanted).await?);
        Ok(wanted.len())
    }

    async fn wait_for_visibility(&self, failure: &Failure, wait: Duration) {
        let cause = "the registry does not see yet what it has stored";
        self.note_retry(failure, cause, wait);
        self.services.clock.sleep(wait).await;
    }

    fn note_retry(&self, failure: &Failure, cause: &'static str, wait: Duration) {
        self.services.tally.count_retry();
        self.services.observer.observe(&Event::Retrying {
            step: failure.step().unwrap_or(Step::PutManifest),
            digest: None,
            cause,
            wait,
            attempt: 1,
        });
    }
}

/// Whether a failure says that the registry lacks something that a manifest names.
pub(super) fn is_lacking(failure: &Failure) -> bool {
    Lacking::of(failure).is_some()
}

/// What a registry says that it lacks.
struct Lacking(Vec<String>);

impl Lacking {
    fn of(failure: &Failure) -> Option<Self> {
        if let Failure::Violation(violation) = failure {
            return match &violation.kind {
                ViolationKind::BlobNotStored(digest) => Some(Self(vec![digest.to_string()])),
                _ => None,
            };
        }
        let rejection = failure.rejection()?;
        let is_unknown = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"]
            .iter()
            .any(|code| rejection.has_code(code));
        if !is_unknown || !matches!(rejection.status.as_u16(), 400 | 404 | 422) {
            return None;
        }
        let texts = rejection.errors.iter().map(|error| {
            let detail = error.detail.as_deref().unwrap_or_default();
            format!("{} {detail}", error.message)
        });
        Some(Self(texts.collect()))
    }

    fn names(&self, digest: &Digest) -> bool {
        let digest = digest.to_string();
        self.0.iter().any(|text| text.contains(&digest))
    }

    fn names_something(&self) -> bool {
        let has = |algorithm: &str| self.0.iter().any(|text| text.contains(algorithm));
        has("sha256:") || has("sha512:")
    }
}

/// The blobs that a registry says it lacks, all of the manifest's if it does not say which; `None` if the
/// failure is another one.
fn missing<'a>(failure: &Failure, image: &'a Image, manifest: &Manifest) -> Option<Vec<&'a Blob>> {
    let lacking = Lacking::of(failure)?;
    let own: Vec<&Blob> = image
        .blobs()
        .iter()
        .filter(|blob| manifest.references().contains(&blob.descriptor.digest))
        .collect();
    let named = own.iter().copied();
    let named: Vec<&Blob> = named
        .filter(|blob| lacking.names(&blob.descriptor.digest))
        .collect();
    Some(if named.is_empty() { own } else { named })
}

/// Whether a registry lacks one of the manifest's blobs whose bytes are not here.
fn names_other(failure: &Failure, image: &Image, manifest: &Manifest) -> bool {
    let Some(lacking) = Lacking::of(failure) else {
        return false;
    };
    let here = |digest: &Digest| {
        let mut blobs = image.blobs().iter();
        blobs.any(|blob| blob.descriptor.digest == *digest)
    };
    let mut named = manifest.references().iter();
    named.any(|digest| lacking.names(digest) && !here(digest))
}
