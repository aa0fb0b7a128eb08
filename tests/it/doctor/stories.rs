//! Situations in which a push is refused, and the whole of what is told in each.

mod desk;
mod forms;
mod lock;
#[cfg(target_os = "linux")]
mod terminal;
mod workflow;

use std::process::Command;

use expect_test::Expect;
use test_registry::{Options, Refusal, TestRegistry};

use super::api::{Answer, Api};
use super::run::Workflow;
use crate::support::{Image, Run, TOKEN, USERNAME, command};

const CLASSIC: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const OAUTH: &str = "gho_16C7e42F292c6912E7710c838347Ae178B4a";
pub(super) const FINE_GRAINED: &str = "github_pat_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz";

/// A refused push.
struct Story<'a> {
    /// The run, `None` at a desk.
    workflow: Option<Workflow<'a>>,
    token: &'a str,
    refusal: Option<Refusal>,
    /// What the REST API answers; it is not asked if this is empty.
    api: &'a [Answer],
    options: &'a [&'a str],
    /// Set for the registry to refuse the credential.
    is_dead: bool,
    code: i32,
}

impl Default for Story<'_> {
    fn default() -> Self {
        Self {
            workflow: None,
            token: TOKEN,
            refusal: None,
            api: &[],
            options: &[],
            is_dead: false,
            code: 4,
        }
    }
}

impl Story<'_> {
    /// Tells the story, and returns what the binary said with what differs from run to run replaced: standard error,
    /// and standard output if there is any.
    #[track_caller]
    fn told(&self) -> String {
        self.told_by(|command| Run::of(command.output().expect("the binary starts")))
    }

    #[track_caller]
    fn told_by(&self, run: impl FnOnce(&mut Command) -> Run) -> String {
        let accepted = if self.is_dead { "another" } else { self.token };
        let registry = TestRegistry::start(Options::ghcr(USERNAME, accepted));
        if let Some(refusal) = &self.refusal {
            registry.deny("owner/app", refusal.clone());
        }
        let api = Api::start(self.api);
        let image = Image::small();
        let directory = image.directory.path();
        let mut command = match &self.workflow {
            Some(workflow) => workflow.command(directory),
            None => command(directory),
        };
        command
            .env("GHCR_PUSH_TOKEN", self.token)
            .env("GHCR_PUSH_USERNAME", USERNAME)
            .args(["--plain-http", "--registry-profile", "ghcr"])
            .args(self.options);
        if !self.api.is_empty() {
            command.env("GHCR_PUSH_API_URL", api.url());
        }
        command.args(["image.tar", &format!("{}/owner/app:1", registry.host())]);
        let run = run(&mut command);
        run.assert_code(self.code);
        let host = registry.host();
        let mut told = run.stable_stderr(&host);
        if !run.stdout.is_empty() {
            told.push_str("--- standard output\n");
            told.push_str(&run.stdout.replace(&host, "HOST"));
        }
        told.replace(&api.url(), "API")
    }

    #[track_caller]
    fn check(&self, expected: &Expect) {
        expected.assert_eq(&self.told());
    }
}

/// A refusal in words of its own.
fn denied(message: &str) -> Refusal {
    Refusal::Custom {
        status: 403,
        code: "DENIED".to_owned(),
        message: message.to_owned(),
    }
}
