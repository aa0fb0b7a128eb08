//! Whether a refusal is a container registry's.

use std::cell::OnceCell;

use super::lines::Line;
use super::reference::{self, is_registry};
use super::spoken::Spoken;
use super::tokens::{CONTAINERS, FRAMES, OTHERS};
use crate::evidence::Trouble;

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

/// The lines, and of those that were looked at what they speak of.
pub(super) struct Region<'a> {
    lines: &'a [Line],
    verdicts: Vec<OnceCell<Option<bool>>>,
    any_other: OnceCell<bool>,
}

impl<'a> Region<'a> {
    pub(super) fn of(lines: &'a [Line]) -> Self {
        Self {
            lines,
            verdicts: vec![OnceCell::new(); lines.len()],
            any_other: OnceCell::new(),
        }
    }

    /// Decides by the line itself, then by the nearest line that speaks of one or the other.
    pub(super) fn is_of_containers(&self, index: usize, spoken: &Spoken) -> bool {
        let text = self.lines[index].text.to_ascii_lowercase();
        if matches!(spoken.trouble, Some(Trouble::InvalidReference { .. })) {
            // Only tools for containers speak of references in these words.
            return !is_of_a_test(&text) && self.verdict(index) != Some(false);
        }
        if matches!(
            spoken.trouble,
            Some(
                Trouble::Resolve
                    | Trouble::Connect
                    | Trouble::NotTls
                    | Trouble::Certificate
                    | Trouble::Proxy
            )
        ) {
            // Every program meets a host that it cannot reach.
            return !is_of_a_test(&text)
                && self.verdict(index) != Some(false)
                && is_of_a_client(&text);
        }
        if is_of_a_test(&text) || (spoken.is_silent() && !is_of_a_client(&text)) {
            return false;
        }
        let fails = FAILURES.iter().any(|word| text.contains(word));
        if !spoken.is_certain && !spoken.anonymous && !fails && spoken.trouble.is_none() {
            return false;
        }
        match self.verdict(index) {
            Some(is_ours) => return is_ours,
            None if spoken.trouble.is_some() => return false,
            None => {}
        }
        let before = (0..index).rev().take(BEFORE);
        let after = (index + 1..self.lines.len()).take(AFTER);
        match (self.nearest(before), self.nearest(after)) {
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
            (None, None) => (spoken.is_certain || is_printed_by_docker(&text)) && !self.any_other(),
        }
    }

    fn verdict(&self, index: usize) -> Option<bool> {
        let verdict = || verdict(&self.lines[index].text.to_ascii_lowercase());
        *self.verdicts[index].get_or_init(verdict)
    }

    fn nearest(&self, indices: impl Iterator<Item = usize>) -> Option<(usize, bool)> {
        let mut found = indices.enumerate();
        found.find_map(|(distance, index)| Some((distance, self.verdict(index)?)))
    }

    fn any_other(&self) -> bool {
        let is_other = |index| self.verdict(index) == Some(false);
        *self
            .any_other
            .get_or_init(|| (0..self.lines.len()).any(is_other))
    }
}

/// Whether it is a refusal as `docker push` ends with one, code first, that speaks of registries itself.
fn is_printed_by_docker(text: &str) -> bool {
    let is_first = ["denied: ", "unauthorized: "]
        .iter()
        .any(|code| text.starts_with(code));
    is_first
        && ["registry", "repository"]
            .iter()
            .any(|word| text.contains(word))
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
        let asks_token = path.contains("scope=repository")
            || path.contains("service=")
            || (path.ends_with("/token") && text.contains("fetch oauth token"));
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
