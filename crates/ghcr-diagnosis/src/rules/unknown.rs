//! Refusals that nobody has catalogued: the registry's words as they are, and no advice that is
//! merely plausible.

use oci_push::Rejection;

use super::{credential_of, words_of};
use crate::context::Context;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the last rule has the form of the others"
)]
pub(super) fn diagnose(rejection: &Rejection, context: &Context) -> Option<Diagnosis> {
    let mut evidence = vec![words_of(rejection)];
    evidence.extend(credential_of(context));
    let handle = rejection.request_id.as_deref().map_or_else(
        || "the time of the request".to_owned(),
        |identifier| format!("the request id {identifier}"),
    );
    Some(Diagnosis {
        code: Code::UnknownDenial,
        summary: "the registry refused, in words that are not known here".to_owned(),
        causes: vec![Cause {
            code: Code::UnknownDenial,
            likelihood: Likelihood::Possible,
            why: "this refusal is not catalogued; it is neither the words for a token without \
                  `packages: write` nor those for a package that does not admit the repository"
                .to_owned(),
            evidence,
            remedy: format!(
                "Try again once: GitHub's refusals are at times transient. If it stays, ask GitHub Support \
                 and give them {handle}."
            ),
            url: Some("https://www.githubstatus.com".to_owned()),
        }],
    })
}
