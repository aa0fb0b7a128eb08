//! An image as a table, for people.

use oci_archive::Image;

use super::describe::{Description, Part};
use crate::quantity::display_size;

/// The lines that show `description`.
pub(super) fn render(description: &Description) -> Vec<String> {
    let mut lines = vec![description.name.clone()];
    let mut fact = |name: &str, value: &str| lines.push(format!("  {name:<11}  {value}"));
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
    fact("digest", &description.digest);
    fact("media type", &description.media_type);
    for change in &description.changes {
        fact("new digest", change);
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
    for part in &description.images {
        lines.push(String::new());
        lines.extend(layers(part));
    }
    if !description.warnings.is_empty() {
        lines.push(String::new());
    }
    for warning in &description.warnings {
        lines.push(format!("  warning: {warning}"));
    }
    lines
}

/// The lines that show what several images become.
pub(super) fn together(image: &Image) -> Vec<String> {
    let platforms: Vec<String> = image.platforms().iter().map(ToString::to_string).collect();
    vec![
        "together, as one index".to_owned(),
        format!("  {:<11}  {}", "digest", image.root().descriptor().digest),
        format!("  {:<11}  {}", "platforms", platforms.join(" ")),
    ]
}

fn layers(part: &Part) -> Vec<String> {
    let platform = part.platform.as_deref().unwrap_or("no platform");
    let mut lines = vec![format!("  {platform}  {}", part.digest)];
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
