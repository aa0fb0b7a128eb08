//! The main job, from arguments to exit code.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use oci_archive::Content;
use oci_push::{PushError, PushReport, Pusher, Reference, ReferenceStatus, Workshop};

use crate::args::Arguments;
use crate::env::Environment;
use crate::error::{CliError, Kind, Signal};
use crate::explain::explain;
use crate::image::{self, ImageSettings};
use crate::keychain::{Found, FoundKeychain, find_credentials};
use crate::operands::{self, ImageOperand};
use crate::output::{self, Printer};
use crate::reference::References;
use crate::{logging, settings};

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
    let (images, written) =
        operands::split(&arguments.operands, |operand| Path::new(operand).exists())?;
    if arguments.password_stdin && images.iter().any(ImageOperand::is_stdin) {
        let error = CliError::usage("standard input cannot be both the image and the password");
        return Err(error.hint("give the token in GHCR_PUSH_TOKEN").into());
    }
    let settings = ImageSettings::of(&arguments.image, environment)?;
    let profile = settings::profile(arguments.registry_profile);
    let references = References::read(&written, &arguments.tags, profile)?;
    for notice in &references.notices {
        printer.notice(&format!("notice: {notice}"));
    }
    let content = image::open(&images, &settings, environment, printer)?;
    let workshop = settings.workshop(environment);
    let credentials = find_credentials(arguments, environment, &references.all, printer)?;
    let report = match upload(
        arguments,
        &content,
        &workshop,
        &references.all,
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

/// How an upload ended without success.
enum Ended {
    Failed(Box<PushError>),
    Interrupted(Signal),
    NotStarted(Box<CliError>),
}

fn upload(
    arguments: &Arguments,
    content: &Content,
    workshop: &Workshop,
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
            result = push_content(&pusher, content, workshop, references) => result.map_err(Ended::Failed),
            signal = signal() => Err(Ended::Interrupted(signal)),
        }
    });
    printer.end_progress();
    if outcome.is_err() {
        runtime.block_on(pusher.abandon());
    }
    // Threads that still read the archive for a connection that is gone must not be waited for.
    runtime.shutdown_background();
    outcome
}

async fn push_content(
    pusher: &Pusher,
    content: &Content,
    workshop: &Workshop,
    references: &[Reference],
) -> Result<PushReport, Box<PushError>> {
    match content {
        Content::Draft(draft) => pusher.push_draft(draft, workshop, references).await,
        Content::Image(image) => pusher.push(image, references).await,
        _ => unreachable!("there are images and drafts"),
    }
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

/// After a failure, says which references stand nevertheless.
fn published_all_the_same(report: &PushReport, printer: &Printer) {
    for entry in &report.references {
        if entry.status != ReferenceStatus::Failed {
            printer.line(&format!("{} {}", entry.status.as_str(), entry.reference));
        }
    }
}
