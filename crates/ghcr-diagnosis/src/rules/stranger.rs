//! Words that are said of installation tokens only, where the known credential is a person's.
//!
//! No cure for a workflow holds then: the token that the registry saw is not the one that is known. No report has
//! these words with a person's token.

use super::scope;
use crate::case::{Case, described};
use crate::context::TokenKind;
use crate::diagnosis::{Cause, Code, Likelihood};

/// The causes, `None` if the credential is not known to be a person's.
pub(super) fn causes(case: &Case) -> Option<Vec<Cause>> {
    let context = &case.context;
    let known = context
        .credential
        .facts()
        .filter(|_| context.is_personal())?;
    let mut causes = Vec::new();
    if known.kind == TokenKind::FineGrainedPersonal {
        causes.push(scope::fine_grained(case, Likelihood::Likely));
    }
    let mut evidence = case.basics();
    evidence.push(
        "the registry says this of the tokens of workflows and of GitHub Apps, not of a person's"
            .to_owned(),
    );
    causes.push(Cause {
        code: Code::UnknownDenial,
        likelihood: Likelihood::Possible,
        why: format!(
            "another token was used than the one that is known, which came from {}",
            described(known)
        ),
        evidence,
        remedy: "Find out what sends another token: a proxy or a mirror between that logs in with one of its own, or \
                 a credential that was changed meanwhile. Without those, try again once, and give GitHub Support the \
                 registry's words."
            .to_owned(),
        url: None,
    });
    Some(causes)
}
