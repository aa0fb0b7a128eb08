//! `installation not allowed to Create|Write organization package`: the token's lock.
//!
//! The word "organization" stands there for personal accounts too
//! (<https://github.com/docker/build-push-action/issues/606>), so it says nothing about the owner.
//! Access granted on the package's page does not help
//! (<https://github.com/airbus/sen/pull/173>, <https://github.com/xraph/workflows/pull/1>).

mod lock;
mod patch;
mod run;

pub(super) use lock::{foreign_app, policy_on_creation, policy_on_workflows};
pub(super) use patch::{known, lacks_permission, listed, withheld};
pub(super) use run::{of_run, perhaps_fork};

use crate::case::Case;
use crate::context::{Access, OwnerKind};
use crate::diagnosis::{Cause, Diagnosis, Likelihood};

use super::{namespace, stranger, unknown};

const PHRASE: &str = "installation not allowed to ";

/// What the words and the facts tell of the token.
struct Token {
    /// "Create" rather than "Write": the package does not exist.
    creating: bool,
    /// With this prefix the words come from tokens of other Apps, in four of five reports
    /// (<https://github.com/product-os/flowzone/pull/516>); without it from `GITHUB_TOKEN`, in all.
    prefixed: bool,
    /// Whether it is the workflow's own.
    is_own: Option<bool>,
}

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    super::with_shadows(case, explained(case))
}

fn explained(case: &Case) -> Option<Diagnosis> {
    let (before, after) = case.said().split_once(PHRASE)?;
    let context = &case.context;
    let token = Token {
        creating: after.starts_with("create"),
        prefixed: before.contains("permission_denied"),
        is_own: context.is_workflow_token(),
    };
    let causes = stranger::causes(case).unwrap_or_else(|| causes(case, &token));
    Diagnosis::of("the token that was used may not write packages", causes)
}

fn causes(case: &Case, token: &Token) -> Vec<Cause> {
    let context = &case.context;
    let mut causes = Vec::new();
    if token.is_own == Some(false) {
        causes.extend(lock::other_app(case, token, false));
        return causes;
    }
    let granted = context.actions.as_ref().and_then(|actions| actions.granted);
    // A token that had the permission was refused for none of the reasons why one has it not.
    let run = if granted == Some(Access::Write) {
        Vec::new()
    } else {
        run::causes(case, token)
    };
    let explained = run
        .iter()
        .any(|cause| cause.likelihood != Likelihood::Possible);
    let actions = context.actions.as_ref();
    let is_fork = actions.is_some_and(|actions| actions.fork == Some(true));
    causes.extend(run);
    let listed = patch::listed(case);
    let has_block = listed == Some(Access::Write);
    let may_write = has_block || granted == Some(Access::Write);
    // Nothing of the run's own keeps the token from what the file gives it: what stands above the file does.
    let is_overruled = !explained && may_write && (has_block || token.creating);
    let has_policy = context.owner_kind != Some(OwnerKind::User) && !is_fork;
    let is_shown = granted
        .or(refused_by_the_api(case))
        .is_some_and(|access| access < Access::Write)
        || is_listed_for_sure(case);
    if !explained && has_block && granted != Some(Access::Write) {
        let likelihood = if has_policy {
            Likelihood::Possible
        } else {
            Likelihood::Likely
        };
        causes.push(patch::other_than_on_disk(
            case,
            token.is_own,
            Some(token.creating),
            likelihood,
        ));
    } else if !explained && granted != Some(Access::Write) {
        let likelihood = permission_likelihood(token, is_shown);
        causes.push(lacks_permission(case, likelihood, Some(token.creating)));
    }
    // The job's own token is known to lack the right, or is what its variable's name says.
    let is_probably_own = explained || (is_shown && !has_block) || is_in_own_variable(case);
    if let Some(other_app) = lock::other_app(case, token, is_probably_own) {
        // At equal likelihood the prefix, which `GITHUB_TOKEN` has in no report, speaks for the App.
        causes.insert(0, other_app);
    }
    if context.foreign_owner().is_some() && context.is_installation() {
        causes.push(namespace::mismatch(case, Likelihood::Likely));
    }
    if has_policy {
        let likelihood = if is_overruled && (granted != Some(Access::Write) || token.creating) {
            Likelihood::Likely
        } else {
            Likelihood::Possible
        };
        let policy = if token.creating {
            policy_on_creation(case, likelihood)
        } else {
            policy_on_workflows(case, likelihood)
        };
        causes.push(policy);
    }
    if causes.is_empty() {
        causes.push(unknown::cause(case));
    }
    causes
}

/// The right to packages that GitHub's API has shown to be withheld.
fn refused_by_the_api(case: &Case) -> Option<Access> {
    let is_withheld = case.context.token.reads_packages == Some(false);
    is_withheld.then_some(Access::None)
}

/// Whether the credential came from the variable that is named like the job's own token.
fn is_in_own_variable(case: &Case) -> bool {
    let facts = case.context.credential.facts();
    facts.is_some_and(|facts| facts.source == "GITHUB_TOKEN")
}

/// Whether the file names a right to packages, and is the one that runs.
fn is_listed_for_sure(case: &Case) -> bool {
    let actions = case.context.actions.as_ref();
    let is_of_run = actions.and_then(|actions| actions.file_is_of_run);
    patch::listed(case).is_some() && is_of_run == Some(true)
}

fn permission_likelihood(token: &Token, is_shown: bool) -> Likelihood {
    // Words that come mostly with other Apps' tokens leave another explanation.
    if is_shown && (!token.prefixed || token.is_own == Some(true)) {
        Likelihood::Proven
    } else {
        Likelihood::Likely
    }
}
