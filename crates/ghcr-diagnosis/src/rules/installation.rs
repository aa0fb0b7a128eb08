//! `installation not allowed to Create|Write organization package`: the token's lock.
//!
//! The word "organization" stands there for personal accounts too
//! (<https://github.com/docker/build-push-action/issues/606>), so it says nothing about the owner.
//! Access granted on the package's page does not help
//! (<https://github.com/airbus/sen/pull/173>, <https://github.com/xraph/workflows/pull/1>).

use oci_push::Rejection;

use super::{credential_of, words_of};
use crate::context::Context;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

const PHRASE: &str = "installation not allowed to ";

pub(super) fn diagnose(rejection: &Rejection, context: &Context) -> Option<Diagnosis> {
    let words = rejection.words();
    let (before, after) = words.split_once(PHRASE)?;
    let creating = after.starts_with("Create");
    let mut causes = vec![lacks_permission(rejection, context, creating)];
    // With this prefix the words come from tokens of other Apps, in four of five reports
    // (https://github.com/product-os/flowzone/pull/516); without it from GITHUB_TOKEN, in all.
    if before.contains("permission_denied") {
        causes.push(other_app(context));
    }
    causes.push(policy(context, creating));
    Some(Diagnosis {
        code: Code::WorkflowLacksPackagesWrite,
        summary: "the token that was used may not write packages".to_owned(),
        causes,
    })
}

fn lacks_permission(rejection: &Rejection, context: &Context, creating: bool) -> Cause {
    let package = format!("{}/{}", context.owner, context.package);
    let mut evidence = vec![words_of(rejection)];
    evidence.extend(credential_of(context));
    evidence.push(if creating {
        format!("\"Create\": the package {package} does not exist yet")
    } else {
        format!("\"Write\": the package {package} exists already")
    });
    let actions = context.actions.as_ref();
    let file = actions.and_then(|actions| actions.workflow_file.as_deref());
    let job = actions.and_then(|actions| actions.job.as_deref());
    let place = match (file, job) {
        (Some(file), Some(job)) => format!("In {file}, give the job \"{job}\" this block"),
        (Some(file), None) => format!("In {file}, give the job that pushes this block"),
        (None, _) => "In the workflow's file, give the job that pushes this block".to_owned(),
    };
    Cause {
        code: Code::WorkflowLacksPackagesWrite,
        likelihood: Likelihood::Likely,
        why: "the workflow's token has no `packages: write` permission. This is the token's own lock: \
              granting access on the package's page does not open it"
            .to_owned(),
        evidence,
        remedy: format!(
            "{place} (a scope that is not listed in it is withheld):\n\n    \
             permissions:\n      contents: read\n      packages: write\n\n\
             What the token really had stands in the job's log, under \"Set up job\", \
             \"GITHUB_TOKEN Permissions\"."
        ),
        url: actions.map(|actions| page::repository_actions(context, &actions.repository)),
    }
}

fn other_app(context: &Context) -> Cause {
    Cause {
        code: Code::AppTokenUnsupported,
        likelihood: Likelihood::Possible,
        why: "the token belongs to a GitHub App other than Actions itself; the registry does not take those"
            .to_owned(),
        evidence: vec!["the refusal begins with \"permission_denied:\", as it does for such tokens".to_owned()],
        remedy: "Push with the workflow's GITHUB_TOKEN, or with a classic personal access token that has \
                 the scope write:packages."
            .to_owned(),
        url: Some(page::new_token(context)),
    }
}

fn policy(context: &Context, creating: bool) -> Cause {
    let owner = &context.owner;
    let (why, remedy, url) = if creating {
        (
            format!("{owner}, if it is an organization, does not let its members create packages"),
            format!("Ask an owner of {owner} to allow it under \"Package creation\"."),
            page::organization_packages(context),
        )
    } else {
        (
            format!(
                "{owner}, if it is an organization, or its enterprise restricts workflows to reading"
            ),
            format!(
                "Ask an owner of {owner} to allow \"Read and write permissions\" under \"Workflow permissions\"."
            ),
            format!(
                "https://{}/organizations/{owner}/settings/actions",
                context.web_host
            ),
        )
    };
    Cause {
        code: Code::OrganizationPolicy,
        likelihood: Likelihood::Possible,
        why,
        evidence: vec!["holds only if the permissions block above is in place already".to_owned()],
        remedy,
        url: Some(url),
    }
}
