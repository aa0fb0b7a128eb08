//! The form of an explanation.

use std::fmt;

use serde::{Serialize, Serializer};

/// Stable identifiers of causes. Documented in `docs/diagnoses.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// The package exists and does not give this repository Write.
    PackageDeniesRepository,
    /// The package exists and does not give this person Write.
    PackageDeniesUser,
    /// The workflow's token may not write packages.
    WorkflowLacksPackagesWrite,
    /// A rule of the organization or enterprise forbids it.
    OrganizationPolicy,
    /// The token of a GitHub App other than Actions' own.
    AppTokenUnsupported,
    /// No credential was found.
    CredentialMissing,
    /// The credential is wrong, expired or revoked.
    CredentialRejected,
    /// A refusal that is not catalogued.
    UnknownDenial,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::PackageDeniesRepository,
        Self::PackageDeniesUser,
        Self::WorkflowLacksPackagesWrite,
        Self::OrganizationPolicy,
        Self::AppTokenUnsupported,
        Self::CredentialMissing,
        Self::CredentialRejected,
        Self::UnknownDenial,
    ];

    /// The identifier.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PackageDeniesRepository => "package-denies-repository",
            Self::PackageDeniesUser => "package-denies-user",
            Self::WorkflowLacksPackagesWrite => "workflow-lacks-packages-write",
            Self::OrganizationPolicy => "organization-policy",
            Self::AppTokenUnsupported => "app-token-unsupported",
            Self::CredentialMissing => "credential-missing",
            Self::CredentialRejected => "credential-rejected",
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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

/// Why a push was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The likeliest cause's identifier.
    pub code: Code,
    /// The matter in one sentence.
    pub summary: String,
    /// The causes, likeliest first, never empty.
    pub causes: Vec<Cause>,
}
