//! Text from servers and archives, made harmless.
//!
//! Such text could move the cursor, change the terminal's title, or, in a GitHub Actions log, run a
//! workflow command: the runner takes `::command::` at the start of a line, after blanks, and
//! `##[command]` anywhere in it, on both output streams
//! (<https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>).

use std::fmt::Write as _;

/// One line of harmless text: control characters and those that reorder text become visible escapes,
/// workflow commands are broken apart.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) {
            // Writing to a string cannot fail.
            let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(character));
        } else {
            cleaned.push(character);
        }
    }
    let cleaned = cleaned.replace("##[", "## [");
    if cleaned.trim_start().starts_with("::") {
        return cleaned.replacen("::", ": :", 1);
    }
    cleaned
}

/// A JSON text with the same dangers escaped in JSON's own way: its meaning stays.
pub(super) fn clean_json(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) {
            // All of these are in the basic plane. Writing to a string cannot fail.
            let _ = write!(cleaned, "\\u{:04x}", u32::from(character));
        } else {
            cleaned.push(character);
        }
    }
    cleaned.replace("##[", "#\\u0023[")
}

/// C0 and C1 controls, line and paragraph separators, and the characters that change the direction of
/// text (<https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>).
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Hides secrets in text.
#[derive(Default)]
pub(super) struct Redactor {
    secrets: Vec<String>,
}

const HIDDEN: &str = "[redacted]";

/// What GitHub's tokens begin with. Any word that begins so is hidden, ours or not
/// (<https://github.blog/changelog/2021-03-31-authentication-token-format-updates-are-generally-available>).
const TOKEN_PREFIXES: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];

/// Shorter values would hide ordinary words, and are no secrets.
const SHORTEST_SECRET: usize = 6;

impl Redactor {
    pub(super) fn add(&mut self, secrets: Vec<String>) {
        let long = secrets
            .into_iter()
            .filter(|secret| secret.len() >= SHORTEST_SECRET);
        self.secrets.extend(long);
        // A secret that holds another goes first, or its rest would stay.
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let mut redacted = text.to_owned();
        for secret in &self.secrets {
            redacted = redacted.replace(secret, HIDDEN);
        }
        for prefix in TOKEN_PREFIXES {
            redacted = hide_words(&redacted, prefix);
        }
        redacted
    }
}

/// Hides every run of token characters that begins with `prefix` and goes on after it.
fn hide_words(text: &str, prefix: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(prefix) {
        let (before, word) = rest.split_at(start);
        let end = word
            .find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)))
            .unwrap_or(word.len());
        hidden.push_str(before);
        hidden.push_str(if end > prefix.len() { HIDDEN } else { prefix });
        rest = &word[end..];
    }
    hidden.push_str(rest);
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaned() {
        for (text, expected) in [
            ("plain ünïcode 日本", "plain ünïcode 日本"),
            (
                "a\u{1b}[31mb\u{7}\r\n::add-mask::x",
                "a\\u{1b}[31mb\\u{7}\\u{d}\\u{a}::add-mask::x",
            ),
            ("  ::error::x", "  : :error::x"),
            ("x ##[error]y", "x ## [error]y"),
            (
                "a\u{202e}b\u{2028}c\u{9b}d",
                "a\\u{202e}b\\u{2028}c\\u{9b}d",
            ),
        ] {
            assert_eq!(clean(text), expected);
        }
    }

    #[test]
    fn cleaned_json() {
        let hostile = "a\u{9b}b\u{202e}c ##[error]d";
        let text = serde_json::json!({ "message": hostile }).to_string();
        let cleaned = clean_json(&text);
        assert_eq!(cleaned, r#"{"message":"a\u009bb\u202ec #\u0023[error]d"}"#);
        let read: serde_json::Value = serde_json::from_str(&cleaned).expect("JSON");
        assert_eq!(read["message"], hostile);
    }

    #[test]
    fn redacted() {
        let mut redactor = Redactor::default();
        redactor.add(vec![
            "hunter22".into(),
            "user:hunter22".into(),
            "short".into(),
        ]);
        for (text, expected) in [
            ("is user:hunter22 it", "is [redacted] it"),
            ("short stays", "short stays"),
            ("a ghp_abc.DEF-1, b", "a [redacted], b"),
            ("github_pat_11AB_x", "[redacted]"),
            (
                "tokens begin with ghs_ there",
                "tokens begin with ghs_ there",
            ),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }
}
