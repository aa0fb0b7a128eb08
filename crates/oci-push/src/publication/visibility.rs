//! Manifests stored in registries that do not see at once what they have confirmed, or that have lost it.

use std::collections::BTreeSet;
use std::time::Duration;

use oci_archive::{Blob, Digest, FinishedLayers, Image, Manifest};

use super::patience::Patience;
use super::{Before, Publication, verification};
use crate::failure::{Failure, ViolationKind};
use crate::finishing::Finishing;
use crate::observer::Event;
use crate::report::PushReport;
use crate::step::Step;

/// How long a registry may not see what it has confirmed.
const LAG: Duration = Duration::from_mins(2);

/// Refusals after which manifests that are named are sent again, which costs next to nothing.
const MANIFESTS_AFTER: u32 = 2;

/// Refusals after which blobs that are named are sent again: most show in less than the quarter of a minute that this
/// takes.
const BLOBS_AFTER: u32 = 6;

impl Publication<'_> {
    /// Stores a manifest. A registry that does not see yet what it has confirmed is given some time, and is sent
    /// what it asks for once more (<https://github.com/oras-project/oras-go/pull/1212>). Tells whether the registry
    /// lists it itself as being about another one.
    pub(super) async fn store(
        &self,
        image: &Image,
        manifest: &Manifest,
        tag: Option<&str>,
    ) -> Result<bool, Failure> {
        self.store_within(image, manifest, tag, &mut self.patience())
            .await
    }

    async fn store_within(
        &self,
        image: &Image,
        manifest: &Manifest,
        tag: Option<&str>,
        patience: &mut Patience,
    ) -> Result<bool, Failure> {
        let mut sent_again: BTreeSet<&Digest> = BTreeSet::new();
        let mut attempt = 0;
        loop {
            let failure = match self.repository.put_manifest(manifest, tag).await {
                Ok(is_listed) => return Ok(is_listed),
                Err(failure) => failure,
            };
            let Some(missing) = Missing::of(&failure, image, manifest) else {
                return Err(failure);
            };
            attempt += 1;
            let mut is_sent = false;
            // Registries name one at a time.
            if attempt >= MANIFESTS_AFTER {
                for child in missing.manifests {
                    if sent_again.insert(&child.descriptor().digest) {
                        // What it names may be lost with it.
                        Box::pin(self.store_within(image, child, None, patience)).await?;
                        is_sent = true;
                    }
                }
            }
            if attempt >= BLOBS_AFTER {
                for blob in missing.blobs {
                    if sent_again.insert(&blob.descriptor.digest) {
                        self.upload(blob).await?;
                        self.claims.sent(&blob.descriptor);
                        is_sent = true;
                    }
                }
            }
            if is_sent {
                continue;
            }
            if attempt > BLOBS_AFTER && !missing.is_whole {
                // It is the rest that the registry lacks.
                return Err(failure);
            }
            let clock = &*self.services.clock;
            let Some(wait) = patience.next(attempt, LAG, clock) else {
                return Err(outlasted(failure));
            };
            let cause = "the registry does not see yet what it has stored";
            self.note_retry(&failure, cause, wait, attempt);
            clock.sleep(wait).await;
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
        self.note_retry(failure, cause, Duration::ZERO, 1);
        layers.extend(finishing.make_layers(self, &wanted).await?);
        Ok(wanted.len())
    }

    fn note_retry(&self, failure: &Failure, cause: &'static str, wait: Duration, attempt: u32) {
        self.services.tally.count_retry();
        self.services.observer.observe(&Event::Retrying {
            step: failure.step().unwrap_or(Step::PutManifest),
            digest: None,
            cause,
            wait,
            attempt,
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
        if !rejection.is_lacking() {
            return None;
        }
        let texts = rejection.errors.iter().map(|error| {
            let detail = error.detail.as_deref().unwrap_or_default();
            format!("{} {detail}", error.message)
        });
        let body = rejection.body_excerpt.iter().cloned();
        Some(Self(texts.chain(body).collect()))
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

/// What a registry lacks of what a manifest names, and can be sent from here: what it says, all of it if it says
/// nothing.
struct Missing<'a> {
    blobs: Vec<&'a Blob>,
    manifests: Vec<&'a Manifest>,
    /// Whether all that the manifest names is here.
    is_whole: bool,
}

impl<'a> Missing<'a> {
    /// `None` if it lacks nothing, or something that is not here: what was never sent from here does not show by
    /// waiting either.
    fn of(failure: &Failure, image: &'a Image, manifest: &Manifest) -> Option<Self> {
        let lacking = Lacking::of(failure)?;
        let children = verification::children_in(manifest);
        let own: BTreeSet<&Digest> = manifest.references().iter().chain(&children).collect();
        let mut blobs: Vec<&Blob> = image.blobs().iter().collect();
        blobs.retain(|blob| own.contains(&blob.descriptor.digest));
        let all = image.manifests().iter().chain(image.referrers());
        let mut manifests: Vec<&Manifest> = all.collect();
        manifests.retain(|child| own.contains(&child.descriptor().digest));
        let blobs_here = blobs.iter().map(|blob| &blob.descriptor.digest);
        let manifests_here = manifests.iter().map(|child| &child.descriptor().digest);
        let here: BTreeSet<&Digest> = blobs_here.chain(manifests_here).collect();
        let elsewhere: Vec<&&Digest> = own.difference(&here).collect();
        if elsewhere.iter().any(|digest| lacking.names(digest)) {
            return None;
        }
        let is_whole = elsewhere.is_empty();
        if here.iter().any(|digest| lacking.names(digest)) {
            blobs.retain(|blob| lacking.names(&blob.descriptor.digest));
            manifests.retain(|child| lacking.names(&child.descriptor().digest));
        }
        Some(Self {
            blobs,
            manifests,
            is_whole,
        })
    }
}

/// A refusal that waiting did not end.
fn outlasted(failure: Failure) -> Failure {
    match failure {
        Failure::Rejected(mut rejection) => {
            rejection.has_outlasted = true;
            Failure::Rejected(rejection)
        }
        failure => failure,
    }
}
