//! Lines in which nobody refused anything: no request reached the registry, or no answer came back.

use super::tokens::{BREAKS, PROXIES, UNCONNECTED, UNRESOLVED, UNSECURED, UNTRUSTED};
use crate::evidence::Trouble;

/// What happened instead of an answer, by a line in lower case.
pub(super) fn heard(lower: &str) -> Option<Trouble> {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    // A proxy may be what is not found or does not listen.
    if says(&PROXIES) || is_refused_by_proxy(lower) {
        return Some(Trouble::Proxy);
    }
    // The question to the name server has no answer: `lookup ghcr.io on [::1]:53: read udp ...`.
    let is_lookup = lower.contains("lookup ") && lower.contains(": read udp ");
    if says(&UNRESOLVED) || is_lookup {
        return Some(Trouble::Resolve);
    }
    if says(&UNSECURED) {
        return Some(Trouble::NotTls);
    }
    if says(&UNTRUSTED) {
        return Some(Trouble::Certificate);
    }
    if says(&UNCONNECTED) {
        return Some(Trouble::Connect);
    }
    (says(&BREAKS) || lower.ends_with(": eof")).then_some(Trouble::Interrupted)
}

/// Whether a proxy refused to connect: clients in Go then print the bare phrase of its status after the address
/// (<https://github.com/golang/go/blob/master/src/net/http/transport.go>), while a registry's comes with its number.
fn is_refused_by_proxy(lower: &str) -> bool {
    let Some((before, "forbidden" | "service unavailable" | "bad gateway")) =
        lower.rsplit_once(": ")
    else {
        return false;
    };
    let address = before.trim_end_matches(['"', '\'']);
    let is_of_registry = address.ends_with("/v2/") || address.contains("/token?");
    is_of_registry && address.contains("https://")
}

/// The host whose name was looked up: `lookup ghcr.io on 10.0.0.1:53: no such host`.
pub(super) fn looked_up(text: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once("lookup ")?;
    let host = rest.split([' ', ':']).next()?;
    host.contains('.').then(|| host.to_lowercase())
}
