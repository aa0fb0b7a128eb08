//! Refusals that are none of a container registry's, or of another one.

use expect_test::expect;

use super::{check, found};

#[test]
fn not_of_containers() {
    for log in [
        "npm error 403 403 Forbidden - PUT https://npm.pkg.github.com/@owner%2fapp - Permission permission_denied: write_package",
        "npm error code E403\nnpm error 403 Permission permission_denied: read_package\n",
        "error: Response status code does not indicate success: 403 (Forbidden).\n  Pushing a.nupkg to 'https://nuget.pkg.github.com/owner'...\npermission_denied: The token provided does not match expected scopes.\n",
        "remote: Permission to owner/app.git denied to github-actions[bot].\nfatal: unable to access 'https://github.com/owner/app.git/': The requested URL returned error: 403",
        "Error: Resource not accessible by integration (HTTP 403)",
        "E: Failed to fetch https://archive.example/x  403  Forbidden [IP: 10.0.0.1 443]",
        "    Permission permission_denied: write_package",
        "error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403\nfatal: the remote end hung up\ndocker push ghcr.io/a/b\n",
        "open /var/lib/x: permission denied",
        "curl: (22) The requested URL returned error: 404",
        "Login Succeeded\nThe push refers to repository [ghcr.io/owner/app]\n1: digest: sha256:00 size: 403\n",
        "#7 [2/5] RUN apt-get update\n#7 1.2 Err:1 http://deb.debian.org stable InRelease\n#7 1.2   403  Forbidden [IP: 1.2.3.4 80]\n#7 ERROR: process \"/bin/sh -c apt-get update\" did not complete successfully: exit code: 100\nERROR: failed to solve: process \"/bin/sh -c apt-get update\" did not complete successfully: exit code: 100\nghcr.io/acme/web:1\n",
        "#9 RUN go mod download\n#9 3.3 go: example.com/private@v1: reading https://modules.example/x: 403 Forbidden\nERROR: failed to solve: process \"/bin/sh -c go mod download\" exit code 1\n",
        "#8 RUN pip install x\n#8 2.1 ERROR: HTTP error 403 while getting https://pypi.internal/simple/x: 403 Client Error: Forbidden for url\n#8 ERROR: failed to solve: process exit code: 1\ndocker buildx build -t ghcr.io/acme/web:1 --push\n",
        "=== RUN TestForbidden\n    handler_test.go:12: got status 403 Forbidden, want 200\n--- FAIL: TestForbidden\ndocker buildx build --push -t ghcr.io/acme/web:1 .\n#9 DONE\n",
        "level=error msg=\"request failed\" status=403 path=/v2/users\ndocker run x\n",
        "level=error msg=\"unexpected status: 403 Forbidden\" url=https://api.internal/v2/users\ndocker run x\n",
        "test: unauthorized: authentication required ... ok\ndocker compose up\n",
        "#20 pushing manifest for ghcr.io/acme/web:1 done\ncurl: (22) The requested URL returned error: 403 Forbidden\ndeploy failed: HTTP 403 from https://api.internal/x\n",
        "#25 exporting to GitHub Actions Cache\n#25 ERROR: failed to parse error response 403: <html>forbidden</html>\nERROR: failed to solve: maximum timeout reached\nghcr.io/acme/web:1\n",
        "",
        "\u{0}\u{1b}[",
    ] {
        assert_eq!(found(log), "", "{log}");
    }
}

#[test]
fn of_another_registry() {
    // https://github.com/projectdiscovery/nuclei/issues/6116
    check(
        "    error=\n    │ docker images: failed to publish artifacts: failed to push nuclei:v3.4.0: exit status 1: denied: requested access to the resource is denied\n    │ The push refers to repository [docker.io/library/nuclei]\n",
        &expect![[r"
            - - - docker.io docker.io/library/nuclei:v3.4.0 | DENIED: requested access to the resource is denied | credential-missing
        "]],
    );
}

/// An npm refusal in the log of a job that pushes an image as well.
#[test]
fn beside_one_of_containers() {
    check(
        "npm error 403 Permission permission_denied: write_package\n\
         npm error A complete log of this run can be found in x\n\
         Run docker push ghcr.io/owner/app:1\n\
         denied: permission_denied: read_package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/owner/app:1 | DENIED: permission_denied: read_package | package-unreadable
        "]],
    );
}

/// Registries that nobody has listed, where the line says what is done there.
#[test]
fn of_any_registry() {
    for (log, host, reference) in [
        (
            "The push refers to repository [harbor.corp.example/acme/web]\nunauthorized: unauthorized to access repository: acme/web, action: push: unauthorized to access repository: acme/web, action: push\n",
            "harbor.corp.example",
            "harbor.corp.example/acme/web",
        ),
        (
            "denied: requested access to the resource is denied\nfailed to push harbor.corp.example/acme/web:1\n",
            "harbor.corp.example",
            "harbor.corp.example/acme/web:1",
        ),
        (
            "docker push 10.0.0.5:5000/web\nunauthorized: authentication required\n",
            "10.0.0.5:5000",
            "10.0.0.5:5000/web",
        ),
        (
            "#9 ERROR: failed to push artifactory.example.com/docker/web:1: unexpected status from HEAD request to https://artifactory.example.com/v2/docker/web/blobs/sha256:a: 403 Forbidden\n",
            "artifactory.example.com",
            "artifactory.example.com/docker/web:1",
        ),
        (
            "ERROR: failed to push gcr.io/proj/web:1: denied: Permission \"artifactregistry.repositories.uploadArtifacts\" denied on resource\n",
            "gcr.io",
            "gcr.io/proj/web:1",
        ),
    ] {
        let refusals = super::super::recognise(log);
        assert_eq!(refusals.len(), 1, "{log}");
        assert_eq!(refusals[0].host.as_deref(), Some(host), "{log}");
        assert_eq!(refusals[0].reference.as_deref(), Some(reference), "{log}");
        assert!(!refusals[0].is_in_words_of_github(), "{log}");
    }
    // No reference: a module, a path, a page.
    for word in [
        "github.com/acme/web",
        "./conf.d/web:1",
        "sigs.k8s.io/yaml:1",
        "v1.2/x:3",
    ] {
        let log = format!("failed to push {word}: denied: permission_denied: write_package\n");
        assert_eq!(super::super::recognise(&log)[0].reference, None, "{log}");
    }
}

/// Docker Hub's limit on pulls, by two of its names.
#[test]
fn pulls_of_docker_hub() {
    let refusals = super::super::recognise(
        "#4 [internal] load metadata for docker.io/library/node:20\n\
         #4 ERROR: failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/node/manifests/sha256:aaa: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit\n\
         ERROR: failed to solve: node:20: failed to resolve source metadata for docker.io/library/node:20: 429 Too Many Requests\n",
    );
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
    assert!(refusals[0].is_pull);
    assert_eq!(
        refusals[0].reference.as_deref(),
        Some("docker.io/library/node:20")
    );
}

/// What an address carries of a credential is no part of where it leads.
#[test]
fn credentials_in_addresses() {
    check(
        "HEAD https://user:pw@ghcr.io/v2/acme/web/manifests/1: 403 Forbidden\n",
        &expect![[r"
            403 HEAD check-manifest ghcr.io ghcr.io/acme/web:1 |  | package-unreadable
        "]],
    );
    let refusals = super::super::recognise(
        "GET https://ghcr.io/token?account=octo&scope=repository%3Aacme%2Fweb%3Apush&service=ghcr.io&access_token=SECRETVALUE123456: DENIED: denied\n",
    );
    assert_eq!(
        refusals[0].url.as_deref(),
        Some("https://ghcr.io/token?scope=repository%3Aacme%2Fweb%3Apush&service=ghcr.io")
    );
}
