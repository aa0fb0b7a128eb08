//! What other tools write when somebody logs in is read here. Where they are not installed, each test says so and
//! ends.

use std::io::Write as _;
use std::process::{Command, Stdio};

use test_registry::installed;

use super::{Desk, registry, told};
use crate::support::{TOKEN, USERNAME};

/// Logs in with a tool that takes the password from standard input.
#[track_caller]
fn log_in(desk: &Desk, program: &str, variables: &[(&str, &str)], options: &[&str], place: &str) {
    let mut child = Command::new(program)
        .arg("login")
        .args(options)
        .args(["--username", USERNAME, "--password-stdin", place])
        .envs(variables.iter().copied())
        .env("HOME", desk.home())
        .env("XDG_RUNTIME_DIR", desk.home().join("run"))
        .env("XDG_CONFIG_HOME", desk.home().join(".config"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    write!(pipe, "{TOKEN}").expect("it reads");
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {stderr}");
}

#[test]
fn by_podman_and_its_kin() {
    for program in ["podman", "buildah", "skopeo"] {
        if !installed(&[program]) {
            continue;
        }
        let registry = registry();
        let host = registry.host();
        for (part, expected) in [
            (
                String::new(),
                "credential for HOST: ~/run/containers/auth.json",
            ),
            (
                "/owner/app".to_owned(),
                "credential for HOST/owner/app: ~/run/containers/auth.json, entry \"HOST/owner/app\"",
            ),
        ] {
            let desk = Desk::new();
            std::fs::create_dir(desk.home().join("run")).expect("it can be made");
            let place = format!("{host}{part}");
            log_in(&desk, program, &[], &["--tls-verify=false"], &place);
            let run = desk.push(&registry, &[]);
            run.assert_code(0);
            let line = told(&run, &host);
            assert_eq!(
                line,
                format!("{expected} (installation token, as GITHUB_TOKEN is), user name octocat"),
                "{program}"
            );
            assert!(!run.stderr.contains("everybody"), "{}", run.stderr);
        }
    }
}

#[test]
fn by_docker() {
    if !installed(&["docker"]) {
        return;
    }
    let registry = registry();
    let host = registry.host();
    let desk = Desk::new();
    // No engine is asked: the client logs in by itself.
    let nobody = format!("unix://{}", desk.home().join("none.sock").display());
    log_in(&desk, "docker", &[("DOCKER_HOST", &nobody)], &[], &host);
    let run = desk.push(&registry, &[]);
    run.assert_code(0);
    assert_eq!(
        told(&run, &host),
        "credential for HOST: ~/.docker/config.json (installation token, as GITHUB_TOKEN is), user name octocat"
    );
}
