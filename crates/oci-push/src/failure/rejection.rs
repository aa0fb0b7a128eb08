//! A refusal, with everything that explains it.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};
use oci_client::errors::OciEnvelope;

use super::limit::is_rate_limit;
use super::{displayed, host_of};
use crate::request::{Request, Response};
use crate::retry::{SECONDARY_LIMIT, advised_wait};
use crate::step::Step;

/// One entry of the registry's error list (distribution-spec, "Error codes").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError {
    /// The code, such as `DENIED`.
    pub code: String,
    /// The registry's own words.
    pub message: String,
    /// Further detail as compact JSON, if the registry gave any.
    pub detail: Option<String>,
}

/// A refusal with its evidence.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rejection {
    /// What was asked.
    pub step: Step,
    /// The method of the request.
    pub method: Method,
    /// Who answered.
    pub host: String,
    /// The URL, without query values (an upload URL's are secrets).
    pub url: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// The registry's errors, empty if the body held none.
    pub errors: Vec<RegistryError>,
    /// The body as text, at most 64 `KiB`, if it held no registry errors.
    pub body_excerpt: Option<String>,
    /// The handle by which the registry's operators find the request.
    pub request_id: Option<String>,
    /// Whether what this says should have passed by waiting, and has not.
    pub has_outlasted: bool,
    /// Headers that explain a refusal: `retry-after`, `www-authenticate`, `x-github-sso`, ...
    pub headers: Vec<(String, String)>,
    /// The wait that the answer asks for.
    pub retry_after: Option<Duration>,
}

/// Headers kept as evidence. Everything else, cookies above all, stays out of messages.
const EVIDENCE_HEADERS: [&str; 10] = [
    "content-type",
    "retry-after",
    "server",
    "via",
    "www-authenticate",
    "x-accepted-oauth-scopes",
    "x-github-sso",
    "x-oauth-scopes",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// Request identifiers, the most specific first.
const REQUEST_ID_HEADERS: [&str; 4] = [
    "x-github-request-id",
    "x-request-id",
    "x-amzn-requestid",
    "x-ms-request-id",
];

impl Rejection {
    /// Collects the evidence of `response` to `request`.
    #[must_use]
    pub fn new(request: &Request, response: &Response) -> Self {
        let errors = registry_errors(&response.body);
        let body_excerpt = if errors.is_empty() && !response.body.is_empty() {
            Some(String::from_utf8_lossy(&response.body).into_owned())
        } else {
            None
        };
        let value = |name: &str| response.header(name).map(str::to_owned);
        Self {
            step: request.step,
            method: request.method.clone(),
            host: host_of(&response.url),
            url: displayed(&response.url),
            status: response.status,
            errors,
            body_excerpt,
            request_id: REQUEST_ID_HEADERS.iter().find_map(|name| value(name)),
            headers: EVIDENCE_HEADERS
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), value(name)?)))
                .collect(),
            retry_after: advised_wait(response),
            has_outlasted: false,
        }
    }

    /// Whether this is a rate limit, by [`is_rate_limit`].
    #[must_use]
    pub fn is_rate_limit(&self) -> bool {
        let codes = self.errors.iter().map(|error| error.code.as_str());
        let words: Vec<&str> = codes.collect();
        let words = format!("{} {}", words.join(" "), self.words());
        is_rate_limit(Some(self.status.as_u16()), &self.headers, &words)
    }

    /// The wait before the first repetition where this is a rate limit: the one that it asks for, else the one for
    /// GitHub's secondary limit. `None` of a limit by its status alone that names none, which is over in seconds.
    #[must_use]
    pub fn wait_for_limit(&self) -> Option<Duration> {
        if !self.is_rate_limit() {
            return None;
        }
        let is_secondary =
            self.status.is_client_error() && self.status != StatusCode::TOO_MANY_REQUESTS;
        self.retry_after
            .or_else(|| is_secondary.then_some(SECONDARY_LIMIT))
    }

    /// Whether it says no more than 403: nothing, the status once more, or a proxy's page. Such refusals of ghcr.io
    /// are known to pass; an answer to a HEAD has no words in any case.
    #[must_use]
    pub fn is_wordless(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
            && self.method != Method::HEAD
            && says_nothing(&self.words())
    }

    /// Whether the registry lacks something that a manifest names. Some tell it in plain text, or behind the code of an
    /// invalid manifest (<https://github.com/docker/build-push-action/issues/271>).
    #[must_use]
    pub fn is_lacking(&self) -> bool {
        let is_known = || {
            let words = self.words().to_ascii_lowercase();
            let marks = ["unknown blob", "blob unknown"];
            marks.iter().any(|mark| words.contains(mark))
        };
        let codes = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];
        matches!(self.step, Step::PutManifest | Step::PutTag)
            && matches!(self.status.as_u16(), 400 | 404 | 422)
            && (codes.iter().any(|code| self.has_code(code)) || is_known())
    }

    /// Whether its words name a reason that time does not change, whatever the age of the package.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        const REASONS: [&str; 8] = [
            "immutable",
            "expected scopes",
            "single sign-on",
            "saml",
            "ip allow list",
            "expired",
            "billing",
            "quota",
        ];
        let words = self.words().to_ascii_lowercase();
        REASONS.iter().any(|reason| words.contains(reason))
    }

    /// Whether any of the registry's errors has this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.errors.iter().any(|error| error.code == code)
    }

    /// All that the server said in words: the messages of its errors, else its body.
    #[must_use]
    pub fn words(&self) -> String {
        if self.errors.is_empty() {
            return self.body_excerpt.clone().unwrap_or_default();
        }
        let messages: Vec<&str> = self.errors.iter().map(|e| e.message.as_str()).collect();
        messages.join("; ")
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} answered {} to the request to {}",
            self.host,
            self.status,
            self.step.describe()
        )
    }
}

/// Whether a refusal's words are none, or no more than its status.
fn says_nothing(words: &str) -> bool {
    const STATUS: [&str; 5] = [
        "",
        "forbidden",
        "403",
        "403 forbidden",
        "http 403 forbidden",
    ];
    let words = words.trim();
    let is_page = words.starts_with('<');
    let plain = words.trim_end_matches(['.', '!']).to_ascii_lowercase();
    is_page
        || STATUS.contains(&plain.as_str())
        || serde_json::from_str(words).is_ok_and(|value| holds_nothing(&value))
}

fn holds_nothing(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.is_empty() || text.eq_ignore_ascii_case("forbidden"),
        Value::Array(values) => values.iter().all(holds_nothing),
        Value::Object(members) => members.values().all(holds_nothing),
    }
}

/// Reads the spec's error envelope through oci-client's types, which also take codes that the spec
/// does not list. Anything else is no envelope, and the body is kept as text instead.
fn registry_errors(body: &[u8]) -> Vec<RegistryError> {
    let Ok(envelope) = serde_json::from_slice::<OciEnvelope>(body) else {
        return Vec::new();
    };
    envelope
        .errors
        .into_iter()
        .map(|error| RegistryError {
            // The codes' own serialised names are the spec's; `Debug` or `Display` are not.
            code: match serde_json::to_value(&error.code) {
                Ok(serde_json::Value::String(code)) => code,
                _ => "UNKNOWN".to_owned(),
            },
            message: error.message,
            detail: (!error.detail.is_null()).then(|| error.detail.to_string()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use url::Url;

    use super::*;

    #[test]
    fn how_long_a_limit_is_waited_for() {
        let limit = "You have exceeded a secondary rate limit";
        let (ten, secondary) = (Some(Duration::from_secs(10)), Some(SECONDARY_LIMIT));
        for (status, retry_after, body, expected) in [
            (403, None, limit, secondary),
            (400, None, limit, secondary),
            (403, Some("10"), limit, ten),
            (403, Some("10"), "denied", ten),
            (429, Some("10"), "", ten),
            (429, None, "", None),
            (403, None, "denied", None),
            (503, Some("10"), "", None),
        ] {
            let url = Url::parse("https://registry.example/v2/o/n/blobs/uploads/").expect("a URL");
            let mut headers = HeaderMap::new();
            if let Some(value) = retry_after {
                headers.insert("retry-after", HeaderValue::from_static(value));
            }
            let request = Request::new(Step::StartUpload, Method::POST, url.clone());
            let response = Response {
                status: StatusCode::from_u16(status).expect("a status"),
                headers,
                body: body.into(),
                url,
            };
            let wait = Rejection::new(&request, &response).wait_for_limit();
            assert_eq!(wait, expected, "{status} {retry_after:?} {body}");
        }
    }

    #[test]
    fn words_that_say_nothing() {
        for (words, expected) in [
            ("", true),
            ("Forbidden\n", true),
            ("403 Forbidden.", true),
            (
                "<html><head><title>403 Forbidden</title></head></html>",
                true,
            ),
            (r#"{"errors":[]}"#, true),
            (r#"{"status":403,"error":"Forbidden"}"#, true),
            ("{}", true),
            ("null", true),
            (r#"{"errors":null}"#, true),
            ("denied", false),
            ("permission_denied: write_package", false),
            (
                r#"{"message":"Resource not accessible by integration"}"#,
                false,
            ),
            ("Forbidden by the policy of the organization", false),
        ] {
            assert_eq!(says_nothing(words), expected, "{words}");
        }
    }
}
