//! Addresses of GitHub's pages.

use std::fmt::Write as _;

use crate::context::{Context, OwnerKind};

/// What stands in an address for an owner that is not known.
pub(crate) const OWNER: &str = "OWNER";

/// The same for a package.
pub(crate) const PACKAGE: &str = "PACKAGE";

/// The address of the package's settings, if it is known which one that is.
pub(crate) fn only_package_settings(context: &Context) -> Option<String> {
    let mut pages = package_settings(context);
    let last = pages.pop();
    last.filter(|_| pages.is_empty())
}

/// The settings of the package, on a user's and on an organization's address; one of them if the
/// owner's kind is known. A slash in the name becomes `%2F`
/// (<https://github.com/INSPIRE-MIF/helpdesk-validator/issues/608>).
pub(crate) fn package_settings(context: &Context) -> Vec<String> {
    let owner = owner(context);
    let package = if is_hidden(&context.package) {
        PACKAGE.to_owned()
    } else {
        encoded(&context.package)
    };
    let page = |kind| {
        format!(
            "{}/{kind}/{owner}/packages/container/{package}/settings",
            site(context)
        )
    };
    match context.owner_kind {
        Some(OwnerKind::Organization) => vec![page("orgs")],
        Some(OwnerKind::User) => vec![page("users")],
        None => vec![page("orgs"), page("users")],
    }
}

/// [`package_settings`] in a sentence: both addresses if it is not known which one exists.
pub(crate) fn package_settings_named(context: &Context) -> String {
    let pages = package_settings(context);
    match pages.as_slice() {
        [organization, user] => {
            let owner = owner(context);
            format!("{organization} (if {owner} is a user: {user})")
        }
        _ => pages.concat(),
    }
}

/// The repository's Actions settings, which hold "Workflow permissions".
pub(crate) fn repository_actions(context: &Context, repository: &str) -> String {
    let repository: Vec<String> = repository.split('/').map(encoded).collect();
    format!(
        "{}/{}/settings/actions",
        site(context),
        repository.join("/")
    )
}

/// The organization's package settings, which hold "Package creation".
pub(crate) fn organization_packages(context: &Context) -> String {
    organization(context, "packages")
}

/// The organization's Actions settings, which hold "Workflow permissions".
pub(crate) fn organization_actions(context: &Context) -> String {
    organization(context, "actions")
}

/// The organization's settings of "Authentication security", which hold the IP allow list.
pub(crate) fn organization_security(context: &Context) -> String {
    organization(context, "security")
}

/// The billing of the owner.
pub(crate) fn billing(context: &Context) -> String {
    match context.owner_kind {
        Some(OwnerKind::Organization) => organization(context, "billing"),
        _ => format!("{}/settings/billing", site(context)),
    }
}

/// A form for a classic token with the right scope ticked.
pub(crate) fn new_token(context: &Context) -> String {
    format!(
        "{}/settings/tokens/new?scopes=write:packages",
        site(context)
    )
}

/// A form for a classic token that may read packages.
pub(crate) fn new_reading_token(context: &Context) -> String {
    format!("{}/settings/tokens/new?scopes=read:packages", site(context))
}

/// The list of the user's classic tokens.
pub(crate) fn tokens(context: &Context) -> String {
    format!("{}/settings/tokens", site(context))
}

/// `address` if it is a page of the site itself: a server's header must not send anybody elsewhere.
pub(crate) fn own<'a>(context: &Context, address: &'a str) -> Option<&'a str> {
    let rest = address.strip_prefix(&site(context))?;
    let is_plain = address
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"<>\"`\\".contains(&byte));
    (rest.starts_with('/') && is_plain).then_some(address)
}

fn organization(context: &Context, page: &str) -> String {
    format!(
        "{}/organizations/{}/settings/{page}",
        site(context),
        owner(context)
    )
}

fn site(context: &Context) -> String {
    let host = match context.web_host.as_str() {
        "" => "github.com",
        host => host,
    };
    format!("https://{host}")
}

fn owner(context: &Context) -> String {
    if is_hidden(&context.owner) {
        OWNER.to_owned()
    } else {
        encoded(&context.owner)
    }
}

/// Whether a name is not known: a log may show `***`, `<owner>` or `${OWNER}` in its place.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.is_empty() || name.contains(['*', '<', '>', '$', '{', '}'])
}

/// A path segment: everything but letters, digits and `-._~` as `%XX`
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>).
fn encoded(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
