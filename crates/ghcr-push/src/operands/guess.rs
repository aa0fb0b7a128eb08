//! What was probably meant by operands that are none: subcommands in the wrong place or of other tools, and images that
//! are not in a file.

use crate::args::help::{is_subcommand, similar_subcommand};
use crate::error::CliError;
use crate::reference::shown;

/// A first operand that is a word for doing something, and no file: what to do instead.
pub(super) fn subcommand(operands: &[String], exists: impl Fn(&str) -> bool) -> Option<CliError> {
    let (word, rest) = operands.split_first()?;
    if exists(word) {
        return None;
    }
    let rest = rest.iter().map(|operand| shown(operand));
    let rest: Vec<String> = rest.map(|operand| format!(" {operand}")).collect();
    let none = || CliError::usage(format!("there is no subcommand {word}"));
    Some(match word.as_str() {
        // Whoever reads arguments would have taken it for one at the very beginning.
        word if is_subcommand(word) => {
            CliError::usage(format!("the subcommand {word} stands behind an option"))
                .hint(format!("write it first: ghcr-push {word} [OPTIONS]{}", rest.concat()))
        }
        "push" => none().hint(format!(
            "pushing needs no word: ghcr-push{}",
            rest.concat()
        )),
        "login" | "logout" => none().hint(
            "ghcr-push uses what others keep: docker login, podman login, gh auth login, or a token in GHCR_PUSH_TOKEN",
        ),
        _ => return None,
    })
}

/// What to say of a word that is a subcommand mistyped.
pub(super) fn meant(word: &str) -> Option<String> {
    let similar = similar_subcommand(word)?;
    Some(format!("did you mean `ghcr-push {similar}`?"))
}

/// What to say of a missing file that may be the name of an image in another tool's store.
pub(super) fn stored_image(operands: &[String]) -> Option<String> {
    let [first, rest @ ..] = operands else {
        return None;
    };
    let name = first.split(':').next().unwrap_or_default();
    let is_plain = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || "-_/".contains(character)
    };
    let is_name = !name.is_empty() && !name.starts_with('/') && name.chars().all(is_plain);
    is_name.then(|| {
        let rest: Vec<String> = rest.iter().map(|operand| format!(" {}", shown(operand))).collect();
        format!(
            "if it is an image of docker's, save it on the way: docker save {first} | ghcr-push -{}",
            rest.concat()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(operands: &[&str]) -> Vec<String> {
        operands.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn subcommands() {
        for (operands, expected) in [
            (
                &["push", "a.tar", "ghcr.io/o/n"][..],
                Some("pushing needs no word: ghcr-push a.tar ghcr.io/o/n"),
            ),
            (
                &["check", "ghcr.io/o/n"],
                Some("write it first: ghcr-push check [OPTIONS] ghcr.io/o/n"),
            ),
            (
                &["login", "ghcr.io"],
                Some(
                    "ghcr-push uses what others keep: docker login, podman login, gh auth login, or a token in \
                     GHCR_PUSH_TOKEN",
                ),
            ),
            (&["a.tar", "ghcr.io/o/n"], None),
            (&["inspect", "ghcr.io/o/n"], None),
            (&[], None),
        ] {
            let error = subcommand(&owned(operands), |path| path == "inspect");
            let hint = error.and_then(|error| error.hint);
            assert_eq!(hint.as_deref(), expected, "{operands:?}");
        }
    }

    #[test]
    fn images_of_a_store() {
        let hint = |first: &str| stored_image(&owned(&[first, "ghcr.io/o/n"]));
        assert_eq!(
            hint("owner/app:1.2").as_deref(),
            Some(
                "if it is an image of docker's, save it on the way: docker save owner/app:1.2 | ghcr-push - ghcr.io/o/n"
            )
        );
        for name in ["app", "alpine:3.20"] {
            assert!(hint(name).is_some(), "{name}");
        }
        for path in ["app.tar", "./app", "/tmp/app", "App", ""] {
            assert_eq!(hint(path), None, "{path}");
        }
    }
}
