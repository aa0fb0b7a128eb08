//! What is about an image, made to be found: registries that do not list it themselves leave that to the
//! client, which keeps a list under a tag of its own (distribution-spec, "Pushing Manifests with Subject":
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject>).

mod list;

use std::collections::BTreeMap;
use std::time::Duration;

use oci_archive::{Image, Manifest, ManifestKind};

use super::{CONTROL_WIDTH, Publication};
use crate::batch::Batch;
use crate::failure::{Failure, ViolationKind};
use crate::observer::Event;

/// When to look again whether a list holds what was added. Another client may have written it meanwhile, or
/// the registry may show it late.
const LOOKS: [Duration; 5] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

impl Publication<'_> {
    /// Sets the tags under which clients look for some of what is about the image. One that names
    /// something else is left alone, and is a failure: whose it is, is not known.
    pub(super) async fn tag_referrers(&self, image: &Image) -> Result<(), Failure> {
        for (tag, digest) in image.referrer_tags() {
            let referrers = image.referrers().iter();
            let mut named = referrers.filter(|one| one.descriptor().digest == *digest);
            let Some(manifest) = named.next() else {
                continue;
            };
            match self.repository.tagged(tag).await? {
                Some(found) if found.digest == *digest => {}
                Some(found) => {
                    let request = self.repository.look_up(tag);
                    let kind = ViolationKind::ReferrerTagTaken(found.digest);
                    return Err(Failure::violation(&request, kind));
                }
                None => {
                    self.store(image, manifest, Some(tag)).await?;
                    self.listed(tag, manifest);
                }
            }
        }
        Ok(())
    }

    /// Lists manifests that are about others, and that the registry does not list itself.
    pub(super) async fn list_referrers(
        &self,
        image: &Image,
        unlisted: &[&Manifest],
    ) -> Result<(), Failure> {
        let mut by_tag: BTreeMap<String, Vec<&Manifest>> = BTreeMap::new();
        for manifest in unlisted {
            if let Some(subject) = manifest.subject() {
                let about_it = by_tag.entry(subject.referrers_tag()).or_default();
                about_it.push(manifest);
            }
        }
        let mut work = Batch::new();
        for (tag, manifests) in &by_tag {
            work.push(self.list_under(image, tag, manifests));
        }
        work.run(CONTROL_WIDTH).await.map(drop)
    }

    async fn list_under(
        &self,
        image: &Image,
        tag: &str,
        manifests: &[&Manifest],
    ) -> Result<(), Failure> {
        for wait in LOOKS {
            if !wait.is_zero() {
                self.services.clock.sleep(wait).await;
            }
            let Some(list) = self.extended(tag, manifests).await? else {
                return Ok(());
            };
            self.store(image, &list, Some(tag)).await?;
            self.listed(tag, &list);
        }
        if self.extended(tag, manifests).await?.is_none() {
            return Ok(());
        }
        let request = self.repository.look_up(tag);
        let kind = ViolationKind::ReferrersNotListed;
        Err(Failure::violation(&request, kind))
    }

    /// The list under a tag with `manifests` added; `None` if it holds them all.
    async fn extended(
        &self,
        tag: &str,
        manifests: &[&Manifest],
    ) -> Result<Option<Manifest>, Failure> {
        let found = self.repository.tagged(tag).await?;
        list::extended(found.as_ref(), manifests).map_err(|list::NoList| {
            let request = self.repository.look_up(tag);
            Failure::violation(&request, ViolationKind::NoReferrersList)
        })
    }

    fn listed(&self, tag: &str, manifest: &Manifest) {
        self.services.observer.observe(&Event::ReferrersTagged {
            tag,
            digest: &manifest.descriptor().digest,
        });
    }
}

/// Whether clients look for a manifest by what it is about. Attestations in an index are found by the index;
/// `BuildKit` lists them nowhere else.
pub(super) fn is_looked_for(image: &Image, manifest: &Manifest) -> bool {
    let is_part = || {
        let digest = &manifest.descriptor().digest;
        let mut parts = image.manifests().iter();
        parts.any(|one| one.descriptor().digest == *digest)
    };
    manifest.subject().is_some() && (manifest.kind() != ManifestKind::Attestation || !is_part())
}
