//! `ghcr-push check`: may I push there?
//!
//! Asked of the registry as a push would ask, with the credential that a push would use, but without a byte of an
//! image: good as the first step of a workflow, before twenty minutes of building.

mod refused;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use oci_push::{Event, Failure, Observer, PushPlan, Pusher, Reference};
use serde_json::{Value, json};

use crate::args::{Arguments, Progress, variables};
use crate::caution::Caution;
use crate::dry_run;
use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::explain::Attempt;
use crate::image::{self, ImageSettings};
use crate::keychain::{Found, FoundKeychain, find_credentials};
use crate::operands;
use crate::output::{Actions, Printer, failure_json};
use crate::quantity::display_duration;
use crate::reference::{References, first_of_each_repository};
use crate::settings::{self, Display};
use crate::{caution, logging, proxy, tls};
use refused::{Refused, allowed_line, credential, finding};

/// Runs the command and tells the exit code.
pub(crate) fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let actions = Actions::of(arguments.actions.github_actions, environment);
    let colours = settings::colours(arguments.display.color.color, environment);
    let printer = Printer::new(display(arguments), arguments.quiet)
        .coloured(colours)
        .wrapped(environment.widths)
        .with_actions(actions);
    let printer = Arc::new(printer);
    logging::start(arguments.verbose, Arc::clone(&printer));
    printer.without_effect(&variables::unknown(environment));
    printer.without_effect(&proxy::ignored(arguments.plain_http, environment));
    match check(arguments, environment, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refused) => {
            for error in std::iter::once(&refused.first).chain(&refused.others) {
                printer.failure(error, &[]);
                printer.tell_failure(error, &[]);
            }
            let Refused { first, told, .. } = &*refused;
            if arguments.json {
                // Standard output may be closed; the exit code still tells.
                let _ = printer.result_json(refused::with_told(failure_json(first, &[]), told));
            } else {
                let _ = printer.result_lines(&refused.lines);
            }
            ExitCode::from(first.kind)
        }
    }
}

/// There is no progress to be shown, but what else is told may be wanted as events.
fn display(arguments: &Arguments) -> Display {
    match arguments.display.progress {
        Progress::Json => Display::Events,
        _ => Display::Nothing,
    }
}

fn check(
    arguments: &Arguments,
    environment: &Environment,
    printer: &Arc<Printer>,
) -> Result<(), Box<Refused>> {
    let (written, images) = split(&arguments.operands, |operand| Path::new(operand).exists())?;
    let images = operands::read_images(&images, |operand| Path::new(operand).exists())?;
    operands::check_stdin(&images, arguments.password_stdin)?;
    let profile = settings::profile(arguments.registry_profile);
    let references = References::read(&written, &arguments.tags, profile, environment)?;
    settings::check_plain_http(arguments, &references.all)?;
    for notice in &references.notices {
        printer.notice(&format!("notice: {notice}"));
    }
    let settings = ImageSettings::of(&arguments.image, environment)?;
    let content = match images.as_slice() {
        [] => None,
        _ => Some(image::open(&images, &settings, environment, printer)?),
    };
    let references = references.all;
    let credentials = find_credentials(arguments, environment, &references, printer)
        .map_err(|error| refused::without_credential(&references, content.as_ref(), error))?;
    let attempt = Attempt {
        arguments,
        environment,
        credentials: &credentials,
        content: content.as_ref(),
    };
    let mut cautions = caution::cautions(&attempt, &references);
    for caution in &cautions {
        printer.warning(caution);
    }
    cautions.extend(caution::empty_credentials(&attempt, &references));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::no_runtime(&error))?;
    let keychain = Arc::new(FoundKeychain::new(credentials.clone(), Arc::clone(printer)));
    let options = settings::push_options(arguments, tls::read(arguments)?, Vec::new());
    let pusher = Pusher::new(options, keychain, Arc::new(Waits(Arc::clone(printer))))
        .map_err(|failure| CliError::of_failure("nothing was asked", failure))?;
    let mut refusals: Vec<(&Reference, CliError)> = Vec::new();
    for reference in first_of_each_repository(&references) {
        let asked = async {
            match pusher.may_push(reference).await {
                Ok(()) => Ok(()),
                Err(failure) => Err(pusher.with_words(reference, failure).await),
            }
        };
        let explained = |failure: Failure| {
            let is_limit = failure
                .rejection()
                .is_some_and(oci_push::Rejection::is_rate_limit);
            // A limit passes, and tells nothing of what a push may.
            let message = if is_limit {
                format!("a push to {reference} would not be taken now")
            } else {
                format!("a push to {reference} would fail")
            };
            attempt.explain(message, reference, failure)
        };
        if let Err(failure) = runtime.block_on(asked) {
            refusals.push((reference, explained(failure)));
        }
    }
    if !refusals.is_empty() {
        let refused = refused::of_repositories(&attempt, &references, &cautions, refusals);
        return refused.map_or(Ok(()), Err);
    }
    let unlinked = runtime.block_on(caution::unlinked(&attempt, &pusher, &references));
    for caution in &unlinked {
        printer.warning(caution);
    }
    cautions.extend(unlinked);
    let plan = match &content {
        None => None,
        Some(content) => {
            let workshop = settings.workshop(environment);
            let planned = dry_run::plan(&pusher, content, &workshop, &references);
            let planned = runtime.block_on(planned);
            Some(
                planned
                    .map_err(|error| refused::of_plan(&attempt, &references, &cautions, *error))?,
            )
        }
    };
    let result = if arguments.json {
        printer.result_json(json(&references, &credentials, &cautions, plan.as_ref()))
    } else {
        printer.result_lines(&lines(&references, plan.as_ref()))
    };
    result.map_err(|error| CliError::unwritable(&error).into())
}

/// Says what is waited for. Nothing else takes time here.
struct Waits(Arc<Printer>);

impl Observer for Waits {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Retrying { cause, wait, .. } = event {
            let wait = display_duration(*wait);
            self.0
                .notice(&format!("notice: {cause}; trying again in {wait}"));
        }
    }
}

/// Splits the operands: what is no image is a reference, in whatever order. `exists` tells whether a path does.
///
/// # Errors
///
/// A usage error if there is no reference; an image error if what stands after it is neither.
fn split(
    operands: &[String],
    exists: impl Fn(&str) -> bool,
) -> Result<(Vec<String>, Vec<String>), CliError> {
    let (mut images, mut references) = (Vec::new(), Vec::new());
    for operand in operands {
        if operands::is_image(operand, &exists) {
            images.push(operand.clone());
        } else if references.is_empty() || operands::is_reference(operand, true) {
            references.push(operand.clone());
        } else {
            let message = format!("{operand}: no such file or directory");
            return Err(CliError::new(Kind::Image, message));
        }
    }
    if references.is_empty() {
        return Err(CliError::usage("no reference says where a push would go")
            .hint("ghcr-push check ghcr.io/OWNER/NAME"));
    }
    Ok((references, images))
}

fn lines(references: &[Reference], plan: Option<&PushPlan>) -> Vec<String> {
    let mut lines: Vec<String> = references.iter().map(allowed_line).collect();
    lines.extend(plan.into_iter().flat_map(dry_run::lines));
    lines
}

fn json(
    references: &[Reference],
    credentials: &Found,
    cautions: &[Caution],
    plan: Option<&PushPlan>,
) -> Value {
    let reference = |one: &Reference| {
        json!({
            "reference": one.to_string(),
            "status": "allowed",
            "credential": credential(credentials, one),
        })
    };
    json!({
        "schemaVersion": 1,
        "status": "allowed",
        "references": references.iter().map(reference).collect::<Vec<_>>(),
        "findings": cautions.iter().map(finding).collect::<Vec<_>>(),
        "plan": plan.map(dry_run::json),
        "diagnosis": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands() {
        let split = |operands: &[&str]| {
            let operands: Vec<String> = operands.iter().map(|one| (*one).to_owned()).collect();
            split(&operands, |path| path == "a.tar").ok()
        };
        let owned =
            |texts: &[&str]| -> Vec<String> { texts.iter().map(|one| (*one).to_owned()).collect() };
        for (operands, expected) in [
            (&["ghcr.io/o/n"][..], Some((&["ghcr.io/o/n"][..], &[][..]))),
            (&["ghcr.io/o/n", "-"], Some((&["ghcr.io/o/n"], &["-"]))),
            (
                &["oci-archive:a.tar", "ghcr.io/o/n", "ghcr.io/o/m"],
                Some((&["ghcr.io/o/n", "ghcr.io/o/m"], &["oci-archive:a.tar"])),
            ),
            (
                &["ghcr.io/o/n", "a.tar"],
                Some((&["ghcr.io/o/n"], &["a.tar"])),
            ),
            (&["ghcr.io/o/n", "missing.tar"], None),
            (&["-"], None),
        ] {
            let expected = expected.map(|(references, images)| (owned(references), owned(images)));
            assert_eq!(split(operands), expected, "{operands:?}");
        }
    }
}
