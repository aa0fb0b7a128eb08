//! How a registry behaves, as data.

use std::time::Duration;

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

/// Whose behaviour a registry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Personality {
    /// The distribution specification's, in the strictest reading.
    #[default]
    Specification,
    /// ghcr.io's, as far as it is known.
    Ghcr,
}

/// What a personality means on the wire.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact about a registry, and they are independent"
)]
pub(crate) struct Behavior {
    /// Session addresses are relative, of the form `/v2/NAME/blobs/upload/ID`, and stay the same.
    pub(crate) ghcr_sessions: bool,
    /// The largest body with `Content-Range`.
    pub(crate) ranged_body_limit: Option<u64>,
    /// Whether a session can be cancelled.
    pub(crate) cancellable: bool,
    /// Every answer bears an `X-GitHub-Request-Id`.
    pub(crate) request_ids: bool,
    /// The challenge hints at the scope that is needed; otherwise at `pull` whatever is needed.
    pub(crate) hints_scope: bool,
    /// Tokens come with `expires_in`.
    pub(crate) announces_expiry: bool,
    /// The status for a bad credential at the token service.
    pub(crate) bad_credential: (u16, &'static str, &'static str),
    /// A repository's name has at least two components.
    pub(crate) needs_owner: bool,
    /// Manifests that are about others are said to be listed.
    pub(crate) lists_referrers: bool,
}

impl Personality {
    pub(crate) fn behavior(self) -> Behavior {
        match self {
            Self::Specification => Behavior {
                ghcr_sessions: false,
                ranged_body_limit: None,
                cancellable: true,
                request_ids: false,
                hints_scope: true,
                announces_expiry: true,
                bad_credential: (401, "UNAUTHORIZED", "authentication required"),
                needs_owner: false,
                lists_referrers: false,
            },
            // Sessions: https://github.com/docker/build-push-action/issues/626 and
            // https://github.com/ocx-sh/ocx/issues/267. The limit:
            // https://github.com/ocx-sh/ocx/pull/237. No cancelling:
            // https://github.com/radius-project/radius/pull/12623. The scope's hint and the token answer:
            // https://toddysm.com/2024/02/12/authenticating-with-oci-registries-github-container-registry-ghcr-implementation
            // Bad credentials: https://github.com/sigstore/scaffolding/issues/127. Owners:
            // https://github.com/docker/build-push-action/issues/1111.
            Self::Ghcr => Behavior {
                ghcr_sessions: true,
                ranged_body_limit: Some(4 * 1024 * 1024),
                cancellable: false,
                request_ids: true,
                hints_scope: false,
                announces_expiry: false,
                bad_credential: (403, "DENIED", "denied"),
                needs_owner: true,
                lists_referrers: false,
            },
        }
    }
}
