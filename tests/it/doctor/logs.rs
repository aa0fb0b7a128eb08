//! Whole explanations of logs that show no refused push to GitHub's registry.

use expect_test::expect;
use serde_json::Value;

use super::explain::{check, explained};

/// What a node of Kubernetes tells of an image that it may not read
/// (<https://github.com/whiteducksoftware/az-dns-forwarder/issues/1>).
#[test]
fn a_refused_pull() {
    let log = "  Normal   Pulling    5s (x3 over 46s)   kubelet            Pulling image \"ghcr.io/owner/app:1\"\n  \
               Warning  Failed     5s (x3 over 46s)   kubelet            Failed to pull image \"ghcr.io/owner/app:1\": rpc \
               error: code = Unknown desc = Error response from daemon: Get https://ghcr.io/v2/owner/app/manifests/1: \
               unauthorized\n";
    check(
        &explained(log, &[]),
        &expect![[r"
            refusal: the pull of ghcr.io/owner/app:1
              caused by: ghcr.io refused the request to look up the tag
              caused by: UNAUTHORIZED
              request: GET https://ghcr.io/v2/owner/app/manifests/1

            diagnosis: the pull was refused

            1. credential-missing (likely)
               without a credential only public packages can be read: this one is private, or there is none of that name
               evidence:
                 - ghcr.io said UNAUTHORIZED, and nothing more
               what to do:
                 Check the name of ghcr.io/owner/app:1. If it is right, make a secret for ghcr.io with `kubectl create secret docker-registry` and name it in the pod's `imagePullSecrets` (a classic token with the scope read:packages). Or whoever owns the package makes it public, which shows every version that it holds and cannot be undone.
                 https://github.com/settings/tokens/new?scopes=read:packages

            2. credential-rejected (possible)
               the stored credential is wrong, expired or revoked. A stale one refuses even packages that are public
               evidence:
                 - ghcr.io said UNAUTHORIZED, and nothing more
               what to do:
                 Try without it: take the secret out of the pod's `imagePullSecrets`, and pull again; a public package needs no credential. For a private one make a secret for ghcr.io with `kubectl create secret docker-registry` and name it in the pod's `imagePullSecrets` (a classic token with the scope read:packages).
                 https://github.com/settings/tokens/new?scopes=read:packages

            not known from the log: the HTTP status; the registry's own words; which credential was used, and of what kind; the workflow run, if it was one (explain in a step of the same job sees it)
        "]],
    );
}

/// A base image that a stale credential cannot read (<https://github.com/nickjj/docker-django-example/issues/62>).
#[test]
fn a_base_image() {
    let log = "failed to solve: ghcr.io/astral-sh/uv:0.6.9: failed to resolve source metadata for \
               ghcr.io/astral-sh/uv:0.6.9: failed to authorize: failed to fetch oauth token: unexpected status from GET \
               request to https://ghcr.io/token?scope=repository%3Aastral-sh%2Fuv%3Apull&service=ghcr.io: 403 Forbidden\n";
    check(
        &explained(log, &[]),
        &expect![[r#"
            refusal: the pull of ghcr.io/astral-sh/uv:0.6.9
              caused by: ghcr.io answered 403 to the request to fetch a token
              request: GET https://ghcr.io/token?scope=repository%3Aastral-sh%2Fuv%3Apull&service=ghcr.io

            diagnosis: the pull was refused

            1. credential-rejected (likely)
               the stored credential is wrong, expired or revoked. A stale one refuses even packages that are public
               evidence:
                 - ghcr.io answered 403 Forbidden without a word
               what to do:
                 Try without it: run `docker logout ghcr.io`, and pull again; a public package needs no credential. For a private one log in with `docker login ghcr.io` (a classic token with the scope read:packages; in a workflow the job's GITHUB_TOKEN, which needs `packages: read`).
                 https://github.com/settings/tokens/new?scopes=read:packages

            2. package-unreadable (possible)
               the package is private and does not give the one who pulls the role Read, or there is none of that name
               evidence:
                 - ghcr.io answered 403 Forbidden without a word
               what to do:
                 Check the name of ghcr.io/astral-sh/uv:0.6.9. If it is right, ask an administrator of the package to open https://github.com/orgs/astral-sh/packages/container/uv/settings (if astral-sh is a user: https://github.com/users/astral-sh/packages/container/uv/settings) and to give the role Read: to a workflow's repository under "Manage Actions access" (the job needs `packages: read` besides), to a person under "Manage access".

            not known from the log: the registry's own words; which credential was used, and of what kind; the workflow run, if it was one (explain in a step of the same job sees it)
        "#]],
    );
}

/// A name without a host, which is Docker Hub's (<https://github.com/approvers/OreOreBot2/issues/701>).
#[test]
fn a_reference_without_a_host() {
    let log = "#26 exporting to image\n#26 pushing layers 0.2s done\n\
               #26 ERROR: failed to push approvers/oreorebot2:latest: server message: insufficient_scope: authorization \
               failed\n";
    check(
        &explained(log, &[]),
        &expect![[r"
        refusal: the push of docker.io/approvers/oreorebot2:latest
          caused by: docker.io answered 401
          caused by: UNAUTHORIZED: insufficient_scope: authorization failed

        docker.io is not one of GitHub's registries, whose causes and remedies do not hold there; look with which account the tool is logged in to it, and whether that may push to approvers/oreorebot2. A reference without a host is Docker Hub's; GitHub's begin with ghcr.io/

        not known from the log: which request was refused; which credential was used, and of what kind; the workflow run, if it was one (explain in a step of the same job sees it)
    "]],
    );
}

/// Only the words, of whichever registry (<https://github.com/docker/build-push-action/issues/363>).
#[test]
fn words_of_any_registry() {
    let log =
        "buildx call failed with: error: denied: requested access to the resource is denied\n";
    check(
        &explained(log, &[]),
        &expect![[r"
        refusal: a push
          caused by: DENIED: requested access to the resource is denied

        diagnosis: probably no credential was sent

        1. credential-missing (likely)
           nobody may push anonymously, and no credential for the registry was found
           evidence:
             - the registry said: requested access to the resource is denied
           what to do:
             Before the push, log in with `docker login REGISTRY`.

        2. credential-rejected (possible)
           the credential is wrong, expired or revoked
           evidence:
             - the registry said: requested access to the resource is denied
           what to do:
             Replace the credential where the tool that pushed found it. To take away what a login left behind, run `docker logout REGISTRY`; a stale one refuses even public pulls.

        the log does not tell which registry it was: this holds if it is ghcr.io. Docker Hub refuses in these words; a reference without a host is Docker Hub's, and GitHub's begin with ghcr.io/
        not known from the log: which reference was pushed; which registry it was; which request was refused; the HTTP status; which credential was used, and of what kind; the workflow run, if it was one (explain in a step of the same job sees it)
    "]],
    );
}

/// A certificate is nobody's permission, at whichever registry.
#[test]
fn a_registry_that_was_not_reached() {
    let log = "Error response from daemon: Get \"https://registry.example/v2/\": tls: failed to verify certificate: x509: \
               certificate signed by unknown authority\n";
    check(
        &explained(log, &[]),
        &expect![[r"
        failure: a request to registry.example
          request: GET https://registry.example/v2/

        diagnosis: the registry's certificate is not trusted

        1. certificate-untrusted (proven)
           registry.example was not asked, so that permissions are not the matter: the certificate that was shown is of no authority that the tool trusts. The registry has one of its own, or a proxy opens the connection
           evidence:
             - the tool tells that the certificate was not taken
           what to do:
             Give the machine the authority's certificate: for Docker as /etc/docker/certs.d/registry.example/ca.crt, for a builder of buildx in its buildkitd.toml, else among the system's. Leaving out the check instead hands the credential to whoever stands between.

        not known from the log: which reference was pushed
    "]],
    );
    let run = explained(log, &["--json"]);
    run.assert_code(0);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["diagnosis"]["code"], "certificate-untrusted");
    assert_eq!(json["refusals"][0]["note"], Value::Null);
    assert_eq!(json["refusals"][0]["host"], "registry.example");
}

/// A try that failed and one that did not: the refusal is told, and that nothing failed for it.
#[test]
fn a_refusal_that_was_made_good() {
    let log = "docker push ghcr.io/owner/app:1\n\
               The push refers to repository [ghcr.io/owner/app]\n\
               denied: permission_denied: read_package\n\
               Attempt 1 failed, trying again\n\
               docker push ghcr.io/owner/app:1\n\
               The push refers to repository [ghcr.io/owner/app]\n\
               1: digest: sha256:00 size: 528\n\
               docker push ghcr.io/owner/other:1\n\
               denied: permission_denied: write_package\n";
    let run = explained(log, &[]);
    run.assert_code(0);
    let first = run
        .stdout
        .find("refusal 1 of 2: the push of ghcr.io/owner/other:1");
    let second = run
        .stdout
        .find("refusal 2 of 2: the push of ghcr.io/owner/app");
    assert!(first.is_some() && first < second, "{}", run.stdout);
    let remark = run
        .stdout
        .find("the log tells later that ghcr.io/owner/app:1 was pushed");
    assert!(remark > second, "{}", run.stdout);
    let run = explained(log, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["diagnosis"]["code"], "package-denies-repository");
    assert_eq!(json["refusals"][0]["pushedLater"], serde_json::Value::Null);
    assert_eq!(json["refusals"][1]["pushedLater"], "ghcr.io/owner/app:1");
}

/// Two pushes at a time: neither is named, and what is not known says which it may be.
#[test]
fn a_refusal_of_one_of_two_pushes() {
    let log = "docker push ghcr.io/owner/api:1\n\
               docker push ghcr.io/owner/web:1\n\
               The push refers to repository [ghcr.io/owner/api]\n\
               The push refers to repository [ghcr.io/owner/web]\n\
               denied: permission_denied: write_package\n\
               1: digest: sha256:00 size: 528\n";
    let run = explained(log, &[]);
    run.assert_code(0);
    let unknown = "not known from the log: which reference was pushed (the log mixes several pushes: \
                   ghcr.io/owner/api or ghcr.io/owner/web)";
    assert!(run.stdout.contains(unknown), "{}", run.stdout);
    assert!(
        !run.stdout.contains("made this refusal good"),
        "{}",
        run.stdout
    );
}

/// The options of this program are no other's.
#[test]
fn a_limit_that_another_tool_met() {
    let words = "Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body: You have exceeded a \
                 secondary rate limit";
    for refusal in [words, "toomanyrequests: allowed: 2000/minute"] {
        let run = explained(
            &format!("failed to push ghcr.io/owner/app:1: denied: {refusal}\n"),
            &[],
        );
        run.assert_code(0);
        assert!(run.stdout.contains("rate-limit (proven)"), "{}", run.stdout);
        assert!(run.stdout.contains("max-parallel: 1"), "{}", run.stdout);
        assert!(!run.stdout.contains("--jobs"), "{}", run.stdout);
    }
}
