//! Which site and which REST API belong to a registry's host.
//!
//! | registry | site | REST API |
//! |---|---|---|
//! | `ghcr.io` | `github.com` | `api.github.com` |
//! | `containers.NAME.ghe.com` | `NAME.ghe.com` | `api.NAME.ghe.com` |
//! | `containers.HOST` of GitHub Enterprise Server | `HOST` | `HOST/api/v3` |
//!
//! <https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom>,
//! <https://docs.github.com/en/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api>

use crate::env::Environment;

/// The site that belongs to a registry's host: where packages have their pages.
pub(crate) fn web_host(registry: &str) -> String {
    registry
        .strip_prefix("containers.")
        .unwrap_or("github.com")
        .to_owned()
}

/// The REST API that belongs to a registry's host, `None` if there is none that is known to. `given` is the one that
/// the user says belongs to a host that is none of the above.
///
/// A registry's credential is sent there. So a host that merely begins with `containers.` is taken for one of GitHub
/// Enterprise Server's only where the surroundings name its site.
pub(crate) fn api(
    registry: &str,
    given: Option<&str>,
    environment: &Environment,
) -> Option<String> {
    let registry = registry.strip_suffix(":443").unwrap_or(registry);
    if registry == "ghcr.io" {
        return Some("https://api.github.com".to_owned());
    }
    if let Some(site) = registry.strip_prefix("containers.") {
        if site.ends_with(".ghe.com") {
            return Some(format!("https://api.{site}"));
        }
        let named = [
            environment.filled("GITHUB_SERVER_URL"),
            environment.filled("GH_HOST"),
        ];
        let is_named = |name: &str| {
            let host = name.strip_prefix("https://").unwrap_or(name);
            host.trim_end_matches('/').eq_ignore_ascii_case(site)
        };
        if named.into_iter().flatten().any(is_named) {
            return Some(format!("https://{site}/api/v3"));
        }
    }
    given.map(|given| given.trim_end_matches('/').to_owned())
}

/// Reads the base of a REST API as it is given on the command line: over TLS, or on this machine.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn api_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| {
        let rest = text.strip_prefix("http://")?;
        let host = rest.split('/').next().unwrap_or_default();
        crate::settings::is_loopback(host).then_some(rest)
    });
    match rest {
        Some(rest) if rest.contains(['@', '?', '#', ' ']) || rest.starts_with('/') => {
            Err("it is to be a host and, if need be, a path".to_owned())
        }
        Some("") | None => Err("it is to begin with https://".to_owned()),
        Some(_) => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites() {
        assert_eq!(web_host("ghcr.io"), "github.com");
        assert_eq!(web_host("containers.example.ghe.com"), "example.ghe.com");
        assert_eq!(web_host("127.0.0.1:5000"), "github.com");
    }

    #[test]
    fn apis() {
        let nowhere = Environment::default();
        let server = Environment::of(&[("GITHUB_SERVER_URL", "https://git.example/")]);
        let desk = Environment::of(&[("GH_HOST", "git.example")]);
        let given = Some("https://api.example/");
        for (registry, given, environment, expected) in [
            ("ghcr.io", None, &nowhere, Some("https://api.github.com")),
            // What belongs to a host that is known is not for the user to say.
            (
                "ghcr.io:443",
                given,
                &nowhere,
                Some("https://api.github.com"),
            ),
            (
                "containers.a.ghe.com",
                given,
                &nowhere,
                Some("https://api.a.ghe.com"),
            ),
            ("containers.git.example", None, &nowhere, None),
            (
                "containers.git.example",
                None,
                &server,
                Some("https://git.example/api/v3"),
            ),
            (
                "containers.git.example",
                given,
                &desk,
                Some("https://git.example/api/v3"),
            ),
            ("containers.evil.example", None, &server, None),
            ("ghcr.io.evil.example", None, &nowhere, None),
            ("registry.example", None, &server, None),
            (
                "registry.example",
                given,
                &nowhere,
                Some("https://api.example"),
            ),
        ] {
            let found = api(registry, given, environment);
            assert_eq!(found.as_deref(), expected, "{registry}");
        }
    }

    #[test]
    fn given_apis() {
        for (text, is_taken) in [
            ("https://api.example", true),
            ("https://git.example/api/v3/", true),
            ("http://127.0.0.1:8080", true),
            ("http://api.example", false),
            ("https://user@api.example", false),
            ("https://api.example?x", false),
            ("https://", false),
            ("https:///x", false),
            ("api.example", false),
            ("", false),
        ] {
            assert_eq!(api_url(text).is_ok(), is_taken, "{text}");
        }
    }
}
