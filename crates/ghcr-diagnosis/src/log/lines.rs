//! A log's lines without what terminals, runners and tools put around the words.

use super::tokens::{CODES, PHRASES};

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it says, without colours, timestamps and the like.
    pub(super) text: String,
    /// Whether a tool wrote it only to tell what it does.
    pub(super) is_debug: bool,
}

/// Widths at which terminals break lines.
const WIDTHS: [usize; 9] = [72, 76, 78, 79, 80, 100, 120, 132, 160];

/// The lines of `text`, those that were broken put together again.
pub(super) fn read(text: &str) -> Vec<Line> {
    let plain = without_escapes(text);
    let broken: Vec<&str> = plain
        .split(['\n', '\r'])
        .filter(|line| !line.trim().is_empty())
        .collect();
    let lines = unbroken(&broken)
        .iter()
        .map(|line| stripped(line))
        .collect();
    rejoined(lines)
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

/// Lines that a terminal broke at its width, put together.
fn unbroken(lines: &[&str]) -> Vec<String> {
    let lengths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
    let longest = lengths.iter().copied().max().unwrap_or_default();
    let full = lengths.iter().filter(|length| **length == longest).count();
    let is_broken = WIDTHS.contains(&longest) && (full >= 2 || lines.len() <= 6);
    let mut whole: Vec<String> = Vec::new();
    let mut continues = false;
    for (line, length) in lines.iter().zip(lengths) {
        match whole.last_mut().filter(|_| continues) {
            Some(last) => last.push_str(line),
            None => whole.push((*line).to_owned()),
        }
        // A ruled line is as long as it is meant to be.
        let is_rule = ["---", "===", "***", "___"]
            .iter()
            .any(|rule| line.ends_with(rule));
        continues = is_broken && length == longest && !is_rule;
    }
    whole
}

/// A line without what stands before its words.
fn stripped(line: &str) -> Line {
    let mut text = after_columns(line).replace('\t', " ");
    let mut is_debug = false;
    if let Some(message) = logged_message(&text) {
        is_debug = text.contains("level=debug") || text.contains("level=trace");
        text = message;
    }
    let mut rest = text.as_str();
    loop {
        let before = rest;
        rest = rest.trim_start_matches([' ', '│', '┃', '║', '|', '>', '⨯', '•', '✗', '✖', '×']);
        rest = after_timestamp(
            rest.strip_prefix('[')
                .filter(|rest| is_moment(rest))
                .unwrap_or(rest),
        );
        rest = rest.strip_prefix(']').unwrap_or(rest);
        for mark in ["##[error]", "##[warning]", "##[group]", "##[command]"] {
            rest = rest.strip_prefix(mark).unwrap_or(rest);
        }
        if rest.starts_with("##[debug]")
            || rest.starts_with("DEBU[")
            || rest.starts_with("::debug::")
        {
            is_debug = true;
        }
        rest = after_command(rest);
        rest = after_step_number(rest);
        if rest == before {
            break;
        }
    }
    let text = rest
        .replace("\\\"", "\"")
        .replace("\\r\\n", " ")
        .replace("\\n", " ")
        .replace("\\u003c", "<")
        .replace("\\u003e", ">");
    // Headers, as curl and oras show them.
    is_debug |= line.trim_start().starts_with("< ");
    Line {
        text: text.trim().to_owned(),
        is_debug,
    }
}

/// `gh run view --log` writes job, step and time before each line, with tabs between.
fn after_columns(line: &str) -> &str {
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

/// Lines within which a phrase of the server's was broken, put together.
fn rejoined(lines: Vec<Line>) -> Vec<Line> {
    let mut whole: Vec<Line> = Vec::new();
    for line in lines {
        if let Some(last) = whole.last_mut()
            && let Some(gap) = gap_between(&last.text, &line.text)
        {
            last.text.push_str(gap);
            last.text.push_str(&line.text);
            continue;
        }
        whole.push(line);
    }
    whole
}

/// What belongs between two lines that are one: a blank or nothing.
fn gap_between(first: &str, second: &str) -> Option<&'static str> {
    /// No phrase reaches further over a break.
    const REACH: usize = 120;
    let start = first
        .char_indices()
        .rev()
        .nth(REACH)
        .map_or(0, |(at, _)| at);
    let end = second
        .char_indices()
        .nth(REACH)
        .map_or(second.len(), |(at, _)| at);
    let (tail, head) = (first[start..].to_lowercase(), second[..end].to_lowercase());
    // A status may stand on a line of its own below the request that it answers.
    let is_status = head.len() >= 4
        && head.as_bytes()[..3].iter().all(u8::is_ascii_digit)
        && tail.contains("unexpected status from");
    if is_status && !tail.contains(" 40") && !tail.contains(" 50") {
        return Some(" ");
    }
    let phrases = || PHRASES.iter().chain(&["permission_denied: "]);
    for gap in ["", " "] {
        let joined = format!("{tail}{gap}{head}");
        let is_broken = |phrase: &&str| {
            joined.contains(*phrase) && !tail.contains(*phrase) && !head.contains(*phrase)
        };
        if phrases().any(is_broken) {
            return Some(gap);
        }
    }
    // "denied:" at the end of a line, its reason on the next.
    let tail = tail.trim_end();
    let has_code = tail.ends_with(':')
        && CODES
            .iter()
            .any(|(code, _)| tail[..tail.len() - 1].ends_with(&format!(" {code}")));
    let has_reason = phrases().any(|phrase| head.starts_with(phrase));
    (has_code && has_reason).then_some(" ")
}
