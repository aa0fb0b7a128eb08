//! The options that say what may be asked of GitHub beside the registry.

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

use crate::env::Environment;
use crate::github;

/// What may be asked of GitHub's REST API.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct GithubArguments {
    /// Never ask GitHub's REST API for evidence after a refusal
    #[arg(long, env = "GHCR_PUSH_NO_PROBE", value_parser = BoolishValueParser::new())]
    pub(crate) no_probe: bool,

    /// The REST API that belongs to a registry of another name than GitHub's own; without it, nothing is asked of
    /// such a host
    #[arg(long, value_name = "URL", value_parser = github::api_url, env = "GHCR_PUSH_API_URL")]
    pub(crate) api_url: Option<String>,
}

/// What a workflow's run is told beside its log.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ActionsArguments {
    /// Whether a GitHub Actions run is told: annotations, the job's summary, the step's outputs; auto does so in
    /// a run
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = GithubActions::Auto,
          env = "GHCR_PUSH_GITHUB_ACTIONS")]
    pub(crate) github_actions: GithubActions,
}

/// Whether a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum GithubActions {
    /// In a run
    #[default]
    Auto,
    /// Always
    On,
    /// Never
    Off,
}

impl GithubActions {
    /// What is said among arguments that cannot be parsed.
    pub(super) fn told(environment: &Environment) -> Self {
        const OPTION: &str = "--github-actions";
        let mut arguments = environment
            .arguments
            .iter()
            .filter_map(|argument| argument.to_str())
            .take_while(|argument| *argument != "--");
        let mut said = environment.filled("GHCR_PUSH_GITHUB_ACTIONS");
        while let Some(argument) = arguments.next() {
            if let Some(value) = argument.strip_prefix(OPTION) {
                said = value.strip_prefix('=').or_else(|| arguments.next());
            }
        }
        let said = said.map(|said| Self::from_str(said, false));
        said.and_then(Result::ok).unwrap_or_default()
    }
}
