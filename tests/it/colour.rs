//! Colour: where it is wanted and nowhere else, and never anybody else's.

use test_registry::{Action, Fault, Options, Refusal, Route, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, command};

const ERROR: &str = "\u{1b}[1;31merror:\u{1b}[0m failed to push ";

fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.deny("owner/app", Refusal::WritePackage);
    let image = Image::small();
    let output = command(image.directory.path())
        .env_remove("NO_COLOR")
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .envs(variables.iter().copied())
        .args(["--plain-http", "--registry-profile", "ghcr"])
        .args(arguments)
        .args(["image.tar", &format!("{}/owner/app:1", registry.host())])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(4);
    run
}

#[test]
fn in_a_pipe_only_if_asked() {
    for (arguments, variables, expected) in [
        (&[][..], &[][..], false),
        (
            &[],
            &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
            false,
        ),
        (&["--color", "always"], &[], true),
        (&["--colour=always"], &[("NO_COLOR", "1")], true),
        (&[], &[("GHCR_PUSH_COLOR", "always")], true),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("FORCE_COLOR", "1")], true),
        (&[], &[("GITHUB_ACTIONS", "true")], true),
        (&[], &[("GITHUB_ACTIONS", "true"), ("NO_COLOR", "1")], false),
        (&["--color", "never"], &[("GITHUB_ACTIONS", "true")], false),
        (&["--progress", "json", "--color", "always"], &[], false),
    ] {
        let run = refused(arguments, variables);
        let place = format!("{arguments:?} {variables:?}: {}", run.stderr);
        assert_eq!(run.stderr.contains('\u{1b}'), expected, "{place}");
        assert_eq!(run.stdout, "");
        if expected {
            for part in [
                ERROR,
                "\n  \u{1b}[31mcaused by:\u{1b}[0m ",
                "\n\u{1b}[1;36mdiagnosis:\u{1b}[0m ",
                "\n1. \u{1b}[1;33mpackage-denies-repository\u{1b}[0m (",
            ] {
                assert!(run.stderr.contains(part), "{part:?} in {place}");
            }
        }
    }
}

/// Colour is for what this program says. What it repeats stays escaped.
#[test]
fn nobody_elses_escapes() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let hostile = "\u{1b}[32merror: all is well\u{1b}[0m \u{9b}1m";
    let answer = Action::error(400, "UNKNOWN", hostile);
    registry.fail(Fault::new(answer).on(Route::UploadStart));
    let image = Image::small();
    let run = |words: &[&str]| {
        let output = command(image.directory.path())
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .env("GHCR_PUSH_USERNAME", USERNAME)
            .args(["--color", "always", "--plain-http"])
            .args(words)
            .output();
        Run::of(output.expect("the binary starts"))
    };
    let reference = format!("{}/owner/app:1", registry.host());
    let by_server = run(&["image.tar", &reference]);
    let by_argument = run(&["--no-such-\u{1b}[32m-option", "a", "b"]);
    let escaped = "\\u{1b}[32merror: all is well";
    assert!(by_server.stderr.contains(escaped), "{}", by_server.stderr);
    for run in [by_server, by_argument] {
        assert!(!run.stderr.contains("\u{1b}[32m"), "{}", run.stderr);
        assert!(!run.stderr.contains('\u{9b}'), "{}", run.stderr);
        assert!(
            run.stderr.contains("\u{1b}[1;31merror:\u{1b}[0m "),
            "{}",
            run.stderr
        );
    }
}

/// Help and explanations are results, and coloured by the same rules.
#[test]
fn on_standard_output_too() {
    let image = Image::small();
    std::fs::write(
        image.directory.path().join("build.log"),
        "denied: permission_denied: write_package\nfailed to push ghcr.io/owner/app:1\n",
    )
    .expect("writable");
    for (arguments, part) in [
        (&["--help"][..], "\u{1b}["),
        (
            &["explain", "build.log"],
            "\u{1b}[1;36mdiagnosis:\u{1b}[0m ",
        ),
    ] {
        for (color, expected) in [("always", true), ("auto", false)] {
            let output = command(image.directory.path())
                .env_remove("NO_COLOR")
                .env("GHCR_PUSH_COLOR", color)
                .args(arguments)
                .output();
            let run = Run::of(output.expect("the binary starts"));
            run.assert_code(0);
            assert_eq!(run.stdout.contains(part), expected, "{}", run.stdout);
        }
    }
}
