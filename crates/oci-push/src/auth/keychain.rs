//! Credentials, as the caller of this crate supplies them.

use std::fmt;

use futures_util::future::BoxFuture;
use secrecy::SecretString;

/// What is presented to a registry or its token service. Has no `Display`, and its `Debug` hides the
/// secret.
#[derive(Clone)]
pub struct Credentials {
    /// The user name. ghcr.io takes any.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Where credentials come from. Asked anew for every token, so that a rotated secret is picked up.
pub trait Keychain: Send + Sync {
    /// The credentials for a registry host (`ghcr.io`, `localhost:5000`), or `None` to go unauthenticated.
    fn credentials<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Option<Credentials>>;
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
