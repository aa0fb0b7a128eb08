//! What is known beside the words, and decides which cause comes first.

use oci_push::Step;

use super::check;
use super::locks::listed;
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{codes, denied, desk, job, run, silent};
use crate::{Access, Link, OwnerKind, TokenKind, diagnose};

/// `read_package` may be the token's lock as well: surely so where it may not even read.
#[test]
fn an_unreadable_package_and_the_tokens_lock() {
    let read = denied("permission_denied: read_package");
    let scopes = |access| Some(listed(&[("packages", access)]));
    check(
        "the file withholds it",
        &read,
        &run(|actions| actions.permissions = scopes(Access::None)),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("package-unreadable", Likely),
            ("package-just-created", Possible),
        ],
    );
    check(
        "the file lets it read",
        &read,
        &run(|actions| actions.permissions = scopes(Access::Read)),
        &[
            ("package-unreadable", Likely),
            ("workflow-lacks-packages-write", Possible),
            ("package-just-created", Possible),
        ],
    );
    check(
        "the log shows that it could write",
        &read,
        &run(|actions| {
            actions.permissions = scopes(Access::None);
            actions.granted = Some(Access::Write);
        }),
        &[
            ("package-unreadable", Likely),
            ("package-just-created", Possible),
        ],
    );
    check(
        "the same to HEAD",
        &silent(Step::CheckBlob, "HEAD"),
        &run(|actions| actions.granted = Some(Access::None)),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("secondary-rate-limit", Possible),
            ("package-unreadable", Possible),
            ("package-just-created", Possible),
        ],
    );
}

#[test]
fn a_public_package_is_not_called_private() {
    let read = denied("permission_denied: read_package");
    for mut context in [job(), desk(TokenKind::ClassicPersonal)] {
        context.package_facts.visibility = Some("public".to_owned());
        let diagnosis = diagnose(&read, &context).expect("a diagnosis");
        for cause in &diagnosis.causes {
            assert!(!cause.why.contains("private"), "{}", cause.why);
            assert!(!cause.remedy.contains("public"), "{}", cause.remedy);
        }
    }
}

/// Another App's token is refused whatever the package says, so that nothing about the package is proven.
#[test]
fn another_apps_token() {
    let mut context = run(|actions| actions.token_is_own = Some(false));
    context.package_facts.link = Link::Unlinked;
    context.just_created = Some(false);
    check(
        "https://github.com/devsy-org/devsy/pull/777",
        &denied("permission_denied: write_package"),
        &context,
        &[
            ("app-token-unsupported", Likely),
            ("package-denies-repository", Likely),
        ],
    );
    check(
        "it may not see it",
        &denied("permission_denied: read_package"),
        &context,
        &[
            ("app-token-unsupported", Likely),
            ("package-unreadable", Likely),
        ],
    );
}

/// A name is quoted in refusals of every kind.
#[test]
fn billing_in_a_name() {
    let mut context = job();
    context.package = "billing".to_owned();
    let words = "permission_denied: write_package for owner/billing";
    let codes = &[("package-denies-repository", Likely)];
    check("a name", &denied(words), &context, codes);
    let words = "Packages are restricted until the billing issue is resolved";
    let codes = &[("billing", Proven)];
    check("a reason", &denied(words), &context, codes);
}

/// With a right block on disk it is another token or another file, and the credential's source is named.
#[test]
fn a_right_block_and_a_user() {
    let mut context = run(|actions| {
        actions.permissions = Some(listed(&[("packages", Access::Write)]));
        actions.reusable = Some(false);
    });
    context.owner_kind = Some(OwnerKind::User);
    let write = denied("installation not allowed to Write organization package");
    for (own, of_run, code, why) in [
        (
            None,
            None,
            "workflow-lacks-packages-write",
            "the credential from GITHUB_TOKEN is not this job's token, or the run used another version of the file",
        ),
        (
            None,
            Some(true),
            "app-token-unsupported",
            "the credential from GITHUB_TOKEN is not this job's token",
        ),
        (
            Some(true),
            None,
            "workflow-lacks-packages-write",
            "the run used another version of the file",
        ),
        (
            Some(true),
            Some(true),
            "workflow-lacks-packages-write",
            "something above the file overrules it",
        ),
    ] {
        let actions = context.actions.get_or_insert_default();
        actions.token_is_own = own;
        actions.file_is_of_run = of_run;
        let diagnosis = diagnose(&write, &context).expect("a diagnosis");
        assert_eq!(
            codes(Some(&diagnosis)),
            [(code, Likely)],
            "{own:?} {of_run:?}"
        );
        let cause = &diagnosis.causes[0];
        assert!(
            cause.why.ends_with(&format!("is right: {why}")),
            "{}",
            cause.why
        );
        // What runs already needs not be brought there.
        assert_eq!(
            cause.remedy.contains("bring the block"),
            of_run.is_none(),
            "{}",
            cause.remedy
        );
        assert!(
            cause.remedy.contains("GITHUB_TOKEN Permissions"),
            "{}",
            cause.remedy
        );
    }
}

/// A date that GitHub's API told stands wherever the credential is called bad.
#[test]
fn the_end_of_a_credential() {
    let mut context = desk(TokenKind::ClassicPersonal);
    context.token.expires = Some("2021-09-03 02:34:04 UTC".to_owned());
    for (expired, code, line) in [
        (Some(true), "credential-expired", "it expired at 2021-09-03"),
        (None, "credential-rejected", "it expires at 2021-09-03"),
        (
            Some(false),
            "credential-rejected",
            "it expires at 2021-09-03",
        ),
    ] {
        context.token.expired = expired;
        let diagnosis = diagnose(&denied("denied"), &context).expect("a diagnosis");
        assert_eq!(diagnosis.code.as_str(), code, "{expired:?}");
        let evidence = diagnosis.causes[0].evidence.join("\n");
        assert!(evidence.contains(line), "{evidence}");
    }
}

/// The address that GitHub's API sent stands first, whatever the registry's own words are.
#[test]
fn single_sign_on_by_the_api() {
    const ADDRESS: &str = "https://github.com/orgs/owner/sso?authorization_request=AB";
    let mut context = desk(TokenKind::ClassicPersonal);
    context.token.sso_url = Some(ADDRESS.to_owned());
    let bare = silent(Step::StartUpload, "POST");
    for evidence in [
        denied("denied"),
        denied("permission_denied: write_package"),
        denied("permission_denied: read_package"),
        denied("permission_denied: something new"),
        bare.clone(),
        silent(Step::CheckBlob, "HEAD"),
    ] {
        let diagnosis = diagnose(&evidence, &context).expect("a diagnosis");
        let first = &diagnosis.causes[0];
        let found = (first.code.as_str(), first.likelihood);
        assert_eq!(found, ("sso-not-authorised", Likely), "{evidence:?}");
        assert_eq!(first.url.as_deref(), Some(ADDRESS));
        assert!(first.remedy.contains(ADDRESS), "{}", first.remedy);
    }
    // It was another token that the API refused.
    let mut workflow = desk(TokenKind::Installation);
    workflow.token.sso_url = Some(ADDRESS.to_owned());
    check(
        "an installation token needs no single sign-on",
        &bare,
        &workflow,
        &[
            ("workflow-lacks-packages-write", Possible),
            ("secondary-rate-limit", Possible),
            ("package-denies-repository", Possible),
        ],
    );
}
