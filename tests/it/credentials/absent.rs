//! What is said where there is no credential, or not where it was asked for.

use expect_test::expect;

use super::{Desk, login, registry, told};
use crate::support::{TOKEN, check};

#[test]
fn no_credential_for_ghcr() {
    let run = Desk::new().run(&["image.tar", "ghcr.io/owner/app:1"]);
    check(
        &run,
        "",
        4,
        &expect![[r"
            error: no credential for ghcr.io was found (credential-missing)

            hint: looked for in this order:
                    --password-stdin: not given
                    GHCR_PUSH_TOKEN, DOCKER_AUTH_CONFIG: not set
                    --authfile, REGISTRY_AUTH_FILE: not given
                    ~/.docker/config.json: no such file
                    ~/.docker/buildx/config: no login of buildx for this repository
                    ~/run/containers/auth.json, ~/.config/containers/auth.json: no such file
                    GH_TOKEN, GITHUB_TOKEN, CR_PAT: not set
                    gh auth token --hostname github.com: gh is not installed

                  In a workflow, give the step the token:

                      env:
                        GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}

                  By hand: gh auth login -h github.com -s write:packages, or docker login ghcr.io with a classic personal
                  access token that has the scope write:packages
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
            error: no credential for ghcr.io was found (credential-empty)

            hint: looked for in this order:
                    --password-stdin: not given
                    GHCR_PUSH_TOKEN, DOCKER_AUTH_CONFIG: not set
                    --authfile, REGISTRY_AUTH_FILE: not given
                    ~/.docker/config.json: no such file
                    ~/.docker/buildx/config: no login of buildx for this repository
                    ~/run/containers/auth.json, ~/.config/containers/auth.json: no such file
                    GH_TOKEN: not set
                    GITHUB_TOKEN: set, but empty
                    CR_PAT: not set
                    gh auth token --hostname github.com: gh is not installed

                  In a workflow, give the step the token:

                      env:
                        GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}

                  By hand: gh auth login -h github.com -s write:packages, or docker login ghcr.io with a classic personal
                  access token that has the scope write:packages
        "]],
    );
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
            error: no credential for HOST was found in the source podman (credential-missing)

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
fn a_file_that_does_not_exist() {
    let run = Desk::new().run(&["--authfile", "none.json", "image.tar", "ghcr.io/o/n"]);
    check(
        &run,
        "",
        2,
        &expect![[r"
            error: --authfile: none.json cannot be read
              caused by: No such file or directory (os error 2)
        "]],
    );
}
