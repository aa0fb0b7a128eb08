use std::collections::BTreeSet;

use super::*;

#[test]
fn targets() {
    for (method, path, query, route, repository, last) in [
        (Method::GET, "/v2/", "", Route::Base, "", ""),
        (Method::GET, "/token", "scope=x", Route::Token, "", ""),
        (
            Method::HEAD,
            "/v2/o/a/b/blobs/sha256:1",
            "",
            Route::BlobHead,
            "o/a/b",
            "sha256:1",
        ),
        (
            Method::POST,
            "/v2/o/n/blobs/uploads/",
            "",
            Route::UploadStart,
            "o/n",
            "",
        ),
        (
            Method::POST,
            "/v2/o/n/blobs/uploads/",
            "mount=x&from=y",
            Route::UploadMount,
            "o/n",
            "",
        ),
        (
            Method::PATCH,
            "/v2/o/n/blobs/upload/14.a",
            "",
            Route::UploadChunk,
            "o/n",
            "14.a",
        ),
        (
            Method::PUT,
            "/v2/o/n/blobs/uploads/7",
            "digest=x",
            Route::UploadCommit,
            "o/n",
            "7",
        ),
        (
            Method::PUT,
            "/v2/o/manifests/n/manifests/1",
            "",
            Route::ManifestPut,
            "o/manifests/n",
            "1",
        ),
        (
            Method::GET,
            "/v2/o/n/tags/list",
            "",
            Route::TagsList,
            "o/n",
            "",
        ),
        (Method::GET, "/elsewhere", "", Route::Other, "", ""),
        (Method::GET, "/v2", "", Route::Other, "", ""),
        (Method::GET, "/v2/o/n/tags/list/", "", Route::Other, "", ""),
        (Method::GET, "/v2/tags/list", "", Route::Other, "", ""),
        (
            Method::POST,
            "/v2/o/n/blobs/uploads",
            "",
            Route::Other,
            "",
            "",
        ),
        (
            Method::GET,
            "/v2/o/n/blobs/uploads/",
            "",
            Route::Other,
            "",
            "",
        ),
        (
            Method::POST,
            "/v2/O/n/blobs/uploads/",
            "",
            Route::Other,
            "",
            "",
        ),
        (Method::GET, "/v2/blobs/sha256:1", "", Route::Other, "", ""),
    ] {
        let target = Target::of(&method, path, query);
        assert_eq!(
            (
                target.route,
                target.repository.as_str(),
                target.last.as_str()
            ),
            (route, repository, last),
            "{path}"
        );
    }
}

#[test]
fn methods() {
    let routes: BTreeSet<_> = [TOKEN, TAGS, MANIFEST, SESSION, BLOB]
        .into_iter()
        .flat_map(|(allowed, methods)| {
            let listed: BTreeSet<_> = allowed.split(", ").collect();
            let known = methods.iter().map(|(method, _)| method.as_str());
            assert_eq!(listed, known.collect(), "Allow tells what there is");
            methods.iter().map(|(_, route)| format!("{route:?}"))
        })
        .collect();
    assert_eq!(
        routes.len(),
        11,
        "each method is for something else: {routes:?}"
    );
    for path in [
        "/token",
        "/v2/o/n/tags/list",
        "/v2/o/n/manifests/1",
        "/v2/o/n/blobs/uploads/7",
    ] {
        let target = Target::of(&Method::POST, path, "");
        assert_eq!(target.route, Route::WrongMethod, "{path}");
        assert!(target.allowed.contains("GET"), "{path}");
    }
}

#[test]
fn names() {
    for name in [
        "a",
        "0",
        "owner/app",
        "a.b",
        "a_b",
        "a__b",
        "a-b",
        "a---b",
        "a/b/c/d",
        "a.b_c-d/0",
    ] {
        assert!(is_name(name), "{name}");
    }
    for name in [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "owner/App",
        "-a",
        "a-",
        ".a",
        "a.",
        "_a",
        "a..b",
        "a___b",
        "a._b",
        "a-_b",
        "a b",
        "a:b",
        "a%2Fb",
        "\u{e4}",
    ] {
        assert!(!is_name(name), "{name}");
    }
    assert!(is_name(&"a".repeat(255)));
    assert!(!is_name(&"a".repeat(256)));
}
