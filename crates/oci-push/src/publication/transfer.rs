//! Bringing a blob into the repository: taken over from another one of the registry's, or uploaded.

use oci_archive::{Blob, Descriptor};

use super::Publication;
use crate::failure::Failure;
use crate::observer::Event;
use crate::report::BlobCounts;
use crate::repository::Mount;
use crate::upload::session::UploadSession;
use crate::upload::{BlobUpload, UploadSettings};

/// How a blob came into the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transferred {
    Mounted,
    Uploaded,
}

impl BlobCounts {
    /// Takes note of a blob of `size` bytes that the registry lacked.
    pub(crate) fn transferred(&mut self, how: Transferred, size: u64) {
        match how {
            Transferred::Mounted => self.mounted += 1,
            Transferred::Uploaded => {
                self.uploaded += 1;
                self.bytes_uploaded += size;
            }
        }
    }
}

impl Publication<'_> {
    /// Brings a blob that the repository lacks there, with as few bytes as possible.
    pub(crate) async fn transfer(&self, blob: &Blob) -> Result<Transferred, Failure> {
        // A registry that is slow to confirm is not given more and more to do.
        let _permit = self.lanes.of(blob).under_way.acquire().await.ok();
        let Some(source) = self.source_of(&blob.descriptor).await else {
            self.send(blob, None).await?;
            return Ok(Transferred::Uploaded);
        };
        self.services.observer.observe(&Event::BlobMounting {
            digest: &blob.descriptor.digest,
            size: blob.descriptor.size,
            source,
        });
        match self.repository.mount(&blob.descriptor, source).await {
            Mount::Done => {
                self.services.observer.observe(&Event::BlobMounted {
                    digest: &blob.descriptor.digest,
                    size: blob.descriptor.size,
                    source,
                });
                return Ok(Transferred::Mounted);
            }
            // The registry has opened a session instead, for which it need not be asked again.
            Mount::Session(session) => self.send(blob, Some(session)).await?,
            Mount::Refused => self.send(blob, None).await?,
        }
        Ok(Transferred::Uploaded)
    }

    /// Uploads a blob, whatever other repositories have.
    pub(crate) async fn upload(&self, blob: &Blob) -> Result<(), Failure> {
        let _permit = self.lanes.of(blob).under_way.acquire().await.ok();
        self.send(blob, None).await
    }

    async fn send(&self, blob: &Blob, opened: Option<UploadSession>) -> Result<(), Failure> {
        let settings = UploadSettings {
            mode: self.options.upload_mode,
            chunk_size: self.options.chunk_size,
            commit_patience: self.options.commit_patience,
            longest_request: self.options.longest_request,
        };
        let slots = self.lanes.of(blob).slots.clone();
        let upload = BlobUpload::new(&self.repository, self.services, settings, blob, slots);
        upload.run(opened).await
    }

    /// The repository to take a blob from. One candidate is asked for by the mount itself, which costs no
    /// request; of several, the one that has the blob.
    async fn source_of(&self, descriptor: &Descriptor) -> Option<&str> {
        let mut candidates = self
            .sources
            .iter()
            .filter(|source| self.repository.learned.may_mount(source));
        let first = candidates.next()?;
        let rest: Vec<&String> = candidates.collect();
        if rest.is_empty() {
            return Some(first);
        }
        for source in std::iter::once(first).chain(rest) {
            let _permit = self.lanes.control.acquire().await.ok();
            if self.repository.is_blob_in(source, descriptor).await {
                return Some(source);
            }
        }
        None
    }
}
