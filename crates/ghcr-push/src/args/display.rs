//! The options that say how what goes on is shown.

use clap::{Args, ValueEnum};

use crate::env::Environment;

/// How what goes on is shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct DisplayArguments {
    /// How progress is shown: auto draws bars on a terminal and prints lines elsewhere, json prints one event a
    /// line and nothing else on standard error; where that is no terminal, tty prints lines too
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Progress::Auto, env = "GHCR_PUSH_PROGRESS")]
    pub(crate) progress: Progress,

    #[command(flatten)]
    pub(crate) color: ColorArguments,
}

/// Whether there is colour.
#[derive(Debug, Clone, Args)]
pub(crate) struct ColorArguments {
    /// When to colour: auto does on a terminal and in GitHub Actions, and heeds `NO_COLOR`, `CLICOLOR_FORCE` and
    /// `FORCE_COLOR`
    #[arg(long, alias = "colour", value_name = "WHEN", value_enum, default_value_t = Color::Auto,
          env = "GHCR_PUSH_COLOR")]
    pub(crate) color: Color,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal and in GitHub Actions
    Auto,
    /// Into a pipe or a file too
    Always,
    /// Nowhere
    Never,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// Bars on a terminal, lines elsewhere
    Auto,
    /// Bars, also where TERM is dumb; lines where standard error is no terminal
    Tty,
    /// Lines
    Plain,
    /// One event a line, as JSON
    #[value(alias = "rawjson")]
    Json,
    /// Nothing
    None,
}

/// Whether `--progress json` or its variable is given, among arguments that cannot be parsed.
pub(super) fn wants_events(environment: &Environment) -> bool {
    // What has no such option has no such output either.
    let mut words = environment.arguments.iter().skip(1);
    let first = words.next().and_then(|word| word.to_str());
    let has_option = !matches!(first, Some("completions" | "explain" | "inspect"));
    has_option && given(environment, "progress", "GHCR_PUSH_PROGRESS") == Some(Progress::Json)
}

/// What `--color` or its variable says, among arguments that cannot be parsed.
pub(super) fn color(environment: &Environment) -> Color {
    given(environment, "color", "GHCR_PUSH_COLOR").unwrap_or(Color::Auto)
}

/// The value of an option, or of its variable.
fn given<V: ValueEnum>(environment: &Environment, name: &str, variable: &str) -> Option<V> {
    let words = environment.arguments.iter().skip(1);
    let words: Vec<&str> = words
        .map_while(|word| word.to_str().filter(|word| *word != "--"))
        .collect();
    let of_option = |word: &str| {
        word.strip_prefix("--")?
            .strip_prefix(name)
            .map(str::to_owned)
    };
    let behind = words.iter().skip(1).map(Some).chain([None]);
    let given = words.iter().zip(behind).filter_map(|(word, next)| {
        let rest = of_option(word)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value.to_owned()),
            None if rest.is_empty() => next.map(|next| (*next).to_owned()),
            None => None,
        }
    });
    let value = given.last();
    let value = value.as_deref().or_else(|| environment.filled(variable));
    V::from_str(value?, false).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_wanted() {
        for (arguments, variable, expected) in [
            (&["--progress", "json"][..], "", true),
            (&["--progress=rawjson"], "", true),
            (&["--progress=json", "--progress", "plain"], "", false),
            (&["--progress"], "", false),
            (&["a.tar"], "json", true),
            (&["--progress", "tty"], "json", false),
            (&["--", "--progress", "json"], "", false),
            (&["check"], "json", true),
            (&["inspect"], "json", false),
        ] {
            let mut environment = Environment::of(&[("GHCR_PUSH_PROGRESS", variable)]);
            let words = std::iter::once(&"ghcr-push").chain(arguments);
            environment.arguments = words.map(Into::into).collect();
            assert_eq!(
                wants_events(&environment),
                expected,
                "{arguments:?} {variable}"
            );
        }
    }
}
