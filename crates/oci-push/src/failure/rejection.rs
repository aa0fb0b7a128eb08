//! A refusal, with everything that explains it.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};
use oci_client::errors::OciEnvelope;

use super::limit::is_rate_limit;
use super::{displayed, host_of};
use crate::request::{Request, Response};
use crate::retry::advised_wait;
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

    /// Whether it says no more than 403. Such refusals of ghcr.io are known to pass; an answer to a HEAD
    /// has no words in any case.
    #[must_use]
    pub fn is_wordless(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
            && self.method != Method::HEAD
            && (self.words().trim().is_empty() || self.is_empty_envelope())
    }

    /// Whether the body is JSON that says nothing: `{}`, `null`, or an empty list of errors.
    fn is_empty_envelope(&self) -> bool {
        let body = self.body_excerpt.as_deref().unwrap_or_default();
        let value: Option<serde_json::Value> = serde_json::from_str(body).ok();
        value.is_some_and(|value| {
            let is_nothing = |value: &serde_json::Value| {
                value.is_null()
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(serde_json::Map::is_empty)
            };
            is_nothing(&value)
                || value
                    .as_object()
                    .is_some_and(|all| all.values().all(is_nothing))
        })
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
