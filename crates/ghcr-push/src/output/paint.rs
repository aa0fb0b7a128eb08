//! Colour for the words that tell what a line is. Only lines that are harmless already are coloured: what a
//! server or an archive says never brings an escape sequence of its own.

/// The words that open a line, and how they look.
const OPENINGS: [(&str, &str); 6] = [
    ("error:", "1;31"),
    ("  caused by:", "31"),
    ("diagnosis:", "1;36"),
    ("hint:", "1;36"),
    ("warning:", "1;33"),
    ("notice:", "2"),
];

/// How the code of a cause looks.
const CODE: &str = "1;33";

/// A line with its opening words in colour.
pub(super) fn paint(line: &str) -> String {
    for (opening, look) in OPENINGS {
        if let Some(rest) = line.strip_prefix(opening) {
            let word = opening.trim_start();
            let indent = &opening[..opening.len() - word.len()];
            return format!("{indent}{}{rest}", in_colour(word, look));
        }
    }
    match code(line) {
        Some((number, code, rest)) => format!("{number}{}{rest}", in_colour(code, CODE)),
        None => line.to_owned(),
    }
}

fn in_colour(text: &str, look: &str) -> String {
    format!("\u{1b}[{look}m{text}\u{1b}[0m")
}

/// The parts of the line that opens a cause: `1. package-denies-repository (likely)`.
fn code(line: &str) -> Option<(&str, &str, &str)> {
    let (number, after) = line.split_once(". ")?;
    let (code, _) = after.split_once(" (")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = code
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let start = number.len() + 2;
    (is_number && is_code).then(|| {
        let end = start + code.len();
        (&line[..start], &line[start..end], &line[end..])
    })
}

/// A line of this program's own that is styled already: its looks stay, and `clean` is done to all else.
pub(super) fn styled(line: &str, clean: impl Fn(&str) -> String) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut result = clean(pieces.next().unwrap_or_default());
    for piece in pieces {
        let is_parameter = |character: char| character.is_ascii_digit() || character == ';';
        let text = piece.trim_start_matches(is_parameter);
        let look = &piece[..piece.len() - text.len()];
        match text.strip_prefix('m') {
            Some(text) => result.extend(["\u{1b}[", look, "m", &clean(text)]),
            None => result.push_str(&clean(&format!("\u{1b}[{piece}"))),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::*;

    #[test]
    fn painted() {
        for (line, expected) in [
            ("error: it failed", "\u{1b}[1;31merror:\u{1b}[0m it failed"),
            (
                "  caused by: error: x",
                "  \u{1b}[31mcaused by:\u{1b}[0m error: x",
            ),
            (
                "2. billing (likely)",
                "2. \u{1b}[1;33mbilling\u{1b}[0m (likely)",
            ),
            ("2. Billing (likely)", "2. Billing (likely)"),
            ("an error: x", "an error: x"),
            ("", ""),
        ] {
            assert_eq!(paint(line), expected);
        }
    }

    #[test]
    fn looks_stay_and_nothing_else() {
        let line = "\u{1b}[1mUsage:\u{1b}[0m a\u{1b}[2Jb\u{1b}]0;title\u{7}c";
        assert_eq!(
            styled(line, clean),
            "\u{1b}[1mUsage:\u{1b}[0m a\\u{1b}[2Jb\\u{1b}]0;title\\u{7}c"
        );
    }
}
