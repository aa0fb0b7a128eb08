//! Which credential a push uses, and where it came from.
//!
//! Sources are asked in a fixed order, and the first that has something wins. What was passed over is
//! kept: "which token did it really use" is half of most refusals. Nothing is ever written.

mod docker_config;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ghcr_diagnosis::{CredentialFacts, TokenKind};
use oci_push::{Credentials, Profile};
use secrecy::{ExposeSecret, SecretString};

use crate::env::Environment;

/// GitHub takes any user name beside a token; this is the conventional one for tokens of no person.
const TOKEN_USER: &str = "x-access-token";

/// A credential that was found.
#[derive(Debug, Clone)]
pub(crate) struct FoundCredential {
    pub(crate) credentials: Credentials,
    pub(crate) facts: CredentialFacts,
}

/// The result of the search for one host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) found: Option<FoundCredential>,
    /// Oddities met on the way, a line each.
    pub(crate) notices: Vec<String>,
}

/// Where to search.
pub(crate) struct Sources<'a> {
    pub(crate) environment: &'a Environment,
    /// From `--username` and `--password-stdin`.
    pub(crate) given: Option<(String, SecretString)>,
    /// From `--username` or its variable, for a token that comes without a name.
    pub(crate) username: Option<&'a str>,
    /// Whether the run pushes to one registry only.
    pub(crate) sole_registry: bool,
}

impl Sources<'_> {
    /// Finds the credential for `host`.
    pub(crate) fn search(&self, host: &str, profile: Profile) -> Search {
        let mut search = Search::default();
        search.found = self
            .given()
            .or_else(|| self.own_variable(profile, &mut search.notices))
            .or_else(|| self.docker_config(host, &mut search.notices))
            .or_else(|| self.github_token(host, profile, &mut search.notices));
        search
    }

    fn given(&self) -> Option<FoundCredential> {
        let (username, password) = self.given.clone()?;
        Some(found(username, password, "--password-stdin".to_owned()))
    }

    /// The tool's own variable names no host: with several registries it goes to GitHub's only.
    fn own_variable(&self, profile: Profile, notices: &mut Vec<String>) -> Option<FoundCredential> {
        if !self.sole_registry && profile != Profile::Ghcr {
            return None;
        }
        let token = self.variable("GHCR_PUSH_TOKEN", notices)?;
        let username = self
            .username
            .or_else(|| self.environment.filled("GITHUB_ACTOR"))
            .unwrap_or(TOKEN_USER);
        Some(found(
            username.to_owned(),
            token,
            "GHCR_PUSH_TOKEN".to_owned(),
        ))
    }

    fn docker_config(&self, host: &str, notices: &mut Vec<String>) -> Option<FoundCredential> {
        let path = match self.environment.filled("DOCKER_CONFIG") {
            Some(directory) => std::path::Path::new(directory).join("config.json"),
            None => self.environment.home()?.join(".docker").join("config.json"),
        };
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    notices.push(format!("{} cannot be read: {error}", path.display()));
                }
                return None;
            }
        };
        let shown = path.display();
        match docker_config::credentials(&text, host) {
            Ok(docker_config::Entry::Found { username, password }) => {
                Some(found(username, password, shown.to_string()))
            }
            Ok(docker_config::Entry::Helper(helper)) => {
                notices.push(format!(
                    "{shown} leaves {host} to the credential helper {helper:?}, which this version does not ask"
                ));
                None
            }
            Ok(docker_config::Entry::Absent) => None,
            Err(problem) => {
                notices.push(format!("{shown} was passed over: {problem}"));
                None
            }
        }
    }

    /// A token for GitHub goes to GitHub's own registries only, whatever `--registry-profile` says.
    fn github_token(
        &self,
        host: &str,
        profile: Profile,
        notices: &mut Vec<String>,
    ) -> Option<FoundCredential> {
        if profile != Profile::Ghcr || Profile::of_host(host) != Profile::Ghcr {
            return None;
        }
        let token = self.variable("GITHUB_TOKEN", notices)?;
        let username = self
            .environment
            .filled("GITHUB_ACTOR")
            .unwrap_or(TOKEN_USER);
        Some(found(username.to_owned(), token, "GITHUB_TOKEN".to_owned()))
    }

    /// A variable's value. One that is set but empty is worth telling: that is what a secret looks like
    /// in a run for a fork's pull request.
    fn variable(&self, name: &str, notices: &mut Vec<String>) -> Option<SecretString> {
        let value = self.environment.get(name)?.trim();
        if value.is_empty() {
            notices.push(format!(
                "{name} is set but empty; secrets are empty in runs for pull requests from forks"
            ));
            return None;
        }
        Some(SecretString::from(value.to_owned()))
    }
}

fn found(username: String, password: SecretString, source: String) -> FoundCredential {
    let kind = TokenKind::of(password.expose_secret());
    FoundCredential {
        credentials: Credentials { username, password },
        facts: CredentialFacts { source, kind },
    }
}

impl FoundCredential {
    /// The line that tells which credential is used and as whom, without its value.
    pub(crate) fn announcement(&self, host: &str) -> String {
        let CredentialFacts { source, kind } = &self.facts;
        let username = &self.credentials.username;
        let kind = kind.describe();
        format!("credential for {host}: {source} ({kind}), user name {username}")
    }

    /// Every form in which the secret could turn up in text.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let password = self.credentials.password.expose_secret();
        let pair = format!("{}:{password}", self.credentials.username);
        // As it stands in a string of the JSON that a registry quotes it in.
        let quoted = serde_json::Value::from(password).to_string();
        vec![
            password.to_owned(),
            quoted.trim_matches('"').to_owned(),
            BASE64.encode(password),
            BASE64.encode(pair),
        ]
    }
}

#[cfg(test)]
mod tests;
