//! Whether a refusal is a container registry's.

use super::lines::Line;
use super::reference::{self, is_registry};
use super::spoken::Spoken;
use super::tokens::{CONTAINERS, FRAMES, OTHERS};
use crate::evidence::Trouble;
use crate::rules::is_lookalike;

/// How far the lines around are looked at.
const BEFORE: usize = 80;
const AFTER: usize = 20;

/// Words without which a mere status is no failure.
const FAILURES: [&str; 12] = [
    "error",
    "fail",
    "unexpected",
    "denied",
    "unauthorized",
    "fatal",
    "invalid",
    "refused",
    "forbidden",
    "toomanyrequests",
    "too many requests",
    "retry",
];

/// Decides by the line itself, then by the nearest line that speaks of one or the other.
pub(super) fn is_of_containers(lines: &[Line], index: usize, spoken: &Spoken) -> bool {
    let text = lines[index].text.to_ascii_lowercase();
    if spoken.trouble == Some(Trouble::Resolve) {
        // Of hosts that are not there only those tell something that were meant to be ghcr.io.
        return text
            .split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-'))
            .any(is_lookalike);
    }
    if is_of_a_test(&text) || (spoken.is_silent() && !is_of_a_client(&text)) {
        return false;
    }
    let fails = FAILURES.iter().any(|word| text.contains(word));
    if !spoken.is_certain && !fails && spoken.trouble.is_none() {
        return false;
    }
    match verdict(&text) {
        Some(is_ours) => return is_ours,
        None if spoken.trouble.is_some() => return false,
        None => {}
    }
    let before = lines[..index].iter().rev().take(BEFORE);
    let after = lines[index + 1..].iter().take(AFTER);
    let nearest_before = nearest(before);
    let nearest_after = nearest(after);
    match (nearest_before, nearest_after) {
        (Some((distance, ours)), Some((other, theirs))) => {
            if distance <= other {
                ours
            } else {
                theirs
            }
        }
        (Some((_, ours)), None) | (None, Some((_, ours))) => ours,
        // Nothing around says whose words these are. The server's own, alone, are most likely to be shown to
        // a tool for container registries by somebody who knows that they are a registry's.
        (None, None) => spoken.is_certain && !any_other(lines),
    }
}

/// Whether a program's own test reports the words.
fn is_of_a_test(text: &str) -> bool {
    text.ends_with("... ok")
        || text.ends_with("... failed")
        || text.contains("_test.go:")
        || text.starts_with("--- fail")
        || (text.contains(" got ") && text.contains(", want "))
}

/// Whether a line that has no more than a status is a registry's client's: it names a registry, or is in the words of
/// a client and has no address of anything else. Every program meets a 403 somewhere.
fn is_of_a_client(text: &str) -> bool {
    let mut is_elsewhere = false;
    for (at, _) in text.match_indices("://") {
        let scheme = &text[..at];
        if !(scheme.ends_with("http") || scheme.ends_with("https")) {
            continue;
        }
        let rest = &text[at + 3..];
        let host = rest
            .split(['/', '?', ':', '"', ' '])
            .next()
            .unwrap_or_default();
        let path = &rest[host.len()..];
        let path = path
            .split([' ', '"', '\''])
            .next()
            .unwrap_or_default()
            .trim_end_matches([':', ',', ')']);
        let is_distribution = path.ends_with("/v2/")
            || (path.contains("/v2/")
                && ["/blobs/", "/manifests/", "/tags/"]
                    .iter()
                    .any(|part| path.contains(part)));
        let asks_token = path.contains("scope=repository") || path.contains("service=");
        if is_registry(host) || is_distribution || asks_token {
            return true;
        }
        // Clients point to their documentation, too.
        is_elsewhere |= host != "github.com" && !host.starts_with("docs.");
    }
    if is_elsewhere {
        return false;
    }
    FRAMES.iter().any(|frame| text.contains(frame))
        || !reference::in_text(text).is_empty()
        || text
            .split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-'))
            .any(is_registry)
}

fn verdict(text: &str) -> Option<bool> {
    if CONTAINERS.iter().any(|mark| text.contains(mark)) {
        // An address of another service beats the name of a tool, but no address of a registry.
        let address = ["ghcr.io", "/v2/", "blobs/uploads", "containers."];
        let other = text.contains(".pkg.github.com") && !text.contains("docker.pkg.github.com");
        return Some(!other || address.iter().any(|mark| text.contains(mark)));
    }
    OTHERS
        .iter()
        .any(|mark| text.contains(mark))
        .then_some(false)
}

fn nearest<'a>(lines: impl Iterator<Item = &'a Line>) -> Option<(usize, bool)> {
    lines
        .enumerate()
        .find_map(|(distance, line)| Some((distance, verdict(&line.text.to_ascii_lowercase())?)))
}

fn any_other(lines: &[Line]) -> bool {
    lines
        .iter()
        .any(|line| verdict(&line.text.to_ascii_lowercase()) == Some(false))
}
