//! The options that say which files take the result.

use std::path::PathBuf;

use clap::Args;

/// Where the result goes beside standard output.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct ResultArguments {
    /// Write the pushed digest to this file
    #[arg(
        long,
        visible_alias = "digest-file",
        value_name = "FILE",
        env = "GHCR_PUSH_DIGESTFILE"
    )]
    pub(crate) digestfile: Option<PathBuf>,

    /// Write a line REFERENCE@DIGEST for each reference to this file
    #[arg(long, value_name = "FILE", env = "GHCR_PUSH_IMAGE_REFS")]
    pub(crate) image_refs: Option<PathBuf>,

    /// Write the result to this file as JSON, with the keys of buildx's --metadata-file
    #[arg(long, value_name = "FILE", env = "GHCR_PUSH_METADATA_FILE")]
    pub(crate) metadata_file: Option<PathBuf>,
}
