//! What is known about particular registries.
//!
//! One table instead of conditions spread over the engine. A profile holds facts about the wire, not
//! about permissions or people; the rest is learned from answers.

use url::Url;

use crate::retry::{Rate, Rates};

/// The largest body ghcr.io takes in a PATCH with `Content-Range`; beyond it answers 416 "the request
/// body is too large and exceeds the maximum permissible limit of 4.00MiB"
/// (<https://github.com/oras-project/rust-oci-client/issues/35>). Bodies without `Content-Range` have
/// no such limit.
pub(crate) const GHCR_CHUNK_LIMIT: u64 = 4 * 1024 * 1024;

/// The chunk size where nothing is known against it: a request's overhead is small beside it, and an
/// interruption loses little.
const DEFAULT_CHUNK: u64 = 16 * 1024 * 1024;

/// A registry's known behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Nothing is known: the distribution specification applies.
    Specification,
    /// GitHub Container Registry, also on GitHub Enterprise hosts.
    Ghcr,
    /// Amazon's: no chunk but the last is under 5 `MiB`
    /// (<https://github.com/aws/containers-roadmap/issues/2831>).
    Ecr,
    /// Google's: there are no chunks (<https://github.com/dotnet/sdk-container-builds/pull/287>).
    Gar,
}

impl Profile {
    /// The profile of a host, by its name.
    ///
    /// `containers.NAME.ghe.com` is GitHub Enterprise Cloud with data residency
    /// (<https://docs.github.com/en/enterprise-cloud@latest/packages/working-with-a-github-packages-registry/working-with-the-container-registry>).
    #[must_use]
    pub fn of_host(host: &str) -> Self {
        let host = host.strip_suffix(":443").unwrap_or(host);
        if host == "ghcr.io" || (host.starts_with("containers.") && host.ends_with(".ghe.com")) {
            Self::Ghcr
        } else if host == "public.ecr.aws"
            || (host.contains(".dkr.ecr.")
                && is_below(host, &["amazonaws.com", "amazonaws.com.cn"]))
        {
            Self::Ecr
        } else if host == "gcr.io" || is_below(host, &["gcr.io", "pkg.dev"]) {
            Self::Gar
        } else {
            Self::Specification
        }
    }

    /// The chunk size used when none is asked for, in bytes.
    #[must_use]
    pub fn default_chunk(self) -> u64 {
        match self {
            Self::Ghcr => GHCR_CHUNK_LIMIT,
            Self::Specification | Self::Ecr | Self::Gar => DEFAULT_CHUNK,
        }
    }

    /// The largest chunk that the registry is known to take, in bytes.
    #[must_use]
    pub fn chunk_limit(self) -> Option<u64> {
        match self {
            Self::Ghcr => Some(GHCR_CHUNK_LIMIT),
            Self::Specification | Self::Ecr | Self::Gar => None,
        }
    }

    /// The smallest chunk but the last that the registry is known to take, in bytes.
    #[must_use]
    pub fn least_chunk(self) -> Option<u64> {
        (self == Self::Ecr).then_some(5 * 1024 * 1024)
    }

    /// The rates of requests that the registry is known to bear.
    ///
    /// ghcr.io takes 2000 writes a minute, which other jobs of the owner's or the address's share
    /// (<https://github.com/chainguard-images/images/issues/173>): a run takes at most 1700 in any minute. Ranged chunks
    /// at 120 a minute for long trip GitHub's secondary limit, told as 403
    /// (<https://github.com/tuist/tuist/pull/12321>): beyond the first 300, which is more than a gigabyte, they go
    /// at 90.
    pub(crate) fn rates(self) -> Option<Rates> {
        (self == Self::Ghcr).then_some(Rates {
            writes: Rate {
                burst: 500,
                per_minute: 1200,
            },
            chunks: Rate {
                burst: 300,
                per_minute: 90,
            },
        })
    }

    /// Whether the registry is known to take chunks, or not known not to.
    #[must_use]
    pub fn takes_chunks(self) -> bool {
        self != Self::Gar
    }

    /// The token service, where it need not be asked for. Knowing it saves the first round trip.
    ///
    /// ghcr.io's challenge is `Bearer realm="https://ghcr.io/token",service="ghcr.io"`
    /// (<https://toddysm.com/2024/02/12/authenticating-with-oci-registries-github-container-registry-ghcr-implementation>).
    pub(crate) fn token_service(self, registry: &Url) -> Option<(Url, String)> {
        match self {
            Self::Ghcr => {
                let realm = registry.join("/token").ok()?;
                Some((realm, registry.authority().to_owned()))
            }
            Self::Specification | Self::Ecr | Self::Gar => None,
        }
    }
}

/// Whether a host is in one of `domains`.
fn is_below(host: &str, domains: &[&str]) -> bool {
    let mut domains = domains.iter();
    domains.any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (host, profile) in [
            ("ghcr.io", Profile::Ghcr),
            ("ghcr.io:443", Profile::Ghcr),
            ("ghcr.io:8443", Profile::Specification),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", Profile::Ecr),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                Profile::Ecr,
            ),
            ("public.ecr.aws", Profile::Ecr),
            ("europe-docker.pkg.dev", Profile::Gar),
            ("eu.gcr.io", Profile::Gar),
            ("notgcr.io", Profile::Specification),
            ("containers.example.ghe.com", Profile::Ghcr),
            ("ghcr.io.example.com", Profile::Specification),
            ("docker.io", Profile::Specification),
        ] {
            assert_eq!(Profile::of_host(host), profile, "{host}");
        }
    }
}
