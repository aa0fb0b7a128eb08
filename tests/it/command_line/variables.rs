//! The variables that stand for options.

use test_registry::{Options, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, command, push_command};

/// Runs a push to a repository named without a tag, with variables, and tells the tags that are there then.
fn tags(variables: &[(&str, &str)], expected: i32) -> (Vec<String>, Run) {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    let reference = format!("{}/owner/app", registry.host());
    let mut command = push_command(&image, &["image.tar", &reference]);
    command.envs(variables.iter().copied());
    let run = Run::of(command.output().expect("the binary starts"));
    run.assert_code(expected);
    (registry.tags("owner/app"), run)
}

#[test]
fn lists_go_by_the_name_of_the_option_and_by_its_plural() {
    for (variables, expected) in [
        (&[("GHCR_PUSH_TAG", "1.2")][..], &["1.2"][..]),
        (&[("GHCR_PUSH_TAGS", "1.2,1")], &["1", "1.2"]),
        (
            &[("GHCR_PUSH_TAG", ""), ("GHCR_PUSH_TAGS", "1.2")],
            &["1.2"],
        ),
        (
            &[("GHCR_PUSH_TAG", "1.2"), ("GHCR_PUSH_TAGS", "1.3")],
            &["1.2"],
        ),
        (&[("GHCR_PUSH_TAG", "")], &["latest"]),
    ] {
        let (tags, run) = tags(variables, 0);
        assert_eq!(tags, expected, "{variables:?}");
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    }
    for variable in ["GHCR_PUSH_ANNOTATION", "GHCR_PUSH_ANNOTATIONS"] {
        let plain = tags(&[], 0).1.stdout;
        let (_, run) = tags(&[(variable, "a=b")], 0);
        let digest = |line: &str| line.split_once('@').map(|(_, digest)| digest.to_owned());
        assert_ne!(digest(&run.stdout), digest(&plain), "{variable}");
    }
}

#[test]
fn what_is_no_options_variable_is_told_once() {
    for (variable, expected) in [
        ("GHCR_PUSH_TAGG", "did you mean GHCR_PUSH_TAG?"),
        ("GHCR_PUSH_PLATFORMS", "did you mean GHCR_PUSH_PLATFORM?"),
        ("GHCR_PUSH_DRYRUN", "did you mean GHCR_PUSH_DRY_RUN?"),
        ("ghcr_push_verify", "did you mean GHCR_PUSH_VERIFY?"),
        (
            "GHCR_PUSH_BOGUS",
            "no effect; ghcr-push --help names those that have",
        ),
    ] {
        let (tags, run) = tags(&[(variable, "1")], 0);
        assert_eq!(tags, ["latest"]);
        let told = format!("warning: the variable {variable} is no option's");
        assert_eq!(run.stderr.matches(&told).count(), 1, "{}", run.stderr);
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    let (_, run) = tags(&[("GHCR_PUSH_BOGUS", "1"), ("GHCR_PUSH_QUIET", "1")], 0);
    assert_eq!(run.stderr, "");
}

/// A variable is for all runs, and an option for one.
#[test]
fn chunks_of_a_stream() {
    let size = ("GHCR_PUSH_CHUNK_SIZE", "1MiB");
    let stream = ("GHCR_PUSH_UPLOAD_MODE", "stream");
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    let reference = format!("{}/owner/app", registry.host());
    for (options, variables, expected) in [
        (&["--upload-mode", "stream"][..], &[size][..], None),
        (&["--chunk-size", "1MiB"], &[stream], None),
        (
            &[],
            &[size, stream],
            Some("GHCR_PUSH_CHUNK_SIZE cannot be used with GHCR_PUSH_UPLOAD_MODE=stream"),
        ),
        (
            &["--chunk-size", "1MiB", "--upload-mode", "stream"],
            &[],
            Some("'--chunk-size <SIZE>' cannot be used with '--upload-mode stream'"),
        ),
    ] {
        let mut command = push_command(&image, options);
        command
            .args(["image.tar", &reference])
            .envs(variables.iter().copied());
        let run = Run::of(command.output().expect("the binary starts"));
        run.assert_code(if expected.is_some() { 2 } else { 0 });
        let expected = expected.unwrap_or_default();
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    let inspected = command(image.directory.path())
        .args(["inspect", "image.tar"])
        .envs([size, stream])
        .status();
    assert!(inspected.expect("the binary starts").success());
}

/// Nothing must be pushed because somebody wrote a word that this tool does not know.
#[test]
fn what_is_neither_true_nor_false_is_a_mistake() {
    for value in ["maybe", "2", "ture", " "] {
        let (tags, run) = tags(&[("GHCR_PUSH_DRY_RUN", value)], 2);
        assert_eq!(tags, [""; 0]);
        let expected = "tip: the variable GHCR_PUSH_DRY_RUN is set to that; it is 1, true, yes or on, or 0, \
                        false, no, off or empty";
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    for value in ["1", "true", "YES", "on"] {
        let (tags, _) = tags(&[("GHCR_PUSH_DRY_RUN", value)], 0);
        assert_eq!(tags, [""; 0], "{value}");
    }
    for value in ["0", "False", "no", "off", ""] {
        let (tags, _) = tags(&[("GHCR_PUSH_DRY_RUN", value)], 0);
        assert_eq!(tags, ["latest"], "{value}");
    }
}

#[test]
fn a_wrong_value_is_told_to_be_the_variables() {
    let (_, run) = tags(&[("GHCR_PUSH_CHUNK_SIZE", "much")], 2);
    assert!(
        run.stderr
            .contains("tip: the variable GHCR_PUSH_CHUNK_SIZE is set to that\n"),
        "{}",
        run.stderr
    );
}

/// What is told of a push is told by `inspect` too, unless it is to be quiet.
#[test]
fn inspect_tells_of_a_variable_too() {
    let image = Image::small();
    let stderr = |options: &[&str]| {
        let output = command(image.directory.path())
            .env("GHCR_PUSH_PLATFORMS", "linux/amd64")
            .args(["inspect", "image.tar"])
            .args(options)
            .output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(0);
        run.stderr
    };
    let told = stderr(&[]);
    assert!(told.contains("did you mean GHCR_PUSH_PLATFORM?"), "{told}");
    assert_eq!(stderr(&["-q"]), "");
    assert_eq!(stderr(&["--quiet"]), "");
}

#[test]
fn completions_tell_of_a_variable_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = command(directory.path())
        .env("GHCR_PUSH_PLATFORMS", "linux/amd64")
        .args(["completions", "bash"])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(0);
    assert!(run.stdout.contains("complete -F"), "{}", run.stdout);
    let told = run.stderr;
    assert!(told.contains("did you mean GHCR_PUSH_PLATFORM?"), "{told}");
}

/// The variable is for all runs, an option for this one; a variable that says quiet goes before one that says verbose.
#[test]
fn verbose_by_variable() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    let reference = format!("{}/owner/app", registry.host());
    let level = |options: &[&str], variables: &[(&str, &str)]| {
        let mut command = push_command(&image, &["image.tar", &reference]);
        command.envs(variables.iter().copied()).args(options);
        let run = Run::of(command.output().expect("the binary starts"));
        run.assert_code(0);
        let has = |words: &str| usize::from(run.stderr.contains(words));
        (
            has("step=fetch-token") + has("headers="),
            run.stderr.is_empty(),
        )
    };
    let name = "GHCR_PUSH_VERBOSE";
    for (options, variables, expected) in [
        (&[][..], &[(name, "2")][..], (2, false)),
        (&[], &[(name, "1")], (1, false)),
        (&[], &[(name, "")], (0, false)),
        (&["-v"], &[(name, "3")], (1, false)),
        (&["-q"], &[(name, "1")], (0, true)),
        (&[], &[("GHCR_PUSH_QUIET", "1"), (name, "1")], (0, true)),
        (&[], &[("RUNNER_DEBUG", "1"), (name, "2")], (2, false)),
    ] {
        assert_eq!(
            level(options, variables),
            expected,
            "{options:?} {variables:?}"
        );
    }
    let (_, run) = tags(&[(name, "loud")], 2);
    let told = "the variable GHCR_PUSH_VERBOSE is set to that";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}
