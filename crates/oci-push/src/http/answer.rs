//! Reading answers, which may be endless, or trickle, by malice or by accident.

use std::time::Duration;

use bytes::BytesMut;
use http::Method;

use super::classify;
use crate::failure::UnansweredKind;
use crate::request::Response;

/// How much of an answer's body is waited for, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// What is beyond is not read.
    pub(super) limit: usize,
    /// Whether a part is as good as nothing, as it is of a token.
    pub(super) is_whole: bool,
    /// How long the machine lets a peer acknowledge nothing.
    pub(super) stall: Duration,
}

/// How long the body of an answer may take: what was asked for, a manifest of four megabytes included.
const CONTENT: Duration = Duration::from_secs(30);

/// A token, which is short. It may be tried twice, and is to be given up after half a minute.
const TOKEN: Duration = Duration::from_secs(15);

/// What nobody asked for. The head of the answer has told what matters.
const REMARK: Duration = Duration::from_secs(5);

/// Reads an answer. Where a part of it is enough, what is too long is cut, and what trickles is not waited for.
pub(super) async fn read(
    mut response: reqwest::Response,
    method: &Method,
    reading: Reading,
) -> Result<Response, UnansweredKind> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let url = response.url().clone();
    let is_whole = reading.is_whole && status.is_success();
    let is_content = status.is_success() && method == Method::GET;
    let patience = if is_whole {
        TOKEN
    } else if is_content {
        CONTENT
    } else {
        REMARK
    };
    let end = tokio::time::Instant::now() + patience;
    let mut body = BytesMut::new();
    loop {
        let chunk = match tokio::time::timeout_at(end, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Err(error)) if is_whole || is_content => {
                return Err(classify::kind(&error, reading.stall));
            }
            Err(_) if is_whole => return Err(UnansweredKind::Unfinished(patience.as_secs())),
            // The status has told what matters, and the words are used as far as they came.
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        };
        let room = reading.limit - body.len();
        if is_whole && chunk.len() > room {
            return Err(UnansweredKind::TooLong(reading.limit));
        }
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == reading.limit && !is_whole {
            break;
        }
    }
    Ok(Response {
        status,
        headers,
        body: body.freeze(),
        url,
    })
}
