//! Streamed or chunked: the choice, made purely.
//!
//! A streamed blob costs two requests; a chunked one costs one for every chunk, and ghcr.io takes no
//! chunk over 4 `MiB` and counts requests against a limit. What chunks buy is that an interruption loses
//! a chunk instead of a blob. So a stream is the rule, and chunks are for blobs whose stream is at risk.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// How a blob is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// One request that carries the whole blob.
    Streamed,
    /// Ranged chunks of at most this many bytes.
    Chunked(u64),
}

impl Mode {
    /// The same with chunks of no less than the registry takes; a blob of one chunk is streamed.
    pub(crate) fn at_least(self, least: Option<u64>, size: u64) -> Self {
        match (self, least) {
            (Self::Chunked(chunk), Some(least)) if chunk < least && size <= least => Self::Streamed,
            (Self::Chunked(chunk), Some(least)) => Self::Chunked(chunk.max(least)),
            (mode, _) => mode,
        }
    }
}

/// `mode` and `chunkSize`, as fields of what the mode belongs to.
impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (mode, chunk_size) = match self {
            Self::Streamed => ("stream", None),
            Self::Chunked(size) => ("chunked", Some(size)),
        };
        let mut fields = serializer.serialize_struct("Mode", 2)?;
        fields.serialize_field("mode", mode)?;
        fields.serialize_field("chunkSize", &chunk_size)?;
        fields.end()
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Streamed => formatter.write_str("streamed"),
            Self::Chunked(size) => write!(formatter, "chunks of {size} bytes"),
        }
    }
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UploadMode {
    /// Decide for each blob.
    #[default]
    Auto,
    /// Always stream.
    Stream,
    /// Always send chunks.
    Chunked,
}

/// GitHub ends an upload after ten minutes (its documentation, "Troubleshooting" of the container
/// registry, quoted in <https://github.com/aquaproj/aqua/issues/4018>). A stream that would need more
/// than seven is too close to that.
const LONGEST_STREAM: Duration = Duration::from_mins(7);

/// Chunks for a blob that would be one.
const SMALLEST: u64 = 1024 * 1024;

/// Streams of one blob that may break before it is sent in chunks.
pub(super) const BROKEN_STREAMS: u32 = 2;

/// What is known about a blob and the link when its upload begins.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about the registry, and they are independent"
)]
pub struct Situation {
    /// The blob's size in bytes.
    pub size: u64,
    /// Streams of this blob that have broken already.
    pub broken_streams: u32,
    /// Whether streams of other blobs have broken off where chunks went through.
    pub streams_break: bool,
    /// Whether a stream of this blob was broken off because it would have taken too long.
    pub outlasts: bool,
    /// Bytes per second of one upload, if any has been measured in this run.
    pub goodput: Option<f64>,
    /// The chunk size to use, within the registry's limit.
    pub chunk: u64,
    /// Whether the registry has refused a whole blob as too large in this run.
    pub body_refused: bool,
    /// Whether the registry takes no chunks, or has put them together wrongly in this run.
    pub chunks_refused: bool,
    /// Whether a session goes on after a chunk was cut off, as far as it is known.
    pub resumable: bool,
    /// What a request costs beside its body, if it has been measured in this run.
    pub overhead: Option<Duration>,
    /// Bytes of the blob that an earlier run has left in the session.
    pub held: u64,
}

/// Chooses the mode, and says why.
#[must_use]
pub fn choose(asked: UploadMode, situation: &Situation) -> (Mode, &'static str) {
    let chunked = Mode::Chunked(situation.chunk);
    if situation.held > 0 {
        return (chunked, "an earlier run has sent a part of it");
    }
    if situation.broken_streams >= BROKEN_STREAMS
        && situation.size <= situation.chunk
        && situation.size > SMALLEST
        && asked != UploadMode::Stream
        && !situation.chunks_refused
    {
        // Perhaps its size is what breaks it.
        return (Mode::Chunked(SMALLEST), "streaming it broke off repeatedly");
    }
    if situation.size <= situation.chunk {
        return (Mode::Streamed, "it fits into one chunk");
    }
    if situation.chunks_refused && !situation.body_refused {
        return (Mode::Streamed, "the registry takes no chunks");
    }
    match asked {
        UploadMode::Stream => return (Mode::Streamed, "as asked"),
        UploadMode::Chunked => return (chunked, "as asked"),
        UploadMode::Auto => {}
    }
    if situation.body_refused {
        return (chunked, "the registry refuses larger bodies");
    }
    if situation.broken_streams >= BROKEN_STREAMS {
        return (chunked, "streaming it broke off repeatedly");
    }
    if situation.streams_break {
        return (chunked, "streams break off here, and chunks do not");
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of seconds needs no more than 52 bits of size"
    )]
    let expected = situation.goodput.map(|rate| situation.size as f64 / rate);
    if situation.outlasts || expected.is_some_and(|seconds| seconds > LONGEST_STREAM.as_secs_f64())
    {
        return (
            chunked,
            "at the measured rate it would outlast the upload limit",
        );
    }
    if is_nearly_free(situation) {
        return (
            chunked,
            "at the measured rate chunks cost little, and an interruption costs one",
        );
    }
    (Mode::Streamed, "a stream needs the fewest requests")
}

/// Whether the requests that chunks need are lost in the time that their bytes take, and few enough for
/// the limits on requests.
fn is_nearly_free(situation: &Situation) -> bool {
    /// At most one chunk a second: 60 of the 2000 requests a minute that ghcr.io allows all jobs of an
    /// address together (<https://github.com/chainguard-images/images/issues/173>).
    const LEAST: f64 = 1.0;
    /// What a request may cost, as a part of the time that its chunk takes.
    const TOLERATED: f64 = 0.15;
    let (Some(rate), Some(overhead)) = (situation.goodput, situation.overhead) else {
        return false;
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of seconds needs no more than 52 bits of size"
    )]
    let seconds = situation.chunk as f64 / rate;
    situation.resumable && seconds >= LEAST && overhead.as_secs_f64() <= seconds * TOLERATED
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn large() -> Situation {
        Situation {
            size: 4096 * MIB,
            broken_streams: 0,
            streams_break: false,
            outlasts: false,
            goodput: None,
            chunk: 4 * MIB,
            body_refused: false,
            chunks_refused: false,
            resumable: true,
            overhead: None,
            held: 0,
        }
    }

    /// What was found out on the way counts where nothing was asked for, and nothing stands against it.
    #[test]
    fn lessons() {
        let too_long = Situation {
            outlasts: true,
            ..large()
        };
        let others_broke = Situation {
            streams_break: true,
            ..large()
        };
        for (name, situation) in [("too long", too_long), ("others broke", others_broke)] {
            let chunks = Mode::Chunked(4 * MIB);
            assert_eq!(choose(UploadMode::Auto, &situation).0, chunks, "{name}");
            let asked = choose(UploadMode::Stream, &situation).0;
            assert_eq!(asked, Mode::Streamed, "{name}, a stream asked for");
            let refused = Situation {
                chunks_refused: true,
                ..situation
            };
            let mode = choose(UploadMode::Auto, &refused).0;
            assert_eq!(mode, Mode::Streamed, "{name}, and no chunks taken");
        }
    }

    #[test]
    fn choices() {
        let large = large();
        let chunks = Mode::Chunked(4 * MIB);
        for (name, asked, situation, expected) in [
            ("large", UploadMode::Auto, large, Mode::Streamed),
            (
                "small, chunked asked",
                UploadMode::Chunked,
                Situation { size: MIB, ..large },
                Mode::Streamed,
            ),
            ("chunked asked", UploadMode::Chunked, large, chunks),
            (
                "slow link",
                UploadMode::Auto,
                Situation {
                    goodput: Some(1e6),
                    ..large
                },
                chunks,
            ),
            (
                "slow link, stream asked",
                UploadMode::Stream,
                Situation {
                    goodput: Some(1e6),
                    ..large
                },
                Mode::Streamed,
            ),
            (
                "fast link",
                UploadMode::Auto,
                Situation {
                    goodput: Some(3e7),
                    ..large
                },
                Mode::Streamed,
            ),
            (
                "broke once",
                UploadMode::Auto,
                Situation {
                    broken_streams: 1,
                    ..large
                },
                Mode::Streamed,
            ),
            (
                "broke twice",
                UploadMode::Auto,
                Situation {
                    broken_streams: 2,
                    ..large
                },
                chunks,
            ),
            (
                "chunks put together wrongly",
                UploadMode::Chunked,
                Situation {
                    chunks_refused: true,
                    ..large
                },
                Mode::Streamed,
            ),
            (
                "too large",
                UploadMode::Auto,
                Situation {
                    body_refused: true,
                    ..large
                },
                chunks,
            ),
        ] {
            assert_eq!(choose(asked, &situation).0, expected, "{name}");
        }
    }

    /// Chunks are free where a request is short beside the time that its bytes take.
    #[test]
    fn measured_links() {
        for (name, goodput, overhead, is_chunked) in [
            ("a desk behind a slow uplink", 2e6, 80, true),
            ("a slow and distant registry", 2e6, 800, false),
            ("a runner with a fast link", 5e7, 5, false),
            ("as slow as still counts", 4_194_304.0, 150, true),
            ("a little faster", 4_300_000.0, 10, false),
        ] {
            let situation = Situation {
                size: 40 * MIB,
                broken_streams: 0,
                streams_break: false,
                outlasts: false,
                goodput: Some(goodput),
                chunk: 4 * MIB,
                body_refused: false,
                chunks_refused: false,
                resumable: true,
                overhead: Some(Duration::from_millis(overhead)),
                held: 0,
            };
            let mode = choose(UploadMode::Auto, &situation).0;
            assert_eq!(mode != Mode::Streamed, is_chunked, "{name}");
            let forgetful = Situation {
                resumable: false,
                ..situation
            };
            let mode = choose(UploadMode::Auto, &forgetful).0;
            assert_eq!(mode, Mode::Streamed, "{name}, and what is cut off is lost");
        }
    }
}
