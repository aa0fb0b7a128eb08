//! Progress on a terminal: lines that are drawn anew in place. What they say is `board.rs`'s; the only module
//! that draws.
//!
//! Each line is cut to the width and ends where its text ends, the last without a line break. So nothing wraps
//! when `^C` is echoed behind it, which would push the picture up, and leave a line of it behind.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use console::{Term, measure_text_width, truncate_str};
use oci_push::{Event, Observer};

use super::board::Board;

/// The time between two pictures.
const INTERVAL: Duration = Duration::from_millis(125);

/// More lines than this are nobody's to read.
const MOST_ROWS: usize = 8;

/// Lines of the terminal that stay free for what stood there before.
const SPARED_ROWS: usize = 4;

/// Columns that stay free for what is typed: `^C` above all.
const SPARED_COLUMNS: usize = 3;

/// Where bars are drawn. Nothing is drawn on what is no terminal.
#[derive(Clone)]
pub(super) struct Screen(Arc<Mutex<Picture>>);

impl Default for Screen {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Picture {
            terminal: Term::buffered_stderr(),
            lines: Vec::new(),
            is_closed: false,
        })))
    }
}

impl Screen {
    /// Prints something above the bars.
    pub(super) fn above_bars(&self, print: impl FnOnce()) {
        let mut picture = self.picture();
        let lines = std::mem::take(&mut picture.lines);
        picture.replace(&lines, Vec::new());
        print();
        picture.replace(&[], lines);
    }

    /// Puts these lines in the place of those that stand there.
    fn show(&self, lines: Vec<String>) {
        let mut picture = self.picture();
        if !picture.is_closed {
            let before = std::mem::take(&mut picture.lines);
            picture.replace(&before, lines);
        }
    }

    /// Takes all lines away, for good.
    fn close(&self) {
        self.show(Vec::new());
        self.picture().is_closed = true;
    }

    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is drawn at present.
struct Picture {
    terminal: Term,
    lines: Vec<String>,
    is_closed: bool,
}

impl Picture {
    fn replace(&mut self, before: &[String], lines: Vec<String>) {
        if !before.is_empty() || !lines.is_empty() {
            // Whoever closes the terminal does not look at it.
            let _ = self.draw(before, &lines);
        }
        self.lines = lines;
    }

    fn draw(&self, before: &[String], lines: &[String]) -> io::Result<()> {
        let terminal = &self.terminal;
        if !before.is_empty() {
            // In a window that has become narrower, what stood there takes more lines than it did.
            let (_, width) = terminal.size();
            let widths = before.iter().map(|line| measure_text_width(line));
            terminal.move_cursor_up(height(widths, width.into()).saturating_sub(1))?;
        }
        terminal.write_str("\r")?;
        terminal.clear_to_end_of_screen()?;
        terminal.write_str(&lines.join("\n"))?;
        terminal.flush()
    }
}

/// How many lines of the terminal texts of these widths take.
fn height(widths: impl Iterator<Item = usize>, width: usize) -> usize {
    widths.map(|text| text.div_ceil(width.max(1)).max(1)).sum()
}

/// Draws bars.
pub(super) struct Bars {
    screen: Screen,
    board: Mutex<Board>,
}

impl Bars {
    /// Draws until it is closed or dropped.
    pub(super) fn start(screen: &Screen) -> Arc<Self> {
        let bars = Arc::new(Self {
            screen: screen.clone(),
            board: Mutex::default(),
        });
        let terminal = Term::stderr();
        if terminal.is_term() {
            let weak = Arc::downgrade(&bars);
            // Without the thread there are no bars, which is no reason not to push.
            let _ = thread::Builder::new()
                .name("bars".to_owned())
                .spawn(move || keep_drawing(&weak, &terminal));
        }
        bars
    }

    /// Takes all lines away, for good: what is printed from now on stands alone.
    pub(super) fn close(&self) {
        self.screen.close();
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, terminal: &Term) {
        let (height, width) = terminal.size();
        let (height, width) = (usize::from(height), usize::from(width));
        let most = height.saturating_sub(SPARED_ROWS).min(MOST_ROWS);
        let room = width.saturating_sub(SPARED_COLUMNS);
        let now = Instant::now();
        let mut board = self.board();
        board.pass(now, most);
        let lines = board.lines(now, width);
        drop(board);
        let cut = |line: String| truncate_str(&line, room, "...").into_owned();
        self.screen.show(lines.into_iter().map(cut).collect());
    }
}

fn keep_drawing(bars: &Weak<Bars>, terminal: &Term) {
    while let Some(bars) = bars.upgrade() {
        if bars.screen.picture().is_closed {
            break;
        }
        bars.draw(terminal);
        drop(bars);
        thread::sleep(INTERVAL);
    }
}

impl Observer for Bars {
    fn observe(&self, event: &Event<'_>) {
        self.board().note(event, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::height;

    /// Whatever does not fit wraps, and an empty line is one.
    #[test]
    fn heights() {
        for (widths, width, expected) in [
            (&[][..], 80, 0),
            (&[77, 0, 10], 80, 3),
            (&[80, 81], 80, 3),
            (&[77, 77], 40, 4),
            (&[10], 0, 10),
        ] {
            assert_eq!(
                height(widths.iter().copied(), width),
                expected,
                "{widths:?}"
            );
        }
    }
}
