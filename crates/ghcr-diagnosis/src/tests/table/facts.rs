//! What is known beside the words, and decides which cause comes first.

use oci_push::Step;

use super::check;
use super::locks::listed;
use crate::Likelihood::{Likely, Possible};
use crate::tests::support::{denied, desk, run, silent};
use crate::{Access, OwnerKind, TokenKind, diagnose};

/// With a right block on disk it is another token or another file, and the credential's source is named.
#[test]
fn a_right_block_and_a_user() {
    let mut context = run(|actions| {
        actions.permissions = Some(listed(&[("packages", Access::Write)]));
        actions.reusable = Some(false);
    });
    context.owner_kind = Some(OwnerKind::User);
    let write = denied("installation not allowed to Write organization package");
    for (own, of_run, why) in [
        (
            None,
            None,
            "the credential from GITHUB_TOKEN is not this job's token, or the run used another version of the file",
        ),
        (
            None,
            Some(true),
            "the credential from GITHUB_TOKEN is not this job's token",
        ),
        (Some(true), None, "the run used another version of the file"),
    ] {
        let actions = context.actions.get_or_insert_default();
        actions.token_is_own = own;
        actions.file_is_of_run = of_run;
        check(
            "a user",
            &write,
            &context,
            &[("workflow-lacks-packages-write", Likely)],
        );
        let diagnosis = diagnose(&write, &context).expect("a diagnosis");
        let cause = &diagnosis.causes[0];
        assert!(
            cause.why.ends_with(&format!("is right: {why}")),
            "{}",
            cause.why
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
            ("package-denies-repository", Possible),
            ("secondary-rate-limit", Possible),
        ],
    );
}
