//! Long lines on a terminal: broken between words, and indented as what they continue. Everywhere else lines stay
//! whole, for whoever searches or copies them.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter, wrap as wrap_text};

/// In a narrower terminal there is no room for indenting.
const NARROW: usize = 40;

/// A still narrower one wraps by itself.
const NARROWEST: usize = 20;

/// Lines that are indented so far are to be copied: parts of files, and commands.
const COPIED: usize = 8;

/// How far what belongs to a line of the outermost level is indented.
const INDENT: usize = 2;

/// The lines in which `line` is shown. Escape sequences for colours take no room.
pub(super) fn wrap(line: &str, width: Option<usize>) -> Vec<String> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let Some(width) = width.filter(|width| *width >= NARROWEST && indent < COPIED) else {
        return vec![line.to_owned()];
    };
    let text = &line[indent..];
    let more = match text {
        _ if width < NARROW => 0,
        _ if text.starts_with("- ") => INDENT,
        _ if indent == 0 || text.contains("caused by:") => INDENT,
        _ => 0,
    };
    let first = " ".repeat(indent);
    let rest = " ".repeat(indent + more);
    let options = Options::new(width)
        .initial_indent(&first)
        .subsequent_indent(&rest)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation)
        .word_separator(WordSeparator::Custom(words));
    let lines = wrap_text(text, options);
    lines
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// Words end at spaces, but not within backquotes: what stands there is copied.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        let mut is_quoted = false;
        let mut is_behind = false;
        let end = rest.char_indices().find_map(|(position, character)| {
            if character == '`' {
                is_quoted = !is_quoted;
            }
            let is_space = character == ' ' && !is_quoted;
            let is_next = is_behind && !is_space;
            is_behind = is_space;
            is_next.then_some(position)
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!word.is_empty()).then(|| Word::from(word))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, width, expected) in [
            ("short", Some(40), &["short"][..]),
            ("", Some(40), &[""]),
            (
                "error: a line that is longer than forty columns are",
                Some(40),
                &["error: a line that is longer than forty", "  columns are"],
            ),
            (
                "error: a line that is longer than forty columns are",
                None,
                &["error: a line that is longer than forty columns are"],
            ),
            (
                "error: a line that is longer than a narrow terminal is",
                Some(39),
                &["error: a line that is longer than a", "narrow terminal is"],
            ),
            (
                "error: a line that is longer",
                Some(19),
                &["error: a line that is longer"],
            ),
            (
                "  caused by: something that takes more than a line",
                Some(40),
                &["  caused by: something that takes more", "    than a line"],
            ),
            (
                "     - evidence that takes more than one line of text",
                Some(40),
                &[
                    "     - evidence that takes more than one",
                    "       line of text",
                ],
            ),
            (
                "   why it is so, which takes more than one line",
                Some(40),
                &["   why it is so, which takes more than", "   one line"],
            ),
            // To be copied: parts of files, commands, addresses.
            (
                "         if: github.event.pull_request == null",
                Some(40),
                &["         if: github.event.pull_request == null"],
            ),
            (
                "     Run `gh auth refresh --scopes write:packages` and push again",
                Some(40),
                &[
                    "     Run",
                    "     `gh auth refresh --scopes write:packages`",
                    "     and push again",
                ],
            ),
            (
                "     Open https://github.com/orgs/owner/packages/container/app/settings, and",
                Some(40),
                &[
                    "     Open",
                    "     https://github.com/orgs/owner/packages/container/app/settings,",
                    "     and",
                ],
            ),
            (
                "\u{1b}[1;31merror:\u{1b}[0m it is just as wide as the screen.",
                Some(40),
                &["\u{1b}[1;31merror:\u{1b}[0m it is just as wide as the screen."],
            ),
            // A backquote that is never closed.
            (
                "`never closed, and so one word up to the end",
                Some(40),
                &["`never closed, and so one word up to the end"],
            ),
        ] {
            assert_eq!(wrap(line, width), expected, "{line}");
        }
    }
}
