//! Explains why GitHub Container Registry refused a push.
//!
//! The input is the evidence of a failure and what is known of the situation; the output is a ranked
//! list of causes, each with its evidence and one remedy that names the real owner, package,
//! repository, workflow file and page. Nothing is asked, read or printed here, and a fact that is not
//! known is `None`, never "no".
//!
//! ghcr.io has two locks, and people lose hours at the wrong one. `installation not allowed to ...`
//! is said when the *token* may not write packages; `permission_denied: write_package` when the
//! *package* does not admit the one who asks. The remedies have nothing in common.
//!
//! A whole program, `examples/push_and_explain.rs`, pushes an image and prints why that was refused:
//!
//! ```no_run
#![doc = include_str!("../examples/push_and_explain.rs")]
//! ```
//!
//! And in short:
//!
//! ```
//! use ghcr_diagnosis::{Context, Evidence, diagnose};
//! use oci_push::Failure;
//!
//! fn explain(failure: &Failure) {
//!     let mut context = Context::default();
//!     context.reference = "ghcr.io/owner/app:1.2".to_owned();
//!     if let Some(diagnosis) = diagnose(&Evidence::of(failure), &context) {
//!         for cause in &diagnosis.causes {
//!             println!("{} ({}): {}", cause.code, cause.likelihood, cause.remedy);
//!         }
//!     }
//! }
//! ```

mod about;
mod case;
mod context;
mod diagnosis;
mod evidence;
pub mod log;
mod page;
mod place;
mod rules;
mod text;

pub use about::About;
pub use context::{
    Access, ActionsFacts, Client, Context, Credential, CredentialFacts, Grants, Link, OwnerKind,
    PackageFacts, Permissions, TokenFacts, TokenKind, Tool,
};
pub use diagnosis::{Cause, Code, Diagnosis, Likelihood};
pub use evidence::{Evidence, Trouble};
pub use rules::is_lookalike;

use case::Case;

/// Explains a failure by its `evidence`, or returns `None` if it is not one that this registry's rules
/// know: a host that cannot be reached, a damaged archive, an answer that needs no explanation.
///
/// Texts in the result quote servers, logs and files with what could move a cursor or begin a line
/// made visible.
#[must_use]
pub fn diagnose(evidence: &Evidence, context: &Context) -> Option<Diagnosis> {
    let case = Case::new(evidence, context);
    rules::RULES.iter().find_map(|rule| rule(&case))
}

/// Explains that no credential was found, before anything is asked of the registry that `context` names.
#[must_use]
pub fn without_credential(context: &Context) -> Option<Diagnosis> {
    let mut context = context.clone();
    context.credential = Credential::Absent;
    let evidence = Evidence {
        host: place::Place::of_reference(&context.reference).map(|place| place.host),
        ..Evidence::default()
    };
    rules::without_credential(&Case::new(&evidence, &context))
}

#[cfg(test)]
mod tests;

/// The examples of the guide compile. It is no part of what is packaged.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct Guide;
