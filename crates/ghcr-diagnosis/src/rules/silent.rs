//! A 403 without a word, as HEAD gets it and as older tools print it.
//!
//! That the package does not admit the one who asks, that it was just created and a secondary rate limit
//! look alike here (<https://github.com/containerd/containerd/pull/13547> asks again for the words). So
//! every cause is no more than possible, unless a fact speaks for it.

use oci_push::Step;

use super::{account, installation, limit, namespace, package};
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
    if !is_refusal || !case.is_silent() {
        return None;
    }
    let context = &case.context;
    let mut causes = installation::of_run(case);
    let actions = context.actions.as_ref();
    let listed = installation::listed(case).or(actions.and_then(|actions| actions.granted));
    if context.foreign_owner().is_some() && context.is_installation() {
        causes.push(namespace::mismatch(case, Likelihood::Likely));
    }
    let lacks = |likelihood| installation::lacks_permission(case, likelihood, None);
    let is_shut = matches!(listed, Some(Access::None | Access::Read));
    if is_shut && causes.is_empty() && !context.is_personal() {
        causes.push(lacks(Likelihood::Likely));
    }
    let may_lack = listed.is_none() && causes.is_empty() && !context.is_personal() && !is_lookup;
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
        of_package.insert(at, lacks(Likelihood::Possible));
    }
    causes.extend(of_package);
    // The blobs were taken, or were there.
    let is_last = matches!(case.evidence.step, Some(Step::PutManifest | Step::PutTag));
    if is_last && context.just_created.is_none() {
        causes.push(package::just_created(case, Likelihood::Possible));
    }
    causes.extend(account::supposed(case));
    causes.push(limit::wait_for_secondary(case, Likelihood::Possible));
    // What names a digest is no place to push to.
    let how = match context.reference.split('@').next() {
        None | Some("") => "`ghcr-push check REFERENCE`".to_owned(),
        Some(reference) => format!("`ghcr-push check {reference}`"),
    };
    let mut diagnosis = Diagnosis::of("the registry refused without saying why", causes)?;
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
