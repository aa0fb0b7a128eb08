//! Credentials, as the caller of this crate supplies them.

use std::fmt;

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

/// What is presented to a registry or its token service. Has no `Display`, and its `Debug` hides the
/// secret.
#[derive(Clone)]
pub struct Credentials {
    /// The user name. ghcr.io takes any. [`Credentials::IDENTITY_TOKEN_USER`] says that the password is an identity
    /// token.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

impl Credentials {
    /// The user name beside an identity token, which a login may get instead of keeping the password. It is
    /// exchanged for tokens, and presented to token services only. The name is the one of docker's credential
    /// helpers
    /// (<https://github.com/docker/docker-credential-helpers/blob/master/credentials/credentials.go>).
    pub const IDENTITY_TOKEN_USER: &str = "<token>";

    /// Whether the password is an identity token.
    pub(super) fn is_identity_token(&self) -> bool {
        self.username == Self::IDENTITY_TOKEN_USER
    }

    /// Whether both present the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.username == other.username
            && self.password.expose_secret() == other.password.expose_secret()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Where credentials come from. Asked anew for every token, and once more if a credential is refused, so that a
/// rotated secret is picked up.
pub trait Keychain: Send + Sync {
    /// The credentials for a registry host (`ghcr.io`, `localhost:5000`), or `None` to go unauthenticated.
    fn credentials<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Option<Credentials>>;

    /// The credentials for one repository (`owner/name`) of a host, where parts of a registry have their own; those
    /// of the host otherwise. This is what the engine asks for.
    fn credentials_for<'a>(
        &'a self,
        host: &'a str,
        _repository: &'a str,
    ) -> BoxFuture<'a, Option<Credentials>> {
        self.credentials(host)
    }

    /// Told of every bearer token that a token service has issued for a credential, before it is used: a registry may
    /// quote it in a refusal, and whoever prints that has to know what to hide.
    fn issued(&self, _token: &SecretString) {}
}

/// The same credentials, or none, for every host asked about.
#[derive(Debug, Clone, Default)]
pub struct FixedKeychain(
    /// What is given out.
    pub Option<Credentials>,
);

impl Keychain for FixedKeychain {
    fn credentials<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, Option<Credentials>> {
        Box::pin(std::future::ready(self.0.clone()))
    }
}
