//! Why an archive is refused. Every message names what is wrong and where; what to do about it is for
//! whoever knows the user's situation.

use std::fmt;
use std::io;

use crate::compression::Compression;
use crate::digest::Digest;
use crate::expansion::Expansion;
use crate::scratch::ScratchError;

/// Why an archive cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file or directory cannot be read.
    #[error("{what} cannot be read")]
    Read {
        /// The file, or the entry within the archive.
        what: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The compression around the archive is broken, or needs more memory than is allowed.
    #[error("the {compression} compression around the archive cannot be undone")]
    Compression {
        /// The format.
        compression: Compression,
        /// What the decoder says.
        #[source]
        source: io::Error,
    },
    /// The archive becomes more than any image has, or never ends.
    #[error("the archive is too large to be decompressed or copied: {0}")]
    Expands(Expansion),
    /// The archive must be copied, and cannot be.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// A kind of input that is not read.
    #[error("this is {kind}, which is not supported")]
    Unsupported {
        /// What it is.
        kind: &'static str,
    },
    /// No image archive at all.
    #[error("this is not a tar file or image layout: {reason}")]
    NotAnArchive {
        /// What it looks like.
        reason: String,
    },
    /// Another kind than was insisted on.
    #[error("this is {found}, not {wanted}")]
    WrongFormat {
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// The file ends before its contents do.
    #[error(
        "the archive is truncated: {what} would end at byte {end}, the file ends at byte {length}"
    )]
    Truncated {
        /// The entry that is cut off.
        what: String,
        /// Where it would end.
        end: u64,
        /// Where the file ends.
        length: u64,
    },
    /// A tar header that makes no sense.
    #[error("the tar header at or after byte {offset} is broken")]
    Header {
        /// Where the header before it ended.
        offset: u64,
        /// What the reader says.
        #[source]
        source: io::Error,
    },
    /// Something that the layout needs is not there.
    #[error("{what} is missing: it is not found in the archive{}", .remark.as_deref().map(|remark| format!("; {remark}")).unwrap_or_default())]
    Missing {
        /// What it is, and who names it.
        what: String,
        /// Why it may be missing.
        remark: Option<String>,
    },
    /// An entry that cannot be used as a file.
    #[error("entry {name:?} cannot be used: {reason}")]
    Entry {
        /// The entry.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A JSON document that cannot be understood in one way only.
    #[error("{what} is not valid JSON of its kind")]
    Json {
        /// The document.
        what: String,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A document that contradicts itself or the one that names it.
    #[error("{what}: {reason}")]
    Invalid {
        /// The document.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// Manifests that an index names and that the archive lacks, or holds without all their blobs.
    #[error("the archive is incomplete: {} that the index names {} missing or not whole: {}",
        plural(.absent.len(), "manifest"), if .absent.len() == 1 { "is" } else { "are" }, list(.absent))]
    Incomplete {
        /// What is absent, in the index's order.
        absent: Vec<AbsentManifest>,
    },
    /// A platform that is asked for and that the image has not.
    #[error("the image has no platform {}; it {}", .wanted.join(", "), if .available.is_empty() {
        "does not say for which platform it is".to_owned()
    } else {
        format!("has: {}", list(.available))
    })]
    NoPlatform {
        /// What was asked for.
        wanted: Vec<String>,
        /// What there is.
        available: Vec<String>,
    },
    /// Several images and no selection, or one that chooses none.
    #[error("{reason}; it holds: {}", list(.images))]
    Selection {
        /// What is the matter.
        reason: String,
        /// Every image, as `@N digest names`.
        images: Vec<String>,
    },
}

impl OpenError {
    pub(crate) fn invalid(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            what: what.into(),
            reason: reason.into(),
        }
    }
}

/// A manifest that an index names and that the archive lacks, or holds without all its blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AbsentManifest {
    /// Its platform, as the index says.
    pub platform: Option<String>,
    /// Its digest.
    pub digest: Digest,
    /// The blobs that are absent. None if the manifest itself is, as nobody knows then what it names.
    pub blobs: Vec<Digest>,
}

impl fmt::Display for AbsentManifest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let platform = self.platform.as_deref().unwrap_or("no platform");
        match self.blobs.len() {
            0 => write!(formatter, "{platform} ({})", self.digest),
            count => {
                let blobs = plural(count, "blob");
                write!(formatter, "{platform} ({} without {blobs})", self.digest)
            }
        }
    }
}

fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// As much of a list as people read.
fn list(items: &[impl fmt::Display]) -> String {
    const SHOWN: usize = 32;
    let mut shown: Vec<String> = items.iter().take(SHOWN).map(ToString::to_string).collect();
    if items.len() > SHOWN {
        shown.push(format!("and {} more", items.len() - SHOWN));
    }
    shown.join(", ")
}
