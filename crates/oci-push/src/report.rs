//! What a push has achieved, also when it failed.

use std::fmt;
use std::time::Duration;

use oci_archive::{Digest, Image};
use oci_client::Reference;

use crate::failure::Failure;

/// The state of a reference after the push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReferenceStatus {
    /// It points at the image now.
    Pushed,
    /// It pointed at the image before.
    Unchanged,
    /// It was not published, or the registry does not show it.
    Failed,
}

impl ReferenceStatus {
    /// The word in `--json` output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

/// What a tag shows after the push, where that is not the image although it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shown {
    /// Something that it named neither before the push nor by it: another push has moved it meanwhile.
    Other(Digest),
}

impl Shown {
    /// The word in `--json` output.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Other(_) => "moved",
        }
    }

    /// The digest that the tag shows.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Other(digest) => digest,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(digest) => {
                write!(
                    formatter,
                    "another push has moved the tag meanwhile, to {digest}"
                )
            }
        }
    }
}

/// One reference's result.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReferenceReport {
    /// The reference as it was pushed.
    pub reference: Reference,
    /// What it should name; `None` while that is not known, as layers are still to be compressed.
    pub digest: Option<Digest>,
    /// What became of it.
    pub status: ReferenceStatus,
    /// What the tag pointed to before, if anything was seen there.
    pub previous: Option<Digest>,
    /// What the tag shows after the push, where that is not the image although it was published.
    pub shown: Option<Shown>,
}

/// Blobs by what happened to them, summed over the repositories.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BlobCounts {
    /// Blobs of the image, each once a repository.
    pub total: usize,
    /// Blobs sent.
    pub uploaded: usize,
    /// Blobs that were there already.
    pub existing: usize,
    /// Blobs that the registry took over from another repository of its.
    pub mounted: usize,
    /// Their size in bytes.
    pub bytes_total: u64,
    /// Size of the blobs that were sent, in bytes.
    pub bytes_uploaded: u64,
}

impl BlobCounts {
    /// Takes the blobs of one repository into account, by their sizes.
    pub(crate) fn count(&mut self, sizes: impl Iterator<Item = u64>) {
        for size in sizes {
            self.total += 1;
            self.bytes_total += size;
        }
    }

    /// Adds what happened to some blobs.
    pub(crate) fn add(&mut self, other: &Self) {
        self.uploaded += other.uploaded;
        self.existing += other.existing;
        self.mounted += other.mounted;
        self.bytes_uploaded += other.bytes_uploaded;
    }
}

/// What was pushed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PushedImage {
    /// The digest that references name now.
    pub digest: Digest,
    /// The media type of the manifest or index behind it.
    pub media_type: String,
    /// The size of that manifest in bytes.
    pub size: u64,
    /// Its platforms, as `os/architecture[/variant]`.
    pub platforms: Vec<String>,
    /// The image's configuration, where there is one image only.
    pub config_digest: Option<Digest>,
}

/// The result of a push.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PushReport {
    /// What was pushed; always there after a push that succeeded. If layers were compressed, and one of
    /// several repositories had the image in another form, that of the first.
    pub image: Option<PushedImage>,
    /// Every reference, in the order given.
    pub references: Vec<ReferenceReport>,
    /// Blobs by what happened to them.
    pub blobs: BlobCounts,
    /// HTTP requests sent.
    pub requests: u64,
    /// Requests and uploads tried again.
    pub retries: u64,
    /// Time from start to end.
    pub duration: Duration,
}

impl PushReport {
    /// The report of a push that has achieved nothing yet.
    #[must_use]
    pub fn new(references: &[Reference]) -> Self {
        Self {
            image: None,
            references: references
                .iter()
                .map(|reference| ReferenceReport {
                    reference: reference.clone(),
                    digest: None,
                    status: ReferenceStatus::Failed,
                    previous: None,
                    shown: None,
                })
                .collect(),
            blobs: BlobCounts::default(),
            requests: 0,
            retries: 0,
            duration: Duration::ZERO,
        }
    }

    /// Notes which image it is.
    pub(crate) fn identify(&mut self, image: &Image) {
        let root = image.root().descriptor();
        self.image.get_or_insert_with(|| PushedImage {
            digest: root.digest.clone(),
            media_type: root.media_type.clone(),
            size: root.size,
            platforms: image.platforms().iter().map(ToString::to_string).collect(),
            config_digest: image.config_digest().cloned(),
        });
    }

    /// Notes what every reference should name.
    pub(crate) fn expect(&mut self, digest: &Digest) {
        for entry in &mut self.references {
            entry.digest = Some(digest.clone());
        }
    }

    /// Takes note of something about one of the references that the report was made for.
    pub(crate) fn update(&mut self, reference: &Reference, change: impl Fn(&mut ReferenceReport)) {
        // One that is named twice has two entries.
        let entries = self.references.iter_mut();
        entries
            .filter(|entry| entry.reference == *reference)
            .for_each(change);
    }
}

/// A push that did not publish everything.
#[derive(Debug, thiserror::Error)]
#[error("the image was not published everywhere it should be")]
pub struct PushError {
    /// What was achieved all the same.
    pub report: PushReport,
    /// Why it ended.
    #[source]
    pub failure: Failure,
}
