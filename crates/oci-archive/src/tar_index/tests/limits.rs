//! What is large is neither read through nor kept.

use std::cell::Cell;
use std::io::Cursor;

use super::*;

/// Counts what is read of an archive that is mostly holes.
struct Counting<'a> {
    inner: Cursor<&'a [u8]>,
    /// Where the hole begins, and how long it is.
    hole: (u64, u64),
    position: u64,
    read: &'a Cell<u64>,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (start, length) = self.hole;
        let read = if (start..start + length).contains(&self.position) {
            let rest = usize::try_from(start + length - self.position).unwrap_or(usize::MAX);
            let read = buffer.len().min(rest);
            buffer[..read].fill(b'x');
            read
        } else {
            let before = self.position < start;
            let position = if before {
                self.position
            } else {
                self.position - length
            };
            self.inner.set_position(position);
            let limit = if before { start - position } else { u64::MAX };
            self.inner.by_ref().take(limit).read(buffer)?
        };
        self.position += read as u64;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(delta) => self.position.saturating_add_signed(delta),
            SeekFrom::End(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(self.position)
    }
}

/// Reads `bytes` with a hole of `length` after the first `start` bytes, and tells how much was read.
fn read_with_hole(bytes: &[u8], start: u64, length: u64) -> (Result<TarIndex, OpenError>, u64) {
    let read = Cell::new(0);
    let reader = Counting {
        inner: Cursor::new(bytes),
        hole: (start, length),
        position: 0,
        read: &read,
    };
    let index = TarIndex::read(reader, bytes.len() as u64 + length);
    (index, read.get())
}

#[test]
fn ten_gibibytes_are_read_by_their_headers() {
    const LAYER: u64 = 10 << 30;
    let mut blocks = Blocks::default().header(EntryType::Regular, "layer", "", LAYER);
    for entry in 0..100 {
        blocks = blocks.file(&format!("file{entry}"));
    }
    let (index, read) = read_with_hole(&blocks.end(), 512, LAYER);
    let index = index.expect("sound");
    assert_eq!(index.file("layer").expect("a file"), Some((512, LAYER)));
    assert_eq!(index.ending(), Ending::Complete);
    assert_eq!(read, 101 * 512 + 1024, "the headers and the end blocks");
}

/// The `tar` crate keeps long names and PAX records in memory; a hostile one is not read to its end.
#[test]
fn long_names_without_end() {
    const LENGTH: u64 = 10 << 30;
    for kind in [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
    ] {
        let bytes = Blocks::default()
            .header(kind, "long", "", LENGTH)
            .file("a")
            .end();
        let (index, read) = read_with_hole(&bytes, 512, LENGTH);
        let error = index.expect_err("it is too long");
        assert!(matches!(error, OpenError::Header { .. }), "{error:?}");
        assert!(read <= meter::HEADER_LIMIT, "{kind:?}: {read}");
    }
}

/// The same header again and again.
struct Endless(Vec<u8>, usize);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.0[self.1 % 512..]).read(buffer)?;
        self.1 += read;
        Ok(read)
    }
}

impl Seek for Endless {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Ok(self.1 as u64)
    }
}

#[test]
fn entries_are_limited() {
    let header = Blocks::default().header(EntryType::Directory, "a", "", 0).0;
    let error = TarIndex::read(Endless(header, 0), u64::MAX).expect_err("it never ends");
    assert!(error.to_string().contains("too many entries"));
}
