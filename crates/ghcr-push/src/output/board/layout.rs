//! How lines are set in a window: bars in a wide one, percentages in a narrow one, and the rest of a very narrow one
//! for what matters most.

use std::time::Instant;

use super::item::{Item, State};
use crate::quantity::display_size;

/// As long as the longest name of a step.
const NAME_WIDTH: usize = 14;

/// As long as the name of a blob.
const NARROW_NAME_WIDTH: usize = 12;

/// Enough of a blob's name to tell it from others.
const SHORT_NAME_WIDTH: usize = 8;

/// How a reason is indented that has a line of its own.
const INDENT: &str = "  ";

/// A way of setting lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A bar of so many columns, and sizes.
    Bar(usize),
    /// Percentages.
    Narrow,
    /// Percentages, short names, and few words.
    Tiny,
}

/// What lines are set in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    room: usize,
    style: Style,
}

impl Layout {
    /// For lines of so many columns.
    pub(super) fn of(room: usize) -> Self {
        let style = match room {
            0..46 => Style::Tiny,
            46..69 => Style::Narrow,
            69..97 => Style::Bar(12),
            _ => Style::Bar(30),
        };
        Self { room, style }
    }

    /// Something under way, and below it why it waits, if that does not fit beside.
    pub(super) fn item(&self, name: &str, item: &Item, now: Instant) -> [Option<String>; 2] {
        let doing = item.doing(now);
        let line = match (self.style, &item.state) {
            (Style::Tiny, State::Uploading) => {
                let rate = doing.trim_start_matches("uploading");
                let rate = rate.trim_start_matches([',', ' ']);
                self.line(short(name), item.offset, item.size, rate)
            }
            (Style::Tiny, State::Waiting(_) | State::Retrying(..)) => self.line(name, 0, 0, &doing),
            (Style::Tiny, _) => self.line(short(name), 0, 0, &doing),
            _ => self.line(name, item.offset, item.size, &doing),
        };
        let Some(reason) = item.reason() else {
            return [Some(line), None];
        };
        let whole = format!("{line}: {reason}");
        if whole.chars().count() <= self.room {
            [Some(whole), None]
        } else {
            [Some(line), Some(format!("{INDENT}{reason}"))]
        }
    }

    /// One line: what it is about, how far it is, and what it does.
    pub(super) fn line(&self, name: &str, offset: u64, size: u64, doing: &str) -> String {
        let name = match self.style {
            Style::Bar(_) => format!("{name:<NAME_WIDTH$}"),
            Style::Narrow => format!("{name:<NARROW_NAME_WIDTH$}"),
            Style::Tiny => format!("{name:<SHORT_NAME_WIDTH$}"),
        };
        let line = match self.style {
            _ if size == 0 => format!("{name} {doing}"),
            Style::Bar(width) => {
                let full = usize::try_from(part(offset, size, width as u64)).unwrap_or(width);
                let (done, open) = ("=".repeat(full), " ".repeat(width.saturating_sub(full)));
                let sizes = format!("{}/{}", display_size(offset.min(size)), display_size(size));
                format!("{name} [{done}{open}] {sizes:>17} {doing}")
            }
            Style::Narrow | Style::Tiny => {
                format!("{name} {:>3} % {doing}", part(offset, size, 100))
            }
        };
        line.trim_end().to_owned()
    }

    /// How the whole goes on. Where there is little room, the last part is worth most, unless it takes too much.
    pub(super) fn outlook(&self, parts: &[String]) -> String {
        /// As many columns as `12 min 05 s left`.
        const SHORT: usize = 16;
        match parts {
            parts @ [.., last] if self.style == Style::Tiny => {
                let mut short = parts.iter().rev().filter(|part| part.len() <= SHORT);
                short.next().unwrap_or(last).clone()
            }
            parts => {
                let room = self.room.saturating_sub(NAME_WIDTH + 1);
                let texts = (0..parts.len()).map(|first| parts[first..].join(", "));
                let mut texts = texts.skip_while(|text| text.len() > room);
                texts.next().unwrap_or_default()
            }
        }
    }
}

/// The beginning of a blob's name.
fn short(name: &str) -> &str {
    name.get(..SHORT_NAME_WIDTH).unwrap_or(name)
}

/// Of `whole`, the part that `offset` is of `size`.
fn part(offset: u64, size: u64, whole: u64) -> u64 {
    let part = u128::from(offset.min(size)) * u128::from(whole) / u128::from(size.max(1));
    u64::try_from(part).unwrap_or(whole)
}
