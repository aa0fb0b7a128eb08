//! The same story in other forms: as JSON, on a terminal, without a credential.

use expect_test::expect;
use serde_json::Value;
use test_registry::{Options, Refusal, Route, TestRegistry};

use super::{CLASSIC, Story};
use crate::doctor::run::Workflow;
use crate::support::{Image, Run, command, push};

fn by_hand<'a>() -> Story<'a> {
    Story {
        workflow: Some(Workflow::default()),
        refusal: Some(Refusal::WritePackage),
        ..Story::default()
    }
}

#[test]
fn as_json() {
    let told = Story {
        options: &["-q", "--json"],
        ..by_hand()
    }
    .told();
    let (_, json) = told.split_once("--- standard output\n").expect("an object");
    let mut json: Value = serde_json::from_str(json).expect("one JSON object");
    json["error"]["requestId"] = Value::from("REPLACED");
    json["references"][0]["digest"] = Value::from("REPLACED");
    let pretty = serde_json::to_string_pretty(&json).expect("JSON") + "\n";
    expect![[r#"
        {
          "schemaVersion": 1,
          "status": "failed",
          "exitCode": 4,
          "error": {
            "kind": "authorization",
            "step": "start-upload",
            "method": "POST",
            "url": "http://HOST/v2/owner/app/blobs/uploads/",
            "status": 403,
            "code": "DENIED",
            "message": "permission_denied: write_package",
            "requestId": "REPLACED",
            "chain": [
              "failed to push HOST/owner/app:1",
              "HOST answered 403 Forbidden to the request to start a blob upload",
              "DENIED: permission_denied: write_package"
            ]
          },
          "diagnosis": {
            "code": "package-denies-repository",
            "summary": "the package owner/app exists, and does not admit this push",
            "causes": [
              {
                "code": "package-denies-repository",
                "likelihood": "likely",
                "why": "the package does not give owner/app the role Write. It was probably first pushed by hand, or from another repository. The workflow's `permissions:` are not the matter",
                "evidence": [
                  "HOST said: permission_denied: write_package",
                  "the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)",
                  "a token without `packages: write` is refused with other words"
                ],
                "remedy": "Open https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to \"Manage Actions access\", choose \"Add repository\", add owner/app, and set its role to Write. Then run the job again.",
                "url": null
              }
            ]
          },
          "references": [
            {
              "reference": "HOST/owner/app:1",
              "digest": "REPLACED",
              "status": "failed",
              "previousDigest": null
            }
          ]
        }
    "#]].assert_eq(&pretty);
}

/// The secret is empty, as it is for a fork.
#[test]
fn an_empty_secret() {
    let workflow = Workflow {
        event: "pull_request",
        payload: r#"{"pull_request":{"head":{"repo":null}}}"#,
        ..Workflow::default()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let output = workflow
        .command(directory.path())
        .env("GHCR_PUSH_TOKEN", "")
        .env("XDG_RUNTIME_DIR", directory.path())
        .args(["check", "ghcr.io/owner/app"])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(4);
    let home = directory.path().display().to_string();
    expect![[r"
        notice: GHCR_PUSH_TOKEN is set but empty; secrets are empty in runs for pull requests from forks
        error: no credential for ghcr.io was found

        diagnosis: the run is given no credential that may push

        1. fork-pull-request (likely)
           the run is for a pull request from a fork: its token may only read, whatever `permissions:` says, and it is given no secrets
           evidence:
             - the pull request comes from outside of owner/app
           what to do:
             Build in such runs, and publish from runs of the repository itself, by this condition for the step that pushes:

                 if: github.event.pull_request == null || github.event.pull_request.head.repo.full_name == github.repository

             Do not turn to `pull_request_target` for this: it would hand a token that may write to whatever code the pull request brings.

        2. credential-empty (possible)
           GHCR_PUSH_TOKEN is empty, so that no credential was sent
           evidence:
             - set but empty: GHCR_PUSH_TOKEN
             - looked at --password-stdin (not given)
             - looked at GHCR_PUSH_TOKEN (set, but empty)
             - looked at DOCKER_AUTH_CONFIG (not set)
             - looked at --authfile, REGISTRY_AUTH_FILE (not given)
             - looked at HOME/.docker/config.json (no such file)
             - looked at HOME/.docker/buildx/config (no login of buildx for this repository)
             - looked at HOME/containers/auth.json, HOME/.config/containers/auth.json (no such file)
             - looked at GH_TOKEN, GITHUB_TOKEN, CR_PAT (not set)
             - looked at gh auth token --hostname github.com (gh is not installed)
           what to do:
             Check the name of the secret, that it exists for this repository (or its environment), and that the run may have it: runs for pull requests from forks have no secrets, Dependabot's only its own. For packages of the repository itself `secrets.GITHUB_TOKEN` is always there.
    "]].assert_eq(&run.stderr.replace(&home, "HOME"));
}

/// What is said of a credential is said without it, however much is told and whatever the form.
#[test]
fn secrets_are_nowhere() {
    // Base64 of the token, and of "octocat:ghp_16C7", in whose place the whole pair would stand.
    let encoded = "Z2hwXzE2QzdlNDJGMjkyYzY5MTJFNzcxMGM4MzgzNDdBZTE3OEI0YQ==";
    let pair = "b2N0b2NhdDpnaHBfMTZDN";
    for options in [&["-vvv"][..], &["-vvv", "--json"]] {
        for refusal in [Refusal::WritePackage, Refusal::ReadPackage] {
            let told = Story {
                token: CLASSIC,
                refusal: Some(refusal),
                options,
                api: &[crate::doctor::api::owner("User")],
                ..Story::default()
            }
            .told();
            assert!(told.contains("step=start-upload"), "{told}");
            // The last is what the registry's bearer tokens begin with.
            for secret in [CLASSIC, encoded, pair, "djE6aXNzdWVkLXRva2Vu"] {
                assert!(!told.contains(secret), "{secret} in {told}");
            }
        }
    }
}

/// The registry quotes the bearer token that its token service has issued, as it is and in base64.
#[test]
fn a_quoted_bearer_token_is_hidden() {
    let bearer = "djE6aXNzdWVkLXRva2VuOjAwMDAwMDAx";
    let encoded = "ZGpFNmFYTnpkV1ZrTFhSdmEyVnVPakF3TURBd01EQXg=";
    let unpadded = encoded.trim_end_matches('=');
    for quoted in [bearer, encoded, unpadded] {
        for options in [&["-vv"][..], &["--json"]] {
            let told = Story {
                refusal: Some(super::denied(&format!("token ({quoted}) was refused"))),
                options,
                ..Story::default()
            }
            .told();
            assert!(told.contains("token ([redacted]) was refused"), "{told}");
            assert!(!told.contains(unpadded) && !told.contains(bearer), "{told}");
        }
    }
}

/// The address of an upload session is a capability: who knows it can write to the session.
#[test]
fn addresses_of_sessions_are_nowhere() {
    let registry = TestRegistry::start(Options::default());
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["-vvv", "image.tar", &reference]);
    run.assert_code(0);
    let journal = registry.journal();
    let commits = journal.of(Route::UploadCommit);
    let parameters = commits.flat_map(|exchange| exchange.query.split('&'));
    let secrets: Vec<&str> = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| *name != "digest")
        .map(|(_, value)| value)
        .collect();
    assert!(!secrets.is_empty(), "its sessions have a state");
    for secret in secrets {
        assert!(!run.stderr.contains(secret), "{secret} in {}", run.stderr);
    }
}

/// What the run is called is chosen by whoever wrote the workflow or named the branch.
#[test]
fn hostile_names() {
    let hostile = "publish\n::error::owned ##[error]owned \u{1b}[2J";
    let told = Story {
        workflow: Some(Workflow {
            event: "pull_request",
            payload: r#"{"pull_request":{"head":{"repo":{"full_name":"x/y\n::error::owned\u001b[2J"}}}}"#,
            ..Workflow::default()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToWrite),
        ..Story::default()
    }
    .told_by(|command| {
        command.env("GITHUB_JOB", hostile);
        Run::of(command.output().expect("the binary starts"))
    });
    assert!(told.contains("fork-pull-request"), "{told}");
    assert_harmless(&told);
}

/// So is what its file grants.
#[test]
fn hostile_permissions() {
    let told = Story {
        workflow: Some(Workflow {
            file: Some(
                "jobs:\n  publish:\n    permissions:\n      \"x\\n::error::owned ##[error] \\e[2J\": write\n",
            ),
            ..Workflow::default()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToWrite),
        ..Story::default()
    }
    .told();
    assert!(
        told.contains("workflow-lacks-packages-write (proven)"),
        "{told}"
    );
    assert_harmless(&told);
}

#[track_caller]
fn assert_harmless(told: &str) {
    for bad in ["##[", "\u{1b}", "\r"] {
        assert!(!told.contains(bad), "{bad:?} in {told}");
    }
    for line in told.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

/// Nothing of a credential is an argument of any process: there is no option that takes one.
#[test]
fn no_option_takes_a_secret() {
    let directory = tempfile::tempdir().expect("a directory");
    for subcommand in [&[][..], &["check"], &["explain"], &["inspect"]] {
        let output = command(directory.path())
            .args(subcommand)
            .arg("--help")
            .output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(0);
        for option in ["--password ", "--password <", "--token", "--secret"] {
            assert!(!run.stdout.contains(option), "{option} in {}", run.stdout);
        }
    }
}

/// Nor is one an argument of the process itself, or of one that it starts, while it works.
#[cfg(target_os = "linux")]
#[test]
fn the_process_list_holds_no_secret() {
    use crate::running::Running;
    use crate::support::{TOKEN, USERNAME};
    use test_registry::{Action, Fault};
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.fail(Fault::new(Action::Stall).on(Route::UploadStart));
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let running = Running::until(
        &registry,
        Route::UploadStart,
        &image,
        &["image.tar", &reference],
    );
    let own = running.id().to_string();
    let mut seen = 0;
    for entry in std::fs::read_dir("/proc")
        .expect("a list of processes")
        .flatten()
    {
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        // The parent is the second field after the name, which may hold anything (proc_pid_stat(5)).
        let status = String::from_utf8_lossy(&read("stat")).into_owned();
        let (_, fields) = status.rsplit_once(')').unwrap_or_default();
        let parent = fields.split_whitespace().nth(1).unwrap_or_default();
        if entry.file_name().to_str() != Some(own.as_str()) && parent != own {
            continue;
        }
        let arguments = String::from_utf8_lossy(&read("cmdline")).into_owned();
        seen += usize::from(arguments.contains(&reference));
        assert!(!arguments.contains(TOKEN), "{arguments}");
    }
    assert_eq!(seen, 1, "the process itself is among them");
}
