use proptest::prelude::*;

use super::*;
use crate::error::Kind;

#[test]
fn when_a_run_is_told() {
    for (asked, variable, expected) in [
        (GithubActions::Auto, Some("true"), true),
        (GithubActions::Auto, Some("false"), false),
        (GithubActions::Auto, None, false),
        (GithubActions::On, None, true),
        (GithubActions::Off, Some("true"), false),
    ] {
        let variables: Vec<(&str, &str)> = variable
            .map(|value| ("GITHUB_ACTIONS", value))
            .into_iter()
            .collect();
        let environment = Environment::of(&variables);
        let is_told = Actions::of(asked, &environment).is_some();
        assert_eq!(is_told, expected, "{asked:?} {variable:?}");
    }
}

#[test]
fn a_delimiter_is_not_in_the_value() {
    let mut delimiters = ["END", "STOP"].into_iter().map(str::to_owned);
    let entry = outputs::entry("digest", "a\nEND\nb", || {
        delimiters.next().expect("another")
    });
    assert_eq!(entry, "digest<<STOP\na\nEND\nb\nSTOP\n");
}

#[test]
fn a_summary_is_cut_between_its_pieces() {
    let mut error = CliError::new(Kind::Refused, "it failed");
    error.causes = vec!["a long text ".repeat(100)];
    let summary = Summary::of_failure(&error, &[], &str::to_owned);
    let whole = summary.within(usize::MAX);
    assert!(whole.contains("a long text"), "{whole}");
    assert_eq!(summary.within(whole.len()), whole);
    let cut = summary.within(whole.len() - 1);
    assert_eq!(
        cut,
        "### it failed\n\n\n\nThere is no room for the rest, which is in the log.\n"
    );
}

#[test]
fn files_are_added_to_and_never_made() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("summary");
    append(&path, b"a", 10).expect_err("the runner has not made it");
    std::fs::write(&path, "of another step\n").expect("writable");
    append(&path, b"ours\n", 10).expect("there is room");
    append(&path, b"too much for it", 10).expect_err("there is none");
    let text = std::fs::read_to_string(&path).expect("readable");
    assert_eq!(text, "of another step\nours\n");
}

/// A command as the runner reads it.
struct ReadCommand {
    name: String,
    properties: Vec<(String, String)>,
    message: String,
}

/// The command in a line, if it is one
/// (<https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>).
fn read_command(line: &str) -> Option<ReadCommand> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescape = |text: &str| {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    };
    let properties = properties
        .split(',')
        .filter_map(|property| property.split_once('='))
        .map(|(name, value)| (name.to_owned(), unescape(value)))
        .collect();
    let message = message
        .replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%");
    Some(ReadCommand {
        name: name.to_owned(),
        properties,
        message,
    })
}

/// The outputs that the runner reads out of the file
/// (<https://github.com/actions/runner/blob/main/src/Runner.Worker/FileCommandManager.cs>).
fn read_outputs(text: &str) -> Vec<(String, String)> {
    let mut lines = text.split('\n');
    let mut outputs = Vec::new();
    while let Some(line) = lines.next() {
        let equals = line.find('=').unwrap_or(usize::MAX);
        let heredoc = line.find("<<").unwrap_or(usize::MAX);
        if heredoc < equals {
            let (name, delimiter) = line.split_at(heredoc);
            let value: Vec<&str> = lines
                .by_ref()
                .take_while(|line| *line != &delimiter[2..])
                .collect();
            outputs.push((name.to_owned(), value.join("\n")));
        } else if let Some((name, value)) = line.split_once('=') {
            outputs.push((name.to_owned(), value.to_owned()));
        }
    }
    outputs
}

/// Text with much of what workflow commands are made of.
fn foreign() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("::".to_owned()),
        Just("##[".to_owned()),
        Just("error".to_owned()),
        Just("stop-commands".to_owned()),
        Just("title=".to_owned()),
        Just("%0A".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        Just("`".to_owned()),
        Just("<<".to_owned()),
        Just("=".to_owned()),
        Just(" , ".to_owned()),
        ".{0,8}",
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn foreign_text_starts_no_command(title in foreign(), message in foreign()) {
        let printer = Printer::new(Display::Lines, false);
        let command = Command::new("error", &message).with("title", &title);
        let line = command.line(&|line| printer.harmless(line));
        prop_assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line:?}");
        prop_assert!(!line.contains("##["), "{line:?}");
        let command = read_command(&line).expect("it is a command");
        prop_assert_eq!(command.name, "error");
        prop_assert_eq!(command.properties, [("title".to_owned(), printer.harmless(&title))]);
        let message: Vec<String> = message.lines().map(|line| printer.harmless(line)).collect();
        prop_assert_eq!(command.message, message.join("\n"));
    }

    #[test]
    fn foreign_text_in_a_line_is_no_command(text in foreign()) {
        let line = Printer::new(Display::Lines, false).harmless(&text);
        prop_assert!(!line.contains(['\n', '\r']), "{line:?}");
        prop_assert!(read_command(&line).is_none(), "{line:?}");
        prop_assert!(!line.contains("##["), "{line:?}");
    }

    #[test]
    fn foreign_text_sets_no_output(value in foreign()) {
        let text = outputs::entry("tags", &value, || "ghadelimiter_0123456789abcdef".to_owned());
        prop_assert_eq!(read_outputs(&text), [("tags".to_owned(), value)]);
    }

    #[test]
    fn foreign_text_ends_no_block_of_code(text in foreign()) {
        let lines: Vec<&str> = text.lines().collect();
        let block = markdown::block("", &lines);
        let fence = block.lines().next().expect("it opens");
        let closing = block.lines().filter(|line| line.trim_start().starts_with(fence)).count();
        prop_assert_eq!(closing, 2, "{}", block);
    }
}
