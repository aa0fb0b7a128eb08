//! Which reference a refusal is about.
//!
//! A log names many: base images, caches, what was pushed before, what is pushed next, what others push at the same
//! time. A wrong name sends the reader to the wrong package's page, so that a line counts for what it says it does,
//! and where two pushes are under way and nothing tells whose the refusal is, neither is named.

use super::lines::Line;
use super::pushes::{Pushes, begins_push};
use super::reference::{Named, Use, fails, in_text};
use super::spoken::{self, Spoken};
use super::unnamed::authorized;
use crate::place::Place;

/// How far away the reference may stand.
const BEFORE: usize = 120;
const AFTER: usize = 30;

/// What a log tells of the reference of a refusal.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) reference: Option<String>,
    /// Where there is none: those that it may be.
    pub(super) candidates: Vec<String>,
}

/// A refusal whose reference is looked for.
pub(super) struct Wanted<'a> {
    pub(super) lines: &'a [Line],
    pub(super) index: usize,
    pub(super) spoken: &'a Spoken,
    pub(super) asked: Option<&'a Place>,
    pub(super) is_pull: bool,
}

/// From where a reference is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    /// The lines of the same step.
    Part,
    /// All but those of other programs.
    Stream,
    /// Those that tell of a failure.
    Failures,
}

impl Wanted<'_> {
    /// The reference. If the request names a repository, only a reference of that one counts. A push's is never taken
    /// from a line that reads.
    pub(super) fn nearest(&self, pushes: &Pushes) -> Found {
        let own = self.in_line(&self.lines[self.index]);
        let own = own.map(|named| named.reference);
        if let Some(reference) = own.or_else(|| self.search(Among::Part)) {
            return Found::of(Some(reference));
        }
        let open = if self.is_pull || self.asked.is_some() {
            Vec::new()
        } else {
            pushes.open(self.lines, self.index)
        };
        if open.len() > 1 {
            let reference = self.search(Among::Failures);
            let candidates = open.iter().map(|event| event.reference.clone());
            return Found {
                candidates: candidates.filter(|_| reference.is_none()).collect(),
                reference,
            };
        }
        let found = self.search(Among::Stream);
        let found = match (found, open.first()) {
            (Some(found), Some(open)) if pushes.is_over(&found, self.index) => {
                let is_same = Place::of_reference(&found) == open.place;
                Some(if is_same {
                    found
                } else {
                    with_tag(&self.lines[..self.index], open.reference.clone())
                })
            }
            (found, _) => found,
        };
        Found::of(found.or_else(|| {
            authorized(&self.lines[..self.index], self.asked).filter(|_| !self.is_pull)
        }))
    }

    /// The first reference of a line that counts.
    fn in_line(&self, line: &Line) -> Option<Named> {
        let counts = |named: &Named| {
            (self.is_pull || named.use_ != Use::Pull)
                && self.asked.is_none_or(|asked| {
                    Place::of_reference(&named.reference)
                        .is_some_and(|place| place.repository == asked.repository)
                })
        };
        in_text(&line.text).into_iter().find(counts)
    }

    /// The nearest reference in the lines around.
    fn search(&self, among: Among) -> Option<String> {
        /// How far above its reason a failure is told.
        const HEAD: usize = 3;
        let Self { lines, index, .. } = *self;
        let own = &lines[index].stream;
        if among == Among::Part && own.part.is_empty() {
            return None;
        }
        // What another step begins to push is its own.
        let is_of_other_step = |line: &Line| line.stream.is_other_step(own) && begins_push(line);
        let mut best: Option<(usize, String)> = None;
        let mut offer = |cost: usize, named: Named| {
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, named.reference));
            }
        };
        for (distance, line) in lines[..index].iter().rev().take(BEFORE).enumerate() {
            let counts = match among {
                Among::Part => line.stream.shares_part(own),
                Among::Stream => !line.stream.is_apart(own) && !is_of_other_step(line),
                Among::Failures => distance < HEAD && fails(line) && !line.stream.is_apart(own),
            };
            if let Some(named) = counts.then(|| self.in_line(line)).flatten() {
                offer(distance + detour(line, &named, self.is_pull), named);
            }
        }
        for (distance, line) in lines[index + 1..].iter().take(AFTER).enumerate() {
            if line.stream.is_apart(own) {
                continue;
            }
            if is_of_another(line, self.spoken) {
                break;
            }
            let counts = match among {
                // A build's failure is told without the number of the step.
                Among::Part => {
                    line.stream.shares_part(own) || (fails(line) && line.stream.part.is_empty())
                }
                Among::Stream => !is_of_other_step(line),
                Among::Failures => fails(line),
            };
            if let Some(named) = counts.then(|| self.in_line(line)).flatten() {
                // What a failure names is what failed; what begins here is most often something else.
                let later = if fails(line) { 0 } else { 40 };
                offer(distance + later + detour(line, &named, self.is_pull), named);
            }
            if among != Among::Part && begins_push(line) {
                break;
            }
        }
        best.map(|(_, reference)| with_tag(&lines[..index], reference))
    }
}

impl Found {
    fn of(reference: Option<String>) -> Self {
        Self {
            reference,
            candidates: Vec::new(),
        }
    }
}

/// The reference with the tag of the command just above docker's line that names the repository alone, if there is one.
fn with_tag(before: &[Line], reference: String) -> String {
    /// A command and what the shell or docker says of it first.
    const NEAR: usize = 3;
    let headed =
        |line: &Line| line.text.contains("refers to repository") && line.text.contains(&reference);
    let Some(at) = before.iter().rposition(headed) else {
        return reference;
    };
    let tag = format!("{reference}:");
    let above = before[at.saturating_sub(NEAR)..at].iter().rev();
    let mut named = above.flat_map(|line| in_text(&line.text));
    let tagged = named.find(|named| named.use_ == Use::Push && named.reference.starts_with(&tag));
    tagged.map_or(reference, |named| named.reference)
}

/// Whether a line tells of a refusal in other words than `spoken`.
fn is_of_another(line: &Line, spoken: &Spoken) -> bool {
    let Some(other) = spoken::hear(&line.text) else {
        return false;
    };
    let words = |spoken: &Spoken| -> String {
        let messages = spoken
            .errors
            .iter()
            .map(|error| error.message.to_lowercase());
        messages.collect()
    };
    let (ours, theirs) = (words(spoken), words(&other));
    // The codes that always come with one status.
    let status = |spoken: &Spoken| {
        let code = spoken.errors.first().map(|error| error.code.as_str());
        spoken.status.or(match code {
            Some("DENIED") => Some(403),
            Some("TOOMANYREQUESTS") => Some(429),
            _ => None,
        })
    };
    let differ = match (status(spoken), status(&other)) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    };
    differ || !(ours.starts_with(&theirs) || theirs.starts_with(&ours))
}

/// By how many lines a reference counts as further away for what its line says.
fn detour(line: &Line, named: &Named, is_pull: bool) -> usize {
    /// What was pushed before is seldom what is refused now.
    const SUCCESSES: [&str; 3] = [" done", "pushed", "digest: sha256:"];
    let lower = line.text.to_ascii_lowercase();
    let wanted = if is_pull { Use::Pull } else { Use::Push };
    let success = SUCCESSES
        .iter()
        .any(|words| lower.ends_with(words) || lower.contains("digest: sha256:"));
    match (named.use_ == wanted, success && !is_pull) {
        (true, false) => 0,
        (false, false) => 30,
        (_, true) => 60,
    }
}
