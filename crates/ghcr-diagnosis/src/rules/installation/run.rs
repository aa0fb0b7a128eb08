//! Runs whose token may not write whatever stands in the file, or whose file is not the only one that
//! counts: pull requests from forks, Dependabot, reusable workflows.

use super::Token;
use super::patch::{block, existence, listed, shown};
use crate::case::Case;
use crate::context::{Access, ActionsFacts};
use crate::diagnosis::{Cause, Code, Likelihood};

/// The causes that the run's own nature gives.
pub(super) fn causes(case: &Case, token: &Token) -> Vec<Cause> {
    let Some(actions) = case.context.actions.as_ref() else {
        return Vec::new();
    };
    let mut causes = Vec::new();
    causes.extend(perhaps_fork(case));
    if actions.fork == Some(true) {
        let is_certain =
            token.is_own == Some(true) || (case.context.is_installation() && !token.prefixed);
        let likelihood = if is_certain {
            Likelihood::Proven
        } else {
            Likelihood::Likely
        };
        causes.push(fork(case, likelihood, origin(actions)));
        return causes;
    }
    if actions.is_dependabot() {
        causes.push(dependabot(case, actions, Some(token.creating)));
    }
    if actions.reusable == Some(true) {
        causes.push(reusable(case, actions, Likelihood::Likely));
    } else if actions.reusable.is_none()
        && !actions.is_dependabot()
        && listed(case) == Some(Access::Write)
    {
        causes.push(reusable(case, actions, Likelihood::Possible));
    }
    causes
}

/// The causes that the run's own nature gives for a refusal that does not name a permission: no secrets,
/// or a token that may only read.
pub(in crate::rules) fn of_run(case: &Case) -> Vec<Cause> {
    let Some(actions) = case.context.actions.as_ref() else {
        return Vec::new();
    };
    if actions.fork == Some(true) {
        vec![fork(case, Likelihood::Likely, origin(actions))]
    } else if actions.is_dependabot() {
        vec![dependabot(case, actions, None)]
    } else {
        Vec::new()
    }
}

/// The cause that the pull request comes from a fork, where that is not known: the event's payload could not be read.
pub(in crate::rules) fn perhaps_fork(case: &Case) -> Option<Cause> {
    let actions = case.context.actions.as_ref()?;
    let is_of_pull_request = actions
        .event
        .as_deref()
        .is_some_and(|event| PULL_REQUESTS.contains(&event));
    if actions.fork.is_some() || !is_of_pull_request {
        return None;
    }
    // A block that is right and does not hold is what a fork's run has.
    let likelihood = if listed(case) == Some(Access::Write) {
        Likelihood::Likely
    } else {
        Likelihood::Possible
    };
    let origin = "the run is for a pull request; where that comes from is not known, since the event's payload could \
                  not be read";
    let supposed = fork(case, likelihood, origin.to_owned());
    Some(Cause {
        why: "if the pull request comes from a fork, the run's token may only read, whatever `permissions:` says, and it \
              is given no secrets"
            .to_owned(),
        ..supposed
    })
}

/// Events whose runs may only read if the pull request comes from a fork
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>).
const PULL_REQUESTS: [&str; 3] = [
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
];

/// A fork's run may only read, whatever the file says
/// (<https://github.blog/changelog/2021-04-20-github-actions-control-permissions-for-github_token>).
fn fork(case: &Case, likelihood: Likelihood, origin: String) -> Cause {
    let mut evidence = case.basics();
    evidence.push(origin);
    Cause {
        code: Code::ForkPullRequest,
        likelihood,
        why: "the run is for a pull request from a fork: its token may only read, whatever `permissions:` says, and \
              it is given no secrets"
            .to_owned(),
        evidence,
        remedy: "Build in such runs, and publish from runs of the repository itself, by this condition for the step \
                 that pushes:\n\n    \
                 if: github.event.pull_request == null || github.event.pull_request.head.repo.full_name == \
                 github.repository\n\n\
                 Do not turn to `pull_request_target` for this: it would hand a token that may write to whatever code \
                 the pull request brings."
            .to_owned(),
        url: None,
    }
}

/// Where a fork's pull request comes from, as evidence.
fn origin(actions: &ActionsFacts) -> String {
    let repository = filled(&actions.repository, "this repository");
    match actions.head_repository.as_deref() {
        Some(head) => format!("the pull request comes from {head}, a fork of {repository}"),
        None => format!("the pull request comes from outside of {repository}"),
    }
}

/// Dependabot's runs start with a token that may only read; a block in the file raises it
/// (<https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions>).
fn dependabot(case: &Case, actions: &ActionsFacts, creating: Option<bool>) -> Cause {
    let mut evidence = case.basics();
    evidence.push("the run was started by dependabot[bot]".to_owned());
    evidence.extend(creating.map(|creating| existence(case, creating)));
    evidence.extend(shown(case));
    let file = actions
        .workflow_file
        .as_deref()
        .unwrap_or("the workflow's file");
    let has_block = listed(case) == Some(Access::Write);
    let remedy = if actions.event.as_deref() == Some("push") {
        // Of Dependabot's own branches, or of an update that it has merged: that one is to be published.
        let raise = if has_block {
            String::new()
        } else {
            format!(
                "Give this block to the job in {file}: it raises the token of these runs too, which come from \
                     updates that Dependabot has merged.\n\n{}\n\n",
                block(case)
            )
        };
        format!(
            "{raise}To leave out the runs of Dependabot's own branches, give the step that pushes this \
                 condition:\n\n    if: ${{{{ !startsWith(github.ref, 'refs/heads/dependabot/') }}}}"
        )
    } else {
        // Whoever pushed last to the pull request's branch, or touched the pull request, is the actor: whose it is
        // says whether it is an update
        // (https://docs.github.com/en/code-security/dependabot/working-with-dependabot/automating-dependabot-with-github-actions).
        let raise = if has_block {
            String::new()
        } else {
            format!(
                "\n\nIf these runs are to publish all the same, this block for the job in {file} raises their \
                     token; code of the updated dependencies then runs with that right:\n\n{}",
                block(case)
            )
        };
        format!(
            "Publish when the update is merged, not before, by this condition for the step that pushes:\n\n    \
                 if: github.event.pull_request == null || \
                 github.event.pull_request.user.login != 'dependabot[bot]'{raise}"
        )
    };
    Cause {
        code: Code::Dependabot,
        likelihood: Likelihood::Likely,
        why: "the run was started by Dependabot: unless the file says otherwise its token may only read, and it is \
              given no secrets but Dependabot's"
            .to_owned(),
        evidence,
        remedy,
        url: None,
    }
}

/// A called workflow can keep or lower what its caller passes on, never raise it
/// (<https://docs.github.com/en/actions/using-workflows/reusing-workflows>,
/// <https://github.com/xraph/workflows/pull/1>).
fn reusable(case: &Case, actions: &ActionsFacts, likelihood: Likelihood) -> Cause {
    let mut evidence = case.basics();
    let calling = actions
        .workflow_file
        .as_deref()
        .unwrap_or("the calling workflow");
    let called = actions.called_workflow.as_deref();
    evidence.push(match (likelihood, called) {
        (Likelihood::Possible, _) => {
            "holds if the job that pushes stands in a reusable workflow".to_owned()
        }
        (_, Some(called)) => format!("the job stands in {called}, which {calling} calls"),
        (_, None) => format!("the job stands in a reusable workflow, which {calling} calls"),
    });
    evidence.extend(shown(case));
    Cause {
        code: Code::ReusableWorkflow,
        likelihood,
        why: "the job is in a reusable workflow, whose token has no more than both files grant: the caller's and the \
              called one's"
            .to_owned(),
        evidence,
        remedy: format!(
            "Give this block to {} in {calling} that has `uses:`, and to {} in {} that pushes:\n\n{}",
            named(actions.called_job.as_ref().and(actions.job.as_ref())),
            named(actions.called_job.as_ref()),
            called.map_or("the called workflow", |called| called.trim_start_matches("./")),
            block(case)
        ),
        url: None,
    }
}

/// A job by its name, if that is known.
fn named(job: Option<&String>) -> String {
    job.map_or_else(|| "the job".to_owned(), |job| format!("the job \"{job}\""))
}

fn filled<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
