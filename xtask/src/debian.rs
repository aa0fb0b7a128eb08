//! The real registry and the real tools that the interoperability tests use, from Debian.

use std::process::Command;

use crate::run::{have, say, succeed};

/// Programs by the package they come in.
const TOOLS: [(&str, &str); 5] = [
    ("docker-registry", "docker-registry"),
    ("skopeo", "skopeo"),
    ("buildah", "buildah"),
    ("podman", "podman"),
    ("umoci", "umoci"),
];

/// Installs what is missing, where that is allowed; otherwise says what is missing.
pub(crate) fn install() {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|(program, _)| !have(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return;
    }
    let Some(prefix) = privilege() else {
        say(&format!(
            "{} not installed, and no right to install with apt: the tests that need them are skipped",
            missing.join(", ")
        ));
        return;
    };
    let apt = |arguments: &[&str]| {
        let mut words: Vec<&str> = prefix.to_vec();
        words.extend(["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]);
        words.extend(arguments);
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env("DEBIAN_FRONTEND", "noninteractive");
        succeed(&mut command)
    };
    if let Err(message) = apt(&["update"]) {
        say(&message);
    }
    // One by one: a package that cannot be had must not keep the others away.
    for package in missing {
        let install = ["install", "-y", "--no-install-recommends", package];
        if let Err(message) = apt(&install) {
            say(&format!(
                "{message}: the tests that need {package} are skipped"
            ));
        }
    }
}

/// What to put before `apt-get`, `None` if it may not be used.
fn privilege() -> Option<&'static [&'static str]> {
    if !have("apt-get") {
        return None;
    }
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        return Some(&[]);
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).output();
    sudo.is_ok_and(|output| output.status.success())
        .then_some(&["sudo", "-n"] as &[&str])
}
