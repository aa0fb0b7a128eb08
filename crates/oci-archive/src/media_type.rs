//! Media types of the image specification and of Docker's, and what they say.
//!
//! Only what decides how a descriptor is treated is told apart; an unknown media type is no error
//! (<https://github.com/opencontainers/image-spec/blob/main/manifest.md>).

/// An OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker's manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// An image's configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What `BuildKit` calls an attestation manifest
/// (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>).
pub const DOCKER_ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";

/// BuildKit's cache configuration, which it lists in an index as if it were a manifest
/// (<https://github.com/moby/buildkit/blob/master/cache/remotecache/v1/spec.go>).
const BUILDKIT_CACHE: &str = "application/vnd.buildkit.cacheconfig.v0";

/// Whether this is an image index or a manifest list.
#[must_use]
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

/// Whether this is an image manifest.
#[must_use]
pub fn is_image_manifest(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

/// Whether this is a layer that registries are not meant to hold, `foreign` in Docker's words.
#[must_use]
pub fn is_non_distributable(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
}

/// Whether this is a layer of files, compressed in a way that runtimes know or not at all.
pub(crate) fn is_plain_layer(media_type: &str) -> bool {
    is_uncompressed_layer(media_type)
        || matches!(
            media_type,
            "application/vnd.oci.image.layer.v1.tar+gzip"
                | "application/vnd.oci.image.layer.v1.tar+zstd"
                | "application/vnd.docker.image.rootfs.diff.tar.gzip"
                | "application/vnd.docker.image.rootfs.diff.tar.zstd"
        )
}

/// Whether this is a layer that is not compressed.
#[must_use]
pub fn is_uncompressed_layer(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.oci.image.layer.v1.tar" | "application/vnd.docker.image.rootfs.diff.tar"
    )
}

/// Whether this is a manifest of Docker's first schema, which names no sizes and which registries no longer
/// take (<https://distribution.github.io/distribution/spec/deprecated-schema-v1/>).
pub(crate) fn is_schema_1(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.docker.distribution.manifest.v1+")
}

/// Whether this has no place among an index's manifests: a layer, or BuildKit's cache configuration.
pub(crate) fn is_build_cache(media_type: &str) -> bool {
    media_type == BUILDKIT_CACHE
        || media_type.starts_with("application/vnd.oci.image.layer.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.")
}
