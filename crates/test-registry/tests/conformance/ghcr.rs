//! ghcr.io's ways, at their limits. Where each is known from stands with
//! `test_registry::Personality::Ghcr`.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use test_registry::{Options, Personality, Refusal, TestRegistry};

use crate::support::{NAME, Subject, block_on, closing, code, digest, header, location};

const LIMIT: usize = 4 * 1024 * 1024;

fn check(checks: impl AsyncFnOnce(&Subject)) {
    let mut options = Options::default();
    options.personality = Personality::Ghcr;
    let registry = TestRegistry::start(options);
    let subject = Subject::new(registry.url());
    block_on(checks(&subject));
}

/// A chunk of four mebibytes is taken, one of a byte more is not; a body without `Content-Range` has no limit.
#[test]
fn the_largest_chunk() {
    check(async |subject| {
        let content = vec![7; LIMIT + 1];
        let session = subject.start().await;
        for method in [Method::PATCH, Method::PUT] {
            let range = format!("0-{LIMIT}");
            let headers = [("content-range", range.as_str())];
            let address = closing(&session, &digest(&content));
            let answer = subject
                .send(method.clone(), &address, &headers, &content)
                .await;
            assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE);
            let body: Value =
                serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
            assert_eq!(
                body["errors"][0]["message"],
                "the request body is too large and exceeds the maximum permissible limit of 4.00MiB",
                "{method}"
            );
        }
        let range = format!("0-{}", LIMIT - 1);
        let headers = [("content-range", range.as_str())];
        let answer = subject
            .send(Method::PATCH, &session, &headers, &content[..LIMIT])
            .await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(
            header(&answer, "range"),
            range,
            "nothing of what was refused"
        );

        let address = closing(&subject.start().await, &digest(&content));
        let answer = subject.send(Method::PUT, &address, &[], &content).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
    });
}

/// No byte and one byte look alike.
#[test]
fn the_range_of_nothing() {
    check(async |subject| {
        let session = subject.start().await;
        let answer = subject.send(Method::GET, &session, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(header(&answer, "range"), "0-0");
        let headers = [("content-range", "0-0")];
        let answer = subject.send(Method::PATCH, &session, &headers, b"x").await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(header(&answer, "range"), "0-0");
        let answer = subject.send(Method::PATCH, &session, &headers, b"x").await;
        assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    });
}

/// A session has one address, relative and without state, and cannot be cancelled.
#[test]
fn the_address_of_a_session() {
    check(async |subject| {
        let session = subject.start().await;
        assert!(
            session.starts_with(&format!("/v2/{NAME}/blobs/upload/")),
            "{session}"
        );
        assert!(!session.contains('?'), "{session}");
        let answer = subject.send(Method::PATCH, &session, &[], b"first").await;
        assert_eq!(location(&answer), session);

        let answer = subject.send(Method::DELETE, &session, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(code(answer).await, "UNSUPPORTED");

        let elsewhere = session.replace(NAME, "owner/other");
        for method in [Method::GET, Method::PATCH, Method::PUT] {
            let address = closing(&elsewhere, &digest(b"first"));
            let answer = subject.send(method.clone(), &address, &[], b"").await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method}");
        }
        let answer = subject.send(Method::GET, &session, &[], b"").await;
        assert_eq!(header(&answer, "range"), "0-4", "it is still there");
    });
}

/// Every package has an owner.
#[test]
fn a_name_without_owner() {
    check(async |subject| {
        let path = "/v2/app/blobs/uploads/";
        let answer = subject.send(Method::POST, path, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert_eq!(code(answer).await, "NAME_INVALID");
    });
}

/// Words that say that the package exists, and an answer that it does not, would not come from one registry.
#[test]
fn packages_that_refuse_a_push_exist() {
    for (refusal, expected) in [
        (Refusal::WritePackage, StatusCode::OK),
        (Refusal::InstallationNotAllowedToWrite, StatusCode::OK),
        (Refusal::CreatePackage, StatusCode::NOT_FOUND),
        (
            Refusal::InstallationNotAllowedToCreate,
            StatusCode::NOT_FOUND,
        ),
    ] {
        let mut options = Options::default();
        options.personality = Personality::Ghcr;
        let registry = TestRegistry::start(options);
        registry.deny(NAME, refusal.clone());
        let subject = Subject::new(registry.url());
        let tags = format!("/v2/{NAME}/tags/list");
        block_on(async {
            let answer = subject.send(Method::GET, &tags, &[], b"").await;
            assert_eq!(answer.status(), expected, "{refusal:?}");
        });
    }
}
