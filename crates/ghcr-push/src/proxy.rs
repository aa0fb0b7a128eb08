//! Proxies, as the environment names them.
//!
//! The variables are those of curl (<https://curl.se/docs/manpage.html#ENVIRONMENT>), read in the order in which the
//! HTTP client reads them: of two spellings the first that is set counts, be it empty.

use oci_push::goes_through_proxy;

use crate::env::Environment;

/// For requests over HTTPS, for those over HTTP, and for both.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Where this is set, the program was started for a request to a web server, whose `Proxy` header would be in
/// `HTTP_PROXY`, so that the HTTP client heeds no variable at all (<https://httpoxy.org>).
const CGI: &str = "REQUEST_METHOD";

/// A URL that no rule for single hosts is about.
const ANYWHERE: &str = "https://registry.invalid/";

/// The proxy that a request for `url` goes through, if any: the variable that names it, and the proxy's host and port.
/// Without what the variable may hold of a password.
pub(crate) fn of(url: &str, environment: &Environment) -> Option<String> {
    let none = set(NONE, environment).map_or("", |(_, hosts)| hosts);
    let (name, address) = named(url.starts_with("http://"), environment)
        .into_iter()
        .find(|(_, address)| is_usable(address))?;
    goes_through_proxy(url, address, none).then(|| format!("{name} ({})", host_of(address)))
}

/// Variables that name no proxy that can be used, a line each; none that a usable one stands before.
pub(crate) fn ignored(plain_http: bool, environment: &Environment) -> Vec<String> {
    let named = named(plain_http, environment);
    let unusable = named
        .iter()
        .take_while(|(_, address)| !is_usable(address))
        .filter(|(_, address)| !address.is_empty());
    unusable
        .map(|(name, _)| {
            format!(
                "what {name} is set to is no proxy that can be used, and is ignored; write http://HOST:PORT (or https, \
                 socks4, socks4a, socks5, socks5h)"
            )
        })
        .collect()
}

/// The variables that count for one scheme, in their order, and what they are set to.
fn named(plain_http: bool, environment: &Environment) -> Vec<(&'static str, &str)> {
    if environment.get(CGI).is_some() {
        return Vec::new();
    }
    let own = if plain_http { HTTP } else { HTTPS };
    [own, ALL]
        .into_iter()
        .filter_map(|names| set(names, environment))
        .collect()
}

/// The first of these variables that is set.
fn set<'a>(
    names: [&'static str; 2],
    environment: &'a Environment,
) -> Option<(&'static str, &'a str)> {
    names
        .into_iter()
        .find_map(|name| Some((name, environment.get(name)?)))
}

fn is_usable(address: &str) -> bool {
    goes_through_proxy(ANYWHERE, address, "")
}

/// The host with its port. What is no port may be a password, of an address that lacks its host.
fn host_of(address: &str) -> &str {
    let (_, authority) = address.rsplit_once('@').unwrap_or(("", address));
    let (_, authority) = authority.split_once("://").unwrap_or(("", authority));
    let authority = authority.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') && port.parse::<u16>().is_err() => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://registry.example/v2/";

    #[test]
    fn proxies_without_their_passwords() {
        for (address, shown) in [
            (
                "http://proxy.example:3128",
                "HTTPS_PROXY (proxy.example:3128)",
            ),
            ("http://user:hunter22", "HTTPS_PROXY (user)"),
            ("http://[::1]", "HTTPS_PROXY ([::1])"),
            ("http://[::1]:3128", "HTTPS_PROXY ([::1]:3128)"),
            (
                "http://user:word@proxy.example:3128/x",
                "HTTPS_PROXY (proxy.example:3128)",
            ),
            ("proxy.example", "HTTPS_PROXY (proxy.example)"),
        ] {
            let environment = Environment::of(&[("HTTPS_PROXY", address), ("https_proxy", "")]);
            assert_eq!(of(URL, &environment).as_deref(), Some(shown));
        }
    }

    #[test]
    fn the_variable_that_counts() {
        let (proxy, other) = ("http://a.example:1", "http://b.example:2");
        for (variables, url, expected) in [
            (
                &[("https_proxy", proxy), ("ALL_PROXY", other)][..],
                URL,
                Some("https_proxy (a.example:1)"),
            ),
            (&[("HTTPS_PROXY", ""), ("https_proxy", proxy)], URL, None),
            (
                &[("HTTPS_PROXY", "ftp://x"), ("ALL_PROXY", other)],
                URL,
                Some("ALL_PROXY (b.example:2)"),
            ),
            (&[("HTTPS_PROXY", "ftp://x")], URL, None),
            (&[("HTTPS_PROXY", "bogus:://x")], URL, None),
            (&[("HTTP_PROXY", proxy)], URL, None),
            (
                &[("HTTP_PROXY", proxy)],
                "http://registry.example/v2/",
                Some("HTTP_PROXY (a.example:1)"),
            ),
            (
                &[("HTTPS_PROXY", proxy), ("NO_PROXY", "registry.example")],
                URL,
                None,
            ),
            (
                &[("HTTPS_PROXY", proxy), ("REQUEST_METHOD", "GET")],
                URL,
                None,
            ),
        ] {
            let found = of(url, &Environment::of(variables));
            assert_eq!(found.as_deref(), expected, "{variables:?} for {url}");
        }
    }

    #[test]
    fn what_is_ignored() {
        let usable = "http://a.example:1";
        for (variables, plain_http, expected) in [
            (
                &[("HTTPS_PROXY", "ftp://x")][..],
                false,
                &["HTTPS_PROXY"][..],
            ),
            (&[("HTTPS_PROXY", "bogus:://x")], false, &["HTTPS_PROXY"]),
            (
                &[("https_proxy", "ftp://x"), ("all_proxy", "ftp://y")],
                false,
                &["https_proxy", "all_proxy"],
            ),
            (&[("HTTPS_PROXY", "ftp://x")], true, &[]),
            (&[("HTTP_PROXY", "ftp://x")], true, &["HTTP_PROXY"]),
            (
                &[("HTTPS_PROXY", usable), ("ALL_PROXY", "ftp://x")],
                false,
                &[],
            ),
            (&[("HTTPS_PROXY", "")], false, &[]),
        ] {
            let told = ignored(plain_http, &Environment::of(variables));
            assert_eq!(told.len(), expected.len(), "{told:?}");
            for (line, name) in told.iter().zip(expected) {
                assert!(
                    line.starts_with(&format!("what {name} is set to")),
                    "{line}"
                );
            }
        }
    }
}
