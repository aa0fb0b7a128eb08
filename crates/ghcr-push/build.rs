//! Tells the version, with the commit that it is built from where that is known.
//!
//! Nothing else of the machine goes in, not even the time: the same commit gives the same program. A build
//! without git, or without a repository, tells the version alone, and so do builds for debugging: they need not be
//! made anew for every commit.

use std::path::Path;
use std::process::Command;

/// As many digits as are unique for good in a repository of this size.
const DIGITS: usize = 12;

fn main() {
    println!("cargo:rerun-if-env-changed=GHCR_PUSH_COMMIT");
    println!("cargo:rerun-if-changed=build.rs");
    let version = env!("CARGO_PKG_VERSION");
    let version = match commit() {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo:rustc-env=GHCR_PUSH_VERSION={version}");
}

/// The commit: what the builder says, what `cargo package` has noted, or what is checked out.
fn commit() -> Option<String> {
    let commit = variable("GHCR_PUSH_COMMIT")
        .or_else(packaged)
        .or_else(checked_out)?;
    let is_hash = commit.len() >= DIGITS && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| commit[..DIGITS].to_ascii_lowercase())
}

/// From the file that `cargo package` adds
/// (<https://doc.rust-lang.org/cargo/commands/cargo-package.html#cargo_vcs_infojson-format>).
fn packaged() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cargo_vcs_info.json");
    let text = std::fs::read_to_string(path).ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    after.split('"').nth(1).map(str::to_owned)
}

fn checked_out() -> Option<String> {
    if variable("PROFILE")? != "release" {
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // Elsewhere, a repository further up is somebody else's, who keeps a copy of this source.
    if !root.join(".git").exists() {
        return None;
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(&root)
            .args(arguments)
            .output();
        let output = output.ok().filter(|output| output.status.success())?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.trim().to_owned())
    };
    // Written at each commit and each checkout.
    if let Some(log) = git(&[
        "rev-parse",
        "--path-format=absolute",
        "--git-path",
        "logs/HEAD",
    ]) {
        println!("cargo:rerun-if-changed={log}");
    }
    git(&["rev-parse", "HEAD"])
}

fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a build script through its environment"
    )]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty())
}
