//! The closed list of things a push asks of a registry.
//!
//! A failure, a retry and a log line all name the step they belong to, so that "403" never stands
//! alone: a refused upload start means something else than a refused tag.

use std::fmt;

/// One kind of request within a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// Ask the token service for a bearer token.
    FetchToken,
    /// Ask what a tag points to now.
    CheckManifest,
    /// Ask whether the registry has a blob.
    CheckBlob,
    /// Have a blob taken over from another repository.
    MountBlob,
    /// Open an upload session: the first request that needs the right to push.
    StartUpload,
    /// Send one chunk to an upload session.
    UploadChunk,
    /// Send a whole blob in the request that also closes its session.
    UploadBlob,
    /// Close an upload session, with the last chunk in the request.
    CommitBlob,
    /// Ask an upload session how much it holds.
    UploadStatus,
    /// Give up an upload session.
    CancelUpload,
    /// Publish a manifest under its digest.
    PutManifest,
    /// Publish a manifest under a tag.
    PutTag,
    /// Ask, after the push, what the tag points to.
    Verify,
}

impl Step {
    /// The stable identifier, as in `--json` output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FetchToken => "fetch-token",
            Self::CheckManifest => "check-manifest",
            Self::CheckBlob => "check-blob",
            Self::MountBlob => "mount-blob",
            Self::StartUpload => "start-upload",
            Self::UploadChunk => "upload-chunk",
            Self::UploadBlob => "upload-blob",
            Self::CommitBlob => "commit-blob",
            Self::UploadStatus => "upload-status",
            Self::CancelUpload => "cancel-upload",
            Self::PutManifest => "put-manifest",
            Self::PutTag => "put-tag",
            Self::Verify => "verify",
        }
    }

    /// What was asked, to stand after "the request to".
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::FetchToken => "fetch a token",
            Self::CheckManifest => "look up the tag",
            Self::CheckBlob => "look up a blob",
            Self::MountBlob => "take a blob over from another repository",
            Self::StartUpload => "start a blob upload",
            Self::UploadChunk => "upload a chunk",
            Self::UploadBlob => "upload a blob",
            Self::CommitBlob => "finish a blob upload",
            Self::UploadStatus => "tell how much of a blob has arrived",
            Self::CancelUpload => "cancel an upload",
            Self::PutManifest => "store a manifest",
            Self::PutTag => "set the tag",
            Self::Verify => "tell what the tag points to after the push",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
