//! What is said on the command line and in the environment, and how it is understood: mistakes are told
//! before anything is read or sent, and what was achieved is told even where the rest failed.

use test_registry::{Authentication, Options, Personality, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, command, push};

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

/// A script whose variable is not set must not take nothing for success.
#[test]
fn an_empty_argument_is_a_mistake() {
    let image = Image::small();
    let registry = registry();
    let reference = format!("{}/owner/app:1", registry.host());
    for (arguments, expected) in [
        (
            ["image.tar", ""],
            "argument 2 is \"\", which names nothing where a reference",
        ),
        (
            ["image.tar", ","],
            "argument 2 is \",\", which names nothing where a reference",
        ),
        (
            ["", &reference],
            "argument 1 is \"\", which names nothing where the image",
        ),
        (
            ["inspect", ""],
            "argument 1 is \"\", which names nothing where an image",
        ),
    ] {
        let run = match arguments[0] {
            "inspect" => inspect(&image, &arguments[1..]),
            _ => push(&image, &arguments),
        };
        run.assert_code(2);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    assert_eq!(registry.journal().exchanges.len(), 0);
}

/// The embedded registry names itself as the client does, in both of its personalities.
#[test]
fn localhost_is_a_name_of_the_embedded_registry() {
    for personality in [Personality::Specification, Personality::Ghcr] {
        let mut options = Options::default();
        options.personality = personality;
        options.authentication = Authentication::Bearer {
            username: USERNAME.to_owned(),
            password: TOKEN.to_owned(),
            lifetime: None,
        };
        let registry = TestRegistry::start(options);
        let image = Image::small();
        let host = registry.host().replace("127.0.0.1", "localhost");
        for mode in ["stream", "chunked"] {
            let reference = format!("{host}/owner/{mode}:1");
            push(&image, &["--upload-mode", mode, "image.tar", &reference]).assert_code(0);
            assert_eq!(registry.tags(&format!("owner/{mode}")), ["1"]);
        }
    }
}

/// Refused before a credential is looked for: the one given is not even announced.
#[test]
fn a_registry_of_github_needs_an_owner() {
    let image = Image::small();
    let registry = registry();
    let reference = format!("{}/app:1", registry.host());
    let run = push(
        &image,
        &["--registry-profile", "ghcr", "image.tar", &reference],
    );
    run.assert_code(2);
    assert!(
        run.stderr.contains("(reference-without-owner)"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("credential"), "{}", run.stderr);
    assert_eq!(registry.journal().exchanges.len(), 0);
}

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

/// Runs `inspect`.
fn inspect(image: &Image, arguments: &[&str]) -> Run {
    let output = command(image.directory.path())
        .arg("inspect")
        .args(arguments)
        .output();
    Run::of(output.expect("the binary starts"))
}
