//! `permission_denied: write_package`: the package's lock.
//!
//! The token may write packages, but this package does not admit whoever it stands for. The usual story:
//! the package was first pushed by hand, so that no repository has access to it
//! (<https://github.com/danger/danger-js/issues/1414>,
//! <https://github.com/redhat-actions/push-to-registry/issues/52>). There is no API for the grant; it is
//! made on the package's page.

use oci_push::Rejection;

use super::{credential_of, words_of};
use crate::context::{Context, TokenKind};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

const PHRASE: &str = "write_package";

pub(super) fn diagnose(rejection: &Rejection, context: &Context) -> Option<Diagnosis> {
    if !rejection.words().contains(PHRASE) {
        return None;
    }
    let personal = context
        .credential
        .as_ref()
        .is_some_and(|credential| credential.kind.is_personal());
    let cause = if personal {
        denies_user(rejection, context)
    } else {
        denies_repository(rejection, context)
    };
    Some(Diagnosis {
        code: cause.code,
        summary: format!(
            "the package {}/{} exists, and does not admit this push",
            context.owner, context.package
        ),
        causes: vec![cause],
    })
}

fn denies_repository(rejection: &Rejection, context: &Context) -> Cause {
    let repository = context
        .actions
        .as_ref()
        .map(|actions| actions.repository.as_str());
    let known = repository.map_or_else(|| "this repository".to_owned(), str::to_owned);
    let added = repository.unwrap_or("the repository whose workflow pushes");
    let mut evidence = evidence(rejection, context);
    if context
        .credential
        .as_ref()
        .is_some_and(|c| c.kind == TokenKind::Installation)
    {
        evidence.push("a token without `packages: write` is refused with other words".to_owned());
    }
    Cause {
        code: Code::PackageDeniesRepository,
        likelihood: Likelihood::Likely,
        why: format!(
            "the package does not give {known} the role Write. It was probably first pushed by hand, or from \
             another repository. The workflow's `permissions:` are not the matter"
        ),
        evidence,
        remedy: format!(
            "Open {}, go to \"Manage Actions access\", choose \"Add repository\", add {added}, \
             and set its role to Write. Then run the job again.",
            pages(context)
        ),
        url: page::package_settings(context).into_iter().next(),
    }
}

fn denies_user(rejection: &Rejection, context: &Context) -> Cause {
    Cause {
        code: Code::PackageDeniesUser,
        likelihood: Likelihood::Likely,
        why: "the package does not give this token's user the role Write".to_owned(),
        evidence: evidence(rejection, context),
        remedy: format!(
            "Ask an administrator of the package to open {}, go to \"Manage access\" (\"Invite teams or \
             people\"), and give your user the role Write.",
            pages(context)
        ),
        url: page::package_settings(context).into_iter().next(),
    }
}

fn evidence(rejection: &Rejection, context: &Context) -> Vec<String> {
    let mut evidence = vec![words_of(rejection)];
    evidence.extend(credential_of(context));
    evidence
}

/// Both addresses if it is not known which one exists.
fn pages(context: &Context) -> String {
    let pages = page::package_settings(context);
    match pages.as_slice() {
        [organization, user] => format!("{organization} (if {} is a user: {user})", context.owner),
        _ => pages.concat(),
    }
}
