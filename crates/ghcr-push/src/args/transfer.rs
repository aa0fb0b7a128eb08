//! The options that say how blobs get to the registry, and how stubbornly.

use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, ValueEnum};

use crate::quantity;

/// How blobs are sent.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Transfer")]
pub(crate) struct TransferArguments {
    /// Blobs in flight at a time [default: four, and up to eight as long as more brings more, with sixteen of those
    /// under a megabyte beside them]
    #[arg(short, long, visible_alias = "concurrency", value_name = "N",
          value_parser = clap::value_parser!(u8).range(1..=32), env = "GHCR_PUSH_JOBS")]
    pub(crate) jobs: Option<u8>,

    /// How blobs are sent: as one stream each, in chunks, or decided for each blob [default: auto]
    #[arg(long, value_name = "MODE", value_enum, env = "GHCR_PUSH_UPLOAD_MODE")]
    pub(crate) upload_mode: Option<UploadMode>,

    /// The size of a chunk, such as 4MiB; implies --upload-mode chunked where no mode is given, and is none of stream's
    #[arg(long, value_name = "SIZE", value_parser = quantity::size, env = "GHCR_PUSH_CHUNK_SIZE")]
    pub(crate) chunk_size: Option<u64>,

    /// Bytes a second that all uploads take together, such as 10MB
    #[arg(long, value_name = "SIZE", value_parser = quantity::size, env = "GHCR_PUSH_LIMIT_RATE")]
    pub(crate) limit_rate: Option<u64>,

    /// A repository of the same registry that may have blobs of the image already, such as the base image's:
    /// they are taken over from there; repeatable, lists accepted
    #[arg(
        long,
        value_name = "REPOSITORY",
        value_delimiter = ',',
        env = "GHCR_PUSH_MOUNT_FROM"
    )]
    pub(crate) mount_from: Vec<String>,

    /// Give up after this long without progress
    #[arg(long, value_name = "DURATION", value_parser = quantity::duration, default_value = "10m",
          env = "GHCR_PUSH_RETRY_MAX_TIME")]
    pub(crate) retry_max_time: Duration,

    /// Give up after this many tries of one request
    #[arg(long, visible_alias = "retry-times", value_name = "N", env = "GHCR_PUSH_RETRY",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) retry: Option<u32>,

    /// Restart a transfer that moves no byte for this long
    #[arg(long, value_name = "DURATION", value_parser = quantity::duration, default_value = "60s",
          env = "GHCR_PUSH_STALL_TIMEOUT")]
    pub(crate) stall_timeout: Duration,
}

/// How blobs are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UploadMode {
    /// Decided for each blob
    Auto,
    /// One request with the whole blob
    Stream,
    /// Ranged chunks
    Chunked,
}

/// Settles what is said of chunks and of streams, which have none: an option goes before a variable, which is for all
/// runs.
///
/// # Errors
///
/// What contradicts what, where both are said in the same way.
pub(super) fn settle_mode(
    arguments: &mut TransferArguments,
    matches: &ArgMatches,
) -> Result<(), &'static str> {
    if arguments.upload_mode != Some(UploadMode::Stream) || arguments.chunk_size.is_none() {
        return Ok(());
    }
    let is_said = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
    match (is_said("upload_mode"), is_said("chunk_size")) {
        (true, true) => {
            return Err(
                "the argument '--chunk-size <SIZE>' cannot be used with '--upload-mode stream', which sends no chunks",
            );
        }
        (false, false) => {
            return Err(
                "the variable GHCR_PUSH_CHUNK_SIZE cannot be used with GHCR_PUSH_UPLOAD_MODE=stream, which sends no \
                 chunks",
            );
        }
        (true, false) => arguments.chunk_size = None,
        (false, true) => arguments.upload_mode = None,
    }
    Ok(())
}
