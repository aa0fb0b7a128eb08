//! Registries' ways on the wire, as data.

/// Whose behaviour a registry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Personality {
    /// The distribution specification's, in the strictest reading, with the session addresses of
    /// Distribution 2.8: state in the query, and no way to go on with a session whose chunk was cut off.
    #[default]
    Specification,
    /// ghcr.io's, as far as it is known.
    Ghcr,
    /// The same, where each ranged chunk takes the place of those before it.
    GhcrOverwriting,
    /// Amazon's: PATCH is answered with 201 and a range that stays where the first chunk ended, and no chunk
    /// but the last is under 5 `MiB`
    /// (<https://github.com/aws/containers-roadmap/issues/2831>).
    Ecr,
    /// Google's: there are no chunks
    /// (<https://github.com/dotnet/sdk-container-builds/pull/287>).
    Gar,
    /// Azure's basic tier: no body is over 20 MB
    /// (<https://github.com/goharbor/harbor/issues/23015>).
    Acr,
    /// Distribution 2.8's, which does not look at `Content-Range`: only the digest at the end tells whether chunks
    /// came in order (<https://github.com/distribution/distribution/blob/v2.8.2/registry/handlers/blobupload.go>).
    Distribution,
    /// Docker Hub's: Distribution behind a proxy that ends the lines of its 429 without carriage returns
    /// (<https://github.com/docker/hub-feedback/issues/1907>).
    Hub,
}

impl Personality {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Specification,
        Self::Ghcr,
        Self::GhcrOverwriting,
        Self::Ecr,
        Self::Gar,
        Self::Acr,
        Self::Distribution,
        Self::Hub,
    ];
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
    /// The largest body of all.
    pub(crate) body_limit: Option<u64>,
    /// The smallest chunk but the last.
    pub(crate) least_chunk: Option<u64>,
    /// Whether `Content-Range` is looked at.
    pub(crate) checks_ranges: bool,
    /// Limits are told in lines that end without carriage returns.
    pub(crate) bare_limits: bool,
    /// Whether there are chunks at all.
    pub(crate) takes_chunks: bool,
    /// What a chunk is answered with.
    pub(crate) chunk_status: u16,
    /// Answers name the end of the first chunk whatever has come since.
    pub(crate) stuck_range: bool,
    /// A chunk takes the place of what the session held.
    pub(crate) overwrites: bool,
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

/// What the specification says.
const SPECIFICATION: Behavior = Behavior {
    ghcr_sessions: false,
    ranged_body_limit: None,
    body_limit: None,
    least_chunk: None,
    checks_ranges: true,
    bare_limits: false,
    takes_chunks: true,
    chunk_status: 202,
    stuck_range: false,
    overwrites: false,
    cancellable: true,
    request_ids: false,
    hints_scope: true,
    announces_expiry: true,
    bad_credential: (401, "UNAUTHORIZED", "authentication required"),
    needs_owner: false,
    lists_referrers: false,
};

/// Sessions: <https://github.com/docker/build-push-action/issues/626> and
/// <https://github.com/ocx-sh/ocx/issues/267>. The limit: <https://github.com/ocx-sh/ocx/pull/237>. No
/// cancelling: <https://github.com/radius-project/radius/pull/12623>. The scope's hint and the token answer:
/// <https://toddysm.com/2024/02/12/authenticating-with-oci-registries-github-container-registry-ghcr-implementation>.
/// Bad credentials: <https://github.com/sigstore/scaffolding/issues/127>. Owners:
/// <https://github.com/docker/build-push-action/issues/1111>.
const GHCR: Behavior = Behavior {
    ghcr_sessions: true,
    ranged_body_limit: Some(4 * 1024 * 1024),
    cancellable: false,
    request_ids: true,
    hints_scope: false,
    announces_expiry: false,
    bad_credential: (403, "DENIED", "denied"),
    needs_owner: true,
    ..SPECIFICATION
};

const DISTRIBUTION: Behavior = Behavior {
    checks_ranges: false,
    ..SPECIFICATION
};

impl Personality {
    pub(crate) fn behavior(self) -> Behavior {
        match self {
            Self::Specification => SPECIFICATION,
            Self::Ghcr => GHCR,
            Self::GhcrOverwriting => Behavior {
                overwrites: true,
                ..GHCR
            },
            Self::Ecr => Behavior {
                ghcr_sessions: true,
                least_chunk: Some(5 * 1024 * 1024),
                chunk_status: 201,
                stuck_range: true,
                ..SPECIFICATION
            },
            Self::Gar => Behavior {
                takes_chunks: false,
                ..SPECIFICATION
            },
            Self::Acr => Behavior {
                body_limit: Some(20_000_000),
                ..SPECIFICATION
            },
            Self::Distribution => DISTRIBUTION,
            Self::Hub => Behavior {
                bare_limits: true,
                ..DISTRIBUTION
            },
        }
    }
}
