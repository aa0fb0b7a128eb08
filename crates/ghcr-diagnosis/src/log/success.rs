//! What a log tells was pushed: a refusal that a repetition made good is not what failed.

use super::lines::Line;
use super::quoted::Quotation;
use super::reference::{self, Named, Use};
use crate::evidence::Evidence;
use crate::place::Place;

/// What was pushed, and the line that tells.
pub(super) struct Pushed {
    line: usize,
    reference: String,
}

/// All that the lines tell was pushed, in order.
pub(super) fn all(lines: &[Line]) -> Vec<Pushed> {
    let mut pushed = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.is_debug || line.quotation != Quotation::None {
            continue;
        }
        if let Some(reference) = told(lines, index) {
            let line = index;
            pushed.push(Pushed { line, reference });
        }
    }
    pushed
}

/// What of `pushed`, after line `last`, is what `evidence` tells was refused.
pub(super) fn after(pushed: &[Pushed], last: usize, evidence: &Evidence) -> Option<String> {
    let reference = evidence
        .reference
        .as_deref()
        .filter(|_| !evidence.is_pull)?;
    let refused = Place::of_reference(reference)?;
    let later = pushed.iter().filter(|pushed| pushed.line > last);
    let mut same = later.filter(|pushed| {
        Place::of_reference(&pushed.reference).is_some_and(|place| place == refused)
            && match (tag_of(&pushed.reference), tag_of(reference)) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            }
    });
    same.next().map(|pushed| pushed.reference.clone())
}

/// The tag of a reference.
fn tag_of(reference: &str) -> Option<&str> {
    let name = reference.split('@').next()?;
    let (_, tag) = name[name.rfind('/')?..].split_once(':')?;
    Some(tag)
}

/// What a line tells was pushed.
fn told(lines: &[Line], index: usize) -> Option<String> {
    let line = &lines[index];
    let lower = line.text.to_ascii_lowercase();
    if reference::fails(line) {
        return None;
    }
    // https://github.com/docker/cli/blob/master/docs/reference/commandline/image_push.md
    if let Some((name, _)) = line.text.split_once(": digest: sha256:") {
        return match repository_above(lines, index) {
            _ if name.contains('/') => Some(named(name)?),
            Some(repository) => Some(format!("{repository}:{name}")),
            None => None,
        };
    }
    // BuildKit: https://github.com/docker/build-push-action/issues/626
    if lower.contains("pushing manifest for ") && lower.ends_with("done") {
        return named(&line.text);
    }
    // containers/image prints this before the manifest goes up.
    if lower.starts_with("writing manifest to image destination") {
        let next = &lines[index + 1..(index + 3).min(lines.len())];
        let fails = next.iter().any(reference::fails);
        return (!fails).then(|| destination_above(lines, index)).flatten();
    }
    let is_alone = !line.text.contains(' ') && line.text.contains("@sha256:");
    // Helm, ORAS, ko, kaniko, Jib, push-to-registry.
    let is_told = ["pushed", "published "]
        .iter()
        .any(|word| lower.contains(word))
        && !lower.contains("not ")
        && !lower.contains("n't ");
    (is_alone || is_told).then(|| named(&line.text)).flatten()
}

/// The reference of a text that is written, else its last.
fn named(text: &str) -> Option<String> {
    let mut named = reference::in_text(text);
    let written = named.iter().position(Named::is_written);
    let index = written.unwrap_or(named.len().saturating_sub(1));
    (index < named.len()).then(|| named.swap_remove(index).reference)
}

/// `The push refers to repository [ghcr.io/owner/app]`, the nearest above.
fn repository_above(lines: &[Line], index: usize) -> Option<String> {
    let mut above = lines[..index].iter().rev();
    let line = above.find(|line| line.text.contains("push refers to"))?;
    named(&line.text)
}

/// What the nearest line above that names something to push to names.
fn destination_above(lines: &[Line], index: usize) -> Option<String> {
    const BEFORE: usize = 120;
    let mut above = lines[..index].iter().rev().take(BEFORE);
    let line = above.find(|line| reference::use_of(&line.text) != Use::Unknown)?;
    (reference::use_of(&line.text) == Use::Push)
        .then(|| named(&line.text))
        .flatten()
}
