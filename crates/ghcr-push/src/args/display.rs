//! The options that say how what goes on is shown.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::env::Environment;

/// How what goes on is shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct DisplayArguments {
    /// How progress is shown: auto draws bars on a terminal and prints lines elsewhere, json prints one event a
    /// line and nothing else on standard error
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Progress::Auto, env = "GHCR_PUSH_PROGRESS")]
    pub(crate) progress: Progress,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// Bars on a terminal, lines elsewhere
    Auto,
    /// Bars
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
    let words = environment.arguments.iter().skip(1);
    let words: Vec<&str> = words
        .map_while(|word| word.to_str().filter(|word| *word != "--"))
        .collect();
    // What has no such option has no such output either.
    if matches!(
        words.first(),
        Some(&("completions" | "explain" | "inspect"))
    ) {
        return false;
    }
    let behind = words.iter().skip(1).map(Some).chain([None]);
    let given = words.iter().zip(behind).filter_map(|(word, next)| {
        let within = word.strip_prefix("--progress=");
        within.or_else(|| next.copied().filter(|_| *word == "--progress"))
    });
    let asked = given.last();
    asked
        .or_else(|| environment.filled("GHCR_PUSH_PROGRESS"))
        .is_some_and(|value| {
            let json = Progress::Json.to_possible_value();
            json.is_some_and(|json: PossibleValue| json.matches(value, false))
        })
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
