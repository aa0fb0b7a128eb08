//! The commands in the documents, run as they stand: `ghcr.io` is a proxy's way to an embedded registry, as
//! `HTTPS_PROXY` tells the tool, and `gh` and `docker` are programs that answer as those would.

use std::path::Path;
use std::process::Command;

use test_registry::{Front, Options, SampleImage, TestRegistry, installed};

use super::markdown::Block;
use super::page;

/// Where commands stand that have to run.
const PAGES: [&str; 2] = ["README.md", "docs/usage.md"];

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

fn run(block: &Block, directory: &Path, front: &Front) -> Result<(), String> {
    std::fs::write(directory.join("ca.pem"), front.certificate()).expect("it can be written");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &block.text])
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("PATH", format!("{}/bin:/usr/bin:/bin", directory.display()))
        .env("FAKE_TOKEN", TOKEN)
        // The name that goes with gh's token.
        .env("GITHUB_ACTOR", USERNAME)
        .env("HTTPS_PROXY", front.url())
        .env("GHCR_PUSH_CA_FILE", "ca.pem")
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
    for path in PAGES {
        let page = page(path);
        for block in page.blocks.iter().filter(|block| block.info == "sh") {
            count += 1;
            run(block, directory.path(), &front)
                .unwrap_or_else(|error| panic!("{path}:{}: {error}", block.line));
        }
    }
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
        let block = Block {
            line: 1,
            info: "sh".to_owned(),
            text: text.to_owned(),
        };
        let result = run(&block, directory.path(), &front);
        assert!(result.is_err(), "{text}");
    }
}

/// What does not run says why.
#[test]
fn every_exception_has_a_reason() {
    for path in PAGES {
        for block in &page(path).blocks {
            let Some(rest) = block.info.strip_prefix("sh ") else {
                continue;
            };
            let reason = rest.strip_prefix("no_run: ").unwrap_or_default();
            assert!(reason.len() > 5, "{path}:{}: {rest}", block.line);
        }
    }
}
