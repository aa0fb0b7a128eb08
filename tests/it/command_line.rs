//! What is said on the command line and in the environment, and how it is understood: mistakes are told
//! before anything is read or sent, and what was achieved is told even where the rest failed.

mod assistance;
mod outcome;
mod secrets;
mod variables;

use serde_json::Value;
use test_registry::{Authentication, Options, Personality, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, command, push};

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

/// Runs `inspect`.
fn inspect(image: &Image, arguments: &[&str]) -> Run {
    let output = command(image.directory.path())
        .arg("inspect")
        .args(arguments)
        .output();
    Run::of(output.expect("the binary starts"))
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

/// Either would take what belongs to the other.
#[test]
fn standard_input_is_the_image_or_the_password() {
    let image = Image::small();
    let run = push(&image, &["--password-stdin", "-", "ghcr.io/owner/app:1"]);
    run.assert_code(2);
    assert_eq!(
        run.stderr,
        "error: standard input cannot be both the image and the password\n\n\
         hint: give the token in GHCR_PUSH_TOKEN\n"
    );
}

#[test]
fn what_inspect_cannot_read_is_not_called_unpushable() {
    let image = Image::small();
    std::fs::write(image.directory.path().join("notes.txt"), "notes").expect("writable");
    let run = inspect(&image, &["notes.txt"]);
    run.assert_code(3);
    assert!(
        run.stderr.starts_with("error: notes.txt cannot be read\n"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("pushed"), "{}", run.stderr);
    let run = inspect(&image, &["absent.tar"]);
    run.assert_code(3);
    let told = run.stderr.matches("absent.tar cannot be read").count();
    assert_eq!(told, 1, "{}", run.stderr);
}

/// What is said for this run goes before what the variable says for all.
#[test]
fn verbose_goes_before_a_variable_that_says_quiet() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let stderr = |quiet: &str, options: &[&str], code| {
        let output = command(image.directory.path())
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .env("GHCR_PUSH_USERNAME", USERNAME)
            .env("GHCR_PUSH_QUIET", quiet)
            .args(options)
            .args(["--plain-http", "image.tar", &reference])
            .output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(code);
        run.stderr
    };
    for quiet in ["false", "0", "1", "true"] {
        let told = stderr(quiet, &["-v"], 0);
        assert!(told.contains("step=fetch-token"), "{quiet}: {told}");
        assert!(told.contains("credential for"), "{quiet}: {told}");
    }
    assert_eq!(stderr("1", &[], 0), "");
    assert!(stderr("false", &[], 0).contains("credential for"));
    let refused = stderr("0", &["-q", "-v"], 2);
    assert!(
        refused.contains("'--quiet' cannot be used with '--verbose'"),
        "{refused}"
    );
}

/// `-v` tells of every request, `-vv` of its headers too.
#[test]
fn verbose_twice_tells_more() {
    let registry = registry();
    let image = Image::small();
    let reference = |tag: &str| format!("{}/owner/app:{tag}", registry.host());
    let once = push(&image, &["-v", "image.tar", &reference("1")]);
    let twice = push(&image, &["-vv", "image.tar", &reference("2")]);
    let shown = [
        "headers=content-type: application/vnd.oci.image.manifest.v1+json",
        "docker-content-digest: sha256:",
    ];
    for shown in shown {
        assert!(!once.stderr.contains(shown), "{}", once.stderr);
        assert!(twice.stderr.contains(shown), "{}", twice.stderr);
    }
    assert!(!twice.stderr.contains("authorization"), "{}", twice.stderr);
}

/// A script that asks for JSON gets JSON, whatever is wrong with the rest of what it says.
#[test]
fn mistakes_are_told_as_json_too() {
    let image = Image::small();
    let with_variable = |value: &str, arguments: &[&str]| {
        let output = command(image.directory.path())
            .env("GHCR_PUSH_JSON", value)
            .args(arguments)
            .output();
        Run::of(output.expect("the binary starts"))
    };
    for (value, arguments, expected) in [
        (
            "",
            &["--json", "--jbos", "3"][..],
            Some("unexpected argument '--jbos' found"),
        ),
        (
            "1",
            &[],
            Some("the following required arguments were not provided: <IMAGE REFERENCE>..."),
        ),
        (
            "",
            &["--json", "image.tar", "owner/app:1"],
            Some("\"owner/app:1\" does not begin with a registry's host"),
        ),
        (
            "",
            &["inspect", "--json"],
            Some("the following required arguments were not provided: <IMAGE>..."),
        ),
        ("false", &["--jbos", "3"], None),
        ("", &["--jbos", "3", "--", "--json"], None),
    ] {
        let run = with_variable(value, arguments);
        run.assert_code(2);
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        let Some(expected) = expected else {
            assert_eq!(run.stdout, "", "{arguments:?}");
            continue;
        };
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        assert_eq!(json["exitCode"], 2);
        assert_eq!(json["error"]["kind"], "usage");
        assert_eq!(json["error"]["message"], expected);
        assert_eq!(json["references"], serde_json::json!([]));
    }
}
