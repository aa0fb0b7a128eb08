//! The variables that stand for options: their other names, and what is wrong with what is set.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::builder::{Resettable, StyledStr};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, CommandFactory as _, Id};

use super::CommandLine;
use crate::env::Environment;
use crate::nearest::nearest;

/// What all of them begin with.
const PREFIX: &str = "GHCR_PUSH_";

/// Variables that hold lists have the option's name, and are taken by its plural too.
const ALIASES: [(&str, &str); 2] = [
    ("GHCR_PUSH_TAG", "GHCR_PUSH_TAGS"),
    ("GHCR_PUSH_ANNOTATION", "GHCR_PUSH_ANNOTATIONS"),
];

/// Variables of no option: the credential's, those that cargo leaves to what it runs and that a build takes,
/// and the one of the tests.
const OTHERS: [&str; 5] = [
    "GHCR_PUSH_TOKEN",
    "GHCR_PUSH_USERNAME",
    "GHCR_PUSH_VERSION",
    "GHCR_PUSH_COMMIT",
    "GHCR_PUSH_TEST_SKIPS",
];

/// The other name of a variable.
pub(super) fn alias(variable: &str) -> Option<&'static str> {
    let mut aliases = ALIASES.iter();
    let (_, alias) = aliases.find(|(name, _)| *name == variable)?;
    Some(alias)
}

/// The definition with the variables that count: not those that are set but empty, since workflows pass inputs
/// that nobody filled in so, and mean nothing by them; and by its other name where only that is set.
pub(super) fn adapted(mut command: Command, environment: &Environment) -> Command {
    let is_filled = |name: &str| environment.filled(name).is_some();
    let replacement = |argument: &Arg| {
        let name = argument.get_env().and_then(OsStr::to_str)?;
        let alias = alias(name).filter(|alias| !is_filled(name) && is_filled(alias));
        match alias {
            Some(alias) => Some(Resettable::Value(alias.into())),
            None if environment.get(name) == Some("") => Some(Resettable::Reset),
            None => None,
        }
    };
    let changes: Vec<(Id, Resettable<clap::builder::OsStr>)> = command
        .get_arguments()
        .filter_map(|argument| Some((argument.get_id().clone(), replacement(argument)?)))
        .collect();
    for (id, variable) in changes {
        command = command.mut_arg(id, |argument| argument.env(variable));
    }
    command
}

/// A line for each variable that is set, is called as if it were this tool's, and is none.
pub(crate) fn unknown(environment: &Environment) -> Vec<String> {
    let set = environment.names().filter(|name| {
        let upper = name.to_ascii_uppercase();
        upper.starts_with(PREFIX) && upper.len() > PREFIX.len()
    });
    let set: Vec<&str> = set.collect();
    if set.is_empty() {
        return Vec::new();
    }
    let command = CommandLine::command();
    let all = command.get_arguments();
    let all = all.chain(command.get_subcommands().flat_map(Command::get_arguments));
    let mut known: BTreeSet<String> = all
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect();
    known.extend(OTHERS.map(str::to_owned));
    let names = known.clone();
    known.extend(ALIASES.map(|(_, alias)| alias.to_owned()));
    let unknown = set.into_iter().filter(|name| !known.contains(*name));
    unknown.map(|name| told(name, &names)).collect()
}

fn told(name: &str, known: &BTreeSet<String>) -> String {
    let upper = name.to_ascii_uppercase();
    let bare = |name: &str| name[PREFIX.len()..].to_owned();
    let bares: Vec<String> = known.iter().map(|name| bare(name)).collect();
    let meant = match known.get(&upper) {
        Some(_) => Some(upper),
        None => nearest(&bare(&upper), bares.iter().map(String::as_str))
            .map(|near| format!("{PREFIX}{near}")),
    };
    match meant {
        Some(meant) => {
            format!("the variable {name} is no option's and has no effect; did you mean {meant}?")
        }
        None => format!(
            "the variable {name} is no option's and has no effect; ghcr-push --help names those that have"
        ),
    }
}

/// Says of a value that cannot be taken which variable it comes from, if it comes from one.
pub(super) fn named(mut error: clap::Error, environment: &Environment) -> clap::Error {
    let (Some(ContextValue::String(argument)), Some(ContextValue::String(value))) = (
        error.get(ContextKind::InvalidArg),
        error.get(ContextKind::InvalidValue),
    ) else {
        return error;
    };
    let Some(long) = argument.split([' ', '=']).next() else {
        return error;
    };
    let Some(long) = long.strip_prefix("--") else {
        return error;
    };
    // An option that counts is called `--verbose...`.
    let long = long.trim_end_matches('.');
    let command = CommandLine::command();
    let mut all = command.get_arguments();
    let Some(variable) = all
        .find(|argument| argument.get_long() == Some(long))
        .and_then(|argument| argument.get_env()?.to_str())
    else {
        return error;
    };
    let names = [Some(variable), alias(variable)];
    let mut names = names.into_iter().flatten();
    let Some(name) = names.find(|name| environment.get(name) == Some(value)) else {
        return error;
    };
    let mut tip = StyledStr::from(format!("the variable {name} is set to that"));
    if argument == &format!("--{long}") {
        tip = StyledStr::from(format!(
            "the variable {name} is set to that; it is 1, true, yes or on, or 0, false, no, off or empty"
        ));
    }
    let mut tips = match error.remove(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) => tips,
        _ => Vec::new(),
    };
    tips.push(tip);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    error
}
