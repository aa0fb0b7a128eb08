//! Which source wins, and what is known of the others.

use expect_test::{Expect, expect};
use oci_push::Profile;
use secrecy::SecretString;

use super::{Desk, logins, place};
use crate::args::credentials::CredentialSource;
use crate::credentials::Place;

/// A desk on which every source that needs no program has a token that names it.
fn full() -> Desk {
    let mut desk = Desk::new();
    let of_variable = logins(&[("ghcr.io", "p-docker-auth-config")]);
    let runtime = desk.path("run").display().to_string();
    let registry = desk.path("registry.json").display().to_string();
    desk.set("GHCR_PUSH_TOKEN", "ghp_own")
        .set("GITHUB_ACTOR", "octocat")
        .set("DOCKER_AUTH_CONFIG", &of_variable)
        .set("REGISTRY_AUTH_FILE", &registry)
        .set("XDG_RUNTIME_DIR", &runtime)
        .set("GH_TOKEN", "gho_gh")
        .set("GITHUB_TOKEN", "ghs_workflow")
        .set("CR_PAT", "github_pat_cr")
        .log_in("registry.json", "ghcr.io", "p-authfile")
        .log_in(".docker/config.json", "https://ghcr.io/v1/", "p-docker")
        .log_in(
            ".docker/buildx/config/ghcr.io/owner/app@push/config.json",
            "ghcr.io",
            "p-buildx",
        )
        .log_in("run/containers/auth.json", "ghcr.io/owner", "p-runtime")
        .log_in(".config/containers/auth.json", "ghcr.io", "p-configuration");
    desk
}

/// Takes the winner away, one after the other.
#[test]
fn the_order() {
    let mut desk = full();
    let mut sources = desk.sources();
    sources.given = Some(("someone".to_owned(), SecretString::from("p-given")));
    let first = sources.search(&place("ghcr.io"));
    let mut lines = vec![desk.found(&first, "ghcr.io")];
    let variable = |desk: &mut Desk, name: &str| desk.variables.retain(|(set, _)| set != name);
    let file = |desk: &mut Desk, name: &str| {
        std::fs::remove_file(desk.path(name)).expect("it was written");
    };
    let removals: [&dyn Fn(&mut Desk); 10] = [
        &|_| {},
        &|desk| variable(desk, "GHCR_PUSH_TOKEN"),
        &|desk| variable(desk, "DOCKER_AUTH_CONFIG"),
        &|desk| variable(desk, "REGISTRY_AUTH_FILE"),
        &|desk| file(desk, ".docker/config.json"),
        &|desk| {
            file(
                desk,
                ".docker/buildx/config/ghcr.io/owner/app@push/config.json",
            );
        },
        &|desk| file(desk, "run/containers/auth.json"),
        &|desk| file(desk, ".config/containers/auth.json"),
        &|desk| variable(desk, "GH_TOKEN"),
        &|desk| variable(desk, "GITHUB_TOKEN"),
    ];
    for remove in removals {
        remove(&mut desk);
        lines.push(desk.found(&desk.search(), "ghcr.io"));
    }
    variable(&mut desk, "CR_PAT");
    lines.push(desk.found(&desk.search(), "ghcr.io"));
    expect![[r#"
        credential for ghcr.io: --password-stdin (kind not recognised), user name someone = p-given
        credential for ghcr.io: GHCR_PUSH_TOKEN (classic personal access token), user name octocat = ghp_own
        credential for ghcr.io: DOCKER_AUTH_CONFIG (kind not recognised), user name u = p-docker-auth-config
        credential for ghcr.io: REGISTRY_AUTH_FILE ~/registry.json (kind not recognised), user name u = p-authfile
        credential for ghcr.io: ~/.docker/config.json, entry "https://ghcr.io/v1/" (kind not recognised), user name u = p-docker
        credential for ghcr.io: ~/.docker/buildx/config/ghcr.io/owner/app@push/config.json (kind not recognised), user name u = p-buildx
        credential for ghcr.io/owner: ~/run/containers/auth.json, entry "ghcr.io/owner" (kind not recognised), user name u = p-runtime
        credential for ghcr.io: ~/.config/containers/auth.json (kind not recognised), user name u = p-configuration
        credential for ghcr.io: GH_TOKEN (OAuth token, as gh issues them), user name octocat = gho_gh
        credential for ghcr.io: GITHUB_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat = ghs_workflow
        credential for ghcr.io: CR_PAT (fine-grained personal access token), user name octocat = github_pat_cr
        none
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
}

/// What the winner hides is evidence, each with its kind; a copy of the winner hides nothing.
#[test]
fn shadowed() {
    let mut desk = full();
    desk.variables.retain(|(name, _)| name != "GH_TOKEN");
    desk.set("GH_TOKEN", "ghp_own");
    let search = desk.search();
    let lines = search.shadowed.iter().map(|found| {
        let facts = &found.facts;
        desk.stable(&format!("{} ({})\n", facts.source, facts.kind.describe()))
    });
    expect![[r#"
        DOCKER_AUTH_CONFIG (kind not recognised)
        REGISTRY_AUTH_FILE ~/registry.json (kind not recognised)
        ~/.docker/config.json, entry "https://ghcr.io/v1/" (kind not recognised)
        ~/.docker/buildx/config/ghcr.io/owner/app@push/config.json (kind not recognised)
        ~/run/containers/auth.json, entry "ghcr.io/owner" (kind not recognised)
        GITHUB_TOKEN (installation token, as GITHUB_TOKEN is)
        CR_PAT (fine-grained personal access token)
    "#]]
    .assert_eq(&lines.collect::<String>());
}

/// Every source can be had by its name, whatever comes before it.
#[test]
fn forced() {
    let desk = full();
    for (source, expected) in [
        (CredentialSource::OwnVariable, Some("ghp_own")),
        (
            CredentialSource::DockerAuthConfig,
            Some("p-docker-auth-config"),
        ),
        (CredentialSource::Authfile, Some("p-authfile")),
        (CredentialSource::Docker, Some("p-docker")),
        (CredentialSource::Buildx, Some("p-buildx")),
        (CredentialSource::Podman, Some("p-runtime")),
        (CredentialSource::GhToken, Some("gho_gh")),
        (CredentialSource::GithubToken, Some("ghs_workflow")),
        (CredentialSource::CrPat, Some("github_pat_cr")),
        (CredentialSource::GhEnterpriseToken, None),
        (CredentialSource::Stdin, None),
        (CredentialSource::Gh, None),
    ] {
        let mut sources = desk.sources();
        sources.forced = Some(source);
        let search = sources.search(&place("ghcr.io"));
        let found = search.found.as_ref();
        let secrets = found.map(|found| found.secrets()[0].clone());
        assert_eq!(secrets.as_deref(), expected, "{source:?}");
        assert!(search.shadowed.is_empty(), "{source:?}");
        assert_eq!(search.looked.is_empty(), found.is_some(), "{source:?}");
    }
}

/// `--username`, or its variable, goes before the name that GitHub Actions gives.
#[test]
fn who_a_token_without_a_name_belongs_to() {
    for (username, actor, expected) in [
        (Some("someone"), Some("octocat"), "someone"),
        (None, Some("octocat"), "octocat"),
        (None, None, "x-access-token"),
    ] {
        for variable in ["GHCR_PUSH_TOKEN", "GITHUB_TOKEN"] {
            let mut desk = Desk::new();
            desk.set(variable, "ghp_own");
            if let Some(actor) = actor {
                desk.set("GITHUB_ACTOR", actor);
            }
            let mut sources = desk.sources();
            sources.username = username.map(str::to_owned);
            let found = sources.search(&place("ghcr.io")).found;
            let found = found.expect("a credential");
            assert_eq!(found.credentials.username, expected, "{variable}");
        }
    }
}

/// A pipe nobody writes to is not waited for when a token is there already.
#[cfg(unix)]
#[test]
fn no_pipe_is_read_for_evidence() {
    let mut desk = Desk::new();
    let pipe = desk.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("a program of the system").success());
    desk.set("GHCR_PUSH_TOKEN", "ghp_own")
        .set("REGISTRY_AUTH_FILE", &pipe.display().to_string());
    let search = desk.search();
    assert!(search.found.is_some());
    assert!(search.shadowed.is_empty());
}

/// Nothing of GitHub's goes anywhere else, not even under its profile.
#[test]
fn tokens_for_github_stay_there() {
    let mut desk = Desk::new();
    for variable in ["GH_TOKEN", "GITHUB_TOKEN", "CR_PAT"] {
        desk.set(variable, "ghp_secret");
    }
    for variable in ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"] {
        desk.set(variable, "ghp_enterprise");
    }
    for (host, profile, expected) in [
        ("ghcr.io", Profile::Ghcr, Some("ghp_secret")),
        ("ghcr.io", Profile::Specification, None),
        ("ghcr.io:8443", Profile::Ghcr, None),
        ("containers.a.ghe.com", Profile::Ghcr, Some("ghp_secret")),
        (
            "containers.github.example",
            Profile::Specification,
            Some("ghp_enterprise"),
        ),
        ("registry.example", Profile::Ghcr, None),
        ("127.0.0.1:5000", Profile::Ghcr, None),
    ] {
        let place = Place {
            profile,
            ..place(host)
        };
        let found = desk.sources().search(&place).found;
        let secret = found.map(|found| found.secrets()[0].clone());
        assert_eq!(secret.as_deref(), expected, "{host} {profile:?}");
    }
}

#[test]
fn with_several_registries_the_tools_own_variable_goes_to_github_only() {
    let mut desk = Desk::new();
    desk.set("GHCR_PUSH_TOKEN", "ghp_own");
    let mut sources = desk.sources();
    sources.sole_registry = false;
    assert!(sources.search(&place("ghcr.io")).found.is_some());
    assert!(sources.search(&place("registry.example")).found.is_none());
}

/// A variable that is empty is told, also behind the one that wins: it may be the one that was meant.
#[test]
fn empty_variables() {
    let mut desk = Desk::new();
    desk.set("GHCR_PUSH_TOKEN", " ")
        .set("DOCKER_AUTH_CONFIG", "")
        .set("GITHUB_TOKEN", "ghs_x")
        .set("CR_PAT", "");
    let search = desk.search();
    assert_eq!(
        search.empty_variables,
        ["GHCR_PUSH_TOKEN", "DOCKER_AUTH_CONFIG", "CR_PAT"]
    );
    assert_eq!(
        search.notices,
        [
            "GHCR_PUSH_TOKEN is set but empty; secrets are empty in runs for pull requests from forks",
            "DOCKER_AUTH_CONFIG is set but empty; secrets are empty in runs for pull requests from forks",
            "CR_PAT is set but empty; secrets are empty in runs for pull requests from forks",
        ]
    );
    assert!(search.found.is_some());
}

/// Where was it looked for, and why was nothing found there.
#[track_caller]
fn check_looked(desk: &Desk, host: &str, expected: &Expect) {
    let search = desk.sources().search(&place(host));
    assert!(search.found.is_none());
    let mut lines = desk.looked(&search);
    let notices = search.notices.iter();
    lines.extend(notices.map(|notice| desk.stable(&format!("notice: {notice}"))));
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn where_it_was_looked_for() {
    let mut desk = Desk::new();
    let authfile = desk.path("registry.json").display().to_string();
    desk.set("GHCR_PUSH_TOKEN", "")
        .set("DOCKER_AUTH_CONFIG", "{")
        .set("REGISTRY_AUTH_FILE", &authfile)
        .log_in("registry.json", "other.io", "p")
        .write(".docker/config.json", r#"{"credsStore":"../evil"}"#)
        .write(
            ".config/containers/auth.json",
            r#"{"auths":{"ghcr.io":{"auth":"secret!"}}}"#,
        );
    check_looked(
        &desk,
        "ghcr.io",
        &expect![[r#"
            --password-stdin: not given
            GHCR_PUSH_TOKEN: set, but empty
            DOCKER_AUTH_CONFIG: it is no valid JSON (line 1)
            REGISTRY_AUTH_FILE ~/registry.json: nothing for ghcr.io
            the credential helper "../evil", named in ~/.docker/config.json: that is no name of a program
            ~/.docker/config.json: nothing for ghcr.io
            ~/.docker/buildx/config: no login of buildx for this repository
            ~/.config/containers/auth.json: the host's "auth" is not base64 of "user:password"
            GH_TOKEN: not set
            GITHUB_TOKEN: not set
            CR_PAT: not set
            gh auth token --hostname github.com: gh is not installed
            notice: GHCR_PUSH_TOKEN is set but empty; secrets are empty in runs for pull requests from forks
            notice: DOCKER_AUTH_CONFIG was passed over: it is no valid JSON (line 1)
            notice: the credential helper "../evil", named in ~/.docker/config.json, was passed over: that is no name of a program
            notice: ~/.config/containers/auth.json was passed over: the host's "auth" is not base64 of "user:password"
        "#]],
    );
    check_looked(
        &Desk::new(),
        "registry.example",
        &expect![[r"
            --password-stdin: not given
            GHCR_PUSH_TOKEN: not set
            DOCKER_AUTH_CONFIG: not set
            --authfile, REGISTRY_AUTH_FILE: not given
            ~/.docker/config.json: no such file
            ~/.docker/buildx/config: no login of buildx for this repository
            ~/.config/containers/auth.json: no such file
            GH_TOKEN: registry.example is not a registry of GitHub's
            GITHUB_TOKEN: registry.example is not a registry of GitHub's
            CR_PAT: registry.example is not a registry of GitHub's
            GH_ENTERPRISE_TOKEN: registry.example is not a registry of GitHub's
            GITHUB_ENTERPRISE_TOKEN: registry.example is not a registry of GitHub's
            gh auth token: registry.example is not a registry of GitHub's
        "]],
    );
}

#[test]
fn no_announcement_holds_the_secret() {
    let mut desk = Desk::new();
    desk.set("GHCR_PUSH_TOKEN", "ghp_s3cret");
    let search = desk.search();
    assert!(!format!("{search:?}").contains("s3cret"));
    let found = search.found.expect("a credential");
    assert!(!found.announcement("ghcr.io").contains("s3cret"));
    assert!(found.secrets().contains(&"ghp_s3cret".to_owned()));
}
