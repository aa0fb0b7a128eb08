//! Progress on a terminal: lines that indicatif draws anew in place. What they say is `board.rs`'s; the only
//! module that draws.
//!
//! indicatif pads every line to the width of the terminal, and lets the terminal wrap. So it is given a narrower one,
//! which wraps by itself: `^C`, which is echoed behind the last line, would else wrap, push the picture up, and leave
//! a line of it behind.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use console::{Term, measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use oci_push::{Event, Observer};

use super::board::Board;

/// The time between two pictures.
const INTERVAL: Duration = Duration::from_millis(125);

/// More lines than this are nobody's to read.
const MOST_ROWS: usize = 8;

/// Lines of the terminal that stay free for what stood there before.
const SPARED_ROWS: usize = 4;

/// Columns that stay free for what is typed: `^C` above all.
const SPARED_COLUMNS: u16 = 3;

/// Where bars are drawn. Nothing is drawn on what is no terminal.
#[derive(Clone)]
pub(super) struct Screen(Arc<Mutex<Picture>>);

impl Default for Screen {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Picture::new())))
    }
}

impl Screen {
    /// Prints something above the bars.
    pub(super) fn above_bars(&self, print: impl FnOnce()) {
        let mut picture = self.picture();
        picture.follow_the_window();
        picture.bar.suspend(print);
    }

    /// How many columns the terminal has at present, if it is one that is drawn on.
    pub(super) fn columns(&self) -> Option<usize> {
        let picture = self.picture();
        let (_, columns) = picture.terminal.as_ref()?.size();
        Some(columns.into())
    }

    /// Begins to draw.
    fn open(&self, terminal: &Term) {
        let mut picture = self.picture();
        picture.terminal = Some(terminal.clone());
        picture.begin();
    }

    /// Puts these lines in the place of those that stand there.
    fn show(&self, lines: &[String]) {
        let mut picture = self.picture();
        let text = lines.join("\n");
        if picture.is_closed || (!picture.follow_the_window() && picture.bar.message() == text) {
            return;
        }
        picture.drawn = lines.iter().map(|line| measure_text_width(line)).collect();
        picture.bar.set_message(text);
    }

    /// Shows one line, before there are bars.
    pub(super) fn note(&self, line: &str) {
        let terminal = Term::buffered_stderr();
        if !terminal.is_term() {
            return;
        }
        let is_open = self.picture().terminal.is_some();
        if !is_open {
            self.open(&terminal);
        }
        let (_, width) = terminal.size();
        let room = width.saturating_sub(SPARED_COLUMNS).into();
        self.show(&[truncate_str(line, room, "...").into_owned()]);
    }

    /// Takes that line away; bars may come.
    pub(super) fn clear(&self) {
        let mut picture = self.picture();
        picture.follow_the_window();
        picture.bar.finish_and_clear();
        *picture = Picture::new();
    }

    /// Takes all lines away, for good.
    fn close(&self) {
        let mut picture = self.picture();
        if !picture.is_closed {
            picture.follow_the_window();
            picture.is_closed = true;
            picture.bar.finish_and_clear();
        }
    }

    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is drawn at present.
struct Picture {
    /// All lines, as its message: they change together.
    bar: ProgressBar,
    terminal: Option<Term>,
    /// The terminal's width when the lines were drawn.
    columns: usize,
    /// The widths of the lines.
    drawn: Vec<usize>,
    is_closed: bool,
}

impl Picture {
    /// Nothing yet.
    fn new() -> Self {
        let style = ProgressStyle::with_template("{msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self {
            bar: ProgressBar::hidden().with_style(style),
            terminal: None,
            columns: 0,
            drawn: Vec::new(),
            is_closed: false,
        }
    }

    /// Draws what comes where the cursor stands.
    fn begin(&mut self) {
        if let Some(terminal) = &self.terminal {
            self.columns = terminal.size().1.into();
            let narrow = Box::new(Narrow::new(terminal));
            self.bar
                .set_draw_target(ProgressDrawTarget::term_like(narrow));
        }
    }

    /// Where the window's width has changed, takes the lines away and says so: terminals break lines anew then, and
    /// indicatif, which counts those that it drew, would leave some behind.
    fn follow_the_window(&mut self) -> bool {
        let Some(terminal) = &self.terminal else {
            return false;
        };
        let columns: usize = terminal.size().1.into();
        if columns == self.columns || columns == 0 {
            return false;
        }
        let rows = self
            .drawn
            .iter()
            .map(|width| width.div_ceil(columns).max(1));
        let above = rows.sum::<usize>().saturating_sub(1);
        // Whoever has closed the terminal does not look at it.
        let _ = terminal
            .move_cursor_up(above)
            .and_then(|()| terminal.clear_to_end_of_screen())
            .and_then(|()| terminal.flush());
        self.drawn.clear();
        self.begin();
        true
    }
}

/// A terminal without its last columns.
#[derive(Debug)]
struct Narrow {
    terminal: Term,
    /// Where the cursor is. Behind the last column it waits for more text before it goes to the next line, as a real
    /// terminal's does.
    column: AtomicUsize,
}

impl Narrow {
    fn new(terminal: &Term) -> Self {
        Self {
            terminal: terminal.clone(),
            column: AtomicUsize::new(0),
        }
    }

    fn go_to(&self, column: usize) {
        self.column.store(column, Ordering::Relaxed);
    }
}

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        self.terminal.size().1.saturating_sub(SPARED_COLUMNS).max(1)
    }

    fn height(&self) -> u16 {
        self.terminal.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.go_to(self.column.load(Ordering::Relaxed) + columns);
        self.terminal.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.go_to(self.column.load(Ordering::Relaxed).saturating_sub(columns));
        self.terminal.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.go_to(0);
        self.terminal.write_line("")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text == "\r" {
            self.go_to(0);
            return self.terminal.write_str(text);
        }
        let width = measure_text_width(text);
        let is_blank = width > 0 && text.trim_start_matches(' ').is_empty();
        if is_blank && cfg!(unix) {
            // Blanks up to the edge would be broken into lines of their own when the window becomes narrower.
            self.go_to(self.column.load(Ordering::Relaxed) + width);
            return self.terminal.write_str("\u{1b}[K");
        }
        let mut column = self.column.load(Ordering::Relaxed);
        if width > 0 && column >= usize::from(self.width()) {
            column = 0;
            self.terminal.write_str("\r\n")?;
        }
        self.go_to(column + width);
        self.terminal.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.go_to(0);
        self.terminal.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.terminal.flush()
    }
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
        let terminal = Term::buffered_stderr();
        if terminal.is_term() {
            screen.open(&terminal);
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
        let room = width.saturating_sub(SPARED_COLUMNS.into());
        let now = Instant::now();
        let mut board = self.board();
        board.pass(now, most);
        let mut lines = board.lines(now, room);
        drop(board);
        // The total stands last, and reasons may take lines of their own.
        let surplus = (lines.len() + 2).saturating_sub(height.max(3));
        lines.drain(..surplus);
        let cut = |line: String| truncate_str(&line, room, "...").into_owned();
        let lines: Vec<String> = lines.into_iter().map(cut).collect();
        self.screen.show(&lines);
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
