//! Sources that are programs: credential helpers, and the gh command.

use std::process::Command;
use std::sync::PoisonError;
use std::time::Duration;

use secrecy::SecretString;

use super::{Document, site};
use crate::args::credentials::CredentialSource;
use crate::credentials::auth_file::DOCKER_HUB;
use crate::credentials::helper::{self, Answer};
use crate::credentials::{FoundCredential, Notes, Place, Sources, program};

/// `gh` looks into a file or the system's key ring; it asks nobody.
const PATIENCE_WITH_GH: Duration = Duration::from_secs(10);

/// What gh takes a token from before it looks into its own store. That is what it is asked about.
const VARIABLES_OF_GH: [&str; 4] = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
];

impl Sources {
    /// What a helper answers that a file names.
    pub(super) fn helper(
        &self,
        document: &Document<'_>,
        name: &str,
        place: &Place<'_>,
        notes: &mut Notes,
    ) -> Option<FoundCredential> {
        if !notes.may_run {
            return None;
        }
        let server = if place.host == DOCKER_HUB.1 {
            DOCKER_HUB.0
        } else {
            place.host
        };
        let label = document.label;
        let described = format!("the credential helper {name:?}, named in {label}");
        let answer = self.once(&format!("{name} {server}"), || {
            helper::get(name, server, &self.environment.search_path(), self.patience)
        });
        match answer {
            Answer::Found { username, password } => {
                let username = if username.is_empty() {
                    self.user()
                } else {
                    username
                };
                Some(FoundCredential::new(
                    document.source,
                    described,
                    username,
                    password,
                ))
            }
            Answer::Absent => {
                notes.looked(described, format!("nothing for {}", place.host));
                None
            }
            Answer::Failed(problem) => {
                notes
                    .notices
                    .push(format!("{described}, was passed over: {problem}"));
                notes.passed_over(&described, problem);
                None
            }
        }
    }

    /// The token of the gh command's login. That there is none, or no gh, is nothing odd.
    pub(super) fn gh(&self, place: &Place<'_>, notes: &mut Notes) -> Option<FoundCredential> {
        let site = match site(place) {
            Ok(site) => site,
            Err(objection) => {
                notes.looked("gh auth token", objection);
                return None;
            }
        };
        let line = format!("gh auth token --hostname {}", site.host);
        if !notes.may_run {
            return None;
        }
        match self.once(&line, || self.run_gh(&site.host)) {
            Answer::Found { password, .. } => Some(FoundCredential::new(
                CredentialSource::Gh,
                line,
                self.user(),
                password,
            )),
            Answer::Absent => {
                notes.looked(line, "no answer");
                None
            }
            Answer::Failed(problem) => {
                notes.looked(line, problem);
                None
            }
        }
    }

    fn run_gh(&self, host: &str) -> Answer {
        let Some(path) = program::find(&self.environment.search_path(), "gh") else {
            return Answer::Failed("gh is not installed".to_owned());
        };
        let mut command = Command::new(path);
        command
            .args(["auth", "token", "--hostname", host])
            .env("GH_PROMPT_DISABLED", "1")
            .env("GH_NO_UPDATE_NOTIFIER", "1")
            .env("NO_COLOR", "1");
        for variable in VARIABLES_OF_GH {
            command.env_remove(variable);
        }
        match program::run(command, "", self.patience.min(PATIENCE_WITH_GH)) {
            Ok(output) if output.succeeded => match std::str::from_utf8(&output.answer) {
                Ok(token) if token.trim().is_empty() => Answer::Absent,
                Ok(token) if token.trim().contains(char::is_whitespace) => {
                    Answer::Failed("its answer is no token".to_owned())
                }
                Ok(token) => Answer::Found {
                    username: String::new(),
                    password: SecretString::from(token.trim()),
                },
                Err(_) => Answer::Failed("its answer is no token".to_owned()),
            },
            Ok(output) => Answer::Failed(
                output
                    .complaint()
                    .unwrap_or_else(|| "it failed without a word".to_owned()),
            ),
            Err(problem) => Answer::Failed(problem.to_string()),
        }
    }

    /// What a program answers, which is asked no more than once.
    fn once(&self, question: &str, ask: impl FnOnce() -> Answer) -> Answer {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers
            .entry(question.to_owned())
            .or_insert_with(ask)
            .clone()
    }
}
