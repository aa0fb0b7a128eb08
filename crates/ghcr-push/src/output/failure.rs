//! A failure as text: what failed, why, what to do.

use ghcr_diagnosis::{Cause, Diagnosis};

use crate::error::CliError;

/// The lines that tell about `error`.
pub(super) fn render(error: &CliError) -> Vec<String> {
    let mut lines = vec![format!("error: {}", error.message)];
    lines.extend(render_causes(error));
    if let Some(diagnosis) = error.told_diagnosis() {
        lines.push(String::new());
        lines.extend(render_diagnosis(diagnosis));
    } else if let Some(hint) = &error.hint {
        lines.push(String::new());
        lines.extend(hanging("hint: ", hint));
    }
    lines
}

/// The lines that tell what is behind `error`.
pub(super) fn render_causes(error: &CliError) -> Vec<String> {
    let causes = error.causes.iter();
    let mut lines: Vec<String> = causes
        .map(|cause| format!("  caused by: {cause}"))
        .collect();
    if let Some(rejection) = &error.rejection {
        lines.push(format!("  request: {} {}", rejection.method, rejection.url));
        if let Some(identifier) = &rejection.request_id {
            lines.push(format!("  request id: {identifier}"));
        }
    }
    lines
}

/// The lines of a diagnosis.
pub(crate) fn render_diagnosis(diagnosis: &Diagnosis) -> Vec<String> {
    let mut lines = vec![format!("diagnosis: {}", diagnosis.summary)];
    for (index, cause) in diagnosis.causes.iter().enumerate() {
        lines.push(String::new());
        lines.extend(render_cause(index + 1, cause));
    }
    lines
}

fn render_cause(number: usize, cause: &Cause) -> Vec<String> {
    let mut lines = vec![format!("{number}. {} ({})", cause.code, cause.likelihood)];
    lines.extend(indented("   ", &cause.why));
    lines.push("   evidence:".to_owned());
    for evidence in &cause.evidence {
        // Evidence quotes servers: one line, whatever it holds.
        lines.push(format!("     - {evidence}"));
    }
    lines.push("   what to do:".to_owned());
    lines.extend(indented("     ", &cause.remedy));
    if let Some(url) = cause
        .url
        .as_ref()
        .filter(|url| !cause.remedy.contains(*url))
    {
        lines.push(format!("     {url}"));
    }
    lines
}

fn indented(indent: &str, text: &str) -> Vec<String> {
    text.lines()
        .map(|line| format!("{indent}{line}").trim_end().to_owned())
        .collect()
}

fn hanging(prefix: &str, text: &str) -> Vec<String> {
    let mut lines = indented(&" ".repeat(prefix.len()), text);
    if let Some(first) = lines.first_mut() {
        *first = format!("{prefix}{}", first.trim_start());
    }
    lines
}
