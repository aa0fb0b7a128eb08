//! The commands in the documents, run as they stand: `ghcr.io` is a proxy's way to an embedded registry, as
//! `HTTPS_PROXY` tells the tool, and `gh` and `docker` are programs that answer as those would.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use test_registry::{Front, Options, SampleImage, TestRegistry, installed};

use super::{pages, yaml};

/// Blocks that cannot run here: their page, how they begin, and why.
const NOT_RUN: [(&str, &str, &str); 5] = [
    (
        "README.md",
        "cargo install --locked --path",
        "it builds, and the tests have the binary already",
    ),
    (
        "README.md",
        "cargo xtask demo",
        "it takes minutes, and the other command beside it runs this test",
    ),
    (
        "docs/benchmarks.md",
        "cargo xtask bench",
        "it takes an hour, and measures nothing beside other tests",
    ),
    (
        "docs/releasing.md",
        "docker run --rm",
        "it needs a daemon, and an image that only a release publishes",
    ),
    (
        "fuzz/README.md",
        "cargo install cargo-fuzz",
        "it needs a compiler of another channel, and is to find something for ten minutes",
    ),
];

/// What workflows run besides: programs, and why they do not run here.
const OTHER_PROGRAMS: [(&str, &str); 5] = [
    ("cargo", "it builds what the tests have already"),
    (
        "docker",
        "it needs a daemon, and what there would be to build",
    ),
    ("skopeo", "it copies into a daemon"),
    ("cosign", "it signs with the identity of a real run"),
    ("echo", "it prints what an action of a release has put out"),
];

/// The environment of the steps that push, in which the examples' own variables stand for expressions of GitHub's.
const STEP: [(&str, &str); 7] = [
    ("GITHUB_REPOSITORY", "USER/step"),
    ("GITHUB_SHA", "ffac537e6cbbf934b08745a378932722df287a53"),
    ("GITHUB_REF_NAME", "v1.4"),
    ("TAGS", "ghcr.io/user/step:1\nghcr.io/user/step:1.4"),
    ("REFERENCE", "ghcr.io/user/step:pull-7"),
    ("REGISTRY", "ghcr.io"),
    ("GITHUB_TOKEN", TOKEN),
];

/// Who pushes in the documents.
const USERNAME: &str = "USER";
const TOKEN: &str = "gho_16C7e42F292c6912E7710c838347Ae178B4a";

const GH: &str = r#"case "$*" in
  "auth refresh --scopes write:packages") ;;
  "auth token" | "auth token --hostname github.com") echo "$FAKE_TOKEN" ;;
  *) echo "gh: $*" >&2; exit 1 ;;
esac"#;

const DOCKER: &str = r#"case "$*" in
  "save app") cat amd64.tar ;;
  *) echo "docker: $*" >&2; exit 1 ;;
esac"#;

/// What another tool printed.
const LOG: &str = "#9 pushing layers\n#9 ERROR: failed to push ghcr.io/user/name:latest: denied: \
                   permission_denied: write_package\n";

fn stage() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).expect("it can be written");
    };
    for (name, platform) in [("amd64.tar", "amd64"), ("arm64.tar", "arm64")] {
        let image = SampleImage::default().platform(platform, &[3000, 100_000]);
        let written = image.write(&directory.path().join(name));
        written.expect("the image can be written");
    }
    let both = SampleImage::default()
        .platform("amd64", &[4000])
        .platform("arm64", &[5000]);
    let written = both.write(&directory.path().join("image.tar"));
    written.expect("the image can be written");
    write("build.log", LOG);
    std::fs::create_dir(directory.path().join("bin")).expect("a directory");
    let program = env!("CARGO_BIN_EXE_ghcr-push");
    let own = format!("exec '{program}' \"$@\"");
    for (name, script) in [("gh", GH), ("docker", DOCKER), ("ghcr-push", &own)] {
        write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        let path = directory.path().join("bin").join(name);
        let status = Command::new("chmod").arg("+x").arg(path).status();
        assert!(status.expect("chmod starts").success());
    }
    directory
}

fn run(text: &str, directory: &Path, front: &Front) -> Result<(), String> {
    run_with(text, directory, front, &[])
}

fn run_with(
    text: &str,
    directory: &Path,
    front: &Front,
    variables: &[(&str, &str)],
) -> Result<(), String> {
    std::fs::write(directory.join("ca.pem"), front.certificate()).expect("it can be written");
    let output = Command::new("bash")
        .args(["-eu", "-c", text])
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("PATH", format!("{}/bin:/usr/bin:/bin", directory.display()))
        .env("FAKE_TOKEN", TOKEN)
        // The name that goes with gh's token.
        .env("GITHUB_ACTOR", USERNAME)
        .env("HTTPS_PROXY", front.url())
        .env("GHCR_PUSH_CA_FILE", "ca.pem")
        .envs(variables.iter().copied())
        .output()
        .expect("bash starts");
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn registry() -> TestRegistry {
    let mut options = Options::ghcr(USERNAME, TOKEN);
    options.is_behind_tls = true;
    TestRegistry::start(options)
}

#[test]
fn commands_run() {
    if !cfg!(unix) || !installed(&["bash"]) {
        return;
    }
    let registry = registry();
    let front = Front::start(&[("ghcr.io", &registry.host())]).expect("a proxy");
    let directory = stage();
    let mut count = 0;
    let mut left_out = Vec::new();
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.info == "sh") {
            if let Some(exception) = exception(&page.path, &block.text) {
                left_out.push(exception);
                continue;
            }
            count += 1;
            run(&block.text, directory.path(), &front)
                .unwrap_or_else(|error| panic!("{}:{}: {error}", page.path, block.line));
        }
    }
    assert_eq!(
        left_out.len(),
        NOT_RUN.len(),
        "one that is not needed any more"
    );
    assert!(count >= 4, "{count}");
    // That they did what they say.
    assert_eq!(registry.tags("user/name"), ["1", "1.4", "amd64", "latest"]);
    assert_eq!(registry.tags("user/app"), ["1"]);
}

/// A command that is wrong is noticed.
#[test]
fn a_wrong_command_does_not_run() {
    if !cfg!(unix) || !installed(&["bash"]) {
        return;
    }
    let registry = registry();
    let front = Front::start(&[("ghcr.io", &registry.host())]).expect("a proxy");
    let directory = stage();
    for text in [
        "ghcr-push --no-such-option image.tar ghcr.io/USER/NAME\ntrue\n",
        "docker save other | ghcr-push - ghcr.io/USER/app:1\n",
        "ghcr-push image.tar registry.example/USER/NAME\n",
    ] {
        let result = run(text, directory.path(), &front);
        assert!(result.is_err(), "{text}");
    }
}

/// The entry of [`NOT_RUN`] for a block.
fn exception(path: &str, text: &str) -> Option<usize> {
    NOT_RUN
        .iter()
        .position(|(page, beginning, _)| *page == path && text.starts_with(beginning))
}

/// The exit status of a pipe is its last command's, which succeeds where the push did not. Blocks run without
/// `pipefail` above, as most shells do.
#[test]
fn no_push_hides_its_failure_behind_a_pipe() {
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.info == "sh") {
            let text = block.text.replace("\\\n", " ");
            for line in text
                .lines()
                .filter(|line| !line.contains("ghcr-push explain"))
            {
                let hides = line.split_once("ghcr-push ").is_some_and(|(_, rest)| {
                    let rest = rest.split(" #").next().unwrap_or_default();
                    rest.contains(" | ")
                });
                assert!(!hides, "{}: {line}", page.path);
            }
        }
    }
}

/// A block of shell has no other mark than the usual one, by which it would not run.
#[test]
fn every_block_is_marked_alike() {
    for page in pages() {
        for block in &page.blocks {
            let language = block.info.split([' ', ',']).next().unwrap_or_default();
            let is_shell = ["sh", "bash", "shell", "console"].contains(&language);
            assert!(
                !is_shell || block.info == "sh",
                "{}:{}: {}",
                page.path,
                block.line,
                block.info
            );
        }
    }
}

/// What steps of workflows run: this tool's commands run, all others are listed.
#[test]
fn steps_run() {
    if !cfg!(unix) || !installed(&["bash"]) {
        return;
    }
    let registry = registry();
    let front = Front::start(&[("ghcr.io", &registry.host())]).expect("a proxy");
    let directory = stage();
    let mut count = 0;
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.info == "yaml") {
            for command in commands(&block.text) {
                let place = format!("{}:{}: {command}", page.path, block.line);
                let program = command.split_whitespace().next().unwrap_or_default();
                if program != "ghcr-push" {
                    let mut others = OTHER_PROGRAMS.iter();
                    assert!(others.any(|(other, _)| *other == program), "{place}");
                    continue;
                }
                count += 1;
                // What went up first names the tags that must not move.
                let repository = format!("USER/step{count}");
                let mut variables = STEP.to_vec();
                variables[0].1 = &repository;
                run_with(&command, directory.path(), &front, &variables)
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
            }
        }
    }
    assert!(count > 15, "{count}");
    assert!(!registry.tags("user/step").is_empty());
}

/// The values of `run:` in a workflow or in a list of steps.
fn commands(text: &str) -> Vec<String> {
    let value = yaml::read(text).expect("YAML");
    let mut commands = Vec::new();
    collect(&value, &mut commands);
    commands
}

fn collect(value: &Value, commands: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, commands)),
        Value::Object(entries) => {
            for (key, value) in entries {
                match value.as_str() {
                    Some(command) if key == "run" => commands.push(command.trim().to_owned()),
                    _ => collect(value, commands),
                }
            }
        }
        _ => {}
    }
}
