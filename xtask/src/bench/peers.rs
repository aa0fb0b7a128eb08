//! The other tools, and how each is told to push.

use super::contender::Contender;

/// Whoever has an archive needs both. The storage is the run's own, and mounts nothing that would stay.
const LOAD_AND_PUSH: &str = "\
podman() { command podman --root {home}/storage --runroot {home}/run --storage-driver overlay \
    --storage-opt overlay.skip_mount_home=true \"$@\"; }
podman load --quiet --input {archive} && \
podman push --quiet {plain} $(podman images --quiet | head -n 1) docker://{reference}";

/// The name of the tool that has to store an image before it can push it.
pub(super) const PODMAN: &str = "podman";

/// All that are known, each with the form of the image that it is fastest with.
pub(super) fn peers() -> [Contender; 5] {
    [
        Contender {
            name: "crane",
            program: "crane".into(),
            plain: &["--insecure"],
            layout: &["push", "{plain}", "{layout}", "{reference}"],
            save: &["push", "{plain}", "{archive}", "{reference}"],
            version: "version",
        },
        Contender {
            name: "oras",
            program: "oras".into(),
            plain: &["--to-plain-http"],
            layout: &[
                "cp",
                "--no-tty",
                "{plain}",
                "--from-oci-layout",
                "{layout}:bench",
                "{reference}",
            ],
            save: &[],
            version: "version",
        },
        Contender {
            name: "regctl",
            program: "regctl".into(),
            plain: &["--host", "reg={host},tls=disabled"],
            layout: &[
                "{plain}",
                "image",
                "copy",
                "ocidir://{layout}:bench",
                "{reference}",
            ],
            save: &["{plain}", "image", "import", "{reference}", "{archive}"],
            version: "version",
        },
        Contender {
            name: "skopeo",
            program: "skopeo".into(),
            plain: &["--dest-tls-verify=false"],
            layout: &[
                "--insecure-policy",
                "copy",
                "--all",
                "--quiet",
                "{plain}",
                "oci:{layout}:bench",
                "docker://{reference}",
            ],
            save: &[
                "--insecure-policy",
                "copy",
                "--quiet",
                "{plain}",
                "docker-archive:{archive}",
                "docker://{reference}",
            ],
            version: "--version",
        },
        Contender {
            name: PODMAN,
            program: "sh".into(),
            plain: &["--tls-verify=false"],
            layout: &["-c", LOAD_AND_PUSH],
            save: &["-c", LOAD_AND_PUSH],
            version: "--version",
        },
    ]
}
