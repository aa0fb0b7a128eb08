//! Everything that is printed, and nothing that is not.
//!
//! Standard output carries results only; all else goes to standard error. Every line passes
//! [`Printer::line`], which makes text from servers and archives harmless and hides secrets.

mod actions;
mod bars;
mod board;
mod clean;
mod events;
mod failure;
mod json;
mod lines;
mod paint;
mod patterns;
mod reading;
mod wrap;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use oci_push::{Observer, PushReport, ReferenceStatus, Silent};
use serde_json::{Value, json};

use crate::args::Message;
use crate::env::{Environment, Widths};
use crate::error::{CliError, Kind};
use crate::quantity::{display_duration, display_size};
use crate::result_files::image_refs;
use crate::settings::{Colours, Display};
use crate::settled::Settled;
pub(crate) use actions::Actions;
use bars::{Bars, Screen};
use clean::{Redactor, clean, clean_json};
pub(crate) use failure::render_diagnosis;
pub(crate) use json::failure as failure_json;
use paint::{paint, styled};
use wrap::wrap;

/// Prints help and version on standard output, a mistake on standard error.
pub(crate) fn print_message(message: &Message, environment: &Environment) -> ExitCode {
    // Arguments are quoted in it, and may come from a branch's name, or be a token in the wrong place.
    let redactor = Redactor::default();
    let shown = |line: &str| match (message.is_mistake, message.colours) {
        (true, colours) if colours.stderr => paint(&clean(&redactor.redact(line))),
        (false, colours) if colours.stdout => styled(&redactor.redact(line), clean),
        _ => clean(&redactor.redact(line)),
    };
    let lines = message.text.lines();
    let text: String = lines.map(|line| shown(line) + "\n").collect();
    let text = text.as_bytes();
    // A closed pipe is no reason to fail.
    if message.is_mistake {
        let mistake = mistake(&message.text);
        if message.wants_events {
            let printer = Printer::new(Display::Events, false);
            printer.failure(&mistake, &[]);
        } else {
            let _ = io::stderr().lock().write_all(text);
        }
        let actions = Actions::of(message.github_actions, environment);
        let display = if message.wants_events {
            Display::Events
        } else {
            Display::Nothing
        };
        let printer = Printer::new(display, false).with_actions(actions);
        printer.annotate(&mistake);
        printer.tell_failure(&mistake, &[]);
        if message.wants_json {
            let _ = print_json_failure(&mistake, &[], &printer);
        }
        Kind::Usage.into()
    } else {
        let _ = io::stdout().lock().write_all(text);
        ExitCode::SUCCESS
    }
}

/// Prints a script that this program has written, on standard output.
pub(crate) fn print_script(script: &str) -> ExitCode {
    let mut output = io::stdout().lock();
    match output
        .write_all(script.as_bytes())
        .and_then(|()| output.flush())
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = CliError::unwritable(&error);
            Printer::new(Display::Nothing, false).failure(&error, &[]);
            error.kind.into()
        }
    }
}

/// What is wrong with the arguments: the first paragraph, on one line and without the word that opens it.
fn mistake(text: &str) -> CliError {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let paragraph = text.lines().take_while(|line| !line.trim().is_empty());
    let lines: Vec<&str> = paragraph.map(str::trim).collect();
    CliError::usage(lines.join(" "))
}

/// Writes lines to standard error, above the bars if there are any.
pub(crate) struct Printer {
    display: Display,
    screen: Screen,
    bars: OnceLock<Arc<Bars>>,
    redactor: Mutex<Redactor>,
    quiet: bool,
    /// The run that is told, if there is one.
    actions: Option<Actions>,
    colours: Colours,
    widths: Widths,
    start: Instant,
}

impl Printer {
    pub(crate) fn new(display: Display, quiet: bool) -> Self {
        Self {
            display,
            screen: Screen::default(),
            bars: OnceLock::new(),
            redactor: Mutex::default(),
            quiet,
            actions: None,
            colours: Colours::default(),
            widths: Widths::default(),
            start: Instant::now(),
        }
    }

    /// For a command without options of its own on what it tells.
    pub(crate) fn plain(environment: &Environment) -> Self {
        Self::new(Display::Nothing, false).wrapped(environment.widths)
    }

    /// Colours what is told.
    pub(crate) fn coloured(self, colours: Colours) -> Self {
        Self { colours, ..self }
    }

    /// Wraps what is told on a terminal.
    pub(crate) fn wrapped(self, widths: Widths) -> Self {
        Self { widths, ..self }
    }

    /// Hides `secrets` in everything that is printed from now on.
    pub(crate) fn hide(&self, secrets: Vec<String>) {
        let mut redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        redactor.add(secrets);
    }

    /// Prints one line, whatever `--quiet` says. Line breaks and control characters in it are shown
    /// as escapes.
    pub(crate) fn line(&self, text: &str) {
        let text = match self.display {
            Display::Events => self.event_line(events::notice(text)),
            _ if self.colours.stderr => paint(&self.harmless(text)),
            _ => self.harmless(text),
        };
        // The window may have another width than at the start.
        let width = self.widths.stderr;
        let width = width.map(|width| self.screen.columns().unwrap_or(width));
        for line in wrap(&text, width) {
            self.print(&line);
        }
    }

    /// Prints a line that is harmless already.
    fn print(&self, text: &str) {
        let print = || {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(io::stderr().lock(), "{text}");
        };
        match self.display {
            Display::Bars => self.screen.above_bars(print),
            Display::Events | Display::Lines | Display::Nothing => print(),
        }
    }

    /// Prints a line that tells something, but is no failure.
    pub(crate) fn notice(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Prints a line of the account that `--verbose` gives.
    pub(crate) fn log(&self, text: &str) {
        match self.display {
            Display::Events => self.event(json!({ "event": "log", "message": text })),
            Display::Bars | Display::Lines | Display::Nothing => self.line(text),
        }
    }

    /// Prints an event, whatever `--quiet` says.
    fn event(&self, event: Value) {
        let line = self.event_line(event);
        // A closed standard error leaves nobody to tell.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// An event as it may be printed, with the time that has passed.
    fn event_line(&self, mut event: Value) -> String {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        event["elapsedMs"] = elapsed.into();
        clean_json(&self.without_secrets(event).to_string())
    }

    /// The listener that shows progress.
    pub(crate) fn progress(self: &Arc<Self>) -> Arc<dyn Observer> {
        match self.display {
            Display::Bars => {
                let bars = self.bars.get_or_init(|| Bars::start(&self.screen));
                Arc::<Bars>::clone(bars)
            }
            Display::Lines => lines::Lines::start(self),
            Display::Events if !self.quiet => Arc::new(events::Events::new(Arc::clone(self))),
            Display::Events | Display::Nothing => Arc::new(Silent),
        }
    }

    /// Ends the display of progress, before the result is printed.
    pub(crate) fn end_progress(&self) {
        if let Some(bars) = self.bars.get() {
            bars.close();
        }
        self.end_group();
    }

    /// Prints why the push failed; as an event, also what became of the references.
    pub(crate) fn failure(&self, error: &CliError, settled: &[Settled]) {
        self.end_group();
        if self.display == Display::Events {
            return self.event(events::with_name("failed", json::failure(error, settled)));
        }
        for line in failure::render(error) {
            self.line(&line);
        }
        self.annotate(error);
    }

    /// After a failure, says which references stand nevertheless, and, if there is a word for it, which do not.
    pub(crate) fn published_all_the_same(&self, settled: &[Settled], rest: Option<&str>) {
        for entry in settled.iter().filter(|_| self.display != Display::Events) {
            let status = match entry.status {
                ReferenceStatus::Failed => rest,
                status => Some(status.as_str()),
            };
            if let Some(status) = status {
                self.line(&format!("{status} {}", entry.reference));
            }
        }
    }

    /// Tells what was published.
    pub(crate) fn summary(&self, report: &PushReport) {
        for entry in &report.references {
            if let Some(shown) = &entry.shown {
                let text = format!("{} was published, but {shown}", entry.reference);
                self.warn("tag", &text, &format!("warning: {text}"));
            }
        }
        if self.display == Display::Events {
            if !self.quiet {
                self.event(events::with_name("finished", json::success(report)));
            }
            return;
        }
        for entry in &report.references {
            let status = entry.status.as_str();
            self.notice(&format!("{status} {}", entry.reference));
        }
        let blobs = &report.blobs;
        let taken_over = match blobs.mounted {
            0 => String::new(),
            mounted => format!(", {mounted} taken over"),
        };
        self.notice(&format!(
            "{} of {} blobs uploaded ({}), {} existed{taken_over}; {} {} in {}",
            blobs.uploaded,
            blobs.total,
            display_size(blobs.bytes_uploaded),
            blobs.existing,
            report.requests,
            if report.requests == 1 {
                "request"
            } else {
                "requests"
            },
            display_duration(report.duration)
        ));
    }

    /// Prints lines of a result on standard output.
    ///
    /// # Errors
    ///
    /// If standard output cannot be written to.
    pub(crate) fn result_lines(&self, lines: &[String]) -> io::Result<()> {
        let mut output = io::stdout().lock();
        for line in lines {
            let line = self.harmless(line);
            let line = if self.colours.stdout {
                paint(&line)
            } else {
                line
            };
            for line in wrap(&line, self.widths.stdout) {
                writeln!(output, "{line}")?;
            }
        }
        output.flush()
    }

    /// Prints a result as JSON on standard output.
    ///
    /// # Errors
    ///
    /// If standard output cannot be written to.
    pub(crate) fn result_json(&self, value: Value) -> io::Result<()> {
        print_json(&self.without_secrets(value))
    }

    /// The result as `--metadata-file` holds it.
    pub(crate) fn metadata(&self, report: &PushReport) -> Value {
        self.without_secrets(json::metadata(report))
    }

    /// A value as it may be printed.
    fn without_secrets(&self, value: Value) -> Value {
        let redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        redactor.redact_json(value)
    }

    /// Text as it may be printed.
    fn harmless(&self, text: &str) -> String {
        let redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        clean(&redactor.redact(text))
    }
}

/// Prints the result on standard output.
///
/// # Errors
///
/// If standard output cannot be written to.
pub(crate) fn print_result(
    report: &PushReport,
    as_json: bool,
    printer: &Printer,
) -> io::Result<()> {
    if as_json {
        return print_json(&printer.without_secrets(json::success(report)));
    }
    let lines: Vec<String> = image_refs(report).collect();
    print_lines(&lines)
}

/// Prints a failure as JSON on standard output.
///
/// # Errors
///
/// If standard output cannot be written to.
pub(crate) fn print_json_failure(
    error: &CliError,
    settled: &[Settled],
    printer: &Printer,
) -> io::Result<()> {
    print_json(&printer.without_secrets(json::failure(error, settled)))
}

/// Prints lines of text on standard output.
///
/// # Errors
///
/// If standard output cannot be written to.
pub(crate) fn print_lines(lines: &[String]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in lines {
        writeln!(output, "{}", clean(line))?;
    }
    output.flush()
}

/// Prints a value as JSON on standard output.
///
/// # Errors
///
/// If standard output cannot be written to.
pub(crate) fn print_json(value: &Value) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", clean_json(&value.to_string()))?;
    output.flush()
}
