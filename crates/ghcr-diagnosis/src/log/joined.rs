//! Lines that are one, put together again.
//!
//! A terminal breaks lines at its width, and a tool prints a body as the server formatted it. Lines are put
//! together only where the break falls inside of something that is known: a phrase of the server's, the address of
//! a request, a JSON text. Anything less makes names out of lines that have nothing to do with one another.

use super::lines::Line;
use super::tokens::{CODES, PHRASES};

/// Phrases that are worth nothing but to tell that a line goes on.
const LINKS: [&str; 2] = ["permission_denied: ", "you have exceeded a secondary"];

/// Lines within which something that is known was broken, put together.
pub(super) fn rejoined(lines: impl Iterator<Item = Line>) -> Vec<Line> {
    let mut whole: Vec<Line> = Vec::new();
    for line in lines {
        if let Some(last) = whole.last_mut()
            && line.may_continue(last)
            && let Some(gap) = gap_between(&last.text, &line.text)
        {
            last.text.push_str(gap);
            last.text.push_str(&line.text);
            continue;
        }
        whole.push(line);
    }
    with_whole_json(whole)
}

/// What belongs between two lines that are one: a blank or nothing.
fn gap_between(first: &str, second: &str) -> Option<&'static str> {
    /// No phrase reaches further over a break.
    const REACH: usize = 240;
    /// What a tool, not a server, begins a line with.
    const BEGINNINGS: [&str; 6] = [
        "error:", "error ", "fatal:", "warning:", "failed ", "[error]",
    ];
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
    let begins = BEGINNINGS
        .iter()
        .any(|beginning| head.starts_with(beginning));
    // The words of a service behind the registry begin alike.
    if begins && !head.starts_with("error from intermediary") {
        return None;
    }
    // The body that a service behind the registry answered with.
    if tail.trim_end().ends_with("with-body:") && head.starts_with('{') {
        return Some(" ");
    }
    // A status may stand on a line of its own below the request that it answers.
    let is_status = head.len() >= 4
        && head.as_bytes()[..3].iter().all(u8::is_ascii_digit)
        && tail.contains("unexpected status from");
    if is_status && !tail.contains(" 40") && !tail.contains(" 50") {
        return Some(" ");
    }
    let phrases = || PHRASES.iter().chain(&LINKS);
    for gap in ["", " "] {
        let joined = format!("{tail}{gap}{head}");
        let is_broken = |phrase: &&str| {
            joined.contains(*phrase) && !tail.contains(*phrase) && !head.contains(*phrase)
        };
        if phrases().any(is_broken) {
            return Some(gap);
        }
    }
    // Several errors of one answer.
    let is_listed = CODES.iter().any(|(code, _)| {
        head.strip_prefix(code)
            .is_some_and(|rest| rest.starts_with(": "))
    });
    if is_listed && tail.contains(" errors:") {
        return Some(if tail.ends_with("errors:") { " " } else { "; " });
    }
    // A page, line by line.
    let is_open = tail.contains("<html") && !tail.contains("</html");
    if is_open && second.starts_with('<') {
        return Some(" ");
    }
    if is_broken_address(&tail, &head) {
        return Some("");
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

/// Whether the address of a request goes on: what it asks for, which comes after the repository, is there only with
/// the second line, and is no beginning of a line by itself.
fn is_broken_address(tail: &str, head: &str) -> bool {
    const PARTS: [&str; 2] = ["/blobs/", "/manifests/"];
    let last = tail.rsplit([' ', '"', '\'']).next().unwrap_or_default();
    let next = head.split([' ', '"', '\'']).next().unwrap_or_default();
    let Some((_, path)) = last
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once("/v2/"))
    else {
        return false;
    };
    let has_part = |text: &str| PARTS.iter().any(|part| text.contains(part));
    !has_part(last)
        && !path.is_empty()
        && !next.contains("://")
        && has_part(&format!("{last}{next}"))
}

/// JSON texts of several lines in one line each.
fn with_whole_json(lines: Vec<Line>) -> Vec<Line> {
    /// Errors have few fields; what is longer is something else, or broken off.
    const LONGEST: usize = 40;
    let mut whole = Vec::with_capacity(lines.len());
    let mut rest = lines.into_iter();
    while let Some(mut line) = rest.next() {
        if opens_json(&line.text)
            && let Some(count) = closing(&line.text, &rest.as_slice()[..rest.len().min(LONGEST)])
        {
            for more in rest.by_ref().take(count) {
                if !line.text.ends_with(['{', '[']) || more.text.starts_with('"') {
                    line.text.push(' ');
                }
                line.text.push_str(&more.text);
            }
        }
        whole.push(line);
    }
    whole
}

/// Whether an object begins at the end of the line that can be a server's: alone, or after `with-body: `.
fn opens_json(text: &str) -> bool {
    text == "{" || text.ends_with("with-body: {") || text.ends_with("\"errors\": [") || {
        text.ends_with('{') && text.to_ascii_lowercase().contains("denied")
    }
}

/// How many of the lines after `first` close what it opens, if they do.
fn closing(first: &str, after: &[Line]) -> Option<usize> {
    let mut depth = depth_of(first);
    for (index, line) in after.iter().enumerate() {
        depth += depth_of(&line.text);
        if depth <= 0 {
            return Some(index + 1);
        }
    }
    None
}

/// How many more brackets of JSON a line opens than it closes, those in strings apart.
fn depth_of(text: &str) -> i32 {
    let mut depth = 0;
    let mut is_quoted = false;
    let mut is_escaped = false;
    for character in text.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '{' | '[' if !is_quoted => depth += 1,
            '}' | ']' if !is_quoted => depth -= 1,
            _ => {}
        }
    }
    depth
}
