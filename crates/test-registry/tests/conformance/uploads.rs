//! Blobs and upload sessions.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};

use crate::support::{NAME, Subject, closing, code, digest, header, location};

pub(crate) async fn missing_blob(subject: &Subject) {
    let absent = digest(b"absent");
    assert_eq!(subject.blob_status(&absent).await, StatusCode::NOT_FOUND);
    let answer = subject
        .send(Method::GET, &format!("/v2/{NAME}/blobs/{absent}"), &[], b"")
        .await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(answer).await, "BLOB_UNKNOWN");
}

pub(crate) async fn streamed_upload(subject: &Subject) {
    let digest = subject.push_blob(b"streamed").await;
    let answer = subject
        .send(
            Method::HEAD,
            &format!("/v2/{NAME}/blobs/{digest}"),
            &[],
            b"",
        )
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "content-length"), "8");
    assert_eq!(header(&answer, "docker-content-digest"), digest);
    let answer = subject
        .send(Method::GET, &format!("/v2/{NAME}/blobs/{digest}"), &[], b"")
        .await;
    assert_eq!(answer.bytes().await.expect("a body"), "streamed");
}

pub(crate) async fn chunked_upload(subject: &Subject) {
    let content = b"first chunk, second chunk, the rest";
    let mut session = subject.start().await;
    for (start, end) in [(0, 13), (13, 27)] {
        let range = format!("{start}-{}", end - 1);
        let headers = [
            ("content-range", range.as_str()),
            ("content-type", "application/octet-stream"),
        ];
        let answer = subject
            .send(Method::PATCH, &session, &headers, &content[start..end])
            .await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(header(&answer, "range"), format!("0-{}", end - 1));
        session = location(&answer);
    }
    let answer = subject.send(Method::GET, &session, &[], b"").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&answer, "range"), "0-26");
    let session = location(&answer);
    let digest = digest(content);
    let answer = subject
        .send(
            Method::PUT,
            &closing(&session, &digest),
            &[],
            &content[27..],
        )
        .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "docker-content-digest"), digest);
    assert_eq!(subject.blob_status(&digest).await, StatusCode::OK);
}

pub(crate) async fn wrong_digest(subject: &Subject) {
    let session = subject.start().await;
    let claimed = digest(b"something else");
    let answer = subject
        .send(Method::PUT, &closing(&session, &claimed), &[], b"content")
        .await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "DIGEST_INVALID");
    assert_eq!(subject.blob_status(&claimed).await, StatusCode::NOT_FOUND);
    assert_eq!(
        subject.blob_status(&digest(b"content")).await,
        StatusCode::NOT_FOUND
    );
}

/// A session is known by its identifier, in its repository, and nowhere else. Distribution calls it
/// invalid where the state in the address names another session, and unknown where there is none.
pub(crate) async fn unknown_session(subject: &Subject) {
    let session = subject.start().await;
    let (path, query) = session.split_once('?').unwrap_or((&session, ""));
    let (start, last) = path.split_at(path.len() - 1);
    let other = if last == "1" { "2" } else { "1" };
    for address in [
        format!("{start}{other}?{query}"),
        session.replace(NAME, "owner/another"),
    ] {
        let answer = subject.send(Method::PATCH, &address, &[], b"content").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{address}");
        let code = code(answer).await;
        assert!(code.starts_with("BLOB_UPLOAD_"), "{address}: {code}");
    }
    let answer = subject.send(Method::GET, &session, &[], b"").await;
    assert_eq!(
        answer.status(),
        StatusCode::NO_CONTENT,
        "the session is as it was"
    );
    assert_eq!(header(&answer, "range"), "0-0");
}

pub(crate) async fn closed_session(subject: &Subject) {
    let session = subject.start().await;
    let closing = closing(&session, &digest(b"once"));
    assert_eq!(
        subject
            .send(Method::PUT, &closing, &[], b"once")
            .await
            .status(),
        StatusCode::CREATED
    );
    let again = subject.send(Method::PUT, &closing, &[], b"once").await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(again).await, "BLOB_UPLOAD_UNKNOWN");
}

/// A chunk is cut off. What the registry stored of it no longer agrees with the state in the session's
/// address, which so is of no use any more; a registry without such state goes on.
pub(crate) async fn broken_chunk(subject: &Subject) {
    let mut session = subject.start().await;
    subject.break_chunk(&session, 100_000, 50_000);
    let start = Instant::now();
    let last = loop {
        let answer = subject.send(Method::GET, &session, &[], b"").await;
        // Nothing has been stored yet: the connection's end is still on its way.
        let early = answer.status() == StatusCode::NO_CONTENT
            && header(&answer, "range") != "0-49999"
            && start.elapsed() < Duration::from_secs(10);
        if !early {
            break answer;
        }
        session = location(&answer);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    if subject.keeps_broken_chunks {
        assert_eq!(last.status(), StatusCode::NO_CONTENT);
        assert_eq!(header(&last, "range"), "0-49999");
        return;
    }
    assert_eq!(last.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(last).await, "BLOB_UPLOAD_INVALID");
    for method in [Method::PATCH, Method::PUT] {
        let address = closing(&session, &digest(b"rest"));
        let answer = subject.send(method.clone(), &address, &[], b"rest").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method}");
        assert_eq!(code(answer).await, "BLOB_UPLOAD_INVALID", "{method}");
    }
}

pub(crate) async fn mount(subject: &Subject) {
    let digest = subject.push_blob(b"to be mounted").await;
    let path = format!("/v2/owner/other/blobs/uploads/?mount={digest}&from={NAME}");
    let answer = subject.send(Method::POST, &path, &[], b"").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer = subject
        .send(
            Method::HEAD,
            &format!("/v2/owner/other/blobs/{digest}"),
            &[],
            b"",
        )
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    // What is not there is no error: the answer is an upload session.
    let absent = self::digest(b"absent");
    let path = format!("/v2/owner/other/blobs/uploads/?mount={absent}&from={NAME}");
    let answer = subject.send(Method::POST, &path, &[], b"").await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(!location(&answer).is_empty());
}
