//! A log's lines without what terminals, runners and tools put around the words.

use super::joined::rejoined;
use super::quoted::{self, Quotation};
use super::stream::{self, Stream};

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it says, without colours, timestamps and the like.
    pub(super) text: String,
    /// Whether a tool wrote it only to tell what it does.
    pub(super) is_debug: bool,
    /// Whether it shows a text rather than to say it.
    pub(super) quotation: Quotation,
    /// Whose it is.
    pub(super) stream: Stream,
    /// What stood before the words.
    prefix: Prefix,
}

/// What shows where a tool, or its runner, began a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Prefix {
    has_moment: bool,
    has_mark: bool,
    /// The number of a build's step, as it is written.
    step: String,
}

impl Line {
    /// Whether this can be the rest of `first`. What a tool begins anew is none; a moment, or a step's number, that
    /// the runner puts before every line tells nothing.
    pub(super) fn may_continue(&self, first: &Self) -> bool {
        !self.prefix.has_mark
            && self.quotation == first.quotation
            && (self.stream.name.is_empty() || self.stream.name == first.stream.name)
            && (!self.prefix.has_moment || first.prefix.has_moment)
            && (self.prefix.step.is_empty() || self.prefix.step == first.prefix.step)
    }
}

/// The lines of `text`, those that were broken put together again.
pub(super) fn read(text: &str) -> Vec<Line> {
    let plain = without_escapes(text);
    let lines: Vec<&str> = plain
        .split(['\n', '\r'])
        .filter(|line| !line.trim().is_empty())
        .collect();
    let labelled = stream::split(&lines);
    let lines: Vec<&str> = labelled.iter().map(|(_, line)| *line).collect();
    let marks = quoted::marks(&lines);
    let labelled = labelled.into_iter().zip(marks);
    rejoined(labelled.map(|((name, line), quotation)| {
        let mut line = stripped(line);
        line.quotation = quotation;
        line.stream.name = name;
        line
    }))
}

/// A line without what the runner puts in front.
pub(super) fn bare(line: &str) -> &str {
    let line = after_columns(line);
    let rest = after_timestamp(line);
    let gap = if rest.len() < line.len() { " " } else { "" };
    rest.strip_prefix(gap).unwrap_or(rest)
}

/// Without escape sequences (ECMA-48) and control characters other than the ends of lines and tabs.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => match characters.next() {
                Some('[') => while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(']') => {
                    while characters
                        .next()
                        .is_some_and(|c| c != '\u{7}' && c != '\u{1b}' && c != '\n')
                    {
                    }
                    if characters.peek() == Some(&'\\') {
                        characters.next();
                    }
                }
                _ => {}
            },
            '\u{feff}' => {}
            '\n' | '\r' | '\t' => plain.push(character),
            _ if character.is_control() => {}
            _ => plain.push(character),
        }
    }
    plain
}

/// A line without what stands before its words.
fn stripped(line: &str) -> Line {
    let mut text = after_columns(line).replace('\t', " ");
    let mut is_debug = false;
    let mut prefix = Prefix::default();
    if let Some(message) = logged_message(&text) {
        is_debug = text.contains("level=debug") || text.contains("level=trace");
        text = message;
        prefix.has_mark = true;
    }
    let mut rest = text.as_str();
    loop {
        let before = rest;
        rest = rest.trim_start_matches([' ', '│', '┃', '║', '|', '>', '⨯', '•', '✗', '✖', '×']);
        let moment = rest
            .strip_prefix('[')
            .filter(|rest| is_moment(rest))
            .unwrap_or(rest);
        prefix.has_moment |= is_moment(moment);
        rest = after_timestamp(moment);
        if moment.len() < before.len() && rest.len() < moment.len() {
            rest = rest.strip_prefix(']').unwrap_or(rest);
        }
        for mark in ["##[error]", "##[warning]", "##[group]", "##[command]"] {
            if let Some(after) = rest.strip_prefix(mark) {
                rest = after;
                prefix.has_mark = true;
            }
        }
        if rest.starts_with("##[debug]")
            || rest.starts_with("DEBU[")
            || rest.starts_with("::debug::")
        {
            is_debug = true;
        }
        let message = after_command(rest);
        prefix.has_mark |= message.len() < rest.len();
        rest = after_step_number(message);
        if rest.len() < message.len() {
            message
                .split(' ')
                .next()
                .unwrap_or_default()
                .clone_into(&mut prefix.step);
        }
        if rest == before {
            break;
        }
    }
    let text = rest
        .replace("\\\"", "\"")
        .replace("\\r\\n", " ")
        .replace("\\n", " ")
        .replace("\\u003c", "<")
        .replace("\\u003e", ">")
        // What Go's `Printf` makes of `%3A`, `%2F` and `%2C` where an address is taken for a format.
        .replace("%!A(MISSING)", "%3A")
        .replace("%!F(MISSING)", "%2F")
        .replace("%!C(MISSING)", "%2C");
    // Headers, as curl and oras show them.
    is_debug |= line.trim_start().starts_with("< ");
    let part = match stream::in_brackets(rest) {
        _ if !prefix.step.is_empty() => prefix.step.clone(),
        Some(words) => words.to_owned(),
        None => String::new(),
    };
    Line {
        text: text.trim().to_owned(),
        is_debug,
        quotation: Quotation::None,
        stream: Stream {
            part,
            ..Stream::default()
        },
        prefix,
    }
}

/// `gh run view --log` writes job, step and time before each line, with tabs between.
pub(super) fn after_columns(line: &str) -> &str {
    let Some((_, rest)) = line.rsplit_once('\t') else {
        return line;
    };
    if after_timestamp(rest).len() < rest.len() {
        rest
    } else {
        line
    }
}

/// After `2024-02-20T10:11:12.1234567Z `, or the same with a blank for the `T`.
fn after_timestamp(line: &str) -> &str {
    if !is_moment(line) {
        return line;
    }
    let rest = &line[MOMENT.len()..];
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | 'Z' | '+' | '-' | ':')))
        .unwrap_or(rest.len());
    &rest[end..]
}

/// The shape of a moment, to the second.
const MOMENT: &[u8; 19] = b"0000-00-00T00:00:00";

fn is_moment(line: &str) -> bool {
    line.len() >= MOMENT.len()
        && MOMENT
            .iter()
            .zip(line.as_bytes())
            .all(|(shape, byte)| match shape {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b' '),
                shape => shape == byte,
            })
}

/// After `::error title=x::`.
fn after_command(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("::") else {
        return line;
    };
    let is_command = ["error", "warning", "notice"]
        .iter()
        .any(|name| rest.starts_with(name));
    match rest.split_once("::") {
        Some((_, message)) if is_command => message,
        _ => line,
    }
}

/// After `#12 ` and the seconds that may follow it.
fn after_step_number(line: &str) -> &str {
    let Some(rest) = line.strip_prefix('#') else {
        return line;
    };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 || !rest[digits..].starts_with(' ') {
        return line;
    }
    let rest = rest[digits..].trim_start();
    match rest.split_once(' ') {
        Some((seconds, words)) if seconds.contains('.') && seconds.parse::<f64>().is_ok() => words,
        _ => rest,
    }
}

/// The message of `time="..." level=fatal msg="..."`, with the other fields.
fn logged_message(line: &str) -> Option<String> {
    if !line.contains("level=") {
        return None;
    }
    let (_, quoted) = line.split_once("msg=\"")?;
    let mut message = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => match characters.next() {
                Some('n' | 't') => message.push(' '),
                Some(other) => message.push(other),
                None => break,
            },
            other => message.push(other),
        }
    }
    let fields: String = characters.collect();
    let fields = fields.trim();
    // The server's words may stand in a field of their own; else nothing follows the message.
    Some(if fields.contains("error=") || fields.contains("err=") {
        format!("{message} {fields}")
    } else {
        format!("{fields} {message}")
    })
}
