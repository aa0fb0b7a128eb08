//! `ghcr-push explain`: the refusals in another tool's log, explained.
//!
//! The explanation is the result here, and goes to standard output.

mod foreign;
mod text;

use std::io;
use std::process::ExitCode;

use ghcr_diagnosis::{Code, Context, Diagnosis, Evidence, Likelihood, diagnose, log};
use oci_push::Step;
use serde_json::{Value, json};

use super::{Place, situation};
use crate::args::explain::ExplainArguments;
use crate::args::variables;
use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::output::{self, Actions, Printer, render_diagnosis};
use crate::settings::{self, Display};

/// How many refusals are told. A log with more has one cause, or is no log.
const MOST: usize = 50;

/// Runs the command and tells the exit code.
pub(crate) fn run(arguments: &ExplainArguments, environment: &Environment) -> ExitCode {
    let colours = settings::colours(arguments.color.color, environment);
    let actions = Actions::of(arguments.actions.github_actions, environment);
    let printer = Printer::new(Display::Nothing, false)
        .coloured(colours)
        .wrapped(environment.widths)
        .with_actions(actions);
    printer.without_effect(&variables::unknown(environment));
    match explain(arguments, environment, &printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.failure(&error, &[]);
            if arguments.json {
                // Standard output may be closed; the exit code still tells.
                let _ = output::print_json_failure(&error, &[], &printer);
            }
            ExitCode::from(error.kind)
        }
    }
}

fn explain(
    arguments: &ExplainArguments,
    environment: &Environment,
    printer: &Printer,
) -> Result<(), CliError> {
    let log = text::read(arguments.file.as_deref(), environment, printer)?;
    let mut refusals = log::recognise(&log.text);
    // What stands is what failed.
    refusals.sort_by_key(|refusal| refusal.pushed_later.is_some());
    let omitted = refusals.len().saturating_sub(MOST);
    refusals.truncate(MOST);
    let limited: Vec<String> = refusals.iter().filter_map(limited_host).collect();
    let mut explained: Vec<Explained> = refusals
        .into_iter()
        .map(|evidence| Explained::of(evidence, environment, &limited))
        .collect();
    // The limit comes before what it explains.
    if explained.iter().any(Explained::is_of_limit_nearby) {
        explained.sort_by_key(|one| (one.remark().is_some(), !one.is_limit()));
    }
    if explained.is_empty() {
        let message = format!(
            "no refusal of a container registry is recognised in {}",
            log.name
        );
        return Err(CliError::new(Kind::Internal, message).hint(
            "give the whole log of the step that failed, with the lines before its last: the registry's own words, and \
             the reference, stand there. ghcr-push check REFERENCE asks the registry itself",
        ));
    }
    let standing = explained.iter().filter(|one| one.remark().is_none());
    printer.tell_refusals(&standing.map(Explained::error).collect::<Vec<_>>());
    let result = if arguments.json {
        printer.result_json(json(&explained, omitted))
    } else {
        printer.result_lines(&lines(&explained, omitted))
    };
    match result {
        // Who has read enough, as `head` has, misses nothing.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| CliError::unwritable(&error)),
    }
}

/// A refusal, its explanation, and what would have made that surer.
struct Explained {
    evidence: Evidence,
    diagnosis: Option<Diagnosis>,
    place: Option<Place>,
    unknown: Vec<String>,
    /// What is told besides the explanation, or in its stead.
    note: Option<String>,
}

impl Explained {
    /// `limited` are the hosts that the log shows to limit requests.
    fn of(evidence: Evidence, environment: &Environment, limited: &[String]) -> Self {
        let mut context = situation::of_log(&evidence, environment);
        let is_limited = evidence
            .host
            .as_ref()
            .is_some_and(|host| limited.contains(host));
        context.limited_nearby = is_limited.then_some(true);
        let is_own = evidence.is_in_words_of_github();
        let (diagnosis, note) = match foreign::host(&evidence) {
            _ if foreign::is_everybodys(&evidence) => (diagnose(&evidence, &context), None),
            // GitHub's causes and pages lead nowhere at another registry.
            Some(host) if !is_own => (None, Some(foreign::advice(host, &evidence))),
            Some(host) => (diagnose(&evidence, &context), Some(foreign::doubt(host))),
            None => {
                let diagnosis = diagnose(&evidence, &context);
                let is_githubs = |diagnosis: &Diagnosis| !foreign::holds_anywhere(diagnosis.code);
                let is_open = diagnosis.as_ref().is_some_and(is_githubs)
                    && evidence.host.is_none()
                    && !is_own;
                (diagnosis, is_open.then(|| foreign::condition(&evidence)))
            }
        };
        Self {
            place: Place::of(&context, diagnosis.as_ref()),
            diagnosis,
            unknown: unknown(&evidence, &context),
            note,
            evidence,
        }
    }

    fn first(&self) -> Option<(Code, Likelihood)> {
        let first = self.diagnosis.as_ref()?.causes.first()?;
        Some((first.code, first.likelihood))
    }

    /// Whether the registry said that it is a limit.
    fn is_limit(&self) -> bool {
        matches!(
            self.first(),
            Some((
                Code::SecondaryRateLimit | Code::RateLimit,
                Likelihood::Proven
            ))
        )
    }

    /// Whether another refusal of the log explains this one as a limit.
    fn is_of_limit_nearby(&self) -> bool {
        self.first() == Some((Code::SecondaryRateLimit, Likelihood::Likely))
    }

    /// That the refusal is not what failed, if it is not.
    fn remark(&self) -> Option<String> {
        let pushed = self.evidence.pushed_later.as_deref()?;
        Some(format!(
            "the log tells later that {pushed} was pushed: a repetition made this refusal good, and it is not what failed. \
             What follows matters if it comes again"
        ))
    }

    /// The refusal as a failure of this program's own.
    fn error(&self) -> CliError {
        let what = if foreign::is_everybodys(&self.evidence) {
            "failed"
        } else {
            "refused"
        };
        let message = format!("{what}: {}", headline(&self.evidence));
        let mut error = CliError::new(Kind::Authorization, message);
        error.place = self.place.clone().map(Box::new);
        error.diagnosis = self.diagnosis.clone().map(Box::new);
        if error.diagnosis.is_none() {
            let unexplained = || "none of the known causes explains it".to_owned();
            error.hint = Some(self.note.clone().unwrap_or_else(unexplained));
        }
        error
    }
}

/// The host that limits requests, by its own words.
fn limited_host(evidence: &Evidence) -> Option<String> {
    let diagnosis = diagnose(evidence, &Context::default())?;
    let first = diagnosis.causes.first()?;
    let is_limit = first.code == Code::SecondaryRateLimit && first.likelihood == Likelihood::Proven;
    evidence.host.clone().filter(|_| is_limit)
}

/// What the log does not tell, and no surroundings either.
fn unknown(evidence: &Evidence, context: &Context) -> Vec<String> {
    let mut unknown = Vec::new();
    let mut lacks = |is_known: bool, what: &str| {
        if !is_known {
            unknown.push(what.to_owned());
        }
    };
    let reference = match evidence.candidates.as_slice() {
        _ if evidence.is_pull => "which reference was pulled".to_owned(),
        [] => "which reference was pushed".to_owned(),
        candidates => format!(
            "which reference was pushed (the log mixes several pushes: {})",
            candidates.join(" or ")
        ),
    };
    lacks(evidence.reference.is_some(), &reference);
    lacks(evidence.host.is_some(), "which registry it was");
    if foreign::is_everybodys(evidence) {
        return unknown;
    }
    lacks(evidence.step.is_some(), "which request was refused");
    lacks(evidence.status.is_some(), "the HTTP status");
    let words = if evidence.method.as_deref() == Some("HEAD") {
        "the registry's own words (an answer to HEAD has none)"
    } else {
        "the registry's own words"
    };
    lacks(!evidence.words().is_empty(), words);
    lacks(
        evidence.anonymous == Some(true),
        "which credential was used, and of what kind",
    );
    lacks(
        context.actions.is_some(),
        "the workflow run, if it was one (explain in a step of the same job sees it)",
    );
    unknown
}

fn lines(explained: &[Explained], omitted: usize) -> Vec<String> {
    let count = explained.len() + omitted;
    let mut lines = Vec::new();
    for (index, one) in explained.iter().enumerate() {
        if index > 0 {
            lines.extend([String::new(), String::new()]);
        }
        let place = match count {
            1 => String::new(),
            _ => format!(" {} of {count}", index + 1),
        };
        let what = if foreign::is_everybodys(&one.evidence) {
            "failure"
        } else {
            "refusal"
        };
        lines.push(format!("{what}{place}: {}", headline(&one.evidence)));
        lines.extend(told(&one.evidence));
        lines.push(String::new());
        if let Some(remark) = one.remark() {
            lines.extend([remark, String::new()]);
        }
        match (&one.diagnosis, &one.note) {
            (Some(diagnosis), _) => lines.extend(render_diagnosis(diagnosis)),
            (None, Some(note)) => lines.push(note.clone()),
            (None, None) => {
                lines.push("diagnosis: none of the known causes explains it".to_owned());
            }
        }
        lines.push(String::new());
        if one.diagnosis.is_some() {
            lines.extend(one.note.clone());
        }
        if !one.unknown.is_empty() {
            lines.push(format!(
                "not known from the log: {}",
                one.unknown.join("; ")
            ));
        }
    }
    if omitted > 0 {
        lines.extend([
            String::new(),
            String::new(),
            format!("{omitted} more refusals are not told: only the first {MOST} are"),
        ]);
    }
    lines
}

fn headline(evidence: &Evidence) -> String {
    let (what, way) = if evidence.is_pull {
        ("pull", "from")
    } else {
        ("push", "to")
    };
    // What precedes both, and all that a login does.
    let is_look = evidence
        .url
        .as_deref()
        .is_some_and(|url| url.ends_with("/v2/"));
    match (&evidence.reference, &evidence.host) {
        (Some(reference), _) => format!("the {what} of {reference}"),
        (None, Some(host)) if is_look => format!("a request to {host}"),
        (None, Some(host)) => format!("a {what} {way} {host}"),
        (None, None) => format!("a {what}"),
    }
}

/// What the log tells of the refusal, as a failed push of this tool tells it.
fn told(evidence: &Evidence) -> Vec<String> {
    let mut told = Vec::new();
    let host = evidence.host.as_deref().unwrap_or("the registry");
    let is_by_digest = evidence
        .url
        .as_deref()
        .is_some_and(|url| url.contains("/manifests/sha256:"));
    let step = evidence.step.map(|step| {
        let what = match step {
            Step::CheckManifest if is_by_digest => "look up a manifest",
            step => step.describe(),
        };
        format!("the request to {what}")
    });
    told.extend(match (evidence.status, step) {
        (Some(status), Some(step)) => {
            Some(format!("  caused by: {host} answered {status} to {step}"))
        }
        (Some(status), None) => Some(format!("  caused by: {host} answered {status}")),
        (None, Some(step)) => Some(format!("  caused by: {host} refused {step}")),
        (None, None) => None,
    });
    for error in &evidence.errors {
        let parts = [error.code.as_str(), error.message.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        told.push(format!("  caused by: {}", excerpt(&parts.join(": "))));
    }
    if evidence.errors.is_empty()
        && let Some(body) = evidence.body.as_deref().map(str::trim)
        && !body.is_empty()
    {
        let shown: String = body.chars().take(200).collect();
        told.push(format!("  caused by: it said: {shown}"));
    }
    if let Some(url) = &evidence.url {
        let method = evidence.method.as_deref().unwrap_or("-");
        told.push(format!("  request: {method} {url}"));
    }
    if let Some(identifier) = &evidence.request_id {
        told.push(format!("  request id: {identifier}"));
    }
    told
}

/// The beginning of words; nobody reads more of what was never meant to be words.
fn excerpt(words: &str) -> String {
    /// In characters, as in the evidence.
    const LONGEST: usize = 600;
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &words[..end]),
        None => words.to_owned(),
    }
}

/// The object of `--json`: the first refusal's diagnosis where a failed push has its own, and all of them.
fn json(explained: &[Explained], omitted: usize) -> Value {
    let refusals: Vec<Value> = explained.iter().map(refusal).collect();
    json!({
        "schemaVersion": 1,
        "status": "explained",
        "diagnosis": explained.first().and_then(|one| one.diagnosis.as_ref()),
        "refusals": refusals,
        "omitted": omitted,
    })
}

fn refusal(one: &Explained) -> Value {
    let evidence = &one.evidence;
    let first = evidence.errors.first();
    let words = evidence.words();
    json!({
        "reference": evidence.reference,
        "host": evidence.host,
        "step": evidence.step.map(oci_push::Step::as_str),
        "method": evidence.method,
        "url": evidence.url,
        "status": evidence.status,
        "code": first.map(|error| error.code.as_str()).filter(|code| !code.is_empty()),
        "message": (!words.is_empty()).then_some(words),
        "requestId": evidence.request_id,
        "isPull": evidence.is_pull,
        "pushedBefore": evidence.pushed_before,
        "pushedLater": evidence.pushed_later,
        "note": one.note,
        "unknown": one.unknown,
        "diagnosis": one.diagnosis,
    })
}
