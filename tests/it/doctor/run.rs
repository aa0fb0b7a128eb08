//! A workflow run in a directory: its environment, its event's payload, its checked-out workflow file.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Run, USERNAME, command};

/// Where the workflow's file is in the checked-out repository.
pub(crate) const WORKFLOW_FILE: &str = ".github/workflows/release.yml";

/// The commit that the run is for, and whose workflow runs.
const COMMIT: &str = "ffac537e6cbbf934b08745a378932722df287a53";

/// A run of the job `publish` in `owner/app`.
#[derive(Clone, Copy)]
pub(crate) struct Workflow<'a> {
    pub(crate) repository: &'a str,
    pub(crate) event: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) actor: &'a str,
    /// The text of the workflow's file, if it is checked out.
    pub(crate) file: Option<&'a str>,
    /// That of `called.yml` beside.
    pub(crate) called: Option<&'a str>,
}

impl Default for Workflow<'_> {
    fn default() -> Self {
        Self {
            repository: "owner/app",
            event: "push",
            payload: "{}",
            actor: USERNAME,
            file: None,
            called: None,
        }
    }
}

impl Workflow<'_> {
    /// The binary in a step of this run, in `directory`.
    pub(crate) fn command(&self, directory: &Path) -> Command {
        let payload = directory.join("event.json");
        std::fs::write(&payload, self.payload).expect("the payload can be written");
        if let Some(text) = self.file {
            let path = directory.join(WORKFLOW_FILE);
            let parent = path.parent().expect("it has a parent");
            std::fs::create_dir_all(parent).expect("a directory");
            std::fs::write(path, text).expect("the workflow's file can be written");
        }
        if let Some(text) = self.called {
            let path = directory.join("called.yml");
            std::fs::write(path, text).expect("the called workflow's file can be written");
        }
        let reference = format!("{}/{WORKFLOW_FILE}@refs/heads/main", self.repository);
        let mut command = command(directory);
        command
            .env("GITHUB_ACTIONS", "true")
            // What the log of a run tells beside is another matter (`actions.rs`).
            .env("GHCR_PUSH_GITHUB_ACTIONS", "off")
            .env("GITHUB_ACTOR", self.actor)
            .env("GITHUB_EVENT_NAME", self.event)
            .env("GITHUB_EVENT_PATH", payload)
            .env("GITHUB_JOB", "publish")
            .env("GITHUB_REPOSITORY", self.repository)
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_SHA", COMMIT)
            .env("GITHUB_WORKFLOW_REF", reference)
            .env("GITHUB_WORKFLOW_SHA", COMMIT)
            .env("GITHUB_WORKSPACE", directory);
        command
    }
}

/// Runs a command with `input` on its standard input.
pub(crate) fn fed(command: &mut Command, input: &str) -> Run {
    use std::io::Write as _;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    Run::of(child.wait_with_output().expect("it ends"))
}
