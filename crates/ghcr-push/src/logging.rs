//! `-v`: the engine's own account of every request.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::output::Printer;

/// Starts to print the events of this project's crates. Those of others stay out: an HTTP library's
/// debug output may hold headers, and so credentials.
pub(crate) fn start(verbosity: u8, printer: Arc<Printer>) {
    let level = match verbosity {
        0 => return,
        1 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let targets = Targets::new()
        .with_target("oci_push", level)
        .with_target("oci_archive", level)
        .with_target("ghcr_push", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_writer(Lines(printer));
    let subscriber = tracing_subscriber::registry().with(targets).with(lines);
    // Fails only if there is one already, and then that one prints.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct Lines(Arc<Printer>);

/// One event on its way to the printer.
struct Line<'a> {
    printer: &'a Printer,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line {
            printer: &self.0,
            text: Vec::new(),
        }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        self.printer.log(text.trim_end());
    }
}
