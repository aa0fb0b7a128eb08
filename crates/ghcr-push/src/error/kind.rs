//! The classes of failures and their exit codes: the one definition for the process, the help and the man pages, to
//! which a test holds the documents.

use std::process::ExitCode;

/// The class of a failure, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The tool itself failed.
    Internal,
    /// The command line is wrong.
    Usage,
    /// The image is missing, unreadable, invalid, or a selection is needed.
    Image,
    /// Authentication or authorisation.
    Authorization,
    /// The registry or network stayed unavailable.
    Unavailable,
    /// The registry refused the content, or holds something else than was pushed.
    Refused,
    /// A signal ended the push.
    Interrupted(Signal),
}

/// A signal that ends a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// How a job is cancelled.
    Terminate,
    /// The terminal is gone.
    HangUp,
}

/// What ends a push, as the help lists it: codes in ascending order but for the one of last resort.
const TOLD: [(&[Kind], &str); 7] = [
    (&[Kind::Usage], "usage"),
    (&[Kind::Image], "image"),
    (&[Kind::Authorization], "authentication or permission"),
    (&[Kind::Unavailable], "registry or network unavailable"),
    (&[Kind::Refused], "content refused"),
    (
        &[
            Kind::Interrupted(Signal::HangUp),
            Kind::Interrupted(Signal::Interrupt),
            Kind::Interrupted(Signal::Terminate),
        ],
        "interrupted",
    ),
    (&[Kind::Internal], "anything else"),
];

impl Kind {
    /// The exit code of the contract (`docs/usage.md`).
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Image => 3,
            Self::Authorization => 4,
            Self::Unavailable => 5,
            Self::Refused => 6,
            Self::Interrupted(Signal::HangUp) => 129,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// The word in `--json` output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Image => "image",
            Self::Authorization => "authorization",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

impl From<Kind> for ExitCode {
    fn from(kind: Kind) -> Self {
        Self::from(kind.code())
    }
}

/// All exit codes of a push with their meanings, in one sentence.
pub(crate) fn told() -> String {
    let told = TOLD.iter().map(|(kinds, meaning)| {
        let codes: Vec<String> = kinds.iter().map(|kind| kind.code().to_string()).collect();
        format!("{} {meaning}", listed(&codes))
    });
    let told: Vec<String> = told.collect();
    format!("Exit codes: 0 published, {}.", told.join(", "))
}

/// `1, 2 and 3`.
fn listed(words: &[String]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    fn document(name: &str) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        std::fs::read_to_string(root.join(name)).expect("readable")
    }

    fn codes() -> Vec<u8> {
        let kinds = TOLD.iter().flat_map(|(kinds, _)| *kinds);
        let mut codes: Vec<u8> = kinds.map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes
    }

    #[test]
    fn in_one_sentence() {
        expect_test::expect!["Exit codes: 0 published, 2 usage, 3 image, 4 authentication or permission, 5 registry or network unavailable, 6 content refused, 129, 130 and 143 interrupted, 1 anything else."]
            .assert_eq(&told());
    }

    #[test]
    fn the_documents_have_them_all() {
        let schema: Value = serde_json::from_str(&document("output.schema.json")).expect("JSON");
        let mut listed = Vec::new();
        collect(&schema, "exitCode", &mut listed);
        assert_eq!(listed, [json!(codes())]);
        let usage = document("usage.md");
        let (_, table) = usage.split_once("\n## Exit codes\n").expect("a section");
        let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
        let cells = rows.filter_map(|row| row.split(" |").next());
        let mut written: Vec<u8> = cells
            .flat_map(|cell| cell.split(", "))
            .filter_map(|code| code.parse().ok())
            .filter(|code| *code != 0)
            .collect();
        written.sort_unstable();
        assert_eq!(written, codes());
    }

    /// The values of `enum` of every property of this name.
    fn collect(value: &Value, name: &str, found: &mut Vec<Value>) {
        let children: Vec<&Value> = match value {
            Value::Object(entries) => entries.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => return,
        };
        found.extend(value.get(name).and_then(|of| of.get("enum")).cloned());
        for child in children {
            collect(child, name, found);
        }
    }
}
