//! What each code means, for the handbook `docs/diagnoses.md`, which is generated from here.

mod permission;
mod rest;

use crate::diagnosis::Code;

/// The meaning of a code, in Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// What is the matter.
    pub cause: &'static str,
    /// What it is told by.
    pub evidence: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Where it was seen or is documented.
    pub sources: &'static [&'static str],
}

impl Code {
    /// What the code means.
    #[must_use]
    pub fn about(self) -> About {
        permission::about(self).unwrap_or_else(|| rest::about(self))
    }
}
