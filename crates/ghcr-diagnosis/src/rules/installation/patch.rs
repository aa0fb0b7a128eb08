//! The permission that the job's token lacks, and the lines that give it.

use super::lock::policy_on_workflows;
use crate::case::Case;
use crate::context::{Access, Grants, OwnerKind};
use crate::diagnosis::{Cause, Code, Likelihood};
use crate::page;

/// The right to packages that the workflow's file grants, if it is known and names any.
pub(in crate::rules) fn listed(case: &Case) -> Option<Access> {
    let actions = case.context.actions.as_ref()?;
    actions.permissions.as_ref()?.packages()
}

/// The right to packages that the job's token is known to have had: what its log shows, else what its file grants.
pub(in crate::rules) fn known(case: &Case) -> Option<Access> {
    let granted = case.context.actions.as_ref()?.granted;
    granted.or(listed(case))
}

/// The cause that the job's token may not write packages.
pub(in crate::rules) fn lacks_permission(
    case: &Case,
    likelihood: Likelihood,
    creating: Option<bool>,
) -> Cause {
    let context = &case.context;
    let mut evidence = case.basics();
    evidence.extend(creating.map(|creating| existence(case, creating)));
    evidence.extend(shown(case));
    let actions = context.actions.as_ref();
    Cause {
        code: Code::WorkflowLacksPackagesWrite,
        likelihood,
        why: "the workflow's token has no `packages: write` permission. This is the token's own lock: \
              granting access on the package's page does not open it"
            .to_owned(),
        evidence,
        remedy: format!(
            "{} (a scope that is not listed in it is withheld):\n\n{}\n\n\
             What the token really had stands in the job's log, under \"Set up job\", \
             \"GITHUB_TOKEN Permissions\".",
            place(case),
            block(case)
        ),
        url: actions
            .filter(|actions| !actions.repository.is_empty())
            .map(|actions| page::repository_actions(context, &actions.repository)),
    }
}

/// The cause that the token is not the one that the file on disk describes, which grants the permission.
pub(super) fn other_than_on_disk(
    case: &Case,
    is_own: Option<bool>,
    creating: Option<bool>,
    likelihood: Likelihood,
) -> Cause {
    let context = &case.context;
    let actions = context.actions.as_ref();
    let file = actions
        .and_then(|actions| actions.workflow_file.as_deref())
        .unwrap_or("the workflow's file");
    let source = context.credential.facts().map_or_else(
        || "the credential".to_owned(),
        |facts| format!("the credential from {}", facts.source),
    );
    let is_of_run = actions.and_then(|actions| actions.file_is_of_run);
    let other_file = "the run used another version of the file";
    let other_token = format!("{source} is not this job's token");
    let why = match (is_own, is_of_run) {
        (Some(true), Some(true)) => "something above the file overrules it".to_owned(),
        (Some(true), _) => other_file.to_owned(),
        (_, Some(true)) => other_token,
        _ => format!("{other_token}, or {other_file}"),
    };
    let mut evidence = case.basics();
    evidence.extend(creating.map(|creating| existence(case, creating)));
    evidence.extend(shown(case));
    let if_less = if is_of_run == Some(true) {
        "the block is overruled: by the `permissions:` of a workflow that calls this one, or by a policy of the \
         organization or its enterprise"
            .to_owned()
    } else {
        format!(
            "bring the block into the version of {file} that runs: the one of the branch, tag or commit that the run is for"
        )
    };
    // Where the file is the run's, nothing of the workflow is lacking: it is the token that is another one.
    let is_of_token = is_of_run == Some(true) && is_own != Some(true);
    Cause {
        code: if is_of_token {
            Code::AppTokenUnsupported
        } else {
            Code::WorkflowLacksPackagesWrite
        },
        likelihood,
        why: format!(
            "the token that was used has no `packages: write`, and the block in {file} on disk is right: {why}"
        ),
        evidence,
        remedy: format!(
            "Look at the job's log, under \"Set up job\", \"GITHUB_TOKEN Permissions\". If it shows `Packages: write`, \
             push with that token: `GITHUB_TOKEN: ${{{{ secrets.GITHUB_TOKEN }}}}` in the step's `env:`, and nothing that \
             goes before it. If it shows less, {if_less}."
        ),
        url: None,
    }
}

/// The causes that a token had no right to write, for a refusal that does not say so: what its log shows, else what
/// its file gives. Where the log shows less than the file gives, what overrules the file is the matter.
pub(in crate::rules) fn withheld(case: &Case) -> Vec<Cause> {
    if listed(case) != Some(Access::Write) {
        return vec![lacks_permission(case, Likelihood::Likely, None)];
    }
    let is_users = case.context.owner_kind == Some(OwnerKind::User);
    let actions = case.context.actions.as_ref();
    let is_other_file = actions.and_then(|actions| actions.file_is_of_run) == Some(false);
    if is_users || is_other_file {
        let is_own = case.context.is_workflow_token();
        return vec![other_than_on_disk(case, is_own, None, Likelihood::Likely)];
    }
    vec![policy_on_workflows(case, Likelihood::Likely)]
}

/// What "Create" or "Write" tells of the package.
pub(super) fn existence(case: &Case, creating: bool) -> String {
    let package = case.context.the_package();
    if creating {
        format!("\"Create\": {package} does not exist yet")
    } else {
        format!("\"Write\": {package} exists already")
    }
}

/// What is known of the permissions, as evidence.
pub(super) fn shown(case: &Case) -> Vec<String> {
    let mut shown = Vec::new();
    if case.context.token.reads_packages == Some(false) {
        shown.push("GitHub's API does not let the token so much as read packages".to_owned());
    }
    let Some(actions) = case.context.actions.as_ref() else {
        return shown;
    };
    if let Some(granted) = actions.granted {
        shown.push(format!(
            "the job's log shows that its token had `packages: {}`",
            granted.as_str()
        ));
    }
    let file = actions
        .workflow_file
        .as_deref()
        .unwrap_or("the workflow's file");
    if actions.permissions.is_some() && actions.file_is_of_run == Some(false) {
        shown.push(format!(
            "the commit that is checked out is not the one whose {file} runs"
        ));
    }
    if let Some(permissions) = &actions.permissions {
        let job = actions
            .job
            .as_ref()
            .map_or_else(|| "the job".to_owned(), |job| format!("the job \"{job}\""));
        shown.push(match (&permissions.job, &permissions.workflow) {
            (Some(grants), _) => format!(
                "{file} gives {job} `packages: {}` in the job's own `permissions:`",
                grants.packages().as_str()
            ),
            (None, Some(grants)) => format!(
                "{file} gives all its jobs `packages: {}` in the workflow's `permissions:`",
                grants.packages().as_str()
            ),
            // https://github.blog/changelog/2023-02-02-github-actions-updating-the-default-github_token-permissions-to-read-only/
            (None, None) => format!(
                "{file} has no `permissions:` for {job}, so that the repository's default holds, which is to \
                 read in repositories made since February 2023"
            ),
        });
    }
    shown
}

/// Where the block goes.
fn place(case: &Case) -> String {
    let actions = case.context.actions.as_ref();
    let file = actions.and_then(|actions| actions.workflow_file.as_deref());
    let job = actions.and_then(|actions| actions.job.as_deref());
    match (file, job) {
        (Some(file), Some(job)) => format!("In {file}, give the job \"{job}\" this block"),
        (Some(file), None) => format!("In {file}, give the job that pushes this block"),
        (None, Some(job)) => format!("In the workflow's file, give the job \"{job}\" this block"),
        (None, None) => "In the workflow's file, give the job that pushes this block".to_owned(),
    }
}

/// The block: what the file grants already, with `packages: write`.
pub(super) fn block(case: &Case) -> String {
    let permissions = case
        .context
        .actions
        .as_ref()
        .and_then(|actions| actions.permissions.as_ref());
    let grants = permissions.and_then(|known| known.job.as_ref().or(known.workflow.as_ref()));
    let lines = grants.map_or_else(
        || vec!["contents: read".to_owned(), "packages: write".to_owned()],
        Grants::with_packages_write,
    );
    let lines: Vec<String> = lines.iter().map(|line| format!("      {line}")).collect();
    format!("    permissions:\n{}", lines.join("\n"))
}
