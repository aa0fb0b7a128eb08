//! The annotation of a failure, which is what a run's page shows before anybody opens the log.

use ghcr_diagnosis::{Cause, Likelihood};

use super::command::Command;
use crate::error::CliError;

/// The annotation: under its title what the matter is, and what to do first.
pub(super) fn of(error: &CliError) -> Command {
    let command = Command::new("error", &message(error)).with("title", &error.message);
    let Some(place) = &error.place else {
        return command;
    };
    let command = command.with("file", &place.file);
    match place.line {
        Some(line) => command.with("line", &line.to_string()),
        None => command,
    }
}

fn message(error: &CliError) -> String {
    let supposed;
    let mut lines: Vec<&str> = Vec::new();
    if let Some(diagnosis) = error.told_diagnosis() {
        lines.push(&diagnosis.summary);
        if let Some(cause) = diagnosis.causes.first() {
            let remedy = first_sentence(&cause.remedy);
            // Who follows the first of several possible causes as if it were known changes what was right.
            let others = diagnosis.causes.len() - 1;
            if cause.likelihood == Likelihood::Possible && others > 0 {
                supposed = format!(
                    "One of {} possible causes is {}, the others stand in the log: {remedy}",
                    others + 1,
                    cause.code
                );
                lines.push(&supposed);
                return lines.join("\n");
            }
            lines.push(remedy);
            // Who is to change the workflow's file needs no page.
            let is_elsewhere = error.place.is_none();
            let pages = Cause::pages(cause).into_iter();
            lines.extend(pages.filter(|page| is_elsewhere && !remedy.contains(page)));
        }
    } else {
        let causes = error.causes.iter().chain(&error.hint);
        lines.extend(causes.map(String::as_str));
    }
    if lines.is_empty() {
        // The runner passes over an annotation that says nothing.
        lines.push(&error.message);
    }
    lines.join("\n")
}

/// The beginning of a text up to the end of its first sentence, with the block that the sentence announces.
fn first_sentence(text: &str) -> &str {
    let ends = [". ", ".\n", "\n\n"];
    let end = ends.iter().filter_map(|end| text.find(end)).min();
    let Some(end) = end else { return text };
    let sentence = &text[..end];
    if sentence.ends_with(':') {
        let mut parts = text.match_indices("\n\n").map(|(at, _)| at);
        return match parts.find(|at| *at > end) {
            Some(end_of_block) => &text[..end_of_block],
            None => text,
        };
    }
    // The full stop belongs to it.
    &text[..end + usize::from(text[end..].starts_with('.'))]
}

#[cfg(test)]
mod tests {
    use ghcr_diagnosis::{Context, Evidence, diagnose, without_credential};

    use super::*;
    use crate::explain::Place;

    #[test]
    fn sentences() {
        for (text, expected) in [
            ("Do this", "Do this"),
            ("Do this.", "Do this."),
            ("Do this. Then that.", "Do this."),
            (
                "Open https://a.example/b.c. Then\nthat.",
                "Open https://a.example/b.c.",
            ),
            ("Do this.\nThen that.", "Do this."),
            ("Do this\n\nThen that.", "Do this"),
            (
                "Give it:\n\n    a: b\n    c: d\n\nThen that.",
                "Give it:\n\n    a: b\n    c: d",
            ),
            ("Give it:\n\n    a: b", "Give it:\n\n    a: b"),
        ] {
            assert_eq!(first_sentence(text), expected);
        }
    }

    #[test]
    fn messages() {
        let bare = CliError::usage("a mistake");
        assert_eq!(message(&bare), "a mistake");
        let mut caused = CliError::usage("a mistake").hint("do this");
        caused.causes = vec!["one thing".to_owned(), "another".to_owned()];
        assert_eq!(message(&caused), "one thing\nanother\ndo this");
    }

    /// A cause that is no more than possible is told as one.
    #[test]
    fn possibilities() {
        let mut context = Context::default();
        context.reference = "ghcr.io/owner/app:1".to_owned();
        let mut evidence = Evidence::default();
        evidence.status = Some(403);
        let mut error = CliError::usage("it failed");
        error.diagnosis = diagnose(&evidence, &context).map(Box::new);
        let told = message(&error);
        assert!(
            told.contains("`ghcr-push check ghcr.io/owner/app:1`"),
            "{told}"
        );
        assert!(told.contains("\nOne of "), "{told}");
        assert!(!told.contains("\nhttps://"), "{told}");
    }

    /// A page is named unless the file that the annotation stands at is what has to be changed.
    #[test]
    fn pages() {
        let mut context = Context::default();
        context.reference = "ghcr.io/owner/app:1".to_owned();
        context.web_host = "github.com".to_owned();
        let mut error = CliError::usage("it failed");
        error.diagnosis = without_credential(&context).map(Box::new);
        let told = message(&error);
        assert!(
            told.contains("\nhttps://github.com/settings/tokens"),
            "{told}"
        );
        error.place = Some(Box::new(Place {
            file: "a.yml".to_owned(),
            line: None,
        }));
        let told = message(&error);
        assert!(!told.contains("https://"), "{told}");
    }
}
