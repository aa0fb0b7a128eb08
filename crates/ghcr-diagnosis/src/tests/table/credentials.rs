//! Owners, scopes and credentials, and what has no words at all.

use oci_push::Step;

use super::locks::listed;
use super::{Codes, check};
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{denied, desk, job, refusal, run, silent};
use crate::{Access, Code, Context, Credential, Evidence, OwnerKind, TokenKind, Tool, diagnose};

#[test]
fn owners_and_scopes() {
    let scopes = denied("permission_denied: The token provided does not match expected scopes.");
    let create = denied("permission_denied: create_package");
    let missing: Codes = &[("missing-scope", Proven)];
    check(
        "https://github.com/daltoniam/switchboard/pull/139",
        &scopes,
        &desk(TokenKind::ClassicPersonal),
        missing,
    );
    check(
        "https://github.com/danjac/django-studio/issues/240",
        &scopes,
        &desk(TokenKind::OAuth),
        missing,
    );
    check(
        "https://github.com/docker/login-action/issues/331",
        &scopes,
        &desk(TokenKind::FineGrainedPersonal),
        &[("fine-grained-token-unsupported", Proven)],
    );
    check(
        "nothing is known of the token",
        &scopes,
        &Context::default(),
        &[
            ("missing-scope", Likely),
            ("fine-grained-token-unsupported", Possible),
        ],
    );
    check(
        "https://github.com/community/community/discussions/32184",
        &create,
        &desk(TokenKind::ClassicPersonal),
        &[
            ("cannot-create-package", Likely),
            ("organization-policy", Possible),
        ],
    );
    let mut another = desk(TokenKind::ClassicPersonal);
    another.token.login = Some("Somebody".to_owned());
    another.owner_kind = Some(OwnerKind::User);
    check(
        "a user's namespace is the user's",
        &create,
        &another,
        &[("cannot-create-package", Proven)],
    );
    check(
        "https://github.com/macbre/push-to-ghcr/issues/26",
        &denied("permission_denied: The requested installation does not exist."),
        &run(|actions| actions.repository = "fork/source".to_owned()),
        &[("namespace-mismatch", Proven)],
    );
}

#[test]
fn credentials_and_their_absence() {
    let at = |step, evidence: Evidence| Evidence {
        step: Some(step),
        ..evidence
    };
    let token = at(Step::FetchToken, denied("denied"));
    let dead = refusal(
        401,
        "UNAUTHORIZED",
        "unauthenticated: User cannot be authenticated with the token provided.",
    );
    let classic = desk(TokenKind::ClassicPersonal);
    let rejected: Codes = &[("credential-rejected", Likely)];
    check(
        "https://github.com/docker/login-action/issues/26",
        &denied("denied"),
        &classic,
        rejected,
    );
    check(
        "https://github.com/argoproj-labs/argocd-image-updater/issues/303",
        &denied("invalid token"),
        &classic,
        rejected,
    );
    check(
        "https://github.com/getwud/wud/issues/219",
        &dead,
        &classic,
        rejected,
    );
    check(
        "https://github.com/docker/build-push-action/issues/617",
        &dead,
        &Context::default(),
        &[
            ("credential-missing", Likely),
            ("credential-rejected", Possible),
        ],
    );
    check(
        "https://github.com/dexidp/dex/issues/2672",
        &token,
        &Context::default(),
        &[
            ("credential-rejected", Likely),
            ("credential-missing", Possible),
        ],
    );
    check(
        "https://github.com/package-operator/package-operator/issues/700",
        &denied("requested access to the resource is denied"),
        &Context::default(),
        &[
            ("credential-missing", Likely),
            ("credential-rejected", Possible),
        ],
    );
    let mut anonymous = token.clone();
    anonymous.anonymous = Some(true);
    check(
        "https://github.com/project-copacetic/copacetic/issues/266",
        &anonymous,
        &Context::default(),
        &[("credential-missing", Proven)],
    );
    let mut expired = classic.clone();
    expired.token.expired = Some(true);
    check(
        "the API tells the date",
        &token,
        &expired,
        &[("credential-expired", Proven)],
    );
    let mut during = classic.clone();
    during.succeeded_before = Some(true);
    check(
        "https://github.com/ansible-community/images/issues/87",
        &token,
        &during,
        &[
            ("credential-expired", Likely),
            ("credential-rejected", Possible),
        ],
    );
    check(
        "good for nothing",
        &token,
        &desk(TokenKind::Refresh),
        &[("credential-rejected", Proven)],
    );
}

#[test]
fn a_refusal_without_a_word() {
    let head = silent(Step::CheckBlob, "HEAD");
    let post = silent(Step::StartUpload, "POST");
    check(
        "https://github.com/docker/build-push-action/issues/981",
        &head,
        &job(),
        &[
            ("package-unreadable", Possible),
            ("secondary-rate-limit", Possible),
            ("package-just-created", Possible),
        ],
    );
    check(
        "https://github.com/hyperledger-firefly/helm-charts/pull/78",
        &post,
        &job(),
        &[
            ("workflow-lacks-packages-write", Possible),
            ("secondary-rate-limit", Possible),
            ("package-denies-repository", Possible),
        ],
    );
    check(
        "the file withholds it",
        &post,
        &run(|actions| actions.permissions = Some(listed(&[("contents", Access::Read)]))),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("package-denies-repository", Possible),
            ("secondary-rate-limit", Possible),
        ],
    );
}

/// A run has a token of its own, which nobody has to make.
#[test]
fn none_in_a_run() {
    let mut token = denied("denied");
    token.step = Some(Step::FetchToken);
    for (mut context, is_run) in [(job(), true), (desk(TokenKind::ClassicPersonal), false)] {
        context.credential = Credential::Absent;
        context.tool = Tool::GhcrPush;
        let diagnosis = diagnose(&token, &context).expect("a diagnosis");
        let cause = &diagnosis.causes[0];
        assert_eq!(cause.code, Code::CredentialMissing);
        assert_eq!(
            cause.remedy.starts_with("Give the step the job's token:"),
            is_run,
            "{}",
            cause.remedy
        );
        assert_eq!(cause.url.is_none(), is_run, "{:?}", cause.url);
    }
}
