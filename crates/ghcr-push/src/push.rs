//! The main job, from arguments to exit code.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use ghcr_diagnosis::{Context, diagnose};
use oci_archive::{Image, OpenOptions};
use oci_push::{Credentials, Failure, Keychain, Profile, PushError, PushReport, Pusher, Reference};
use secrecy::SecretString;

use crate::args::Arguments;
use crate::credentials::{FoundCredential, Search, Sources};
use crate::env::{Environment, password_from_stdin};
use crate::error::{CliError, Kind, Signal, hint_for_archive};
use crate::operands::{self, ImageOperand};
use crate::output::{self, Printer};
use crate::reference::References;
use crate::{github, logging, settings};

/// Runs the push and tells the exit code.
pub(crate) fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let display = settings::display(
        arguments.progress,
        arguments.quiet,
        environment.stderr_is_terminal,
    );
    let printer = Arc::new(Printer::new(display, arguments.quiet));
    logging::start(arguments.verbose, Arc::clone(&printer));
    let as_json = arguments.json;
    match push(arguments, environment, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { error, report }) => {
            printer.failure(&error);
            if as_json {
                // Standard output may be closed; the exit code still tells.
                let _ = output::print_json_failure(&error, report.as_deref(), &printer);
            }
            if let Some(report) = &report {
                published_all_the_same(report, &printer);
            }
            ExitCode::from(error.kind)
        }
    }
}

/// A failure, and what was achieved before it.
struct Failed {
    error: Box<CliError>,
    report: Option<Box<PushReport>>,
}

impl From<CliError> for Failed {
    fn from(error: CliError) -> Self {
        Self {
            error: Box::new(error),
            report: None,
        }
    }
}

fn push(
    arguments: &Arguments,
    environment: &Environment,
    printer: &Arc<Printer>,
) -> Result<(), Failed> {
    let (image, written) =
        operands::split(&arguments.operands, |operand| Path::new(operand).exists())?;
    let references = References::read(&written, &arguments.tags)?;
    for notice in &references.notices {
        printer.notice(&format!("notice: {notice}"));
    }
    let image = open(&image, printer)?;
    let credentials = find_credentials(arguments, environment, &references.references, printer)?;
    let report = match upload(
        arguments,
        &image,
        &references.references,
        &credentials,
        printer,
    ) {
        Ok(report) => report,
        Err(Ended::Interrupted(signal)) => {
            let error = CliError::new(Kind::Interrupted(signal), "the push was interrupted")
                .hint("run it again: blobs that are finished are not sent again");
            return Err(error.into());
        }
        Err(Ended::Failed(error)) => {
            let PushError { report, failure } = *error;
            let error = explain(&report, failure, &credentials, arguments, environment);
            return Err(Failed {
                error: Box::new(error),
                report: Some(Box::new(report)),
            });
        }
        Err(Ended::NotStarted(error)) => return Err((*error).into()),
    };
    printer.summary(&report);
    if let Some(path) = &arguments.digestfile {
        output::write_digest(path, &report).map_err(|error| {
            CliError::new(
                Kind::Internal,
                format!(
                    "the image is published, but {} cannot be written",
                    path.display()
                ),
            )
            .caused_by(&error)
        })?;
    }
    output::print_result(&report, arguments.json).map_err(|error| {
        CliError::new(
            Kind::Internal,
            "the image is published, but the result cannot be written to standard output",
        )
        .caused_by(&error)
    })?;
    Ok(())
}

fn open(operand: &ImageOperand, printer: &Printer) -> Result<Image, CliError> {
    let mut options = OpenOptions::default();
    options.format = operand.format;
    let image = oci_archive::open(&operand.path, &options).map_err(|error| {
        let path = operand.path.display();
        let refused =
            CliError::new(Kind::Image, format!("{path} cannot be pushed")).caused_by(&error);
        match hint_for_archive(&error) {
            Some(hint) => refused.hint(hint),
            None => refused,
        }
    })?;
    for notice in image.notices() {
        printer.notice(&format!("notice: {}: {notice}", operand.path.display()));
    }
    Ok(image)
}

/// What was found for every registry named.
type Found = BTreeMap<String, Option<FoundCredential>>;

fn find_credentials(
    arguments: &Arguments,
    environment: &Environment,
    references: &[Reference],
    printer: &Printer,
) -> Result<Found, CliError> {
    let mut hosts: Vec<&Reference> = references.iter().collect();
    hosts.dedup_by_key(|reference| reference.registry());
    if arguments.password_stdin
        && hosts
            .iter()
            .any(|host| host.registry() != hosts[0].registry())
    {
        return Err(CliError::usage(
            "--password-stdin gives one password, but several registries are named",
        ));
    }
    let given = match (&arguments.username, arguments.password_stdin) {
        (Some(username), true) => {
            let password = password_from_stdin().map_err(|error| {
                CliError::usage("no password can be read from standard input").caused_by(&error)
            })?;
            if password.is_empty() {
                let error = CliError::new(
                    Kind::Authorization,
                    "the password on standard input is empty",
                );
                return Err(error.hint("secrets are empty in runs for pull requests from forks"));
            }
            Some((username.clone(), SecretString::from(password)))
        }
        _ => None,
    };
    let sources = Sources { environment, given };
    let mut found = Found::new();
    for reference in hosts {
        let host = reference.resolve_registry();
        if found.contains_key(host) {
            continue;
        }
        let profile = profile_of(arguments, reference);
        let Search {
            found: credential,
            notices,
        } = sources.search(host, profile);
        for notice in notices {
            printer.notice(&format!("notice: {notice}"));
        }
        match &credential {
            Some(credential) => {
                printer.hide(credential.secrets());
                printer.notice(&credential.announcement(host));
            }
            None if profile == Profile::Ghcr => return Err(no_credential(host)),
            None => printer.notice(&format!(
                "no credential for {host} was found; pushing without"
            )),
        }
        found.insert(host.to_owned(), credential);
    }
    Ok(found)
}

/// ghcr.io takes no push from nobody; there is no need to ask it.
fn no_credential(host: &str) -> CliError {
    CliError::new(Kind::Authorization, format!("no credential for {host} was found (credential-missing)"))
        .hint(format!(
            "looked at --password-stdin, GHCR_PUSH_TOKEN, docker's config.json and GITHUB_TOKEN.\n\
             In a workflow, give the step the token:\n\n    \
             env:\n      GITHUB_TOKEN: ${{{{ secrets.GITHUB_TOKEN }}}}\n\n\
             By hand: gh auth token | ghcr-push --username USER --password-stdin ..., with a token that has the\n\
             scope write:packages (gh auth refresh -h {} -s write:packages)",
            github::web_host(host)
        ))
}

fn profile_of(arguments: &Arguments, reference: &Reference) -> Profile {
    settings::profile(arguments.registry_profile)
        .unwrap_or_else(|| Profile::of_host(reference.registry()))
}

/// Gives the engine what was found.
struct FoundKeychain(Found);

impl Keychain for FoundKeychain {
    fn credentials<'a>(
        &'a self,
        host: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<Credentials>> + Send + 'a>> {
        let found = self.0.get(host).cloned().flatten();
        Box::pin(std::future::ready(found.map(|found| found.credentials)))
    }
}

/// How an upload ended without success.
enum Ended {
    Failed(Box<PushError>),
    Interrupted(Signal),
    NotStarted(Box<CliError>),
}

fn upload(
    arguments: &Arguments,
    image: &Image,
    references: &[Reference],
    credentials: &Found,
    printer: &Arc<Printer>,
) -> Result<PushReport, Ended> {
    let not_started = |error: CliError| Ended::NotStarted(Box::new(error));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            not_started(
                CliError::new(Kind::Internal, "no runtime could be started").caused_by(&error),
            )
        })?;
    let keychain = Arc::new(FoundKeychain(credentials.clone()));
    let pusher = Pusher::new(
        settings::push_options(arguments),
        keychain,
        printer.progress(),
    )
    .map_err(|failure| not_started(CliError::of_failure("nothing was sent", failure)))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            result = pusher.push(image, references) => result.map_err(Ended::Failed),
            signal = signal() => Err(Ended::Interrupted(signal)),
        }
    });
    // Threads that still read the archive for a connection that is gone must not be waited for.
    runtime.shutdown_background();
    outcome
}

/// Waits for Ctrl-C or, where there is one, SIGTERM.
async fn signal() -> Signal {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = terminate.recv() => Signal::Terminate,
                _ = tokio::signal::ctrl_c() => Signal::Interrupt,
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    Signal::Interrupt
}

/// Turns the engine's failure into what the user is told.
fn explain(
    report: &PushReport,
    failure: Failure,
    credentials: &Found,
    arguments: &Arguments,
    environment: &Environment,
) -> CliError {
    let failed = report
        .references
        .iter()
        .find(|entry| entry.status == oci_push::ReferenceStatus::Failed);
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
    let diagnosis = if profile_of(arguments, reference) == Profile::Ghcr {
        let mut context = Context::default();
        context.reference = reference.to_string();
        let (owner, package) = reference.repository().split_once('/').unwrap_or_default();
        context.owner = owner.to_owned();
        context.package = package.to_owned();
        context.web_host = github::web_host(host);
        context.actions = github::actions(environment);
        context.credential = credential;
        diagnose(&failure, &context)
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

/// After a failure, says which references stand nevertheless.
fn published_all_the_same(report: &PushReport, printer: &Printer) {
    for entry in &report.references {
        if entry.status != oci_push::ReferenceStatus::Failed {
            printer.line(&format!("{} {}", entry.status.as_str(), entry.reference));
        }
    }
}
