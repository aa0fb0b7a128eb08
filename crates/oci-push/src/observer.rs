//! What the engine says while it works.
//!
//! One method, one closed list of events. Progress is absolute, never a delta: an upload that starts
//! over reports a smaller offset, and a listener that just shows the number is right. Bars, plain
//! lines and JSON are listeners; none of them is known here, but how an event is written as JSON is: so no
//! listener can forget one.

use std::fmt::Display;
use std::time::Duration;

use oci_archive::Digest;
use serde::{Serialize, Serializer};

use crate::step::Step;
use crate::upload::mode::Mode;

/// Something that happened in a push.
///
/// Serialized, an event is an object with its name in `event` (`blob-started`) and its fields in camel case;
/// durations are whole milliseconds, and their names say so (`waitMs`).
#[derive(Debug, Serialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A repository's turn begins.
    RepositoryStarted {
        /// `host/owner/name`.
        repository: &'a str,
        /// Distinct blobs of the image.
        blobs: usize,
        /// Their size in bytes.
        bytes: u64,
    },
    /// A bearer token arrived.
    TokenFetched {
        /// 1 for the first token of a repository, one more for each refresh.
        generation: u64,
    },
    /// The registry told whether it has a blob.
    BlobChecked {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// Whether it is there already.
        exists: bool,
    },
    /// A blob's upload begins, or begins again.
    BlobStarted {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// How it is sent.
        #[serde(flatten)]
        mode: Mode,
        /// Why it is sent that way.
        reason: &'static str,
    },
    /// A layer is about to be compressed, or looked into if it is compressed already.
    LayerStarted {
        /// The digest of its uncompressed bytes.
        diff_id: &'a Digest,
        /// Its size in the archive, in bytes.
        size: u64,
        /// Whether it is compressed already.
        is_compressed: bool,
    },
    /// A layer is being read.
    LayerProgress {
        /// The digest of its uncompressed bytes.
        diff_id: &'a Digest,
        /// How many of its bytes have been read.
        offset: u64,
    },
    /// A layer is in the form in which it is pushed.
    LayerFinished {
        /// The digest of its uncompressed bytes.
        diff_id: &'a Digest,
        /// The digest that it has now.
        digest: &'a Digest,
        /// The size that it has now, in bytes.
        size: u64,
        /// How long it took.
        #[serde(rename = "durationMs", serialize_with = "milliseconds")]
        duration: Duration,
    },
    /// Bytes of a blob are on their way.
    BlobProgress {
        /// The blob.
        digest: &'a Digest,
        /// In chunked mode what the registry has acknowledged plus what was handed to the connection
        /// since; in streamed mode what was handed to the connection.
        offset: u64,
    },
    /// A blob's upload has broken off. Until its next progress it waits, for another try or for others to go first, if
    /// it is not given up or found to have arrived all the same.
    BlobInterrupted {
        /// The blob.
        digest: &'a Digest,
        /// The bytes that are not lost: in chunked mode those that the registry has acknowledged, as long as its
        /// session is gone on with, and else none.
        offset: u64,
        /// Why, in one line.
        cause: &'a str,
    },
    /// The registry is asked to take a blob over from another repository of its. If it does not, the blob's
    /// upload begins.
    BlobMounting {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// `owner/name` of the other repository.
        source: &'a str,
    },
    /// The registry has taken a blob over from another repository of its.
    BlobMounted {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// `owner/name` of the other repository.
        source: &'a str,
    },
    /// All bytes are sent; the registry is storing the blob.
    BlobCommitting {
        /// The blob.
        digest: &'a Digest,
    },
    /// The registry has a blob.
    BlobFinished {
        /// The blob.
        digest: &'a Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// A request or an upload is tried again.
    Retrying {
        /// What failed.
        #[serde(serialize_with = "displayed")]
        step: Step,
        /// The blob concerned, if any.
        digest: Option<&'a Digest>,
        /// Why, in one line.
        cause: &'a str,
        /// The wait before the next try.
        #[serde(rename = "waitMs", serialize_with = "milliseconds")]
        wait: Duration,
        /// The number of the try that failed, from 1.
        attempt: u32,
    },
    /// A manifest was stored under its digest.
    ManifestStored {
        /// The manifest.
        digest: &'a Digest,
    },
    /// What is about a manifest is to be found under a tag now: a list, or one of cosign's.
    ReferrersTagged {
        /// The tag.
        tag: &'a str,
        /// What it names.
        digest: &'a Digest,
    },
    /// A reference now points at the pushed image, or did so already.
    ReferenceSettled {
        /// `host/owner/name:tag`.
        reference: &'a str,
        /// What it points at.
        digest: &'a Digest,
        /// Whether it did so before.
        unchanged: bool,
    },
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn displayed<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Listens to a push. Called from several threads.
pub trait Observer: Send + Sync {
    /// Takes note of `event`. Must not block.
    fn observe(&self, event: &Event<'_>);
}

/// Ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _event: &Event<'_>) {}
}

#[cfg(test)]
mod tests;
