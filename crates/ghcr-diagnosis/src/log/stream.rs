//! Whose line it is, where a log mixes what several programs say at a time.
//!
//! A refusal in one program's lines is no other's: the reference, and the success that follows, are looked for where
//! the same program speaks. Compose writes `web-1  | ` before each line
//! (<https://docs.docker.com/reference/cli/docker/compose/logs/>), `gh run view --log` the job and a tab, `BuildKit`
//! the number of a step.

use std::collections::HashMap;

use super::lines;

/// The labels of a line. Each that it does not have is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stream {
    /// What was put before every line of a program or of a job when logs were mixed.
    pub(super) name: String,
    /// The number of a build's step, or words in brackets before the line.
    pub(super) part: String,
}

impl Stream {
    /// Whether two lines are of different programs or jobs. A line without a label can be anybody's.
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        differ(&self.name, &other.name)
    }

    /// Whether two lines are of the same step, or have the same words in brackets.
    pub(super) fn shares_part(&self, other: &Self) -> bool {
        !self.part.is_empty() && *self == *other
    }

    /// Whether two lines are of different steps of a build.
    pub(super) fn is_other_step(&self, other: &Self) -> bool {
        self.part.starts_with('#') && other.part.starts_with('#') && self.part != other.part
    }

    /// Whether a success in `other` may be that of a repetition. The steps of a second build have other numbers.
    pub(super) fn admits_repetition(&self, other: &Self) -> bool {
        let is_step = self.part.starts_with('#') || other.part.starts_with('#');
        !self.is_apart(other) && (is_step || !differ(&self.part, &other.part))
    }
}

fn differ(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && one != other
}

/// Each line's label, and the line without it.
pub(super) fn split<'a>(lines: &[&'a str]) -> Vec<(String, &'a str)> {
    let labelled: Vec<_> = lines.iter().map(|line| labelled(line)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (label, _) in labelled.iter().flatten() {
        *counts.entry(label).or_default() += 1;
    }
    // A table's rows begin with a word and a bar, too, each with another.
    let is_mixed = counts.values().any(|count| *count > 1);
    let lines = lines.iter().zip(labelled);
    lines
        .map(|(line, labelled)| {
            let job = job(line).unwrap_or_default();
            match labelled.filter(|_| is_mixed) {
                Some((label, rest)) => (format!("{job}{label}"), rest),
                None => (job.to_owned(), *line),
            }
        })
        .collect()
}

/// The first column of `gh run view --log`, with the tab behind it.
fn job(line: &str) -> Option<&str> {
    let is_columns = lines::after_columns(line).len() < line.len();
    is_columns.then(|| &line[..=line.find('\t').unwrap_or_default()])
}

/// `web-1  | words`, or `web<TAB>words`, after a time.
fn labelled(line: &str) -> Option<(&str, &str)> {
    /// What programs write there of what they say, rather than who says it.
    const LEVELS: [&str; 12] = [
        "trace", "debug", "info", "notice", "warn", "warning", "error", "err", "fatal", "ok",
        "fail", "pass",
    ];
    /// In bytes.
    const LONGEST: usize = 48;
    let (label, rest) = lines::bare(line).split_once(['|', '\t'])?;
    let name = label.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= LONGEST
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let is_level = LEVELS.iter().any(|level| name.eq_ignore_ascii_case(level));
    (is_name && !is_level && !rest.trim().is_empty()).then_some((name, rest))
}

/// The words in brackets with which a line begins: `[build amd64] denied`.
pub(super) fn in_brackets(text: &str) -> Option<&str> {
    /// Where `BuildKit` and loggers put something else into brackets.
    const OTHERS: [&str; 10] = [
        "trace", "debug", "info", "warn", "warning", "error", "fatal", "auth", "internal",
        "registry",
    ];
    /// In bytes.
    const LONGEST: usize = 48;
    let (words, rest) = text.strip_prefix('[')?.split_once(']')?;
    let is_label = !words.is_empty()
        && words.len() <= LONGEST
        && words
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" ._-".contains(&b));
    let is_other = OTHERS.iter().any(|other| words.eq_ignore_ascii_case(other));
    (is_label && !is_other && rest.starts_with(' ')).then_some(words)
}
