//! Manifests stored in registries that do not see at once what they have confirmed.

use std::collections::BTreeSet;
use std::time::Duration;

use oci_archive::{Blob, Digest, Image, Manifest};

use super::Publication;
use crate::failure::Failure;
use crate::observer::Event;
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

    async fn wait_for_visibility(&self, failure: &Failure, wait: Duration) {
        self.services.tally.count_retry();
        self.services.observer.observe(&Event::Retrying {
            step: failure.step().unwrap_or(Step::PutManifest),
            digest: None,
            cause: "the registry does not see yet what it has stored",
            wait,
            attempt: 1,
        });
        self.services.clock.sleep(wait).await;
    }
}

/// The blobs that a registry says it lacks, all of the manifest's if it does not say which; `None` if the
/// failure is another one.
fn missing<'a>(failure: &Failure, image: &'a Image, manifest: &Manifest) -> Option<Vec<&'a Blob>> {
    let rejection = failure.rejection()?;
    let is_unknown = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"]
        .iter()
        .any(|code| rejection.has_code(code));
    if !is_unknown || !matches!(rejection.status.as_u16(), 400 | 404 | 422) {
        return None;
    }
    let own: Vec<&Blob> = image
        .blobs()
        .iter()
        .filter(|blob| manifest.references().contains(&blob.descriptor.digest))
        .collect();
    let is_named = |blob: &&Blob| {
        let digest = blob.descriptor.digest.to_string();
        rejection.errors.iter().any(|error| {
            let detail = error.detail.as_deref().unwrap_or_default();
            error.message.contains(&digest) || detail.contains(&digest)
        })
    };
    let named: Vec<&Blob> = own.iter().copied().filter(is_named).collect();
    Some(if named.is_empty() { own } else { named })
}
