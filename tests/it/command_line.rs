//! What is said on the command line and in the environment, and how it is understood: mistakes are told
//! before anything is read or sent, and what was achieved is told even where the rest failed.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use test_registry::{
    Action, Authentication, Fault, Journal, Options, Personality, Refusal, Route, TestRegistry,
};

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

/// What was published when the signal came is told, on both outputs.
#[cfg(unix)]
#[test]
fn an_interrupted_push_tells_what_is_published() {
    let registry = registry();
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::UploadStart)
            .repository("owner/second"),
    );
    let image = Image::small();
    let first = format!("{}/owner/first:1", registry.host());
    let second = format!("{}/owner/second:1", registry.host());
    let push = command(image.directory.path())
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .args(["--plain-http", "--json", "--digestfile", "digest"])
        .args(["image.tar", &first, &second])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let is_stalled = |journal: &Journal| {
        let mut starts = journal.of(Route::UploadStart);
        starts.any(|start| start.repository == "owner/second")
    };
    for _ in 0..1000 {
        if is_stalled(&registry.journal()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let signal = format!("kill -INT {}", push.id());
    let sent = Command::new("sh").args(["-c", &signal]).status();
    assert!(sent.expect("a shell starts").success());
    let run = Run::of(push.wait_with_output().expect("the binary ends"));
    run.assert_code(130);
    assert!(
        run.stderr.ends_with(&format!("pushed {first}\n")),
        "{}",
        run.stderr
    );
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["error"]["kind"], "interrupted");
    assert_eq!(json["references"][0]["status"], "pushed");
    assert_eq!(
        json["references"][0]["digest"],
        image.sample.digest.as_str()
    );
    assert_eq!(json["references"][1]["status"], "failed");
    assert!(!image.directory.path().join("digest").exists());
}

#[test]
fn a_digest_file_that_cannot_be_written_is_told_before_the_push() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &["--digestfile", "absent/digest", "image.tar", &reference],
    );
    run.assert_code(2);
    assert!(
        run.stderr
            .contains("--digestfile: absent/digest cannot be written"),
        "{}",
        run.stderr
    );
    assert_eq!(registry.journal().exchanges.len(), 0);
}

#[test]
fn a_push_that_fails_leaves_the_digest_file_alone() {
    let registry = registry();
    registry.deny("owner/app", Refusal::WritePackage);
    let image = Image::small();
    let path = image.directory.path().join("digest");
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = ["--digestfile", "digest", "image.tar", &reference];
    push(&image, &arguments).assert_code(4);
    assert!(!path.exists());
    std::fs::write(&path, "of another push").expect("writable");
    push(&image, &arguments).assert_code(4);
    let text = std::fs::read_to_string(&path).expect("readable");
    assert_eq!(text, "of another push");
}

/// `/dev/full` can be opened, and takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn the_result_is_printed_although_the_digest_file_is_full() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &["--digestfile", "/dev/full", "image.tar", &reference],
    );
    run.assert_code(1);
    assert_eq!(run.stdout, format!("{reference}@{}\n", image.sample.digest));
    assert!(
        run.stderr
            .contains("the image is published, but /dev/full cannot be written"),
        "{}",
        run.stderr
    );
    let run = push(
        &image,
        &[
            "--json",
            "--digestfile",
            "/dev/full",
            "image.tar",
            &reference,
        ],
    );
    run.assert_code(1);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["references"][0]["status"], "unchanged");
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

/// Runs `inspect`.
fn inspect(image: &Image, arguments: &[&str]) -> Run {
    let output = command(image.directory.path())
        .arg("inspect")
        .args(arguments)
        .output();
    Run::of(output.expect("the binary starts"))
}
