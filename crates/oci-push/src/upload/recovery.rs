//! What the registry may hold after an upload request has failed, and so what to do next.

use std::time::Duration;

use crate::failure::{Failure, Rejection, UnansweredKind, ViolationKind};
use crate::retry::{SECONDARY_LIMIT, is_transient};
use crate::step::Step;

/// What is left of an upload after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aftermath {
    /// Nothing will change by trying again.
    Final,
    /// The session is of no use any more; a new one can be started.
    Lost,
    /// The blob may have been stored: look before sending it again.
    Unclear,
    /// The answer means nothing at this place: the blob may have been stored, and one more session may do it.
    Odd,
    /// The registry has confirmed the blob, and does not have it: one more session may do it.
    Missing,
    /// The token had ended, and there is a new one.
    Unauthorized,
    /// The request was too large for the registry or a proxy before it.
    TooLarge,
}

/// Judges the failure of a request that sent a part of a blob or all of it. `all_sent` says whether
/// the last byte had left: before that, no registry can have stored the blob.
pub(super) fn aftermath(failure: &Failure, all_sent: bool) -> Aftermath {
    let open = if all_sent {
        Aftermath::Unclear
    } else {
        Aftermath::Lost
    };
    match failure {
        Failure::Unanswered(unanswered) => match unanswered.kind {
            UnansweredKind::Certificate(_) => Aftermath::Final,
            _ => open,
        },
        Failure::Rejected(rejection) => match rejection.status.as_u16() {
            401 if matches!(rejection.step, Step::UploadBlob | Step::CommitBlob) => {
                Aftermath::Unauthorized
            }
            413 => Aftermath::TooLarge,
            416 if is_too_large(rejection) => Aftermath::TooLarge,
            416 => Aftermath::Lost,
            // The registry's check failed, not ours: bytes were damaged on the way.
            400 if is_damaged(rejection) => Aftermath::Lost,
            // The session is gone. Distribution says so with 400 where the state that its address carries is another
            // one (https://github.com/distribution/distribution/blob/v2.8.3/registry/handlers/blobupload.go).
            400 | 422 if is_of_session(rejection) => open,
            // Either the commit had succeeded before, or the session is gone.
            404 | 410 => Aftermath::Unclear,
            // A code that names no reason, for a body that did not arrive as a whole ("unexpected EOF").
            400 if rejection.has_code("UNKNOWN") => open,
            // Not the registry's own form: a proxy that has lost patience with the body.
            400 if rejection.errors.is_empty() && !all_sent => Aftermath::Lost,
            // Two requests on one session, one of which may be an earlier one that was thought to be lost.
            409 if !is_denial(rejection) => open,
            status if is_transient(status) => open,
            // A rate limit, or a refusal without a word: nothing was stored, and it may pass.
            403 if rejection.is_rate_limit() || rejection.is_wordless() => Aftermath::Lost,
            _ if is_odd(rejection) && all_sent => Aftermath::Odd,
            _ => Aftermath::Final,
        },
        Failure::Violation(violation) => match violation.kind {
            ViolationKind::BlobNotStored(_) => Aftermath::Missing,
            _ => Aftermath::Final,
        },
        _ => Aftermath::Final,
    }
}

/// Whether it is an answer to a body that no registry has a reason to give, and that says nothing in the registry's
/// own form.
fn is_odd(rejection: &Rejection) -> bool {
    let is_of_body = matches!(rejection.step, Step::UploadBlob | Step::CommitBlob);
    let is_known = matches!(
        rejection.status.as_u16(),
        300..=399 | 402 | 403 | 405 | 407 | 411 | 414 | 415 | 431 | 451 | 501 | 505
    );
    is_of_body && !is_known && rejection.errors.is_empty()
}

/// Whether an upload was opened without saying where.
pub(super) fn lacks_location(failure: &Failure) -> bool {
    matches!(failure, Failure::Violation(violation)
        if matches!(violation.kind, ViolationKind::LocationMissing))
}

/// Whether it is a limit on requests.
pub(super) fn is_limit(failure: &Failure) -> bool {
    failure.rejection().is_some_and(Rejection::is_rate_limit)
}

/// Whether it is a refusal that the age of a package can explain: of access, or of a name that is not known. A session
/// that is gone is none.
pub(super) fn may_settle(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected(rejection)
        if (rejection.status == 403 && !rejection.is_rate_limit() && !rejection.is_certain())
            || (rejection.status == 404 && !is_of_session(rejection)))
}

/// Whether the connection broke. A registry, or a proxy before it, that refuses a body for its size and closes the
/// connection without reading it resets it: the answer is lost with what was on the way.
pub(super) fn is_cut(failure: &Failure) -> bool {
    matches!(failure, Failure::Unanswered(unanswered)
        if matches!(unanswered.kind, UnansweredKind::Interrupted(_)))
}

/// Whether the answer was no HTTP, or had no end, as it will be the next time.
pub(super) fn is_malformed(failure: &Failure) -> bool {
    matches!(failure, Failure::Unanswered(unanswered)
    if matches!(
        unanswered.kind,
        UnansweredKind::Malformed(_) | UnansweredKind::HeadTooLarge | UnansweredKind::Unfinished(_)
    ))
}

/// Whether a chunk may be resumed in the same session.
pub(super) fn is_resumable(failure: &Failure) -> bool {
    match failure {
        Failure::Unanswered(unanswered) => {
            !matches!(unanswered.kind, UnansweredKind::Certificate(_))
        }
        Failure::Rejected(rejection) => {
            is_transient(rejection.status.as_u16()) || is_out_of_step(failure)
        }
        _ => false,
    }
}

/// Whether the registry does not know chunks: it refuses the method, or says so.
pub(super) fn takes_no_chunks(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected(rejection)
        if rejection.step == Step::UploadChunk
            && (matches!(rejection.status.as_u16(), 405 | 501) || rejection.has_code("UNSUPPORTED")))
}

/// Whether registry and client do not agree on where the next chunk belongs.
pub(super) fn is_out_of_step(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected(rejection)
        if rejection.status == 416 && !is_too_large(rejection))
}

/// Whether the question for a session's state may be answered another time.
pub(super) fn may_answer_later(failure: &Failure) -> bool {
    is_resumable(failure)
        || failure
            .rejection()
            .is_some_and(|rejection| rejection.is_rate_limit() || rejection.is_wordless())
}

/// Whether it is a refusal of a body whose code does not say that the next one is refused as well; see
/// [`aftermath`]. A few are enough to know better.
pub(super) fn may_pass(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected(rejection)
        if matches!(rejection.status.as_u16(), 400 | 409 | 422) && !is_damaged(rejection))
}

/// ghcr.io's 416 for a chunk over its limit says so only in its text.
fn is_too_large(rejection: &Rejection) -> bool {
    rejection.words().contains("too large")
}

/// Whether the registry says that it holds other bytes than were sent.
pub(super) fn is_corrupted(failure: &Failure) -> bool {
    matches!(failure, Failure::Rejected(rejection) if is_damaged(rejection))
}

/// The wait that the registry asks for before anything else.
pub(super) fn advised(failure: &Failure) -> Option<Duration> {
    let Failure::Rejected(rejection) = failure else {
        return None;
    };
    let is_secondary = rejection.is_rate_limit() && rejection.status == 403;
    rejection
        .retry_after
        .or(is_secondary.then_some(SECONDARY_LIMIT))
}

fn is_damaged(rejection: &Rejection) -> bool {
    rejection.has_code("DIGEST_INVALID") || rejection.has_code("SIZE_INVALID")
}

/// Whether the registry does not know the session, or not in this state
/// (distribution-spec, "Error Codes": `code-4` and `code-5`).
fn is_of_session(rejection: &Rejection) -> bool {
    rejection.has_code("BLOB_UPLOAD_UNKNOWN") || rejection.has_code("BLOB_UPLOAD_INVALID")
}

fn is_denial(rejection: &Rejection) -> bool {
    rejection.has_code("DENIED") || rejection.has_code("UNAUTHORIZED") || rejection.is_certain()
}

/// The failure with its nearest cause, for a line that announces a retry.
pub(super) fn in_one_line(failure: &Failure) -> String {
    match failure {
        Failure::Rejected(rejection) => {
            let status = rejection.status;
            let limit = if rejection.is_rate_limit() {
                ", a rate limit"
            } else {
                ""
            };
            match rejection.words().as_str() {
                "" => format!("the registry answered {status}{limit}"),
                words => format!("the registry answered {status}{limit}: {words}"),
            }
        }
        Failure::Unanswered(unanswered) => unanswered.kind.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method, StatusCode};
    use url::Url;

    use super::*;
    use crate::request::{Request, Response};

    fn rejected(status: u16, body: &'static str) -> Failure {
        let url = Url::parse("https://ghcr.io/v2/o/n/blobs/upload/1").expect("a test URL is valid");
        let request = Request::new(Step::CommitBlob, Method::PUT, url.clone());
        let response = Response {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            url,
        };
        Failure::Rejected(Box::new(Rejection::new(&request, &response)))
    }

    #[test]
    fn judgements() {
        let cap = r#"{"errors":[{"code":"REQUESTED_RANGE_NOT_SATISFIABLE","message":"the request body is too large and exceeds the maximum permissible limit of 4.00MiB"}]}"#;
        let digest = r#"{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}"#;
        let denied =
            r#"{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}"#;
        let gone = r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"upload unknown"}]}"#;
        let invalid = r#"{"errors":[{"code":"BLOB_UPLOAD_INVALID","message":"upload invalid"}]}"#;
        let eof = r#"{"errors":[{"code":"UNKNOWN","message":"unexpected EOF"}]}"#;
        let name = r#"{"errors":[{"code":"NAME_INVALID","message":"invalid repository name"}]}"#;
        for (status, body, before, after) in [
            (413, "<html>", Aftermath::TooLarge, Aftermath::TooLarge),
            (416, cap, Aftermath::TooLarge, Aftermath::TooLarge),
            (416, "", Aftermath::Lost, Aftermath::Lost),
            (400, digest, Aftermath::Lost, Aftermath::Lost),
            (400, "", Aftermath::Lost, Aftermath::Odd),
            (400, "<html>", Aftermath::Lost, Aftermath::Odd),
            (400, gone, Aftermath::Lost, Aftermath::Unclear),
            (400, invalid, Aftermath::Lost, Aftermath::Unclear),
            (400, eof, Aftermath::Lost, Aftermath::Unclear),
            (400, name, Aftermath::Final, Aftermath::Final),
            (400, denied, Aftermath::Final, Aftermath::Final),
            (404, "", Aftermath::Unclear, Aftermath::Unclear),
            (410, "", Aftermath::Unclear, Aftermath::Unclear),
            (203, "", Aftermath::Final, Aftermath::Odd),
            (409, "<html>", Aftermath::Lost, Aftermath::Unclear),
            (409, eof, Aftermath::Lost, Aftermath::Unclear),
            (409, denied, Aftermath::Final, Aftermath::Final),
            (415, "", Aftermath::Final, Aftermath::Final),
            (501, "", Aftermath::Final, Aftermath::Final),
            (530, "", Aftermath::Final, Aftermath::Odd),
            (503, "", Aftermath::Lost, Aftermath::Unclear),
            (403, denied, Aftermath::Final, Aftermath::Final),
            (401, "", Aftermath::Unauthorized, Aftermath::Unauthorized),
            (403, "", Aftermath::Lost, Aftermath::Lost),
        ] {
            let failure = rejected(status, body);
            assert_eq!(aftermath(&failure, false), before, "{status} {body}");
            assert_eq!(aftermath(&failure, true), after, "{status} {body}");
        }
    }

    #[test]
    fn what_the_age_of_a_package_explains() {
        let limit = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        let denied =
            r#"{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}"#;
        let gone = r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"unknown"}]}"#;
        let unknown = r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"#;
        for (status, body, expected) in [
            (403, denied, true),
            (403, "", true),
            (403, limit, false),
            (403, "the token has expired", false),
            (404, unknown, true),
            (404, "", true),
            (404, gone, false),
            (401, "", false),
            (503, "", false),
        ] {
            assert_eq!(
                may_settle(&rejected(status, body)),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn lines() {
        let limit = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        for (status, body, expected) in [
            (503, "", "the registry answered 503 Service Unavailable"),
            (400, "no", "the registry answered 400 Bad Request: no"),
            (
                429,
                "",
                "the registry answered 429 Too Many Requests, a rate limit",
            ),
            (
                403,
                limit,
                "the registry answered 403 Forbidden, a rate limit: ",
            ),
        ] {
            let line = in_one_line(&rejected(status, body));
            assert!(line.starts_with(expected), "{line}");
        }
    }
}
