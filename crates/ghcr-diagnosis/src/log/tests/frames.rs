//! Spellings of refusals that no other test has.

use expect_test::expect;

use super::check;

/// A proxy's page behind the registry's code.
#[test]
fn page_behind_code() {
    check(
        "docker push ghcr.io/o/n:1\ndenied: <html><head><title>403 Forbidden</title></head><body>Blocked</body></html>\n",
        &expect![[r"
            403 - - ghcr.io ghcr.io/o/n:1 | <html><head><title>403 Forbidden</title></head><body>Blocked</body></html> | intermediary
        "]],
    );
}

/// Docker, of a page.
#[test]
fn page() {
    check(
        "docker push ghcr.io/o/n:1\nerror parsing HTTP 413 response body: invalid character '<' looking for beginning of value: \"<html>\\r\\n<head><title>413 Request Entity Too Large</title></head>\"\n",
        &expect![[r"
            413 - - ghcr.io ghcr.io/o/n:1 | <html> <head><title>413 Request Entity Too Large</title></head> | intermediary
        "]],
    );
}

/// Docker, of a body that is no list of errors.
#[test]
fn body() {
    check(
        "The push refers to repository [ghcr.io/o/n]\nerror parsing HTTP 403 response body: no error details found in HTTP response body: \"{\\\"message\\\":\\\"no\\\"}\"\n",
        &expect![[r#"
            403 - - ghcr.io ghcr.io/o/n | {"message":"no"} | unknown-denial
        "#]],
    );
}

/// Every 403 is called unauthorized.
#[test]
fn unauthorized() {
    check(
        "unauthorized: permission_denied: The requested installation does not exist.\nghcr.io/Fork-Owner/repo:main\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/Fork-Owner/repo:main | UNAUTHORIZED: permission_denied: The requested installation does not exist. | namespace-mismatch
        "]],
    );
}

/// Without any code.
#[test]
fn no_code() {
    check(
        "failed to push ghcr.io/o/n:latest: error from registry: permission_denied: The token provided does not match expected scopes.\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/o/n:latest | : permission_denied: The token provided does not match expected scopes. | missing-scope
        "]],
    );
}

/// Logs in JSON.
#[test]
fn json() {
    check(
        "{\"level\":\"error\",\"msg\":\"push failed\",\"error\":\"POST https://ghcr.io/v2/o/n/blobs/uploads/: DENIED: permission_denied: create_package\"}\n",
        &expect![[r"
            - POST start-upload ghcr.io ghcr.io/o/n | DENIED: permission_denied: create_package | cannot-create-package
        "]],
    );
}

/// Fields after the message.
#[test]
fn fields() {
    check(
        "level=error err=\"pushing ghcr.io/o/n:1: permission_denied: write_package\" component=x\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/o/n:1 | : permission_denied: write_package | package-denies-repository
        "]],
    );
}

/// The reference above, code and message in a table.
#[test]
fn table() {
    check(
        "Pushing ghcr.io/o/n:1 ... FAILED\n  reason   denied\n  message  permission_denied: read_package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/o/n:1 | : permission_denied: read_package | package-unreadable
        "]],
    );
}

/// In lower case.
#[test]
fn lower_case() {
    check(
        "Uploading artifact failed: OCI: 403: installation not allowed to create organization package\nhelm push x.tgz oci://ghcr.io/acme/charts\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/acme/charts | : installation not allowed to create organization package | workflow-lacks-packages-write
        "]],
    );
}

/// An empty owner: <https://github.com/microsoft/azure-pipelines-tasks/issues/20625>.
#[test]
fn empty_owner() {
    check(
        "The push refers to repository [ghcr.io//my-repo]\n0ed3a6e33f2d: Preparing\ndenied: denied\n",
        &expect![[r"
            - - - ghcr.io ghcr.io//my-repo | DENIED: denied | reference-without-owner
        "]],
    );
}

/// A base image.
#[test]
fn base_image() {
    check(
        "ERROR: failed to solve: ghcr.io/o/base:1: failed to resolve source metadata for ghcr.io/o/base:1: denied\n",
        &expect![[r"
            pull: - - check-manifest ghcr.io ghcr.io/o/base:1 | DENIED:  | package-unreadable
        "]],
    );
}

/// Several targets of one build.
#[test]
fn targets() {
    check(
        "Error: buildx bake failed with: ERROR: target web: failed to solve: failed to push ghcr.io/o/web:1: denied: permission_denied: write_package\nError: buildx bake failed with: ERROR: target api: failed to solve: failed to push ghcr.io/o/api:1: denied: permission_denied: write_package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/o/web:1 | DENIED: permission_denied: write_package | package-denies-repository
            - - - ghcr.io ghcr.io/o/api:1 | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
}

/// Words that nobody has catalogued.
#[test]
fn unknown_words() {
    check(
        "Error: unable to push: denied: GitHub Packages: something nobody saw before\nto ghcr.io/o/n\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/o/n | DENIED: GitHub Packages: something nobody saw before | unknown-denial
        "]],
    );
}

/// An address without a repository.
#[test]
fn bare_host() {
    check(
        "unexpected http response 403 from ghcr.io\n",
        &expect![[r"
            403 - - ghcr.io - |  | package-denies-repository
        "]],
    );
}

/// Our own.
#[test]
fn our_own() {
    check(
        "error: failed to push ghcr.io/o/n:1\n  caused by: ghcr.io answered 403 Forbidden to the request to start a blob upload\n  caused by: DENIED: permission_denied: write_package\n  request: POST https://ghcr.io/v2/o/n/blobs/uploads/\n  request id: C0DE:12AB:34CD\n\ndiagnosis: the package o/n exists, and does not admit this push\n\n1. package-denies-repository (likely)\n   evidence:\n     - ghcr.io said: permission_denied: write_package\n",
        &expect![[r"
            403 - - ghcr.io ghcr.io/o/n:1 | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
}

/// A list over several lines: <https://github.com/devcontainers-extra/features/issues/98>.
#[test]
fn list_of_many_lines() {
    check(
        "[2025-01-16T16:47:00.254Z] https://ghcr.io/v2/devcontainers-extra/features/homebrew-package/blobs/uploads/: Unexpected status code '403' \n\
         {\n    \"errors\": [\n        {\n            \"code\": \"DENIED\",\n            \"message\": \"permission_denied: write_package\"\n        }\n    ]\n}\n\
         [2025-01-16T16:47:00.254Z] Failed to get upload session ID\n\
         [2025-01-16T16:47:00.254Z] (!) ERR: Failed to publish feature: 'ghcr.io/devcontainers-extra/features/homebrew-package'\n",
        &expect![[r"
            403 - start-upload ghcr.io ghcr.io/devcontainers-extra/features/homebrew-package | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
}

/// A name that the runner hid: <https://github.com/mccutchen/go-httpbin/pull/201>.
#[test]
fn hidden_owner() {
    let log = "ERROR: failed to solve: failed to push ghcr.io/***/go-httpbin:v2.17.0: denied: permission_denied: write_package\n";
    check(
        log,
        &expect![[r"
        - - - ghcr.io ghcr.io/***/go-httpbin:v2.17.0 | DENIED: permission_denied: write_package | package-denies-repository
    "]],
    );
    let diagnosis = crate::diagnose(&super::recognise(log)[0], &crate::Context::default());
    let cause = &diagnosis.expect("a diagnosis").causes[0];
    let page = "https://github.com/orgs/OWNER/packages/container/go-httpbin/settings";
    assert!(cause.remedy.contains(page), "{cause:?}");
    // A place for a name is no page to open.
    assert_eq!((cause.url.as_deref(), cause.pages()), (None, Vec::new()));
}

/// That a registry asks for a token is no refusal.
#[test]
fn challenges() {
    check(
        "DEBU[0000] Request #0\n> Request URL: \"https://ghcr.io/v2/\"\n< Response Status: \"401 Unauthorized\"\n\
         DEBU[0000] Ping https://ghcr.io/v2/ status 401\n\
         time=\"2022-06-01T13:10:20Z\" level=debug msg=\"fetch response received\" response.status=\"401 Unauthorized\" url=\"https://ghcr.io/v2/o/n/blobs/sha256:00\"\n",
        &expect![[""]],
    );
}

/// <https://github.com/docker/build-push-action/issues/205>.
#[test]
fn older_registry() {
    check(
        "docker.pkg.github.com/o/r/n:latest\nError: buildx call failed with: failed to solve: rpc error: code = Unknown desc = unexpected status: 403 Forbidden\n",
        &expect![[r"
            403 - - docker.pkg.github.com docker.pkg.github.com/o/r/n:latest |  | package-denies-repository
        "]],
    );
}

/// <https://github.com/flathub-infra/flatpak-external-data-checker/issues/234>.
#[test]
fn variables_of_a_step() {
    check(
        "Run docker image tag \\\n  docker image push --all-tags \\\n    ${DOCKER_REGISTRY}/${DOCKER_IMAGE}\n  shell: /usr/bin/bash -e {0}\n  env:\n    DOCKER_REGISTRY: ghcr.io\n    DOCKER_IMAGE: flathub/flatpak-external-data-checker\n\
         The push refers to repository [ghcr.io/flathub/flatpak-external-data-checker]\nf1d3cf9dd85c: Preparing\n\
         denied: permission_denied: write_package\nError: Process completed with exit code 1.\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/flathub/flatpak-external-data-checker | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
}

/// The status behind the code, and in Python's words.
#[test]
fn status_elsewhere() {
    check(
        "push failed: DENIED (403): The token provided does not match expected scopes. image=ghcr.io/o/n\n",
        &expect![[r"
            403 - - ghcr.io ghcr.io/o/n | DENIED: The token provided does not match expected scopes. image=ghcr.io/o/n | missing-scope
        "]],
    );
    check(
        "requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://ghcr.io/v2/o/n/blobs/uploads/\n",
        &expect![[r"
            403 - start-upload ghcr.io ghcr.io/o/n |  | workflow-lacks-packages-write
        "]],
    );
    check(
        "Error: pushing ghcr.io/o/n: uploading artifact: HTTP response: 403, denied: installation not allowed to Create organization package\n",
        &expect![[r"
            403 - - ghcr.io ghcr.io/o/n | DENIED: installation not allowed to Create organization package | workflow-lacks-packages-write
        "]],
    );
}

/// The token that was given is not one for a push: containerd's words for the registry's challenge.
#[test]
fn insufficient_scope() {
    for log in [
        "INFO[0000] pushing as a reduced-platform image (application/vnd.oci.image.index.v1+json, sha256:abc)\nFATA[0003] failed to push \"ghcr.io/acme/web:1\": server message: insufficient_scope: authorization failed\n",
        "failed to push ghcr.io/acme/web:1: push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed\n",
    ] {
        assert_eq!(
            super::found(log),
            "401 - - ghcr.io ghcr.io/acme/web:1 | UNAUTHORIZED: insufficient_scope: authorization failed | credential-missing\n"
        );
    }
}

/// Nothing was asked, for want of anything to ask with.
#[test]
fn nothing_to_log_in_with() {
    let log = "Run docker/login-action@v3\n  with:\n    registry: ghcr.io\nError: Username and password required\n";
    check(
        log,
        &expect![[r"
            - - - ghcr.io - |  | credential-missing
        "]],
    );
    check(
        "2026-02-20T10:11:12.1Z ##[error]Username and password required\n",
        &expect![[r"
            - - - - - |  | credential-missing
        "]],
    );
    check(
        "the form says: username and password required\n",
        &expect![[""]],
    );
}
