//! The form of an explanation.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::page::{OWNER, PACKAGE};

/// Stable identifiers of causes. Documented in `docs/diagnoses.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The package exists and does not give this repository Write.
    PackageDeniesRepository,
    /// The package exists and does not give this person Write.
    PackageDeniesUser,
    /// The package is private and not visible to this credential.
    PackageUnreadable,
    /// The package was created moments ago, and its permissions are not known everywhere yet.
    PackageJustCreated,
    /// The workflow's token may not write packages.
    WorkflowLacksPackagesWrite,
    /// The run is for a pull request from a fork.
    ForkPullRequest,
    /// The run was started by Dependabot.
    Dependabot,
    /// The job is in a reusable workflow, and one of the two files withholds the permission.
    ReusableWorkflow,
    /// A rule of the organization or enterprise forbids it.
    OrganizationPolicy,
    /// The package does not exist, and may not be created by this credential under this owner.
    CannotCreatePackage,
    /// The token of a GitHub App other than Actions' own.
    AppTokenUnsupported,
    /// A fine-grained personal access token.
    FineGrainedTokenUnsupported,
    /// The token lacks a scope.
    MissingScope,
    /// The workflow's token, used for the packages of another owner.
    NamespaceMismatch,
    /// The owner in the reference does not exist.
    OwnerNotFound,
    /// No credential was found.
    CredentialMissing,
    /// The credential is an empty text.
    CredentialEmpty,
    /// The credential is wrong, revoked, or meant for something else.
    CredentialRejected,
    /// The credential's time is over.
    CredentialExpired,
    /// The token is not authorized for the organization's single sign-on.
    SsoNotAuthorised,
    /// The organization admits only listed IP addresses.
    IpNotAllowed,
    /// GitHub's secondary rate limit, which comes as 403.
    SecondaryRateLimit,
    /// The registry's limit of requests in a time.
    RateLimit,
    /// The registry, or the way to it, was out of order.
    RegistryUnavailable,
    /// The registry was not reached.
    RegistryUnreachable,
    /// The certificate that was shown for the registry is not trusted.
    CertificateUntrusted,
    /// Something between here and the registry answered in its place.
    Intermediary,
    /// The reference has a name but no owner.
    ReferenceWithoutOwner,
    /// The reference is none to the tool: it has upper case letters, or a part of it is missing.
    ReferenceInvalid,
    /// A host whose name only looks like the registry's.
    LookalikeHost,
    /// A layer is larger than the registry takes.
    LayerTooLarge,
    /// A chunk of an upload is larger than the registry takes.
    ChunkTooLarge,
    /// An upload took longer than the registry waits.
    UploadTimeLimit,
    /// The registry lost an upload or a blob, or does not see it yet.
    BlobLost,
    /// What is to be pulled is not there.
    ManifestUnknown,
    /// The registry does not take the manifest.
    ManifestRejected,
    /// What arrived does not hash to the digest that was named.
    DigestMismatch,
    /// The account's billing does not allow it.
    Billing,
    /// A refusal that is not catalogued.
    UnknownDenial,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 39] = [
        Self::PackageDeniesRepository,
        Self::PackageDeniesUser,
        Self::PackageUnreadable,
        Self::PackageJustCreated,
        Self::WorkflowLacksPackagesWrite,
        Self::ForkPullRequest,
        Self::Dependabot,
        Self::ReusableWorkflow,
        Self::OrganizationPolicy,
        Self::CannotCreatePackage,
        Self::AppTokenUnsupported,
        Self::FineGrainedTokenUnsupported,
        Self::MissingScope,
        Self::NamespaceMismatch,
        Self::OwnerNotFound,
        Self::CredentialMissing,
        Self::CredentialEmpty,
        Self::CredentialRejected,
        Self::CredentialExpired,
        Self::SsoNotAuthorised,
        Self::IpNotAllowed,
        Self::SecondaryRateLimit,
        Self::RateLimit,
        Self::RegistryUnavailable,
        Self::RegistryUnreachable,
        Self::CertificateUntrusted,
        Self::Intermediary,
        Self::ReferenceWithoutOwner,
        Self::ReferenceInvalid,
        Self::LookalikeHost,
        Self::LayerTooLarge,
        Self::ChunkTooLarge,
        Self::UploadTimeLimit,
        Self::BlobLost,
        Self::ManifestUnknown,
        Self::ManifestRejected,
        Self::DigestMismatch,
        Self::Billing,
        Self::UnknownDenial,
    ];

    /// The identifier.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PackageDeniesRepository => "package-denies-repository",
            Self::PackageDeniesUser => "package-denies-user",
            Self::PackageUnreadable => "package-unreadable",
            Self::PackageJustCreated => "package-just-created",
            Self::WorkflowLacksPackagesWrite => "workflow-lacks-packages-write",
            Self::ForkPullRequest => "fork-pull-request",
            Self::Dependabot => "dependabot",
            Self::ReusableWorkflow => "reusable-workflow",
            Self::OrganizationPolicy => "organization-policy",
            Self::CannotCreatePackage => "cannot-create-package",
            Self::AppTokenUnsupported => "app-token-unsupported",
            Self::FineGrainedTokenUnsupported => "fine-grained-token-unsupported",
            Self::MissingScope => "missing-scope",
            Self::NamespaceMismatch => "namespace-mismatch",
            Self::OwnerNotFound => "owner-not-found",
            Self::CredentialMissing => "credential-missing",
            Self::CredentialEmpty => "credential-empty",
            Self::CredentialRejected => "credential-rejected",
            Self::CredentialExpired => "credential-expired",
            Self::SsoNotAuthorised => "sso-not-authorised",
            Self::IpNotAllowed => "ip-not-allowed",
            Self::SecondaryRateLimit => "secondary-rate-limit",
            Self::RateLimit => "rate-limit",
            Self::RegistryUnavailable => "registry-unavailable",
            Self::RegistryUnreachable => "registry-unreachable",
            Self::CertificateUntrusted => "certificate-untrusted",
            Self::Intermediary => "intermediary",
            Self::ReferenceWithoutOwner => "reference-without-owner",
            Self::ReferenceInvalid => "reference-invalid",
            Self::LookalikeHost => "lookalike-host",
            Self::LayerTooLarge => "layer-too-large",
            Self::ChunkTooLarge => "chunk-too-large",
            Self::UploadTimeLimit => "upload-time-limit",
            Self::BlobLost => "blob-lost",
            Self::ManifestUnknown => "manifest-unknown",
            Self::ManifestRejected => "manifest-rejected",
            Self::DigestMismatch => "digest-mismatch",
            Self::Billing => "billing",
            Self::UnknownDenial => "unknown-denial",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How sure a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Likelihood {
    /// The evidence leaves no other explanation.
    Proven,
    /// It explains the evidence best.
    Likely,
    /// It would explain the evidence too.
    Possible,
}

impl fmt::Display for Likelihood {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Possible => "possible",
        })
    }
}

/// One explanation with one remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cause {
    /// The identifier.
    pub code: Code,
    /// How sure it is.
    pub likelihood: Likelihood,
    /// What is the matter.
    pub why: String,
    /// How that is known.
    pub evidence: Vec<String>,
    /// What to do. May have several lines.
    pub remedy: String,
    /// The page to open, if there is one.
    pub url: Option<String>,
}

impl Cause {
    /// The pages to open: [`Cause::url`], or where it is not known whether the owner is a user or an organization, the
    /// addresses of the package's settings for both.
    #[must_use]
    pub fn pages(&self) -> Vec<&str> {
        if let Some(url) = &self.url {
            return vec![url];
        }
        let words = self.remedy.split([' ', '(', ')', ',', '\n']);
        words
            .filter(|word| word.starts_with("https://") && word.contains("/packages/container/"))
            .filter(|address| is_complete(address))
            .collect()
    }
}

/// Whether an address has no place left for a name that is not known.
fn is_complete(address: &str) -> bool {
    !address
        .split('/')
        .any(|segment| segment == OWNER || segment == PACKAGE)
}

/// Why a push was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The likeliest cause's identifier.
    pub code: Code,
    /// The matter in one sentence.
    pub summary: String,
    /// The causes, likeliest first, never empty.
    pub causes: Vec<Cause>,
}

impl Diagnosis {
    /// Ranks `causes`: likeliest first, otherwise in the order given. Of several with one code the
    /// first of the likeliest stays. `None` if there are none.
    pub(crate) fn of(summary: impl Into<String>, mut causes: Vec<Cause>) -> Option<Self> {
        causes.sort_by_key(|cause| cause.likelihood);
        let mut ranked: Vec<Cause> = Vec::new();
        for mut cause in causes {
            cause.url = cause.url.filter(|url| is_complete(url));
            if ranked.iter().all(|known| known.code != cause.code) {
                ranked.push(cause);
            }
        }
        Some(Self {
            code: ranked.first()?.code,
            summary: summary.into(),
            causes: ranked,
        })
    }
}
