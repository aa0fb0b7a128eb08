//! Whose token it was: known, not known, or known to be another than the words speak of.

use oci_push::Step;

use super::{Codes, check};
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{denied, desk, job, run, silent};
use crate::{Access, Context, Credential, OwnerKind, TokenKind, Tool, diagnose};

/// The package's lock does not tell whether a workflow or a person met it.
#[test]
fn a_token_of_unknown_kind() {
    let write = denied("permission_denied: write_package");
    let codes: Codes = &[
        ("package-denies-repository", Likely),
        ("package-denies-user", Possible),
    ];
    check("a log", &write, &desk(TokenKind::Unknown), codes);
    let mut log = job();
    log.credential = Credential::Unknown;
    check("a log, explained in the job", &write, &log, codes);
    let mut typed = desk(TokenKind::Unknown);
    typed.tool = Tool::GhcrPush;
    let codes: Codes = &[
        ("package-denies-user", Likely),
        ("package-denies-repository", Possible),
    ];
    check("a command that somebody typed", &write, &typed, codes);
    check(
        "gh's token may lack the scope, and nobody knows that it is gh's",
        &denied("permission_denied: read_package"),
        &Context::default(),
        &[
            ("package-unreadable", Likely),
            ("package-denies-user", Possible),
            ("package-just-created", Possible),
            ("missing-scope", Possible),
        ],
    );
    check(
        "the same without words",
        &silent(Step::CheckManifest, "HEAD"),
        &Context::default(),
        &[
            ("package-unreadable", Possible),
            ("secondary-rate-limit", Possible),
            ("package-denies-user", Possible),
            ("package-just-created", Possible),
            ("missing-scope", Possible),
            ("sso-not-authorised", Possible),
        ],
    );
    let mut users = desk(TokenKind::ClassicPersonal);
    users.owner_kind = Some(OwnerKind::User);
    users.just_created = Some(false);
    check(
        "a user's packages need no single sign-on",
        &silent(Step::CheckManifest, "HEAD"),
        &users,
        &[
            ("package-unreadable", Possible),
            ("secondary-rate-limit", Possible),
        ],
    );
}

/// No repository of another owner can be added to a package.
#[test]
fn another_owners_package() {
    let write = denied("permission_denied: write_package");
    let mut context = run(|actions| actions.repository = "other/source".to_owned());
    let codes: Codes = &[("namespace-mismatch", Likely)];
    check("a workflow's token", &write, &context, codes);
    context.credential = Credential::Unknown;
    let codes: Codes = &[
        ("package-denies-user", Likely),
        ("namespace-mismatch", Possible),
    ];
    check("a log, explained in the job", &write, &context, codes);
    let diagnosis = diagnose(&write, &context).expect("a diagnosis");
    for cause in diagnosis.causes {
        assert!(!cause.remedy.contains("Manage Actions access"), "{cause:?}");
    }
}

/// Words for an installation's token give a person's no cure of a workflow.
#[test]
fn a_persons_token_and_words_for_a_workflow() {
    for words in [
        "installation not allowed to Write organization package",
        "permission_denied: installation not allowed to Create organization package",
        "permission_denied: The requested installation does not exist.",
    ] {
        let unknown: Codes = &[("unknown-denial", Possible)];
        let fine: Codes = &[
            ("fine-grained-token-unsupported", Likely),
            ("unknown-denial", Possible),
        ];
        for (kind, codes) in [
            (TokenKind::ClassicPersonal, unknown),
            (TokenKind::OAuth, unknown),
            (TokenKind::FineGrainedPersonal, fine),
        ] {
            check(words, &denied(words), &desk(kind), codes);
            let diagnosis = diagnose(&denied(words), &desk(kind)).expect("a diagnosis");
            let last = diagnosis.causes.last().expect("a cause");
            assert!(last.why.starts_with("another token was used"), "{last:?}");
            for cause in &diagnosis.causes {
                assert!(!cause.remedy.contains("${{"), "{cause:?}");
                assert!(!cause.remedy.contains("permissions:"), "{cause:?}");
            }
        }
    }
}

/// The prefix speaks for another App in a run as well, since it is there that Apps' tokens live.
#[test]
fn another_apps_prefix_in_a_run() {
    let prefixed =
        denied("permission_denied: installation not allowed to Write organization package");
    let logged = |granted| {
        let mut context = run(|actions| actions.granted = granted);
        context.credential = Credential::Unknown;
        context
    };
    let other: Codes = &[
        ("app-token-unsupported", Likely),
        ("workflow-lacks-packages-write", Likely),
        ("organization-policy", Possible),
    ];
    check("a log", &prefixed, &logged(None), other);
    check(
        "the job's log shows that its token lacks it",
        &prefixed,
        &logged(Some(Access::Read)),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("app-token-unsupported", Possible),
            ("organization-policy", Possible),
        ],
    );
}

/// A block that is right is said to be, and what overrules it comes first.
#[test]
fn a_right_block_is_overruled() {
    let write = denied("installation not allowed to Write organization package");
    let context = run(|actions| {
        actions.permissions = Some(super::locks::listed(&[("packages", Access::Write)]));
        actions.file_is_of_run = Some(true);
        actions.reusable = Some(false);
    });
    let codes: Codes = &[
        ("organization-policy", Likely),
        ("app-token-unsupported", Possible),
    ];
    check("the file of the run", &write, &context, codes);
    let diagnosis = diagnose(&write, &context).expect("a diagnosis");
    let first = &diagnosis.causes[0];
    let statement = "the block in the workflow's file is right, and a policy overrules it";
    assert!(first.why.starts_with(statement), "{first:?}");
    assert!(
        first.remedy.contains("GITHUB_TOKEN Permissions"),
        "{first:?}"
    );
}

/// The refusal names the organization whose list it is.
#[test]
fn whose_list_of_addresses() {
    let words = "permission_denied: Although you appear to have the correct authorization credentials, the `acme` \
                 organization has an IP allow list enabled, and your IP address is not permitted";
    let codes: Codes = &[("ip-not-allowed", Proven)];
    let context = Context::default();
    check("a log without a reference", &denied(words), &context, codes);
    let diagnosis = diagnose(&denied(words), &context).expect("a diagnosis");
    let cause = &diagnosis.causes[0];
    let start = "the organization acme admits";
    assert!(cause.why.starts_with(start), "{cause:?}");
    let page = "https://github.com/organizations/acme/settings/security";
    assert_eq!(cause.url.as_deref(), Some(page));
}
