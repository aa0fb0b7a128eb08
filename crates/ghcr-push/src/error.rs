//! The one error type of the command line: what failed, why, what to do, and the exit code.

mod hints;
mod kind;

use std::error::Error;
use std::time::Duration;

use ghcr_diagnosis::Diagnosis;
use oci_push::{Failure, Found, Rejection, Step, ViolationKind, is_transient};

use crate::explain::Place;
use crate::quantity::display_duration;
use hints::{PROXY_AUTHENTICATION_REQUIRED, hint_for, is_answer_of_tls};
pub(crate) use hints::{hint_for_archive, is_proxys};
pub(crate) use kind::{Kind, Signal, told};

/// A wait worth telling: shorter ones have been waited out.
const LONG_WAIT: Duration = Duration::from_secs(30);

/// The request that a failure is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedRequest {
    pub(crate) step: Step,
    /// Method and URL, where a single request is to blame.
    pub(crate) target: Option<(String, String)>,
}

impl FailedRequest {
    fn of(failure: &Failure) -> Option<Self> {
        let target = match failure.last() {
            Failure::Rejected(rejection) => Some((&rejection.method, &rejection.url)),
            Failure::Unanswered(unanswered) => Some((&unanswered.method, &unanswered.url)),
            Failure::Violation(violation) => Some((&violation.method, &violation.url)),
            _ => None,
        };
        Some(Self {
            step: failure.step()?,
            target: target.map(|(method, url)| (method.to_string(), url.clone())),
        })
    }
}

/// A failure, ready to be rendered.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) kind: Kind,
    /// What failed, in one line.
    pub(crate) message: String,
    /// Why, from the outside in.
    pub(crate) causes: Vec<String>,
    /// What to do, if it is known and could work here.
    pub(crate) hint: Option<String>,
    /// What was asked when it happened, if anything was.
    pub(crate) request: Option<Box<FailedRequest>>,
    /// The refusal behind it, if a server refused.
    pub(crate) rejection: Option<Box<Rejection>>,
    /// Why it was refused.
    pub(crate) diagnosis: Option<Box<Diagnosis>>,
    /// The place in the workflow's file, if that is what has to be changed.
    pub(crate) place: Option<Box<Place>>,
}

impl CliError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            request: None,
            rejection: None,
            diagnosis: None,
            place: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A result that cannot be printed.
    pub(crate) fn unwritable(error: &std::io::Error) -> Self {
        Self::new(Kind::Internal, "standard output cannot be written").caused_by(error)
    }

    /// A machine on which no request can be sent.
    pub(crate) fn no_runtime(error: &std::io::Error) -> Self {
        Self::new(Kind::Internal, "no runtime could be started").caused_by(error)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The diagnosis as people are told it: where a sentence says what to do, that is enough.
    pub(crate) fn told_diagnosis(&self) -> Option<&Diagnosis> {
        let is_sentence =
            matches!(self.kind, Kind::Usage | Kind::Unavailable) && self.hint.is_some();
        self.diagnosis.as_deref().filter(|_| !is_sentence)
    }

    /// Adds the chain of `error`, itself first, unless it only repeats the message.
    pub(crate) fn caused_by(mut self, error: &dyn Error) -> Self {
        let causes = chain(error).into_iter();
        self.causes
            .extend(causes.skip_while(|cause| *cause == self.message));
        self
    }

    /// A push that failed.
    pub(crate) fn of_failure(message: impl Into<String>, failure: Failure) -> Self {
        let mut error = Self::new(kind_of(&failure), message).caused_by(&failure);
        error.hint = hint_for(&failure);
        error.request = FailedRequest::of(&failure).map(Box::new);
        if let Some(rejection) = failure.into_rejection() {
            error.causes.extend(words(&rejection));
            error.causes.extend(
                rejection
                    .retry_after
                    .filter(|wait| *wait > LONG_WAIT)
                    .map(|wait| format!("it asks to wait {}", display_duration(wait))),
            );
            error.rejection = Some(rejection);
        }
        error
    }
}

/// An error and its sources, without a source that only repeats what stands before it.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !causes.last().is_some_and(|last| last.ends_with(&text)) {
            causes.push(text);
        }
        next = error.source();
    }
    causes
}

/// The server's own words, an error a line; a body that is no error list only by its beginning.
fn words(rejection: &Rejection) -> Vec<String> {
    /// Enough to recognise a proxy's page.
    const EXCERPT: usize = 200;
    if rejection.errors.is_empty() {
        let excerpt = rejection.body_excerpt.as_deref().unwrap_or_default();
        let shown: String = excerpt.trim().chars().take(EXCERPT).collect();
        return match shown.as_str() {
            "" => vec!["the answer has no body".to_owned()],
            shown => vec![format!("it said: {shown}")],
        };
    }
    let errors = rejection.errors.iter();
    errors
        .map(|error| match &error.detail {
            Some(detail) => format!("{}: {} ({detail})", error.code, error.message),
            None => format!("{}: {}", error.code, error.message),
        })
        .collect()
}

/// The class of a push's failure.
pub(crate) fn kind_of(failure: &Failure) -> Kind {
    match failure.last() {
        Failure::Rejected(rejection) => kind_of_rejection(rejection),
        Failure::Unanswered(_)
        | Failure::Unverified { .. }
        | Failure::NotPublished {
            found: Found::Nothing,
            ..
        } => Kind::Unavailable,
        Failure::Blob { .. } | Failure::Layer { .. } | Failure::Assembly(_) => Kind::Image,
        Failure::NotPublished { .. } | Failure::Exists { .. } => Kind::Refused,
        Failure::Violation(violation) => match violation.kind {
            ViolationKind::NoKnownChallenge
            | ViolationKind::RealmElsewhere(_)
            | ViolationKind::TokenMissing => Kind::Authorization,
            ViolationKind::TokenUnreadable(_) => Kind::Unavailable,
            _ => Kind::Refused,
        },
        _ => Kind::Internal,
    }
}

fn kind_of_rejection(rejection: &Rejection) -> Kind {
    let status = rejection.status.as_u16();
    // Who asks with 407 is a proxy, and the registry was never reached.
    if is_transient(status)
        || is_answer_of_tls(rejection)
        || status == PROXY_AUTHENTICATION_REQUIRED
        || rejection.is_rate_limit()
        || rejection.has_outlasted
    {
        Kind::Unavailable
    } else if matches!(status, 401 | 403) || rejection.step == Step::FetchToken {
        Kind::Authorization
    } else {
        Kind::Refused
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use oci_archive::OpenError;

    use super::*;

    /// What failed is not its own cause.
    #[test]
    fn nothing_is_said_twice() {
        let error = OpenError::Read {
            what: "image.tar".to_owned(),
            source: io::Error::other("gone"),
        };
        for (message, expected) in [
            ("image.tar cannot be read", &["gone"][..]),
            (
                "image.tar cannot be pushed",
                &["image.tar cannot be read", "gone"],
            ),
        ] {
            let told = CliError::new(Kind::Image, message).caused_by(&error);
            assert_eq!(told.causes, expected, "{message}");
        }
    }
}
