//! How a registry behaves, as data.

use std::time::Duration;

use crate::personality::Personality;

/// How to start a registry.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Whose behaviour it has.
    pub personality: Personality,
    /// The port on the loopback address, 0 for any.
    pub port: u16,
    /// Who may do what.
    pub authentication: Authentication,
    /// Say of manifests that are about others that they are listed, with `OCI-Subject`. Distribution 2.8
    /// and ghcr.io do not.
    pub lists_referrers: bool,
    /// Forget blobs' bytes once they are hashed, to take uploads of any size.
    pub discard_blobs: bool,
    /// Clients come over TLS, through a [`Front`](crate::Front): the token service is named accordingly.
    pub is_behind_tls: bool,
    /// How long the way to the registry is: every request takes so much longer.
    pub latency: Duration,
    /// Bytes a second that each connection's bodies come in at.
    pub rate: Option<u64>,
}

impl Options {
    /// A registry with the behaviour of ghcr.io and its kind of authentication.
    #[must_use]
    pub fn ghcr(username: &str, password: &str) -> Self {
        Self {
            personality: Personality::Ghcr,
            authentication: Authentication::Bearer {
                username: username.to_owned(),
                password: password.to_owned(),
                lifetime: None,
            },
            ..Self::default()
        }
    }
}

/// Who may do what.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Authentication {
    /// Everybody everything.
    #[default]
    None,
    /// Bearer tokens from the registry's own token service.
    Bearer {
        /// The one user.
        username: String,
        /// The user's password.
        password: String,
        /// How long a token is good for; for ever if `None`.
        lifetime: Option<Duration>,
    },
    /// The credential itself with every request.
    Basic {
        /// The one user.
        username: String,
        /// The user's password.
        password: String,
    },
}
