//! What is known of a situation without asking anybody.

use ghcr_diagnosis::{Context, Evidence, Tool};
use oci_push::{PushReport, Reference, ReferenceStatus};

use crate::env::Environment;
use crate::github::{self, Run, Told};
use crate::reference::is_same_repository;

/// Variables that hold a credential in somebody's habit. Set but empty, each is a finding.
const CREDENTIAL_VARIABLES: [&str; 7] = [
    "GHCR_PUSH_TOKEN",
    "DOCKER_AUTH_CONFIG",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "CR_PAT",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
];

/// The context of a push to `reference`, but for the credential.
pub(crate) fn context(reference: &Reference, environment: &Environment) -> Context {
    let mut context = Context::default();
    context.tool = Tool::GhcrPush;
    let is_empty = |value: &str| value.trim().is_empty();
    context.empty_variables = variables(&CREDENTIAL_VARIABLES, environment, is_empty);
    context.reference = reference.to_string();
    let (owner, package) = reference.repository().split_once('/').unwrap_or_default();
    context.owner = owner.to_owned();
    context.package = package.to_owned();
    context.web_host = github::web_host(reference.resolve_registry());
    if let Some(run) = github::run(environment) {
        admit(&mut context, run, Some(owner));
    }
    context
}

/// The context of a refusal in a log. Of the environment only the run counts: the log is taken to be this
/// job's, while its tools had variables of their own.
pub(crate) fn of_log(evidence: &Evidence, environment: &Environment) -> Context {
    let mut context = Context::default();
    let name = evidence.reference.as_deref().and_then(|reference| {
        let (_, name) = reference.split_once('/')?;
        Some(name.to_lowercase())
    });
    if let Some(run) = github::run(environment) {
        let named = name.as_deref().unwrap_or_default();
        admit(&mut context, run, named.split('/').next());
    }
    context
}

/// The names of those variables that are set to what `test` tells.
fn variables(names: &[&str], environment: &Environment, test: fn(&str) -> bool) -> Vec<String> {
    let set = names
        .iter()
        .filter(|name| environment.get(name).is_some_and(test));
    set.map(|name| (*name).to_owned()).collect()
}

/// Adds the run. Its payload tells the kind of its own repository's owner only.
fn admit(context: &mut Context, run: Run, owner: Option<&str>) {
    let own = run.facts.repository.split('/').next().unwrap_or_default();
    if owner.is_some_and(|owner| owner.eq_ignore_ascii_case(own)) {
        context.owner_kind = run.owner_kind;
        context.owner_exists = Some(true);
    }
    context.actions = Some(run.facts);
}

/// Adds what this push has achieved before it failed at `reference`.
pub(crate) fn recall(context: &mut Context, report: &PushReport, reference: &Reference) {
    let mut published = report.references.iter().filter(|entry| {
        entry.status == ReferenceStatus::Pushed && is_same_repository(&entry.reference, reference)
    });
    // A tag that was not there before may have been the package's first.
    if published.any(|entry| entry.previous.is_none()) {
        context.just_created = Some(true);
    }
    let is_of_one_registry = report
        .references
        .iter()
        .all(|entry| entry.reference.registry() == reference.registry());
    if report.blobs.uploaded > 0 && is_of_one_registry {
        context.succeeded_before = Some(true);
    }
}

/// Adds what GitHub's REST API told.
pub(crate) fn add(context: &mut Context, told: Told) {
    context.owner_kind = told.owner_kind.or(context.owner_kind);
    context.owner_exists = told.owner_exists.or(context.owner_exists);
    context.package_facts = told.package;
    context.token = told.token;
    context.probes = told.account;
    if let Some(actions) = &mut context.actions {
        actions.token_is_own = told.token_is_own;
    }
}
