//! Which registries are GitHub's, and whose tokens are good there. A token never goes to a registry of
//! another site than its own.

use crate::args::credentials::CredentialSource;
use crate::env::Environment;

/// The site that a registry belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// Its host: `github.com`, `example.ghe.com`, `github.example.com`.
    pub(crate) host: String,
    /// Whether it is a GitHub Enterprise Server, which has variables of its own.
    pub(crate) is_server: bool,
}

/// The site of a registry, `None` if the registry's name is not one of GitHub's
/// (<https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry>,
/// <https://docs.github.com/en/enterprise-server@latest/packages/working-with-a-github-packages-registry/working-with-the-container-registry>).
pub(crate) fn site(registry: &str) -> Option<Site> {
    let host = registry.strip_suffix(":443").unwrap_or(registry);
    if host == "ghcr.io" {
        return Some(Site {
            host: "github.com".to_owned(),
            is_server: false,
        });
    }
    let host = host.strip_prefix("containers.")?;
    // A server's name has a domain; one with a port is no server's registry.
    if host.contains(':') || !host.contains('.') || host.starts_with('.') {
        return None;
    }
    Some(Site {
        host: host.to_owned(),
        is_server: !host.ends_with(".ghe.com"),
    })
}

/// Whether a variable's token may go to `site`: the reason against it, or nothing.
///
/// The names are those of the gh command
/// (<https://cli.github.com/manual/gh_help_environment>). `GH_HOST` tells which server the enterprise
/// names are for; the token of a workflow is for the site that the workflow runs at.
pub(crate) fn objection(
    variable: CredentialSource,
    site: &Site,
    environment: &Environment,
) -> Option<String> {
    let workflow = workflow_site(environment);
    let is_of_workflow = workflow.as_deref() == Some(site.host.as_str());
    match variable {
        CredentialSource::GithubToken => match &workflow {
            Some(workflow) if !is_of_workflow => Some(format!(
                "it belongs to {workflow}, where the workflow runs, and not to {}",
                site.host
            )),
            None if site.is_server => Some(of_github(site)),
            _ => None,
        },
        CredentialSource::GhToken | CredentialSource::CrPat => {
            site.is_server.then(|| of_github(site))
        }
        CredentialSource::GhEnterpriseToken | CredentialSource::GithubEnterpriseToken => {
            if !site.is_server {
                return Some(format!(
                    "it is for GitHub Enterprise Server, which {} is not",
                    site.host
                ));
            }
            let named = environment.filled("GH_HOST").map(str::to_owned);
            let server = named.or(workflow.filter(|workflow| workflow != "github.com"));
            let other = server.filter(|server| !server.eq_ignore_ascii_case(&site.host))?;
            Some(format!("it belongs to {other}, and not to {}", site.host))
        }
        _ => None,
    }
}

fn of_github(site: &Site) -> String {
    format!(
        "it is for github.com; {} takes GH_ENTERPRISE_TOKEN",
        site.host
    )
}

/// The site that a workflow runs at
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).
fn workflow_site(environment: &Environment) -> Option<String> {
    if environment.get("GITHUB_ACTIONS") != Some("true") {
        return None;
    }
    let url = environment.filled("GITHUB_SERVER_URL")?;
    let host = url.strip_prefix("https://").unwrap_or(url);
    Some(host.trim_end_matches('/').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites() {
        for (registry, expected) in [
            ("ghcr.io", Some(("github.com", false))),
            ("ghcr.io:443", Some(("github.com", false))),
            ("ghcr.io:8443", None),
            ("ghcr.io.example", None),
            (
                "containers.example.ghe.com",
                Some(("example.ghe.com", false)),
            ),
            ("containers.github.example", Some(("github.example", true))),
            ("containers.github.example:5000", None),
            ("containers.localhost", None),
            ("containers..ghe.com", None),
            ("docker.pkg.github.com", None),
            ("registry.example", None),
        ] {
            let found = site(registry);
            let found = found
                .as_ref()
                .map(|site| (site.host.as_str(), site.is_server));
            assert_eq!(found, expected, "{registry}");
        }
    }

    #[test]
    fn whose_token_goes_where() {
        use CredentialSource::{CrPat, GhEnterpriseToken, GhToken, GithubToken};
        let at_home = ("GITHUB_SERVER_URL", "https://github.com");
        let at_server = ("GITHUB_SERVER_URL", "https://github.example");
        let in_actions = ("GITHUB_ACTIONS", "true");
        for (registry, variable, environment, goes) in [
            ("ghcr.io", GithubToken, &[][..], true),
            ("ghcr.io", GithubToken, &[in_actions, at_home], true),
            ("ghcr.io", GithubToken, &[in_actions, at_server], false),
            ("ghcr.io", GithubToken, &[at_server], true),
            ("ghcr.io", GhToken, &[in_actions, at_server], true),
            ("ghcr.io", CrPat, &[], true),
            ("ghcr.io", GhEnterpriseToken, &[], false),
            ("containers.a.ghe.com", GithubToken, &[], true),
            (
                "containers.a.ghe.com",
                GithubToken,
                &[in_actions, at_home],
                false,
            ),
            ("containers.a.ghe.com", GhEnterpriseToken, &[], false),
            ("containers.github.example", GithubToken, &[], false),
            (
                "containers.github.example",
                GithubToken,
                &[in_actions, at_server],
                true,
            ),
            ("containers.github.example", GhToken, &[], false),
            ("containers.github.example", CrPat, &[], false),
            ("containers.github.example", GhEnterpriseToken, &[], true),
            (
                "containers.github.example",
                GhEnterpriseToken,
                &[("GH_HOST", "github.example")],
                true,
            ),
            (
                "containers.github.example",
                GhEnterpriseToken,
                &[("GH_HOST", "other.example")],
                false,
            ),
            (
                "containers.other.example",
                GhEnterpriseToken,
                &[in_actions, at_server],
                false,
            ),
            (
                "containers.github.example",
                GhEnterpriseToken,
                &[in_actions, at_home],
                true,
            ),
        ] {
            let site = site(registry).expect("one of GitHub's");
            let objection = objection(variable, &site, &Environment::of(environment));
            assert_eq!(
                objection.is_none(),
                goes,
                "{registry} {variable:?} {environment:?} {objection:?}"
            );
        }
    }
}
