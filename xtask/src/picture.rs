//! `docs/ghcr-push.svg`: what a terminal shows of a push and of a refusal. The tool is run for it, on a
//! terminal of `script` (util-linux), and pushes to `ghcr.io`: a proxy leads there, and to an embedded
//! registry in its place. What chance and the clock decide is replaced, so that the picture changes only
//! with what the tool says.

mod screen;
mod stable;
mod svg;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use test_registry::{
    Action, Fault, Front, Options, Phase, Refusal, Route, SampleImage, TestRegistry,
};

use crate::run::{cargo, have, root};
use screen::Frames;
use svg::Window;

/// As many as the digest of a reference takes.
const COLUMNS: usize = 98;
const MIB: u64 = 1 << 20;
const USERNAME: &str = "octocat";

/// Where the picture is.
fn path() -> PathBuf {
    root().join("docs/ghcr-push.svg")
}

/// What can be drawn on this machine.
pub(crate) enum Drawn {
    Picture(String),
    /// Why there is none.
    Not(&'static str),
}

/// Writes the picture.
pub(crate) fn write() -> Result<Drawn, String> {
    let drawn = draw()?;
    if let Drawn::Picture(text) = &drawn {
        std::fs::write(path(), text).map_err(|error| error.to_string())?;
    }
    Ok(drawn)
}

/// Whether the picture is what it would be.
pub(crate) fn is_current() -> Result<Drawn, String> {
    let drawn = draw()?;
    if let Drawn::Picture(text) = &drawn {
        let there = std::fs::read_to_string(path()).map_err(|error| error.to_string())?;
        if there != *text {
            return Err(
                "docs/ghcr-push.svg is not what the tool shows; cargo xtask docs draws it anew"
                    .to_owned(),
            );
        }
    }
    Ok(drawn)
}

fn draw() -> Result<Drawn, String> {
    if !cfg!(target_os = "linux") || !have("script") {
        return Ok(Drawn::Not("util-linux's script is not here"));
    }
    let stage = Stage::new(&built()?)?;
    let push = stage.push()?;
    let refusal = stage.refusal()?;
    Ok(Drawn::Picture(svg::svg(COLUMNS, &[push, refusal])))
}

/// The tool, built with the tests' profile.
fn built() -> Result<PathBuf, String> {
    let output = cargo(&[
        "build",
        "--quiet",
        "--package",
        "ghcr-push",
        "--locked",
        "--message-format",
        "json",
    ])
    .stderr(std::process::Stdio::inherit())
    .output()
    .map_err(|error| format!("cargo cannot be run: {error}"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "ghcr-push")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "ghcr-push cannot be built".to_owned())
}

/// A directory with an image, and the tool.
struct Stage {
    binary: PathBuf,
    directory: tempfile::TempDir,
}

impl Stage {
    fn new(binary: &Path) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let sizes = [40 * MIB, 24 * MIB, 12 * MIB, 2048];
        SampleImage::of_layers(&sizes)
            .write(&directory.path().join("image.tar"))
            .map_err(|error| format!("the image cannot be written: {error}"))?;
        Ok(Self {
            binary: binary.to_owned(),
            directory,
        })
    }

    /// Three large layers in mid-flight, which wait for the registry together.
    fn push(&self) -> Result<Window, String> {
        let registry = TestRegistry::start(options());
        // While the first chunk of one blob waits, those of the others arrive; then all wait for long with two.
        for (first, wait) in [(1, 1), (4, 3)] {
            let pause = Action::Delay(Duration::from_secs(wait));
            let chunks = Fault::new(pause).on(Route::UploadChunk).times(3);
            registry.fail(chunks.at(Phase::BeforeState).from_request(first));
        }
        let words = "ghcr-push image.tar ghcr.io/octo-org/hello:1.0";
        let written = self.run(words, &registry, None, 0)?;
        let frames = Frames::of(&written, COLUMNS)?;
        let mut lines = frames
            .longest(stable::progress)
            .ok_or_else(|| format!("there is no progress in full:\n{written}"))?;
        lines.push(svg::cut("then, in place of the progress"));
        // The credential's line stands there still.
        lines.extend(frames.last(stable::summary).into_iter().skip(1));
        Ok(Window::new("a push", words, lines))
    }

    /// A package that was first pushed by hand.
    fn refusal(&self) -> Result<Window, String> {
        let registry = TestRegistry::start(options());
        registry.deny("octo-org/by-hand", Refusal::WritePackage);
        let api = TestRegistry::start(Options::default());
        let answers = [
            json!({ "login": "octo-org", "type": "Organization" }),
            json!({ "visibility": "public", "repository": null }),
            json!({ "total_count": 1, "repositories": [{ "full_name": "octo-org/hello" }] }),
        ];
        for (number, answer) in answers.iter().enumerate() {
            let answer = Action::Answer {
                status: 200,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: answer.to_string(),
            };
            api.fail(Fault::new(answer).from_request(number + 1).once());
        }
        let words = "ghcr-push image.tar ghcr.io/octo-org/by-hand:1.0";
        let written = self.run(words, &registry, Some(&api), 4)?;
        let frames = Frames::of(&written, COLUMNS)?;
        let lines = frames.last(stable::failure);
        Ok(Window::new("a refusal, explained", words, lines))
    }

    /// Runs the tool as a workflow's step would, but on a terminal.
    fn run(
        &self,
        words: &str,
        registry: &TestRegistry,
        api: Option<&TestRegistry>,
        code: i32,
    ) -> Result<String, String> {
        let (registry, api) = (registry.host(), api.map(TestRegistry::host));
        let mut hosts = vec![("ghcr.io", registry.as_str())];
        hosts.extend(api.as_deref().map(|api| ("api.github.com", api)));
        let front = Front::start(&hosts).map_err(|error| error.to_string())?;
        let directory = self.directory.path();
        std::fs::write(directory.join("ca.pem"), front.certificate())
            .map_err(|error| error.to_string())?;
        let command = words.replacen("ghcr-push", &format!("'{}'", self.binary.display()), 1);
        let output = Command::new("script")
            .args([
                "-qec",
                &format!("stty rows 24 cols {COLUMNS}; {command}"),
                "/dev/null",
            ])
            .current_dir(directory)
            .env_clear()
            .env("HOME", directory)
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm-256color")
            .env("HTTPS_PROXY", front.url())
            .env("GHCR_PUSH_CA_FILE", "ca.pem")
            // One stream would be read ahead by who knows how much.
            .env("GHCR_PUSH_CHUNK_SIZE", "4MiB")
            .env("GHCR_PUSH_GITHUB_ACTIONS", "off")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_ACTOR", USERNAME)
            .env("GITHUB_JOB", "publish")
            .env("GITHUB_REPOSITORY", "octo-org/hello")
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_TOKEN", token())
            .output()
            .map_err(|error| format!("script cannot be run: {error}"))?;
        let written = String::from_utf8_lossy(&output.stdout);
        if output.status.code() != Some(code) {
            return Err(format!("{words}: {}\n{written}", output.status));
        }
        Ok(written.into_owned())
    }
}

/// Made up, of the form of a workflow's token.
fn token() -> String {
    format!("ghs_{}", "picture".repeat(6))
}

fn options() -> Options {
    let mut options = Options::ghcr(USERNAME, &token());
    options.is_behind_tls = true;
    options
}
