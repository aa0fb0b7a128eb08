//! The words by which a refusal is recognised.

/// What only a registry, or a service behind it, says. In lower case.
pub(super) const PHRASES: [&str; 28] = [
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
    "insufficient_scope: authorization failed",
    "retry-after: ",
    "allowed: 2000/minute",
];

/// The specification's error codes as tools print them, and as they are.
pub(super) const CODES: [(&str, &str); 17] = [
    ("denied", "DENIED"),
    ("unauthorized", "UNAUTHORIZED"),
    ("toomanyrequests", "TOOMANYREQUESTS"),
    ("too many requests", "TOOMANYREQUESTS"),
    ("manifest blob unknown", "MANIFEST_BLOB_UNKNOWN"),
    ("manifest invalid", "MANIFEST_INVALID"),
    ("manifest unverified", "MANIFEST_UNVERIFIED"),
    ("manifest unknown", "MANIFEST_UNKNOWN"),
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
pub(super) const BREAKS: [&str; 13] = [
    "connection reset by peer",
    "broken pipe",
    "i/o timeout",
    "tls handshake timeout",
    "tls: handshake failure",
    "connection timed out",
    "unexpected eof",
    "context deadline exceeded",
    "client.timeout exceeded",
    "closed pipe",
    "stream error",
    "use of closed network connection",
    "cannot reuse body",
];

/// How tools tell that a host's name has no address.
pub(super) const UNRESOLVED: [&str; 7] = [
    "no such host",
    "name or service not known",
    "temporary failure in name resolution",
    "server misbehaving",
    "could not resolve host",
    "nodename nor servname",
    "getaddrinfo ",
];

/// How tools tell that what they spoke TLS to does not speak it: in Go, with `OpenSSL`, in Java.
pub(super) const UNSECURED: [&str; 4] = [
    "server gave http response to https client",
    "first record does not look like a tls handshake",
    "ssl3_get_record:wrong version number",
    "unrecognized ssl message, plaintext connection",
];

/// How tools tell that a certificate is not trusted.
pub(super) const UNTRUSTED: [&str; 7] = [
    "x509: ",
    "failed to verify certificate",
    "certificate signed by unknown authority",
    "certificate verify failed",
    "self-signed certificate",
    "unable to get local issuer certificate",
    "pkix path building failed",
];

/// How tools tell that a proxy was in the way, or was not there.
pub(super) const PROXIES: [&str; 4] = [
    "proxyconnect tcp",
    "error connecting to proxy",
    "tunnel connection failed",
    "proxy authentication required",
];

/// How tools tell that no connection came about.
pub(super) const UNCONNECTED: [&str; 4] = [
    "no route to host",
    "network is unreachable",
    "connect: connection refused",
    "host is down",
];

/// What only tools for containers write, and what stands in the address of a registry.
pub(super) const CONTAINERS: [&str; 31] = [
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
    "quay.io/",
    "gcr.io/",
    ".azurecr.io",
    ".dkr.ecr.",
    "to perform: ecr:",
    "failed to send blob",
    "failed to send manifest",
];

/// What is written of other services that give the same refusals.
pub(super) const OTHERS: [&str; 28] = [
    "npm.pkg.github.com",
    "nuget.pkg.github.com",
    "maven.pkg.github.com",
    "rubygems.pkg.github.com",
    "npm err",
    "npm error",
    "npm publish",
    "permission permission_denied",
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
    "rpc failed; http",
    "the requested url returned error",
    "the remote end hung up",
    "api.github.com",
    "not accessible by integration",
    "curl: ",
    "e: failed to fetch",
    "github actions cache",
];

/// What clients of registries put around a status.
pub(super) const FRAMES: [&str; 26] = [
    "unexpected status",
    "unexpected http status",
    "failed to push",
    "failed to pull",
    "failed to authorize",
    "failed to copy",
    "failed commit on ref",
    "fetch anonymous token",
    "fetch oauth token",
    "writing blob",
    "writing manifest",
    "uploading manifest",
    "uploading layer",
    "initiating layer upload",
    "trying to reuse blob",
    "checking whether a blob",
    "requesting bearer token",
    "retrieve auth token",
    "failed to put manifest",
    "failed to send blob",
    "pinging container registry",
    "error response from daemon",
    "response body: ",
    "failed to do request",
    "buildx failed with",
    "from registry",
];
