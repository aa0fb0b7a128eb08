//! Answers of which a log shows more than a registry's list of errors: bodies of other kinds, and headers.

use expect_test::expect;

use super::{check, recognise};

const SILENT: &str =
    "Error: POST https://ghcr.io/v2/acme/web/blobs/uploads/: unexpected status code 403 Forbidden";

/// Words in JSON that is no list of errors are words.
#[test]
fn objects() {
    check(
        &format!("{SILENT}: {{\"message\":\"Too many requests. Please slow down.\"}}\n"),
        &expect![[r#"
            403 POST start-upload ghcr.io ghcr.io/acme/web | {"message":"Too many requests. Please slow down."} | rate-limit
        "#]],
    );
    check(
        &format!(
            "{SILENT}: {{\"documentation_url\":\"https://docs.github.com\",\"message\":\"Account suspended\"}}\n"
        ),
        &expect![[r#"
            403 POST start-upload ghcr.io ghcr.io/acme/web | {"documentation_url":"https://docs.github.com","message":"Account suspended"} | unknown-denial
        "#]],
    );
    check(
        &format!("{SILENT}: {{\"errors\":[{{\"message\":\"Account suspended\"}}]}}\n"),
        &expect![[r"
            403 POST start-upload ghcr.io ghcr.io/acme/web | : Account suspended | unknown-denial
        "]],
    );
    // A line that is JSON as a whole is a logger's, and what another service answers is no registry's.
    check(
        "docker push ghcr.io/acme/web:1\n{\"message\":\"HTTP 403 from https://example.com\",\"code\":1}\n\
         Error: 404 {\"message\":\"Not Found\",\"documentation_url\":\"https://docs.github.com/rest\"}\n",
        &expect![[""]],
    );
}

/// Headers as curl, crane and ORAS show them.
#[test]
fn headers() {
    for (log, expected) in [
        (
            "< HTTP/2 403\n< retry-after: 60\n< x-ratelimit-remaining: 0\n< set-cookie: a=b\nSILENT\n",
            "retry-after=60 x-ratelimit-remaining=0",
        ),
        (
            "2026/11/20 22:14:03 HTTP/2.0 403 Forbidden\nRetry-After: 60\n\nSILENT\n",
            "retry-after=60",
        ),
        (
            "[2026-11-20 22:10:03.123][DEBUG]: Response #3\n< Response Status: \"403 Forbidden\"\n\
             < Response headers:\n   \"Retry-After\": \"60\"\n   \"X-Github-Sso\": \"required; url=https://github.com/orgs/acme/sso\"\nSILENT\n",
            "retry-after=60 x-github-sso=required; url=https://github.com/orgs/acme/sso",
        ),
        // The last answer counts, and only with the status of the refusal.
        (
            "< HTTP/2 429\n< retry-after: 60\n< HTTP/2 403\n< server: x\nSILENT\n",
            "",
        ),
        ("< HTTP/2 429\n< retry-after: 60\nSILENT\n", ""),
        ("a | < HTTP/2 403\na | < retry-after: 60\nb | SILENT\n", ""),
    ] {
        let refusals = recognise(&log.replace("SILENT", SILENT));
        let told = |(name, value): &(String, String)| format!("{name}={value}");
        let silent = refusals
            .iter()
            .find(|refusal| refusal.method.as_deref() == Some("POST"));
        let headers: Vec<String> = silent.expect(log).headers.iter().map(told).collect();
        assert_eq!(headers.join(" "), expected, "{log}");
    }
}

/// A body over several lines is one refusal.
#[test]
fn a_body_below_its_refusal() {
    check(
        "2026-11-20T22:14:02.1Z $ oras push ghcr.io/acme/web:1 a.txt\n\
         2026-11-20T22:14:03.1Z Error response from registry: denied: permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body:\n\
         2026-11-20T22:14:03.1Z {\"message\": \"You have exceeded a\n\
         2026-11-20T22:14:03.1Z secondary rate limit. Please wait\"}\n",
        &expect![[r#"
            - - - ghcr.io ghcr.io/acme/web:1 | DENIED: permission_denied: Error from intermediary with HTTP status code 403 "Forbidden" - with-body: {"message": "You have exceeded a secondary rate limit. Please wait"} | secondary-rate-limit
        "#]],
    );
}

/// Texts of tools that name a status in their own ways.
#[test]
fn statuses() {
    // https://github.com/sigstore/sigstore-js/blob/main/packages/oci/src/error.ts
    check(
        "Attestation created for ghcr.io/acme/web@sha256:aa\nError: Error uploading artifact to container registry\n\
         Error: Error fetching https://ghcr.io/v2/acme/web/blobs/uploads/ - expected 202, received 403\n",
        &expect![[r"
            403 - start-upload ghcr.io ghcr.io/acme/web@sha256:aa |  | workflow-lacks-packages-write
        "]],
    );
    // https://github.com/containers/image/blob/main/docker/docker_client.go
    check(
        "Error: logging into \"ghcr.io\": invalid username/password\n",
        &expect![[r"
            401 - - ghcr.io - | UNAUTHORIZED: invalid username/password | credential-rejected
        "]],
    );
    check(
        "Error: failed commit on ref \"layer-sha256:aa\": unexpected status from PUT request to https://ghcr.io/v2/acme/web/blobs/upload/0.ff5e?digest=sha256%3Aaa: 404 Not Found\n",
        &expect![[r"
            404 PUT commit-blob ghcr.io ghcr.io/acme/web |  | blob-lost
        "]],
    );
    check(
        "Error: GET https://ghcr.io/v2/: unexpected status code 403 Forbidden\n",
        &expect![[r"
            403 GET - ghcr.io - |  | credential-rejected
        "]],
    );
}

/// The words tell the kind of the token. The registry's have been seen with "Personal Access token"; with "OAuth token"
/// those of GitHub's other API (<https://github.com/cli/cli/issues/2661>).
#[test]
fn single_sign_on() {
    for kind in ["Personal Access token", "OAuth token"] {
        let log = format!(
            "docker push ghcr.io/acme/web:1\ndenied: permission_denied: Resource protected by organization SAML enforcement. You must grant your {kind} access to this organization.\n"
        );
        let refusals = recognise(&log);
        assert_eq!(refusals.len(), 1);
        assert!(refusals[0].words().contains(kind));
        let diagnosis = crate::diagnose(&refusals[0], &crate::Context::default());
        let code = diagnosis.expect("a diagnosis").code;
        assert_eq!(code.as_str(), "sso-not-authorised");
    }
}
