use super::{GithubActions, UploadMode};
use crate::env::Environment;

#[test]
fn the_definition_is_sound() {
    super::command(&Environment::default()).debug_assert();
}

/// The table in `docs/usage.md` has every option, each once, with its variable.
#[test]
fn every_option_is_documented() {
    let usage = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/usage.md");
    let usage = std::fs::read_to_string(usage).expect("it is there");
    let rows: Vec<&str> = usage
        .lines()
        .filter(|line| line.starts_with("| `-"))
        .collect();
    for argument in super::command(&Environment::default()).get_arguments() {
        let Some(name) = argument
            .get_long()
            .filter(|name| *name != "help" && *name != "version")
        else {
            continue;
        };
        let is_named = |row: &&&str| {
            let option = row.split('|').nth(1).unwrap_or_default();
            let mut words = option.split(['`', ' ', '\\', '[']);
            words.any(|word| word.strip_prefix("--") == Some(name))
        };
        let own: Vec<&&str> = rows.iter().filter(is_named).collect();
        assert_eq!(own.len(), 1, "--{name}: {own:?}");
        let variable = argument.get_env().and_then(|variable| variable.to_str());
        let is_told = variable.is_none_or(|variable| own[0].contains(&format!("`{variable}`")));
        assert!(is_told, "--{name}: {own:?}");
    }
}

#[test]
fn an_empty_variable_is_none() {
    let environment = Environment::of(&[("GHCR_PUSH_CHUNK_SIZE", ""), ("GHCR_PUSH_JOBS", "2")]);
    let command = super::command(&environment);
    let has_variable = |id: &str| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_id() == id && argument.get_env().is_some())
    };
    assert!(!has_variable("chunk_size"));
    assert!(has_variable("jobs"));
}

#[test]
fn whether_a_run_is_told_of_a_mistake() {
    for (arguments, variable, expected) in [
        (&["ghcr-push"][..], "", GithubActions::Auto),
        (&["ghcr-push", "--wrong"], "off", GithubActions::Off),
        (
            &["--github-actions", "on", "--wrong"],
            "off",
            GithubActions::On,
        ),
        (&["--github-actions=off", "--wrong"], "", GithubActions::Off),
        (
            &["--wrong", "--", "--github-actions=off"],
            "",
            GithubActions::Auto,
        ),
        (&["--github-actions"], "", GithubActions::Auto),
    ] {
        let mut environment = Environment::of(&[("GHCR_PUSH_GITHUB_ACTIONS", variable)]);
        environment.arguments = arguments.iter().map(Into::into).collect();
        assert_eq!(GithubActions::told(&environment), expected, "{arguments:?}");
    }
}

/// `help` is a word for `--help`, where nothing else stands behind it than a subcommand.
#[test]
fn help_as_a_word() {
    let text = |words: &[&str]| {
        let mut environment = Environment::of(&[]);
        let words = ["ghcr-push"].iter().chain(words);
        environment.arguments = words.map(Into::into).collect();
        super::parse(&environment).map_err(|message| (message.is_mistake, message.text))
    };
    let told = |words: &[&str]| text(words).expect_err("help");
    assert_eq!(told(&["help"]), told(&["--help"]));
    assert_eq!(told(&["help", "help"]), told(&["--help"]));
    for name in ["check", "completions", "explain", "inspect"] {
        assert_eq!(told(&["help", name]), told(&[name, "--help"]));
        assert!(!told(&["help", name]).0, "{name}");
    }
    // A file of that name is an operand.
    let line = text(&["help", "ghcr.io/o/n"]).expect("operands");
    assert_eq!(line.arguments.operands, ["help", "ghcr.io/o/n"]);
}

/// A debugged run tells every request, unless it is to be quiet.
#[test]
fn a_debugged_run_is_told_more() {
    for (options, variable, verbose, quiet) in [
        (&[][..], "1", 1, false),
        (&[], "", 0, false),
        (&[], "0", 0, false),
        (&["-vv"], "1", 2, false),
        (&["-q"], "1", 0, true),
    ] {
        let mut environment = Environment::of(&[("RUNNER_DEBUG", variable)]);
        let words = ["ghcr-push", "image.tar", "ghcr.io/owner/app"];
        environment.arguments = words.iter().chain(options).map(Into::into).collect();
        let line = super::parse(&environment);
        let arguments = line
            .unwrap_or_else(|message| panic!("{}", message.text))
            .arguments;
        assert_eq!(
            (arguments.verbose, arguments.quiet),
            (verbose, quiet),
            "{options:?} {variable}"
        );
    }
}

/// A stream has no chunks: to ask for both is a mistake, unless one is a variable, which is for all runs.
#[test]
fn chunks_of_a_stream() {
    let stream = ["--upload-mode", "stream"];
    let size = ["--chunk-size", "8MiB"];
    let read = |options: &[&str]| {
        let mut environment = Environment::of(&[]);
        let words = ["ghcr-push", "image.tar", "ghcr.io/owner/app"];
        environment.arguments = words.iter().chain(options).map(Into::into).collect();
        let line = super::parse(&environment).map_err(|message| message.text)?;
        let transfer = line.arguments.transfer;
        Ok::<_, String>((transfer.upload_mode, transfer.chunk_size.is_some()))
    };
    let refused = read(&[stream, size].concat()).expect_err("they contradict each other");
    assert!(
        refused.contains("'--chunk-size <SIZE>' cannot be used with '--upload-mode stream'"),
        "{refused}"
    );
    for (options, expected) in [
        (&stream[..], (Some(UploadMode::Stream), false)),
        (&size, (None, true)),
        (
            &["--upload-mode", "auto", "--chunk-size", "8MiB"],
            (Some(UploadMode::Auto), true),
        ),
    ] {
        assert_eq!(read(options), Ok(expected), "{options:?}");
    }
}
