//! Documents that are made of the definition: man pages, and the reference of all options. Here they are
//! compared with the files; `cargo xtask docs` writes them.

mod manual;

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::{Arg, Command};
use clap_mangen::Man;
use expect_test::expect_file;

use crate::env::Environment;

/// The definition as it is on every machine, and without the commit.
fn command() -> Command {
    let mut command = super::command(&Environment::default()).version(env!("CARGO_PKG_VERSION"));
    command.build();
    command
}

/// What writes a part of a manual page.
type Part = fn(&Man, &mut dyn Write) -> io::Result<()>;

#[test]
fn man_pages_are_current() {
    let render = |command: &Command| {
        let mut page = Vec::new();
        // A page holds all, also what the short help leaves out.
        let command = command
            .clone()
            .mut_args(|argument| argument.hide_short_help(false));
        let more = command.get_after_long_help().map(ToString::to_string);
        let aliases = aliases(&command);
        let has_subcommands = command.has_subcommands();
        let man = Man::new(command)
            .source(concat!("ghcr-push ", env!("CARGO_PKG_VERSION")))
            .manual("ghcr-push");
        let mut parts: Vec<Part> = vec![
            Man::render_title,
            Man::render_name_section,
            Man::render_synopsis_section,
            Man::render_description_section,
            Man::render_options_section,
        ];
        if has_subcommands {
            parts.push(Man::render_subcommands_section);
        }
        for part in parts {
            part(&man, &mut page).expect("memory can be written to");
        }
        let mut page = String::from_utf8(page).expect("text");
        for (name, with_aliases) in aliases {
            page = page.replace(&name, &with_aliases);
        }
        page.push_str(&ending(&more.unwrap_or_default()));
        if has_subcommands {
            page.push_str(&manual::sections());
        }
        page
    };
    let command = command();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/man");
    let mut names = vec!["ghcr-push.1".to_owned()];
    expect_file![format!("{directory}/ghcr-push.1")].assert_eq(&render(&command));
    for one in command.get_subcommands() {
        let title = format!("ghcr-push-{}", one.get_name());
        let one = one
            .clone()
            .display_name(title.clone())
            .version(env!("CARGO_PKG_VERSION"));
        expect_file![format!("{directory}/{title}.1")].assert_eq(&render(&one));
        names.push(format!("{title}.1"));
    }
    let files = std::fs::read_dir(directory).expect("it is there");
    let page = std::fs::read_to_string(format!("{directory}/ghcr-push.1")).expect("it is there");
    for part in [
        "GHCR_PUSH_AUTHFILE",
        "Restart a transfer",
        ".SH AUTHENTICATION",
        "\\fB\\-\\-digestfile\\fR, \\fB\\-\\-digest\\-file\\fR \\fI<FILE>\\fR",
        "\\fB\\-\\-retry\\-times\\fR",
        "\\fB\\-\\-concurrency\\fR",
        ".SH EXAMPLES",
        ".SH ENVIRONMENT",
        ".SH FILES",
        ".SH \"EXIT STATUS\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let name = |file: std::io::Result<std::fs::DirEntry>| {
        file.expect("readable")
            .file_name()
            .into_string()
            .expect("text")
    };
    let mut files: Vec<String> = files.map(name).collect();
    files.sort_unstable();
    names.sort_unstable();
    assert_eq!(files, names, "a page of what is no command any more");
}

/// How a page names an option, and how it is to, with the other names that the help has too: what makes the pages
/// leaves them out.
fn aliases(command: &Command) -> Vec<(String, String)> {
    let bold = |name: &str| format!("\\fB\\-\\-{}\\fR", manual::escaped(name));
    let named = command.get_arguments().filter_map(|argument| {
        let name = bold(argument.get_long()?);
        let aliases = argument.get_visible_aliases()?;
        let aliases = aliases.iter().map(|alias| format!(", {}", bold(alias)));
        Some((name.clone(), name + &aliases.collect::<String>()))
    });
    named.collect()
}

/// What the help ends with, in the sections where a manual has it (`man-pages(7)`).
fn ending(help: &str) -> String {
    let mut sections = String::new();
    for paragraph in help.split("\n\n") {
        let escaped = manual::escaped(paragraph);
        if let Some(examples) = escaped.strip_prefix("Examples:\n") {
            let _ = writeln!(sections, ".SH EXAMPLES\n.nf\n{examples}\n.fi");
        } else if let Some(sources) = escaped.strip_prefix("Authentication:\n") {
            // Lines of their own, which wrap in a narrow window.
            let lines: Vec<&str> = sources.lines().map(str::trim).collect();
            let _ = writeln!(sections, ".SH AUTHENTICATION\n{}", lines.join("\n.br\n"));
        } else if let Some(codes) = escaped.strip_prefix("Exit codes: ") {
            let _ = writeln!(sections, ".SH \"EXIT STATUS\"\n{codes}");
        } else {
            panic!("the help ends with something of a new kind: {paragraph}");
        }
    }
    sections
}

#[test]
fn the_reference_is_current() {
    let command = command();
    let mut page = String::from(
        "# All options\n\nMade by `cargo xtask docs` of what the program reads. What they are for, with examples: \
         [usage.md](usage.md).\n",
    );
    section(&mut page, "ghcr-push", &command);
    for one in command.get_subcommands() {
        section(&mut page, &format!("ghcr-push {}", one.get_name()), one);
    }
    expect_file!["../../../../docs/options.md"].assert_eq(&page);
}

/// All about one command.
fn section(page: &mut String, name: &str, command: &Command) {
    let about = command.get_about().map(ToString::to_string);
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## `{name}`\n\n{}\n", about.unwrap_or_default());
    let visible = command.get_arguments().filter(|one| !one.is_hide_set());
    let (operands, options): (Vec<&Arg>, Vec<&Arg>) = visible.partition(|one| one.is_positional());
    let mut headings: Vec<&str> = Vec::new();
    for one in &options {
        let heading = one.get_help_heading().unwrap_or("Options");
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for one in operands {
        entry(page, one);
    }
    for heading in headings {
        let _ = write!(page, "\n### {heading}\n");
        let of_it = options.iter();
        for one in of_it.filter(|one| one.get_help_heading().unwrap_or("Options") == heading) {
            entry(page, one);
        }
    }
}

/// One option or operand, as an item of a list.
fn entry(page: &mut String, argument: &Arg) {
    let mut names: Vec<String> = Vec::new();
    names.extend(argument.get_short().map(|short| format!("`-{short}`")));
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().unwrap_or_default().first();
    let value = value.filter(|_| takes_value).map(ToString::to_string);
    match (argument.get_long(), &value) {
        (Some(long), Some(value)) => names.push(format!("`--{long} {value}`")),
        (Some(long), None) => names.push(format!("`--{long}`")),
        (None, value) => names.extend(value.iter().map(|value| format!("`{value}`"))),
    }
    let aliases = argument.get_visible_aliases().unwrap_or_default();
    names.extend(aliases.iter().map(|alias| format!("`--{alias}`")));
    let help = argument.get_help().map(ToString::to_string);
    let _ = write!(
        page,
        "\n- {}: {}",
        names.join(", "),
        help.unwrap_or_default()
    );
    let default = argument.get_default_values().first();
    if let Some(default) = default
        .and_then(|value| value.to_str())
        .filter(|_| takes_value)
    {
        let _ = write!(page, ". Default: `{default}`");
    }
    if let Some(variable) = argument.get_env().and_then(|variable| variable.to_str()) {
        let _ = write!(page, ". Variable: `{variable}`");
        if let Some(alias) = super::variables::alias(variable) {
            let _ = write!(page, ", or `{alias}`");
        }
    }
    page.push_str(".\n");
    for value in argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_value)
    {
        let help = value.get_help().map(ToString::to_string);
        let help = help.map_or_else(String::new, |help| format!(": {help}"));
        let _ = writeln!(page, "  - `{}`{help}", value.get_name());
    }
}
