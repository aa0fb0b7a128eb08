//! The registry was not asked: its name has no address, nothing listens there, what does speaks no TLS, or its
//! certificate is not trusted.
//!
//! Tools print this where refusals stand, and people look for a permission then.

use crate::case::Case;
use crate::context::Tool;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::evidence::Trouble;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    match case.evidence.trouble {
        Some(Trouble::Resolve) => Diagnosis::of(
            "the registry was not reached: its name has no address",
            vec![unresolved(case)],
        ),
        Some(Trouble::Connect) => Diagnosis::of(
            "the registry was not reached: no connection came about",
            vec![unconnected(case)],
        ),
        Some(Trouble::NotTls) => Diagnosis::of(
            "the registry was not asked: what listens there speaks no TLS",
            vec![plain(case)],
        ),
        Some(Trouble::Certificate) => Diagnosis::of(
            "the registry's certificate is not trusted",
            vec![untrusted(case)],
        ),
        _ => None,
    }
}

/// The host, as it is to stand in a command.
fn name(case: &Case) -> &str {
    case.evidence.host.as_deref().unwrap_or("HOST")
}

/// What is known: of another tool by its word, and through which proxy, if one is set.
fn evidence(case: &Case, what: &str) -> Vec<String> {
    let mut evidence = vec![match case.context.tool {
        Tool::GhcrPush => what.to_owned(),
        Tool::Another => format!("the tool tells that {what}"),
    }];
    let proxies = &case.context.proxy_variables;
    if !proxies.is_empty() {
        evidence.push(format!(
            "these variables name a proxy: {}",
            proxies.join(", ")
        ));
    }
    evidence
}

fn unresolved(case: &Case) -> Cause {
    let host = case.host();
    Cause {
        code: Code::RegistryUnreachable,
        likelihood: Likelihood::Proven,
        why: format!(
            "{host} was not asked, so that permissions are not the matter: its name has no address for the machine that \
             looked it up"
        ),
        evidence: evidence(case, "the name was looked up in vain"),
        remedy: format!(
            "Check the spelling of {host}. If it is right, {}; if it stays, `nslookup {}` on that machine (or in that \
             container or builder) tells whether its name server is out of order.",
            case.again(),
            name(case)
        ),
        url: None,
    }
}

fn unconnected(case: &Case) -> Cause {
    let host = case.host();
    Cause {
        code: Code::RegistryUnreachable,
        likelihood: Likelihood::Proven,
        why: format!(
            "{host} was not asked, so that permissions are not the matter: no connection came about"
        ),
        evidence: evidence(
            case,
            "the connection was refused, or there is no way to the host",
        ),
        remedy: format!(
            "Look whether the machine may reach {host}: a firewall, a VPN or a proxy that has to be set may stand \
             between. `curl -v https://{}/v2/` there shows more.",
            name(case)
        ),
        url: None,
    }
}

/// How tools are told that a registry is without TLS: <https://docs.docker.com/reference/cli/dockerd/#insecure-registries>,
/// <https://docs.docker.com/build/buildkit/toml-configuration/>,
/// <https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md>.
fn plain(case: &Case) -> Cause {
    let host = case.host();
    Cause {
        code: Code::RegistryUnreachable,
        likelihood: Likelihood::Proven,
        why: format!(
            "{host} was not asked, so that permissions are not the matter: the tool opened TLS, and was answered in plain \
             HTTP"
        ),
        evidence: evidence(case, "the answer was no TLS"),
        remedy: format!(
            "Check the port in {host}. If the registry is meant to be without TLS, tell the tool: `insecure-registries` in \
             Docker's daemon.json, `http = true` in a builder's buildkitd.toml, `--tls-verify=false` for podman, buildah \
             and skopeo, `--insecure` for crane, `--plain-http` for oras, helm and ghcr-push."
        ),
        url: None,
    }
}

/// Where Docker and `BuildKit` look for authorities of one registry:
/// <https://docs.docker.com/engine/security/certificates/>,
/// <https://docs.docker.com/build/buildkit/configure/#setting-registry-certificates>.
fn untrusted(case: &Case) -> Cause {
    let host = case.host();
    Cause {
        code: Code::CertificateUntrusted,
        likelihood: Likelihood::Proven,
        why: format!(
            "{host} was not asked, so that permissions are not the matter: the certificate that was shown is of no \
             authority that the tool trusts. The registry has one of its own, or a proxy opens the connection"
        ),
        evidence: evidence(case, "the certificate was not taken"),
        remedy: format!(
            "Give the machine the authority's certificate: for Docker as /etc/docker/certs.d/{}/ca.crt, for a builder \
             of buildx in its buildkitd.toml, else among the system's. Leaving out the check instead hands the \
             credential to whoever stands between.",
            name(case)
        ),
        url: None,
    }
}
