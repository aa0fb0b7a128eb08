//! The codes of credentials, limits, outages, references and contents.

use super::About;
use crate::diagnosis::Code;

/// The meaning of a code that is not about permissions.
#[expect(clippy::too_many_lines, reason = "a table of texts")]
pub(super) fn about(code: Code) -> About {
    match code {
        Code::CredentialMissing => About {
            cause: "No credential was sent. Nobody may push anonymously, or pull what is private.",
            evidence: "No source held one (said before anything is sent); the token service refused an anonymous \
                       request; `User cannot be authenticated with the token provided.` where nobody logged in.",
            remedy: "In a workflow, pass `GITHUB_TOKEN` to the step; by hand, log in or give `--username` and \
                     `--password-stdin`.",
            sources: &[
                "https://github.com/project-copacetic/copacetic/issues/266",
                "https://github.com/docker/build-push-action/issues/617",
            ],
        },
        Code::CredentialEmpty => About {
            cause: "A variable that should hold the credential is set, but empty.",
            evidence: "The variable. That is what a secret looks like that does not exist, or is withheld from the run.",
            remedy: "The secret's name, its existence for this repository, and whether the run may have it.",
            sources: &[
                "https://docs.github.com/en/actions/security-for-github-actions/security-guides/using-secrets-in-github-actions",
            ],
        },
        Code::CredentialRejected => About {
            cause: "The credential is wrong, revoked, of another site, or of a kind that is no credential.",
            evidence: "The token service's refusal (403 `denied` at ghcr.io), a second 401, `denied: denied`. What was \
                       passed over in favour of the credential is told, since the wrong one may have won. `proven` if \
                       GitHub's API refuses it too.",
            remedy: "Replace it where it came from; `docker logout ghcr.io` removes a stale one, which is refused even \
                     where nobody needs one: pulls of public packages.",
            sources: &[
                "https://github.com/sigstore/scaffolding/issues/127",
                "https://github.com/dexidp/dex/issues/2672",
            ],
        },
        Code::CredentialExpired => About {
            cause: "The credential's time is over.",
            evidence: "The date that GitHub's API names (`proven`), or a refusal by the token service after requests \
                       that succeeded (`likely`).",
            remedy: "A new token. A workflow's token ends with its job.",
            sources: &[
                "https://github.com/ansible-community/images/issues/87",
                "https://docs.github.com/en/actions/concepts/security/github_token",
            ],
        },
        Code::SsoNotAuthorised => About {
            cause: "The organization enforces single sign-on, and the token is not authorized for it.",
            evidence: "`Resource protected by organization SAML enforcement`, or the header `X-GitHub-SSO`.",
            remedy: "The address that GitHub sent, or *Configure SSO* beside the token; for gh's token \
                     `gh auth refresh`.",
            sources: &[
                "https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api",
            ],
        },
        Code::IpNotAllowed => About {
            cause: "The organization admits only listed IP addresses.",
            evidence: "`IP allow list` in the refusal.",
            remedy: "A runner with a listed address. Listing GitHub's shared runners admits everybody who uses them.",
            sources: &["https://github.com/docker/metadata-action/issues/342"],
        },
        Code::SecondaryRateLimit => About {
            cause: "GitHub limits bursts of requests, and answers 403 while the limit holds. No matter of permissions.",
            evidence: "`You have exceeded a secondary rate limit`, also behind `permission_denied:` (`proven`); a 403 \
                       of an intermediate service without a reason (`likely`); a bare 403 (`possible`).",
            remedy: "Wait two minutes, then five; fewer pushes at once. Change no permission.",
            sources: &[
                "https://github.com/virtualcell/vcell/issues/1888",
                "https://github.com/markrussinovich/refchecker/pull/67",
            ],
        },
        Code::RateLimit => About {
            cause: "The registry's own limit of 2000 requests in a minute.",
            evidence: "429, `TOOMANYREQUESTS`, `retry-after: 10.487765ms, allowed: 2000/minute`. Of pulls the number is larger.",
            remedy: "Wait a minute; fewer jobs at a time, fewer and larger requests.",
            sources: &[
                "https://github.com/fermyon/developer/issues/589",
                "https://github.com/chainguard-images/images/issues/173",
            ],
        },
        Code::RegistryUnavailable => About {
            cause: "The registry, a service behind it, or the network failed.",
            evidence: "500 to 504, 499, a connection that broke; `Error from intermediary with HTTP status code 5..` \
                       (`proven`).",
            remedy: "Push again later; GitHub's status page, then GitHub Support with the request id.",
            sources: &[
                "https://github.com/gardenlinux/gardenlinux/issues/2585",
                "https://github.com/docker/build-push-action/issues/651",
            ],
        },
        Code::RegistryUnreachable => About {
            cause: "The registry was not reached: its name has no address, or no connection came about.",
            evidence: "`no such host`, `Temporary failure in name resolution`, `no route to host` in a tool's log.",
            remedy: "The host's spelling; then the name server, the firewall or the VPN of the machine that pushes. \
                     No permission.",
            sources: &[
                "https://github.com/docker/build-push-action/issues/520",
                "https://github.com/GoogleContainerTools/kaniko/issues/1467",
            ],
        },
        Code::CertificateUntrusted => About {
            cause: "The certificate that was shown for the registry is of no authority that the tool trusts.",
            evidence: "`x509: certificate signed by unknown authority` and the like in a tool's log.",
            remedy: "The authority's certificate on that machine. Not to leave out the check.",
            sources: &[
                "https://github.com/docker/login-action/issues/613",
                "https://docs.docker.com/engine/security/certificates/",
            ],
        },
        Code::Intermediary => About {
            cause: "A proxy, a firewall or another server answered in place of the registry.",
            evidence: "A page of HTML, 407, 413, `Request forbidden by administrative rules`, or an answer that leads to \
                       another host.",
            remedy: "Let the registry's host pass without the proxy, or have uploads admitted there. GitHub's \
                     permissions are not the matter.",
            sources: &["https://github.com/rancher-sandbox/rancher-desktop/issues/5301"],
        },
        Code::ReferenceWithoutOwner => About {
            cause: "`ghcr.io/name` names no owner.",
            evidence: "Said before anything is sent; from other tools, 400 to the look for a blob of a repository with \
                       one component.",
            remedy: "`ghcr.io/OWNER/name`.",
            sources: &["https://github.com/docker/build-push-action/issues/1111"],
        },
        Code::ReferenceInvalid => About {
            cause: "The tool takes the reference for none: its name has upper case letters, or a part of it is empty.",
            evidence: "`repository name must be lowercase`, `invalid reference format` and the like in a tool's log. \
                       `ghcr-push` lowers names itself.",
            remedy: "The name in lower case, which `github.repository_owner` and `github.repository` are not.",
            sources: &[
                "https://github.com/ggml-org/llama.cpp/issues/6671",
                "https://github.com/docker/build-push-action/blob/master/TROUBLESHOOTING.md",
                "https://github.com/1bit-MONSTER/1bit-MONSTER/pull/2086",
            ],
        },
        Code::LookalikeHost => About {
            cause: "The host is ghcr.io mistyped. `ghrc.io` has been seen asking for credentials.",
            evidence: "The host's name. Said before a credential is read.",
            remedy: "`ghcr.io`; a credential that was sent there is to be revoked.",
            sources: &["https://news.hada.io/topic?go=comments&id=22718"],
        },
        Code::LayerTooLarge => About {
            cause: "ghcr.io takes layers of at most 10 GB.",
            evidence: "The layer's size, and a refused or broken upload.",
            remedy: "Split the layer, or leave the data out of the image.",
            sources: &[
                "https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry#troubleshooting",
            ],
        },
        Code::ChunkTooLarge => About {
            cause: "ghcr.io takes at most 4 MiB in a chunk that is sent with its range.",
            evidence: "416, `the request body is too large and exceeds the maximum permissible limit of 4.00MiB`.",
            remedy: "One stream, or chunks of at most 4 MiB; never larger ones.",
            sources: &[
                "https://github.com/oras-project/rust-oci-client/issues/35",
                "https://github.com/ocx-sh/ocx/pull/237",
            ],
        },
        Code::UploadTimeLimit => About {
            cause: "ghcr.io gives an upload ten minutes.",
            evidence: "An upload that broke without an answer: after about ten minutes (`likely`), or after a time that \
                       is not known (`possible`).",
            remedy: "Chunks, fewer uploads at a time, a smaller layer.",
            sources: &[
                "https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry#troubleshooting",
                "https://github.com/docker/build-push-action/issues/251",
            ],
        },
        Code::BlobLost => About {
            cause: "The registry lost an upload, or does not see a blob that it confirmed.",
            evidence: "`BLOB_UPLOAD_UNKNOWN`, `MANIFEST_BLOB_UNKNOWN`, `unknown blob` to anything but a look-up.",
            remedy: "Push again; what is there is not sent again.",
            sources: &[
                "https://github.com/GoogleContainerTools/jib/issues/4301",
                "https://github.com/docker/build-push-action/issues/271",
            ],
        },
        Code::ManifestUnknown => About {
            cause: "What was to be pulled is not there: the package has no such tag or digest.",
            evidence: "`manifest unknown` to a pull in a tool's log.",
            remedy: "The tag's spelling; an index whose parts were not pushed has to be pushed again.",
            sources: &["https://github.com/containers/podlet/issues/82"],
        },
        Code::ManifestRejected => About {
            cause: "The registry does not take the manifest.",
            evidence: "`MANIFEST_INVALID`, or `invalid_argument` to a manifest.",
            remedy: "The detail that the registry names; an OCI manifest or Docker's schema 2.",
            sources: &[
                "https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry",
            ],
        },
        Code::DigestMismatch => About {
            cause: "What arrived does not hash to the digest that was named.",
            evidence: "`DIGEST_INVALID`, `SIZE_INVALID`, or a digest in the answer that differs.",
            remedy: "Push from a copy that nobody writes to; look for a proxy that changes bodies.",
            sources: &["https://github.com/GoogleContainerTools/jib/issues/4526"],
        },
        Code::Billing => About {
            cause: "The owner's plan, payment or spending limit.",
            evidence: "`billing` in the refusal; seen at GitHub's older registry only.",
            remedy: "The billing page. Raising a limit can cost money.",
            sources: &["https://github.com/IBM-Cloud/ibmcloud-image-builder/issues/27"],
        },
        _ => About {
            cause: "Not known: any other refusal.",
            evidence: "The registry's words as they are, made harmless for the terminal, and what the known facts rule out.",
            remedy: "Once more, since GitHub's refusals are at times transient; then GitHub Support with the request id.",
            sources: &["https://github.com/docker/build-push-action/issues/463"],
        },
    }
}
