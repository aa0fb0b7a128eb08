//! What is known of the situation in which a push was refused.

mod actions;
mod client;
mod token_kind;

pub use actions::{Access, ActionsFacts, Grants, Permissions};
pub use client::Client;
pub use token_kind::TokenKind;

use crate::page::is_hidden;

/// Facts for a diagnosis. Each one that is not known is `None`, empty or `Unknown`, which is never
/// taken for "no".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The reference as the user knows it, `ghcr.io/owner/name:tag`.
    pub reference: String,
    /// The first component of the repository's name: a user or an organization.
    pub owner: String,
    /// The rest of the repository's name, which is the package's name and may hold slashes.
    pub package: String,
    /// The site that belongs to the registry: `github.com` for `ghcr.io`.
    pub web_host: String,
    /// Whether the owner is a user or an organization.
    pub owner_kind: Option<OwnerKind>,
    /// Whether such an owner exists.
    pub owner_exists: Option<bool>,
    /// What pushed.
    pub tool: Tool,
    /// The only source that was to be asked for a credential, by its name.
    pub forced_source: Option<String>,
    /// Why places that may hold a credential could not be read, a line each.
    pub source_problems: Vec<String>,
    /// The credential that was used.
    pub credential: Credential,
    /// What GitHub says of that credential.
    pub token: TokenFacts,
    /// Credentials for the same host that were passed over.
    pub shadowed: Vec<CredentialFacts>,
    /// Variables that should hold a credential and are set, but empty.
    pub empty_variables: Vec<String>,
    /// Where a credential was looked for.
    pub searched: Vec<String>,
    /// What GitHub says of the package.
    pub package_facts: PackageFacts,
    /// Whether this run made the package, or another did within the last minute.
    pub just_created: Option<bool>,
    /// Whether requests with this credential had succeeded before the refusal.
    pub succeeded_before: Option<bool>,
    /// Whether another request of the same log was refused for a rate limit.
    pub limited_nearby: Option<bool>,
    /// The size of the largest layer, in bytes.
    pub largest_layer: Option<u64>,
    /// The variable that names the proxy that the requests went through, if there was one.
    pub proxy_variables: Vec<String>,
    /// What was asked of GitHub to find out more, and what it answered, a line each.
    pub probes: Vec<String>,
    /// The workflow run, if this is one.
    pub actions: Option<ActionsFacts>,
}

/// What pushed, as far as it matters to what is advised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tool {
    /// Another tool, or one that is not known.
    #[default]
    Another,
    /// `ghcr-push`, with the sources of credentials that it has, which asks again for the words of a refusal without any.
    GhcrPush,
}

/// Whose namespace a package is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// A user's.
    User,
    /// An organization's.
    Organization,
}

/// The credential of a push.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// It is not known whether there was one.
    #[default]
    Unknown,
    /// There was none.
    Absent,
    /// There was this one.
    Used(CredentialFacts),
}

impl Credential {
    /// What is known of it, if there is one.
    #[must_use]
    pub fn facts(&self) -> Option<&CredentialFacts> {
        match self {
            Self::Used(facts) => Some(facts),
            Self::Unknown | Self::Absent => None,
        }
    }
}

/// The result of a search: what was found, or that there is none.
impl From<Option<CredentialFacts>> for Credential {
    fn from(found: Option<CredentialFacts>) -> Self {
        found.map_or(Self::Absent, Self::Used)
    }
}

/// What is known of a credential, never the credential itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFacts {
    /// Where it was found, in words that follow "from".
    pub source: String,
    /// What kind of token it is.
    pub kind: TokenKind,
}

/// What GitHub's REST API says of the credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenFacts {
    /// Whether it is accepted at all.
    pub accepted: Option<bool>,
    /// The user it stands for.
    pub login: Option<String>,
    /// Its scopes (`X-OAuth-Scopes`), which only classic and OAuth tokens have.
    pub scopes: Option<Vec<String>>,
    /// When it ends, as GitHub writes it.
    pub expires: Option<String>,
    /// Whether that moment has passed.
    pub expired: Option<bool>,
    /// Where it can be authorized for single sign-on (`X-GitHub-SSO`).
    pub sso_url: Option<String>,
    /// The repositories that an installation token is for, as `owner/name`.
    pub repositories: Option<Vec<String>>,
    /// Whether the API lets an installation token read packages.
    pub reads_packages: Option<bool>,
}

impl TokenFacts {
    /// Whether its scopes are known and none of them allows to write packages.
    pub(crate) fn lacks_scope(&self) -> bool {
        let scopes = self.scopes.as_ref();
        scopes.is_some_and(|scopes| !scopes.iter().any(|scope| scope.trim() == "write:packages"))
    }
}

/// What GitHub's REST API says of the package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackageFacts {
    /// Whether it exists. That it cannot be seen does not mean that it does not.
    pub exists: Option<bool>,
    /// `public`, `private` or `internal`.
    pub visibility: Option<String>,
    /// The repository it is linked to.
    pub link: Link,
}

/// The repository that a package is linked to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Link {
    /// It is not known.
    #[default]
    Unknown,
    /// None.
    Unlinked,
    /// This one, as `owner/name`.
    Repository(String),
}

impl Context {
    /// The package with its owner.
    pub(crate) fn full_name(&self) -> String {
        match (self.owner.as_str(), self.package.as_str()) {
            ("", "") => "the package".to_owned(),
            (owner, "") => owner.to_owned(),
            ("", package) => package.to_owned(),
            (owner, package) => format!("{owner}/{package}"),
        }
    }

    /// The package as it is called within a sentence.
    pub(crate) fn the_package(&self) -> String {
        if self.owner.is_empty() && self.package.is_empty() {
            "the package".to_owned()
        } else {
            format!("the package {}", self.full_name())
        }
    }

    /// The kind of the credential, if there is one.
    pub(crate) fn kind(&self) -> Option<TokenKind> {
        self.credential.facts().map(|facts| facts.kind)
    }

    /// Whether the credential stands for a person.
    pub(crate) fn is_personal(&self) -> bool {
        self.kind().is_some_and(TokenKind::is_personal)
    }

    /// Whether nothing tells what kind of token was used.
    pub(crate) fn is_of_unknown_kind(&self) -> bool {
        self.kind().is_none_or(|kind| kind == TokenKind::Unknown)
    }

    /// Whether the credential is an installation token.
    pub(crate) fn is_installation(&self) -> bool {
        self.kind() == Some(TokenKind::Installation)
    }

    /// Whether the token that is to be used instead of the credential is the job's own `GITHUB_TOKEN`: that can write
    /// where the run and the registry are of one site and one owner.
    pub(crate) fn is_for_the_jobs_token(&self) -> bool {
        self.is_installation() && self.foreign_site().is_none() && self.foreign_owner().is_none()
    }

    /// Whether an installation token is the workflow's own `GITHUB_TOKEN`. That one is for a single
    /// repository, the run's
    /// (<https://docs.github.com/en/actions/concepts/security/github_token>).
    pub(crate) fn is_workflow_token(&self) -> Option<bool> {
        let actions = self.actions.as_ref()?;
        if actions.token_is_own.is_some() {
            return actions.token_is_own;
        }
        let repositories = self.token.repositories.as_ref()?;
        match repositories.as_slice() {
            // Another App's token may be narrowed to the same repository, too.
            [only] if only.eq_ignore_ascii_case(&actions.repository) => None,
            _ => Some(false),
        }
    }

    /// The owner of the run's repository, if it is known to be another than the reference's. Two accounts of one name
    /// at two sites have nothing in common, and a name that a log masks may be the run's own.
    pub(crate) fn foreign_owner(&self) -> Option<&str> {
        let (owner, _) = self.actions.as_ref()?.repository.split_once('/')?;
        let is_of_site = self.foreign_site().is_none();
        let is_other =
            is_of_site && !is_hidden(&self.owner) && !owner.eq_ignore_ascii_case(&self.owner);
        is_other.then_some(owner)
    }

    /// The owner, if it is known.
    pub(crate) fn known_owner(&self) -> Option<&str> {
        Some(self.owner.as_str()).filter(|owner| !is_hidden(owner))
    }

    /// The site whose workflow runs, if it is known to be another than the registry's.
    pub(crate) fn foreign_site(&self) -> Option<&str> {
        let site = self.actions.as_ref()?.site.as_deref()?;
        let is_other = !self.web_host.is_empty() && !site.eq_ignore_ascii_case(&self.web_host);
        is_other.then_some(site)
    }
}
