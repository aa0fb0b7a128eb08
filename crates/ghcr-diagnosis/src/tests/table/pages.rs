//! What a cause leads to: pages that are there, commands that can be run.

use crate::tests::support::{denied, desk, job, silent};
use crate::{Context, Credential, Evidence, OwnerKind, TokenKind, Tool, diagnose, log};

/// Both addresses while it is not known which one is there; none that has a place left for a name.
#[test]
fn the_pages_of_a_package() {
    let organization = "https://github.com/orgs/owner/packages/container/app/settings";
    let user = "https://github.com/users/owner/packages/container/app/settings";
    let write = denied("permission_denied: write_package");
    for (kind, url, pages) in [
        (None, None, vec![organization, user]),
        (
            Some(OwnerKind::Organization),
            Some(organization),
            vec![organization],
        ),
        (Some(OwnerKind::User), Some(user), vec![user]),
    ] {
        let mut context = job();
        context.owner_kind = kind;
        let diagnosis = diagnose(&write, &context).expect("a diagnosis");
        let cause = &diagnosis.causes[0];
        assert_eq!(cause.url.as_deref(), url, "{kind:?}");
        assert_eq!(cause.pages(), pages, "{kind:?}");
    }
    let nameless = Evidence { url: None, ..write };
    let diagnosis = diagnose(&nameless, &Context::default()).expect("a diagnosis");
    assert_eq!(diagnosis.causes[0].pages(), Vec::<&str>::new());
}

/// `check` takes no digest.
#[test]
fn the_command_that_asks_again() {
    let evidence = Evidence {
        reference: Some(format!("ghcr.io/acme/app@sha256:{}", "a".repeat(64))),
        ..silent(oci_push::Step::CheckManifest, "HEAD")
    };
    let diagnosis = diagnose(&evidence, &Context::default()).expect("a diagnosis");
    let told = diagnosis.causes[0].evidence.join("\n");
    assert!(
        told.contains("`ghcr-push check ghcr.io/acme/app`"),
        "{told}"
    );
}

fn first_of_log(log: &str) -> crate::Cause {
    let refusals = log::recognise(log);
    let diagnosis = diagnose(&refusals[0], &Context::default()).expect("a diagnosis");
    diagnosis.causes[0].clone()
}

/// ghcr.io's token service says 403 to a bad credential, 401 to none, and 405 to an identity token.
#[test]
fn what_the_token_service_says() {
    for (log, code) in [
        (
            "failed to push ghcr.io/acme/app:1: GET \"https://ghcr.io/token?scope=repository%3Aacme%2Fapp%3Apull%2Cpush\
             &service=ghcr.io\": response status code 401: unauthorized: authentication required",
            "credential-missing",
        ),
        (
            "failed to push ghcr.io/acme/app:1: failed to fetch oauth token: unexpected status from POST request to \
             https://ghcr.io/token: 405 Method Not Allowed",
            "credential-rejected",
        ),
    ] {
        assert_eq!(first_of_log(log).code.as_str(), code, "{log}");
    }
    let exchange = first_of_log(
        "unexpected status from POST request to https://ghcr.io/token: 405 Method Not Allowed",
    );
    assert!(exchange.why.contains("identity token"), "{exchange:?}");
    assert!(
        exchange.remedy.contains("docker logout ghcr.io"),
        "{exchange:?}"
    );
}

/// At a desk an empty variable is mended at the desk.
#[test]
fn empty_variables_at_a_desk() {
    let mut context = desk(TokenKind::Unknown);
    context.tool = Tool::GhcrPush;
    context.credential = Credential::Absent;
    context.empty_variables = vec!["GH_TOKEN".to_owned(), "GITHUB_TOKEN".to_owned()];
    let diagnosis = crate::without_credential(&context).expect("a diagnosis");
    let cause = &diagnosis.causes[0];
    assert!(
        cause.why.starts_with("GH_TOKEN, GITHUB_TOKEN are empty"),
        "{cause:?}"
    );
    assert!(!cause.remedy.contains("secret"), "{cause:?}");
}

/// Where a good credential was passed over, taking the stale one away is enough.
#[test]
fn a_credential_that_was_passed_over() {
    let mut context = desk(TokenKind::ClassicPersonal);
    let remedy = |context: &Context| {
        let diagnosis = diagnose(&denied("denied"), context).expect("a diagnosis");
        diagnosis.causes[0].remedy.clone()
    };
    assert!(!remedy(&context).contains("passed over"));
    context.shadowed = context.credential.facts().cloned().into_iter().collect();
    assert!(
        remedy(&context).contains("take this one away"),
        "{}",
        remedy(&context)
    );
}

/// `read-all` becomes a list of what it let read.
#[test]
fn all_that_may_be_read() {
    let block = crate::Grants::All(crate::Access::Read).with_packages_write();
    for line in ["contents: read", "pull-requests: read", "packages: write"] {
        assert!(block.iter().any(|one| one == line), "{block:?}");
    }
    assert!(
        !block.iter().any(|one| one == "packages: read"),
        "{block:?}"
    );
}
