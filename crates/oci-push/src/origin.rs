//! Which addresses a credential may be sent to.
//!
//! A registry names other addresses in its answers: the token service (`realm`), the upload session
//! (`Location`), redirects. Every registry client of note has at some time sent credentials to
//! whatever was named there (CVE-2020-15157, CVE-2026-48978, CVE-2026-50151, CVE-2026-49349). Here the
//! rule is an allow-list: the registry's own origin, and for the token service also the registry's
//! own registrable domain.

use url::{Host, Url};

/// Whether two URLs have the same scheme, host and port.
pub(crate) fn same_origin(left: &Url, right: &Url) -> bool {
    left.scheme() == right.scheme()
        && left.host() == right.host()
        && left.port_or_known_default() == right.port_or_known_default()
}

/// Whether a registry's credentials may go to the token service at `realm`.
///
/// Docker Hub's is on another host (`auth.docker.io` for `registry-1.docker.io`), so hosts of one
/// registrable domain are trusted, on the standard port and over TLS. For addresses and for names
/// without a public suffix only the very same origin is.
pub(crate) fn trusted_realm(registry: &Url, realm: &Url) -> bool {
    if !realm.username().is_empty() || realm.password().is_some() {
        return false;
    }
    if same_origin(registry, realm) {
        return true;
    }
    if realm.scheme() != "https" || realm.port_or_known_default() != Some(443) {
        return false;
    }
    match (registry.host(), realm.host()) {
        (Some(Host::Domain(registry)), Some(Host::Domain(realm))) => registrable_domain(registry)
            .is_some_and(|domain| registrable_domain(realm) == Some(domain)),
        _ => false,
    }
}

/// `example.co.uk` of `registry.example.co.uk`, by the public suffix list. Only suffixes that are on
/// the list count: an unlisted top-level name is nobody's public suffix, and proves no kinship.
fn registrable_domain(host: &str) -> Option<&str> {
    let domain = psl::domain(host.as_bytes())?;
    if !domain.suffix().is_known() {
        return None;
    }
    let length = domain.as_bytes().len();
    host.get(host.len() - length..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a test URL is valid")
    }

    #[test]
    fn realms() {
        for (registry, realm, trusted) in [
            ("https://ghcr.io/", "https://ghcr.io/token", true),
            ("https://ghcr.io/", "http://ghcr.io/token", false),
            ("https://ghcr.io/", "https://ghcr.io:8443/token", false),
            ("https://ghcr.io/", "https://user@ghcr.io/token", false),
            (
                "https://ghcr.io/",
                "https://ghcr.io.evil.example/token",
                false,
            ),
            ("https://ghcr.io/", "https://evil.io/token", false),
            (
                "https://registry-1.docker.io/",
                "https://auth.docker.io/token",
                true,
            ),
            (
                "https://registry-1.docker.io/",
                "http://auth.docker.io/token",
                false,
            ),
            (
                "https://registry.example.co.uk/",
                "https://auth.example.co.uk/t",
                true,
            ),
            (
                "https://registry.example.co.uk/",
                "https://auth.evil.co.uk/t",
                false,
            ),
            (
                "https://owner.github.io/",
                "https://evil.github.io/t",
                false,
            ),
            (
                "https://registry.internal/",
                "https://auth.internal/t",
                false,
            ),
            (
                "http://127.0.0.1:5000/",
                "http://127.0.0.1:5000/token",
                true,
            ),
            (
                "http://127.0.0.1:5000/",
                "http://127.0.0.1:5001/token",
                false,
            ),
            ("http://127.0.0.1:5000/", "https://169.254.169.254/", false),
            (
                "http://registry.local:5000/",
                "https://registry.local/token",
                false,
            ),
        ] {
            assert_eq!(
                trusted_realm(&url(registry), &url(realm)),
                trusted,
                "{registry} {realm}"
            );
        }
    }
}
