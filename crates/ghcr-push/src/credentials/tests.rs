use oci_push::Profile;
use secrecy::SecretString;

use super::Sources;
use crate::env::Environment;

/// The announcement and the notices for `ghcr.io` or another host.
fn search(
    host: &str,
    variables: &[(&str, &str)],
    given: Option<&str>,
) -> (Option<String>, Vec<String>) {
    let environment = Environment::of(variables);
    let sources = Sources {
        environment: &environment,
        username: None,
        sole_registry: true,
        given: given.map(|password| {
            (
                "someone".to_owned(),
                SecretString::from(password.to_owned()),
            )
        }),
    };
    let search = sources.search(host, Profile::of_host(host));
    let line = search.found.map(|found| found.announcement(host));
    (line, search.notices)
}

#[test]
fn the_first_source_wins() {
    let own = ("GHCR_PUSH_TOKEN", "ghp_own");
    let github = ("GITHUB_TOKEN", "ghs_workflow");
    let actor = ("GITHUB_ACTOR", "octocat");
    for (host, variables, given, expected) in [
        (
            "ghcr.io",
            vec![own, github, actor],
            Some("secret"),
            Some(
                "credential for ghcr.io: --password-stdin (kind not recognised), user name someone",
            ),
        ),
        (
            "ghcr.io",
            vec![own, github, actor],
            None,
            Some(
                "credential for ghcr.io: GHCR_PUSH_TOKEN (classic personal access token), user name octocat",
            ),
        ),
        (
            "ghcr.io",
            vec![github],
            None,
            Some(
                "credential for ghcr.io: GITHUB_TOKEN (installation token, as GITHUB_TOKEN is), user name x-access-token",
            ),
        ),
        ("registry.example", vec![github], None, None),
        ("ghcr.io", vec![], None, None),
    ] {
        let (line, notices) = search(host, &variables, given);
        assert_eq!(line.as_deref(), expected, "{variables:?}");
        assert!(notices.is_empty(), "{notices:?}");
    }
}

/// `--username`, or its variable, goes before the name that GitHub Actions gives.
#[test]
fn who_a_token_without_a_name_belongs_to() {
    let token = ("GHCR_PUSH_TOKEN", "ghp_own");
    let actor = ("GITHUB_ACTOR", "octocat");
    for (username, variables, expected) in [
        (Some("someone"), &[token, actor][..], "someone"),
        (None, &[token, actor], "octocat"),
        (None, &[token], "x-access-token"),
    ] {
        let environment = Environment::of(variables);
        let sources = Sources {
            environment: &environment,
            given: None,
            username,
            sole_registry: true,
        };
        let found = sources.search("ghcr.io", Profile::Ghcr).found;
        let found = found.expect("a credential");
        assert_eq!(found.credentials.username, expected, "{variables:?}");
    }
}

#[test]
fn an_empty_variable_is_told() {
    let (line, notices) = search(
        "ghcr.io",
        &[("GHCR_PUSH_TOKEN", ""), ("GITHUB_TOKEN", "ghs_x")],
        None,
    );
    assert!(line.is_some_and(|line| line.contains("GITHUB_TOKEN")));
    assert_eq!(
        notices,
        [
            "GHCR_PUSH_TOKEN is set but empty; secrets are empty in runs for pull requests from forks"
        ]
    );
}

#[test]
fn no_announcement_holds_the_secret() {
    let environment = Environment::of(&[("GHCR_PUSH_TOKEN", "ghp_s3cret")]);
    let sources = Sources {
        environment: &environment,
        given: None,
        username: None,
        sole_registry: true,
    };
    let found = sources
        .search("ghcr.io", Profile::Ghcr)
        .found
        .expect("a credential");
    assert!(!found.announcement("ghcr.io").contains("s3cret"));
    assert!(!format!("{found:?}").contains("s3cret"));
    assert!(found.secrets().contains(&"ghp_s3cret".to_owned()));
}

#[test]
fn with_several_registries_the_tools_own_variable_goes_to_github_only() {
    let environment = Environment::of(&[("GHCR_PUSH_TOKEN", "ghp_own")]);
    let sources = Sources {
        environment: &environment,
        given: None,
        username: None,
        sole_registry: false,
    };
    assert!(sources.search("ghcr.io", Profile::Ghcr).found.is_some());
    assert!(
        sources
            .search("registry.example", Profile::Specification)
            .found
            .is_none()
    );
}
