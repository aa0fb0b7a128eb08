//! How much of standard input has been read: it is read to its end before anything else can be done or told, and
//! whatever writes it may take its time.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::Printer;
use crate::quantity::display_size;
use crate::settings::Display;

/// Counts what is read.
pub(crate) struct Counting<'a, R> {
    inner: R,
    bytes: &'a AtomicU64,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// The time between two words on it, none if there are to be none. What is read in less time is not told.
fn interval(display: Display, quiet: bool) -> Option<Duration> {
    match display {
        _ if quiet => None,
        Display::Bars => Some(Duration::from_millis(250)),
        Display::Events => Some(Duration::from_secs(1)),
        Display::Lines => Some(Duration::from_secs(10)),
        Display::Nothing => None,
    }
}

impl Printer {
    /// Reads standard input with `read`, and tells meanwhile how far it is.
    pub(crate) fn while_reading<R: Read, T>(
        &self,
        input: R,
        read: impl FnOnce(Counting<'_, R>) -> T,
    ) -> T {
        let bytes = &AtomicU64::new(0);
        let counting = Counting {
            inner: input,
            bytes,
        };
        let Some(interval) = interval(self.display, self.quiet) else {
            return read(counting);
        };
        thread::scope(|scope| {
            // Dropped, also by a panic, it ends the thread.
            let (_reading, is_over) = mpsc::channel();
            // Without the thread nothing is told, which is no reason not to read.
            let _ = thread::Builder::new()
                .name("reading".to_owned())
                .spawn_scoped(scope, move || self.keep_telling(bytes, interval, &is_over));
            read(counting)
        })
    }

    fn keep_telling(&self, bytes: &AtomicU64, interval: Duration, is_over: &Receiver<()>) {
        while is_over.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            self.tell_read(bytes.load(Ordering::Relaxed));
        }
        if self.display == Display::Bars {
            self.screen.clear();
        }
    }

    fn tell_read(&self, bytes: u64) {
        let words = format!("reading standard input, {}", display_size(bytes));
        match self.display {
            Display::Bars => self.screen.note(&words),
            Display::Lines => self.notice(&format!("{words} so far")),
            Display::Events => self.event(json!({ "event": "input-progress", "bytes": bytes })),
            Display::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read arrives as it was, and is counted.
    #[test]
    fn everything_is_counted() {
        let bytes = AtomicU64::new(0);
        let text = b"0123456789".repeat(1000);
        let mut counting = Counting {
            inner: text.as_slice(),
            bytes: &bytes,
        };
        let mut read = Vec::new();
        counting.read_to_end(&mut read).expect("it is in memory");
        assert_eq!(read, text);
        assert_eq!(bytes.into_inner(), 10_000);
    }

    #[test]
    fn how_often_it_is_told() {
        for (display, quiet, expected) in [
            (Display::Bars, false, Some(250)),
            (Display::Events, false, Some(1000)),
            (Display::Lines, false, Some(10_000)),
            (Display::Nothing, false, None),
            (Display::Events, true, None),
            (Display::Lines, true, None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(interval(display, quiet), expected, "{display:?} {quiet}");
        }
    }
}
