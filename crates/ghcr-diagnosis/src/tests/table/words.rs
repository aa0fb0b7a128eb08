//! Words that need no facts to be understood.

use super::{Codes, check};
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{job, refusal};

/// Words that say the same whoever is refused.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn words_that_need_no_facts() {
    let rows: [(&str, u16, &str, &str, Codes); 25] = [
        (
            "https://github.com/virtualcell/vcell/issues/1888",
            403,
            "DENIED",
            "permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body: \
             {\"message\": \"You have exceeded a secondary rate limit. Please wait a few minutes\"}",
            &[("secondary-rate-limit", Proven)],
        ),
        (
            "a rate limit that names a permission",
            403,
            "DENIED",
            "permission_denied: write_package: You have exceeded a secondary rate limit.",
            &[("secondary-rate-limit", Proven)],
        ),
        (
            "https://github.com/docker/build-push-action/issues/463",
            403,
            "DENIED",
            "permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\"",
            &[
                ("secondary-rate-limit", Likely),
                ("registry-unavailable", Possible),
            ],
        ),
        (
            "a Twirp client's words for a limit",
            403,
            "DENIED",
            "resource_exhausted: Error from intermediary with HTTP status code 429 \"Too Many Requests\"",
            &[("rate-limit", Proven)],
        ),
        (
            "a Twirp client's words for an outage",
            403,
            "DENIED",
            "unavailable: Error from intermediary with HTTP status code 503 \"Service Unavailable\"",
            &[("registry-unavailable", Proven)],
        ),
        (
            "https://github.com/fermyon/developer/issues/589",
            429,
            "TOOMANYREQUESTS",
            "retry-after: 10.487765ms, allowed: 2000/minute",
            &[("rate-limit", Proven)],
        ),
        (
            "https://github.com/NVIDIA/cuda-quantum/issues/3979",
            429,
            "TOOMANYREQUESTS",
            "retry-after: 333.939671ms",
            &[("rate-limit", Proven)],
        ),
        ("429 without a word", 429, "", "", &[("rate-limit", Proven)]),
        (
            "502 without a word",
            502,
            "",
            "",
            &[("registry-unavailable", Likely)],
        ),
        (
            "503 without a word",
            503,
            "",
            "",
            &[("registry-unavailable", Likely)],
        ),
        (
            "https://github.com/docker/build-push-action/issues/651",
            499,
            "",
            "",
            &[("registry-unavailable", Likely)],
        ),
        (
            "a developer's page of the bcgov project",
            403,
            "DENIED",
            "permission_denied: Resource protected by organization SAML enforcement. You must grant your Personal \
             Access token access to this organization.",
            &[("sso-not-authorised", Proven)],
        ),
        (
            "https://github.com/docker/metadata-action/issues/342",
            403,
            "DENIED",
            "permission_denied: Although you appear to have the correct authorization credentials, the `owner` \
             organization has an IP allow list enabled, and your IP address is not permitted to access this resource.",
            &[("ip-not-allowed", Proven)],
        ),
        (
            "https://github.com/IBM-Cloud/ibmcloud-image-builder/issues/27",
            403,
            "DENIED",
            "Encountered a billing-related error. Please verify the billing status for this account.",
            &[("billing", Proven)],
        ),
        (
            "https://github.com/goreleaser/goreleaser/issues/2815",
            403,
            "DENIED",
            "not_found: owner not found",
            &[("owner-not-found", Proven)],
        ),
        (
            "https://github.com/macbre/push-to-ghcr/issues/26",
            403,
            "DENIED",
            "permission_denied: The requested installation does not exist.",
            &[("namespace-mismatch", Likely)],
        ),
        (
            "https://github.com/oras-project/rust-oci-client/issues/35",
            416,
            "REQUESTED_RANGE_NOT_SATISFIABLE",
            "the request body is too large and exceeds the maximum permissible limit of 4.00MiB",
            &[("chunk-too-large", Proven)],
        ),
        (
            "https://github.com/GoogleContainerTools/jib/issues/4301",
            404,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
            &[("blob-lost", Likely)],
        ),
        (
            "https://github.com/oras-project/rust-oci-client/issues/35, the manifest",
            400,
            "MANIFEST_BLOB_UNKNOWN",
            "blob unknown to registry",
            &[("blob-lost", Proven)],
        ),
        (
            "https://github.com/docker/build-push-action/issues/271",
            404,
            "",
            "unknown blob",
            &[("blob-lost", Proven)],
        ),
        (
            "the specification's code",
            400,
            "MANIFEST_INVALID",
            "manifest invalid",
            &[("manifest-rejected", Proven)],
        ),
        (
            "https://github.com/GoogleContainerTools/jib/issues/4526",
            400,
            "DIGEST_INVALID",
            "provided digest did not match uploaded content",
            &[("digest-mismatch", Proven)],
        ),
        (
            "the specification's code",
            400,
            "SIZE_INVALID",
            "",
            &[("digest-mismatch", Proven)],
        ),
        (
            "nobody's words",
            403,
            "DENIED",
            "permission_denied: new",
            &[("unknown-denial", Possible)],
        ),
        (
            "a code nobody knows",
            409,
            "CONFLICT",
            "not now",
            &[("unknown-denial", Possible)],
        ),
    ];
    for (origin, status, code, message, expected) in rows {
        check(origin, &refusal(status, code, message), &job(), expected);
    }
}
