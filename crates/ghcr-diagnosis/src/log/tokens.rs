//! The words by which a refusal is recognised.

/// What only a registry, or a service behind it, says. In lower case.
pub(super) const PHRASES: [&str; 27] = [
    "write_package",
    "create_package",
    "read_package",
    "installation not allowed to create",
    "installation not allowed to write",
    "installation not allowed to read",
    "requested installation does not exist",
    "does not match expected scopes",
    "saml enforcement",
    "ip allow list",
    "secondary rate limit",
    "abuse detection mechanism",
    "owner not found",
    "user cannot be authenticated",
    "error from intermediary with http status code",
    "blob upload unknown",
    "blob upload invalid",
    "blob unknown to registry",
    "unknown blob",
    "maximum permissible limit",
    "billing-related error",
    "forbidden by administrative rules",
    "did not match uploaded content",
    "requested access to the resource is denied",
    "authentication required",
    "retry-after: ",
    "allowed: 2000/minute",
];

/// The specification's error codes as tools print them, and as they are.
pub(super) const CODES: [(&str, &str); 16] = [
    ("denied", "DENIED"),
    ("unauthorized", "UNAUTHORIZED"),
    ("toomanyrequests", "TOOMANYREQUESTS"),
    ("too many requests", "TOOMANYREQUESTS"),
    ("manifest blob unknown", "MANIFEST_BLOB_UNKNOWN"),
    ("manifest invalid", "MANIFEST_INVALID"),
    ("manifest unverified", "MANIFEST_UNVERIFIED"),
    ("blob upload unknown", "BLOB_UPLOAD_UNKNOWN"),
    ("blob upload invalid", "BLOB_UPLOAD_INVALID"),
    ("blob unknown", "BLOB_UNKNOWN"),
    ("digest invalid", "DIGEST_INVALID"),
    ("size invalid", "SIZE_INVALID"),
    ("name invalid", "NAME_INVALID"),
    ("name unknown", "NAME_UNKNOWN"),
    ("tag invalid", "TAG_INVALID"),
    ("unsupported", "UNSUPPORTED"),
];

/// What the message of a service behind the registry begins with: the kinds of Twirp's errors
/// (<https://twitchtv.github.io/twirp/docs/errors.html>).
pub(super) const KINDS: [&str; 9] = [
    "permission_denied: ",
    "unauthenticated: ",
    "not_found: ",
    "invalid_argument: ",
    "resource_exhausted: ",
    "unavailable: ",
    "deadline_exceeded: ",
    "failed_precondition: ",
    "already_exists: ",
];

/// How tools tell that a connection broke.
pub(super) const BREAKS: [&str; 9] = [
    "connection reset by peer",
    "broken pipe",
    "i/o timeout",
    "tls handshake timeout",
    "connection timed out",
    "unexpected eof",
    "context deadline exceeded",
    "client.timeout exceeded",
    "\": eof",
];

/// What only tools for containers write, and what stands in the address of a registry.
pub(super) const CONTAINERS: [&str; 24] = [
    "ghcr.io",
    "/v2/",
    "blobs/uploads",
    "docker",
    "buildx",
    "buildkit",
    "failed to solve",
    "podman",
    "buildah",
    "skopeo",
    "unexpected status",
    "writing blob",
    "writing manifest",
    "trying to reuse blob",
    "failed to push",
    "oci://",
    "oras ",
    "regctl",
    "containerd",
    "kaniko",
    "the push refers to repository",
    "containers.",
    "requesting bearer token",
    "ghrc.io",
];

/// What is written of other services that give the same refusals.
pub(super) const OTHERS: [&str; 23] = [
    "npm.pkg.github.com",
    "nuget.pkg.github.com",
    "maven.pkg.github.com",
    "rubygems.pkg.github.com",
    "npm err",
    "npm error",
    "npm publish",
    "yarn ",
    "pnpm ",
    "nuget",
    "nupkg",
    "gem push",
    "twine",
    "pypi",
    "cargo publish",
    "remote: ",
    ".git'",
    ".git/",
    "git push",
    "api.github.com",
    "not accessible by integration",
    "curl: ",
    "e: failed to fetch",
];
