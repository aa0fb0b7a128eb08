//! The main job, from arguments to exit code.

use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use oci_archive::Content;
use oci_push::{
    Observer, PlanError, PushError, PushOptions, PushPlan, PushReport, Pusher, Reference, Workshop,
};

use crate::args::{Arguments, variables};
use crate::content;
use crate::dry_run;
use crate::env::Environment;
use crate::error::{CliError, Kind, Signal};
use crate::explain::{self, Attempt};
use crate::image::{self, ImageSettings};
use crate::keychain::{Found, FoundKeychain, find_credentials};
use crate::operands;
use crate::output::{self, Actions, Printer};
use crate::reference::References;
use crate::result_files::{self, ResultFiles};
use crate::settled::{self, Settled, Stored, Witness};
use crate::upload_journal::DirectoryJournal;
use crate::{caution, logging, proxy, settings, tls};

/// Runs the push and tells the exit code.
pub(crate) fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let display = settings::display(arguments.display.progress, arguments.quiet, environment);
    let actions = Actions::of(arguments.actions.github_actions, environment);
    let colours = settings::colours(arguments.display.color.color, environment);
    let printer = Printer::new(display, arguments.quiet)
        .coloured(colours)
        .wrapped(environment.widths)
        .with_actions(actions);
    let printer = Arc::new(printer);
    logging::start(arguments.verbose, Arc::clone(&printer));
    printer.without_effect(&variables::unknown(environment));
    printer.without_effect(&proxy::ignored(arguments.plain_http, environment));
    match push(arguments, environment, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            printer.failure(&failed.error, &failed.settled);
            if arguments.json && !failed.has_result {
                // Standard output may be closed; the exit code still tells.
                let _ = output::print_json_failure(&failed.error, &failed.settled, &printer);
            }
            printer.published_all_the_same(&failed.settled, failed.rest);
            printer.tell_failure(&failed.error, &failed.settled);
            ExitCode::from(failed.error.kind)
        }
    }
}

/// A failure, and what was achieved before it.
struct Failed {
    error: Box<CliError>,
    /// What became of the references, where any was tried.
    settled: Vec<Settled>,
    /// The word for references that are not known to be published, where they are named.
    rest: Option<&'static str>,
    /// The push succeeded, and standard output holds its result.
    has_result: bool,
}

impl From<CliError> for Failed {
    fn from(error: CliError) -> Self {
        Self {
            error: Box::new(error),
            settled: Vec::new(),
            rest: None,
            has_result: false,
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
    operands::check_stdin(&images, arguments.password_stdin)?;
    result_files::check_distinct(arguments, &images)?;
    let settings = ImageSettings::of(&arguments.image, environment)?;
    let profile = settings::profile(arguments.registry_profile);
    let references = References::read(&written, &arguments.tags, profile, environment)?;
    settings::check_plain_http(arguments, &references.all)?;
    let mount_from = settings::mount_from(arguments, environment, &references.all)?;
    for notice in &references.notices {
        printer.notice(&format!("notice: {notice}"));
    }
    let content = image::open(&images, &settings, environment, printer)?;
    let workshop = settings.workshop(environment);
    let result_files = ResultFiles::open(&arguments.results)?;
    let credentials = find_credentials(arguments, environment, &references.all, printer)?;
    let witness = Arc::new(Witness::new(printer.progress()));
    let options = settings::push_options(arguments, tls::read(arguments)?, mount_from);
    let observer = Arc::clone(&witness) as Arc<dyn Observer>;
    let pusher = pusher(options, environment, &credentials, observer, printer)?;
    let attempt = Attempt {
        arguments,
        environment,
        credentials: &credentials,
        content: Some(&content),
    };
    for caution in caution::cautions(&attempt, &references.all) {
        printer.warning(&caution);
    }
    let job = Job {
        attempt: &attempt,
        content: &content,
        workshop: &workshop,
        references: &references.all,
    };
    if !arguments.dry_run {
        printer.begin_group(&group(&references.all));
    }
    let report = match upload(&pusher, job, printer) {
        Ok(Done::Pushed(report)) => report,
        Ok(Done::Planned(plan, None)) => return tell(&plan, arguments.json, printer),
        Ok(Done::Planned(plan, Some(error))) => {
            let PushError { report, failure } = *error;
            let error = attempt.explain_push(&report, failure);
            let settled = settled::of_report(&report);
            // Standard output may be closed; the exit code still tells.
            let _ = if arguments.json {
                let mut value = output::failure_json(&error, &settled);
                value["plan"] = dry_run::json(&plan);
                printer.result_json(value)
            } else {
                printer.result_lines(&dry_run::lines(&plan))
            };
            return Err(Failed {
                settled,
                has_result: true,
                ..Failed::from(error)
            });
        }
        Err(Ended::Interrupted(signal)) => {
            return Err(interrupted(signal, &witness, job));
        }
        Err(Ended::Failed(error)) => {
            let PushError { report, failure } = *error;
            let error = attempt.explain_push(&report, failure);
            return Err(Failed {
                settled: settled::of_report(&report),
                ..Failed::from(error)
            });
        }
        Err(Ended::NotStarted(error)) => return Err((*error).into()),
    };
    printer.summary(&report);
    printer.tell_success(&report);
    output::print_result(&report, arguments.json, printer).map_err(|error| {
        CliError::new(
            Kind::Internal,
            "the image is published, but the result cannot be written to standard output",
        )
        .caused_by(&error)
    })?;
    result_files
        .write(&report, printer)
        .map_err(|error| Failed {
            has_result: true,
            ..Failed::from(error)
        })
}

/// How far a push was when a signal ended it.
fn interrupted(signal: Signal, witness: &Witness, job: Job<'_>) -> Failed {
    let settled = witness.of(job.references, content::digest(job.content));
    if job.attempt.arguments.dry_run {
        let error = CliError::new(Kind::Interrupted(signal), "the dry run was interrupted");
        return Failed {
            settled,
            ..Failed::from(error)
        };
    }
    let Stored { count, of } = witness.stored();
    let (message, rest) = match of {
        0 => ("the push was interrupted".to_owned(), None),
        _ => (
            format!("the push was interrupted; {count} of {of} blobs are stored"),
            // With the last blob there, a tag may have been set whose confirmation was still to come.
            Some(if count < of {
                "not published"
            } else {
                "not confirmed"
            }),
        ),
    };
    let error = CliError::new(Kind::Interrupted(signal), message)
        .hint("run it again: blobs that are finished are not sent again");
    Failed {
        settled,
        rest,
        ..Failed::from(error)
    }
}

/// What the lines of progress are folded under.
fn group(references: &[Reference]) -> String {
    let names: Vec<String> = references.iter().map(ToString::to_string).collect();
    format!("Pushing to {}", names.join(", "))
}

/// Prints a plan.
fn tell(plan: &PushPlan, as_json: bool, printer: &Printer) -> Result<(), Failed> {
    let told = if as_json {
        printer.result_json(dry_run::json(plan))
    } else {
        printer.result_lines(&dry_run::lines(plan))
    };
    told.map_err(|error| Failed::from(CliError::unwritable(&error)))
}

/// What was done.
enum Done {
    Pushed(PushReport),
    /// What could be found out, and why the rest could not.
    Planned(PushPlan, Option<Box<PushError>>),
}

/// How an upload ended without success.
enum Ended {
    Failed(Box<PushError>),
    Interrupted(Signal),
    NotStarted(Box<CliError>),
}

/// What pushes. Nothing is sent yet.
fn pusher(
    options: PushOptions,
    environment: &Environment,
    credentials: &Found,
    observer: Arc<dyn Observer>,
    printer: &Arc<Printer>,
) -> Result<Pusher, CliError> {
    let keychain = Arc::new(FoundKeychain::new(credentials.clone(), Arc::clone(printer)));
    let pusher = Pusher::new(options, keychain, observer)
        .map_err(|failure| CliError::of_failure("nothing was sent", failure))?;
    Ok(match environment.cache_directory() {
        Some(directory) => pusher.with_journal(Arc::new(DirectoryJournal::new(&directory))),
        None => pusher,
    })
}

/// What is to be done.
#[derive(Clone, Copy)]
struct Job<'a> {
    attempt: &'a Attempt<'a>,
    content: &'a Content,
    workshop: &'a Workshop,
    references: &'a [Reference],
}

fn upload(pusher: &Pusher, job: Job<'_>, printer: &Printer) -> Result<Done, Ended> {
    let not_started = |error: CliError| Ended::NotStarted(Box::new(error));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| not_started(CliError::no_runtime(&error)))?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            // The signals' handlers are in place before the first request.
            biased;
            signal = signal() => Err(Ended::Interrupted(signal)),
            result = beside(advise(pusher, job, printer), carry_out(pusher, job)) => {
                result.map_err(Ended::Failed)
            }
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

/// Says what is better known before a package is created.
async fn advise(pusher: &Pusher, job: Job<'_>, printer: &Printer) {
    for caution in caution::unlinked(job.attempt, pusher, job.references).await {
        printer.warning(&caution);
    }
}

/// How long advice may come before the work, so that it stands before what is said of that.
const HEAD_START: Duration = Duration::from_millis(250);

/// Does `work`, and `advice` beside it, which nobody waits for.
async fn beside<T>(advice: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
    let mut advice = pin!(advice);
    if tokio::time::timeout(HEAD_START, &mut advice).await.is_ok() {
        return work.await;
    }
    let mut work = pin!(work);
    tokio::select! {
        done = &mut work => done,
        () = advice => work.await,
    }
}

/// Has a refusal without words said again.
async fn with_words(pusher: &Pusher, error: Box<PushError>) -> Box<PushError> {
    let PushError { report, failure } = *error;
    let failure = match explain::failed(&report, &failure) {
        Some(reference) => pusher.with_words(reference, failure).await,
        None => failure,
    };
    Box::new(PushError { report, failure })
}

async fn carry_out(pusher: &Pusher, job: Job<'_>) -> Result<Done, Box<PushError>> {
    let Job {
        content,
        workshop,
        references,
        ..
    } = job;
    if job.attempt.arguments.dry_run {
        return Ok(plan(pusher, job).await);
    }
    let report = match content {
        Content::Draft(draft) => pusher.push_draft(draft, workshop, references).await,
        Content::Image(image) => pusher.push(image, references).await,
        _ => unreachable!("there are images and drafts"),
    };
    match report {
        Ok(report) => Ok(Done::Pushed(report)),
        Err(error) => Err(with_words(pusher, error).await),
    }
}

/// Finds out what a push would do. The failure's report holds the references of which nothing was found out, and those
/// that would be refused.
async fn plan(pusher: &Pusher, job: Job<'_>) -> Done {
    let error = match dry_run::plan(pusher, job.content, job.workshop, job.references).await {
        Ok(plan) => return Done::Planned(plan, None),
        Err(error) => error,
    };
    let PlanError { plan, failure } = *error;
    let planned = |reference: &Reference| {
        let mut references = plan.references.iter();
        references.find(|one| one.reference == *reference)
    };
    let has_failed = |reference: &&Reference| {
        planned(reference).is_none() || dry_run::is_refused(&plan, reference)
    };
    let failed: Vec<Reference> = job.references.iter().filter(has_failed).cloned().collect();
    let mut report = PushReport::new(&failed);
    for entry in &mut report.references {
        entry.digest = content::digest(job.content).cloned();
        entry.previous = planned(&entry.reference).and_then(|one| one.previous.clone());
    }
    let error = with_words(pusher, Box::new(PushError { report, failure })).await;
    Done::Planned(plan, Some(error))
}

/// Waits for Ctrl-C or, where there are such, SIGTERM and SIGHUP.
async fn signal() -> Signal {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hang_up)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) {
            return tokio::select! {
                _ = terminate.recv() => Signal::Terminate,
                _ = hang_up.recv() => Signal::HangUp,
                _ = tokio::signal::ctrl_c() => Signal::Interrupt,
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    Signal::Interrupt
}
