//! What is said where there is no credential, or not where it was asked for.

use expect_test::expect;
use test_registry::{Options, TestRegistry};

use super::{Desk, login, registry, told};
use crate::support::{Image, Run, TOKEN, check, command};

#[test]
fn no_credential_for_ghcr() {
    let run = Desk::new().run(&["image.tar", "ghcr.io/owner/app:1"]);
    check(
        &run,
        "",
        4,
        &expect![[r"
            error: no credential for ghcr.io was found

            diagnosis: no credential was found

            1. credential-missing (proven)
               nobody may push anonymously, and no credential for the registry was found
               evidence:
                 - looked at --password-stdin (not given)
                 - looked at GHCR_PUSH_TOKEN, DOCKER_AUTH_CONFIG (not set)
                 - looked at --authfile, REGISTRY_AUTH_FILE (not given)
                 - looked at ~/.docker/config.json (no such file)
                 - looked at ~/.docker/buildx/config (no login of buildx for this repository)
                 - looked at ~/run/containers/auth.json, ~/.config/containers/auth.json (no such file)
                 - looked at GH_TOKEN, GITHUB_TOKEN, CR_PAT (not set)
                 - looked at gh auth token --hostname github.com (gh is not installed)
               what to do:
                 Set GHCR_PUSH_TOKEN, or log in with `docker login ghcr.io`. In a workflow, add to the step:

                     env:
                       GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}
                 https://github.com/settings/tokens/new?scopes=write:packages
        "]],
    );
}

/// What a workflow for a fork's pull request looks like.
#[test]
fn an_empty_token() {
    let mut desk = Desk::new();
    desk.set("GITHUB_TOKEN", "");
    let run = desk.run(&["image.tar", "ghcr.io/owner/app:1"]);
    check(
        &run,
        "",
        4,
        &expect![[r"
            notice: GITHUB_TOKEN is set but empty; secrets are empty in runs for pull requests from forks
            error: no credential for ghcr.io was found

            diagnosis: the credential is empty

            1. credential-empty (proven)
               GITHUB_TOKEN is empty, so that no credential was sent
               evidence:
                 - set but empty: GITHUB_TOKEN
                 - looked at --password-stdin (not given)
                 - looked at GHCR_PUSH_TOKEN, DOCKER_AUTH_CONFIG (not set)
                 - looked at --authfile, REGISTRY_AUTH_FILE (not given)
                 - looked at ~/.docker/config.json (no such file)
                 - looked at ~/.docker/buildx/config (no login of buildx for this repository)
                 - looked at ~/run/containers/auth.json, ~/.config/containers/auth.json (no such file)
                 - looked at GH_TOKEN (not set)
                 - looked at GITHUB_TOKEN (set, but empty)
                 - looked at CR_PAT (not set)
                 - looked at gh auth token --hostname github.com (gh is not installed)
               what to do:
                 Give GITHUB_TOKEN a value, or leave it out and log in with `docker login ghcr.io`.
        "]],
    );
}

/// Scripts are told by the code.
#[test]
fn as_json() {
    for (variables, expected) in [
        (&[][..], "credential-missing"),
        (&[("CR_PAT", "")], "credential-empty"),
    ] {
        let mut desk = Desk::new();
        for (name, value) in variables {
            desk.set(name, value);
        }
        let run = desk.run(&["--json", "image.tar", "ghcr.io/owner/app:1"]);
        run.assert_code(4);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        assert_eq!(json["error"]["kind"], "authorization");
        assert_eq!(json["diagnosis"]["code"], expected);
        assert_eq!(json["diagnosis"]["causes"][0]["likelihood"], "proven");
    }
}

/// The forced source is asked whatever comes before it, and no other is if it has nothing.
#[test]
fn a_forced_source() {
    let registry = registry();
    let mut desk = Desk::new();
    desk.set("GHCR_PUSH_TOKEN", "ghp_wrong")
        .write(".docker/config.json", &login(&registry.host(), TOKEN));
    for source in ["docker", "Docker"] {
        let run = desk.push(&registry, &["--credential-source", source]);
        run.assert_code(0);
        assert_eq!(
            told(&run, &registry.host()),
            "credential for HOST: ~/.docker/config.json (installation token, as GITHUB_TOKEN is), user name octocat"
        );
    }
    let requests = registry.journal().exchanges.len();
    let run = desk.push(&registry, &["--credential-source", "podman"]);
    let host = registry.host();
    check(
        &run,
        &host,
        4,
        &expect![[r"
            error: no credential for HOST was found in the source podman

            hint: looked for here:
                    ~/run/containers/auth.json, ~/.config/containers/auth.json: no such file
        "]],
    );
    assert_eq!(registry.journal().exchanges.len(), requests);
    desk.set("GHCR_PUSH_CREDENTIAL_SOURCE", "GHCR_PUSH_TOKEN");
    let run = desk.push(&registry, &[]);
    run.assert_code(4);
    assert!(told(&run, &host).contains("GHCR_PUSH_TOKEN"));
}

#[test]
fn a_source_that_does_not_exist() {
    let run = Desk::new().run(&[
        "--credential-source",
        "keychain",
        "image.tar",
        "ghcr.io/o/n",
    ]);
    check(
        &run,
        "",
        2,
        &expect![[r"
            error: invalid value 'keychain' for '--credential-source <NAME>'
              [possible values: stdin, GHCR_PUSH_TOKEN, DOCKER_AUTH_CONFIG, authfile, docker, buildx, podman, GH_TOKEN, GITHUB_TOKEN, CR_PAT, GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN, gh]

            For more information, try '--help'.
        "]],
    );
}

#[test]
fn a_password_for_another_source() {
    let run = Desk::new().run(&[
        "--credential-source=docker",
        "--password-stdin",
        "--username=u",
        "image.tar",
        "ghcr.io/o/n",
    ]);
    check(
        &run,
        "",
        2,
        &expect![[r"
            error: --password-stdin gives a credential, but --credential-source names another source
        "]],
    );
}

#[test]
fn a_file_that_cannot_be_read() {
    let desk = Desk::new();
    let mut told = String::new();
    for file in ["none.json", "."] {
        let run = desk.run(&["--authfile", file, "image.tar", "ghcr.io/o/n"]);
        run.assert_code(2);
        told += &run.stderr;
    }
    expect![[r"
        error: --authfile: none.json cannot be read
          caused by: No such file or directory (os error 2)
        error: --authfile: . cannot be read
          caused by: is a directory
    "]]
    .assert_eq(&told);
}

/// A variable may have been set for another tool, which makes the file when somebody logs in.
#[test]
fn a_variable_that_names_no_file() {
    let registry = registry();
    let mut desk = Desk::new();
    desk.set("REGISTRY_AUTH_FILE", "none.json")
        .write(".docker/config.json", &login(&registry.host(), TOKEN));
    let run = desk.push(&registry, &[]);
    run.assert_code(0);
    let notice = "notice: REGISTRY_AUTH_FILE names none.json, which does not exist\n";
    assert!(run.stderr.starts_with(notice), "{}", run.stderr);
}

/// The secret that was to come on standard input does not exist.
#[test]
fn an_empty_password() {
    let run = Desk::new().run(&[
        "--json",
        "--password-stdin",
        "--username=u",
        "image.tar",
        "ghcr.io/o/n",
    ]);
    run.assert_code(4);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["diagnosis"]["code"], "credential-empty");
    let why = &json["diagnosis"]["causes"][0]["why"];
    assert_eq!(
        why,
        "--password-stdin is empty, so that no credential was sent"
    );
}

/// Where none is needed, nothing is said of a push that there is none of.
#[test]
fn none_for_a_check_or_a_dry_run() {
    let registry = TestRegistry::start(Options::default());
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    for arguments in [
        ["check", "--plain-http", &reference, "image.tar"],
        ["--dry-run", "--plain-http", "image.tar", &reference],
    ] {
        let output = command(image.directory.path()).args(arguments).output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(0);
        let told = format!(
            "no credential for {} was found; going on without\n",
            registry.host()
        );
        assert!(run.stderr.starts_with(&told), "{}", run.stderr);
    }
}
