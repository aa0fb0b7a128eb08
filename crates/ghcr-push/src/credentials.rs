//! Which credential a push uses, and where it came from.
//!
//! Sources are asked in a fixed order, and the first that has something wins. Those after it are looked at for
//! evidence, but no program is run for them: "which token did it really use" is half of most refusals. Nothing is
//! ever written.

mod ask;
mod auth_file;
mod files;
mod github;
mod helper;
mod json;
mod program;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ghcr_diagnosis::{CredentialFacts, TokenKind};
use oci_push::{Credentials, Profile};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::args::credentials::CredentialSource;
use crate::env::Environment;

/// How long a credential helper may take: some ask their user.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a credential is wanted for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The registry's host, as credentials are kept by.
    pub(crate) host: &'a str,
    /// `owner/name`.
    pub(crate) repository: &'a str,
    pub(crate) profile: Profile,
}

/// A credential that was found.
#[derive(Debug, Clone)]
pub(crate) struct FoundCredential {
    pub(crate) credentials: Credentials,
    pub(crate) facts: CredentialFacts,
    /// Where it can be found again.
    pub(crate) origin: CredentialSource,
    /// The part of the registry that it is for, if not the whole.
    pub(crate) part: Option<String>,
}

/// One place that was looked at without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looked {
    pub(crate) place: String,
    /// Why there is nothing.
    pub(crate) outcome: String,
}

/// The result of the search for one repository.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) found: Option<FoundCredential>,
    /// Other credentials that would have been used without it.
    pub(crate) shadowed: Vec<FoundCredential>,
    /// Variables that should hold a credential, and are set, but empty.
    pub(crate) empty_variables: Vec<String>,
    /// Where there was nothing.
    pub(crate) looked: Vec<Looked>,
    /// Oddities met on the way, a line each.
    pub(crate) notices: Vec<String>,
    /// Why places could not be read that may hold a credential, a line each.
    pub(crate) problems: Vec<String>,
}

/// Where to search.
pub(crate) struct Sources {
    pub(crate) environment: Environment,
    /// From `--username` and `--password-stdin`.
    pub(crate) given: Option<(String, SecretString)>,
    /// From `--username` or its variable, for a token that comes without a name.
    pub(crate) username: Option<String>,
    /// From `--authfile`.
    pub(crate) authfile: Option<PathBuf>,
    /// The only source to ask.
    pub(crate) forced: Option<CredentialSource>,
    /// Whether the run pushes to one registry only.
    pub(crate) sole_registry: bool,
    /// How long a program may take to answer.
    pub(crate) patience: Duration,
    /// What programs have answered: several repositories of a host ask each once.
    answers: Mutex<BTreeMap<String, helper::Answer>>,
    /// What was read from pipes.
    pipes: Mutex<BTreeMap<PathBuf, Zeroizing<Vec<u8>>>>,
}

impl Sources {
    /// The sources of a run that gives no credential on its command line.
    pub(crate) fn new(environment: Environment) -> Self {
        Self {
            environment,
            given: None,
            username: None,
            authfile: None,
            forced: None,
            sole_registry: true,
            patience: PATIENCE,
            answers: Mutex::default(),
            pipes: Mutex::default(),
        }
    }

    /// Finds the credential for `place`.
    pub(crate) fn search(&self, place: &Place<'_>) -> Search {
        let mut search = Search::default();
        let mut notes = Notes::new(true);
        for source in CredentialSource::in_order() {
            if self.forced.is_some_and(|forced| forced != *source) {
                continue;
            }
            let Some(winner) = &search.found else {
                search.found = self.ask(*source, place, &mut notes);
                continue;
            };
            let mut behind = Notes::new(false);
            if let Some(found) = self.ask(*source, place, &mut behind)
                && !is_same(&found, winner)
            {
                search.shadowed.push(found);
            }
            // It may be the one that was meant.
            for name in behind.empty_variables {
                notes.empty(&name);
            }
        }
        search.empty_variables = notes.empty_variables;
        search.looked = notes.looked;
        search.notices = notes.notices;
        search.problems = notes.problems;
        search
    }

    /// Asks the source of a credential once more, for a secret that may have been renewed there meanwhile.
    pub(crate) fn again(
        &self,
        origin: CredentialSource,
        place: &Place<'_>,
    ) -> Option<FoundCredential> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.ask(origin, place, &mut Notes::new(true))
    }
}

/// What is noted while sources are asked.
struct Notes {
    /// Whether programs may be run.
    may_run: bool,
    empty_variables: Vec<String>,
    looked: Vec<Looked>,
    notices: Vec<String>,
    problems: Vec<String>,
}

impl Notes {
    fn new(may_run: bool) -> Self {
        Self {
            may_run,
            empty_variables: Vec::new(),
            looked: Vec::new(),
            notices: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Notes a variable that should hold a credential, and is set, but empty. That is worth telling: it is what a secret
    /// looks like in a run for a fork's pull request.
    fn empty(&mut self, name: &str) {
        self.empty_variables.push(name.to_owned());
        self.notices.push(format!(
            "{name} is set but empty; secrets are empty in runs for pull requests from forks"
        ));
    }

    /// Notes that a place could not be read.
    fn passed_over(&mut self, place: &str, problem: String) {
        self.problems.push(format!("{place}: {problem}"));
        self.looked(place, problem);
    }

    fn looked(&mut self, place: impl Into<String>, outcome: impl Into<String>) {
        self.looked.push(Looked {
            place: place.into(),
            outcome: outcome.into(),
        });
    }
}

/// Whether two credentials have the same secret: a variable is often a copy of another.
pub(crate) fn is_same(left: &FoundCredential, right: &FoundCredential) -> bool {
    left.credentials.password.expose_secret() == right.credentials.password.expose_secret()
}

impl FoundCredential {
    fn new(
        origin: CredentialSource,
        source: String,
        username: String,
        password: SecretString,
    ) -> Self {
        let kind = if username == Credentials::IDENTITY_TOKEN_USER {
            TokenKind::Identity
        } else {
            TokenKind::of(password.expose_secret())
        };
        Self {
            credentials: Credentials { username, password },
            facts: CredentialFacts { source, kind },
            origin,
            part: None,
        }
    }

    /// The line that tells which credential is used and as whom, without its value.
    pub(crate) fn announcement(&self, host: &str) -> String {
        let CredentialFacts { source, kind } = &self.facts;
        let part = self.part.as_deref().unwrap_or(host);
        let username = &self.credentials.username;
        let kind = kind.describe();
        if username == Credentials::IDENTITY_TOKEN_USER {
            return format!("credential for {part}: {source} (identity token)");
        }
        format!("credential for {part}: {source} ({kind}), user name {username}")
    }

    /// Every form in which the secret could turn up in text.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let password = self.credentials.password.expose_secret();
        let pair = format!("{}:{password}", self.credentials.username);
        let mut secrets = forms(password);
        secrets.extend(encoded(&pair));
        secrets
    }
}

/// Every form in which a secret could turn up in text.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    // As it stands in a string of the JSON that a registry quotes it in. No more than the quotes around it goes: it
    // may have some at its own ends.
    let quoted = serde_json::Value::from(secret).to_string();
    let quoted = quoted.strip_prefix('"').unwrap_or(&quoted);
    let quoted = quoted.strip_suffix('"').unwrap_or(quoted);
    let mut forms = vec![secret.to_owned(), quoted.to_owned()];
    forms.extend(encoded(secret));
    forms
}

/// A text in base64, in both alphabets, with and without padding.
fn encoded(text: &str) -> [String; 4] {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|engine| engine.encode(text))
}

#[cfg(test)]
mod tests;
