//! What a log tells was pushed: a refusal that a repetition made good is not what failed.

use oci_push::Step;

use super::lines::Line;
use super::pushes::{Event, Pushes, begins_push};
use super::reference::{self, Named, Use};
use crate::evidence::Evidence;
use crate::place::Place;

/// What the log tells was pushed after line `last`, if it is what `evidence` tells was refused, in the same stream.
pub(super) fn after(
    lines: &[Line],
    pushes: &Pushes,
    last: usize,
    evidence: &Evidence,
) -> Option<String> {
    let reference = pushed_reference(evidence)?;
    let refused = Place::of_reference(reference)?;
    let stream = &lines[last].stream;
    let later = pushes.pushed.iter().filter(|pushed| pushed.line > last);
    let mut same = later.filter(|pushed| {
        stream.admits_repetition(&lines[pushed.line].stream)
            && pushed.place.as_ref() == Some(&refused)
            && match (tag_of(&pushed.reference), tag_of(reference)) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            }
    });
    same.next().map(|pushed| pushed.reference.clone())
}

/// What the log tells was pushed before line `first` to the repository that `evidence` tells refused: another tag, or,
/// where the manifest was refused, the image's blobs.
pub(super) fn before(
    lines: &[Line],
    pushes: &Pushes,
    first: usize,
    evidence: &Evidence,
) -> Option<String> {
    let reference = pushed_reference(evidence)?;
    let refused = Place::of_reference(reference)?;
    let stream = &lines[first].stream;
    let mut earlier = pushes.pushed.iter().rev().filter(|pushed| {
        pushed.line < first
            && !stream.is_apart(&lines[pushed.line].stream)
            && pushed.place.as_ref() == Some(&refused)
    });
    let tag = earlier.next().map(|event| event.reference.clone());
    tag.or_else(|| {
        let is_manifest = matches!(evidence.step, Some(Step::PutManifest | Step::PutTag));
        (is_manifest && has_copied(lines, first)).then(|| without_tag(reference).to_owned())
    })
}

/// What was to be pushed.
fn pushed_reference(evidence: &Evidence) -> Option<&str> {
    let reference = evidence.reference.as_deref();
    reference.filter(|_| !evidence.is_pull)
}

/// Whether containers/image tells just above that it copied a blob, rather than found it there
/// (<https://github.com/containers/image/blob/main/copy/progress_bars.go>).
fn has_copied(lines: &[Line], index: usize) -> bool {
    const NEAR: usize = 30;
    let near = lines[index.saturating_sub(NEAR)..index].iter().rev();
    near.take_while(|line| !begins_push(line) && !reference::fails(line))
        .any(|line| line.text.starts_with("Copying blob ") && line.text.ends_with(" done"))
}

/// The tag of a reference.
fn tag_of(reference: &str) -> Option<&str> {
    let name = reference.split('@').next()?;
    let (_, tag) = name[name.rfind('/')?..].split_once(':')?;
    Some(tag)
}

/// What a line tells was pushed, by those that `pushes` has from the lines above.
pub(super) fn told(lines: &[Line], index: usize, pushes: &Pushes) -> Option<String> {
    let line = &lines[index];
    let lower = line.text.to_ascii_lowercase();
    if reference::fails(line) {
        return None;
    }
    // https://github.com/docker/cli/blob/master/docs/reference/commandline/image_push.md
    if let Some((name, _)) = line.text.split_once(": digest: sha256:") {
        if name.contains('/') {
            return named(name);
        }
        // What may stand before it tells whose line it is.
        let tag = name.split_whitespace().next_back()?;
        let repository = repository_above(lines, index, pushes)?;
        return Some(format!("{repository}:{tag}"));
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

/// The repository of the push that ends in line `index`: of the only one that is under way in the same step, else of
/// the only one at all, else of the nearest line above that heads one.
fn repository_above(lines: &[Line], index: usize, pushes: &Pushes) -> Option<String> {
    let stream = &lines[index].stream;
    let mut open = pushes.open(lines, index);
    let is_of_part = |event: &&Event| lines[event.line].stream.shares_part(stream);
    if open.iter().any(is_of_part) {
        open.retain(is_of_part);
    }
    match open.as_slice() {
        [event] => Some(without_tag(&event.reference).to_owned()),
        [] => {
            let mut above = lines[..index].iter().rev();
            let line = above.find(|line| {
                line.text.contains("push refers to") && !line.stream.is_apart(stream)
            })?;
            named(&line.text)
        }
        _ => None,
    }
}

/// A reference's beginning, to its repository.
fn without_tag(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or(reference);
    let start = name.rfind('/').unwrap_or_default();
    let end = name[start..].find(':').map_or(name.len(), |at| start + at);
    &name[..end]
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
