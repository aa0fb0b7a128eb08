//! What GitHub's REST API is asked after a refusal, what it is not, and what the answers change.

use std::process::Command;

use serde_json::{Value, json};
use test_registry::{Options, Refusal, TestRegistry};

use super::api::{Answer, Api, owner, package};
use super::run::Workflow;
use crate::support::{Image, Run, TOKEN, USERNAME, command};

const CLASSIC: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const OAUTH: &str = "gho_16C7e42F292c6912E7710c838347Ae178B4a";

/// Pushes with `token` to a registry that refuses, and returns what is told as JSON.
fn refused(
    mut command: Command,
    token: &str,
    refusal: Refusal,
    api: &Api,
    options: &[&str],
) -> Value {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, token));
    registry.deny("owner/app", refusal);
    let output = command
        .env("GHCR_PUSH_TOKEN", token)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .env("GHCR_PUSH_API_URL", api.url())
        .args(["--json", "--plain-http", "--registry-profile", "ghcr"])
        .args(options)
        .args(["image.tar", &format!("{}/owner/app:1", registry.host())])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(4);
    serde_json::from_str(&run.stdout).expect("one JSON object")
}

fn code_and_likelihood(json: &Value) -> (&str, &str) {
    let cause = &json["diagnosis"]["causes"][0];
    (
        cause["code"].as_str().expect("a code"),
        cause["likelihood"].as_str().expect("a likelihood"),
    )
}

#[test]
fn an_unlinked_package_is_proven() {
    let api = Api::start(&[
        owner("Organization"),
        package("public", &Value::Null),
        Answer::new(
            "/installation/repositories?per_page=100",
            200,
            json!({ "total_count": 1, "repositories": [{ "full_name": "owner/app" }] }),
        )
        .header("x-ratelimit-limit", "1000"),
    ]);
    let image = Image::small();
    let run = Workflow::default().command(image.directory.path());
    let json = refused(run, TOKEN, Refusal::WritePackage, &api, &[]);
    assert_eq!(
        code_and_likelihood(&json),
        ("package-denies-repository", "proven")
    );
    let url = "https://github.com/orgs/owner/packages/container/app/settings";
    assert_eq!(json["diagnosis"]["causes"][0]["url"], url);
    assert_eq!(
        api.paths(),
        [
            "/users/owner",
            "/orgs/owner/packages/container/app",
            "/installation/repositories?per_page=100",
        ]
    );
    let bearer = Some(format!("Bearer {TOKEN}"));
    assert!(
        api.asked()
            .iter()
            .all(|asked| asked.authorization == bearer)
    );
}

/// Nothing is checked out, so that no file tells; the API's refusal does.
#[test]
fn a_withheld_permission_is_proven() {
    let api = Api::start(&[
        owner("User"),
        Answer::new(
            "/users/owner/packages/container/app",
            403,
            json!({ "message": "Resource not accessible by integration" }),
        ),
    ]);
    let image = Image::small();
    let run = Workflow::default().command(image.directory.path());
    let refusal = Refusal::InstallationNotAllowedToWrite;
    let json = refused(run, TOKEN, refusal, &api, &[]);
    assert_eq!(
        code_and_likelihood(&json),
        ("workflow-lacks-packages-write", "proven")
    );
    let evidence = json["diagnosis"]["causes"][0]["evidence"].to_string();
    assert!(evidence.contains("so much as read packages"), "{evidence}");
}

/// gh's token: what its scopes are is told by the API.
#[test]
fn a_missing_scope_is_proven() {
    let api = Api::start(&[Answer::new("/user", 200, json!({ "login": "owner" }))
        .header("x-oauth-scopes", "gist, read:org, repo")]);
    let image = Image::small();
    let run = command(image.directory.path());
    let json = refused(run, OAUTH, Refusal::ReadPackage, &api, &[]);
    assert_eq!(code_and_likelihood(&json), ("missing-scope", "likely"));
    let remedy = json["diagnosis"]["causes"][0]["remedy"]
        .as_str()
        .expect("a remedy");
    assert!(
        remedy.contains("gh auth refresh -h github.com -s write:packages"),
        "{remedy}"
    );
    // The user's own packages are asked for at another place, and whose they are is known by then.
    assert_eq!(api.paths(), ["/user", "/user/packages/container/app"]);
}

#[test]
fn single_sign_on() {
    let address = "https://github.com/orgs/owner/sso?authorization_request=A1B2";
    let api = Api::start(&[
        Answer::new("/user", 200, json!({ "login": "somebody" }))
            .header("x-oauth-scopes", "write:packages"),
        owner("Organization"),
        Answer::new("/orgs/owner/packages/container/app", 403, json!({}))
            .header("x-github-sso", &format!("required; url={address}")),
    ]);
    let image = Image::small();
    let run = command(image.directory.path());
    let refusal = Refusal::Custom {
        status: 403,
        code: "DENIED".to_owned(),
        message: "permission_denied: Resource protected by organization SAML enforcement. You must grant \
                  your Personal Access token access to this organization."
            .to_owned(),
    };
    let json = refused(run, CLASSIC, refusal, &api, &[]);
    assert_eq!(code_and_likelihood(&json), ("sso-not-authorised", "proven"));
    assert_eq!(json["diagnosis"]["causes"][0]["url"], address);
}

/// A credential that is refused is not shown again, and never more than four questions are asked.
#[test]
fn a_dead_token_is_shown_once() {
    let api = Api::start(&[
        Answer::new("/user", 401, json!({ "message": "Bad credentials" })),
        owner("User"),
    ]);
    let image = Image::small();
    let run = command(image.directory.path());
    let refusal = Refusal::Custom {
        status: 403,
        code: "DENIED".to_owned(),
        message: "denied".to_owned(),
    };
    let json = refused(run, CLASSIC, refusal, &api, &[]);
    assert_eq!(
        code_and_likelihood(&json),
        ("credential-rejected", "proven")
    );
    let asked = api.asked();
    assert_eq!(api.paths(), ["/user", "/users/owner"]);
    assert!(asked[0].authorization.is_some());
    assert_eq!(asked[1].authorization, None);
}

#[test]
fn who_is_slowed_down_stops_asking() {
    let api =
        Api::start(&[
            Answer::new("/user", 403, json!({ "message": "secondary rate limit" }))
                .header("retry-after", "60"),
        ]);
    let image = Image::small();
    let run = command(image.directory.path());
    refused(run, CLASSIC, Refusal::WritePackage, &api, &[]);
    assert_eq!(api.paths(), ["/user"]);
}

/// Neither a redirect nor an endless body leads anywhere.
#[test]
fn odd_answers() {
    let elsewhere = Api::start(&[]);
    let api = Api::start(&[
        Answer::new("/user", 302, Value::Null).header("location", &elsewhere.url()),
        Answer::new("/users/owner", 200, json!("x".repeat(2 << 20))),
    ]);
    let image = Image::small();
    let run = command(image.directory.path());
    let json = refused(run, CLASSIC, Refusal::WritePackage, &api, &[]);
    assert_eq!(
        code_and_likelihood(&json),
        ("package-denies-user", "likely")
    );
    assert_eq!(elsewhere.paths(), [""; 0], "no redirect is followed");
}

#[test]
fn what_is_not_asked() {
    let image = Image::small();
    let api = Api::start(&[owner("User")]);
    let run = || command(image.directory.path());
    // Nobody is to be asked.
    refused(run(), CLASSIC, Refusal::WritePackage, &api, &["--no-probe"]);
    let mut by_variable = run();
    by_variable.env("GHCR_PUSH_NO_PROBE", "1");
    refused(by_variable, CLASSIC, Refusal::WritePackage, &api, &[]);
    assert_eq!(api.paths(), [""; 0]);
    // A password that is no token of GitHub's is nothing to the API.
    refused(
        run(),
        "correct horse battery",
        Refusal::WritePackage,
        &api,
        &[],
    );
    let asked = api.asked();
    assert_eq!(api.paths(), ["/users/owner"]);
    assert_eq!(asked[0].authorization, None);
}

/// Nobody is there: the explanation is what it would be without.
#[test]
fn offline() {
    let image = Image::small();
    let api = Api::start(&[]);
    let gone = Api::start(&[]).url();
    let mut offline = command(image.directory.path());
    offline.env("GHCR_PUSH_API_URL", gone);
    let registry = TestRegistry::start(Options::ghcr(USERNAME, CLASSIC));
    registry.deny("owner/app", Refusal::WritePackage);
    let output = offline
        .env("GHCR_PUSH_TOKEN", CLASSIC)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .args(["-v", "--json", "--plain-http", "--registry-profile", "ghcr"])
        .args(["image.tar", &format!("{}/owner/app:1", registry.host())])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(4);
    let found: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert!(
        run.stderr.contains("/user, without an answer: "),
        "{}",
        run.stderr
    );
    let unasked = refused(
        command(image.directory.path()),
        CLASSIC,
        Refusal::WritePackage,
        &api,
        &["--no-probe"],
    );
    let code = |json: &Value| json["diagnosis"]["code"].clone();
    assert_eq!(code(&found), code(&unasked));
}

/// With -v, what was asked and answered is told.
#[test]
fn questions_are_told() {
    let image = Image::small();
    let api = Api::start(&[owner("User")]);
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.deny("owner/app", Refusal::WritePackage);
    let output = command(image.directory.path())
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .env("GHCR_PUSH_API_URL", api.url())
        .args(["-v", "--plain-http", "--registry-profile", "ghcr"])
        .args(["image.tar", &format!("{}/owner/app:1", registry.host())])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(4);
    let told = format!(
        "asked {}/users/owner, which answered 200: a user",
        api.url()
    );
    assert!(run.stderr.contains(&told), "{}", run.stderr);
    assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
}
