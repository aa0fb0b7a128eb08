//! What an answer, or its absence, means for trying again.

use std::time::Duration;

use http::StatusCode;

use super::is_transient;
use crate::failure::{Failure, Rejection, UnansweredKind};
use crate::request::{Request, Response};
use crate::step::Step;

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// With an answer.
    Answered {
        /// Its status.
        status: u16,
        /// The wait that it asks for.
        advised: Option<Duration>,
    },
    /// With a rate limit told as a refusal, which passes in minutes.
    Limited {
        /// The wait that it asks for.
        advised: Option<Duration>,
    },
    /// With a 403 that says nothing, which may pass.
    Wordless,
    /// With a refusal, although the repository took something just before, and had nothing until then: rights to a
    /// package that was just created take a while to be the same everywhere.
    Unsettled,
    /// Without one, in a way that may pass.
    Unanswered,
    /// With a part of an answer, which is as good as none.
    Unfinished,
    /// With nothing for as long as anything was waited for.
    Silent,
    /// With what is no HTTP, or no TLS.
    Malformed,
    /// Without so much as a connection.
    Unreachable,
    /// Without an address to connect to.
    Unresolved,
    /// In a way that no repetition changes (an untrusted certificate, a damaged archive).
    Final,
}

impl Outcome {
    /// Judges the outcome of `request`. `is_new` says whether it is to a package that this run has created.
    pub(super) fn of(request: &Request, result: &Result<Response, Failure>, is_new: bool) -> Self {
        match result {
            Ok(response) if response.status == StatusCode::FORBIDDEN => {
                Self::of_refusal(&Rejection::new(request, response), is_new)
            }
            Ok(response) if response.status.is_client_error() && is_limit(request, response) => {
                Self::Limited {
                    advised: super::advised_wait(response),
                }
            }
            Ok(response)
                if is_new
                    && response.status == StatusCode::NOT_FOUND
                    && is_of_package(&Rejection::new(request, response)) =>
            {
                Self::Unsettled
            }
            Ok(response) => Self::Answered {
                status: response.status.as_u16(),
                advised: super::advised_wait(response),
            },
            Err(Failure::Unanswered(unanswered)) => match unanswered.kind {
                UnansweredKind::Certificate(_)
                | UnansweredKind::TooLong(_)
                | UnansweredKind::HeadTooLarge => Self::Final,
                UnansweredKind::Malformed(_) | UnansweredKind::NotTls(_) => Self::Malformed,
                UnansweredKind::Unfinished(_) => Self::Unfinished,
                UnansweredKind::Deadline(_) | UnansweredKind::Stalled(_) => Self::Silent,
                UnansweredKind::Resolve(_) => Self::Unresolved,
                UnansweredKind::Connect(_) => Self::Unreachable,
                _ => Self::Unanswered,
            },
            Err(_) => Self::Final,
        }
    }

    fn of_refusal(rejection: &Rejection, is_new: bool) -> Self {
        if rejection.is_rate_limit() {
            Self::Limited {
                advised: rejection.retry_after,
            }
        } else if is_new && rejection.method != http::Method::HEAD && !rejection.is_certain() {
            Self::Unsettled
        } else if rejection.is_wordless() {
            Self::Wordless
        } else {
            Self::Answered {
                status: 403,
                advised: None,
            }
        }
    }

    /// Whether the host asks everybody to slow down.
    pub(super) fn is_limit(self) -> bool {
        matches!(
            self,
            Self::Limited { .. }
                | Self::Answered { status: 429, .. }
                | Self::Answered {
                    status: 503,
                    advised: Some(_)
                }
        )
    }

    /// The wait that the host asks for.
    pub(super) fn advised(self) -> Option<Duration> {
        match self {
            Self::Limited { advised } => Some(advised.unwrap_or(super::limits::SECONDARY_LIMIT)),
            Self::Answered { advised, .. } => advised,
            _ => None,
        }
    }

    /// Whether nothing is wrong with the host.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Answered { status, .. } if !is_transient(status))
    }
}

/// Whether an answer of another status than the usual ones speaks of a limit, by the rule that the diagnosis of a
/// failure follows: what is told to be one is waited out like one.
fn is_limit(request: &Request, response: &Response) -> bool {
    response.status != StatusCode::TOO_MANY_REQUESTS
        && !response.body.is_empty()
        && Rejection::new(request, response).is_rate_limit()
}

/// Whether what is not found is the package, rather than something that a manifest names.
fn is_of_package(rejection: &Rejection) -> bool {
    match rejection.step {
        Step::StartUpload => true,
        Step::PutManifest | Step::PutTag => !rejection.is_lacking(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use url::Url;

    use super::*;

    #[test]
    fn refusals_of_a_package_that_is_new() {
        const DENIED: &str =
            r#"{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}"#;
        const LIMITED: &str = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        const NAME: &str = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]}"#;
        const IMMUTABLE: &str = r#"{"errors":[{"code":"DENIED","message":"tag 1 is Immutable"}]}"#;
        const BLOB: &str = r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"unknown"}]}"#;
        let final_403 = Outcome::Answered {
            status: 403,
            advised: None,
        };
        let final_404 = Outcome::Answered {
            status: 404,
            advised: None,
        };
        let limited = Outcome::Limited { advised: None };
        for (step, method, status, body, old, new) in [
            (
                Step::StartUpload,
                Method::POST,
                403,
                DENIED,
                final_403,
                Outcome::Unsettled,
            ),
            (
                Step::StartUpload,
                Method::POST,
                403,
                "",
                Outcome::Wordless,
                Outcome::Unsettled,
            ),
            (
                Step::PutTag,
                Method::PUT,
                403,
                IMMUTABLE,
                final_403,
                final_403,
            ),
            (
                Step::StartUpload,
                Method::POST,
                403,
                LIMITED,
                limited,
                limited,
            ),
            (
                Step::StartUpload,
                Method::POST,
                404,
                NAME,
                final_404,
                Outcome::Unsettled,
            ),
            (
                Step::PutTag,
                Method::PUT,
                404,
                NAME,
                final_404,
                Outcome::Unsettled,
            ),
            (Step::PutTag, Method::PUT, 404, BLOB, final_404, final_404),
            // The words of a limit are one with any status.
            (Step::PutTag, Method::PUT, 404, LIMITED, limited, limited),
            (
                Step::FetchToken,
                Method::GET,
                401,
                LIMITED,
                limited,
                limited,
            ),
            (
                Step::StartUpload,
                Method::POST,
                400,
                LIMITED,
                limited,
                limited,
            ),
            (Step::CheckBlob, Method::HEAD, 404, "", final_404, final_404),
            (Step::CheckBlob, Method::HEAD, 403, "", final_403, final_403),
        ] {
            let url = Url::parse("https://ghcr.io/v2/o/n/").expect("a test URL is valid");
            let request = Request::new(step, method, url.clone());
            let response = Response {
                status: StatusCode::from_u16(status).expect("a status"),
                headers: HeaderMap::new(),
                body: Bytes::from_static(body.as_bytes()),
                url,
            };
            let result = Ok(response);
            assert_eq!(Outcome::of(&request, &result, false), old, "{step} {body}");
            assert_eq!(Outcome::of(&request, &result, true), new, "{step} {body}");
        }
    }
}
