//! A job on a runner that has nothing but what the action needs: the files, variables and directories that the
//! runner makes for a step, and programs of which some are faked.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::definition::{self, Context, evaluate};
use super::root;
use crate::support::{Run, USERNAME};

/// The programs that the action calls, beside gh. Nothing else is on PATH.
const PROGRAMS: [&str; 15] = [
    "awk",
    "bash",
    "cat",
    "curl",
    "cut",
    "gzip",
    "mkdir",
    "mktemp",
    "mv",
    "printf",
    "rm",
    "sh",
    "sha256sum",
    "tar",
    "unzip",
];

/// The token that the runner gives a job.
pub(super) const WORKFLOW_TOKEN: &str = "ghs_workflow";

/// What gh is on a machine.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gh {
    Content,
    Refusing,
    /// One that knows no attestations.
    Old,
    Absent,
}

/// A job whose only step uses the action.
pub(super) struct Job {
    directory: PathBuf,
    inputs: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    /// What the action is named with, behind the at sign.
    action_ref: String,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The action's steps, to the first that failed.
    pub(super) steps: Vec<Run>,
    /// The outputs of the action, set or not.
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) summary: String,
    /// What was added to PATH.
    pub(super) path: Vec<String>,
}

impl Job {
    /// A job in a directory.
    pub(super) fn new(directory: &Path) -> Self {
        let job = Self {
            directory: directory.to_owned(),
            inputs: BTreeMap::new(),
            variables: BTreeMap::new(),
            action_ref: "v1".to_owned(),
        };
        fs::create_dir(job.bin()).expect("writable");
        for program in PROGRAMS {
            let places = ["/usr/bin", "/bin", "/opt/homebrew/bin", "/usr/local/bin"];
            let places = places.map(|place| Path::new(place).join(program));
            if let Some(place) = places.iter().find(|place| place.exists()) {
                symlink(place, job.bin().join(program)).expect("writable");
            }
        }
        job.gh(Gh::Content);
        job
    }

    /// Sets an input, as `with:` does.
    pub(super) fn input(&mut self, name: &str, value: &str) {
        self.inputs.insert(name.to_owned(), value.to_owned());
    }

    /// Names the action with another tag, or a commit.
    pub(super) fn pin(&mut self, action_ref: &str) {
        action_ref.clone_into(&mut self.action_ref);
    }

    /// Sets a variable of the runner's.
    pub(super) fn variable(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Replaces gh. It writes down what it is asked, with the host and the token that it would use.
    pub(super) fn gh(&self, gh: Gh) {
        let log = self.directory.join("gh.log");
        let (knows, verifies) = match gh {
            Gh::Content => (0, 0),
            Gh::Refusing => (0, 1),
            Gh::Old => (1, 1),
            Gh::Absent => return fs::remove_file(self.bin().join("gh")).expect("it was there"),
        };
        self.program(
            "gh",
            &format!(
                "case \"$*\" in *--help*) exit {knows} ;; esac\n\
                 echo \"$GH_HOST $GH_TOKEN $*\" >>'{}'\n\
                 exit {verifies}",
                log.display()
            ),
        );
    }

    /// What gh was asked.
    pub(super) fn asked_of_gh(&self) -> Vec<String> {
        lines(&self.directory.join("gh.log"))
    }

    /// Puts a shell script on PATH.
    pub(super) fn program(&self, name: &str, script: &str) {
        let path = self.bin().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its own file");
    }

    /// Where the versions of the tool are kept.
    pub(super) fn tools(&self) -> PathBuf {
        self.directory.join("tools/ghcr-push")
    }

    fn bin(&self) -> PathBuf {
        self.directory.join("bin")
    }

    /// Runs the action's steps to the first that fails.
    pub(super) fn run(&self) -> Outcome {
        self.run_and(|_| ())
    }

    /// The same, and does something while the last step is under way.
    pub(super) fn run_and(&self, meanwhile: impl Fn(&mut Child)) -> Outcome {
        let action = definition::read();
        let mut context = self.context(&action);
        let steps = action["runs"]["steps"].as_array().expect("steps");
        let mut runs = Vec::new();
        for name in ["summary", "path"] {
            fs::write(self.directory.join(name), "").expect("writable");
        }
        for (position, step) in steps.iter().enumerate() {
            let output = self.directory.join("output");
            fs::write(&output, "").expect("writable");
            let mut child = self.command(step, &context).spawn().expect("bash starts");
            if position + 1 == steps.len() {
                meanwhile(&mut child);
            }
            runs.push(Run::of(child.wait_with_output().expect("it ends")));
            let id = step["id"].as_str().expect("an id");
            for (name, value) in outputs(&fs::read_to_string(&output).expect("text")) {
                context.insert(format!("steps.{id}.outputs.{name}"), value);
            }
            if runs.last().is_some_and(|run| run.code != Some(0)) {
                break;
            }
        }
        let declared = action["outputs"].as_object().expect("outputs");
        let outputs = declared.iter().map(|(name, output)| {
            let value = evaluate(output["value"].as_str().expect("a value"), &context);
            (name.clone(), value)
        });
        Outcome {
            steps: runs,
            outputs: outputs.collect(),
            summary: fs::read_to_string(self.directory.join("summary")).expect("text"),
            path: lines(&self.directory.join("path")),
        }
    }

    /// What expressions may look up. An input that is not given has its default.
    fn context(&self, action: &Value) -> Context {
        let mut context: Context = [
            ("github.token", WORKFLOW_TOKEN),
            ("github.action_ref", self.action_ref.as_str()),
            ("github.action_repository", "owner/source"),
            ("github.repository", "owner/app"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let known = action["inputs"].as_object().expect("inputs");
        for name in self.inputs.keys() {
            assert!(known.contains_key(name), "there is no input {name}");
        }
        for (name, input) in known {
            let default = evaluate(input["default"].as_str().unwrap_or_default(), &context);
            let value = self.inputs.get(name).unwrap_or(&default).clone();
            context.insert(format!("inputs.{name}"), value);
        }
        context
    }

    /// A step as the runner starts it
    /// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell>).
    fn command(&self, step: &Value, context: &Context) -> Command {
        assert_eq!(step["shell"], "bash");
        let script = self.directory.join("step.sh");
        let run = step["run"].as_str().expect("a script");
        fs::write(&script, evaluate(run, context)).expect("writable");
        let mut command = Command::new(self.bin().join("bash"));
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(script)
            .current_dir(&self.directory)
            .env_clear()
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_ACTOR", USERNAME)
            .env("GITHUB_OUTPUT", self.directory.join("output"))
            .env("GITHUB_PATH", self.directory.join("path"))
            .env("GITHUB_REPOSITORY", "owner/app")
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_STEP_SUMMARY", self.directory.join("summary"))
            .env("GITHUB_WORKSPACE", &self.directory)
            .env("HOME", &self.directory)
            .env("NO_COLOR", "1")
            .env("PATH", self.bin())
            .env("RUNNER_ARCH", "X64")
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_TEMP", self.directory.join("temporary"))
            .env("RUNNER_TOOL_CACHE", self.directory.join("tools"))
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in step["env"].as_object().expect("variables") {
            command.env(name, evaluate(value.as_str().expect("a text"), context));
        }
        command
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What a step wrote into `GITHUB_OUTPUT`: `name=value`, or `name<<END`, lines, `END`.
fn outputs(text: &str) -> Vec<(String, String)> {
    let mut outputs = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((name, end)) = line.split_once("<<") {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            outputs.push((name.to_owned(), value.join("\n")));
        } else {
            let (name, value) = line.split_once('=').expect("an output");
            outputs.push((name.to_owned(), value.to_owned()));
        }
    }
    outputs
}
