//! From the engine's failure to what the user is told.

pub(crate) mod log;
mod situation;

use ghcr_diagnosis::{Evidence, diagnose};
use oci_push::{Failure, Profile, PushReport, ReferenceStatus};

use crate::args::Arguments;
use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::keychain::Found;
use crate::settings;

/// Turns the engine's failure into what the user is told.
pub(crate) fn explain(
    report: &PushReport,
    failure: Failure,
    credentials: &Found,
    arguments: &Arguments,
    environment: &Environment,
) -> CliError {
    let failed = report
        .references
        .iter()
        .find(|entry| entry.status == ReferenceStatus::Failed);
    let Some(reference) = failed.map(|entry| &entry.reference) else {
        return CliError::of_failure("the push failed", failure);
    };
    let host = reference.resolve_registry();
    let credential = credentials
        .get(host)
        .cloned()
        .flatten()
        .map(|found| found.facts);
    let mut hint = None;
    let diagnosis = if settings::profile_of(arguments, reference) == Profile::Ghcr {
        let mut context = situation::context(reference, environment);
        context.credential = credential.into();
        diagnose(&Evidence::of(&failure), &context)
    } else {
        hint = Some(match credential {
            Some(facts) => format!(
                "the credential came from {} ({}); check that it is the right one for {host}",
                facts.source,
                facts.kind.describe()
            ),
            None => format!(
                "no credential for {host} was found; give one with --username and --password-stdin, \
                 GHCR_PUSH_TOKEN, or docker login {host}"
            ),
        });
        None
    };
    let mut error = CliError::of_failure(format!("failed to push {reference}"), failure);
    error.diagnosis = diagnosis.map(Box::new);
    if error.kind == Kind::Authorization && error.hint.is_none() {
        error.hint = hint;
    }
    error
}
