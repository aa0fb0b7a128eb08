//! What was probably meant by operands that are none: subcommands in the wrong place or of other tools, and images that
//! are not in a file.

use super::is_reference;
use crate::args::help::{HELP, is_subcommand, similar_subcommand};
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
        HELP => {
            let asked = rest.first()?.trim_start();
            let hint = meant(asked).map_or_else(
                || "ghcr-push help names those that there are".to_owned(),
                |similar| format!("did you mean `ghcr-push help {similar}`?"),
            );
            CliError::usage(format!("there is no subcommand {asked}")).hint(hint)
        }
        word => {
            let similar = meant(word)?;
            CliError::usage(format!("{word} is neither a subcommand nor a file"))
                .hint(format!("did you mean `ghcr-push {similar}{}`?", rest.concat()))
        }
    })
}

/// The subcommand that a word is when mistyped. A word is made of letters: what has a dot or a slash is a path.
fn meant(word: &str) -> Option<String> {
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    similar_subcommand(word).filter(|_| is_word)
}

/// Where other tools keep images that are in no file of this tool's kinds, and what makes one of them
/// (<https://github.com/containers/image/blob/main/docs/containers-transports.5.md>).
const STORES: [(&str, &str); 3] = [
    ("docker-daemon:", "docker save IMAGE | ghcr-push -"),
    (
        "containers-storage:",
        "podman save --format oci-archive IMAGE | ghcr-push -",
    ),
    (
        "dir:",
        "skopeo copy dir:IMAGE oci-archive:image.tar && ghcr-push image.tar",
    ),
];

/// What to say of an operand with a prefix that another tool knows.
pub(super) fn foreign_prefix(operands: &[String]) -> Option<String> {
    let (first, rest) = operands.split_first()?;
    let (image, command) = STORES
        .iter()
        .find_map(|(prefix, command)| Some((first.strip_prefix(prefix)?, command)))?;
    let command = command.replace("IMAGE", &shown(image));
    Some(format!("write {command}{}", references(rest)))
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
        format!(
            "if it is an image of docker's, save it on the way: docker save {first} | ghcr-push -{}",
            references(rest)
        )
    })
}

/// The references among operands behind the image, each behind a blank, or what stands for one.
fn references(operands: &[String]) -> String {
    let references = operands.iter().filter(|one| is_reference(one, true));
    let references: Vec<String> = references.map(|one| format!(" {}", shown(one))).collect();
    if references.is_empty() {
        " ghcr.io/OWNER/NAME".to_owned()
    } else {
        references.concat()
    }
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
            (
                &["chekc", "ghcr.io/o/n"],
                Some("did you mean `ghcr-push check ghcr.io/o/n`?"),
            ),
            (&["explian"], Some("did you mean `ghcr-push explain`?")),
            (
                &["hlep", "check"],
                Some("did you mean `ghcr-push help check`?"),
            ),
            (
                &["inpsect", "a.tar"],
                Some("did you mean `ghcr-push inspect a.tar`?"),
            ),
            (
                &["chekc", "https://user:hunter22@ghcr.io/o/n"],
                Some("did you mean `ghcr-push check https://ghcr.io/o/n`?"),
            ),
            (
                &["help", "chekc"],
                Some("did you mean `ghcr-push help check`?"),
            ),
            (
                &["help", "whatever"],
                Some("ghcr-push help names those that there are"),
            ),
            (&["help"], None),
            (&["check.tar", "ghcr.io/o/n"], None),
            (&["./chekc", "ghcr.io/o/n"], None),
            (&[], None),
        ] {
            let error = subcommand(&owned(operands), |path| path == "inspect");
            let hint = error.and_then(|error| error.hint);
            assert_eq!(hint.as_deref(), expected, "{operands:?}");
        }
    }

    #[test]
    fn prefixes_of_others() {
        for (first, expected) in [
            (
                "docker-daemon:app:1",
                Some("write docker save app:1 | ghcr-push - ghcr.io/o/n"),
            ),
            (
                "containers-storage:app",
                Some("write podman save --format oci-archive app | ghcr-push - ghcr.io/o/n"),
            ),
            (
                "dir:app",
                Some(
                    "write skopeo copy dir:app oci-archive:image.tar && ghcr-push image.tar ghcr.io/o/n",
                ),
            ),
            ("app:1", None),
        ] {
            let hint = foreign_prefix(&owned(&[first, "ghcr.io/o/n"]));
            assert_eq!(hint.as_deref(), expected, "{first}");
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
        for others in [&["app"][..], &["app", "y"], &["app", "owner/name:1"]] {
            let hint = stored_image(&owned(others)).expect("a hint");
            let expected = "docker save app | ghcr-push - ghcr.io/OWNER/NAME";
            assert!(hint.ends_with(expected), "{hint}");
        }
        for name in ["app", "alpine:3.20"] {
            assert!(hint(name).is_some(), "{name}");
        }
        for path in ["app.tar", "./app", "/tmp/app", "App", ""] {
            assert_eq!(hint(path), None, "{path}");
        }
    }
}
