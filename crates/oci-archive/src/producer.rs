//! Which tool wrote an archive, told by its habits. A guess, for people to read; nothing depends on it.

use crate::container::Container;

/// The tool, if its habits are known.
pub(crate) fn guess(container: &Container) -> Option<&'static str> {
    const SMALL: u64 = 1024 * 1024;
    let has = |name: &str| container.contains(name);
    let index = container.glance("index.json", SMALL).unwrap_or_default();
    let index = String::from_utf8_lossy(&index);
    let manifest = container.glance("manifest.json", SMALL).unwrap_or_default();
    let manifest = String::from_utf8_lossy(&manifest);
    if has("oci-layout") && has("manifest.json") {
        return Some(if manifest.contains("\"LayerSources\"") {
            "docker save (Docker 25 or later)"
        } else if index.contains("io.containerd.image.name") {
            "docker save with the containerd image store, or BuildKit's docker exporter"
        } else {
            return None;
        });
    }
    if has("oci-layout") {
        return if index.contains("io.containerd.image.name") {
            Some("BuildKit, or another exporter of containerd")
        } else if index.contains("io.buildah.") {
            Some("buildah")
        } else {
            None
        };
    }
    if manifest.contains("\"Config\":\"sha256:") {
        return Some("crane, ko or kaniko");
    }
    if manifest.contains("\"Config\":\"config.json\"") {
        return Some("jib");
    }
    if manifest.contains("/layer.tar\"") {
        return Some(if has("repositories") {
            "docker save (Docker 24 or older)"
        } else {
            "docker save, or nix"
        });
    }
    has("repositories").then_some("podman, buildah or skopeo")
}
