//! The credential itself is missing or bad.
//!
//! ghcr.io's token service answers a bad, expired or revoked credential with 403 `denied`, not with 401
//! (<https://github.com/sigstore/scaffolding/issues/127>), and an anonymous request for the right to push
//! likewise (<https://github.com/project-copacetic/copacetic/issues/266>).

use oci_push::{Rejection, Step};

use super::{credential_of, words_of};
use crate::context::Context;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

pub(super) fn diagnose(rejection: &Rejection, context: &Context) -> Option<Diagnosis> {
    if rejection.step != Step::FetchToken && rejection.status != 401 {
        return None;
    }
    let mut evidence = vec![words_of(rejection)];
    evidence.extend(credential_of(context));
    let (code, summary, why, remedy) = match &context.credential {
        None => (
            Code::CredentialMissing,
            "no credential was found",
            "nobody may push anonymously, and no credential for the registry was found",
            "Set GHCR_PUSH_TOKEN, or log in with `docker login ghcr.io`. In a workflow, add to the step:\n\n    \
             env:\n      GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}",
        ),
        Some(_) => (
            Code::CredentialRejected,
            "the credential was not accepted",
            "the credential is wrong, expired or revoked",
            "Replace the credential there. A new classic personal access token needs the scope write:packages.",
        ),
    };
    Some(Diagnosis {
        code,
        summary: summary.to_owned(),
        causes: vec![Cause {
            code,
            likelihood: Likelihood::Likely,
            why: why.to_owned(),
            evidence,
            remedy: remedy.to_owned(),
            url: Some(page::new_token(context)),
        }],
    })
}
