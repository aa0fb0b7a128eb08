//! A temporary directory with an image, the binary, and registries.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::Expect;
use tempfile::TempDir;
use test_registry::{Sample, SampleImage};

/// The credential that the embedded registries take.
pub(crate) const USERNAME: &str = "octocat";
/// Its token, of the kind that workflows have.
pub(crate) const TOKEN: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

/// What the embedded registry's request identifiers begin with; eight digits follow.
const REQUEST_ID: &str = "C0DE:12EF34:567890:9ABCDE:";

/// An image in a directory that goes away with it.
pub(crate) struct Image {
    pub(crate) directory: TempDir,
    pub(crate) sample: Sample,
}

impl Image {
    pub(crate) fn new(image: &SampleImage) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sample = image
            .write(&directory.path().join("image.tar"))
            .expect("the image can be written");
        Self { directory, sample }
    }

    pub(crate) fn small() -> Self {
        Self::new(&SampleImage::of_layers(&[3000, 100_000]))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("image.tar")
    }
}

/// The binary in an environment that holds nothing of the machine's.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghcr-push"));
    command
        .env_clear()
        .env("HOME", directory)
        // A workflow's log has colour, and would have it here.
        .env("NO_COLOR", "1")
        .current_dir(directory);
    command
}

/// Runs another program, which has to succeed, and returns what it printed.
#[track_caller]
pub(crate) fn run_tool(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    output.stdout
}

/// Runs the binary with a credential.
pub(crate) fn push(image: &Image, arguments: &[&str]) -> Run {
    let output = push_command(image, arguments).output();
    Run::of(output.expect("the binary starts"))
}

/// The binary with a credential.
pub(crate) fn push_command(image: &Image, arguments: &[&str]) -> Command {
    let mut command = command(image.directory.path());
    command
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .arg("--plain-http")
        .args(arguments);
    command
}

/// What the binary did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("output is text"),
            stderr: String::from_utf8(output.stderr).expect("output is text"),
        }
    }

    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        self
    }

    /// Standard error with what differs from run to run replaced.
    pub(crate) fn stable_stderr(&self, host: &str) -> String {
        let stable = match host {
            "" => self.stderr.clone(),
            host => self.stderr.replace(host, "HOST"),
        };
        let lines = stable.lines().map(|line| match line.find(REQUEST_ID) {
            Some(start) => {
                let end = start + REQUEST_ID.len() + 8;
                format!("{}ID{}\n", &line[..start], &line[end..])
            }
            None => format!("{line}\n"),
        });
        lines.collect()
    }
}

/// A failure's exit code and the whole of what it prints.
#[track_caller]
pub(crate) fn check(run: &Run, host: &str, code: i32, expected: &Expect) {
    run.assert_code(code);
    assert_eq!(run.stdout, "", "a failure prints no result");
    expected.assert_eq(&run.stable_stderr(host));
}
