//! What is known about particular registries.
//!
//! One table instead of conditions spread over the engine. A profile holds facts about the wire, not
//! about permissions or people; the rest is learned from answers. Only what makes a difference is a profile of its own:
//! what other registries are known for, the engine meets everywhere.
//!
//! | registry | known by | what is known | what is made of it |
//! |---|---|---|---|
//! | GitHub (ghcr.io) | host | ranged chunks up to 4 `MiB` ([1]), uploads up to ten minutes ([2]), limits on requests ([3], [4]), its token service ([5]) | [`Profile::Ghcr`] |
//! | Amazon (ECR) | host | chunks from 5 `MiB` on, `Range` of no worth ([6]), PATCH answered with 201 ([7]) | [`Profile::Ecr`] |
//! | Google (GAR, gcr.io) | host | no chunks ([8]) | [`Profile::Gar`] |
//! | Distribution 2.8, and Harbor, which is made of it | name | a session whose chunk was cut off is cancelled ([9]) | [`Profile::Distribution2`] |
//! | Distribution 3 | | sessions tell where they stand, and a misplaced chunk is refused with 416 ([10]) | as the specification |
//! | zot | | chunks are resumed; its `Range` was wrong for a while ([11]) | as the specification: a `Range` is a hint anywhere |
//! | Docker Hub | | 429 with bare line feeds ([12]) | read from anybody |
//! | Azure (ACR) | | bodies over 20 MB refused with 413 in the basic tier ([13]) | learned from the first 413, since other tiers take more |
//!
//! Headers tell nothing for certain: `Docker-Distribution-Api-Version: registry/2.0` comes from ghcr.io and zot as from
//! Distribution of any version, and `Server` from the proxy before it.
//!
//! [1]: https://github.com/oras-project/rust-oci-client/issues/35
//! [2]: https://github.com/aquaproj/aqua/issues/4018
//! [3]: https://github.com/chainguard-images/images/issues/173
//! [4]: https://github.com/tuist/tuist/pull/12321
//! [5]: https://toddysm.com/2024/02/12/authenticating-with-oci-registries-github-container-registry-ghcr-implementation
//! [6]: https://github.com/aws/containers-roadmap/issues/2831
//! [7]: https://github.com/jdx/mise/pull/11376
//! [8]: https://github.com/dotnet/sdk-container-builds/pull/287
//! [9]: https://github.com/distribution/distribution/blob/v2.8.3/registry/handlers/blobupload.go
//! [10]: https://github.com/distribution/distribution/blob/0d6b721dc3ceacb5d678c25b718b2f40a507c2d8/registry/handlers/blobupload.go
//! [11]: https://github.com/regclient/regclient/issues/961
//! [12]: https://github.com/docker/hub-feedback/issues/1907
//! [13]: https://github.com/goharbor/harbor/issues/23015

use std::time::Duration;

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
    /// Distribution 2.8, which Harbor and others are made of: it cancels a session whose chunk was cut off, so that
    /// chunks save nothing
    /// (<https://github.com/distribution/distribution/blob/v2.8.3/registry/handlers/blobupload.go>).
    Distribution2,
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
            Self::Specification | Self::Ecr | Self::Gar | Self::Distribution2 => DEFAULT_CHUNK,
        }
    }

    /// The largest chunk that the registry is known to take, in bytes.
    #[must_use]
    pub fn chunk_limit(self) -> Option<u64> {
        match self {
            Self::Ghcr => Some(GHCR_CHUNK_LIMIT),
            Self::Specification | Self::Ecr | Self::Gar | Self::Distribution2 => None,
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

    /// Whether rights to a package that was just created take a while to be the same everywhere
    /// (<https://github.com/orgs/community/discussions/26274>).
    #[must_use]
    pub fn settles_rights(self) -> bool {
        self == Self::Ghcr
    }

    /// Whether the registry is known to take chunks, or not known not to.
    #[must_use]
    pub fn takes_chunks(self) -> bool {
        self != Self::Gar
    }

    /// Whether a session goes on after one of its chunks was cut off, or is not known not to.
    #[must_use]
    pub fn resumes_chunks(self) -> bool {
        self != Self::Distribution2
    }

    /// How long the registry lets one request take, if it is known to end longer ones.
    ///
    /// GitHub ends an upload after ten minutes (its documentation, "Troubleshooting" of the container registry, quoted in
    /// <https://github.com/aquaproj/aqua/issues/4018>).
    #[must_use]
    pub fn longest_request(self) -> Option<Duration> {
        (self == Self::Ghcr).then_some(Duration::from_mins(10))
    }

    /// Whether an unknown name can be told from an unknown tag. ghcr.io says `manifest unknown` or `denied` of either;
    /// the code `NAME_UNKNOWN` of its is on no record.
    #[must_use]
    pub fn tells_unknown_names(self) -> bool {
        self != Self::Ghcr
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
            Self::Specification | Self::Ecr | Self::Gar | Self::Distribution2 => None,
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
