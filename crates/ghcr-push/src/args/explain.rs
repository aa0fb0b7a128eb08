//! What can be said to `explain`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use super::display::ColorArguments;
use super::github::ActionsArguments;

/// Which log is explained, and in what form.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ExplainArguments {
    /// The log of docker, buildx, podman, skopeo, crane, ko, oras, helm or any other tool; standard input if
    /// it is - or left out
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Print one JSON object on standard output
    #[arg(long, env = "GHCR_PUSH_JSON", value_parser = BoolishValueParser::new())]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) actions: ActionsArguments,

    #[command(flatten)]
    pub(crate) color: ColorArguments,
}
