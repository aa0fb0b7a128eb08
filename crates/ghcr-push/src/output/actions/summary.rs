//! The job's summary, a page of Markdown on the run's page.

use ghcr_diagnosis::{Cause, Diagnosis};
use oci_push::{BlobCounts, PushReport, ReferenceStatus};

use super::markdown::{block, code, code_in_table, link, paragraphs, sentence};
use crate::error::CliError;
use crate::output::failure;
use crate::quantity::{display_duration, display_size};
use crate::settled::{self, Settled};

/// What is said where the rest had no room.
const CUT: &str = "\n\nThere is no room for the rest, which is in the log.\n";

/// A page in pieces, any number of which make a page again.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pieces: Vec<String>,
}

impl Summary {
    /// What was published.
    pub(super) fn of_success(report: &PushReport) -> Self {
        let mut summary = Self::default();
        let is_new = |entry: &Settled| entry.status == ReferenceStatus::Pushed;
        let settled = settled::of_report(report);
        let heading = match settled.as_slice() {
            [only] if is_new(only) => format!("Pushed {}", code(&only.reference)),
            [only] => format!("{} is there already", code(&only.reference)),
            several if several.iter().any(is_new) => {
                format!("Pushed {} references", several.len())
            }
            several => format!("{} references are there already", several.len()),
        };
        summary.add(format!("### {heading}\n\n"));
        summary.add_references(&settled);
        let platforms = report.image.as_ref().map(|image| {
            let platforms: Vec<String> = image
                .platforms
                .iter()
                .map(|platform| code_in_table(platform))
                .collect();
            platforms.join(" ")
        });
        let blobs = &report.blobs;
        summary.add(format!(
            "\n| Size | Platforms | Blobs | Time |\n| --- | --- | --- | --- |\n| {} | {} | {} | {} |\n\n",
            display_size(blobs.bytes_total),
            platforms.unwrap_or_default(),
            blobs_of(blobs),
            display_duration(report.duration)
        ));
        summary
    }

    /// What failed, why, and what to do. `harmless` makes a line of text from servers harmless, and hides secrets.
    pub(super) fn of_failure(
        error: &CliError,
        settled: &[Settled],
        harmless: &dyn Fn(&str) -> String,
    ) -> Self {
        let lines = |text: &str| -> String {
            let lines: Vec<String> = text.lines().map(harmless).collect();
            lines.join("\n")
        };
        let mut summary = Self::default();
        summary.add(format!("### {}\n\n", sentence(&harmless(&error.message))));
        if let Some(diagnosis) = error.told_diagnosis() {
            summary.add_diagnosis(diagnosis, harmless);
        } else if let Some(hint) = &error.hint {
            summary.add(format!("{}\n", paragraphs(&lines(hint))));
        }
        let told: Vec<String> = failure::render_causes(error)
            .iter()
            .map(|line| harmless(line.trim()))
            .collect();
        if !told.is_empty() {
            let told: Vec<&str> = told.iter().map(String::as_str).collect();
            summary.add(format!("{}\n", block("", &told)));
        }
        if settled
            .iter()
            .any(|entry| entry.status != ReferenceStatus::Failed)
        {
            summary.add("Not everything failed:\n\n".to_owned());
            summary.add_references(settled);
            summary.add("\n".to_owned());
        }
        summary
    }

    /// The pieces from the beginning that fit into so many bytes.
    pub(super) fn within(&self, limit: usize) -> String {
        let whole: usize = self.pieces.iter().map(String::len).sum();
        if whole <= limit {
            return self.pieces.concat();
        }
        let mut room = limit.saturating_sub(CUT.len());
        let mut text = String::new();
        for piece in &self.pieces {
            let Some(left) = room.checked_sub(piece.len()) else {
                break;
            };
            room = left;
            text.push_str(piece);
        }
        text.push_str(CUT);
        text
    }

    fn add(&mut self, piece: String) {
        self.pieces.push(piece);
    }

    fn add_references(&mut self, settled: &[Settled]) {
        self.add("| Reference | Status | Digest |\n| --- | --- | --- |\n".to_owned());
        for entry in settled {
            let moved = entry.previous.as_ref().filter(|previous| {
                entry.status == ReferenceStatus::Pushed && Some(*previous) != entry.digest.as_ref()
            });
            let before = moved.map(|previous| format!(", before {}", code_in_table(previous)));
            let shown = entry.shown.as_ref().map(|shown| format!("; {shown}"));
            // A digest in the table is one that can be pulled.
            let is_there = entry.status != ReferenceStatus::Failed;
            let digest = entry.digest.as_deref().filter(|_| is_there);
            self.add(format!(
                "| {} | {}{}{} | {} |\n",
                code_in_table(&entry.reference),
                entry.status.as_str(),
                before.unwrap_or_default(),
                shown.unwrap_or_default(),
                code_in_table(digest.unwrap_or_default())
            ));
        }
    }

    fn add_diagnosis(&mut self, diagnosis: &Diagnosis, harmless: &dyn Fn(&str) -> String) {
        let summary = sentence(&harmless(&diagnosis.summary));
        self.add(format!("**Diagnosis:** {summary}\n\n"));
        for (index, cause) in diagnosis.causes.iter().enumerate() {
            self.add_cause(index + 1, cause, harmless);
        }
    }

    fn add_cause(&mut self, number: usize, cause: &Cause, harmless: &dyn Fn(&str) -> String) {
        let lines = |text: &str| -> String {
            let lines: Vec<String> = text.lines().map(harmless).collect();
            paragraphs(&lines.join("\n"))
        };
        self.add(format!(
            "#### {number}. {} ({})\n\n{}\n",
            cause.code,
            cause.likelihood,
            lines(&cause.why)
        ));
        self.add(format!("What to do:\n\n{}\n", lines(&cause.remedy)));
        let url = cause.url.as_ref();
        if let Some(url) = url.filter(|url| !cause.remedy.contains(*url)) {
            self.add(format!("{}\n\n", link(&harmless(url))));
        }
        if cause.evidence.is_empty() {
            return;
        }
        self.add("Evidence:\n\n".to_owned());
        for evidence in &cause.evidence {
            // Evidence quotes servers: code, whatever it holds.
            self.add(format!("- {}\n", code(&harmless(evidence))));
        }
        self.add("\n".to_owned());
    }
}

fn blobs_of(blobs: &BlobCounts) -> String {
    let mut parts = vec![format!(
        "{} of {} sent ({})",
        blobs.uploaded,
        blobs.total,
        display_size(blobs.bytes_uploaded)
    )];
    if blobs.existing > 0 {
        parts.push(format!("{} existed", blobs.existing));
    }
    if blobs.mounted > 0 {
        parts.push(format!("{} taken over", blobs.mounted));
    }
    parts.join(", ")
}
