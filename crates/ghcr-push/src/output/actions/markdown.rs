//! Text as GitHub-flavoured Markdown that shows it, and does nothing else (<https://github.github.com/gfm/>).

/// Text on one line as code: nothing in it is markup.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(['\r', '\n'], " ");
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = fence(&text, 1);
    // A backtick at its end would be taken for the fence's.
    let blank = if fence.len() > 1 { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Code in a table, whose columns are divided before anything else is read.
pub(super) fn code_in_table(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Lines as a block of code.
pub(super) fn block(language: &str, lines: &[&str]) -> String {
    let text = lines.join("\n");
    let fence = fence(&text, 3);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// A row of backticks that is longer than any in the text.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max();
    "`".repeat(longest.map_or(least, |longest| least.max(longest + 1)))
}

/// A sentence: what stands between backticks is code, addresses are links to themselves, all else is text.
pub(super) fn sentence(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Backticks that are no pairs are text.
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let parts = parts.iter().enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            code(part)
        } else {
            plain(part)
        }
    });
    parts.collect()
}

/// Paragraphs of sentences; lines that are indented are code.
pub(super) fn paragraphs(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_code = |line: &&str| line.starts_with("  ");
    let mut written = String::new();
    for chunk in lines.chunk_by(|one, other| is_code(one) == is_code(other)) {
        if is_code(&chunk[0]) {
            let is_yaml = chunk.iter().any(|line| line.ends_with(':'));
            let language = if is_yaml { "yaml" } else { "" };
            written.push_str(&block(language, chunk));
        } else {
            for line in chunk {
                written.push_str(&sentence(line));
                written.push('\n');
            }
        }
    }
    written
}

/// An address as a link that shows where it leads, if it is one.
pub(super) fn link(address: &str) -> String {
    if is_address(address) {
        format!("<{address}>")
    } else {
        code(address)
    }
}

fn is_address(text: &str) -> bool {
    const MARKS: &str = "-._~:/?#[]@!$&'()*+,;=%";
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || MARKS.contains(character);
    let rest = text.strip_prefix("https://");
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_allowed))
}

/// Text in which no character is markup, but for addresses.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(word).collect();
    words.join(" ")
}

fn word(word: &str) -> String {
    let (before, rest) = match word.find("https://") {
        Some(start) => word.split_at(start),
        None => return escape(word),
    };
    let end = rest.trim_end_matches(['.', ',', ';', ':', ')', '"', '\'']);
    if is_address(end) {
        format!("{}<{end}>{}", escape(before), escape(&rest[end.len()..]))
    } else {
        escape(word)
    }
}

/// Any mark may be escaped so, whether it means something or not
/// (<https://github.github.com/gfm/#backslash-escapes>).
fn escape(text: &str) -> String {
    const MARKUP: &str = "\\`*_[]<>&|~#!$@";
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if MARKUP.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (text, expected) in [
            ("a", "`a`"),
            ("a | b", "`a | b`"),
            ("a`b", "`` a`b ``"),
            ("``a", "``` ``a ```"),
            ("a\nb", "`a b`"),
            (" ", ""),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(code_in_table("a|b"), "`a\\|b`");
        assert_eq!(block("", &["a", "```"]), "````\na\n```\n````\n");
    }

    #[test]
    fn sentences() {
        for (text, expected) in [
            (
                "has no `packages: write` yet",
                "has no `packages: write` yet",
            ),
            (
                "a_b <img src=x> [c](d) | **e**",
                "a\\_b \\<img src=x\\> \\[c\\](d) \\| \\*\\*e\\*\\*",
            ),
            ("one ` is text", "one \\` is text"),
            (
                "open https://github.com/a_b/c, then (https://x.example/).",
                "open <https://github.com/a_b/c>, then (<https://x.example/>).",
            ),
            (
                "[x](https://evil.example/<b>)",
                "\\[x\\](https://evil.example/\\<b\\>)",
            ),
            ("`[x](https://x.example)`", "`[x](https://x.example)`"),
        ] {
            assert_eq!(sentence(text), expected);
        }
    }

    #[test]
    fn text_of_several_lines() {
        let text = "Give it this:\n\n    permissions:\n      packages: write\n\nThen run:\n\n  gh auth login";
        let expected = "Give it this:\n\n```yaml\n    permissions:\n      packages: write\n```\n\nThen run:\n\n\
                        ```\n  gh auth login\n```\n";
        assert_eq!(paragraphs(text), expected);
    }

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("https://github.com/a?b=c#d", "<https://github.com/a?b=c#d>"),
            ("javascript:alert(1)", "`javascript:alert(1)`"),
            ("https://a b", "`https://a b`"),
            ("https://", "`https://`"),
        ] {
            assert_eq!(link(text), expected);
        }
    }
}
