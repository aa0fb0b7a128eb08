//! Finds refusals of a container registry in the log of any tool.
//!
//! Tools spell one refusal in many ways: with the registry's code in front or without, in colours, behind
//! timestamps and step numbers, repeated by every tool that called another, with the reference in the same
//! line, lines before, or nowhere. So the server's own words are looked for first and the tool's frame is
//! used for no more than it says. What the log does not tell stays unknown.
//!
//! The words of GitHub's package service occur in the logs of npm, `NuGet` and git too: a refusal counts
//! only where the lines around it speak of a container registry.

mod bodies;
mod client;
mod copies;
mod headers;
mod host;
mod joined;
mod lines;
mod malformed;
mod merge;
mod nearest;
mod origin;
mod pushes;
mod quoted;
mod reference;
mod region;
mod spoken;
mod stream;
mod success;
mod tokens;
mod trouble;
mod unnamed;

use crate::evidence::Evidence;
use quoted::Quotation;

/// The refusals in `text`, in the order of their first lines, each once however often it is repeated.
///
/// ```
/// let log = "#12 ERROR: failed to push ghcr.io/owner/app:1: denied: permission_denied: write_package";
/// let refusals = ghcr_diagnosis::log::recognise(log);
/// assert_eq!(refusals[0].reference.as_deref(), Some("ghcr.io/owner/app:1"));
/// assert_eq!(refusals[0].words(), "permission_denied: write_package");
/// ```
#[must_use]
pub fn recognise(text: &str) -> Vec<Evidence> {
    let lines = lines::read(text);
    let region = region::Region::of(&lines);
    let refusals = heard(&lines, &region, Quotation::None);
    if !refusals.is_empty() {
        return refusals;
    }
    // What is only cited is better than nothing where something failed.
    let mut others = lines
        .iter()
        .filter(|line| line.quotation == Quotation::None);
    if others.any(|line| reference::fails(line) || line.text.contains("exit code")) {
        heard(&lines, &region, Quotation::Cited)
    } else {
        Vec::new()
    }
}

/// The refusals in the lines that quote in this way, or not at all.
fn heard(lines: &[lines::Line], region: &region::Region, quotation: Quotation) -> Vec<Evidence> {
    let mut refusals = merge::Refusals::default();
    let pushes = pushes::Pushes::read(lines);
    let mut rights = None;
    for (index, line) in lines.iter().enumerate() {
        if line.is_debug {
            continue;
        }
        if origin::lists_rights(line) {
            rights = Some(index);
        }
        if line.quotation != quotation {
            continue;
        }
        let Some(spoken) = spoken::hear(&line.text) else {
            continue;
        };
        if !region.is_of_containers(index, &spoken) {
            continue;
        }
        let mut evidence = origin::place(lines, index, spoken, &pushes);
        evidence.granted =
            rights.and_then(|heading| origin::granted(lines.get(heading + 1..index)?));
        refusals.add(evidence, index);
    }
    refusals.into_evidence(
        |first, evidence| success::before(lines, &pushes, first, evidence),
        |last, evidence| success::after(lines, &pushes, last, evidence),
    )
}

#[cfg(test)]
mod tests;
