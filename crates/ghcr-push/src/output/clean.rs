//! Text from servers and archives, made harmless.
//!
//! Such text could move the cursor, change the terminal's title, or, in a GitHub Actions log, run a
//! workflow command: the runner takes `::command::` at the start of a line, after blanks, and
//! `##[command]` anywhere in it, on both output streams
//! (<https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>).

use std::fmt::Write as _;

use serde_json::Value;

use super::patterns;

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

pub(super) const HIDDEN: &str = "[redacted]";

/// Shorter values turn up in ordinary text by chance, where hiding them would tell them.
const SHORTEST_SECRET: usize = 8;

/// From this length on not even letters alone are taken for a word.
const LONGEST_WORD: usize = 15;

impl Redactor {
    pub(super) fn add(&mut self, secrets: Vec<String>) {
        let hidden = secrets
            .into_iter()
            .filter(|secret| secret.len() >= SHORTEST_SECRET && !is_word(secret));
        self.secrets.extend(hidden);
        // Many forms of one secret are the same text.
        self.secrets.sort_unstable();
        self.secrets.dedup();
        // A secret that holds another goes first, or its rest would stay.
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let mut redacted = text.to_owned();
        for secret in &self.secrets {
            redacted = redacted.replace(secret, HIDDEN);
        }
        patterns::hide(&redacted)
    }

    /// Hides secrets in the strings of a JSON value. Its keys are this program's own, and so is the syntax
    /// around both: text that is serialised already is not what it was.
    pub(super) fn redact_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.redact_json(item));
                Value::Array(items.collect())
            }
            Value::Object(fields) => {
                let fields = fields.into_iter();
                Value::Object(
                    fields
                        .map(|(key, value)| (key, self.redact_json(value)))
                        .collect(),
                )
            }
            value => value,
        }
    }
}

/// Whether a secret could be a word of this program's own sentences. A password `registry` that is hidden
/// in them is told by the gaps; its encoded forms, which are no words, are hidden all the same.
fn is_word(secret: &str) -> bool {
    secret.len() <= LONGEST_WORD && secret.bytes().all(|byte| byte.is_ascii_lowercase())
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
            "short12".into(),
            "registry".into(),
            "correcthorsebatterystaple".into(),
        ]);
        for (text, expected) in [
            ("is user:hunter22 it", "is [redacted] it"),
            ("short12 stays", "short12 stays"),
            ("the registry answered", "the registry answered"),
            ("correcthorsebatterystaple", "[redacted]"),
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

    /// Keys, numbers and the text around them stay, even if the secret is among them.
    #[test]
    fn redacted_json() {
        let mut redactor = Redactor::default();
        redactor.add(vec!["configDigest".into(), r#"a "quoted" word"#.into()]);
        let value = serde_json::json!({
            "configDigest": null,
            "chain": [r#"it said: a "quoted" word"#, 12_345_678],
            "error": { "message": "is configDigest" },
        });
        assert_eq!(
            redactor.redact_json(value).to_string(),
            r#"{"configDigest":null,"chain":["it said: [redacted]",12345678],"error":{"message":"is [redacted]"}}"#
        );
    }
}
