//! What helps with the command line itself: help, corrections, completions, the version.

use crate::support::{Image, Run, command};

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let image = Image::small();
    let output = command(image.directory.path())
        .envs(variables.iter().copied())
        .args(arguments)
        .output();
    Run::of(output.expect("the binary starts"))
}

#[test]
fn what_is_mistyped_is_guessed() {
    for (arguments, variable, code, expected) in [
        (
            &["--no-clober", "a.tar", "b"][..],
            "",
            2,
            "similar argument exists: '--no-clobber'",
        ),
        (
            &["check", "--jsno", "b"],
            "",
            2,
            "similar argument exists: '--json'",
        ),
        (
            &["--verify", "manifset", "a.tar", "b"],
            "",
            2,
            "similar value exists: 'manifest'",
        ),
        (&["a.tar", "b"], "depe", 2, "similar value exists: 'deep'"),
        (
            &["chekc", "ghcr.io/o/n"],
            "",
            2,
            "did you mean `ghcr-push check ghcr.io/o/n`?",
        ),
        (
            &["isnpect", "image.tar"],
            "",
            2,
            "did you mean `ghcr-push inspect image.tar`?",
        ),
        (&["explian"], "", 2, "did you mean `ghcr-push explain`?"),
        (
            &["help", "explian"],
            "",
            2,
            "did you mean `ghcr-push help explain`?",
        ),
        // What resembles a file's name, or a platform of the image's.
        (
            &["imgae.tar", "ghcr.io/o/n"],
            "",
            3,
            "hint: did you mean image.tar?",
        ),
        (
            &["./image.tra", "ghcr.io/o/n"],
            "",
            3,
            "hint: did you mean ./image.tar?",
        ),
        (
            &["oci-archive:imag.tar", "ghcr.io/o/n"],
            "",
            3,
            "hint: did you mean image.tar?",
        ),
        (
            &["inspect", "imag.tar"],
            "",
            3,
            "hint: did you mean image.tar?",
        ),
        (
            &["inspect", "--platform", "linux/adm64", "image.tar"],
            "",
            3,
            "hint: did you mean linux/amd64?",
        ),
        // Another architecture is none that was meant.
        (
            &["inspect", "--platform", "linux/arm64", "image.tar"],
            "",
            3,
            "hint: choose one of these, or leave out --platform",
        ),
        (
            &["inspect", "--platform", "windows/s390x", "image.tar"],
            "",
            3,
            "hint: choose one of these, or leave out --platform",
        ),
        (
            &["completions", "bsah"],
            "",
            2,
            "similar value exists: 'bash'",
        ),
    ] {
        let run = run(arguments, &[("GHCR_PUSH_VERIFY", variable)]);
        run.assert_code(code);
        assert!(
            run.stderr.contains(expected),
            "{arguments:?}: {}",
            run.stderr
        );
    }
    // What resembles nothing gets no guess.
    let other = run(&["archive.tar", "ghcr.io/o/n"], &[]);
    assert!(!other.stderr.contains("did you mean"), "{}", other.stderr);
}

/// What other tools call it is answered with what to write here.
#[test]
fn words_of_other_tools() {
    for (arguments, code, expected) in [
        (
            &["--tls-verify=false", "image.tar", "ghcr.io/o/n"][..],
            2,
            "tip: for a registry without TLS write --plain-http",
        ),
        (
            &["oci:image.tar", "ghcr.io/o/n"],
            3,
            "hint: leave the prefix out: write image.tar",
        ),
        (
            &["docker-archive:", "ghcr.io/o/n"],
            2,
            "hint: write docker-archive:PATH, or the path alone",
        ),
        (
            &["docker-daemon:app:1", "ghcr.io/o/n"],
            3,
            "hint: write docker save app:1 | ghcr-push - ghcr.io/o/n",
        ),
    ] {
        let run = run(arguments, &[]);
        run.assert_code(code);
        assert!(
            run.stderr.contains(expected),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

/// Short for who looks something up, long for who reads.
#[test]
fn short_and_long_help() {
    let short = run(&["-h"], &[]);
    let long = run(&["--help"], &[("GHCR_PUSH_TAGS", "a-value")]);
    for help in [&short, &long] {
        help.assert_code(0);
        for heading in [
            "Options:",
            "Credentials:",
            "Connection:",
            "Output:",
            "Results:",
            "Transfer:",
            "Image:",
        ] {
            assert!(help.stdout.contains(&format!("\n{heading}\n")), "{heading}");
        }
        let lines = help.stdout.lines();
        let longest = lines.map(str::len).max();
        assert!(longest <= Some(100), "{longest:?}");
    }
    assert!(short.stdout.lines().count() < 80, "{}", short.stdout);
    for part in [
        "\nAuthentication:\n",
        "gh auth token | ghcr-push --username USER --password-stdin",
        "Examples:",
        "Exit codes:",
        "--stall-timeout",
        "\nGitHub:\n",
        "GHCR_PUSH_TAGS",
    ] {
        assert!(long.stdout.contains(part), "{part}");
        assert!(!short.stdout.contains(part), "{part}");
    }
    assert!(
        !long.stdout.contains("a-value"),
        "a variable's value is nobody's"
    );
    for name in ["check", "completions", "explain", "inspect"] {
        let help = run(&[name, "--help"], &[]);
        assert!(
            help.stdout.contains("Examples:\n  "),
            "{name}: {}",
            help.stdout
        );
    }
}

/// The commit stands there in a release; where it is not known, the version stands alone.
#[test]
fn version() {
    let run = run(&["--version"], &[]);
    run.assert_code(0);
    let version = run.stdout.strip_prefix("ghcr-push ").expect("the name");
    let version = version.trim_end();
    match version.split_once(" (") {
        None => assert_eq!(version, env!("CARGO_PKG_VERSION")),
        Some((version, commit)) => {
            assert_eq!(version, env!("CARGO_PKG_VERSION"));
            let commit = commit.strip_suffix(')').expect("it ends");
            let is_hash = commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_hash, "{commit}");
        }
    }
}

#[test]
fn every_shell_has_completions() {
    let plain = run(&["completions", "bash"], &[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = run(&["completions", shell], &[("GHCR_PUSH_VERIFY", "")]);
        run.assert_code(0);
        assert_eq!(run.stderr, "");
        for word in ["stall-timeout", "inspect", "manifest"] {
            assert!(run.stdout.contains(word), "{shell}: {word}");
        }
        if shell == "bash" {
            assert_eq!(run.stdout, plain.stdout, "whatever variables are set");
        }
    }
}

/// In a real shell, where there is one.
#[cfg(unix)]
#[test]
fn bash_completes() {
    let script = run(&["completions", "bash"], &[]).stdout;
    let complete = |words: &str, index: usize, previous: &str, current: &str| {
        let script = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={index}\n_ghcr__push ghcr-push '{current}' '{previous}'\n\
             echo \"${{COMPREPLY[@]}}\""
        );
        let output = std::process::Command::new("bash")
            .args(["-c", &script])
            .output();
        // A machine without bash has nothing to complete with it.
        output.ok().map(Run::of)
    };
    for (words, index, previous, current, expected) in [
        ("ghcr-push --prog", 1, "ghcr-push", "--prog", "--progress"),
        ("ghcr-push ins", 1, "ghcr-push", "ins", "inspect"),
        ("ghcr-push check --js", 2, "check", "--js", "--json"),
        ("ghcr-push --verify de", 2, "--verify", "de", "deep"),
    ] {
        if let Some(run) = complete(words, index, previous, current) {
            assert_eq!(run.stdout.trim(), expected, "{words}: {}", run.stderr);
        }
    }
}
