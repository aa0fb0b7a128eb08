//! ghcr.io's refusals, word for word.

/// Why pushes to a repository are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The package does not admit the workflow's repository
    /// (<https://github.com/tuna-os/tunaOS/issues/642>).
    WritePackage,
    /// The package is private and cannot be seen. HEAD is refused already, without a body
    /// (<https://github.com/docker/build-push-action/issues/981>).
    ReadPackage,
    /// No package may be created there.
    CreatePackage,
    /// The token may not write packages; the package exists
    /// (<https://github.com/hyperledger-firefly/signer/pull/74>).
    InstallationNotAllowedToWrite,
    /// The token may not write packages; the package does not exist
    /// (<https://github.com/devcontainers/template-starter/issues/14>).
    InstallationNotAllowedToCreate,
    /// The token lacks a scope (<https://github.com/docker/login-action/issues/331>).
    TokenScopes,
    /// The workflow's token is good for another owner
    /// (<https://github.com/macbre/push-to-ghcr/issues/26>).
    InstallationDoesNotExist,
    /// No such owner (<https://github.com/goreleaser/goreleaser/issues/2815>).
    OwnerNotFound,
    /// A rate limit told as a refusal (<https://github.com/virtualcell/vcell/issues/1888>).
    SecondaryRateLimit,
    /// Any other.
    Custom {
        /// The status.
        status: u16,
        /// The error's code.
        code: String,
        /// The error's message.
        message: String,
    },
}

impl Refusal {
    /// Status, code and message.
    pub(crate) fn answer(&self) -> (u16, &str, &str) {
        let message = match self {
            Self::WritePackage => "permission_denied: write_package",
            Self::ReadPackage => "permission_denied: read_package",
            Self::CreatePackage => "permission_denied: create_package",
            Self::InstallationNotAllowedToWrite => {
                "installation not allowed to Write organization package"
            }
            Self::InstallationNotAllowedToCreate => {
                "installation not allowed to Create organization package"
            }
            Self::TokenScopes => {
                "permission_denied: The token provided does not match expected scopes."
            }
            Self::InstallationDoesNotExist => {
                "permission_denied: The requested installation does not exist."
            }
            Self::OwnerNotFound => "not_found: owner not found",
            Self::SecondaryRateLimit => {
                "permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\" - \
                 with-body: { \"message\": \"You have exceeded a secondary rate limit. Please wait a few \
                 minutes before you try again.\" }"
            }
            Self::Custom {
                status,
                code,
                message,
            } => return (*status, code, message),
        };
        (403, "DENIED", message)
    }

    /// Whether reading is refused too.
    pub(crate) fn hides(&self) -> bool {
        matches!(self, Self::ReadPackage)
    }

    /// Whether it says that the package exists.
    pub(crate) fn is_of_package(&self) -> bool {
        matches!(
            self,
            Self::WritePackage | Self::InstallationNotAllowedToWrite
        )
    }

    /// Every refusal by its name on the command line.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "write_package" => Self::WritePackage,
            "read_package" => Self::ReadPackage,
            "create_package" => Self::CreatePackage,
            "installation-write" => Self::InstallationNotAllowedToWrite,
            "installation-create" => Self::InstallationNotAllowedToCreate,
            "scopes" => Self::TokenScopes,
            "installation" => Self::InstallationDoesNotExist,
            "owner" => Self::OwnerNotFound,
            "secondary-rate-limit" => Self::SecondaryRateLimit,
            _ => return None,
        })
    }
}

impl std::str::FromStr for Refusal {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::named(name).ok_or_else(|| format!("no refusal is called {name:?}"))
    }
}
