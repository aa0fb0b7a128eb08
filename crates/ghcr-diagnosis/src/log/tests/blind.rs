//! Logs that were read wrongly once: of each what is right was written down before it was explained.

use expect_test::expect;

use super::check;

/// A paragraph of a mail: the quotation ends, the sentence goes on.
#[test]
fn words_in_prose() {
    // https://github.com/helmforgedev/charts/issues/92
    check(
        "Do `helm install my-pg oci://ghcr.io/helmforgedev/helm/postgresql` as mentioned in docs\n\
         The error I get is `Error: GET \"https://ghcr.io/v2/helmforgedev/helm/postgresql/tags/list\": response status code 403: denied: permission_denied: read_package`. This seems to me like there are some packages in GHCR that might be accidentally private.\n",
        &expect![[r"
            pull: 403 GET check-manifest ghcr.io ghcr.io/helmforgedev/helm/postgresql | DENIED: permission_denied: read_package | package-unreadable
        "]],
    );
}

/// What a service behind the registry said, in a line of its own.
#[test]
fn a_limit_in_lines() {
    // https://github.com/rubentalstra/FerroEHR/issues/2120
    check(
        "#19 ERROR: failed to push ghcr.io/rubentalstra/ferroehr:develop: denied: permission_denied:\n  \
         Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body: {\n  \
         \"documentation_url\": \".../rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits\",\n  \
         \"message\": \"You have exceeded a secondary rate limit. Please wait a few minutes before you\n   \
         try again. ... request ID CC40:2652F4:3267B10:3A2964C:6A74902A.\"\n}\n",
        &expect![[r#"
            - - - ghcr.io ghcr.io/rubentalstra/ferroehr:develop | DENIED: permission_denied: Error from intermediary with HTTP status code 403 "Forbidden" - with-body: { "documentation_url": ".../rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits", "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. ... request ID CC40:2652F4:3267B10:3A2964C:6A74902A." } | secondary-rate-limit
        "#]],
    );
}

/// An address that was taken for a format.
#[test]
fn an_address_without_its_escapes() {
    // https://github.com/space-ros/space-ros/issues/292
    check(
        "Error: failed to SAVE IMAGE: failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token?scope=repository%!A(MISSING)osrf%!F(MISSING)space-ros%!A(MISSING)pull%!C(MISSING)push&service=registry.docker.io: 401 Unauthorized\n",
        &expect![[r"
            401 GET fetch-token auth.docker.io docker.io/osrf/space-ros |  | credential-rejected
        "]],
    );
    // https://github.com/fluxcd/flux2/issues/4745
    check(
        "chart pull error: failed to download chart for remote reference: failed to get 'oci://ghcr.io/nginxinc/charts/nginx-gateway-fabric/ngf:1.2.0': failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%!A(MISSING)nginxinc%!F(MISSING)charts%!F(MISSING)nginx-gateway-fabric%!F(MISSING)ngf%!A(MISSING)pull&service=ghcr.io: 403 Forbidden\n",
        &expect![[r"
            pull: 403 GET fetch-token ghcr.io ghcr.io/nginxinc/charts/nginx-gateway-fabric/ngf:1.2.0 |  | credential-missing
        "]],
    );
}

/// An input of docker/login-action that is empty.
#[test]
fn a_login_without_a_password() {
    // https://github.com/docker/login-action/issues/6
    check(
        "Run docker/login-action@v1\n  with:\n    registry: ghcr.io\n    username: machinezone\n    logout: true\n##[error]Input required and not supplied: password\n",
        &expect![[r"
            - - - ghcr.io - |  | credential-missing
        "]],
    );
    // Another action's password.
    check(
        "##[error]Input required and not supplied: password\n",
        &expect![[""]],
    );
}

/// The command above docker's line has the tag that the line lacks.
#[test]
fn the_tag_of_the_command() {
    // https://github.com/treeverse/lakeFS/pull/2481
    check(
        "+ docker push ghcr.io/treeverse/lakefs/build-cache:sha-8a0240c\n\
         The push refers to repository [ghcr.io/treeverse/lakefs/build-cache]\n\
         5f70bf18a086: Preparing\n\
         denied: permission_denied: write_package\n\
         Error: Process completed with exit code 1.\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/treeverse/lakefs/build-cache:sha-8a0240c | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    // https://github.com/docker/build-push-action/issues/38
    check(
        "Successfully tagged docker.pkg.github.com/XXX/YYY/maintenance:sha-eac817d\n\
         Pushing image [docker.pkg.github.com/XXX/YYY/maintenance:sha-eac817d]\n\
         The push refers to repository [docker.pkg.github.com/XXX/YYY/maintenance]\n\
         3810cc0c140f: Layer already exists\n\
         unknown blob\n\
         Error: exit status 1\n",
        &expect![[r"
            - - - docker.pkg.github.com docker.pkg.github.com/XXX/YYY/maintenance:sha-eac817d | : unknown blob | blob-lost
        "]],
    );
}

/// What is read and what is written, in fields.
#[test]
fn a_copy_in_fields() {
    // https://github.com/regclient/regclient/issues/907
    check(
        "time=2025-02-12T13:45:57.966Z level=WARN msg=\"Failed to push blob\" src=docker.io/bats/bats@sha256:00 tgt=***.azurecr.io/cache/bats/bats@sha256:00 err=\"failed to send blob post, ref ***.azurecr.io/cache/bats/bats@sha256:00: unauthorized\"\n",
        &expect![[r"
            - - start-upload ***.azurecr.io ***.azurecr.io/cache/bats/bats@sha256:00 | UNAUTHORIZED:  | credential-missing
        "]],
    );
}

/// Bazel names the method behind the address.
#[test]
fn a_download() {
    // https://github.com/periareon/rules_helm/issues/240
    check(
        "(20:46:19) WARNING: Download from https://ghcr.io/v2/bank-vaults/helm-charts/vault-operator/manifests/1.23.0 failed: class com.google.devtools.build.lib.bazel.repository.downloader.UnrecoverableHttpException GET returned 401 Unauthorized\n",
        &expect![[r"
            pull: 401 - check-manifest ghcr.io ghcr.io/bank-vaults/helm-charts/vault-operator:1.23.0 |  | credential-missing
        "]],
    );
}

/// Of several images of a list the one that was refused, in a fork that pushes to its upstream.
#[test]
fn of_a_list_in_a_fork() {
    // https://github.com/daytonaio/daytona/issues/4654
    check(
        "time=\"2026-05-07T14:44:40Z\" level=fatal msg=\"copying image 1/2 from manifest list: writing manifest: uploading manifest sha256:00 to ghcr.io/daytonaio/daytona-devcontainer: denied: permission_denied: The requested installation does not exist.\"\n",
        &expect![[r"
            - - put-tag ghcr.io ghcr.io/daytonaio/daytona-devcontainer | DENIED: permission_denied: The requested installation does not exist. | namespace-mismatch
        "]],
    );
}

/// The words for those who bring no credential.
#[test]
fn told_to_nobody() {
    // https://github.com/dragonflydb/dragonfly-operator/issues/383
    check(
        "helm show chart oci://ghcr.io/dragonflydb/dragonfly-operator/helm:v1.2.1\n\
         Error: failed to perform \"FetchReference\" on source: GET \"https://ghcr.io/v2/dragonflydb/dragonfly-operator/helm/manifests/v1.2.1\": GET \"https://ghcr.io/token?scope=repository%3Adragonflydb%2Fdragonfly-operator%2Fhelm%3Apull&service=ghcr.io\": response status code 403: denied: requested access to the resource is denied\n",
        &expect![[r"
            pull: 403 GET fetch-token ghcr.io ghcr.io/dragonflydb/dragonfly-operator/helm:v1.2.1 | DENIED: requested access to the resource is denied | credential-missing
        "]],
    );
}
