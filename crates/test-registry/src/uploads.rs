//! Upload sessions (distribution-spec, "Pushing blobs":
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs>).

use http::header;

use crate::answer::{self, Answer};
use crate::fault::Phase;
use crate::receive::Incoming;
use crate::route::Route;
use crate::server::{Call, Interruption};
use crate::store::is_digest;

/// POST. One with a digest but no mount is answered like any other, as Distribution does.
pub(crate) fn start(call: &Call<'_>) -> Answer {
    let repository = &call.target.repository;
    let mut store = call.shared.store();
    if let (Some(digest), Some(from)) = (call.parameter("mount"), call.parameter("from"))
        && store.mount(from, repository, digest)
    {
        let location = format!("/v2/{repository}/blobs/{digest}");
        return answer::empty(
            201,
            &[("location", &location), ("docker-content-digest", digest)],
        );
    }
    let identifier = store.open_session(repository, call.shared.options.discard_blobs);
    drop(store);
    accepted(call, &identifier)
}

/// PATCH.
pub(crate) async fn chunk<'a>(
    call: &Call<'a>,
    incoming: &mut Incoming<'a>,
) -> Result<Answer, Interruption<'a>> {
    if let Some(refused) = check(call) {
        return drained(incoming, refused).await;
    }
    if !call.shared.behavior.takes_chunks {
        let refused = answer::error(405, "UNSUPPORTED", "chunked uploads are not supported");
        return drained(incoming, refused).await;
    }
    if call.shared.behavior.overwrites {
        call.shared.store().restart(&call.target.last);
    }
    receive(call, incoming).await?;
    call.at(Phase::BeforeState).await?;
    let mut answer = accepted(call, &call.target.last);
    if let Ok(status) = http::StatusCode::from_u16(call.shared.behavior.chunk_status) {
        *answer.status_mut() = status;
    }
    Ok(answer)
}

/// PUT.
pub(crate) async fn commit<'a>(
    call: &Call<'a>,
    incoming: &mut Incoming<'a>,
) -> Result<Answer, Interruption<'a>> {
    let Some(digest) = call.parameter("digest").filter(|digest| is_digest(digest)) else {
        let refused = answer::error(400, "DIGEST_INVALID", "the digest is missing or invalid");
        return drained(incoming, refused).await;
    };
    if let Some(refused) = check(call) {
        return drained(incoming, refused).await;
    }
    receive(call, incoming).await?;
    call.at(Phase::BeforeState).await?;
    let identifier = &call.target.last;
    let mut store = call.shared.store();
    let matches = store
        .sessions
        .get(identifier)
        .is_some_and(|session| session.content.has_digest(digest));
    if !matches {
        // A session that failed its check is gone, as in Distribution.
        store.sessions.remove(identifier);
        return Ok(answer::error(
            400,
            "DIGEST_INVALID",
            "provided digest did not match uploaded content",
        ));
    }
    store.commit(identifier, digest);
    let location = format!("/v2/{}/blobs/{digest}", call.target.repository);
    Ok(answer::empty(
        201,
        &[("location", &location), ("docker-content-digest", digest)],
    ))
}

/// GET.
pub(crate) fn status(call: &Call<'_>) -> Answer {
    if let Some(refused) = unknown(call) {
        return refused;
    }
    let mut answer = accepted(call, &call.target.last);
    *answer.status_mut() = http::StatusCode::NO_CONTENT;
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer
}

/// DELETE.
pub(crate) fn cancel(call: &Call<'_>) -> Answer {
    if !call.shared.behavior.cancellable {
        return answer::error(405, "UNSUPPORTED", "The operation is unsupported.");
    }
    if let Some(refused) = unknown(call) {
        return refused;
    }
    call.shared.store().sessions.remove(&call.target.last);
    answer::empty(204, &[])
}

/// Refuses a body that must not be taken.
fn check(call: &Call<'_>) -> Option<Answer> {
    if let Some(refused) = unknown(call) {
        return Some(refused);
    }
    let length: Option<u64> = call
        .header(header::CONTENT_LENGTH.as_str())
        .and_then(|length| length.parse().ok());
    let behavior = &call.shared.behavior;
    if behavior
        .body_limit
        .zip(length)
        .is_some_and(|(limit, length)| length > limit)
    {
        return Some(answer::empty(413, &[("content-type", "text/html")]));
    }
    let range = call.header(header::CONTENT_RANGE.as_str())?;
    let is_short = |least: u64| length.is_none_or(|length| length < least);
    if call.target.route == Route::UploadChunk && behavior.least_chunk.is_some_and(is_short) {
        return Some(answer::error(
            400,
            "BLOB_UPLOAD_INVALID",
            "Part size is less than minimum allowed size",
        ));
    }
    if let (Some(limit), Some(length)) = (behavior.ranged_body_limit, length)
        && length > limit
    {
        return Some(answer::error(
            416,
            "REQUESTED_RANGE_NOT_SATISFIABLE",
            "the request body is too large and exceeds the maximum permissible limit of 4.00MiB",
        ));
    }
    if !behavior.checks_ranges {
        return None;
    }
    // A registry that puts chunks one over the other does not look where they belong.
    let held = if behavior.overwrites {
        range
            .split('-')
            .next()
            .and_then(|start| start.parse().ok())
            .unwrap_or(0)
    } else {
        held(call)
    };
    let bounds = range
        .split_once('-')
        .and_then(|(start, end)| Some((start.parse::<u64>().ok()?, end.parse::<u64>().ok()?)));
    let fits = bounds.is_some_and(|(start, end)| {
        start == held && end >= start && length == Some(end - start + 1)
    });
    if fits {
        return None;
    }
    let mut refused = accepted(call, &call.target.last);
    *refused.status_mut() = http::StatusCode::RANGE_NOT_SATISFIABLE;
    Some(refused)
}

/// Refuses an address that is not, or no longer, a session's. Where the address carries state, it is
/// the one given last, and the session holds no more than was acknowledged with it: Distribution 2.8 so
/// refuses a session whose chunk was cut off
/// (<https://github.com/distribution/distribution/blob/v2.8.2/registry/handlers/blobupload.go>).
fn unknown(call: &Call<'_>) -> Option<Answer> {
    let store = call.shared.store();
    let session = store
        .sessions
        .get(&call.target.last)
        .filter(|session| session.repository == call.target.repository);
    let Some(session) = session else {
        return Some(answer::error(
            404,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        ));
    };
    let agrees = call.shared.behavior.ghcr_sessions
        || session.acknowledged == session.content.len()
            && call
                .raw_query
                .split('&')
                .any(|part| part == state_parameter(session.state));
    (!agrees).then(|| answer::error(404, "BLOB_UPLOAD_INVALID", "blob upload invalid"))
}

/// Takes the body into the session. What arrives of a body that is cut off stays there, though only a
/// session without state in its address can go on with it.
async fn receive<'a>(call: &Call<'a>, incoming: &mut Incoming<'a>) -> Result<(), Interruption<'a>> {
    while let Some(piece) = incoming.next().await? {
        let mut store = call.shared.store();
        if let Some(session) = store.sessions.get_mut(&call.target.last) {
            session.content.push(&piece);
        }
    }
    if let Some(session) = call.shared.store().sessions.get_mut(&call.target.last)
        && session.first_chunk == 0
    {
        session.first_chunk = session.content.len();
    }
    Ok(())
}

/// Reads a refused body to its end, so that the refusal reaches a client that does not read before it
/// has written everything.
async fn drained<'a>(
    incoming: &mut Incoming<'a>,
    refused: Answer,
) -> Result<Answer, Interruption<'a>> {
    while incoming.next().await?.is_some() {}
    Ok(refused)
}

fn held(call: &Call<'_>) -> u64 {
    let store = call.shared.store();
    store
        .sessions
        .get(&call.target.last)
        .map_or(0, |session| session.content.len())
}

/// 202 with where to go on. In the specification's personality the address carries state that changes
/// with every answer, escaped in a way that decoding and encoding again would alter.
fn accepted(call: &Call<'_>, identifier: &str) -> Answer {
    let repository = &call.target.repository;
    let mut store = call.shared.store();
    let Some(session) = store.sessions.get_mut(identifier) else {
        return answer::error(
            404,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        );
    };
    let location = if call.shared.behavior.ghcr_sessions {
        format!("/v2/{repository}/blobs/upload/{identifier}")
    } else {
        session.state += 1;
        session.acknowledged = session.content.len();
        format!(
            "http://{}/v2/{repository}/blobs/uploads/{identifier}?{}",
            call.host(),
            state_parameter(session.state)
        )
    };
    // One byte and none look alike, in the specification's grammar and on the wire.
    let end = if call.shared.behavior.stuck_range {
        session.first_chunk
    } else {
        session.content.len()
    };
    let range = format!("0-{}", end.saturating_sub(1));
    let headers = [
        ("location", location.as_str()),
        ("range", &range),
        ("docker-upload-uuid", identifier),
        ("content-length", "0"),
    ];
    answer::empty(202, &headers)
}

fn state_parameter(state: u64) -> String {
    format!("_state=s%2Ft%2Ba%26te{state}%3D%3D")
}
