//! Why a request is tried again, in one line.

use crate::failure::{Failure, Rejection};
use crate::request::{Request, Response};

/// More of a server's words is no line.
const WORDS: usize = 120;

/// Why a request with that outcome is tried again.
pub(super) fn cause(request: &Request, result: &Result<Response, Failure>) -> String {
    match result {
        Ok(response) => of_rejection(&Rejection::new(request, response)),
        Err(failure) => cause_of(failure),
    }
}

/// The same of a failure.
pub(crate) fn cause_of(failure: &Failure) -> String {
    match failure {
        Failure::Rejected(rejection) => of_rejection(rejection),
        Failure::Unanswered(unanswered) => unanswered.kind.to_string(),
        failure => failure.to_string(),
    }
}

/// A limit is called one: dressed as a refusal it would seem to be waited out in vain.
fn of_rejection(rejection: &Rejection) -> String {
    let status = rejection.status;
    if rejection.is_rate_limit() {
        return format!("the registry answered {status}, a rate limit");
    }
    match shortened(&rejection.words()) {
        words if words.is_empty() => format!("the registry answered {status}"),
        words => format!("the registry answered {status}: {words}"),
    }
}

/// The beginning of a server's words in one line; nothing of a page.
fn shortened(words: &str) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = words.join(" ");
    if words.starts_with('<') {
        return String::new();
    }
    match words.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}...", &words[..end]),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_one_line() {
        let long = "a".repeat(WORDS + 1);
        let cut = format!("{}...", &long[1..]);
        for (words, expected) in [
            ("", ""),
            (" tag is\n  immutable\n", "tag is immutable"),
            ("<html>\n<title>502</title>", ""),
            (long.as_str(), cut.as_str()),
        ] {
            assert_eq!(shortened(words), expected);
        }
    }
}
