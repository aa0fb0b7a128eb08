//! What GitHub asks of an account before it looks at any package: single sign-on, an address, payment.

use crate::case::Case;
use crate::context::{OwnerKind, TokenKind};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    single_sign_on(case)
        .or_else(|| address(case))
        .or_else(|| billing(case))
}

/// `Resource protected by organization SAML enforcement`, or the header that GitHub's API documents
/// (<https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api>).
fn single_sign_on(case: &Case) -> Option<Diagnosis> {
    let said = case.says("saml enforcement") || case.says("saml sso");
    let header = case.evidence.header("x-github-sso").and_then(address_in);
    if !said && (header.is_none() || !case.is_denial()) {
        return None;
    }
    Diagnosis::of(
        "the token is not authorized for single sign-on",
        vec![unauthorized(case, Likelihood::Proven)],
    )
}

/// The cause that GitHub's API refused the same token for want of single sign-on, for a refusal of the registry that
/// does not say so itself. `None` if the API sent no address.
pub(super) fn refused_by_the_api(case: &Case) -> Option<Cause> {
    let context = &case.context;
    let is_known = context.is_personal() && context.token.sso_url.is_some();
    is_known.then(|| unauthorized(case, Likelihood::Likely))
}

/// The cause that a refusal without words leaves open to a person's token in an organization.
pub(super) fn supposed(case: &Case) -> Option<Cause> {
    let context = &case.context;
    let is_open = (context.is_personal() || context.is_of_unknown_kind())
        && context.token.sso_url.is_none()
        && context.owner_kind != Some(OwnerKind::User);
    is_open.then(|| {
        let mut supposed = unauthorized(case, Likelihood::Possible);
        supposed.evidence.push(
            "holds if the organization enforces single sign-on, and the token is a person's"
                .to_owned(),
        );
        supposed
    })
}

fn unauthorized(case: &Case, likelihood: Likelihood) -> Cause {
    let context = &case.context;
    let header = case.evidence.header("x-github-sso").and_then(address_in);
    let sent = header
        .or(context.token.sso_url.as_deref())
        .and_then(|address| page::own(context, address));
    let owner = &context.owner;
    let mut evidence = case.basics();
    if sent.is_some() {
        evidence.push("GitHub sent an address where the token can be authorized".to_owned());
    }
    let is_oauth = context.kind() == Some(TokenKind::OAuth) || case.says("oauth token");
    let remedy = match sent {
        Some(address) => format!(
            "Open {address} (it is valid for an hour), authorize the token, and push again."
        ),
        None if is_oauth => format!(
            "Run `gh auth refresh -h {} -s write:packages`, authorize {} in the browser when it is asked for, and \
             push again. A token of another application than gh gets the same by a new login there.",
            context.web_host,
            organization(owner),
        ),
        None => format!(
            "Open {}, choose \"Configure SSO\" beside the token, authorize {}, and push again.",
            page::tokens(context),
            organization(owner),
        ),
    };
    Cause {
        code: Code::SsoNotAuthorised,
        likelihood,
        why: format!(
            "{} enforces single sign-on, and the token is not authorized for it",
            organization(owner)
        ),
        evidence,
        remedy,
        // The list of tokens has those of people only, not those that applications were given.
        url: sent
            .map(str::to_owned)
            .or_else(|| (!is_oauth).then(|| page::tokens(context))),
    }
}

/// The address in `required; url=https://...`.
fn address_in(header: &str) -> Option<&str> {
    let (_, address) = header.split_once("url=")?;
    address.split([';', ',', ' ']).next()
}

fn organization(owner: &str) -> String {
    match owner {
        "" => "the organization".to_owned(),
        owner => format!("the organization {owner}"),
    }
}

/// The REST API's words (<https://github.com/docker/metadata-action/issues/342>); none of the registry's
/// own are on record.
fn address(case: &Case) -> Option<Diagnosis> {
    if !case.says("ip allow list") {
        return None;
    }
    let named = named_organization(case.said());
    let owner = named.unwrap_or(&case.context.owner);
    let mut context = case.context.clone();
    owner.clone_into(&mut context.owner);
    let organization = organization(owner);
    let explanation = Cause {
        code: Code::IpNotAllowed,
        likelihood: Likelihood::Proven,
        why: format!(
            "{organization} admits only listed IP addresses, and this machine's is not among them"
        ),
        evidence: case.basics(),
        remedy: format!(
            "Push from a runner whose address is listed (a self-hosted one, or a larger runner with a static \
             address), or ask an owner of {organization} to list it. Listing the addresses of GitHub's shared \
             runners would admit everybody who uses those."
        ),
        url: Some(page::organization_security(&context)),
    };
    Diagnosis::of("this machine's address is not admitted", vec![explanation])
}

/// The organization that the refusal names: "the `acme` organization has an IP allow list enabled".
fn named_organization(said: &str) -> Option<&str> {
    let (before, _) = said.split_once("` organization has an ip allow list")?;
    let (_, name) = before.rsplit_once('`')?;
    let is_login = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!name.is_empty() && is_login(name)).then_some(name)
}

/// Seen at GitHub's older registry (<https://github.com/IBM-Cloud/ibmcloud-image-builder/issues/27>).
fn billing(case: &Case) -> Option<Diagnosis> {
    // The word alone may stand in a name that the refusal quotes.
    let phrases = [
        "billing-related",
        "billing status",
        "billing issue",
        "billing problem",
        "billing information",
        "spending limit",
    ];
    if !phrases.iter().any(|phrase| case.says(phrase)) || !refused(case) {
        return None;
    }
    let owner = match case.context.owner.as_str() {
        "" => "the owner",
        owner => owner,
    };
    let explanation = Cause {
        code: Code::Billing,
        likelihood: Likelihood::Proven,
        why: format!("GitHub refuses because of the billing of {owner}"),
        evidence: case.basics(),
        remedy: format!(
            "Have {owner} look at plan, payment and spending limit. Raising a limit can cost money."
        ),
        url: Some(page::billing(&case.context)),
    };
    Diagnosis::of("the account's billing stands in the way", vec![explanation])
}

/// A client's error, or one whose status is not known.
fn refused(case: &Case) -> bool {
    case.evidence
        .status
        .is_none_or(|status| (400..500).contains(&status))
}
