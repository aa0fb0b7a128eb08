//! One log of each tool.

use expect_test::expect;

use super::{check, found};

#[test]
fn docker() {
    // https://github.com/hyperledger-firefly/signer/pull/74
    check(
        "The push refers to repository [ghcr.io/hyperledger/firefly-signer]\n\
         fecdbc4471ce: Preparing\n31d7a001c31a: Preparing\n\
         denied: installation not allowed to Write organization package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/hyperledger/firefly-signer | DENIED: installation not allowed to Write organization package | workflow-lacks-packages-write
        "]],
    );
    // https://github.com/docker/login-action/issues/26
    check(
        "Logging into ghcr.io...\n\
         Error: Error response from daemon: Get \"https://ghcr.io/v2/\": denied: denied\n",
        &expect![[r"
            - GET - ghcr.io - | DENIED: denied | credential-rejected
        "]],
    );
    // https://github.com/DNSControl/dnscontrol/issues/4233
    check(
        "[09:59:30 PM]$ docker pull ghcr.io/dnscontrol/dnscontrol:4.37.0\n\
         Error response from daemon: error from registry: unauthorized\nunauthorized\n",
        &expect![[r"
            pull: - - check-manifest ghcr.io ghcr.io/dnscontrol/dnscontrol:4.37.0 | UNAUTHORIZED:  | credential-missing
        "]],
    );
    // https://github.com/writefreely/writefreely/issues/751
    check(
        "docker pull ghcr.io/writefreely/writefreely:latest\nError response from daemon: denied\n",
        &expect![[r"
            pull: - - check-manifest ghcr.io ghcr.io/writefreely/writefreely:latest | DENIED:  | package-unreadable
        "]],
    );
    // https://github.com/rancher-sandbox/rancher-desktop/issues/5301
    check(
        "docker push ghrc.io/USER/PACKAGE:latest\n\
         \"<html><body><h1>403 Forbidden</h1>\\nRequest forbidden by administrative rules.\\n</body></html>\\n\\n\"\n",
        &expect![[r"
            403 - - ghrc.io ghrc.io/USER/PACKAGE:latest | <html><body><h1>403 Forbidden</h1> Request forbidden by administrative rules. </body></html> | lookalike-host
        "]],
    );
    // https://github.com/pennsignals/publish_docker-compose/issues/4
    check(
        "docker push ghrc.io/o/n\ndial tcp: lookup ghrc.io: no such host\n",
        &expect![[r"
            - - - ghrc.io ghrc.io/o/n | Resolve | lookalike-host
        "]],
    );
}

#[test]
fn buildx() {
    // https://github.com/KWasm/kwasm-operator/issues/31
    check(
        "#30 ERROR: failed to push ghcr.io/kwasm/kwasm-operator:pr-30: unexpected status from POST request to https://ghcr.io/v2/kwasm/kwasm-operator/blobs/uploads/: 403 Forbidden\n\
         ------\n > exporting to image:\n------\n\
         ERROR: failed to solve: failed to push ghcr.io/kwasm/kwasm-operator:pr-30: unexpected status from POST request to https://ghcr.io/v2/kwasm/kwasm-operator/blobs/uploads/: 403 Forbidden\n\
         Error: buildx failed with: ERROR: failed to solve: failed to push ghcr.io/kwasm/kwasm-operator:pr-30: unexpected status from POST request to https://ghcr.io/v2/kwasm/kwasm-operator/blobs/uploads/: 403 Forbidden\n",
        &expect![[r"
            403 POST start-upload ghcr.io ghcr.io/kwasm/kwasm-operator:pr-30 |  | workflow-lacks-packages-write
        "]],
    );
    // https://github.com/Snowfork/snowbridge/pull/1272
    check(
        "#15 ERROR: denied: permission_denied: write_package\n------\n \
         > pushing ghcr.io/snowfork/snowbridge-relay:relayer-1.0.1 with docker:\n------\n\
         ERROR: denied: permission_denied: write_package\n\
         Error: buildx failed with: ERROR: denied: permission_denied: write_package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/snowfork/snowbridge-relay:relayer-1.0.1 | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    // The seed story: https://github.com/syncforynab/fintech-to-ynab/pull/337
    check(
        "error: failed to solve: unexpected status: 403 Forbidden\n\
         Error: buildx failed with: error: failed to solve: unexpected status: 403 Forbidden\n",
        &expect![[r"
            403 - - - - |  | package-denies-repository
        "]],
    );
    // https://github.com/HeavyG2005/AuthenticationService/issues/81
    check(
        "ERROR: failed to push ghcr.io/heavyg2005/authenticationservice:develop: \n\
         unexpected status from HEAD request to https://ghcr.io/v2/heavyg2005/authenticationservice/blobs/sha256:...\n\
         403 Forbidden\n",
        &expect![[r"
            403 HEAD check-blob ghcr.io ghcr.io/heavyg2005/authenticationservice:develop |  | package-unreadable
        "]],
    );
    // https://github.com/github-community-projects/issue-metrics/issues/246
    check(
        "buildx failed with: ERROR: failed to solve: failed to push ghcr.io/issue_metrics:latest: \n\
         unexpected status from HEAD request to https://ghcr.io/v2/issue_metrics/blobs/sha256:[SHA]: 400 Bad Request\n",
        &expect![[r"
            400 HEAD check-blob ghcr.io ghcr.io/issue_metrics:latest |  | reference-without-owner
        "]],
    );
    // https://github.com/project-copacetic/copacetic/issues/266
    check(
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aproject-copacetic%2Fcopa-action%3Apull%2Cpush&service=ghcr.io: 403 Forbidden\n",
        &expect![[r"
            403 GET fetch-token ghcr.io ghcr.io/project-copacetic/copa-action |  | credential-missing
        "]],
    );
    // https://github.com/konpyutaika/nifikop/issues/273
    check(
        "oci://ghcr.io/konpyutaika/helm-charts/nifikop\n\
         Error: INSTALLATION FAILED: failed to authorize: failed to fetch oauth token: unexpected status: 403 Forbidden\n",
        &expect![[r"
            pull: 403 - fetch-token ghcr.io ghcr.io/konpyutaika/helm-charts/nifikop |  | credential-rejected
        "]],
    );
}

#[test]
fn podman_and_skopeo() {
    // https://github.com/tuna-os/tunaOS/issues/642
    check(
        "Error: writing blob: initiating layer upload to /v2/tuna-os/flounder-sid/blobs/uploads/ in ghcr.io: denied: permission_denied: write_package\n",
        &expect![[r"
            - - start-upload ghcr.io ghcr.io/tuna-os/flounder-sid | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    check(
        "time=\"2026-07-10T10:00:00Z\" level=fatal msg=\"writing blob: initiating layer upload to /v2/freeipa/ipa-tuura/blobs/uploads/ in ghcr.io: denied: installation not allowed to Create organization package\"\n",
        &expect![[r"
            - - start-upload ghcr.io ghcr.io/freeipa/ipa-tuura | DENIED: installation not allowed to Create organization package | workflow-lacks-packages-write
        "]],
    );
    // https://github.com/redhat-actions/push-to-registry/issues/52
    check(
        "/usr/bin/podman push my_image:1 ghcr.io/my_org/my_image:1\n\
         Error: trying to reuse blob sha256:b2d5eee at destination: failed to read from destination repository my_org/my_image: 403 (Forbidden)\n",
        &expect![[r"
            403 - check-blob ghcr.io ghcr.io/my_org/my_image:1 |  | package-unreadable
        "]],
    );
    // https://github.com/ansible-community/images/issues/87
    check(
        "❯ podman push ghcr.io/ansible-community/community-ee-base:2.17.1-1\n\
         Copying blob 5f40e3568d69 done   |\n\
         Error: writing blob: Requesting bearer token: invalid status code from registry 403 (Forbidden)\n",
        &expect![[r"
            403 - fetch-token ghcr.io ghcr.io/ansible-community/community-ee-base:2.17.1-1 |  | credential-rejected
        "]],
    );
    // https://github.com/olareg/olareg/issues/113
    check(
        "Error: initializing source docker://ghcr.io/olareg/olareg:latest: unable to retrieve auth token: invalid username/password: unauthorized\n",
        &expect![[r"
            pull: - - fetch-token ghcr.io ghcr.io/olareg/olareg:latest | UNAUTHORIZED:  | credential-missing
        "]],
    );
}

#[test]
fn tools_in_go() {
    // https://github.com/runmedev/web/issues/89
    check(
        "Error: failed to publish images: error publishing ko://github.com/runmedev/runme/v3: POST https://ghcr.io/v2/runmedev/runme/blobs/uploads/: DENIED: permission_denied: write_package\n",
        &expect![[r"
            - POST start-upload ghcr.io ghcr.io/runmedev/runme | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    check(
        "Error: pushing image to ghcr.io/o/n: HEAD https://ghcr.io/v2/o/n/blobs/sha256:00: unexpected status code 403 Forbidden (HEAD responses have no body, use GET for details)\n",
        &expect![[r"
            403 HEAD check-blob ghcr.io ghcr.io/o/n |  | package-unreadable
        "]],
    );
    // https://github.com/package-operator/package-operator/issues/700
    check(
        "Error: push: Post \"https://ghcr.io/v2/jbpratt/pko-demo-nginx/blobs/uploads/\": GET https://ghcr.io/token?scope=repository%3Ajbpratt%2Fpko-demo-nginx%3Apull&scope=repository%3Ajbpratt%2Fpko-demo-nginx%3Apush%2Cpull&service=ghcr.io: DENIED: requested access to the resource is denied\n",
        &expect![[r"
            - GET fetch-token ghcr.io ghcr.io/jbpratt/pko-demo-nginx | DENIED: requested access to the resource is denied | credential-missing
        "]],
    );
    // https://github.com/Luzilla/dnsbl_exporter/issues/313
    check(
        "Error: failed to perform \"Push\" on destination: POST \"https://ghcr.io/v2/luzilla/charts/dnsbl-exporter/blobs/uploads/\": response status code 403: denied: permission_denied: write_package\n",
        &expect![[r"
            403 POST start-upload ghcr.io ghcr.io/luzilla/charts/dnsbl-exporter | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    // The frame of https://github.com/regclient/regclient/issues/731 around ghcr.io's words
    check(
        "failed to send blob post, ref ghcr.io/o/n:1: request failed: unauthorized [http 403]: {\"errors\":[{\"code\":\"DENIED\",\"message\":\"installation not allowed to Create organization package\"}]}\n",
        &expect![[r"
            403 - start-upload ghcr.io ghcr.io/o/n:1 | DENIED: installation not allowed to Create organization package | workflow-lacks-packages-write
        "]],
    );
    // https://github.com/terramate-io/terramate/pull/213
    check(
        "   ⨯ release failed after 76.87s error=docker images: failed to publish artifacts: failed to push ghcr.io/mineiros-io/terramate:latest: exit status 1: The push refers to repository [ghcr.io/mineiros-io/terramate]\n\
         36ffdceb4c77: Layer already exists\n\
         denied: installation not allowed to Write organization package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/mineiros-io/terramate:latest | DENIED: installation not allowed to Write organization package | workflow-lacks-packages-write
        "]],
    );
    // https://github.com/goreleaser/goreleaser/issues/1977
    check(
        "failed to put manifest ghcr.io/goreleaser/goreleaser:v0.150: denied\n: exit status 1\n",
        &expect![[r"
            - - put-tag ghcr.io ghcr.io/goreleaser/goreleaser:v0.150 | DENIED:  | package-just-created
        "]],
    );
    check(
        "error checking push permissions -- make sure you entered the correct tag name, and that you are authenticated correctly, and try again: checking push permission for \"ghcr.io/o/n:1\": POST https://ghcr.io/v2/o/n/blobs/uploads/: DENIED: permission_denied: The token provided does not match expected scopes.\n",
        &expect![[r"
            - POST start-upload ghcr.io ghcr.io/o/n:1 | DENIED: permission_denied: The token provided does not match expected scopes. | missing-scope
        "]],
    );
}

#[test]
fn tools_in_other_languages() {
    // https://github.com/GoogleContainerTools/jib/issues/3250
    check(
        "[ERROR] GET https://ghcr.io/token?service=ghcr.io&scope=repository:graalvm/graalvm-ce:pull\n\
         [ERROR] {\"errors\":[{\"code\":\"DENIED\",\"message\":\"denied\"}]}\n",
        &expect![[r"
            pull: - GET fetch-token ghcr.io ghcr.io/graalvm/graalvm-ce | DENIED: denied | credential-rejected
        "]],
    );
    // https://github.com/GoogleContainerTools/jib/issues/4301
    check(
        "> Tried to push BLOB for ghcr.io/<org>/<repo> with digest sha256:<hash> but failed because: other: blob upload unknown to registry\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/<org>/<repo> | : blob upload unknown to registry | blob-lost
        "]],
    );
    // https://github.com/dotnet/sdk-container-builds/issues/292
    check(
        "error : Failed to finalize upload to https://ghcr.io/v2/laurentkempe/webapp/blobs/upload/6fa0056e?&digest=sha256%3Afe; received NotFound with detail {\"errors\":[{\"code\":\"BLOB_UPLOAD_INVALID\",\"message\":\"blob upload invalid\"}]} [/home/runner/work/WebApp.csproj]\n",
        &expect![[r"
            - - upload-blob ghcr.io ghcr.io/laurentkempe/webapp | BLOB_UPLOAD_INVALID: blob upload invalid | blob-lost
        "]],
    );
    // https://github.com/fermyon/developer/issues/589
    check(
        "Error: Failed to push: Registry error: url https://ghcr.io/v2/o/n/blobs/uploads/, envelope: OCI API errors: [OCI API error: retry-after: 10.487765ms, allowed: 2000/minute]\n\
         429 {\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"retry-after: 10.487765ms, allowed: 2000/minute\"}]} ghcr.io\n",
        &expect![[r"
            429 - start-upload ghcr.io ghcr.io/o/n | TOOMANYREQUESTS: retry-after: 10.487765ms, allowed: 2000/minute | rate-limit
        "]],
    );
    // https://github.com/oras-project/rust-oci-client/issues/35
    check(
        "416 {\"errors\":[{\"code\":\"REQUESTED_RANGE_NOT_SATISFIABLE\",\"message\":\"the request body is too large and exceeds the maximum permissible limit of 4.00MiB\"}]} https://ghcr.io/v2/o/n/blobs/upload/1?_state=secret\n",
        &expect![[r"
            416 - upload-blob ghcr.io ghcr.io/o/n | REQUESTED_RANGE_NOT_SATISFIABLE: the request body is too large and exceeds the maximum permissible limit of 4.00MiB | chunk-too-large
        "]],
    );
}

/// What is copied from is read; what is copied to was refused, unless reading is what failed.
#[test]
fn from_one_place_to_another() {
    for (log, expected) in [
        (
            "Error: copying image \"containers-storage:[overlay@/var/lib/containers/storage+/run/containers/storage]docker.io/library/app:latest\" to \"docker://ghcr.io/owner/app:1.0\": trying to reuse blob sha256:aa at destination: failed to read from destination repository owner/app: 403 (Forbidden)\n",
            "403 - check-blob ghcr.io ghcr.io/owner/app:1.0",
        ),
        (
            "error pushing image \"quay.io/owner/base:1\" to \"docker://ghcr.io/owner/app:1.0\": error copying layers and metadata from \"containers-storage:[overlay@/home/x+/run/x]quay.io/owner/base:1\" to \"docker://ghcr.io/owner/app:1.0\": Error writing blob: denied\n",
            "- - - ghcr.io ghcr.io/owner/app:1.0",
        ),
        (
            "copying \"docker://quay.io/a/b:1\" to \"docker://ghcr.io/owner/app:1.0\": writing manifest: denied\n",
            "- - put-tag ghcr.io ghcr.io/owner/app:1.0",
        ),
        (
            "copying \"docker://quay.io/a/b:1\" to \"docker://ghcr.io/owner/app:1.0\": reading manifest 1 in quay.io/a/b: unauthorized: access to the requested resource is not authorized\n",
            "pull: - - check-manifest quay.io quay.io/a/b:1",
        ),
    ] {
        let told = found(log);
        assert!(told.starts_with(expected), "{told}");
    }
}
