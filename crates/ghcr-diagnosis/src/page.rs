//! Addresses of GitHub's pages.

use crate::context::{Context, OwnerKind};

/// The settings of the package, on a user's and on an organization's address; one of them if the
/// owner's kind is known. A slash in the name becomes `%2F`
/// (<https://github.com/INSPIRE-MIF/helpdesk-validator/issues/608>).
pub(crate) fn package_settings(context: &Context) -> Vec<String> {
    let Context {
        web_host,
        owner,
        package,
        owner_kind,
        ..
    } = context;
    let package = package.replace('/', "%2F");
    let page =
        |kind| format!("https://{web_host}/{kind}/{owner}/packages/container/{package}/settings");
    match owner_kind {
        Some(OwnerKind::Organization) => vec![page("orgs")],
        Some(OwnerKind::User) => vec![page("users")],
        None => vec![page("orgs"), page("users")],
    }
}

/// The repository's Actions settings, which hold "Workflow permissions".
pub(crate) fn repository_actions(context: &Context, repository: &str) -> String {
    format!("https://{}/{repository}/settings/actions", context.web_host)
}

/// The organization's package settings, which hold "Package creation".
pub(crate) fn organization_packages(context: &Context) -> String {
    format!(
        "https://{}/organizations/{}/settings/packages",
        context.web_host, context.owner
    )
}

/// A form for a classic token with the right scope ticked.
pub(crate) fn new_token(context: &Context) -> String {
    format!(
        "https://{}/settings/tokens/new?scopes=write:packages",
        context.web_host
    )
}
