//! Other tools, as far as they differ in where their credentials come from.

/// A family of tools that are logged in to a registry in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Client {
    /// Docker, and all that read its configuration: buildx, Compose, ko, cosign, kaniko, `GoReleaser`, Flux.
    Docker,
    /// Podman, Buildah and Skopeo.
    Podman,
    /// Helm.
    Helm,
    /// oras.
    Oras,
    /// crane.
    Crane,
    /// regctl.
    Regctl,
    /// nerdctl.
    Nerdctl,
    /// A node of Kubernetes.
    Kubelet,
}

impl Client {
    /// What gives it credentials for `host`, as the rest of a sentence that asks for it.
    #[must_use]
    pub fn login(self, host: &str) -> String {
        self.command("login").map_or_else(
            || {
                format!(
                    "make a secret for {host} with `kubectl create secret docker-registry` and name it in the pod's \
                     `imagePullSecrets`"
                )
            },
            |command| format!("log in with `{command} {host}`"),
        )
    }

    /// What takes them from it again, likewise.
    #[must_use]
    pub fn logout(self, host: &str) -> String {
        self.command("logout").map_or_else(
            || "take the secret out of the pod's `imagePullSecrets`".to_owned(),
            |command| format!("run `{command} {host}`"),
        )
    }

    /// The command for `verb`, without the host. A node has none.
    fn command(self, verb: &str) -> Option<String> {
        let program = match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Helm => "helm registry",
            Self::Oras => "oras",
            Self::Crane => "crane auth",
            Self::Regctl => "regctl registry",
            Self::Nerdctl => "nerdctl",
            Self::Kubelet => return None,
        };
        Some(format!("{program} {verb}"))
    }
}
