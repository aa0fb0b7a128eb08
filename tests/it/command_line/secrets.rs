//! Credentials: whose they are, where they may not go, and that they are not repeated.

use serde_json::Value;
use test_registry::{Authentication, Options, TestRegistry};

use super::registry;
use crate::support::{Image, Run, TOKEN, USERNAME, command, push};

/// The registry takes one user only; `GITHUB_ACTOR` is another.
#[test]
fn the_user_name_goes_with_the_token_of_the_variable() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let pushed = |option: &[&str], variables: &[(&str, &str)]| {
        let output = command(image.directory.path())
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .env("GITHUB_ACTOR", "another")
            .envs(variables.iter().copied())
            .args(option)
            .args(["--plain-http", "image.tar", &reference])
            .output();
        Run::of(output.expect("the binary starts"))
    };
    let announced = format!("user name {USERNAME}");
    let variable = [("GHCR_PUSH_USERNAME", "third")];
    for run in [
        pushed(&["--username", USERNAME], &variable),
        pushed(&[], &[("GHCR_PUSH_USERNAME", USERNAME)]),
    ] {
        run.assert_code(0);
        assert!(run.stderr.contains(&announced), "{}", run.stderr);
    }
    pushed(&[], &[]).assert_code(4);
}

/// Refused before a credential is looked for, whoever asks for HTTP.
#[test]
fn nothing_is_said_to_github_over_http() {
    let image = Image::small();
    for host in ["ghcr.io", "ghcr.io:80", "containers.example.ghe.com"] {
        let reference = format!("{host}/owner/app:1");
        let by_option = push(&image, &["image.tar", &reference]);
        let by_variable = command(image.directory.path())
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .env("GHCR_PUSH_PLAIN_HTTP", "1")
            .args(["image.tar", &reference])
            .output();
        for run in [by_option, Run::of(by_variable.expect("the binary starts"))] {
            let expected = format!(
                "error: {host} is not spoken to over HTTP\n\n\
                 hint: leave out --plain-http, or unset GHCR_PUSH_PLAIN_HTTP\n"
            );
            run.assert_code(2);
            assert_eq!(run.stderr, expected);
        }
    }
}

#[test]
fn a_credential_in_the_open_is_told() {
    let image = Image::small();
    let registry = registry();
    let told = "over HTTP, where everybody on the way can read it";
    let here = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["image.tar", &here]);
    run.assert_code(0);
    assert!(!run.stderr.contains(told), "{}", run.stderr);
    // No such name is ever given an address (RFC 6761).
    let elsewhere = "registry.invalid:5000/owner/app";
    let run = push(&image, &["--retry", "1", "-t", "2", "image.tar", elsewhere]);
    run.assert_code(5);
    assert_eq!(run.stderr.matches(told).count(), 1, "{}", run.stderr);
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let image = Image::small();
    for arguments in [
        &["image.tar", "https://user:hunter22@ghcr.io/o/n"][..],
        &["image.tar", "user:hunter22@ghcr.io/o/n"],
        &["image.tar", "https://user:hun,ter22@ghcr.io/o/n"],
        &["https://user:hunter22@ghcr.io/o/n"],
        &["https://user:hunter22@ghcr.io/o/n", "ghcr.io/o/n"],
        &["--password-stdin=hunter22", "image.tar", "ghcr.io/o/n"],
        &["--password=hunter22", "image.tar", "ghcr.io/o/n"],
        &["--jobs", TOKEN, "image.tar", "ghcr.io/o/n"],
    ] {
        let run = push(&image, arguments);
        run.assert_code(2);
        for secret in ["ter22", TOKEN] {
            assert!(
                !run.stderr.contains(secret),
                "{arguments:?}: {}",
                run.stderr
            );
        }
    }
}

/// A password that is also a word of the output, or a key of it: the JSON stays what it is.
#[test]
fn an_ordinary_word_for_a_password_leaves_the_output_readable() {
    let image = Image::small();
    for password in ["registry", "requestId", "error", "message"] {
        let mut options = Options::default();
        options.authentication = Authentication::Basic {
            username: USERNAME.to_owned(),
            password: "another".to_owned(),
        };
        let registry = TestRegistry::start(options);
        let reference = format!("{}/owner/app:1", registry.host());
        let output = command(image.directory.path())
            .env("GHCR_PUSH_TOKEN", password)
            .args(["--plain-http", "--json", "image.tar", &reference])
            .output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(4);
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        assert_eq!(json["error"]["kind"], "authorization");
        assert_eq!(json["error"]["message"], "authentication required");
        assert!(json["error"].get("requestId").is_some(), "{}", run.stdout);
        assert!(!run.stderr.contains("[redacted]"), "{}", run.stderr);
    }
}
