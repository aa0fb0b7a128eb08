//! Refusals of registries that are not GitHub's: their words, and no advice but what holds anywhere.

use ghcr_diagnosis::{Code, Evidence, Trouble, is_lookalike};
use oci_push::{Profile, Reference};

/// The host that refused, if it is not known to be GitHub's nor one that is taken for it. The names of GitHub
/// Enterprise Server's registries begin with `containers.`.
pub(super) fn host(evidence: &Evidence) -> Option<&str> {
    let host = evidence.host.as_deref()?;
    let is_githubs = Profile::of_host(host) == Profile::Ghcr
        || host.starts_with("containers.")
        || host.ends_with(".pkg.github.com");
    (!is_githubs && !is_lookalike(host)).then_some(host)
}

/// What helps at any registry.
pub(super) fn advice(host: &str, evidence: &Evidence) -> String {
    let repository = evidence
        .reference
        .as_deref()
        .and_then(|reference| reference.parse::<Reference>().ok())
        .map_or_else(
            || "this repository".to_owned(),
            |reference| reference.repository().to_owned(),
        );
    let act = if evidence.is_pull {
        "pull from"
    } else {
        "push to"
    };
    let is_limit = evidence.status == Some(429) || evidence.has_code("TOOMANYREQUESTS");
    let is_incomplete = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"]
        .iter()
        .any(|code| evidence.has_code(code));
    let is_absent = evidence.has_code("MANIFEST_UNKNOWN") || evidence.has_code("NAME_UNKNOWN");
    let words = evidence.words().to_lowercase();
    let is_refusal = match evidence.status {
        Some(status) => matches!(status, 401 | 403),
        None => {
            ["DENIED", "UNAUTHORIZED"]
                .iter()
                .any(|code| evidence.has_code(code))
                || ["denied", "authentication required"]
                    .iter()
                    .any(|phrase| words.contains(phrase))
        }
    };
    let what = if is_limit {
        "it takes no more requests for now: try again later, and log in to it if it was asked without a credential"
            .to_owned()
    } else if is_absent {
        format!("it has no such image: check the name and the tag of {repository}")
    } else if is_incomplete {
        "it does not have what the manifest names: push again, the blobs before the manifest"
            .to_owned()
    } else if evidence.anonymous == Some(true) {
        let why = if evidence.is_pull {
            "check the name"
        } else {
            "look whether the secret that should hold one is empty, as it is in pull requests from forks"
        };
        format!(
            "the tool had no credential for it: log in with an account that may {act} {repository}, and {why}"
        )
    } else if evidence.trouble.is_some() {
        "the connection broke before there was an answer: try again later".to_owned()
    } else if evidence.status == Some(413) {
        "something in front of it does not admit an upload of that size: ask who runs it to raise the limit, or make the \
         layers smaller"
            .to_owned()
    } else if evidence.status.is_some_and(|status| status >= 500) {
        "it failed while it was asked: try again later, and ask who runs it if it stays".to_owned()
    } else if is_refusal {
        format!(
            "look with which account the tool is logged in to it, and whether that may {act} {repository}"
        )
    } else {
        "its documentation, or who runs it, tells what the answer means".to_owned()
    };
    let meant = match host {
        "docker.io" if !evidence.is_pull => {
            ". A reference without a host is Docker Hub's; GitHub's begin with ghcr.io/"
        }
        _ => "",
    };
    format!(
        "{host} is not one of GitHub's registries, whose causes and remedies do not hold there; {what}{meant}"
    )
}

/// Whether a diagnosis holds whoever's the registry is.
pub(super) fn holds_anywhere(code: Code) -> bool {
    matches!(
        code,
        Code::BlobLost
            | Code::DigestMismatch
            | Code::ReferenceInvalid
            | Code::Intermediary
            | Code::ManifestUnknown
            | Code::RegistryUnreachable
            | Code::CertificateUntrusted
    )
}

/// Whether what happened can be told of any registry: it was not asked, or not reached.
pub(super) fn is_everybodys(evidence: &Evidence) -> bool {
    matches!(
        evidence.trouble,
        Some(
            Trouble::InvalidReference { .. }
                | Trouble::Resolve
                | Trouble::Connect
                | Trouble::NotTls
                | Trouble::Certificate
                | Trouble::Proxy
        )
    )
}

/// Where the words are GitHub's, but the host is not known to be.
pub(super) fn doubt(host: &str) -> String {
    format!("{host} is not one of GitHub's registries: this holds as far as it behaves as they do")
}

/// Where neither words nor log tell whose refusal it is.
pub(super) fn condition(evidence: &Evidence) -> String {
    // Names without a host are a slip that is often made in workflows
    // (https://github.com/docker/build-push-action/issues/363, https://github.com/docker/build-push-action/issues/105).
    const WORDS_OF_DOCKER_HUB: [&str; 2] = [
        "requested access to the resource is denied",
        "insufficient_scope: authorization failed",
    ];
    let words = evidence.words().to_lowercase();
    let hub = if WORDS_OF_DOCKER_HUB.iter().any(|own| words.contains(own)) {
        ". Docker Hub refuses in these words; a reference without a host is Docker Hub's, and GitHub's begin with ghcr.io/"
    } else {
        ""
    };
    format!("the log does not tell which registry it was: this holds if it is ghcr.io{hub}")
}
