//! Manifests and tags.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{INDEX, MANIFEST, NAME, Subject, code, digest, header, image};

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

/// A manifest is what its `Content-Type` says, and nothing else besides.
pub(crate) async fn media_types(subject: &Subject) {
    let config = subject.push_blob(b"{}").await;
    let sound = image(&config, 2, &[]);
    for content_type in [
        None,
        Some(""),
        Some("application/json"),
        Some("application/octet-stream"),
        Some("application/vnd.example.unknown+json"),
        Some("application/vnd.docker.distribution.manifest.v2+json"),
        Some(INDEX),
    ] {
        let code = subject.refuse_manifest(content_type, &sound).await;
        assert_eq!(code, "MANIFEST_INVALID", "{content_type:?}");
    }
    let mut unheard_of = sound.clone();
    unheard_of["mediaType"] = json!("application/vnd.example.unknown+json");
    let code = subject
        .refuse_manifest(unheard_of["mediaType"].as_str(), &unheard_of)
        .await;
    assert_eq!(code, "MANIFEST_INVALID");
    let mut anonymous = sound.clone();
    anonymous["mediaType"].take();
    for docker in [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ] {
        let code = subject.refuse_manifest(Some(docker), &anonymous).await;
        assert_eq!(code, "MANIFEST_INVALID", "{docker} without a media type");
    }
    let path = format!("/v2/{NAME}/manifests/parameter");
    let headers = [("content-type", format!("{MANIFEST}; charset=utf-8"))];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let bytes = sound.to_string().into_bytes();
    let answer = subject.send(Method::PUT, &path, &headers, &bytes).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
}

/// Members of the wrong type, or of the other kind of manifest.
pub(crate) async fn malformed_manifests(subject: &Subject) {
    let config = subject.push_blob(b"{}").await;
    let layer = subject.push_blob(b"layer").await;
    let sound = image(&config, 2, &[(layer, 5)]);
    let answer = subject.put_manifest("sound", &sound).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let child = json!({
        "mediaType": MANIFEST,
        "digest": header(&answer, "docker-content-digest"),
        "size": sound.to_string().len(),
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [child] });
    let with = |document: &Value, member: &str, value: Value| {
        let mut document = document.clone();
        document[member] = value;
        document
    };
    for (content_type, document) in [
        (MANIFEST, with(&sound, "layers", json!("none"))),
        (MANIFEST, with(&sound, "layers", json!({}))),
        (MANIFEST, with(&sound, "layers", json!(0))),
        (MANIFEST, with(&sound, "config", json!("none"))),
        (MANIFEST, with(&sound, "manifests", json!([]))),
        (MANIFEST, with(&sound, "manifests", json!([child]))),
        (MANIFEST, index.clone()),
        (INDEX, with(&index, "manifests", json!("none"))),
        (INDEX, with(&index, "config", sound["config"].clone())),
        (INDEX, with(&index, "layers", sound["layers"].clone())),
        (INDEX, with(&index, "layers", json!([]))),
    ] {
        let code = subject.refuse_manifest(Some(content_type), &document).await;
        assert_eq!(code, "MANIFEST_INVALID", "{content_type} {document}");
    }
    // Distribution has another code for a descriptor without a digest.
    for broken in [
        with(&sound, "config", json!({})),
        with(&sound, "layers", json!([{ "size": 5 }])),
    ] {
        subject.refuse_manifest(Some(MANIFEST), &broken).await;
    }
}

/// An index names manifests that are there, by their digests.
pub(crate) async fn indexes(subject: &Subject) {
    let config = subject.push_blob(b"{}").await;
    let child = image(&config, 2, &[]);
    let answer = subject.put_manifest("child", &child).await;
    let stored = header(&answer, "docker-content-digest").to_owned();
    let index = |digest: &str, size: usize| {
        json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [{ "mediaType": MANIFEST, "digest": digest, "size": size }],
        })
    };
    let size = child.to_string().len();
    let absent = index(&digest(b"never pushed"), size);
    let code = subject.refuse_manifest(Some(INDEX), &absent).await;
    assert_eq!(code, "MANIFEST_BLOB_UNKNOWN");
    let path = format!("/v2/{NAME}/manifests/index");
    let bytes = index(&stored, size).to_string().into_bytes();
    let headers = [("content-type", INDEX)];
    let answer = subject.send(Method::PUT, &path, &headers, &bytes).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "docker-content-digest"), digest(&bytes));
    let answer = subject
        .send(Method::GET, &path, &[("accept", INDEX)], b"")
        .await;
    assert_eq!(header(&answer, "content-type"), INDEX);
    assert_eq!(answer.bytes().await.expect("a body"), bytes);
}
