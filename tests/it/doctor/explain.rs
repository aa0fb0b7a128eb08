//! `ghcr-push explain`.

use std::io::Write as _;
use std::process::Stdio;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::run::{Workflow, fed};
use crate::support::{Run, command};

/// Explains `log`, outside of any run.
pub(super) fn explained(log: &str, options: &[&str]) -> Run {
    let directory = tempfile::tempdir().expect("a directory");
    fed(command(directory.path()).arg("explain").args(options), log)
}

#[track_caller]
pub(super) fn check(run: &Run, expected: &Expect) {
    run.assert_code(0);
    assert_eq!(run.stderr, "");
    expected.assert_eq(&run.stdout);
}

/// What a build of build-push-action leaves, timestamps and steps and all.
const BUILDX: &str = "\
2026-08-01T10:00:00.1234567Z #12 exporting to image\n\
2026-08-01T10:00:01.1234567Z #12 pushing layers\n\
2026-08-01T10:00:02.1234567Z \u{1b}[31m#12 ERROR: failed to push ghcr.io/owner/app:1.2: denied: permission_denied: write_package\u{1b}[0m\n\
2026-08-01T10:00:02.1234567Z ------\n\
2026-08-01T10:00:02.1234567Z ERROR: failed to solve: failed to push ghcr.io/owner/app:1.2: denied: permission_denied: write_package\n";

#[test]
fn a_log_at_a_desk() {
    check(
        &explained(BUILDX, &[]),
        &expect![[r#"
        refusal: the push of ghcr.io/owner/app:1.2
          caused by: DENIED: permission_denied: write_package

        diagnosis: the package owner/app exists, and does not admit this push

        1. package-denies-repository (likely)
           the package does not give this repository the role Write. It was probably first pushed by hand, or from another repository. The workflow's `permissions:` are not the matter
           evidence:
             - ghcr.io said: permission_denied: write_package
           what to do:
             Open https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to "Manage Actions access", choose "Add repository", add the repository whose workflow pushes, and set its role to Write. Then run the job again.

        2. package-denies-user (possible)
           the package does not give this token's user the role Write
           evidence:
             - ghcr.io said: permission_denied: write_package
             - holds if the token is a person's, not a workflow's
           what to do:
             Ask an administrator of the package to open https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to "Manage access" ("Invite teams or people"), and give your user the role Write.

        not known from the log: which request was refused; the HTTP status; which credential was used, and of what kind; the workflow run, if it was one (explain in a step of the same job sees it)
    "#]],
    );
}

#[test]
fn a_log_in_the_job_that_failed() {
    let directory = tempfile::tempdir().expect("a directory");
    let workflow = Workflow {
        payload: r#"{"repository":{"owner":{"type":"Organization"}}}"#,
        file: Some(
            "jobs:\n  publish:\n    permissions:\n      contents: read\n      id-token: write\n",
        ),
        ..Workflow::default()
    };
    let log = "Writing blob: initiating layer upload to /v2/owner/app/blobs/uploads/ in ghcr.io: denied: \
               installation not allowed to Write organization package\n";
    let run = fed(
        workflow.command(directory.path()).args(["explain", "-"]),
        log,
    );
    check(
        &run,
        &expect![[r#"
            refusal: the push of ghcr.io/owner/app
              caused by: ghcr.io refused the request to start a blob upload
              caused by: DENIED: installation not allowed to Write organization package

            diagnosis: the token that was used may not write packages

            1. workflow-lacks-packages-write (proven)
               the workflow's token has no `packages: write` permission. This is the token's own lock: granting access on the package's page does not open it
               evidence:
                 - ghcr.io said: installation not allowed to Write organization package
                 - "Write": the package owner/app exists already
                 - .github/workflows/release.yml gives the job "publish" `packages: none` in the job's own `permissions:`
               what to do:
                 In .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

                     permissions:
                       contents: read
                       id-token: write
                       packages: write

                 What the token really had stands in the job's log, under "Set up job", "GITHUB_TOKEN Permissions".
                 https://github.com/owner/app/settings/actions

            2. organization-policy (possible)
               owner or its enterprise restricts workflows to reading
               evidence:
                 - holds only if what is said above is in place already
               what to do:
                 Ask an owner of owner whether "Workflow permissions" keep this repository to reading. "Read and write permissions" there would lift that, and become the default of every repository of owner that sets nothing itself.
                 https://github.com/organizations/owner/settings/actions

            not known from the log: the HTTP status; which credential was used, and of what kind
        "#]],
    );
}

/// Refused twice: each is told once, and a list of them for programs.
#[test]
fn several_refusals() {
    let log = format!(
        "{BUILDX}unexpected status from HEAD request to https://ghcr.io/v2/owner/other/manifests/1: 403 Forbidden\n"
    );
    let run = explained(&log, &["--json"]);
    run.assert_code(0);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["schemaVersion"], 1);
    assert_eq!(json["status"], "explained");
    assert_eq!(json["diagnosis"]["code"], "package-denies-repository");
    assert_eq!(json["diagnosis"], json["refusals"][0]["diagnosis"]);
    let refusals = json["refusals"].as_array().expect("a list");
    assert_eq!(refusals.len(), 2, "{}", run.stdout);
    assert_eq!(refusals[0]["reference"], "ghcr.io/owner/app:1.2");
    assert_eq!(refusals[0]["message"], "permission_denied: write_package");
    assert_eq!(refusals[1]["method"], "HEAD");
    assert_eq!(refusals[1]["status"], 403);
    assert_eq!(refusals[1]["message"], Value::Null);
    assert_eq!(
        refusals[1]["diagnosis"]["causes"][0]["likelihood"],
        "possible"
    );
}

/// Who reads the first line only, as `head -1` does, has what it wants.
#[test]
fn a_reader_that_has_read_enough() {
    let directory = tempfile::tempdir().expect("a directory");
    for option in ["--color=never", "--json"] {
        let mut child = command(directory.path())
            .args(["explain", option])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(child.stdout.take());
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(BUILDX.as_bytes()).expect("it is read");
        drop(input);
        let run = Run::of(child.wait_with_output().expect("it ends"));
        run.assert_code(0);
        assert_eq!(run.stderr, "");
    }
}

/// What is said when little is known.
#[test]
fn summaries() {
    for (log, expected) in [
        (
            "denied: permission_denied: write_package",
            "the package exists, and does not admit this push",
        ),
        (
            "writing blob: Requesting bearer token: invalid status code from registry 403 (Forbidden)",
            "the credential was not accepted",
        ),
        (
            "failed to push ghcr.io/owner/app:1: failed to authorize: failed to fetch anonymous token: unexpected status \
             from GET request to https://ghcr.io/token?scope=repository%3Aowner%2Fapp%3Apull%2Cpush: 403 Forbidden",
            "no credential was found",
        ),
    ] {
        let run = explained(log, &["--json"]);
        run.assert_code(0);
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        assert_eq!(json["diagnosis"]["summary"], expected, "{log}");
    }
}

#[test]
fn nothing_to_explain() {
    let run = explained("all went well\n", &[]);
    run.assert_code(1);
    assert_eq!(run.stdout, "");
    expect![[r"
        error: no refusal of a container registry is recognised in standard input

        hint: give the whole log of the step that failed, with the lines before its last: the registry's own words, and the reference, stand there. ghcr-push check REFERENCE asks the registry itself
    "]].assert_eq(&run.stderr);
    let run = explained("all went well\n", &["--json", "-"]);
    run.assert_code(1);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(
        (&json["exitCode"], &json["diagnosis"]),
        (&1.into(), &Value::Null)
    );
}

#[test]
fn no_log() {
    for (name, bytes) in [("nowhere.log", None), ("logs.zip", Some(b"PK\x03\x04"))] {
        let directory = tempfile::tempdir().expect("a directory");
        if let Some(bytes) = bytes {
            std::fs::write(directory.path().join(name), bytes).expect("a file");
        }
        let output = command(directory.path()).args(["explain", name]).output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(3);
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
}

/// What stands in a log can be anybody's words: a branch's name, a server's, an image's.
#[test]
fn hostile_words() {
    let token = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";
    let log = format!(
        "failed to push ghcr.io/owner/app:1: denied: permission_denied: write_package {token} \u{1b}]0;owned\u{7}\u{1b}[2J \
         ##[error]pwned %0A::error::pwned \u{202e}gpj.exe\n\
         \u{9b}31m::add-mask::ghcr.io/owner/other: denied: permission_denied: ::warning::write_package\n"
    );
    for options in [&[][..], &["--json"]] {
        let run = explained(&log, options);
        run.assert_code(0);
        for bad in [token, "##[", "\u{1b}", "\u{7}", "\u{9b}", "\u{202e}"] {
            assert!(!run.stdout.contains(bad), "{bad:?} in {}", run.stdout);
        }
        for line in run.stdout.lines() {
            assert!(!line.trim_start().starts_with("::"), "{line}");
        }
    }
}

/// Not all that refuses in GitHub's words is GitHub.
#[test]
fn of_another_registry() {
    let log = "The push refers to repository [registry.example/owner/app]\n\
               denied: requested access to the resource is denied\n";
    check(
        &explained(log, &[]),
        &expect![[r"
            refusal: the push of registry.example/owner/app
              caused by: DENIED: requested access to the resource is denied

            registry.example is not one of GitHub's registries, whose causes and remedies do not hold there; look with which account the tool is logged in to it, and whether that may push to owner/app

            not known from the log: which request was refused; the HTTP status; which credential was used, and of what kind; the workflow run, if it was one (explain in a step of the same job sees it)
        "]],
    );
}

/// Neither words nor log tell that it was ghcr.io.
#[test]
fn of_an_unknown_registry() {
    let run = explained("ERROR: failed to push: denied\n", &[]);
    run.assert_code(0);
    let condition = "the log does not tell which registry it was: this holds if it is ghcr.io";
    assert!(run.stdout.contains(condition), "{}", run.stdout);
    let run = explained("denied: permission_denied: write_package\n", &[]);
    assert!(!run.stdout.contains(condition), "{}", run.stdout);
}

/// A pull is called one, and a limit of Docker Hub's is none of GitHub's.
#[test]
fn a_pull() {
    let log = "ERROR: failed to solve: node:20: failed to resolve source metadata for docker.io/library/node:20: \
               429 Too Many Requests\n";
    check(
        &explained(log, &[]),
        &expect![[r"
        refusal: the pull of docker.io/library/node:20
          caused by: docker.io answered 429 to the request to look up the tag

        docker.io is not one of GitHub's registries, whose causes and remedies do not hold there; it takes no more requests for now: try again later, and log in to it if it was asked without a credential

        not known from the log: the registry's own words; which credential was used, and of what kind; the workflow run, if it was one (explain in a step of the same job sees it)
    "]],
    );
    let run = explained(log, &["--json"]);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["refusals"][0]["isPull"], true);
    assert_eq!(json["refusals"][0]["diagnosis"], Value::Null);
}

/// As many refusals, each of something else.
fn refusals(count: usize, place: &str) -> String {
    let mut log = String::new();
    for number in 0..count {
        log.push_str("denied: permission_denied: write_package ");
        log.push_str(place);
        log.push_str(&(10_000 + number).to_string());
        log.push_str(":1\n");
    }
    log
}

/// Many refusals, long ones, and texts that make a reader go back and forth: an answer at once, and no page of it.
#[test]
fn endless_logs() {
    let many = refusals(20_000, "ghcr.io/acme/web");
    let unplaced = refusals(5_000, "");
    let long = format!(
        "denied: permission_denied: write_package {}\n",
        "A".repeat(1_000_000)
    );
    let quotes = format!(
        "docker push ghcr.io/o/n\ndenied: {}\n",
        "\"".repeat(300_000)
    );
    let addresses = format!("denied: write_package {}\n", "http://".repeat(400_000));
    for (log, told) in [
        (many, "\n19950 more refusals are not told"),
        (unplaced, "\n4950 more refusals are not told"),
        (long, "AAAA...\n"),
        (quotes, "ghcr.io/o/n"),
        (addresses, "write_package"),
    ] {
        let begun = std::time::Instant::now();
        let run = explained(&log, &[]);
        run.assert_code(0);
        assert!(run.stdout.contains(told), "{told}");
        assert!(run.stdout.len() < 200_000, "{} bytes", run.stdout.len());
        // Each took minutes; a machine that is busy with other tests is given time.
        assert!(
            begun.elapsed().as_secs() < 60,
            "{told}: {:?}",
            begun.elapsed()
        );
    }
    let run = explained(&refusals(60, "ghcr.io/acme/web"), &["--json"]);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["refusals"].as_array().map(Vec::len), Some(50));
    assert_eq!(json["omitted"], 10);
}

/// A log may hold credentials in every form that tools give them.
#[test]
fn secrets_in_a_log() {
    let log = "denied: permission_denied: write_package for github_pat_11AAAA_xyzxyzxyz at ghcr.io/acme/web:1 \
               Authorization: Basic b2N0bzpzZWNyZXQ= Bearer abcdefsecretbearer123 https://user:pw@ghcr.io/v2/acme/web \
               {\"auth\":\"b2N0bzpnaHBfQUJDREVGR0g=\"} Z2hzX0FCQ0RFRkdI\n\
               GET https://ghcr.io/token?account=octo&scope=repository%3Aacme%2Fother%3Apush&access_token=SECRETVALUE123456: \
               DENIED: denied\n";
    for options in [&[][..], &["--json"]] {
        let run = explained(log, options);
        run.assert_code(0);
        for secret in [
            "xyzxyzxyz",
            "b2N0bzpz",
            "secretbearer",
            "user:pw",
            "b2N0bzpn",
            "Z2hz",
            "SECRETVALUE",
        ] {
            assert!(!run.stdout.contains(secret), "{secret} in {}", run.stdout);
        }
    }
}

/// A variable that is no option's is told of, as it is by a push.
#[test]
fn a_variable_without_effect() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = command(directory.path());
    let run = fed(
        command.arg("explain").env("GHCR_PUSH_GITHUB_ACTION", "off"),
        BUILDX,
    );
    run.assert_code(0);
    expect![[r"
        warning: the variable GHCR_PUSH_GITHUB_ACTION is no option's and has no effect; did you mean GHCR_PUSH_GITHUB_ACTIONS?
    "]].assert_eq(&run.stderr);
}
