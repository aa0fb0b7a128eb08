//! The options that say what may be asked of GitHub beside the registry.

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::github;

/// What may be asked of GitHub's REST API.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct GithubArguments {
    /// Never ask GitHub's REST API for evidence after a refusal
    #[arg(long, env = "GHCR_PUSH_NO_PROBE", value_parser = FalseyValueParser::new())]
    pub(crate) no_probe: bool,

    /// The REST API that belongs to a registry of another name than GitHub's own; without it, nothing is asked of
    /// such a host
    #[arg(long, value_name = "URL", value_parser = github::api_url, env = "GHCR_PUSH_API_URL")]
    pub(crate) api_url: Option<String>,
}
