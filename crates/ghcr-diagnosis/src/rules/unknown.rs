//! Refusals that nobody has catalogued: the registry's words as they are, and no advice that is
//! merely plausible.

use super::outage::STATUS_PAGE;
use super::{account, installation};
use crate::case::Case;
use crate::context::{Access, TokenKind};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    let is_client_error = case
        .evidence
        .status
        .is_none_or(|status| (400..500).contains(&status));
    let has_words = !case.is_silent();
    if !(case.is_denial() || (is_client_error && has_words)) {
        return None;
    }
    let mut causes: Vec<Cause> = account::refused_by_the_api(case).into_iter().collect();
    causes.push(cause(case));
    Diagnosis::of(
        "the registry refused, in words that are not known here",
        causes,
    )
}

/// The cause that is no cause.
pub(super) fn cause(case: &Case) -> Cause {
    let mut evidence = case.basics();
    evidence.extend(ruled_out(case));
    evidence.extend(case.context.probes.iter().cloned());
    let handle = case.evidence.request_id.as_deref().map_or_else(
        || "the time of the request".to_owned(),
        |identifier| format!("the request id {identifier}"),
    );
    Cause {
        code: Code::UnknownDenial,
        likelihood: Likelihood::Possible,
        why: "this refusal is not catalogued; it is neither the words for a token without \
              `packages: write` nor those for a package that does not admit the repository, nor those for a scope, \
              single sign-on, an owner or a credential"
            .to_owned(),
        evidence,
        remedy: format!(
            "Try again once: GitHub's refusals are at times transient. If it stays, ask GitHub Support \
             and give them {handle}."
        ),
        url: Some(STATUS_PAGE.to_owned()),
    }
}

/// What the known facts exclude.
fn ruled_out(case: &Case) -> Option<String> {
    let context = &case.context;
    let actions = context.actions.as_ref();
    let kind = context.kind();
    let facts = [
        (
            kind.is_some_and(|kind| {
                !matches!(kind, TokenKind::FineGrainedPersonal | TokenKind::Unknown)
            }),
            "a fine-grained token",
        ),
        (
            context.token.scopes.is_some() && !context.token.lacks_scope(),
            "a missing scope",
        ),
        (
            context.token.expired == Some(false),
            "an expired credential",
        ),
        (
            context.owner_exists == Some(true),
            "an owner that does not exist",
        ),
        (
            actions.is_some_and(|actions| actions.fork == Some(false)),
            "a pull request from a fork",
        ),
        (
            installation::listed(case) == Some(Access::Write),
            "a file without `packages: write`",
        ),
        (
            actions.is_some_and(|actions| !actions.repository.is_empty())
                && context.known_owner().is_some()
                && context.foreign_owner().is_none(),
            "another owner than the workflow's",
        ),
        (
            context.just_created == Some(false),
            "a package that was just created",
        ),
    ];
    let excluded: Vec<&str> = facts
        .into_iter()
        .filter_map(|(holds, what)| holds.then_some(what))
        .collect();
    (!excluded.is_empty()).then(|| format!("ruled out: {}", excluded.join(", ")))
}
