//! A terminal's screen after each of the pictures that were drawn on it.

use std::collections::HashMap;

/// A piece of a line that looks the same: the parameters of its `ESC [ ... m`, and its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Span {
    pub(super) look: String,
    pub(super) text: String,
}

/// A line as spans.
pub(super) type Line = Vec<Span>;

/// A line's text.
pub(super) fn text(line: &Line) -> String {
    line.iter().map(|span| span.text.as_str()).collect()
}

/// A line that looks ordinary.
pub(super) fn plain(text: &str) -> Line {
    vec![Span {
        look: String::new(),
        text: text.to_owned(),
    }]
}

/// Every screen that was shown, in order.
#[derive(Debug)]
pub(super) struct Frames(Vec<Vec<Line>>);

impl Frames {
    /// Reads what a program wrote to a terminal of so many columns.
    pub(super) fn of(written: &str, columns: usize) -> Result<Self, String> {
        let mut screen = Screen {
            columns,
            ..Screen::default()
        };
        let mut frames = Vec::new();
        let mut rest = written;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                '\r' => screen.column = 0,
                '\n' => screen.row += 1,
                '\u{1b}' => {
                    let sequence = rest.strip_prefix('[').ok_or("a sequence of another kind")?;
                    let end = sequence
                        .find(|one: char| one.is_ascii_alphabetic())
                        .ok_or("a sequence without an end")?;
                    let (parameters, letter) = (&sequence[..end], &sequence[end..=end]);
                    // indicatif draws anew from the top: what stood there until now was a picture.
                    if letter == "A" {
                        frames.push(screen.lines());
                    }
                    screen.control(letter, parameters)?;
                    rest = &sequence[end + 1..];
                }
                character => screen.put(character),
            }
        }
        frames.push(screen.lines());
        Ok(Self(frames))
    }

    /// The screen that was shown longest, of those that show progress.
    pub(super) fn longest(&self, stable: fn(Vec<Line>) -> Option<Vec<Line>>) -> Option<Vec<Line>> {
        let mut counts: HashMap<Vec<Line>, usize> = HashMap::new();
        for frame in &self.0 {
            if let Some(lines) = stable(frame.clone()) {
                *counts.entry(lines).or_default() += 1;
            }
        }
        let longest = counts.into_iter().max_by_key(|(_, count)| *count);
        longest.map(|(lines, _)| lines)
    }

    /// The screen in the end.
    pub(super) fn last(&self, stable: fn(&str) -> String) -> Vec<Line> {
        let stable_line = |line: &Line| -> Line {
            let stable_span = |span: &Span| Span {
                look: span.look.clone(),
                text: stable(&span.text),
            };
            line.iter().map(stable_span).collect()
        };
        let last = self.0.last().map(Vec::as_slice).unwrap_or_default();
        last.iter().map(stable_line).collect()
    }
}

#[derive(Debug, Default)]
struct Screen {
    columns: usize,
    cells: Vec<Vec<(char, String)>>,
    row: usize,
    column: usize,
    look: String,
}

impl Screen {
    fn control(&mut self, letter: &str, parameters: &str) -> Result<(), String> {
        let unknown = || format!("an unknown sequence: {parameters}{letter}");
        let number = || parameters.parse::<usize>().map_err(|_| unknown());
        match (letter, parameters) {
            ("A", _) => self.row = self.row.saturating_sub(number()?),
            ("B", _) => self.row += number()?,
            ("J", "" | "0") => {
                self.cells.truncate(self.row + 1);
                if let Some(line) = self.cells.get_mut(self.row) {
                    line.truncate(self.column);
                }
            }
            ("K", "2") => {
                if let Some(line) = self.cells.get_mut(self.row) {
                    line.clear();
                }
            }
            ("K", "") => {
                if let Some(line) = self.cells.get_mut(self.row) {
                    line.truncate(self.column);
                }
            }
            ("m", "0") => self.look.clear(),
            ("m", _) => parameters.clone_into(&mut self.look),
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn put(&mut self, character: char) {
        if self.column == self.columns {
            self.row += 1;
            self.column = 0;
        }
        while self.cells.len() <= self.row {
            self.cells.push(Vec::new());
        }
        let line = &mut self.cells[self.row];
        while line.len() <= self.column {
            line.push((' ', String::new()));
        }
        line[self.column] = (character, self.look.clone());
        self.column += 1;
    }

    fn lines(&self) -> Vec<Line> {
        let used = self.cells.iter().rposition(|cells| !cells.is_empty());
        self.cells
            .iter()
            .take(used.map_or(0, |last| last + 1))
            .map(|cells| {
                let mut line: Line = Vec::new();
                for (character, look) in cells {
                    match line.last_mut() {
                        Some(span) if span.look == *look => span.text.push(*character),
                        _ => line.push(Span {
                            look: look.clone(),
                            text: character.to_string(),
                        }),
                    }
                }
                if let Some(span) = line.last_mut() {
                    let length = span.text.trim_end().len();
                    span.text.truncate(length);
                }
                line
            })
            .collect()
    }
}
