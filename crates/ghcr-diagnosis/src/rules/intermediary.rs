//! Something else than the registry answered: a proxy, a firewall, a portal.
//!
//! ghcr.io answers in JSON. A page of HTML, `Request forbidden by administrative rules`
//! (<https://github.com/rancher-sandbox/rancher-desktop/issues/5301>) or 413 is somebody else's: no report of
//! them from ghcr.io itself is known.

use crate::case::Case;
use crate::context::Tool;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::evidence::Trouble;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    let evidence = &case.evidence;
    let elsewhere = match &evidence.trouble {
        Some(Trouble::Elsewhere(place)) => Some(place.as_str()),
        _ => None,
    };
    let is_page = ["<html", "<!doctype html", "<head", "<title"]
        .iter()
        .any(|start| case.says(start));
    let is_html = is_page
        || evidence
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"));
    let administrative = case.says("forbidden by administrative rules");
    let status = matches!(evidence.status, Some(407 | 413));
    if evidence.trouble == Some(Trouble::Proxy) && case.context.tool != Tool::GhcrPush {
        return Diagnosis::of("a proxy did not let the request through", vec![proxy(case)]);
    }
    if !(is_html || administrative || status || elsewhere.is_some()) {
        return None;
    }
    let mut found = vec![case.words()];
    if let Some(place) = elsewhere {
        found = vec![format!(
            "the answer leads to {place}, which is not the registry's"
        )];
    }
    if is_html {
        found.push("the answer is a page for people; ghcr.io answers in JSON".to_owned());
    }
    for name in ["server", "via"] {
        found.extend(
            evidence
                .header(name)
                .map(|value| format!("the header {name} says {value}")),
        );
    }
    let proxies = &case.context.proxy_variables;
    if !proxies.is_empty() {
        found.push(format!(
            "these variables name a proxy: {}",
            proxies.join(", ")
        ));
    }
    let host = case.host();
    let explanation = Cause {
        code: Code::Intermediary,
        likelihood: if evidence.status == Some(407) || administrative {
            Likelihood::Proven
        } else {
            Likelihood::Likely
        },
        why: format!("a proxy, a firewall or another server answered in place of {host}"),
        evidence: found,
        remedy: format!(
            "Check the host's spelling, then let {host} pass without the proxy (NO_PROXY={host}), or ask whoever runs \
             it to admit uploads to {host} of any size. Changing permissions at GitHub does nothing here."
        ),
        url: None,
    };
    Diagnosis::of("the answer is not the registry's", vec![explanation])
}

/// The cause that a proxy is set that does not answer, or does not want to connect to the registry.
fn proxy(case: &Case) -> Cause {
    let host = case.host();
    let name = case.evidence.host.as_deref().unwrap_or("HOST");
    Cause {
        code: Code::Intermediary,
        likelihood: Likelihood::Proven,
        why: format!(
            "the request for {host} went to a proxy, which did not answer or did not let it through. The registry was \
             not asked, so that permissions are not the matter"
        ),
        evidence: vec!["the tool tells of the proxy, not of the registry".to_owned()],
        remedy: format!(
            "Look which proxy the tool was given (HTTPS_PROXY; for Docker's daemon its own configuration), whether that \
             is up, and whether it admits {host}. Where the machine needs none, let {host} pass without it \
             (NO_PROXY={name})."
        ),
        url: None,
    }
}
