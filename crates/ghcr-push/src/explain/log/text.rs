//! A log as text, whatever it is kept as.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::env::Environment;
use crate::error::{CliError, Kind};
use crate::output::Printer;
use crate::quantity::display_size;

/// What is kept of a log: its end, where refusals stand.
const LIMIT: usize = 16 * 1024 * 1024;

/// A log and what it is called in messages.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) name: String,
    pub(super) text: String,
}

/// Reads the log in `path`, or standard input.
///
/// # Errors
///
/// If it cannot be read, or is an archive instead of a text.
pub(super) fn read(
    path: Option<&Path>,
    environment: &Environment,
    printer: &Printer,
) -> Result<Log, CliError> {
    let path = path.filter(|path| path.as_os_str() != "-");
    let name = path.map_or_else(
        || "standard input".to_owned(),
        |path| path.display().to_string(),
    );
    if path.is_none() && environment.stdin_is_terminal {
        printer.line("paste the log, and end it with Ctrl-D (on Windows: Ctrl-Z and Enter)");
    }
    let result = match path {
        Some(path) => File::open(path).and_then(|file| tail(file, LIMIT)),
        None => tail(io::stdin().lock(), LIMIT),
    };
    let (bytes, is_cut) = result.map_err(|error| {
        CliError::new(Kind::Image, format!("{name} cannot be read")).caused_by(&error)
    })?;
    if is_cut {
        let kept = display_size(LIMIT as u64);
        printer.line(&format!("notice: only the last {kept} of {name} were read"));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0x1f, 0x8b]) {
        let message = format!("{name} is an archive, not a log");
        return Err(CliError::new(Kind::Image, message)
            .hint("unpack it, and give the file of the job or step that failed"));
    }
    Ok(Log {
        text: decoded(&bytes),
        name,
    })
}

/// The last `limit` bytes, and whether there were more.
fn tail(mut input: impl Read, limit: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut kept = Vec::new();
    let mut is_cut = false;
    loop {
        let room = (2 * limit).saturating_sub(kept.len()) as u64;
        if input.by_ref().take(room).read_to_end(&mut kept)? == 0 {
            break;
        }
        if kept.len() > limit {
            is_cut = true;
            kept.drain(..kept.len() - limit);
        }
    }
    Ok((kept, is_cut))
}

/// Text of UTF-8, with what is none of it replaced, or of UTF-16, as Windows `PowerShell` writes what is redirected
/// into a file
/// (<https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.core/about/about_character_encoding>).
fn decoded(bytes: &[u8]) -> String {
    let (rest, is_little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        [0xef, 0xbb, 0xbf, rest @ ..] => return String::from_utf8_lossy(rest).into_owned(),
        _ => return String::from_utf8_lossy(bytes).into_owned(),
    };
    let units = rest.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if is_little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    });
    let characters = char::decode_utf16(units);
    characters
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails() {
        for (text, expected, is_cut) in [
            ("", "", false),
            ("abcd", "abcd", false),
            ("abcde", "bcde", true),
            ("abcdefgh", "efgh", true),
            ("abcdefghijklmnopq", "nopq", true),
        ] {
            let (kept, cut) = tail(text.as_bytes(), 4).expect("bytes can be read");
            assert_eq!(
                (kept.as_slice(), cut),
                (expected.as_bytes(), is_cut),
                "{text}"
            );
        }
    }

    #[test]
    fn encodings() {
        for (bytes, expected) in [
            (&b"d\xc3\xa9nied"[..], "dénied"),
            (b"\xef\xbb\xbfdenied", "denied"),
            (b"\xff\xfed\0e\0\xe9\0", "deé"),
            (b"\xfe\xff\0d\0e\0\xe9", "deé"),
            (b"a\xffb", "a\u{fffd}b"),
            (b"\xff\xfe\x00\xd8", "\u{fffd}"),
        ] {
            assert_eq!(decoded(bytes), expected);
        }
    }
}
