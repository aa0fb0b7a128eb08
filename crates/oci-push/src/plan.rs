//! What a push would do, found out without doing it.

use std::collections::BTreeSet;

use oci_archive::{Blob, Digest, Draft, Image};
use oci_client::Reference;

use crate::batch::Batch;
use crate::failure::Failure;
use crate::finishing::Finishing;
use crate::publication::{CONTROL_WIDTH, Publication, is_there};
use crate::repository::{Named, Presence, tag_of};

/// What a push would do.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PushPlan {
    /// The digest that the references would name; `None` if layers would have to be compressed first.
    pub digest: Option<Digest>,
    /// Every reference, in the order given.
    pub references: Vec<PlannedReference>,
    /// Every repository to which something may be sent, in the order in which they were first named. One of which
    /// `no_clobber` refuses a tag is not among them: nothing would be sent to it.
    pub repositories: Vec<PlannedRepository>,
}

/// What would become of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlannedStatus {
    /// It would be set, or moved.
    Planned,
    /// It names the image already.
    Unchanged,
    /// It would not be pushed: it names something else, or another tag of its repository does, and `no_clobber`
    /// refuses that before anything is sent.
    Refused,
    /// It names something, or the registry does not tell what, and whether that is the image is only known once the
    /// layers are compressed: `no_clobber` decides then.
    Undecided,
}

impl PlannedStatus {
    /// The word in `--json` output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }
}

/// A reference, and what would become of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlannedReference {
    /// The reference.
    pub reference: Reference,
    /// What it names now.
    pub previous: Option<Digest>,
    /// Whether the registry does not tell what it names now.
    pub is_untold: bool,
    /// What would become of it.
    pub status: PlannedStatus,
}

/// What would be sent to a repository.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PlannedRepository {
    /// `host/owner/name`.
    pub name: String,
    /// Blobs that are there.
    pub existing: usize,
    /// Blobs that would be sent.
    pub missing: usize,
    /// How many of those the registry may have: it does not say.
    pub untold: usize,
    /// Why it does not say what it has, where it refuses to.
    pub refusal: Option<String>,
    /// The size of those, in bytes.
    pub missing_bytes: u64,
    /// Layers that would be compressed first, whose size afterwards is not known.
    pub uncompressed: usize,
    /// The size of those in the archive, in bytes.
    pub uncompressed_bytes: u64,
    /// Manifests that are about the image and would be stored beside it, and be listed under tags where the
    /// registry does not list them itself.
    pub referrers: usize,
}

/// A plan that lacks what could not be found out.
#[derive(Debug, thiserror::Error)]
#[error("what a push would do cannot be found out everywhere")]
pub struct PlanError {
    /// What could be found out.
    pub plan: PushPlan,
    /// Why the rest could not.
    #[source]
    pub failure: Failure,
}

impl Publication<'_> {
    /// Finds out what publishing an image would do.
    pub(crate) async fn plan(&self, image: &Image, plan: &mut PushPlan) -> Result<(), Failure> {
        let root = &image.root().descriptor().digest;
        let before = self.guarded(self.current_tags().await?).await?;
        plan.digest.get_or_insert_with(|| root.clone());
        let refused = self.clobbered(&before, Some(root));
        let references = self.planned_references(&before, |previous| {
            status(previous, Some(root), refused.is_some())
        });
        if let Some(failure) = refused {
            plan.references.extend(references);
            return Err(failure);
        }
        let is_new = !image.referrers().is_empty()
            || before
                .iter()
                .any(|previous| previous.digest() != Some(root));
        let mut repository = self.planned();
        repository.referrers = image.referrers().len();
        if is_new {
            self.plan_blobs(image.blobs(), &mut repository).await?;
        } else {
            repository.existing = image.blobs().len();
        }
        repository.refusal = self.refusal(&before, &repository).await;
        plan.references.extend(references);
        plan.repositories.push(repository);
        Ok(())
    }

    /// Why the registry does not say what it has, if there is anything of which it does not, and it tells why.
    async fn refusal(&self, before: &[Named], repository: &PlannedRepository) -> Option<String> {
        if repository.untold == 0 && !before.contains(&Named::Untold) {
            return None;
        }
        let reference = self.references.first()?;
        self.repository.refusal(tag_of(reference)).await
    }

    /// Finds out what publishing a draft would do. Nothing is compressed for it.
    pub(crate) async fn plan_draft(
        &self,
        draft: &Draft,
        finishing: &Finishing<'_>,
        plan: &mut PushPlan,
    ) -> Result<(), Failure> {
        let (mut before, found): (Vec<Named>, Vec<_>) =
            self.current_manifests().await?.into_iter().unzip();
        let recognised = found
            .iter()
            .flatten()
            .find_map(|found| finishing.recognise(found));
        let root = recognised.map(|image| image.root().descriptor().digest.clone());
        let mut refused = None;
        // What cannot be recognised is compared only when it is finished.
        let is_undecided = self.options.no_clobber && !draft.is_recognisable();
        if draft.is_recognisable() {
            before = self.guarded(before).await?;
            refused = self.clobbered(&before, root.as_ref());
        }
        let references = self.planned_references(&before, |previous| {
            match status(previous, root.as_ref(), refused.is_some()) {
                PlannedStatus::Planned if is_undecided && *previous != Named::Nothing => {
                    PlannedStatus::Undecided
                }
                status => status,
            }
        });
        plan.digest = plan.digest.take().or_else(|| root.clone());
        if let Some(failure) = refused {
            plan.references.extend(references);
            return Err(failure);
        }
        let mut repository = self.planned();
        repository.referrers = draft.referrers();
        if root.is_some() {
            repository.existing = draft.blobs().len() + draft.layers().len();
        } else {
            self.plan_blobs(&draft.blobs(), &mut repository).await?;
            for layer in draft.layers() {
                if finishing.known(self, layer).await?.is_some() {
                    repository.existing += 1;
                } else {
                    repository.uncompressed += 1;
                    repository.uncompressed_bytes += layer.source.len();
                }
            }
        }
        repository.refusal = self.refusal(&before, &repository).await;
        plan.references.extend(references);
        plan.repositories.push(repository);
        Ok(())
    }

    fn planned(&self) -> PlannedRepository {
        let first = self.references.first();
        PlannedRepository {
            name: first.map_or_else(String::new, |first| {
                format!("{}/{}", first.registry(), first.repository())
            }),
            ..PlannedRepository::default()
        }
    }

    fn planned_references(
        &self,
        before: &[Named],
        status: impl Fn(&Named) -> PlannedStatus,
    ) -> Vec<PlannedReference> {
        let references = self.references.iter().zip(before);
        let planned = references.map(|(reference, previous)| PlannedReference {
            reference: (*reference).clone(),
            previous: previous.digest().cloned(),
            is_untold: *previous == Named::Untold,
            status: status(previous),
        });
        planned.collect()
    }

    async fn plan_blobs(
        &self,
        blobs: &[Blob],
        repository: &mut PlannedRepository,
    ) -> Result<(), Failure> {
        let mut questions = Batch::new();
        for blob in blobs {
            questions.push(async move { Ok((blob, self.presence(blob).await?)) });
        }
        let mut seen = BTreeSet::new();
        for (blob, presence) in questions.run(CONTROL_WIDTH).await? {
            if !seen.insert(&blob.descriptor.digest) {
                continue;
            }
            if is_there(presence) {
                repository.existing += 1;
            } else {
                repository.untold += usize::from(presence == Presence::Untold);
                repository.missing += 1;
                repository.missing_bytes += blob.descriptor.size;
            }
        }
        Ok(())
    }
}

/// What would become of a tag that names `previous`, where `no_clobber` refuses something in its repository or does not.
fn status(previous: &Named, root: Option<&Digest>, is_refused: bool) -> PlannedStatus {
    if previous.digest().is_some() && previous.digest() == root {
        PlannedStatus::Unchanged
    } else if is_refused {
        PlannedStatus::Refused
    } else {
        PlannedStatus::Planned
    }
}
