//! What becomes of an answer before it leaves: headers that every one bears, and scripted changes.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::header;
use url::Url;

use crate::answer::{self, Answer};
use crate::connection::Connection;
use crate::fault::Action;
use crate::server::Call;
use crate::wire::{self, Spelling};

/// Headers that every answer bears, and scripted changes of status, headers and body.
pub(crate) async fn edit(call: &Call<'_>, answer: Answer) -> Answer {
    let mut answer = edit_members(call, answer).await;
    answer::set(
        &mut answer,
        "docker-distribution-api-version",
        "registry/2.0",
    );
    if call.shared.behavior.request_ids {
        let identifier = format!("C0DE:12EF34:567890:9ABCDE:{:08X}", call.entry.number());
        answer::set(&mut answer, "x-github-request-id", &identifier);
    }
    for edit in call.faults.edits() {
        match edit {
            Action::EditStatus(status) => {
                if let Ok(status) = http::StatusCode::from_u16(*status) {
                    *answer.status_mut() = status;
                }
            }
            Action::SetHeader(name, value) => answer::set(&mut answer, name, value),
            Action::RemoveHeader(name) => {
                answer.headers_mut().remove(name.as_str());
            }
            Action::ShortenLocation => shorten_location(call, &mut answer),
            _ => {}
        }
    }
    answer
}

/// Scripted changes of how an answer is sent, and connections that end within it.
pub(crate) async fn put_on_the_wire(
    call: &Call<'_>,
    answer: Answer,
    connection: &Connection,
) -> Answer {
    if let Some((bytes, ending)) = call.faults.in_answer() {
        connection.limit(bytes, ending);
    }
    let mut edits = call.faults.edits();
    let scripted = edits.find_map(|edit| match edit {
        Action::Spell(spelling) => Some(*spelling),
        _ => None,
    });
    let is_limit = answer.status() == http::StatusCode::TOO_MANY_REQUESTS;
    let own = (is_limit && call.shared.behavior.bare_limits).then_some(Spelling::BareLineFeeds);
    let is_halved = call.faults.edits().any(|edit| *edit == Action::HalveBody);
    if let Some(spelling) = scripted.or(own) {
        let (head, body) = whole(answer).await;
        let is_head = call.method == http::Method::HEAD;
        let (bytes, closes) = wire::spell(&head, &body, is_head, spelling);
        connection.replace(bytes, closes);
        return http::Response::from_parts(head, Body::from(body));
    }
    if is_halved {
        return halved(answer).await;
    }
    answer
}

async fn whole(answer: Answer) -> (http::response::Parts, Bytes) {
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    (head, body.unwrap_or_default())
}

/// An answer whose body ends before its length.
async fn halved(answer: Answer) -> Answer {
    let (mut head, body) = whole(answer).await;
    if body.len() < 2 {
        return http::Response::from_parts(head, Body::from(body));
    }
    head.headers
        .insert(header::CONTENT_LENGTH, body.len().into());
    let half = body.slice(..body.len() / 2);
    let pieces = [Ok(half), Err(std::io::ErrorKind::ConnectionAborted.into())];
    let pieces: [std::io::Result<Bytes>; 2] = pieces;
    http::Response::from_parts(head, Body::from_stream(stream::iter(pieces)))
}

/// Writes `Location` relative to the address of the request.
fn shorten_location(call: &Call<'_>, answer: &mut Answer) {
    let base = format!("http://{}{}?{}", call.host(), call.path, call.raw_query);
    let location = answer.headers().get(header::LOCATION);
    let shorter = location.and_then(|location| {
        let base = Url::parse(&base).ok()?;
        let location = base.join(location.to_str().ok()?).ok()?;
        base.make_relative(&location)
    });
    if let Some(shorter) = shorter.filter(|shorter| !shorter.is_empty()) {
        answer::set(answer, "location", &shorter);
    }
}

/// Scripted changes of the JSON object in an answer.
async fn edit_members(call: &Call<'_>, answer: Answer) -> Answer {
    let is_member =
        |edit: &&Action| matches!(edit, Action::SetMember(..) | Action::RenameMember(..));
    let edits: Vec<&Action> = call.faults.edits().filter(is_member).collect();
    if edits.is_empty() {
        return answer;
    }
    let (head, body) = whole(answer).await;
    let mut body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    for edit in edits {
        match (edit, body.as_object_mut()) {
            (Action::SetMember(name, Some(value)), Some(members)) => {
                members.insert(name.clone(), value.clone());
            }
            (Action::SetMember(name, None), Some(members)) => {
                members.remove(name);
            }
            (Action::RenameMember(from, to), Some(members)) => {
                if let Some(value) = members.remove(from) {
                    members.insert(to.clone(), value);
                }
            }
            _ => {}
        }
    }
    let headers: Vec<(&str, &str)> = vec![("content-type", "application/json")];
    answer::with_body(head.status.as_u16(), &headers, body.to_string())
}
