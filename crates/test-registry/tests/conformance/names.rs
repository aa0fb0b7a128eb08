//! Names of repositories, and methods that a resource does not have.

use reqwest::{Method, StatusCode};

use crate::support::{NAME, Subject, digest, header};

/// A repository has a name that the specification's grammar knows, or there is none. Distribution
/// redirects to a cleaned path what has empty components.
pub(crate) async fn names(subject: &Subject) {
    for name in [
        "Owner/App",
        "owner/App",
        "owner/-app",
        "owner/app-",
        "owner/a..b",
        "owner/a___b",
        "owner/a._b",
        "_owner/app",
        "owner/a%20b",
    ] {
        let path = format!("/v2/{name}/blobs/uploads/");
        let answer = subject.send(Method::POST, &path, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{name}");
        let path = format!("/v2/{name}/manifests/1");
        let answer = subject.send(Method::GET, &path, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{name}");
    }
    for path in [
        "/v2/owner//app/blobs/uploads/",
        "/v2/owner/app/blobs/uploads",
    ] {
        let answer = subject.send(Method::POST, path, &[], b"").await;
        assert!(!answer.status().is_success(), "{path}: {}", answer.status());
    }
    for name in ["owner/a__b", "owner/a--b", "owner/a.b_c-d", "0/1/2/3"] {
        let path = format!("/v2/{name}/blobs/uploads/");
        let answer = subject.send(Method::POST, &path, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{name}");
    }
}

/// What a resource cannot do is said with 405 and what it can.
pub(crate) async fn methods(subject: &Subject) {
    let blob = format!("/v2/{NAME}/blobs/{}", digest(b"any"));
    let manifest = format!("/v2/{NAME}/manifests/any");
    let tags = format!("/v2/{NAME}/tags/list");
    for (method, path) in [
        (Method::POST, &blob),
        (Method::PUT, &blob),
        (Method::PATCH, &blob),
        (Method::POST, &manifest),
        (Method::PATCH, &manifest),
        (Method::POST, &tags),
        (Method::PUT, &tags),
    ] {
        let answer = subject.send(method.clone(), path, &[], b"").await;
        assert_eq!(
            answer.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}"
        );
        assert!(header(&answer, "allow").contains("GET"), "{method} {path}");
    }
    for path in [&blob, &manifest] {
        let answer = subject.send(Method::DELETE, path, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    // There is no list of sessions.
    let sessions = format!("/v2/{NAME}/blobs/uploads/");
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = subject.send(method.clone(), &sessions, &[], b"").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method}");
    }
}
