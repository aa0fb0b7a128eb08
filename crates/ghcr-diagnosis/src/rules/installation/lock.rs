//! What keeps a token from writing that no file of the repository changes: whose token it is, and the
//! rules of an organization.

use super::Token;
use super::patch::{existence, listed, shown};
use crate::case::Case;
use crate::context::{Access, OwnerKind};
use crate::diagnosis::{Cause, Code, Likelihood};
use crate::page;
use crate::rules::scope;

/// The cause that the token is another App's, `None` if nothing points to one. The registry knows no
/// Apps but Actions (<https://github.com/orgs/community/discussions/26920>,
/// <https://github.com/devsy-org/devsy/pull/777>).
///
/// `is_probably_own` says that another fact speaks for the job's own token.
pub(super) fn other_app(case: &Case, token: &Token, is_probably_own: bool) -> Option<Cause> {
    let context = &case.context;
    // The job's own token could have written, as far as its log tells: it was not the one that was used.
    let granted = context.actions.as_ref().and_then(|actions| actions.granted);
    let was_other = granted == Some(Access::Write) && !token.creating;
    let likelihood = match (token.is_own, token.prefixed) {
        (Some(true), _) => return None,
        (Some(false), true) => Likelihood::Proven,
        (None, false) if !was_other => return None,
        (None, true) if is_probably_own && !was_other => Likelihood::Possible,
        (Some(false), false) | (None, _) => Likelihood::Likely,
    };
    let mut evidence = Vec::new();
    if likelihood != Likelihood::Possible {
        evidence = case.basics();
        evidence.push(existence(case, token.creating));
    }
    if token.prefixed {
        evidence.push(
            "the refusal begins with \"permission_denied:\", as it does for such tokens".to_owned(),
        );
    }
    if was_other {
        evidence.extend(shown(case));
    }
    if token.is_own == Some(false) {
        evidence.push("the token is not the GITHUB_TOKEN of this run".to_owned());
    }
    if let Some(repositories) = &context.token.repositories {
        evidence.push(format!(
            "the token is for {} repositories",
            repositories.len()
        ));
    }
    let in_run = context.actions.is_some() && context.is_for_the_jobs_token();
    Some(Cause {
        code: Code::AppTokenUnsupported,
        likelihood,
        why: "the token belongs to a GitHub App other than Actions itself; the registry does not take those"
            .to_owned(),
        evidence,
        remedy: if in_run {
            scope::JOBS_TOKEN.to_owned()
        } else {
            "Push with the workflow's GITHUB_TOKEN, or with a classic personal access token that has \
             the scope write:packages."
                .to_owned()
        },
        url: (!in_run).then(|| page::new_token(context)),
    })
}

/// The cause that the token is another App's, for a refusal that does not speak of installations: `None` unless the
/// token is known not to be the run's own.
pub(in crate::rules) fn foreign_app(case: &Case) -> Option<Cause> {
    let context = &case.context;
    if context.is_personal() || context.is_workflow_token() != Some(false) {
        return None;
    }
    let token = Token {
        creating: true,
        prefixed: false,
        is_own: Some(false),
    };
    let mut explanation = other_app(case, &token, false)?;
    // No word of this refusal tells whether the package exists.
    let existence = existence(case, token.creating);
    explanation.evidence.retain(|line| *line != existence);
    Some(explanation)
}

/// The cause that members, or the kind of package, may not be created
/// (<https://github.com/freeipa/ipa-tuura/issues/38>).
pub(in crate::rules) fn policy_on_creation(case: &Case, likelihood: Likelihood) -> Cause {
    let owner = owner(case);
    policy(
        case,
        likelihood,
        format!(
            "{} does not let its members create packages",
            supposed(case)
        ),
        format!("Ask an owner of {owner} to allow it under \"Package creation\"."),
        page::organization_packages(&case.context),
    )
}

/// The cause that workflows are kept to reading
/// (<https://github.com/actions/runner/issues/1039>, <https://github.com/openconfig/gnmic/issues/641>).
pub(in crate::rules) fn policy_on_workflows(case: &Case, likelihood: Likelihood) -> Cause {
    let owner = owner(case);
    let is_overruled = listed(case) == Some(Access::Write) && likelihood == Likelihood::Likely;
    let granted = case
        .context
        .actions
        .as_ref()
        .and_then(|actions| actions.granted);
    let block = if is_overruled {
        "the block in the workflow's file is right, and a policy overrules it: "
    } else {
        ""
    };
    // What is asked first loosens nothing.
    let ask = if is_overruled && granted.is_none() {
        format!(
            "Look at the job's log, under \"Set up job\", \"GITHUB_TOKEN Permissions\": if it shows `Packages: write`, no \
             policy is the matter, but another token was used than the job's own. If it shows less, ask an owner of \
             {owner} whether \"Workflow permissions\" keep this repository to reading."
        )
    } else {
        format!(
            "Ask an owner of {owner} whether \"Workflow permissions\" keep this repository to reading."
        )
    };
    policy(
        case,
        likelihood,
        format!(
            "{block}{} or its enterprise restricts workflows to reading",
            supposed(case)
        ),
        format!(
            "{ask} \"Read and write permissions\" there would lift that, and become the default of every repository of \
             {owner} that sets nothing itself."
        ),
        page::organization_actions(&case.context),
    )
}

fn policy(case: &Case, likelihood: Likelihood, why: String, remedy: String, url: String) -> Cause {
    let has_block = listed(case) == Some(Access::Write);
    let evidence = if has_block && likelihood == Likelihood::Possible {
        vec![
            "holds only if the job's log, under \"Set up job\", \"GITHUB_TOKEN Permissions\", shows less than \
             `Packages: write`: a block raises what an organization's default is"
                .to_owned(),
        ]
    } else if has_block {
        let mut evidence = case.basics();
        evidence.extend(shown(case));
        evidence.push("the block is right, so that something above it overrules it".to_owned());
        evidence
    } else if likelihood == Likelihood::Possible {
        vec!["holds only if what is said above is in place already".to_owned()]
    } else {
        let mut evidence = case.basics();
        evidence.extend(shown(case));
        evidence
    };
    Cause {
        code: Code::OrganizationPolicy,
        likelihood,
        why,
        evidence,
        remedy,
        url: Some(url),
    }
}

fn owner(case: &Case) -> &str {
    case.context.known_owner().unwrap_or("the owner")
}

/// The owner, as the beginning of what holds of organizations only.
fn supposed(case: &Case) -> String {
    let owner = owner(case);
    if case.context.owner_kind == Some(OwnerKind::Organization) {
        owner.to_owned()
    } else {
        format!("{owner}, if it is an organization,")
    }
}
