//! Answers.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// An answer under way.
pub(crate) type Answer = Response<Body>;

/// An answer without body.
pub(crate) fn empty(status: u16, headers: &[(&str, &str)]) -> Answer {
    with_body(status, headers, Body::empty())
}

/// An answer with a body.
pub(crate) fn with_body(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        set(&mut answer, name, value);
    }
    answer
}

/// An answer with the specification's error envelope.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    error_with(status, code, message, None)
}

/// 405, with the methods that there are.
pub(crate) fn wrong_method(allowed: &str) -> Answer {
    let mut answer = error(405, "UNSUPPORTED", "The operation is unsupported.");
    set(&mut answer, "allow", allowed);
    answer
}

/// [`error`] with a detail.
pub(crate) fn error_with(status: u16, code: &str, message: &str, detail: Option<Value>) -> Answer {
    let body = envelope(code, message, detail);
    with_body(status, &[("content-type", "application/json")], body)
}

/// The specification's error envelope, with a line break at its end as registries send it.
pub(crate) fn envelope(code: &str, message: &str, detail: Option<Value>) -> String {
    let mut error = json!({ "code": code, "message": message });
    if let Some(detail) = detail {
        error["detail"] = detail;
    }
    format!("{}\n", json!({ "errors": [error] }))
}

/// Sets a header. A text that is none is left out.
pub(crate) fn set(answer: &mut Answer, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (
        HeaderName::from_bytes(name.as_bytes()),
        HeaderValue::from_str(value),
    ) {
        answer.headers_mut().insert(name, value);
    }
}
