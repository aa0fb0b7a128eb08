//! Everything that is printed, and nothing that is not.
//!
//! Standard output carries results only; all else goes to standard error. Every line passes
//! [`Printer::line`], which makes text from servers and archives harmless and hides secrets.

mod bars;
mod clean;
mod failure;
mod json;
mod lines;
mod patterns;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use oci_push::{Observer, PushReport, ReferenceStatus, Silent};
use serde_json::Value;

use crate::args::Message;
use crate::error::{CliError, Kind};
use crate::quantity::{display_duration, display_size};
use crate::settings::Display;
use crate::settled::Settled;
use bars::{Bars, Screen};
use clean::{Redactor, clean, clean_json};
pub(crate) use failure::render_diagnosis;

/// Prints help and version on standard output, a mistake on standard error.
pub(crate) fn print_message(message: &Message) -> ExitCode {
    // Arguments are quoted in it, and may come from a branch's name, or be a token in the wrong place.
    let redactor = Redactor::default();
    let text: String = message
        .text
        .lines()
        .map(|line| clean(&redactor.redact(line)) + "\n")
        .collect();
    let text = text.as_bytes();
    // A closed pipe is no reason to fail.
    if message.is_mistake {
        let _ = io::stderr().lock().write_all(text);
        if message.wants_json {
            let printer = Printer::new(Display::Nothing, false);
            let _ = print_json_failure(&mistake(&message.text), &[], &printer);
        }
        Kind::Usage.into()
    } else {
        let _ = io::stdout().lock().write_all(text);
        ExitCode::SUCCESS
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
}

impl Printer {
    pub(crate) fn new(display: Display, quiet: bool) -> Self {
        Self {
            display,
            screen: Screen::default(),
            bars: OnceLock::new(),
            redactor: Mutex::default(),
            quiet,
        }
    }

    /// Hides `secrets` in everything that is printed from now on.
    pub(crate) fn hide(&self, secrets: Vec<String>) {
        let mut redactor = self.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        redactor.add(secrets);
    }

    /// Prints one line, whatever `--quiet` says. Line breaks and control characters in it are shown
    /// as escapes.
    pub(crate) fn line(&self, text: &str) {
        let text = self.harmless(text);
        let print = || {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(io::stderr().lock(), "{text}");
        };
        match self.display {
            Display::Bars => self.screen.above_bars(print),
            Display::Lines | Display::Nothing => print(),
        }
    }

    /// Prints a line that tells something, but is no failure.
    pub(crate) fn notice(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// The listener that shows progress.
    pub(crate) fn progress(self: &Arc<Self>) -> Arc<dyn Observer> {
        match self.display {
            Display::Bars => {
                let bars = self
                    .bars
                    .get_or_init(|| Arc::new(Bars::new(self.screen.clone())));
                Arc::<Bars>::clone(bars)
            }
            Display::Lines => Arc::new(lines::Lines::new(Arc::clone(self))),
            Display::Nothing => Arc::new(Silent),
        }
    }

    /// Ends the display of progress, before the result is printed.
    pub(crate) fn end_progress(&self) {
        if let Some(bars) = self.bars.get() {
            bars.close();
        }
    }

    /// Prints why the push failed.
    pub(crate) fn failure(&self, error: &CliError) {
        for line in failure::render(error) {
            self.line(&line);
        }
    }

    /// After a failure, says which references stand nevertheless.
    pub(crate) fn published_all_the_same(&self, settled: &[Settled]) {
        for entry in settled {
            if entry.status != ReferenceStatus::Failed {
                self.line(&format!("{} {}", entry.status.as_str(), entry.reference));
            }
        }
    }

    /// Tells what was published.
    pub(crate) fn summary(&self, report: &PushReport) {
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
            "{} of {} blobs uploaded ({}), {} existed{taken_over}; {} requests in {}",
            blobs.uploaded,
            blobs.total,
            display_size(blobs.bytes_uploaded),
            blobs.existing,
            report.requests,
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
            writeln!(output, "{}", self.harmless(line))?;
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
    let mut output = io::stdout().lock();
    for entry in &report.references {
        if let Some(digest) = &entry.digest {
            writeln!(output, "{}@{digest}", clean(&entry.reference.to_string()))?;
        }
    }
    output.flush()
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
