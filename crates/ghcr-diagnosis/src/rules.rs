//! The rules, asked in order; the first that recognises the refusal explains it.
//!
//! A rule looks at the registry's words because ghcr.io gives nothing else: one status and one code
//! stand for all refusals. It matches the shortest phrase that tells the refusal apart, wherever the
//! phrase stands in the message.

mod account;
mod content;
mod credential;
mod host;
mod installation;
mod intermediary;
mod limit;
mod namespace;
mod outage;
mod package;
mod pull;
mod reference;
mod scope;
mod silent;
mod stranger;
mod unknown;
mod unreachable;

pub(crate) use credential::before as without_credential;
pub use host::is_lookalike;

use crate::case::Case;
use crate::context::Credential;
use crate::diagnosis::Diagnosis;

/// A rule: the explanation, or `None` if this is not its case.
type Rule = fn(&Case) -> Option<Diagnosis>;

/// Adds to the first cause what was passed over in favour of the credential: that may be the one that was meant.
fn with_shadows(case: &Case, diagnosis: Option<Diagnosis>) -> Option<Diagnosis> {
    let mut diagnosis = diagnosis?;
    if matches!(case.context.credential, Credential::Used(_))
        && let Some(first) = diagnosis.causes.first_mut()
    {
        for line in credential::shadows(case) {
            if !first.evidence.contains(&line) {
                first.evidence.push(line);
            }
        }
    }
    Some(diagnosis)
}

/// In this order. Whose words they are comes first; then what is no matter of permission at all, however
/// it is dressed; then the words that name one lock; then what is merely plausible.
pub(crate) const RULES: [Rule; 16] = [
    reference::diagnose,
    host::diagnose,
    limit::diagnose,
    unreachable::diagnose,
    outage::diagnose,
    account::diagnose,
    pull::diagnose,
    scope::diagnose,
    namespace::diagnose,
    installation::diagnose,
    package::diagnose,
    content::diagnose,
    intermediary::diagnose,
    credential::diagnose,
    silent::diagnose,
    unknown::diagnose,
];
