//! What a log tells was begun to be pushed, and what was pushed.

use super::lines::Line;
use super::quoted::Quotation;
use super::reference::{self, Use};
use super::success;
use crate::place::Place;

/// How many lines above count.
const BEFORE: usize = 120;

/// A reference, and the line that tells of it.
pub(super) struct Event {
    pub(super) line: usize,
    pub(super) reference: String,
    pub(super) place: Option<Place>,
}

/// The pushes of a log.
pub(super) struct Pushes {
    /// Whether docker heads each push, so that its commands begin none.
    is_headed: bool,
    begun: Vec<Event>,
    pub(super) pushed: Vec<Event>,
}

impl Pushes {
    pub(super) fn read(lines: &[Line]) -> Self {
        // Docker heads each push, and a script may list its commands without running them.
        let is_headed = lines.iter().any(is_heading);
        let mut pushes = Self {
            is_headed,
            begun: Vec::new(),
            pushed: Vec::new(),
        };
        for (index, line) in lines.iter().enumerate() {
            if line.is_debug || line.quotation != Quotation::None {
                continue;
            }
            if let Some(reference) = success::told(lines, index, &pushes) {
                pushes.pushed.push(Event::new(index, reference));
            } else if is_heading(line) || (!is_headed && begins_push(line)) {
                let mut named = reference::in_text(&line.text).into_iter();
                let written = named.find(|named| named.use_ != Use::Pull);
                let begun = written.map(|named| Event::new(index, named.reference));
                pushes.begun.extend(begun);
            }
        }
        pushes
    }

    /// Of each repository whose push had begun and not ended above line `index`, the line that began it last, in the
    /// order of the log.
    pub(super) fn open(&self, lines: &[Line], index: usize) -> Vec<&Event> {
        let first = index.saturating_sub(BEFORE);
        let stream = &lines[index].stream;
        let is_near = |event: &&Event| {
            let other = &lines[event.line].stream;
            !other.is_apart(stream) && !other.is_other_step(stream)
        };
        let above = |events: &[Event]| events.partition_point(|event| event.line < index);
        let begun = self.begun[..above(&self.begun)].iter().rev();
        let pushed = self.pushed[..above(&self.pushed)].iter().rev();
        let pushed: Vec<&Event> = pushed
            .take_while(|event| event.line >= first)
            .filter(is_near)
            .collect();
        let mut seen: Vec<&Event> = Vec::new();
        let mut open: Vec<&Event> = Vec::new();
        for event in begun
            .take_while(|event| event.line >= first)
            .filter(is_near)
        {
            if seen.iter().any(|other| other.place == event.place) {
                continue;
            }
            seen.push(event);
            let mut ends = pushed.iter().filter(|end| end.line > event.line);
            if !ends.any(|end| end.place == event.place) {
                open.push(event);
            }
        }
        // Who begins another push after a failure, in a next step or with a next command is done with those before.
        let latest = open.first().map_or(first, |event| event.line);
        let is_end = |at: &usize| {
            let line = &lines[*at];
            !line.is_debug && !line.stream.is_apart(stream) && self.ends_others(line)
        };
        let over = (first..latest).rev().find(is_end).unwrap_or(first);
        open.retain(|event| event.line >= over);
        open.reverse();
        open
    }

    /// Whether what was begun above the line is over where another push begins below it.
    fn ends_others(&self, line: &Line) -> bool {
        let is_step = line.quotation == Quotation::Code && line.text.starts_with("Run ");
        let is_command = self.is_headed && line.text.contains("docker push ");
        is_step || is_command || reference::fails(line)
    }

    /// Whether a push to where `reference` is had begun and ended above line `index`.
    pub(super) fn is_over(&self, reference: &str, index: usize) -> bool {
        let place = Place::of_reference(reference);
        let is_of = |event: &Event| event.line < index && event.place == place;
        self.begun.iter().any(is_of) && self.pushed.iter().any(is_of)
    }
}

impl Event {
    fn new(line: usize, reference: String) -> Self {
        Self {
            line,
            place: Place::of_reference(&reference),
            reference,
        }
    }
}

/// Whether docker heads a push with the line.
fn is_heading(line: &Line) -> bool {
    line.text.contains("push refers to")
}

/// Whether a push of something begins in the line.
pub(super) fn begins_push(line: &Line) -> bool {
    let lower = line.text.to_ascii_lowercase();
    let begins = [
        "the push refers to repository",
        "docker push ",
        "podman push ",
        "pushing ",
    ];
    !reference::fails(line)
        && (begins.iter().any(|words| lower.contains(words)) || lower.ends_with("pushing"))
}
