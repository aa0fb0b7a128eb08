//! Where upload sessions are, kept beyond the end of a process by whoever embeds the engine.

use oci_archive::Digest;

/// An upload that may be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UploadKey<'a> {
    /// The repository's address, such as `https://ghcr.io/v2/owner/name/`.
    pub repository: &'a str,
    /// The blob.
    pub digest: &'a Digest,
}

impl<'a> UploadKey<'a> {
    /// The upload of a blob to the repository at an address.
    #[must_use]
    pub fn new(repository: &'a str, digest: &'a Digest) -> Self {
        Self { repository, digest }
    }
}

/// Keeps the addresses of upload sessions of large blobs from one run to the next.
///
/// Nothing in it is believed: an address on another origin is not used, and the registry is asked what
/// the session holds. An implementation sees to it that no two processes are given the same session.
pub trait SessionJournal: Send + Sync {
    /// The session that an earlier run has left for `key`. None that another process is using.
    fn recall(&self, key: &UploadKey<'_>) -> Option<String>;

    /// The upload of `key` goes on at `url`. Called for every chunk.
    fn note(&self, key: &UploadKey<'_>, url: &str);

    /// There is nothing to continue for `key` any more.
    fn forget(&self, key: &UploadKey<'_>);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoJournal;

impl SessionJournal for NoJournal {
    fn recall(&self, _key: &UploadKey<'_>) -> Option<String> {
        None
    }

    fn note(&self, _key: &UploadKey<'_>, _url: &str) {}

    fn forget(&self, _key: &UploadKey<'_>) {}
}
