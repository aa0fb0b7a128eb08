//! What the action makes of its inputs: the tool is a script that tells its arguments and its credentials.

use super::job::{Job, WORKFLOW_TOKEN};
use crate::support::Run;

/// Prints each argument, and then the variables that may hold a token.
const TELLING: &str = r#"
[ "$*" = --version ] && exit 0
for argument; do printf '<%s>\n' "$argument"; done
for name in GITHUB_TOKEN GHCR_PUSH_TOKEN GH_TOKEN INPUT_TOKEN WORKFLOW_TOKEN; do
  eval "[ -z \"\${$name+set}\" ] || echo \"$name=\$$name\""
done"#;

/// Runs the action with these inputs, and the tool that is installed.
fn run(inputs: &[(&str, &str)]) -> Vec<Run> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut job = Job::new(directory.path());
    job.program("ghcr-push", TELLING);
    job.input("version", "installed");
    for (name, value) in inputs {
        job.input(name, value);
    }
    job.run().steps
}

/// What the tool is given, with `|` for line breaks within.
#[track_caller]
fn arguments(inputs: &[(&str, &str)]) -> String {
    let steps = run(inputs);
    let run = steps.last().expect("it ran");
    run.assert_code(0);
    let (words, _) = run.stdout.rsplit_once('>').expect("it was given some");
    format!("{words}>").replace(">\n<", "><").replace('\n', "|")
}

#[test]
fn each_input_is_data() {
    const IMAGE: (&str, &str) = ("image", "image.tar");
    const REFERENCE: (&str, &str) = ("references", "ghcr.io/o/n");
    for (inputs, expected) in [
        (&[IMAGE, REFERENCE][..], "<--><image.tar><ghcr.io/o/n>"),
        (
            &[("image", "\n a b.tar \n\n$(id).tar\n"), REFERENCE],
            "<--><a b.tar><$(id).tar><ghcr.io/o/n>",
        ),
        // What begins as an option does is none.
        (
            &[("image", "--json"), ("references", "-q\n--dry-run")],
            "<--><--json><-q><--dry-run>",
        ),
        (
            &[IMAGE, REFERENCE, ("tags", "1.2\nlatest")],
            "<--tag=1.2><--tag=latest><--><image.tar><ghcr.io/o/n>",
        ),
        (
            &[IMAGE, REFERENCE, ("tags", "1,2\n--json")],
            "<--tag=1,2><--tag=--json><--><image.tar><ghcr.io/o/n>",
        ),
        // As docker/metadata-action gives them.
        (
            &[IMAGE, ("tags", "ghcr.io/o/n:1\nghcr.io/o/n:latest\n")],
            "<--><image.tar><ghcr.io/o/n:1><ghcr.io/o/n:latest>",
        ),
        (
            &[IMAGE, REFERENCE, ("tags", "ghcr.io/o/m:1\nedge")],
            "<--tag=edge><--><image.tar><ghcr.io/o/n><ghcr.io/o/m:1>",
        ),
        (
            &[
                IMAGE,
                REFERENCE,
                ("platforms", "linux/amd64,linux/arm64\nlinux/s390x"),
            ],
            "<--platform=linux/amd64,linux/arm64><--platform=linux/s390x><--><image.tar><ghcr.io/o/n>",
        ),
        (
            &[IMAGE, REFERENCE, ("args", "--jobs 3\n  --verify=deep")],
            "<--jobs><3><--verify=deep><--><image.tar><ghcr.io/o/n>",
        ),
        (
            &[
                IMAGE,
                REFERENCE,
                (
                    "args",
                    "--annotation \"a=b c\" '--annotation=d=$HOME `id` *'",
                ),
            ],
            "<--annotation><a=b c><--annotation=d=$HOME `id` *><--><image.tar><ghcr.io/o/n>",
        ),
        // A backslash joins lines, and a line break in quotes is a part of the word.
        (
            &[
                IMAGE,
                REFERENCE,
                (
                    "args",
                    "--jobs 3 \\\n  --verify=\\\ndeep --annotation 'a=b\n c' --annotation=\"d\n\"\\ e\n",
                ),
            ],
            "<--jobs><3><--verify=deep><--annotation><a=b| c><--annotation=d| e><--><image.tar><ghcr.io/o/n>",
        ),
        // In double quotes a backslash keeps four characters and joins lines, and stands for itself before others.
        (
            &[
                IMAGE,
                REFERENCE,
                ("args", r#"a\"b\'c"d" '\ "a' "\$\`\"\\\a 'b" '\a"' #e"#),
            ],
            r#"<a"b'cd><\ "a><$`"\\a 'b><\a"><#e><--><image.tar><ghcr.io/o/n>"#,
        ),
        (
            &[IMAGE, REFERENCE, ("args", "\"a\\\r\nb\" \\\r\n\t-q \\\n")],
            "<ab><-q><--><image.tar><ghcr.io/o/n>",
        ),
        (
            &[IMAGE, REFERENCE, ("args", "-q a\\")],
            "<-q><a\\><--><image.tar><ghcr.io/o/n>",
        ),
        // An empty word is one.
        (
            &[IMAGE, REFERENCE, ("args", "'' --annotation '' -q \"\"")],
            "<><--annotation><><-q><><--><image.tar><ghcr.io/o/n>",
        ),
        (
            &[IMAGE, REFERENCE, ("args", " \n ")],
            "<--><image.tar><ghcr.io/o/n>",
        ),
        // Lines as Windows ends them.
        (
            &[
                ("image", "a.tar\r\nb c.tar\r\n"),
                ("references", "ghcr.io/o/n\r\nghcr.io/o/m\r"),
                ("tags", "1\r\n\r\nghcr.io/o/p:2\r\n"),
                ("platforms", "linux/amd64\r\nlinux/arm64\r\n"),
                ("args", "--jobs 3\r\n-q\r\n"),
            ],
            "<--jobs><3><-q><--platform=linux/amd64><--platform=linux/arm64><--tag=1><--><a.tar><b c.tar>\
             <ghcr.io/o/n><ghcr.io/o/m><ghcr.io/o/p:2>",
        ),
    ] {
        assert_eq!(arguments(inputs), expected, "{inputs:?}");
    }
}

#[test]
fn what_is_missing() {
    for (inputs, expected) in [
        (
            &[("image", " \n"), ("references", "ghcr.io/o/n")][..],
            "the input image is empty",
        ),
        (
            &[
                ("image", "image.tar"),
                ("tags", "latest"),
                ("references", "\n"),
            ],
            "the inputs references and tags name no repository",
        ),
        (
            &[("image", "image.tar"), ("args", "--annotation 'a=b")],
            "a quote in the input args is not closed",
        ),
        (
            &[("image", "\r\n"), ("references", "ghcr.io/o/n")],
            "the input image is empty",
        ),
    ] {
        let steps = run(inputs);
        let run = steps.last().expect("it ran");
        run.assert_code(2);
        let annotation = format!("::error title=ghcr-push was not run::{expected}");
        assert!(run.stdout.contains(&annotation), "{run:?}");
    }
}

/// The workflow's own token is given by its name, so that it goes nowhere but to GitHub's registry.
#[test]
fn tokens() {
    let own = format!("GITHUB_TOKEN={WORKFLOW_TOKEN}");
    for (token, expected) in [
        (None, own.as_str()),
        (Some(WORKFLOW_TOKEN), own.as_str()),
        (Some("ghp_other"), "GHCR_PUSH_TOKEN=ghp_other"),
        (Some(""), "GHCR_PUSH_TOKEN="),
    ] {
        let mut inputs = vec![("image", "image.tar"), ("references", "ghcr.io/o/n")];
        inputs.extend(token.map(|token| ("token", token)));
        let steps = run(&inputs);
        let lines = steps.last().expect("it ran").stdout.lines();
        let tokens: Vec<&str> = lines.filter(|line| !line.starts_with('<')).collect();
        assert_eq!(tokens, [expected], "{token:?}");
    }
}

#[test]
fn versions() {
    for (version, expected) in [
        ("latest", "version is \"latest\", which is neither"),
        ("1.2", "version is \"1.2\""),
        ("../1.2.3", "version is \"../1.2.3\""),
        ("1.2.3\n::warning::x", "version is \"1.2.3%0A::warning::x\""),
        (" ", "version is \" \""),
    ] {
        let steps = run(&[("version", version)]);
        assert_eq!(steps.len(), 1, "{steps:?}");
        steps[0].assert_code(1);
        let annotation = format!("::error title=ghcr-push was not installed::{expected}");
        assert!(steps[0].stdout.contains(&annotation), "{steps:?}");
    }
}

#[test]
fn verify_is_one_of_two_words() {
    for word in ["", "none", "Checksum", "attestation\nchecksum"] {
        let steps = run(&[("verify", word)]);
        assert_eq!(steps.len(), 1, "{steps:?}");
        steps[0].assert_code(1);
        let expected = "which is neither \"attestation\" nor \"checksum\"";
        assert!(steps[0].stdout.contains(expected), "{steps:?}");
    }
}

#[test]
fn installed_and_not_there() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut job = Job::new(directory.path());
    job.input("version", "installed");
    let steps = job.run().steps;
    assert_eq!(steps.len(), 1, "{steps:?}");
    steps[0].assert_code(1);
    assert!(
        steps[0].stdout.contains("there is no ghcr-push on PATH"),
        "{steps:?}"
    );
}
