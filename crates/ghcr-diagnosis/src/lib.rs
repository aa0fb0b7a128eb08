//! Explains why GitHub Container Registry refused a push.
//!
//! The input is the evidence of a failure and what is known of the situation; the output is a ranked
//! list of causes, each with its evidence and one remedy that names the real owner, package,
//! repository, workflow file and page. Nothing is asked, read or printed here, and a fact that is not
//! known is `None`, never "no".
//!
//! ghcr.io has two locks, and people lose hours at the wrong one. `installation not allowed to ...`
//! is said when the *token* may not write packages; `permission_denied: write_package` when the
//! *package* does not admit the one who asks. The remedies have nothing in common.

mod context;
mod diagnosis;
mod page;
mod rules;

pub use context::{ActionsFacts, Context, CredentialFacts, OwnerKind, TokenKind};
pub use diagnosis::{Cause, Code, Diagnosis, Likelihood};

use oci_push::Failure;

/// Explains `failure`, or returns `None` if it is no refusal (a broken connection, a damaged archive).
#[must_use]
pub fn diagnose(failure: &Failure, context: &Context) -> Option<Diagnosis> {
    let rejection = failure.rejection()?;
    if !matches!(rejection.status.as_u16(), 401 | 403) {
        return None;
    }
    rules::RULES
        .iter()
        .find_map(|rule| rule(rejection, context))
}

#[cfg(test)]
mod tests;
