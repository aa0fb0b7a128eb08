//! What is known of a situation without asking anybody.

use ghcr_diagnosis::Context;
use oci_push::Reference;

use crate::env::Environment;
use crate::github::{self, Run};

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

/// Variables that name a proxy, as curl reads them.
const PROXY_VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The context of a push to `reference`, but for the credential.
pub(crate) fn context(reference: &Reference, environment: &Environment) -> Context {
    let mut context = of_environment(environment);
    context.reference = reference.to_string();
    let (owner, package) = reference.repository().split_once('/').unwrap_or_default();
    context.owner = owner.to_owned();
    context.package = package.to_owned();
    context.web_host = github::web_host(reference.resolve_registry());
    if let Some(run) = github::run(environment) {
        admit(&mut context, run);
    }
    context
}

/// The context of whatever happens in this environment, but for the run.
fn of_environment(environment: &Environment) -> Context {
    let mut context = Context::default();
    let are = |names: &[&str], test: fn(&str) -> bool| -> Vec<String> {
        let set = names
            .iter()
            .filter(|name| environment.get(name).is_some_and(test));
        set.map(|name| (*name).to_owned()).collect()
    };
    context.empty_variables = are(&CREDENTIAL_VARIABLES, |value| value.trim().is_empty());
    context.proxy_variables = are(&PROXY_VARIABLES, |value| !value.is_empty());
    context
}

/// Adds the run. Its payload tells the kind of its own repository's owner only.
pub(crate) fn admit(context: &mut Context, run: Run) {
    let own = run.facts.repository.split('/').next().unwrap_or_default();
    if !own.is_empty() && own.eq_ignore_ascii_case(&context.owner) {
        context.owner_kind = run.owner_kind;
        context.owner_exists = Some(true);
    }
    context.actions = Some(run.facts);
}
