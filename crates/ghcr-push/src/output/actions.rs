//! What a GitHub Actions run is told beside the log: annotations, groups, the job's summary, the step's outputs.
//!
//! Workflow commands go to standard error, which the runner reads as it reads standard output
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>). What cannot be told is
//! no reason to fail: the image is published, or it is not.

mod annotation;
mod command;
mod markdown;
mod outputs;
mod summary;

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use oci_push::PushReport;

use super::Printer;
use crate::args::GithubActions;
use crate::caution::Caution;
use crate::env::Environment;
use crate::error::CliError;
use crate::settings::Display;
use crate::settled::Settled;
use command::Command;
use summary::Summary;

/// The runner uploads no summary of a step that is larger
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits>).
const SUMMARY_LIMIT: u64 = 1024 * 1024;

/// A run that is told.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    /// `GITHUB_STEP_SUMMARY`.
    summary: Option<PathBuf>,
    /// `GITHUB_OUTPUT`.
    output: Option<PathBuf>,
    is_in_group: AtomicBool,
}

impl Actions {
    /// The run, if there is one, or is to be one.
    pub(crate) fn of(asked: GithubActions, environment: &Environment) -> Option<Self> {
        let is_run = environment.get("GITHUB_ACTIONS") == Some("true");
        let is_told = match asked {
            GithubActions::On => true,
            GithubActions::Off => false,
            GithubActions::Auto => is_run,
        };
        let file = |name: &str| environment.filled(name).map(PathBuf::from);
        is_told.then(|| Self {
            summary: file("GITHUB_STEP_SUMMARY"),
            output: file("GITHUB_OUTPUT"),
            is_in_group: AtomicBool::default(),
        })
    }
}

impl Printer {
    /// Tells a run what is printed.
    pub(crate) fn with_actions(mut self, actions: Option<Actions>) -> Self {
        self.actions = actions;
        self
    }

    /// Prints a warning: in a run as an annotation, elsewhere as a line.
    pub(crate) fn warning(&self, caution: &Caution) {
        let title = caution.code.to_string();
        self.warn(&title, &caution.text, &caution.line());
    }

    /// Prints what is odd but may be meant: in a run as an annotation, elsewhere as a notice.
    pub(crate) fn oddity(&self, title: &str, text: &str) {
        self.warn(title, text, &format!("notice: {text}"));
    }

    /// Prints what is set in the environment and has no effect.
    pub(crate) fn without_effect(&self, texts: &[String]) {
        for text in texts {
            self.warn("variable without effect", text, &format!("warning: {text}"));
        }
    }

    pub(super) fn warn(&self, title: &str, text: &str, line: &str) {
        if self.quiet {
            return;
        }
        if self.actions.is_some() {
            self.command(&Command::new("warning", text).with("title", title));
        } else {
            self.line(line);
        }
    }

    /// Folds the lines of progress that follow, in a run.
    pub(crate) fn begin_group(&self, title: &str) {
        // Bars and JSON are not for people who read a log.
        let is_log = self.display == Display::Lines && !self.quiet;
        let Some(actions) = self.actions.as_ref().filter(|_| is_log) else {
            return;
        };
        if !actions.is_in_group.swap(true, Ordering::Relaxed) {
            self.command(&Command::new("group", title));
        }
    }

    /// Ends the group, if there is one: what follows is to be seen.
    pub(super) fn end_group(&self) {
        let Some(actions) = &self.actions else { return };
        if actions.is_in_group.swap(false, Ordering::Relaxed) {
            self.command(&Command::new("endgroup", ""));
        }
    }

    /// Annotates the run with a failure. There is one annotation for it: the runner keeps ten of a step.
    pub(super) fn annotate(&self, error: &CliError) {
        if self.actions.is_none() {
            return;
        }
        self.command(&annotation::of(error));
    }

    /// Sets the step's outputs and adds to the job's summary after a push that succeeded.
    pub(crate) fn tell_success(&self, report: &PushReport) {
        let Some(actions) = &self.actions else { return };
        if let Some(path) = &actions.output {
            let text = outputs::of(report, &self.metadata(report));
            if let Err(error) = append(path, text.as_bytes(), u64::MAX) {
                self.notice(&format!(
                    "notice: the step's outputs cannot be set: {error}"
                ));
            }
        }
        self.summarize(&Summary::of_success(report));
    }

    /// Adds to the job's summary after a failure.
    pub(crate) fn tell_failure(&self, error: &CliError, settled: &[Settled]) {
        if self.actions.is_some() {
            self.summarize(&Summary::of_failure(error, settled, &|line| {
                self.harmless(line)
            }));
        }
    }

    /// Tells about refusals that another tool met.
    pub(crate) fn tell_refusals(&self, errors: &[CliError]) {
        if let Some(first) = errors.first() {
            self.annotate(first);
        }
        for error in errors {
            self.tell_failure(error, &[]);
        }
    }

    fn summarize(&self, summary: &Summary) {
        let path = self.actions.as_ref().and_then(|run| run.summary.as_ref());
        let Some(path) = path else { return };
        // The limit is for all that the step writes.
        let written = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let room = SUMMARY_LIMIT.saturating_sub(written);
        let text = summary.within(usize::try_from(room).unwrap_or(usize::MAX));
        if let Err(error) = append(path, text.as_bytes(), room) {
            self.notice(&format!(
                "notice: the job's summary cannot be written: {error}"
            ));
        }
    }

    /// Prints a workflow command.
    fn command(&self, command: &Command) {
        // Standard error is for events only then.
        if self.display == Display::Events {
            return;
        }
        self.print(&command.line(&|line| self.harmless(line)));
    }
}

/// Adds to a file that the runner has made, unless that would make it too large.
fn append(path: &Path, bytes: &[u8], room: u64) -> io::Result<()> {
    if bytes.len() as u64 > room {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            "what the step has written to it leaves no room",
        ));
    }
    let mut file = OpenOptions::new().append(true).open(path)?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests;
