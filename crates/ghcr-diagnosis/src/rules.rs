//! The rules, asked in order; the first that recognises the refusal explains it.
//!
//! A rule looks at the registry's words because ghcr.io gives nothing else: one status and one code
//! stand for all refusals. It matches the shortest phrase that tells the refusal apart, wherever the
//! phrase stands in the message.

mod credential;
mod installation;
mod package;
mod unknown;

use oci_push::Rejection;

use crate::context::Context;
use crate::diagnosis::Diagnosis;

/// A rule: the explanation, or `None` if this is not its case.
type Rule = fn(&Rejection, &Context) -> Option<Diagnosis>;

/// In this order: the words of the registry decide before what is merely plausible.
pub(crate) const RULES: [Rule; 4] = [
    installation::diagnose,
    package::diagnose,
    credential::diagnose,
    unknown::diagnose,
];

/// What the server said, as evidence.
fn words_of(rejection: &Rejection) -> String {
    let words = rejection.words();
    if words.is_empty() {
        format!(
            "{} answered {} without a word",
            rejection.host, rejection.status
        )
    } else {
        format!("{} said: {words}", rejection.host)
    }
}

/// The credential, as evidence.
fn credential_of(context: &Context) -> Option<String> {
    let credential = context.credential.as_ref()?;
    let kind = credential.kind.describe();
    Some(format!(
        "the credential came from {} ({kind})",
        credential.source
    ))
}
