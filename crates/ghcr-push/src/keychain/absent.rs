//! What is said where no credential was found, and nothing is sent.

use ghcr_diagnosis::{Context, without_credential};
use oci_push::{Profile, Reference};

use super::{add_facts, grouped};
use crate::args::Arguments;
use crate::args::credentials::CredentialSource;
use crate::credentials::{Search, Sources};
use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::explain::{Place, situation};
use crate::settings;

/// ghcr.io takes no push from nobody; there is no need to ask it. Nor to ask any registry, if the one source that
/// may be used has nothing.
pub(super) fn failure(
    reference: &Reference,
    profile: Profile,
    search: &Search,
    sources: &Sources,
) -> CliError {
    let host = reference.resolve_registry();
    let message = match sources.forced {
        Some(source) => format!(
            "no credential for {host} was found in the source {}",
            source.name()
        ),
        None => format!("no credential for {host} was found"),
    };
    let error = CliError::new(Kind::Authorization, message);
    if profile != Profile::Ghcr {
        return error.hint(places(search));
    }
    let mut context = situation::context(reference, &sources.environment);
    add_facts(search, &mut context);
    context.forced_source = sources.forced.map(CredentialSource::name);
    diagnosed(error, &context)
}

/// Explains that the password on standard input is empty.
pub(super) fn explained(
    mut error: CliError,
    reference: &Reference,
    arguments: &Arguments,
    environment: &Environment,
) -> CliError {
    if settings::profile_of(arguments, reference) == Profile::Ghcr {
        let mut context = situation::context(reference, environment);
        context.empty_variables = vec!["--password-stdin".to_owned()];
        error.hint = None;
        return diagnosed(error, &context);
    }
    error
}

fn diagnosed(mut error: CliError, context: &Context) -> CliError {
    let diagnosis = without_credential(context);
    error.place = Place::of(context, diagnosis.as_ref()).map(Box::new);
    error.diagnosis = diagnosis.map(Box::new);
    error
}

fn places(search: &Search) -> String {
    let mut text = "looked for here:".to_owned();
    for (places, outcome) in grouped(&search.looked) {
        text.push_str("\n  ");
        text.push_str(&places);
        text.push_str(": ");
        text.push_str(&outcome);
    }
    text
}
