//! Manifests and tags.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{MANIFEST, NAME, Subject, code, digest, header, image};

pub(crate) async fn manifests(subject: &Subject) {
    let config = subject.push_blob(b"{}").await;
    let layer = subject.push_blob(b"layer").await;
    let document = image(&config, 2, &[(layer, 5)]);
    let bytes = document.to_string().into_bytes();
    let expected = digest(&bytes);
    for reference in ["one", "two", &expected] {
        let answer = subject.put_manifest(reference, &document).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(header(&answer, "docker-content-digest"), expected);
    }
    for reference in ["one", &expected] {
        let path = format!("/v2/{NAME}/manifests/{reference}");
        let accept = [("accept", MANIFEST)];
        let answer = subject.send(Method::HEAD, &path, &accept, b"").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "docker-content-digest"), expected);
        let answer = subject.send(Method::GET, &path, &accept, b"").await;
        assert_eq!(header(&answer, "content-type"), MANIFEST);
        assert_eq!(
            answer.bytes().await.expect("a body"),
            bytes,
            "byte for byte"
        );
    }
    let answer = subject
        .send(Method::GET, &format!("/v2/{NAME}/tags/list"), &[], b"")
        .await;
    let tags: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(tags["tags"], json!(["one", "two"]));
    let path = format!("/v2/{NAME}/manifests/three");
    let absent = subject
        .send(Method::GET, &path, &[("accept", MANIFEST)], b"")
        .await;
    assert_eq!(absent.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(absent).await, "MANIFEST_UNKNOWN");
}

pub(crate) async fn bad_manifests(subject: &Subject) {
    let config = subject.push_blob(b"{}").await;
    let absent = digest(b"never pushed");
    let answer = subject
        .put_manifest("bad", &image(&config, 2, &[(absent, 12)]))
        .await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "MANIFEST_BLOB_UNKNOWN");

    let sound = image(&config, 2, &[]);
    let answer = subject.put_manifest(&digest(b"another"), &sound).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "DIGEST_INVALID");

    let answer = subject.put_manifest("bad", &json!("no manifest")).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "MANIFEST_INVALID");
    let path = format!("/v2/{NAME}/manifests/bad");
    assert_eq!(
        subject.send(Method::GET, &path, &[], b"").await.status(),
        StatusCode::NOT_FOUND
    );
}
