//! The registry's verbatim refusals, each with where it was seen, and what is made of them.

mod failures;
mod handbook;
mod hostile;
mod support;
mod table;

use bytes::Bytes;
use expect_test::{Expect, expect};
use http::{HeaderMap, Method, StatusCode};
use oci_push::internals::{Request, Response};
use oci_push::{Failure, Rejection, Step};

use super::{
    ActionsFacts, Code, Context, Credential, CredentialFacts, Diagnosis, Evidence, Likelihood,
    OwnerKind, TokenKind,
};

fn diagnose(failure: &Failure, context: &Context) -> Option<Diagnosis> {
    super::diagnose(&Evidence::of(failure), context)
}

fn failure(step: Step, status: u16, body: &str) -> Failure {
    let url: url::Url = "https://ghcr.io/v2/owner/app/blobs/uploads/"
        .parse()
        .expect("a URL");
    let request = Request::new(step, Method::POST, url.clone());
    let response = Response {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        url,
    };
    Failure::Rejected(Box::new(Rejection::new(&request, &response)))
}

fn denied(message: &str) -> Failure {
    let body = format!(r#"{{"errors":[{{"code":"DENIED","message":"{message}"}}]}}"#);
    failure(Step::StartUpload, 403, &body)
}

fn context(kind: TokenKind) -> Context {
    Context {
        reference: "ghcr.io/owner/app:1".to_owned(),
        owner: "owner".to_owned(),
        package: "app".to_owned(),
        web_host: "github.com".to_owned(),
        credential: Credential::Used(CredentialFacts {
            source: "GITHUB_TOKEN".to_owned(),
            kind,
        }),
        actions: Some(ActionsFacts {
            repository: "owner/source".to_owned(),
            workflow_file: Some(".github/workflows/release.yml".to_owned()),
            job: Some("publish".to_owned()),
            ..ActionsFacts::default()
        }),
        ..Context::default()
    }
}

fn codes(diagnosis: &Diagnosis) -> Vec<(&'static str, Likelihood)> {
    let causes = diagnosis.causes.iter();
    causes
        .map(|cause| (cause.code.as_str(), cause.likelihood))
        .collect()
}

#[test]
fn which_lock_is_shut() {
    use Likelihood::{Likely, Possible};
    use TokenKind::{ClassicPersonal, Installation, OAuth, Unknown};
    for (origin, message, kind, expected) in [
        (
            "https://github.com/tuna-os/tunaOS/issues/642",
            "permission_denied: write_package",
            Installation,
            vec![("package-denies-repository", Likely)],
        ),
        (
            "the same with a person's token",
            "permission_denied: write_package",
            ClassicPersonal,
            vec![("package-denies-user", Likely)],
        ),
        (
            "the same with gh's token",
            "permission_denied: write_package",
            OAuth,
            vec![("package-denies-user", Likely)],
        ),
        (
            "the same with a token that is not recognised",
            "permission_denied: write_package",
            Unknown,
            vec![
                ("package-denies-repository", Likely),
                ("package-denies-user", Possible),
            ],
        ),
        (
            "https://github.com/devcontainers/template-starter/issues/14",
            "installation not allowed to Create organization package",
            Installation,
            vec![
                ("workflow-lacks-packages-write", Likely),
                ("organization-policy", Possible),
            ],
        ),
        (
            "https://github.com/hyperledger-firefly/signer/pull/74",
            "installation not allowed to Write organization package",
            Installation,
            vec![
                ("workflow-lacks-packages-write", Likely),
                ("organization-policy", Possible),
            ],
        ),
        (
            "https://github.com/product-os/flowzone/pull/516",
            "permission_denied: installation not allowed to Create organization package",
            Installation,
            vec![
                ("workflow-lacks-packages-write", Likely),
                ("app-token-unsupported", Possible),
                ("organization-policy", Possible),
            ],
        ),
        (
            "https://github.com/nobody/has-seen-this",
            "permission_denied: something new",
            Installation,
            vec![("unknown-denial", Possible)],
        ),
    ] {
        let diagnosis = diagnose(&denied(message), &context(kind)).expect("a diagnosis");
        assert_eq!(codes(&diagnosis), expected, "{message} ({origin})");
        assert_eq!(diagnosis.code.as_str(), expected[0].0);
        assert!(
            diagnosis.causes[0].evidence[0].contains(message),
            "the words are evidence"
        );
    }
}

/// No remedy for one lock may stand in the explanation of the other.
#[test]
fn the_cures_do_not_mix() {
    let package = diagnose(
        &denied("permission_denied: write_package"),
        &context(TokenKind::Installation),
    );
    let package = package.expect("a diagnosis");
    assert!(
        package
            .causes
            .iter()
            .all(|cause| !cause.remedy.contains("permissions:"))
    );
    let token = denied("installation not allowed to Write organization package");
    let token = diagnose(&token, &context(TokenKind::Installation)).expect("a diagnosis");
    assert!(
        token
            .causes
            .iter()
            .all(|cause| !cause.remedy.contains("Manage Actions access"))
    );
    for cause in package.causes.iter().chain(&token.causes) {
        assert!(!cause.remedy.contains("id-token"), "{}", cause.remedy);
    }
}

#[test]
fn credentials() {
    let body = r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#;
    let refused = failure(Step::FetchToken, 403, body);
    let rejected = diagnose(&refused, &context(TokenKind::ClassicPersonal)).expect("a diagnosis");
    assert_eq!(
        codes(&rejected),
        [("credential-rejected", Likelihood::Likely)]
    );
    let mut nobody = context(TokenKind::Unknown);
    nobody.credential = Credential::Absent;
    let missing = diagnose(&refused, &nobody).expect("a diagnosis");
    assert_eq!(
        codes(&missing),
        [("credential-missing", Likelihood::Proven)]
    );
}

#[test]
fn what_is_no_refusal_is_not_diagnosed() {
    for status in [400, 404, 409, 416] {
        let failure = failure(Step::StartUpload, status, "");
        assert_eq!(
            diagnose(&failure, &context(TokenKind::Installation)),
            None,
            "{status}"
        );
    }
}

#[test]
fn a_rate_limit_in_disguise_is_given_no_permission_cure() {
    let message = "permission_denied: Error from intermediary with HTTP status code 403 Forbidden - with-body: \
                   You have exceeded a secondary rate limit.";
    let diagnosis =
        diagnose(&denied(message), &context(TokenKind::Installation)).expect("a diagnosis");
    assert_eq!(
        codes(&diagnosis),
        [("secondary-rate-limit", Likelihood::Proven)]
    );
}

#[track_caller]
fn check_page(context: &Context, expected: &Expect) {
    let diagnosis =
        diagnose(&denied("permission_denied: write_package"), context).expect("a diagnosis");
    expected.assert_eq(&diagnosis.causes[0].remedy);
}

#[test]
fn the_page_is_exact() {
    let mut context = context(TokenKind::Installation);
    context.package = "app/cache".to_owned();
    check_page(
        &context,
        &expect![[
            r#"Open https://github.com/orgs/owner/packages/container/app%2Fcache/settings (if owner is a user: https://github.com/users/owner/packages/container/app%2Fcache/settings), go to "Manage Actions access", choose "Add repository", add owner/source, and set its role to Write. Then run the job again."#
        ]],
    );
    context.owner_kind = Some(OwnerKind::User);
    check_page(
        &context,
        &expect![[
            r#"Open https://github.com/users/owner/packages/container/app%2Fcache/settings, go to "Manage Actions access", choose "Add repository", add owner/source, and set its role to Write. Then run the job again."#
        ]],
    );
    context.owner_kind = Some(OwnerKind::Organization);
    context.actions = None;
    check_page(
        &context,
        &expect![[
            r#"Open https://github.com/orgs/owner/packages/container/app%2Fcache/settings, go to "Manage Actions access", choose "Add repository", add the repository whose workflow pushes, and set its role to Write. Then run the job again."#
        ]],
    );
}

#[test]
fn token_kinds() {
    let long = format!("ghs_{}", "a.b_c-".repeat(90));
    for (token, kind) in [
        ("ghp_abc", TokenKind::ClassicPersonal),
        (
            "0123456789abcdef0123456789abcdef01234567",
            TokenKind::ClassicPersonal,
        ),
        ("github_pat_11A", TokenKind::FineGrainedPersonal),
        ("gho_abc", TokenKind::OAuth),
        ("ghu_abc", TokenKind::AppUser),
        (long.as_str(), TokenKind::Installation),
        ("ghr_abc", TokenKind::Refresh),
        ("hunter2", TokenKind::Unknown),
        ("", TokenKind::Unknown),
    ] {
        assert_eq!(TokenKind::of(token), kind, "{token}");
    }
}

#[test]
fn codes_are_stable() {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "package-denies-repository",
            "package-denies-user",
            "package-unreadable",
            "package-just-created",
            "workflow-lacks-packages-write",
            "fork-pull-request",
            "dependabot",
            "reusable-workflow",
            "organization-policy",
            "cannot-create-package",
            "app-token-unsupported",
            "fine-grained-token-unsupported",
            "missing-scope",
            "namespace-mismatch",
            "owner-not-found",
            "credential-missing",
            "credential-empty",
            "credential-rejected",
            "credential-expired",
            "sso-not-authorised",
            "ip-not-allowed",
            "secondary-rate-limit",
            "rate-limit",
            "registry-unavailable",
            "registry-unreachable",
            "certificate-untrusted",
            "intermediary",
            "reference-without-owner",
            "reference-invalid",
            "lookalike-host",
            "layer-too-large",
            "chunk-too-large",
            "upload-time-limit",
            "blob-lost",
            "manifest-unknown",
            "manifest-rejected",
            "digest-mismatch",
            "billing",
            "unknown-denial",
        ]
    );
}

/// The codes and likelihoods of a diagnosis, for tests elsewhere.
pub(crate) fn codes_of(diagnosis: Option<&Diagnosis>) -> Vec<(&'static str, Likelihood)> {
    support::codes(diagnosis)
}
