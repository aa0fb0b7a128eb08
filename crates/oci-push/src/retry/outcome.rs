//! What an answer, or its absence, means for trying again.

use std::time::Duration;

use http::StatusCode;

use super::is_transient;
use crate::failure::{Failure, Rejection, UnansweredKind};
use crate::request::{Request, Response};

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
    /// With a refusal, although the repository took something before: rights to a package that was just
    /// created take a while to be the same everywhere.
    Unsettled,
    /// Without one, in a way that may pass.
    Unanswered,
    /// Without so much as a connection.
    Unreachable,
    /// In a way that no repetition changes (an untrusted certificate, a damaged archive).
    Final,
}

impl Outcome {
    /// Judges the outcome of `request`. `wrote_before` says whether the repository has taken something from
    /// this push already.
    pub(super) fn of(
        request: &Request,
        result: &Result<Response, Failure>,
        wrote_before: bool,
    ) -> Self {
        match result {
            Ok(response) if response.status == StatusCode::FORBIDDEN => {
                Self::of_refusal(&Rejection::new(request, response), wrote_before)
            }
            Ok(response) => Self::Answered {
                status: response.status.as_u16(),
                advised: super::advised_wait(response),
            },
            Err(Failure::Unanswered(unanswered)) => match unanswered.kind {
                UnansweredKind::Certificate(_) => Self::Final,
                UnansweredKind::Resolve(_) | UnansweredKind::Connect(_) => Self::Unreachable,
                _ => Self::Unanswered,
            },
            Err(_) => Self::Final,
        }
    }

    fn of_refusal(rejection: &Rejection, wrote_before: bool) -> Self {
        if rejection.is_rate_limit() {
            Self::Limited {
                advised: rejection.retry_after,
            }
        } else if rejection.is_wordless() {
            Self::Wordless
        } else if wrote_before && rejection.method != http::Method::HEAD {
            Self::Unsettled
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
            Self::Limited { advised } => Some(advised.unwrap_or(super::SECONDARY_LIMIT)),
            Self::Answered { advised, .. } => advised,
            _ => None,
        }
    }

    /// Whether nothing is wrong with the host.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Answered { status, .. } if !is_transient(status))
    }
}
