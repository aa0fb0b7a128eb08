//! The registry, or the way to it, was out of order, or an upload took longer than it waits.
//!
//! ghcr.io gives an upload ten minutes
//! (<https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry#troubleshooting>).
//! What is seen at that limit is no answer but a connection that dies, measured at 638.5 s
//! (<https://github.com/docker/build-push-action/issues/251>).

use oci_push::{Step, is_transient};

use super::content;
use super::limit::INTERMEDIATE;
use crate::case::Case;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::evidence::Trouble;

pub(super) const STATUS_PAGE: &str = "https://www.githubstatus.com";

/// Requests that died at the limit had taken a little less or more than its ten minutes.
const TIME_LIMIT: u64 = 590;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    // That an upstream is not there is its own matter.
    let behind = ["5", "404"]
        .iter()
        .any(|status| case.says(&format!("{INTERMEDIATE}{status}")));
    let failed = behind || case.evidence.status.is_some_and(is_transient) || is_internal(case);
    let broke = case.evidence.trouble == Some(Trouble::Interrupted);
    if !failed && !broke {
        return None;
    }
    let mut causes = Vec::new();
    if is_upload(case) && (broke || case.evidence.status == Some(499)) {
        causes.extend(content::layer_too_large(case));
        causes.extend(time_limit(case));
    }
    causes.push(unavailable(case, behind));
    Diagnosis::of("the registry did not stay available", causes)
}

/// Errors of the registry's own, by the names that Twirp gives them.
fn is_internal(case: &Case) -> bool {
    let kinds = ["unavailable: ", "deadline_exceeded: ", "internal: "];
    case.evidence.status.is_none_or(|status| status != 400)
        && case
            .evidence
            .errors
            .iter()
            .any(|error| kinds.iter().any(|kind| error.message.starts_with(kind)))
}

fn is_upload(case: &Case) -> bool {
    matches!(
        case.evidence.step,
        Some(Step::UploadBlob | Step::UploadChunk | Step::CommitBlob)
    )
}

fn unavailable(case: &Case, behind: bool) -> Cause {
    let why = if behind {
        "a service behind the registry failed; the credential and the package are not the matter"
    } else {
        "the registry, or the network between, failed while it was asked"
    };
    let handle = case
        .evidence
        .request_id
        .as_ref()
        .map_or_else(String::new, |identifier| {
            format!(" GitHub Support finds the request by its id, {identifier}.")
        });
    let mut evidence = case.basics();
    if case.evidence.trouble == Some(Trouble::Interrupted) {
        evidence =
            vec!["the connection broke, or fell silent, before there was an answer".to_owned()];
    }
    Cause {
        code: Code::RegistryUnavailable,
        likelihood: if behind {
            Likelihood::Proven
        } else {
            Likelihood::Likely
        },
        why: why.to_owned(),
        evidence,
        remedy: format!(
            "{} GitHub's status page tells whether \"Packages\" is disturbed.{handle}",
            if case.evidence.is_pull {
                "Pull again later."
            } else {
                "Push again later; what has arrived is not sent again."
            }
        ),
        url: Some(STATUS_PAGE.to_owned()),
    }
}

/// `None` if the request is known to have been shorter.
fn time_limit(case: &Case) -> Option<Cause> {
    let (likelihood, measured) = match case.evidence.seconds {
        Some(seconds) if seconds < TIME_LIMIT => return None,
        Some(seconds) => (
            Likelihood::Likely,
            format!("the request had taken {seconds} s when it broke"),
        ),
        None => (
            Likelihood::Possible,
            "the upload broke without an answer, as it does at that limit".to_owned(),
        ),
    };
    Some(Cause {
        code: Code::UploadTimeLimit,
        likelihood,
        why: "ghcr.io gives an upload ten minutes".to_owned(),
        evidence: vec![measured],
        remedy: "Send in chunks, so that each request is short (`--upload-mode chunked`), with fewer uploads at a \
                 time (`--jobs 1`), or split the layer."
            .to_owned(),
        url: None,
    })
}
