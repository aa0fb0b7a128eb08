//! A 403 without a word, as HEAD gets it and as older tools print it.
//!
//! That the package does not admit the one who asks, that it was just created and a secondary rate limit
//! look alike here (<https://github.com/containerd/containerd/pull/13547> asks again for the words). So
//! every cause is no more than possible, unless a fact speaks for it.

use oci_push::Step;

use super::{account, credential, installation, limit, namespace, package};
use crate::case::Case;
use crate::context::{Access, Tool};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    super::with_shadows(case, explained(case))
}

fn explained(case: &Case) -> Option<Diagnosis> {
    let is_lookup = matches!(
        case.evidence.step,
        Some(Step::CheckBlob | Step::CheckManifest | Step::Verify)
    );
    let is_refusal = case.evidence.status == Some(403)
        || (case.evidence.status.is_none() && case.evidence.has_code("DENIED"));
    // "denied" says no more than the status, where the same credential was taken a moment before.
    let is_bare = case.is_silent() || credential::is_bare_after_success(case);
    if !is_refusal || !is_bare {
        return None;
    }
    let context = &case.context;
    let mut causes = installation::of_run(case);
    let known = installation::known(case);
    if context.foreign_owner().is_some() && context.is_installation() {
        causes.push(namespace::mismatch(case, Likelihood::Likely));
    }
    let is_shut = matches!(known, Some(Access::None | Access::Read)) && !has_pushed(case);
    if is_shut && causes.is_empty() && !context.is_personal() {
        causes.extend(installation::withheld(case));
    }
    let may_lack = known.is_none()
        && causes.is_empty()
        && !context.is_personal()
        && !is_lookup
        && !has_pushed(case);
    let of_package = if is_lookup {
        package::unreadable(case)
    } else {
        package::denied(case)
    };
    let mut of_package: Vec<Cause> = of_package.into_iter().map(softened).collect();
    if may_lack {
        // Tools that do not tell the step met their first refusal at a look-up, which a token that may only
        // read passes: the package's lock is the likelier one then.
        let at = if case.evidence.step.is_some() {
            0
        } else {
            of_package.len()
        };
        of_package.insert(
            at,
            installation::lacks_permission(case, Likelihood::Possible, None),
        );
    }
    // Whoever takes a limit for a lock changes settings that were right: it stands beside the likeliest of them.
    let limit = limit::wait_for_secondary(case, limit_likelihood(case));
    of_package.insert(of_package.len().min(1), limit);
    // The blobs were taken, or were there: a lock would have been met before
    // (https://github.com/int128/docker-manifest-create-action/issues/158).
    let is_last = matches!(case.evidence.step, Some(Step::PutManifest | Step::PutTag));
    if is_last && context.just_created.is_none() && !has_pushed(case) {
        of_package.insert(0, package::just_created(case, Likelihood::Possible));
    }
    causes.extend(installation::perhaps_fork(case));
    causes.extend(of_package);
    causes.extend(account::supposed(case));
    // What names a digest is no place to push to.
    let how = match context.reference.split('@').next() {
        None | Some("") => "`ghcr-push check REFERENCE`".to_owned(),
        Some(reference) => format!("`ghcr-push check {reference}`"),
    };
    let is_open = causes
        .iter()
        .all(|cause| cause.likelihood == Likelihood::Possible);
    let summary = match context.tool {
        Tool::Another if is_open => {
            format!("the registry refused without saying why; {how} asks for its words")
        }
        _ => "the registry refused without saying why".to_owned(),
    };
    let mut diagnosis = Diagnosis::of(summary, causes)?;
    if let Some(first) = diagnosis.causes.first_mut() {
        first.evidence.push(match context.tool {
            Tool::GhcrPush => {
                "the refusal came without its reason, also when the same was asked in other ways".to_owned()
            }
            Tool::Another => format!(
                "the refusal came without its reason (an answer to HEAD has none); {how} asks in a way that gets it"
            ),
        });
    }
    Some(diagnosis)
}

/// Whether the same credential had pushed to this package just before, so that it may.
fn has_pushed(case: &Case) -> bool {
    case.evidence.pushed_before.is_some()
}

/// Another refusal of the same log that names the limit explains this one as well.
fn limit_likelihood(case: &Case) -> Likelihood {
    if case.context.limited_nearby == Some(true) {
        Likelihood::Likely
    } else {
        Likelihood::Possible
    }
}

/// A cause that words would prove is merely possible without them; what GitHub's API said stays.
fn softened(cause: Cause) -> Cause {
    let likelihood = match (cause.likelihood, cause.code) {
        (Likelihood::Proven, _)
        | (
            Likelihood::Likely,
            Code::PackageJustCreated
            | Code::MissingScope
            | Code::FineGrainedTokenUnsupported
            | Code::SsoNotAuthorised
            | Code::AppTokenUnsupported
            | Code::WorkflowLacksPackagesWrite,
        ) => Likelihood::Likely,
        _ => Likelihood::Possible,
    };
    Cause {
        likelihood,
        ..cause
    }
}
