//! What makes an answer a rate limit, however it is dressed.

use http::StatusCode;

/// Words in which services refuse for a time. Single words that may be a package's name are not among them.
const PHRASES: [&str; 14] = [
    "rate limit",
    "rate exceeded",
    "ratelimited",
    "ratelimit exceeded",
    "toomanyrequests",
    "too many requests",
    "too many attempts",
    "too many login attempts",
    "abuse detection",
    "please slow down",
    "resource exhausted",
    "requests per second",
    "requests per minute",
    "requests per hour",
];

/// The words of which one alone tells a limit.
const WORDS: [&str; 3] = ["throttled", "throttling", "throttlingexception"];

/// What stands with hyphens or underscores and is the same as with blanks.
const JOINED: [&str; 8] = [
    "rate-limit",
    "rate-limits",
    "rate-limited",
    "rate-limiting",
    "rate-limit-exceeded",
    "rate-limit-reached",
    "too-many-requests",
    "resource-exhausted",
];

/// Whether an answer is a rate limit. GitHub tells its secondary one as 403, which looks like a permission
/// (<https://github.com/virtualcell/vcell/issues/1888>); its headers say so too
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>).
///
/// `Retry-After` alone is enough of a 403, whatever words come with it, if it names a time: a permission that is lacking
/// does not come with time (<https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>). `status` is `None` where it is not known;
/// headers are named in lower case; `words` are codes and messages.
#[must_use]
pub fn is_rate_limit(status: Option<u16>, headers: &[(String, String)], words: &str) -> bool {
    let is_marked = headers.iter().any(|(name, value)| match name.as_str() {
        "retry-after" => names_time(value.trim()),
        "x-ratelimit-remaining" => value.trim() == "0",
        _ => false,
    });
    // Logs, and some services, have the header in the text.
    let asks_to_wait = is_marked || words.to_ascii_lowercase().contains("retry-after");
    status == Some(StatusCode::TOO_MANY_REQUESTS.as_u16())
        || (asks_to_wait && status == Some(StatusCode::FORBIDDEN.as_u16()))
        || speaks_of_limit(words)
}

/// Whether it is what `Retry-After` may say: seconds, or a date.
fn names_time(value: &str) -> bool {
    let seconds: Option<f64> = value.parse().ok();
    seconds.is_some_and(|seconds| seconds >= 0.0) || httpdate::parse_http_date(value).is_ok()
}

/// Whether a text refuses for a time. Names that hold such words, `ghcr.io/owner/rate-limit`, are no such text.
fn speaks_of_limit(text: &str) -> bool {
    let text = text.to_lowercase();
    let is_edge = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | '@'));
    let words: Vec<String> = text
        .split(is_edge)
        .map(|word| word.trim_matches(['.', '-', '_']).to_owned())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let hyphened = word.replace('_', "-");
            if JOINED.contains(&hyphened.as_str()) {
                hyphened.replace('-', " ")
            } else {
                word
            }
        })
        .collect();
    let is_word = words.iter().any(|word| WORDS.contains(&word.as_str()));
    let said = words.join(" ");
    // The registry's own: `allowed: 2000/minute`.
    let is_allowance = said
        .split_once("allowed ")
        .is_some_and(|(_, after)| after.contains("/minute"));
    is_word || is_allowance || PHRASES.iter().any(|phrase| said.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_limit() {
        for words in [
            "permission_denied: rate limit reached, please slow down",
            "rate limit reached, slow down: permission_denied: write_package",
            "You are being rate limited",
            "rate-limited",
            "RATE_LIMIT_EXCEEDED",
            "you exceeded your rate limit",
            "You have exceeded a secondary rate limit.",
            "Rate exceeded",
            "request was throttled.",
            "ThrottlingException: Rate exceeded",
            "You have triggered an abuse detection mechanism",
            "too many attempts, try again later",
            "{\"message\":\"rate limit exceeded\",\"documentation_url\":\"https://docs.github.com/rest\"}",
            "resource_exhausted: no more",
            "retry-after: 10.487765ms, allowed: 2000/minute",
        ] {
            assert!(is_rate_limit(None, &[], words), "{words}");
            assert!(is_rate_limit(Some(403), &[], words), "{words}");
        }
        for words in [
            "permission_denied: write_package",
            "permission_denied: write_package for ghcr.io/owner/rate-limit:1",
            "permission_denied: write_package for owner/throttled",
            "permission_denied: write_package: rate-limiter",
            "denied",
            "size limit exceeded",
            "",
        ] {
            assert!(!is_rate_limit(Some(403), &[], words), "{words}");
        }
    }

    #[test]
    fn headers_of_a_limit() {
        let with = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let words = "permission_denied: write_package";
        for (status, headers, expected) in [
            (Some(429), Vec::new(), true),
            (Some(403), Vec::new(), false),
            (Some(403), with("retry-after", "60"), true),
            (Some(403), with("retry-after", "1.5"), true),
            (
                Some(403),
                with("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"),
                true,
            ),
            (Some(403), with("retry-after", " "), false),
            (Some(403), with("retry-after", "-5"), false),
            (Some(403), with("retry-after", "soon"), false),
            (Some(403), with("retry-after", "##[error]"), false),
            (Some(403), with("x-ratelimit-remaining", "0"), true),
            (Some(403), with("x-ratelimit-remaining", "7"), false),
            // An outage asks for a wait as well.
            (Some(503), with("retry-after", "60"), false),
        ] {
            assert_eq!(
                is_rate_limit(status, &headers, words),
                expected,
                "{status:?} {headers:?}"
            );
        }
    }
}
