//! What stands where in a tar file: one pass over the headers, nothing extracted.
//!
//! The `tar` crate reads the headers; that every entry lies within the file is checked here, since its
//! seeking iterator skips past the end without a word. Odd entries (devices, names that climb) do no harm
//! as long as nothing asks for them, so they are refused where they would be used.

mod meter;
mod name;
mod records;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Read, Seek, SeekFrom};

use tar::{Archive, EntryType};

use crate::error::OpenError;
use meter::{HeaderReader, Meter};
use records::Records;

/// A tar file's blocks; headers and contents start at a multiple of it.
pub(crate) const BLOCK: u64 = 512;

/// Entries of one archive. The largest image archives have thousands; an index of this many stays below
/// 64 `MiB`.
const MOST_ENTRIES: usize = 250_000;

/// All names and link targets together, for the same reason.
const MOST_NAME_BYTES: usize = 64 * 1024 * 1024;

/// How many links may lead to one another. Real archives have one, at most two.
const LONGEST_CHAIN: usize = 16;

/// A tar file's entries by name.
#[derive(Debug)]
pub(crate) struct TarIndex {
    entries: HashMap<Box<str>, Item>,
    /// Later entries of a name that stands more than once.
    repeated: Vec<(Box<str>, Item)>,
    ignored: Ignored,
    ending: Ending,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A file's bytes.
    File { offset: u64, length: u64 },
    /// A link to another entry, the target as a name in the archive.
    Link { target: Box<str> },
    /// Nothing that can be read as a file, and why.
    Unusable { reason: &'static str },
    /// Something that would have this name if its own were tidied up, and what is wrong with that.
    Misnamed { reason: &'static str },
}

/// Entries that no layout can mean.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    /// How many there are.
    pub(crate) count: usize,
    /// The first one's name.
    pub(crate) first: Box<str>,
    /// What is wrong with it.
    pub(crate) reason: &'static str,
}

/// How a tar file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Zeros to the end of the file.
    Complete,
    /// Not one end block.
    Absent,
    /// Other bytes after the end blocks.
    Trailing,
}

/// A name as an entry has it in the index, or why no entry can have it.
pub(crate) fn normalize(name: &str) -> Result<String, &'static str> {
    name::normalize(name).map_err(name::Oddity::reason)
}

const SPARSE: &str = "it is a sparse file, whose bytes do not lie in one piece";

impl TarIndex {
    /// Reads all headers of `reader`, which is `length` bytes long and at its beginning.
    pub(crate) fn read(mut reader: impl Read + Seek, length: u64) -> Result<Self, OpenError> {
        let meter = Meter::default();
        let mut building = Building {
            length,
            ..Building::default()
        };
        let mut archive = Archive::new(HeaderReader {
            inner: &mut reader,
            meter: &meter,
        });
        let broken = |source: io::Error, building: &Building| {
            let offset = building.end.next_multiple_of(BLOCK);
            if meter.has_ended() && !meter.is_exhausted() {
                OpenError::Truncated {
                    what: "a tar header".to_owned(),
                    end: (offset.max(meter.position()) + 1).next_multiple_of(BLOCK),
                    length,
                }
            } else {
                OpenError::Header { offset, source }
            }
        };
        let entries = archive
            .entries_with_seek()
            .map_err(|source| broken(source, &building))?;
        for entry in entries {
            let mut entry = entry.map_err(|source| broken(source, &building))?;
            let records = records::read(&mut entry).map_err(|source| broken(source, &building))?;
            building.add(&entry, records)?;
            meter.next_entry();
        }
        let ending = if meter.has_ended() {
            Ending::Absent
        } else {
            // The last thing read was the first of the end blocks.
            Ending::of(&mut reader, meter.position()).map_err(|source| OpenError::Read {
                what: "the archive's end".to_owned(),
                source,
            })?
        };
        Ok(Self {
            entries: building.entries,
            repeated: building.repeated,
            ignored: building.ignored,
            ending,
        })
    }

    /// Whether an entry of this very name exists, whatever it is.
    pub(crate) fn contains(&self, name: &str) -> bool {
        let item = self.entries.get(name);
        item.is_some_and(|item| !matches!(item, Item::Misnamed { .. }))
    }

    /// Whether there is no entry at all that could be asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The names of all entries, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(|name| &**name)
    }

    /// Where the bytes of `name` are, links followed; `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// If the entry is no file, or its links lead nowhere, out of the archive or in a circle.
    pub(crate) fn file(&self, name: &str) -> Result<Option<(u64, u64)>, OpenError> {
        match self.entries.get(name) {
            Some(item) => self.follow(name, item).map(Some),
            None => Ok(None),
        }
    }

    /// Where the bytes of an entry called `name` are, links followed.
    fn follow(&self, name: &str, item: &Item) -> Result<(u64, u64), OpenError> {
        let refused = |reason: String| OpenError::Entry {
            name: name.to_owned(),
            reason,
        };
        let mut item = item;
        for _ in 0..LONGEST_CHAIN {
            match item {
                Item::File { offset, length } => return Ok((*offset, *length)),
                Item::Unusable { reason } | Item::Misnamed { reason } => {
                    return Err(refused((*reason).to_owned()));
                }
                Item::Link { target } => {
                    item = self.entries.get(target).ok_or_else(|| {
                        refused(format!(
                            "it is a link to {target:?}, which is not found in the archive"
                        ))
                    })?;
                }
            }
        }
        Err(refused(format!(
            "its links form a cycle, or a chain of more than {LONGEST_CHAIN}"
        )))
    }

    /// Later entries of names that stand more than once.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.repeated.iter().map(|(name, item)| (&**name, item))
    }

    /// The entries that no layout can mean.
    pub(crate) fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    /// How the file ends.
    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }
}

/// An index while it is built.
#[derive(Default)]
struct Building {
    length: u64,
    entries: HashMap<Box<str>, Item>,
    repeated: Vec<(Box<str>, Item)>,
    ignored: Ignored,
    count: usize,
    name_bytes: usize,
    /// Where the last entry ends.
    end: u64,
}

impl Building {
    fn add(
        &mut self,
        entry: &tar::Entry<'_, impl Read>,
        records: Records,
    ) -> Result<(), OpenError> {
        let kind = entry.header().entry_type();
        let path = entry.path_bytes();
        let path = String::from_utf8_lossy(&path);
        self.count(&path)?;
        self.bound(entry, &path)?;
        if matches!(kind, EntryType::XGlobalHeader | EntryType::Directory) {
            return Ok(());
        }
        // Where these describe the entry that follows, the `tar` crate does not hand them out. A reader
        // that ignores the format's magic would let them describe it.
        if matches!(
            kind,
            EntryType::XHeader | EntryType::GNULongName | EntryType::GNULongLink
        ) {
            return Err(OpenError::Header {
                offset: entry.raw_header_position(),
                source: io::Error::new(
                    io::ErrorKind::InvalidData,
                    "an extension header in a format that has none",
                ),
            });
        }
        let item = item(entry, &path, records);
        if let Item::Link { target } = &item {
            self.name_bytes += target.len();
        }
        match name::normalize(&path) {
            Ok(name) => self.insert(name, item),
            Err(oddity) => self.ignore(&path, oddity.reason()),
        }
        Ok(())
    }

    fn insert(&mut self, name: String, item: Item) {
        if let Item::Unusable { reason } = &item {
            self.note(&name, reason);
        }
        match self.entries.entry(name.into()) {
            Entry::Occupied(mut first) if matches!(first.get(), Item::Misnamed { .. }) => {
                first.insert(item);
            }
            Entry::Occupied(first) => self.repeated.push((first.key().clone(), item)),
            Entry::Vacant(vacant) => {
                vacant.insert(item);
            }
        }
    }

    /// Leaves an entry with an odd name aside. It is kept under the name that it would have if it were
    /// tidied up, so that whoever asks for that is told, unless a proper entry has that name.
    fn ignore(&mut self, path: &str, reason: &'static str) {
        self.note(path, reason);
        let tidied = name::tidied(path);
        if !tidied.is_empty() {
            self.entries
                .entry(tidied.into())
                .or_insert(Item::Misnamed { reason });
        }
    }

    fn note(&mut self, name: &str, reason: &'static str) {
        if self.ignored.count == 0 {
            self.ignored.first = name.into();
            self.ignored.reason = reason;
        }
        self.ignored.count += 1;
    }

    fn count(&mut self, path: &str) -> Result<(), OpenError> {
        self.count += 1;
        self.name_bytes += path.len();
        let limit = if self.count > MOST_ENTRIES {
            format!("it has too many entries, the limit is {MOST_ENTRIES}")
        } else if self.name_bytes > MOST_NAME_BYTES {
            format!("its entries' names are too long, the limit for all is {MOST_NAME_BYTES} bytes")
        } else {
            return Ok(());
        };
        Err(OpenError::invalid("the archive", limit))
    }

    /// Checks that an entry lies within the file.
    fn bound(&mut self, entry: &tar::Entry<'_, impl Read>, path: &str) -> Result<(), OpenError> {
        // A sparse file's size counts its holes. Where it really ends does not matter, as it is never
        // used, and the next header is read from the right place in any case.
        let stored = match entry.header().entry_type() {
            EntryType::GNUSparse => 0,
            _ => entry.size(),
        };
        let offset = entry.raw_file_position();
        let end = offset.checked_add(stored);
        self.end = end
            .filter(|end| *end <= self.length)
            .ok_or_else(|| OpenError::Truncated {
                what: format!("entry {path:?}"),
                end: offset.saturating_add(stored),
                length: self.length,
            })?;
        Ok(())
    }
}

fn item(entry: &tar::Entry<'_, impl Read>, path: &str, records: Records) -> Item {
    let unusable = |reason| Item::Unusable { reason };
    match entry.header().entry_type() {
        EntryType::GNUSparse => unusable(SPARSE),
        EntryType::Regular | EntryType::Continuous => match records {
            Records::Sparse => unusable(SPARSE),
            Records::Plain => Item::File {
                offset: entry.raw_file_position(),
                length: entry.size(),
            },
        },
        EntryType::Symlink => {
            let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
            link(entry, directory)
        }
        EntryType::Link => link(entry, ""),
        EntryType::Fifo => unusable("it is a fifo, not a regular file"),
        EntryType::Char | EntryType::Block => unusable("it is a device, not a regular file"),
        _ => unusable("it is of an unknown type, not a regular file"),
    }
}

/// A link within the archive. A symbolic link starts from the entry's own directory, a hard link from
/// the archive's root
/// (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>).
fn link(entry: &tar::Entry<'_, impl Read>, from: &str) -> Item {
    let target = entry.link_name_bytes().unwrap_or_default();
    match name::resolve(from, &String::from_utf8_lossy(&target)) {
        Some(target) => Item::Link {
            target: target.into(),
        },
        None => Item::Unusable {
            reason: "it is a link that is absolute or leads outside of the archive",
        },
    }
}

impl Ending {
    /// Looks at what follows byte `position`, at most a little of it.
    fn of(reader: &mut (impl Read + Seek), position: u64) -> io::Result<Self> {
        /// Enough for the padding of any tar writer (GNU tar fills up 10 `KiB`).
        const LOOKED_AT: u64 = 64 * 1024;
        reader.seek(SeekFrom::Start(position))?;
        let mut tail = Vec::new();
        reader.take(LOOKED_AT).read_to_end(&mut tail)?;
        Ok(if tail.iter().all(|byte| *byte == 0) {
            Self::Complete
        } else {
            Self::Trailing
        })
    }
}

#[cfg(test)]
mod tests;
