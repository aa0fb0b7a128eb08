//! `ghcr-push check`, and what is said before a push.

use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};
use oci_archive::{Algorithm, Digest};
use serde_json::{Value, json};
use test_registry::{Action, Fault, Options, Refusal, Route, TestRegistry};

use super::run::Workflow;
use super::stories::FINE_GRAINED;
use crate::support::{Image, Run, TOKEN, USERNAME, command};

/// A registry that takes this token.
pub(super) fn registry(token: &str) -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, token))
}

pub(super) fn run(mut command: Command, token: &str, arguments: &[&str]) -> Run {
    let output = command
        .env("GHCR_PUSH_TOKEN", token)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .env("GHCR_PUSH_PLAIN_HTTP", "1")
        .env("GHCR_PUSH_REGISTRY_PROFILE", "ghcr")
        .args(arguments)
        .output();
    Run::of(output.expect("the binary starts"))
}

#[track_caller]
fn check_output(run: &Run, registry: &TestRegistry, expected: &Expect) {
    let host = registry.host();
    let stdout = run.stdout.replace(&host, "HOST");
    expected.assert_eq(&format!("{}---\n{stdout}", run.stable_stderr(&host)));
}

#[test]
fn allowed() {
    let registry = registry(TOKEN);
    let directory = tempfile::tempdir().expect("a directory");
    let reference = format!("{}/owner/app:1,2", registry.host());
    let run = run(
        Workflow::default().command(directory.path()),
        TOKEN,
        &["check", &reference],
    );
    run.assert_code(0);
    check_output(
        &run,
        &registry,
        &expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        ---
        HOST/owner/app:1 may be pushed
        HOST/owner/app:2 may be pushed
    "]],
    );
    let journal = registry.journal();
    assert_eq!(journal.blob_bytes(), 0);
    assert_eq!(
        journal.count(Route::UploadCancel),
        1,
        "one repository is asked once"
    );
    assert_eq!(journal.count(Route::ManifestPut), 0);
}

#[test]
fn allowed_with_an_image() {
    let registry = registry(TOKEN);
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let directory = image.directory.path();
    let text = run(
        command(directory),
        TOKEN,
        &["check", &reference, "image.tar"],
    );
    text.assert_code(0);
    let host = registry.host();
    let expected = format!("{reference} may be pushed\n{host}/owner/app: 3 blobs to send, ");
    assert!(text.stdout.starts_with(&expected), "{}", text.stdout);
    assert!(
        text.stdout.contains("would be set to sha256:"),
        "{}",
        text.stdout
    );
    let run = run(
        command(directory),
        TOKEN,
        &["check", "--json", &reference, "image.tar"],
    );
    run.assert_code(0);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["status"], "allowed");
    assert_eq!(
        json["references"][0]["credential"]["source"],
        "GHCR_PUSH_TOKEN"
    );
    assert_eq!(json["plan"]["digest"], image.sample.digest.as_str());
    assert_eq!(
        json["plan"]["repositories"][0]["blobs"]["missing"],
        image.sample.blobs.len()
    );
    assert_eq!(
        (&json["findings"], &json["diagnosis"]),
        (&json!([]), &Value::Null)
    );
    assert_eq!(registry.journal().blob_bytes(), 0);
}

#[test]
fn refused() {
    let registry = registry(TOKEN);
    registry.deny("owner/app", Refusal::InstallationNotAllowedToCreate);
    let directory = tempfile::tempdir().expect("a directory");
    let reference = format!("{}/owner/app:1", registry.host());
    let workflow = Workflow {
        file: Some("permissions: {contents: read}\njobs: {publish: {runs-on: ubuntu-latest}}\n"),
        ..Workflow::default()
    };
    let text = run(
        workflow.command(directory.path()),
        TOKEN,
        &["check", &reference],
    );
    text.assert_code(4);
    check_output(
        &text,
        &registry,
        &expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        error: a push to HOST/owner/app:1 would fail
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Create organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. workflow-lacks-packages-write (proven)
           the workflow's token has no `packages: write` permission. This is the token's own lock: granting access on the package's page does not open it
           evidence:
             - HOST said: installation not allowed to Create organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - "Create": the package owner/app does not exist yet
             - .github/workflows/release.yml gives all its jobs `packages: none` in the workflow's `permissions:`
           what to do:
             In .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

                 permissions:
                   contents: read
                   packages: write

             What the token really had stands in the job's log, under "Set up job", "GITHUB_TOKEN Permissions".
             https://github.com/owner/app/settings/actions

        2. organization-policy (possible)
           owner, if it is an organization, does not let its members create packages
           evidence:
             - holds only if what is said above is in place already
           what to do:
             Ask an owner of owner to allow it under "Package creation".
             https://github.com/organizations/owner/settings/packages
        ---
    "#]],
    );
    let run = run(
        workflow.command(directory.path()),
        TOKEN,
        &["check", "--json", &reference],
    );
    run.assert_code(4);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["diagnosis"]["code"], "workflow-lacks-packages-write");
    assert_eq!(json["diagnosis"]["causes"][0]["likelihood"], "proven");
}

#[test]
fn unavailable() {
    let registry = registry(TOKEN);
    registry.fail(Fault::new(Action::error(503, "UNAVAILABLE", "later")).on(Route::UploadStart));
    let directory = tempfile::tempdir().expect("a directory");
    let reference = format!("{}/owner/app:1", registry.host());
    let run = run(
        command(directory.path()),
        TOKEN,
        &["check", "--retry", "1", &reference],
    );
    run.assert_code(5);
}

/// Whoever asks before a build is told of a limit, and is not kept waiting until it is over.
#[test]
fn a_rate_limit() {
    let secondary = |headers: &[(&str, &str)]| Action::Answer {
        status: 403,
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: r#"{"message":"You have exceeded a secondary rate limit."}"#.to_owned(),
    };
    for (headers, asked) in [(&[][..], 1), (&[("Retry-After", "1")], 2)] {
        let registry = registry(TOKEN);
        registry.fail(Fault::new(secondary(headers)).on(Route::UploadStart));
        let directory = tempfile::tempdir().expect("a directory");
        let reference = format!("{}/owner/app", registry.host());
        let run = run(command(directory.path()), TOKEN, &["check", &reference]);
        assert!(
            run.stderr.contains("secondary-rate-limit"),
            "{}",
            run.stderr
        );
        assert_eq!(registry.journal().count(Route::UploadStart), asked);
        let told = "notice: the registry answered 403 Forbidden, a rate limit; trying again in 1";
        assert_eq!(run.stderr.contains(told), asked > 1, "{}", run.stderr);
    }
}

/// What is empty is found, also behind the credential that is used.
#[test]
fn empty_credentials_are_findings() {
    let registry = registry(TOKEN);
    let directory = tempfile::tempdir().expect("a directory");
    let reference = format!("{}/owner/app", registry.host());
    let mut command = command(directory.path());
    command.env("DOCKER_AUTH_CONFIG", " ");
    let run = run(command, TOKEN, &["check", "--json", &reference]);
    run.assert_code(0);
    let notice = "notice: DOCKER_AUTH_CONFIG is set but empty";
    assert_eq!(run.stderr.matches(notice).count(), 1, "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    let finding = json!([{
        "code": "credential-empty",
        "message": "DOCKER_AUTH_CONFIG is set but empty",
    }]);
    assert_eq!(json["findings"], finding);
}

#[test]
fn mistakes() {
    let directory = tempfile::tempdir().expect("a directory");
    for (arguments, code, said) in [
        (&["check"][..], 2, "required"),
        (&["check", "-"], 2, "no reference"),
        (
            &["check", "ghcr.io/owner/app", "missing.tar"],
            3,
            "missing.tar: no such file",
        ),
        (&["check", "ghcr.io/app"], 2, "reference-without-owner"),
        (&["check", "hgcr.io/owner/app"], 2, "lookalike-host"),
        (
            &["check", "-q", "-v", "ghcr.io/owner/app"],
            2,
            "cannot be used with",
        ),
    ] {
        let output = command(directory.path()).args(arguments).output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(code);
        assert!(run.stderr.contains(said), "{arguments:?}: {}", run.stderr);
    }
}

/// Said before the first request of the push.
#[test]
fn known_beforehand() {
    let registry = registry(FINE_GRAINED);
    registry.deny("owner/app", Refusal::TokenScopes);
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = run(
        command(image.directory.path()),
        FINE_GRAINED,
        &["image.tar", &reference],
    );
    run.assert_code(4);
    check_output(
        &run,
        &registry,
        &expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (fine-grained personal access token), user name octocat
        warning: the token from GHCR_PUSH_TOKEN is a fine-grained one, and HOST takes only classic ones, with the scope write:packages, or a workflow's GITHUB_TOKEN (fine-grained-token-unsupported)
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: The token provided does not match expected scopes.
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token is not one that may push packages

        1. fine-grained-token-unsupported (proven)
           the token is a fine-grained personal access token; the registry takes classic ones only, whatever a fine-grained one is granted
           evidence:
             - HOST said: permission_denied: The token provided does not match expected scopes.
             - the credential came from GHCR_PUSH_TOKEN (fine-grained personal access token)
             - it begins with github_pat_
           what to do:
             Make a classic token with the scope write:packages at https://github.com/settings/tokens/new?scopes=write:packages and use that. In a workflow use the job's own GITHUB_TOKEN instead, which no person has to renew.
        ---
    "]],
    );
}

/// An OCI layout whose image says nothing of its source.
fn unlabelled(directory: &Path) {
    let blobs = directory.join("layout/blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("a directory");
    let put = |media_type: &str, bytes: &[u8]| {
        let digest = Digest::of(Algorithm::Sha256, bytes).to_string();
        std::fs::write(blobs.join(&digest["sha256:".len()..]), bytes).expect("a file");
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    };
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    let config = put(
        "application/vnd.oci.image.config.v1+json",
        config.to_string().as_bytes(),
    );
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [] });
    let manifest = put(media_type, manifest.to_string().as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    let layout = directory.join("layout");
    std::fs::write(layout.join("index.json"), index.to_string()).expect("a file");
    std::fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .expect("a file");
}

#[test]
fn a_first_publish_by_hand() {
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let registry = registry(token);
    let directory = tempfile::tempdir().expect("a directory");
    unlabelled(directory.path());
    let reference = format!("{}/owner/app/web:1", registry.host());
    let first = run(command(directory.path()), token, &["layout", &reference]);
    first.assert_code(0);
    let warning: String = first
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning"))
        .collect();
    expect!["warning: as far as this credential can see, owner/app/web does not exist yet: this push would create it private and linked to no repository, so that workflows are refused later. Link it with --annotation org.opencontainers.image.source=https://github.com/owner/REPOSITORY, or with a label of that name in the build (package-denies-repository)"].assert_eq(&warning);
    let warned = |run: &Run| run.stderr.contains("warning");
    // It exists now.
    assert!(!warned(&run(
        command(directory.path()),
        token,
        &["layout", &reference]
    )));
    // It says where it comes from, or a workflow makes the link.
    let other = format!("{}/owner/other:1", registry.host());
    let annotation = "org.opencontainers.image.source=https://github.com/owner/app";
    let annotated = run(
        command(directory.path()),
        token,
        &["layout", &other, "--annotation", annotation, "--dry-run"],
    );
    annotated.assert_code(0);
    assert!(!warned(&annotated), "{}", annotated.stderr);
    let workflow = Workflow::default().command(directory.path());
    assert!(!warned(&run(
        workflow,
        token,
        &["layout", &other, "--dry-run"]
    )));
    assert!(warned(&run(
        command(directory.path()),
        token,
        &["check", &other, "layout"]
    )));
}
