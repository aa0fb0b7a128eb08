//! Compression formats, told by their first bytes, and decoders that stay within bounds.

use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::input::is_tar_header;
use crate::scratch::fill;
use crate::source::BlobSource;

/// The largest window of a zstd frame that is accepted, as a power of two. It is what `zstd --long` and
/// the decoders of other tools allow; a frame may declare 2 `GiB`
/// (<https://www.rfc-editor.org/rfc/rfc8878#name-window-descriptor>).
const LARGEST_WINDOW: u32 = 27;

/// Memory for decoding xz, in `KiB`. `xz -9` needs 65 `MiB`; a file may declare a dictionary of 4 `GiB`.
const XZ_MEMORY: u32 = 130 * 1024;

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (<https://www.rfc-editor.org/rfc/rfc1952>).
    Gzip,
    /// Zstandard (<https://www.rfc-editor.org/rfc/rfc8878>).
    Zstd,
    /// xz (<https://tukaani.org/xz/xz-file-format.txt>).
    Xz,
    /// bzip2.
    Bzip2,
}

impl Compression {
    /// The format that starts with these bytes; [`Compression::None`] if it is none of the known ones.
    /// Six bytes are enough.
    #[must_use]
    pub fn of_start(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame, with which parallel compressors begin (RFC 8878, section 3.1.2).
            [first, 0x2a, 0x4d, 0x18, ..] if first & 0xf0 == 0x50 => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            _ => Self::None,
        }
    }

    /// How a blob is compressed, whatever its media type says.
    ///
    /// # Errors
    ///
    /// If its beginning cannot be read.
    pub fn of(source: &BlobSource) -> io::Result<Self> {
        let mut start = [0; 512];
        let filled = fill(&mut source.reader(0)?, &mut start)?;
        let start = &start[..filled];
        // Asked first, since the name of a tar file's first entry may begin like anything.
        Ok(if is_tar_header(start) {
            Self::None
        } else {
            Self::of_start(start)
        })
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }

    /// A reader of what `compressed` holds.
    ///
    /// # Errors
    ///
    /// If a decoder cannot be set up. That the bytes are broken shows while they are read.
    pub(crate) fn decoder<'a>(
        self,
        compressed: impl BufRead + 'a,
    ) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::None => Box::new(compressed),
            Self::Gzip => Box::new(GzipMembers::new(compressed)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(compressed)?;
                decoder.window_log_max(LARGEST_WINDOW)?;
                Box::new(decoder)
            }
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(
                compressed, true, XZ_MEMORY,
            )),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(compressed)),
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Reads gzip members one after the other, and the zeros that tapes and dd leave behind the last one, as
/// gzip itself does (<https://www.gnu.org/software/gzip/manual/html_node/Tapes.html>). Anything else
/// after a member is an error.
struct GzipMembers<R> {
    state: Members<R>,
}

enum Members<R> {
    Inside(Box<GzDecoder<R>>),
    Padding(R),
    Ended,
}

impl<R: BufRead> GzipMembers<R> {
    fn new(compressed: R) -> Self {
        Self {
            state: Members::Inside(Box::new(GzDecoder::new(compressed))),
        }
    }

    /// Begins the next member, or ends.
    fn next_member(&mut self) -> io::Result<()> {
        let Members::Inside(decoder) = std::mem::replace(&mut self.state, Members::Ended) else {
            return Ok(());
        };
        let mut rest = decoder.into_inner();
        self.state = match rest.fill_buf()?.first() {
            None => Members::Ended,
            Some(0x1f) => Members::Inside(Box::new(GzDecoder::new(rest))),
            Some(_) => Members::Padding(rest),
        };
        Ok(())
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.state {
                Members::Inside(decoder) => match decoder.read(buffer)? {
                    0 => self.next_member()?,
                    count => return Ok(count),
                },
                Members::Padding(rest) => {
                    skip_zeros(rest)?;
                    self.state = Members::Ended;
                }
                Members::Ended => return Ok(0),
            }
        }
    }
}

fn skip_zeros(rest: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "trailing garbage follows the end of the gzip data",
            ));
        }
        let length = bytes.len();
        rest.consume(length);
    }
}

#[cfg(test)]
mod tests;
