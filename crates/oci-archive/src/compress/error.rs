//! Why a layer cannot be finished.

use std::io;

use crate::digest::Digest;
use crate::scratch::ScratchError;

/// Why a layer cannot be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompressError {
    /// The archive cannot be read.
    #[error("the layer {name:?} cannot be read")]
    Read {
        /// The entry.
        name: String,
        /// What the system or the decoder says.
        #[source]
        source: io::Error,
    },
    /// The layer is not the one that the configuration names.
    #[error(
        "the layer {name:?} has a digest mismatch: its diff_id is {expected}, its content hashes to {actual}"
    )]
    DiffId {
        /// The entry.
        name: String,
        /// What the configuration says.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// The compressed bytes cannot be kept.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// An encoder failed.
    #[error("the layer {name:?} cannot be compressed")]
    Encode {
        /// The entry.
        name: String,
        /// What the encoder says.
        #[source]
        source: io::Error,
    },
    /// Whoever asked for it has lost interest.
    #[error("the compression was cancelled")]
    Cancelled,
}
