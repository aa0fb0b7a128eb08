//! PAX records that change what an entry is, and those that tar readers disagree about
//! (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03>).

use std::io::{self, Read};

/// What an entry's PAX records say about its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Records {
    /// Nothing that matters here.
    Plain,
    /// That the bytes do not lie in one piece
    /// (<https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html>).
    Sparse,
}

/// Reads an entry's PAX records.
///
/// # Errors
///
/// If the records are malformed, or say something twice: the standard takes the last, the `tar` crate the
/// first.
pub(super) fn read(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<Records> {
    let is_global = entry.header().entry_type().is_pax_global_extensions();
    let Some(extensions) = entry.pax_extensions()? else {
        return Ok(Records::Plain);
    };
    let mut records = Records::Plain;
    let mut seen = [false; 3];
    for extension in extensions {
        let extension = extension?;
        let key = extension.key_bytes();
        let position = match key {
            b"path" => 0,
            b"linkpath" => 1,
            b"size" => 2,
            _ if key.starts_with(b"GNU.sparse.") => {
                records = Records::Sparse;
                continue;
            }
            _ => continue,
        };
        // The `tar` crate applies none of these to the entries that follow; other readers do.
        if is_global {
            return Err(refused("a global PAX header sets a name or size"));
        }
        if seen[position] {
            return Err(refused("a PAX header sets a name or size twice"));
        }
        seen[position] = true;
        let is_number = extension.value_bytes().iter().all(u8::is_ascii_digit);
        if key == b"size" && (!is_number || extension.value_bytes().is_empty()) {
            return Err(refused("a PAX header sets a size that is no number"));
        }
    }
    if is_global && records == Records::Sparse {
        return Err(refused("a global PAX header describes a sparse file"));
    }
    Ok(records)
}

fn refused(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
