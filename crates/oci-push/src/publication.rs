//! The walk of a push in one repository: blobs, then manifests children first, then tags, then a look at
//! what they name.
//!
//! Not one byte of a blob travels before a small authorised request has succeeded (the one that starts
//! the upload), and no tag moves before everything it names is stored.

mod claims;
mod guard;
mod lanes;
mod patience;
mod referrers;
mod transfer;
mod verification;
mod visibility;
mod width;

use std::sync::{Arc, Mutex, PoisonError};

use oci_archive::{Blob, Descriptor, Image, Manifest};
use oci_client::Reference;

use crate::auth::AuthTransport;
use crate::batch::Batch;
use crate::failure::Failure;
use crate::finishing::Finishing;
use crate::http::HttpTransport;
use crate::observer::Event;
use crate::options::{PushOptions, Verify};
use crate::pusher::Services;
use crate::report::{BlobCounts, PushReport, ReferenceStatus};
use crate::repository::{Contents, Named, Presence, RemoteManifest, Repository, tag_of};
use crate::retry::{RetryTransport, is_outage};

/// Small requests in flight at a time. They cost the registry little and the push a round trip each.
pub(crate) const CONTROL_WIDTH: usize = 16;

/// Blobs that are looked at or wait. They cost a little memory each.
const BLOBS_KNOWN: usize = 1024;

pub(crate) use claims::Claims;
pub(crate) use lanes::Lanes;
pub(crate) use transfer::Transferred;
pub(crate) use width::Slots;

pub(crate) type Chain = AuthTransport<Arc<RetryTransport<HttpTransport>>>;

/// One repository and the references in it.
pub(crate) struct Publication<'a> {
    pub(crate) repository: Arc<Repository<Chain>>,
    pub(crate) references: Vec<&'a Reference>,
    pub(crate) options: &'a PushOptions,
    pub(crate) services: &'a Services,
    /// Whether the machine has certificates of its own.
    pub(crate) system_roots: bool,
    pub(crate) lanes: Lanes,
    /// Other repositories of the registry's that may have blobs of the image.
    pub(crate) sources: Vec<String>,
    pub(crate) claims: Claims,
}

/// What each reference pointed to before the push.
type Before = Vec<Named>;

impl Publication<'_> {
    /// Publishes an image.
    pub(crate) async fn publish(
        &self,
        image: &Image,
        report: &mut PushReport,
    ) -> Result<(), Failure> {
        let sizes = image.blobs().iter().map(|blob| blob.descriptor.size);
        self.begin(image.blobs().len(), sizes.sum());
        let before = self.current_tags().await?;
        self.note_before(&before, report);
        let root = &image.root().descriptor().digest;
        self.spare_others(&before, Some(root)).await?;
        let is_there = |named: &Named| named.digest() == Some(root);
        if before.iter().all(is_there) && image.referrers().is_empty() {
            report.blobs.existing += image.blobs().len();
        } else {
            self.push_blobs(image.blobs(), &mut report.blobs).await?;
            self.push_children(image).await?;
        }
        self.put_tags(image, &before, report).await
    }

    /// Publishes what a draft becomes. If one of the tags names it already, nothing is compressed.
    pub(crate) async fn publish_draft(
        &self,
        finishing: &Finishing<'_>,
        report: &mut PushReport,
    ) -> Result<(), Failure> {
        let (known, layers) = (finishing.draft().blobs(), finishing.draft().layers());
        let sizes = known.iter().map(|blob| blob.descriptor.size);
        let in_archive = layers.iter().map(|layer| layer.source.len());
        self.begin(known.len() + layers.len(), sizes.chain(in_archive).sum());
        let found = self.current_manifests().await?;
        let (before, found): (Before, Vec<_>) = found.into_iter().unzip();
        self.note_before(&before, report);
        let mut there = found.iter().flatten();
        let recognised = there.find_map(|found| finishing.recognise(found));
        // Another image under the tag is known to be another one before anything is compressed, if it can be.
        let same = recognised
            .as_ref()
            .map(|image| &image.root().descriptor().digest);
        if finishing.draft().is_recognisable() {
            self.spare_others(&before, same).await?;
        }
        if let Some(image) = recognised {
            let stored = self.put_tags(&image, &before, report).await;
            // A manifest may be there without its blobs; then the image is made after all.
            if !stored.as_ref().is_err_and(visibility::is_lacking) {
                report
                    .blobs
                    .count(verification::sizes_in(image.root()).into_iter());
                report.blobs.existing += image.root().references().len();
                report.identify(&image);
                return stored;
            }
        }
        let mut counts = BlobCounts::default();
        // If one of them fails, the other is of no use any more.
        let outcome = tokio::try_join!(
            self.push_blobs(&known, &mut counts),
            finishing.finish_layers(self)
        );
        counts.add(&finishing.take_counts());
        report.blobs.add(&counts);
        let ((), layers) = outcome?;
        self.store_finished(finishing, layers, &before, report)
            .await
    }

    fn begin(&self, blobs: usize, bytes: u64) {
        if let Some(first) = self.references.first() {
            self.services.observer.observe(&Event::RepositoryStarted {
                repository: &format!("{}/{}", first.registry(), first.repository()),
                blobs,
                bytes,
            });
        }
    }

    fn note_before(&self, before: &Before, report: &mut PushReport) {
        for (reference, previous) in self.references.iter().zip(before) {
            let previous = previous.digest().cloned();
            report.update(reference, |entry| entry.previous.clone_from(&previous));
        }
    }

    /// Makes the references name the image, and sees that they do.
    async fn put_tags(
        &self,
        image: &Image,
        before: &Before,
        report: &mut PushReport,
    ) -> Result<(), Failure> {
        let root = image.root();
        let digest = &root.descriptor().digest;
        let mut moved = Vec::new();
        let mut failed = None;
        for (reference, previous) in self.references.iter().zip(before) {
            let unchanged = previous.digest() == Some(digest);
            report.update(reference, |entry| entry.digest = Some(digest.clone()));
            if !unchanged {
                match self.store(image, root, Some(tag_of(reference))).await {
                    Ok(_) => moved.push((*reference, previous)),
                    // The other tags may fare better.
                    Err(failure) if is_of_one_tag(&failure) => {
                        failed.get_or_insert(failure);
                        continue;
                    }
                    Err(failure) => return Err(failed.unwrap_or(failure)),
                }
            }
            let status = if unchanged {
                ReferenceStatus::Unchanged
            } else {
                ReferenceStatus::Pushed
            };
            report.update(reference, |entry| entry.status = status);
            self.services.observer.observe(&Event::ReferenceSettled {
                reference: &reference.to_string(),
                digest,
                unchanged,
            });
        }
        if self.options.verify != Verify::None && !moved.is_empty() {
            self.verify(root, &moved, report).await?;
        }
        if let Some(failure) = failed {
            return Err(failure);
        }
        if self.options.verify == Verify::Deep {
            self.verify_contents(image).await?;
        }
        Ok(())
    }

    /// Asks for all blobs and uploads the missing ones, longest first: a long one that starts last would
    /// keep the push waiting alone. The first upload does not wait for the last answer.
    async fn push_blobs(&self, blobs: &[Blob], counts: &mut BlobCounts) -> Result<(), Failure> {
        let mut ordered: Vec<&Blob> = blobs.iter().collect();
        ordered.sort_by_key(|blob| std::cmp::Reverse(blob.descriptor.size));
        let done = &Mutex::new(BlobCounts::default());
        let note = |change: &dyn Fn(&mut BlobCounts)| {
            change(&mut done.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let mut work = Batch::new();
        if ordered.len() > CONTROL_WIDTH {
            // Asked beside the first questions, it costs no time, and may spare the others.
            work.push(async {
                self.repository.look_for_contents().await;
                Ok(())
            });
        }
        for blob in ordered {
            work.push(async move {
                if self.has(blob).await? {
                    note(&|counts| counts.existing += 1);
                    return Ok(());
                }
                let how = self.transfer(blob).await?;
                note(&|counts| counts.transferred(how, blob.descriptor.size));
                Ok(())
            });
        }
        let outcome = work.run(BLOBS_KNOWN).await;
        // What went up before a failure is there, and is counted.
        counts.add(&done.lock().unwrap_or_else(PoisonError::into_inner));
        outcome.map(drop)
    }

    /// Whether the registry has a blob, as far as it says.
    pub(crate) async fn has(&self, blob: &Blob) -> Result<bool, Failure> {
        let presence = self.presence(blob).await?;
        Ok(is_there(presence))
    }

    /// What the registry says of a blob, which is not asked of a repository that did not exist.
    pub(crate) async fn presence(&self, blob: &Blob) -> Result<Presence, Failure> {
        // The semaphores are never closed.
        let permit = self.lanes.control.acquire().await.ok();
        let is_empty = self.repository.learned.contents() == Some(Contents::None);
        let presence = if is_empty {
            Presence::Absent
        } else {
            self.repository.presence(&blob.descriptor).await?
        };
        drop(permit);
        if is_there(presence) {
            self.claims.claimed(&blob.descriptor.digest);
        }
        self.note_checked(&blob.descriptor, is_there(presence));
        Ok(presence)
    }

    /// Whether the registry itself says that it has a blob. For one that cannot be sent from here, nothing
    /// less is enough.
    pub(crate) async fn confirms(&self, descriptor: &Descriptor) -> Result<bool, Failure> {
        let permit = self.lanes.control.acquire().await.ok();
        let exists = self.repository.presence(descriptor).await? == Presence::Confirmed;
        drop(permit);
        self.note_checked(descriptor, exists);
        Ok(exists)
    }

    fn note_checked(&self, descriptor: &Descriptor, exists: bool) {
        self.services.observer.observe(&Event::BlobChecked {
            digest: &descriptor.digest,
            size: descriptor.size,
            exists,
        });
    }

    /// Stores every manifest but the root, level by level: a registry refuses a manifest whose
    /// children it does not have. What is about the image comes last.
    async fn push_children(&self, image: &Image) -> Result<(), Failure> {
        let children = image.manifests().split_last().map(|(_, children)| children);
        let children = children.unwrap_or_default();
        let mut unlisted = self.push_manifests(image, children).await?;
        unlisted.extend(self.push_manifests(image, image.referrers()).await?);
        unlisted.retain(|one| referrers::is_looked_for(image, one));
        self.list_referrers(image, &unlisted).await?;
        self.tag_referrers(image).await
    }

    /// Stores manifests, and tells which of them the registry does not list as being about others.
    async fn push_manifests<'a>(
        &self,
        image: &Image,
        manifests: &'a [Manifest],
    ) -> Result<Vec<&'a Manifest>, Failure> {
        let mut unlisted = Vec::new();
        let highest = manifests.iter().map(Manifest::level).max().unwrap_or(0);
        for level in 0..=highest {
            let mut stored = Batch::new();
            for manifest in manifests
                .iter()
                .filter(|manifest| manifest.level() == level)
            {
                stored.push(async move {
                    let is_listed = self.store(image, manifest, None).await?;
                    let digest = &manifest.descriptor().digest;
                    self.services
                        .observer
                        .observe(&Event::ManifestStored { digest });
                    Ok((manifest, is_listed))
                });
            }
            let stored = stored.run(CONTROL_WIDTH).await?;
            let others = stored.into_iter().filter(|(_, is_listed)| !is_listed);
            unlisted.extend(others.map(|(manifest, _)| manifest));
        }
        Ok(unlisted)
    }

    /// What each reference's tag points to now.
    pub(crate) async fn current_tags(&self) -> Result<Before, Failure> {
        let mut questions = Batch::new();
        for (position, reference) in self.references.iter().enumerate() {
            questions.push(async move {
                let digest = self.repository.tag(tag_of(reference)).await?;
                Ok((position, digest))
            });
        }
        in_order(questions).await
    }

    /// The same with the manifests themselves.
    pub(crate) async fn current_manifests(
        &self,
    ) -> Result<Vec<(Named, Option<RemoteManifest>)>, Failure> {
        let mut questions = Batch::new();
        for (position, reference) in self.references.iter().enumerate() {
            questions.push(async move {
                let manifest = self.repository.manifest(tag_of(reference)).await?;
                Ok((position, manifest))
            });
        }
        in_order(questions).await
    }
}

/// Whether a blob need not be sent, by what the registry says of it.
pub(crate) fn is_there(presence: Presence) -> bool {
    matches!(presence, Presence::Confirmed | Presence::Elsewhere)
}

/// Whether a failure to set one tag says nothing about the others. A credential that is refused, a limit and an outage
/// are the whole registry's: they have been waited out as long as they may be.
fn is_of_one_tag(failure: &Failure) -> bool {
    failure.rejection().is_some_and(|rejection| {
        let status = rejection.status.as_u16();
        status != 401 && !is_outage(status) && !rejection.is_rate_limit()
    })
}

/// The answers to small questions, in the order of the questions.
async fn in_order<T>(questions: Batch<'_, (usize, T)>) -> Result<Vec<T>, Failure> {
    let mut answers = questions.run(CONTROL_WIDTH).await?;
    answers.sort_by_key(|(position, _)| *position);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}
