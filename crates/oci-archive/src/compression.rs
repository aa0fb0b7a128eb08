//! Compression formats, told by their first bytes, and decoders that stay within bounds.

use std::fmt;
use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;

use crate::input::is_tar_header;
use crate::scratch::fill;
use crate::source::BlobSource;

/// How far back a decoder may be asked to look, which is what its memory goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// As far as tools do unless they are told otherwise: up to `zstd -19` and `xz -6`.
    Usual,
    /// As far as `zstd --long` and `xz -9` do, and the decoders of other tools allow. A zstd frame may
    /// declare 2 `GiB` (<https://www.rfc-editor.org/rfc/rfc8878#name-window-descriptor>), an xz block a
    /// dictionary of 4 `GiB`.
    Largest,
}

impl Window {
    /// The window of zstd, as a power of two.
    fn zstd(self) -> u32 {
        match self {
            Self::Usual => 23,
            Self::Largest => 27,
        }
    }

    /// Memory for decoding xz, in `KiB`. `xz -6` needs 9 `MiB`, `xz -9` needs 65.
    fn xz(self) -> u32 {
        match self {
            Self::Usual => 10 * 1024,
            Self::Largest => 130 * 1024,
        }
    }

    /// Whether decoding failed because it takes a larger window.
    pub(crate) fn is_too_small(error: &io::Error) -> bool {
        // The library of zstd has no other way to say so.
        error.kind() == io::ErrorKind::OutOfMemory || error.to_string().contains("too much memory")
    }
}

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

    /// The memory that a decoder may need, in bytes.
    pub(crate) fn memory(self, window: Window) -> usize {
        /// Beside the window itself.
        const BUFFERS: usize = 1024 * 1024;
        match self {
            Self::None => 0,
            Self::Gzip => BUFFERS,
            Self::Zstd => (1 << window.zstd()) + BUFFERS,
            Self::Xz => window.xz() as usize * 1024 + BUFFERS,
            // Blocks of 900 kB take four bytes for each.
            Self::Bzip2 => 4 * BUFFERS,
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
        window: Window,
    ) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::None => Box::new(compressed),
            Self::Gzip => Box::new(Members::<GzDecoder<_>>::new(compressed)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(compressed)?;
                decoder.window_log_max(window.zstd())?;
                Box::new(decoder)
            }
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(
                compressed,
                true,
                window.xz(),
            )),
            Self::Bzip2 => Box::new(Members::<BzDecoder<_>>::new(compressed)),
        })
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A decoder of one gzip member or one bzip2 stream, several of which may follow one another.
trait Member: Read {
    type Source: BufRead;

    /// What each begins with.
    const FIRST: u8;

    fn begin(compressed: Self::Source) -> Self;

    /// What follows it.
    fn end(self) -> Self::Source;
}

impl<R: BufRead> Member for GzDecoder<R> {
    type Source = R;

    const FIRST: u8 = 0x1f;

    fn begin(compressed: R) -> Self {
        Self::new(compressed)
    }

    fn end(self) -> R {
        self.into_inner()
    }
}

impl<R: BufRead> Member for BzDecoder<R> {
    type Source = R;

    const FIRST: u8 = b'B';

    fn begin(compressed: R) -> Self {
        Self::new(compressed)
    }

    fn end(self) -> R {
        self.into_inner()
    }
}

/// Reads members one after the other, and the zeros that tapes and dd leave behind the last one, as gzip
/// itself does (<https://www.gnu.org/software/gzip/manual/html_node/Tapes.html>). Anything else after a
/// member is an error.
enum Members<M: Member> {
    Inside(Box<M>),
    Padding(M::Source),
    Ended,
}

impl<M: Member> Members<M> {
    fn new(compressed: M::Source) -> Self {
        Self::Inside(Box::new(M::begin(compressed)))
    }

    /// Begins the next member, or ends.
    fn next_member(&mut self) -> io::Result<()> {
        let Self::Inside(decoder) = std::mem::replace(self, Self::Ended) else {
            return Ok(());
        };
        let mut rest = decoder.end();
        *self = match rest.fill_buf()?.first() {
            None => Self::Ended,
            Some(first) if *first == M::FIRST => Self::new(rest),
            Some(_) => Self::Padding(rest),
        };
        Ok(())
    }
}

impl<M: Member> Read for Members<M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self {
                Self::Inside(decoder) => match decoder.read(buffer)? {
                    0 => self.next_member()?,
                    count => return Ok(count),
                },
                Self::Padding(rest) => {
                    skip_zeros(rest)?;
                    *self = Self::Ended;
                }
                Self::Ended => return Ok(0),
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
                "trailing garbage follows the end of the compressed data",
            ));
        }
        let length = bytes.len();
        rest.consume(length);
    }
}

#[cfg(test)]
mod tests;
