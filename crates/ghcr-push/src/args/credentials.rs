//! The options that say where the credential comes from. None takes a secret.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where the credential is looked for.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Credentials")]
pub(crate) struct CredentialArguments {
    /// Look in this file, of the kind that docker login and podman login write, before their own
    #[arg(long, value_name = "FILE", env = "GHCR_PUSH_AUTHFILE")]
    pub(crate) authfile: Option<PathBuf>,

    /// Take the credential from this source and from no other
    #[arg(
        long,
        value_name = "NAME",
        value_enum,
        ignore_case = true,
        env = "GHCR_PUSH_CREDENTIAL_SOURCE"
    )]
    pub(crate) credential_source: Option<CredentialSource>,
}

/// One place that may hold a credential. Variables go by their own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CredentialSource {
    /// --username with --password-stdin
    Stdin,
    /// The tool's own variable
    #[value(name = "GHCR_PUSH_TOKEN")]
    OwnVariable,
    /// The contents of a docker config.json in a variable
    #[value(name = "DOCKER_AUTH_CONFIG")]
    DockerAuthConfig,
    /// The file of --authfile, else of the variable of podman and skopeo
    Authfile,
    /// Docker's config.json, and the credential helpers that it names
    Docker,
    /// The logins that buildx keeps for single repositories
    Buildx,
    /// Podman's auth.json
    Podman,
    /// The variable of the gh command
    #[value(name = "GH_TOKEN")]
    GhToken,
    /// The variable that workflows conventionally pass their token in
    #[value(name = "GITHUB_TOKEN")]
    GithubToken,
    /// The variable that GitHub's documentation uses for a container registry's token
    #[value(name = "CR_PAT")]
    CrPat,
    /// The variable of the gh command for GitHub Enterprise Server
    #[value(name = "GH_ENTERPRISE_TOKEN")]
    GhEnterpriseToken,
    /// The same by its other name
    #[value(name = "GITHUB_ENTERPRISE_TOKEN")]
    GithubEnterpriseToken,
    /// gh auth token
    Gh,
}

impl CredentialSource {
    /// All of them, in the order in which they are asked.
    pub(crate) fn in_order() -> &'static [Self] {
        Self::value_variants()
    }

    /// The name that the option takes.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order is a promise to users (`docs/usage.md`).
    #[test]
    fn the_order() {
        let names: Vec<String> = CredentialSource::in_order()
            .iter()
            .map(|source| source.name())
            .collect();
        assert_eq!(
            names.join(" "),
            "stdin GHCR_PUSH_TOKEN DOCKER_AUTH_CONFIG authfile docker buildx podman GH_TOKEN GITHUB_TOKEN CR_PAT \
             GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN gh"
        );
    }
}
