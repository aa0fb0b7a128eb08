//! What is said where no credential was found, and nothing is sent.

use ghcr_diagnosis::{Context, without_credential};
use oci_push::{Profile, Reference};

use super::{add_facts, grouped};
use crate::credentials::{Search, Sources, workflow_site};
use crate::error::{CliError, Kind};
use crate::github;

/// ghcr.io takes no push from nobody; there is no need to ask it. Nor to ask any registry, if the one source that
/// may be used has nothing.
pub(super) fn failure(
    reference: &Reference,
    profile: Profile,
    search: &Search,
    sources: &Sources,
) -> CliError {
    let host = reference.resolve_registry();
    let message = match sources.forced {
        Some(source) => format!(
            "no credential for {host} was found in the source {}",
            source.name()
        ),
        None => format!("no credential for {host} was found"),
    };
    let mut error = CliError::new(Kind::Authorization, message);
    if profile != Profile::Ghcr {
        return error.hint(places(search));
    }
    let mut context = Context::default();
    context.reference = reference.to_string();
    let (owner, package) = reference.repository().split_once('/').unwrap_or_default();
    context.owner = owner.to_owned();
    context.package = package.to_owned();
    context.web_host = github::web_host(host);
    context.actions = github::actions(&sources.environment);
    if let Some(run) = &mut context.actions {
        run.site = workflow_site(&sources.environment);
    }
    add_facts(search, &mut context);
    error.diagnosis = without_credential(&context).map(Box::new);
    error
}

fn places(search: &Search) -> String {
    let mut text = "looked for here:".to_owned();
    for (places, outcome) in grouped(&search.looked) {
        text.push_str("\n  ");
        text.push_str(&places);
        text.push_str(": ");
        text.push_str(&outcome);
    }
    text
}
