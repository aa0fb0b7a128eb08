//! Refused pulls: what lets read, never what lets write. And refusals of which little is known.

use oci_push::Step;

use super::{Codes, check};
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{job, refusal, silent};
use crate::{Client, Context, Evidence, diagnose};

fn pull(status: u16, code: &str, message: &str) -> Evidence {
    Evidence {
        step: Some(Step::CheckManifest),
        method: Some("GET".to_owned()),
        url: Some("https://ghcr.io/v2/owner/app/manifests/1".to_owned()),
        reference: Some("ghcr.io/owner/app:1".to_owned()),
        is_pull: true,
        client: Some(Client::Podman),
        ..refusal(status, code, message)
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn causes_and_remedies() {
    let at_token_service = |anonymous, status| Evidence {
        step: Some(Step::FetchToken),
        anonymous,
        errors: Vec::new(),
        ..pull(status, "", "")
    };
    let rows: [(&str, Evidence, Codes, &str); 11] = [
        (
            "https://github.com/seanmorley15/AdventureLog/issues/405",
            pull(403, "DENIED", "denied"),
            &[
                ("credential-rejected", Likely),
                ("package-unreadable", Possible),
            ],
            "run `podman logout ghcr.io`, and pull again",
        ),
        (
            "https://github.com/LeoMartinDev/voy/issues/3",
            Evidence {
                errors: Vec::new(),
                ..pull(403, "", "")
            },
            &[
                ("package-unreadable", Possible),
                ("credential-rejected", Possible),
                ("secondary-rate-limit", Possible),
            ],
            "give the role Read",
        ),
        (
            "https://github.com/rubenbe/opensoho/issues/10",
            pull(401, "UNAUTHORIZED", ""),
            &[
                ("credential-missing", Likely),
                ("credential-rejected", Possible),
            ],
            "Check the name of ghcr.io/owner/app:1. If it is right, log in with `podman login ghcr.io`",
        ),
        (
            "https://github.com/helm/helm/issues/12062",
            at_token_service(Some(true), 403),
            &[("credential-missing", Proven)],
            "scope read:packages",
        ),
        (
            "https://github.com/nickjj/docker-django-example/issues/62",
            at_token_service(Some(false), 403),
            &[
                ("credential-rejected", Likely),
                ("package-unreadable", Possible),
            ],
            "a public package needs no credential",
        ),
        (
            "https://github.com/apptainer/singularity/issues/3616",
            at_token_service(Some(false), 401),
            &[
                ("credential-rejected", Likely),
                ("package-unreadable", Possible),
            ],
            "a public package needs no credential",
        ),
        (
            "https://github.com/yannh/kubeconform/issues/117",
            pull(
                401,
                "UNAUTHORIZED",
                "unauthenticated: User cannot be authenticated with the token provided.",
            ),
            &[("credential-rejected", Likely)],
            "podman logout",
        ),
        (
            "https://github.com/containerd/containerd/pull/13547",
            pull(403, "DENIED", "permission_denied: read_package"),
            &[
                ("package-unreadable", Likely),
                ("package-just-created", Possible),
            ],
            "the job needs `packages: read` besides",
        ),
        (
            "https://github.com/docker/login-action/issues/331",
            pull(
                403,
                "DENIED",
                "permission_denied: The token provided does not match expected scopes.",
            ),
            &[("missing-scope", Proven)],
            "settings/tokens/new?scopes=read:packages",
        ),
        (
            "https://github.com/dependabot/cli/issues/380",
            pull(
                429,
                "TOOMANYREQUESTS",
                "retry-after: 880.092µs, allowed: 44000/minute",
            ),
            &[("rate-limit", Proven)],
            "Wait a minute and pull again",
        ),
        (
            "https://github.com/containers/podlet/issues/82",
            pull(404, "MANIFEST_UNKNOWN", "manifest unknown"),
            &[("manifest-unknown", Proven)],
            "Check the tag of ghcr.io/owner/app:1",
        ),
    ];
    for (origin, evidence, expected, remedy) in rows {
        check(origin, &evidence, &Context::default(), expected);
        let diagnosis = diagnose(&evidence, &Context::default()).expect("a diagnosis");
        assert!(diagnosis.causes[0].remedy.contains(remedy), "{diagnosis:?}");
        for cause in &diagnosis.causes {
            for wrong in ["Write", "write:packages", "packages: write", "--jobs"] {
                assert!(!cause.remedy.contains(wrong), "{origin}: {}", cause.remedy);
            }
        }
    }
}

/// The limit that the refusal names is told, and no other.
#[test]
fn the_limit_that_is_named() {
    for (message, expected) in [
        (
            "retry-after: 880.092µs, allowed: 44000/minute",
            "takes 44000 requests",
        ),
        ("retry-after: 333.939671ms", "limits the requests"),
    ] {
        let diagnosis = diagnose(&pull(429, "TOOMANYREQUESTS", message), &Context::default());
        let why = &diagnosis.expect("a diagnosis").causes[0].why;
        assert!(why.contains(expected), "{why}");
    }
}

/// A registry that nobody names is not told to be GitHub's, unless the words are.
#[test]
fn of_a_registry_that_is_not_named() {
    let unnamed = |code: &str, message: &str| Evidence {
        host: None,
        url: None,
        step: None,
        client: Some(Client::Docker),
        ..refusal(401, code, message)
    };
    for (message, there, not_there) in [
        (
            "authentication required",
            "docker login REGISTRY",
            "github.com",
        ),
        (
            "unauthenticated: User cannot be authenticated with the token provided.",
            "docker login ghcr.io",
            "REGISTRY",
        ),
    ] {
        let diagnosis = diagnose(&unnamed("UNAUTHORIZED", message), &Context::default());
        let text = format!("{:?}", diagnosis.expect("a diagnosis").causes);
        assert!(text.contains(there) && !text.contains(not_there), "{text}");
    }
}

/// Without words nobody knows which lock it is, and no cause may rule out another.
#[test]
fn either_lock_without_words() {
    let evidence = silent(Step::StartUpload, "POST");
    for context in [Context::default(), job()] {
        let diagnosis = diagnose(&evidence, &context).expect("a diagnosis");
        let text = format!("{:?}", diagnosis.causes);
        assert!(text.contains("PackageDeniesRepository"), "{text}");
        for wrong in [
            "`permissions:` are not the matter",
            "refused with other words",
        ] {
            assert!(!text.contains(wrong), "{text}");
        }
    }
}
