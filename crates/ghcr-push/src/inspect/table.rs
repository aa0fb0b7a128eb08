//! An image as a table, for people.

use super::describe::{Description, Part};
use crate::quantity::display_size;

/// The lines that show `description`.
pub(super) fn render(description: &Description) -> Vec<String> {
    let mut lines = vec![description.name.clone()];
    let mut fact = |name: &str, value: &str| lines.push(format!("  {name:<12}  {value}"));
    match description.compression {
        Some(compression) => fact(
            "format",
            &format!("{}, compressed with {compression}", description.format),
        ),
        None => fact("format", description.format),
    }
    if let Some(producer) = description.producer {
        fact("written by", producer);
    }
    let position = description
        .position
        .map_or_else(|| "part of another".to_owned(), |at| format!("@{at}"));
    match description.names.as_slice() {
        [] => fact("image", &format!("{position}, without a name")),
        names => fact("image", &format!("{position} {}", names.join(" "))),
    }
    lines.extend(outcome(description));
    // One manifest may be for several, and is shown once.
    let shown = description.images.iter();
    if description.platforms.len() > shown.filter(|part| part.platform.is_some()).count() {
        lines.push(platforms(description));
    }
    for part in &description.images {
        lines.push(String::new());
        lines.extend(layers(part));
    }
    lines.extend(warnings(description));
    lines
}

/// What a push gives.
fn outcome(description: &Description) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fact = |name: &str, value: &str| lines.push(format!("  {name:<12}  {value}"));
    fact("digest", &description.digest);
    fact("media type", &description.media_type);
    let kind = if description.is_verbatim {
        "note"
    } else {
        "new digest"
    };
    for change in &description.changes {
        fact(kind, change);
    }
    fact(
        "size",
        &format!(
            "{} in {}",
            display_size(description.size),
            counted(description.blobs, "blob")
        ),
    );
    if description.attestations > 0 {
        fact("attestations", &description.attestations.to_string());
    }
    if description.referrers > 0 {
        fact("referrers", &description.referrers.to_string());
    }
    lines
}

fn warnings(description: &Description) -> Vec<String> {
    let mut lines = Vec::new();
    if !description.warnings.is_empty() {
        lines.push(String::new());
    }
    for warning in &description.warnings {
        lines.push(format!("  warning: {warning}"));
    }
    lines
}

/// The lines that show what several archives become. Their layers are shown with each.
pub(super) fn together(description: &Description) -> Vec<String> {
    let mut lines = vec![description.name.clone()];
    lines.extend(outcome(description));
    lines.push(platforms(description));
    lines.push(String::new());
    lines.extend(description.images.iter().map(heading));
    lines.extend(warnings(description));
    lines
}

/// The lines that show why several archives cannot be pushed together.
pub(super) fn not_together(causes: &[String]) -> Vec<String> {
    let mut lines = vec!["together, they cannot be pushed".to_owned()];
    lines.extend(causes.iter().map(|cause| format!("  {cause}")));
    lines
}

fn platforms(description: &Description) -> String {
    let platforms = description.platforms.join(" ");
    format!("  {:<12}  {platforms}", "platforms")
}

fn heading(part: &Part) -> String {
    let platform = part.platform.as_deref().unwrap_or("no platform");
    format!("  {platform}  {}", part.digest)
}

fn layers(part: &Part) -> Vec<String> {
    let mut lines = vec![heading(part)];
    if part.layers.is_empty() {
        lines.push("    no layers".to_owned());
        return lines;
    }
    lines.push(format!(
        "    {:<12}  {:>10}  {:<11}  {}",
        "LAYER", "SIZE", "COMPRESSION", "MEDIA TYPE"
    ));
    for layer in &part.layers {
        lines.push(format!(
            "    {:<12}  {:>10}  {:<11}  {}",
            layer.digest.short(),
            display_size(layer.size),
            layer.compression.unwrap_or("absent"),
            layer.media_type
        ));
    }
    lines
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
