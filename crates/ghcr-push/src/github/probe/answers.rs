//! The REST API's answers, read without asking.

use std::time::SystemTime;

use ghcr_diagnosis::{Link, OwnerKind, PackageFacts, TokenFacts, TokenKind};
use oci_push::internals::Response;
use serde_json::Value;

use super::moment;
use crate::github::event;

/// Headers that tell something of the token.
const HEADERS: [&str; 6] = [
    "github-authentication-token-expiration",
    "retry-after",
    "x-github-sso",
    "x-oauth-scopes",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
];

/// An answer, as far as it tells anything.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Answer {
    pub(super) fn of(response: &Response) -> Self {
        let value = |name| Some((name, response.header(name)?.to_owned()));
        Self {
            status: response.status.as_u16(),
            headers: HEADERS.into_iter().filter_map(value).collect(),
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
        }
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| *known == name)?;
        Some(value)
    }

    /// A text in the body of a success.
    fn text(&self, name: &str) -> Option<&str> {
        (self.status == 200).then(|| self.body.get(name)?.as_str())?
    }

    /// Whether more questions would be refused
    /// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
    pub(super) fn is_limit(&self) -> bool {
        let is_spent = self.header("x-ratelimit-remaining") == Some("0");
        let is_slowed = self.header("retry-after").is_some();
        self.status == 429 || (self.status == 403 && (is_spent || is_slowed))
    }
}

/// The user that the token stands for.
pub(super) fn login(answer: &Answer) -> Option<String> {
    answer.text("login").map(str::to_owned)
}

/// What kind of account it is.
pub(super) fn owner_kind(answer: &Answer) -> Option<OwnerKind> {
    event::owner_kind(answer.text("type")?)
}

/// What the answer about a package tells. That it cannot be seen does not mean that it is not there
/// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#404-not-found-for-an-existing-resource>).
pub(super) fn package(answer: &Answer) -> PackageFacts {
    let mut facts = PackageFacts::default();
    if answer.status != 200 || !answer.body.is_object() {
        return facts;
    }
    facts.exists = Some(true);
    facts.visibility = answer.text("visibility").map(str::to_owned);
    facts.link = match answer.body.get("repository") {
        Some(repository) if repository.is_object() => repository
            .get("full_name")
            .and_then(Value::as_str)
            .map_or(Link::Unknown, |name| Link::Repository(name.to_owned())),
        // The field is left out, or is null, where there is none.
        Some(Value::Null) | None => Link::Unlinked,
        Some(_) => Link::Unknown,
    };
    facts
}

/// Whether the answer about a package tells that an installation token may, or may not, read packages
/// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible>).
pub(super) fn reads_packages(answer: &Answer) -> Option<bool> {
    let message = answer.body.get("message").and_then(Value::as_str);
    let is_withheld = message.is_some_and(|text| text.contains("not accessible by integration"));
    match answer.status {
        200 => Some(true),
        403 if is_withheld => Some(false),
        _ => None,
    }
}

/// A package in words.
pub(super) fn described(facts: &PackageFacts) -> Option<String> {
    facts.exists?;
    let visibility = facts.visibility.as_deref().unwrap_or("there");
    Some(match &facts.link {
        Link::Repository(name) => format!("{visibility}, linked to {name}"),
        Link::Unlinked => format!("{visibility}, linked to no repository"),
        Link::Unknown => visibility.to_owned(),
    })
}

/// The repositories that a token is for, `None` if not all of them are in the answer.
pub(super) fn repositories(answer: &Answer) -> Option<Vec<String>> {
    if answer.status != 200 {
        return None;
    }
    let listed = answer.body.get("repositories")?.as_array()?;
    let names: Vec<String> = listed
        .iter()
        .filter_map(|one| Some(one.get("full_name")?.as_str()?.to_owned()))
        .collect();
    let total = answer.body.get("total_count")?.as_u64()?;
    (names.len() as u64 == total).then_some(names)
}

/// Adds what any answer to a request with the token tells of it, `now`.
pub(super) fn of_token(answer: &Answer, kind: TokenKind, now: SystemTime, facts: &mut TokenFacts) {
    match answer.status {
        // https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
        401 => facts.accepted = Some(false),
        200 => {
            facts.accepted = Some(true);
            facts.expired = Some(false);
        }
        _ => {}
    }
    let has_scopes = matches!(kind, TokenKind::ClassicPersonal | TokenKind::OAuth);
    if let Some(scopes) = answer.header("x-oauth-scopes").filter(|_| has_scopes) {
        let scopes = scopes.split(',').map(str::trim);
        let scopes = scopes.filter(|scope| !scope.is_empty()).map(str::to_owned);
        facts.scopes = Some(scopes.collect());
    }
    if let Some(moment) = answer.header("github-authentication-token-expiration") {
        facts.expires = Some(moment.to_owned());
        // That GitHub takes it is worth more than the clock of this machine.
        if facts.accepted != Some(true) {
            facts.expired = moment::read(moment).map(|end| end <= now);
        }
    }
    // `required; url=https://github.com/orgs/...`; partial results name organizations, and no address.
    let address = answer.header("x-github-sso").and_then(|header| {
        let (_, address) = header.split_once("url=")?;
        Some(address.split([';', ',', ' ']).next()?.to_owned())
    });
    if answer.status == 403 && address.is_some() {
        facts.sso_url = address;
    }
}

#[cfg(test)]
mod tests;
