//! What stands where in a tar file: one pass over the headers, nothing extracted.
//!
//! The `tar` crate reads the headers; that every entry lies within the file is checked here, since its
//! seeking iterator skips past the end without a word.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use tar::{Archive, EntryType};

use crate::error::OpenError;

/// A tar file's entries by name.
#[derive(Debug, Default)]
pub(crate) struct TarIndex {
    entries: HashMap<Box<str>, Item>,
    /// Names that stand more than once, with the later ones' contents.
    repeated: Vec<(Box<str>, Item)>,
    /// Where the last entry ends, the first byte of what should be the end blocks.
    end: u64,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A file's bytes.
    File { offset: u64, length: u64 },
    /// A link to another entry, the target as a name in the archive.
    Link { target: Box<str> },
    /// Nothing that can be read as a file, and why.
    Unusable { reason: Box<str> },
}

/// How many links may lead to one another. Real archives have one, at most two.
const LONGEST_CHAIN: usize = 16;

/// A header with its extensions: long names, PAX records, sparse maps. The `tar` crate reads those into
/// memory whatever size they claim; real ones have a few kilobytes.
const LONGEST_HEADER: u64 = 1024 * 1024;

/// A file that gives only so many bytes for one header. Contents are passed over by seeking.
struct Frugal<'a> {
    file: &'a File,
    allowance: &'a Cell<u64>,
}

impl Read for Frugal<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        match self.allowance.get().checked_sub(length as u64) {
            Some(left) => self.allowance.set(left),
            None => {
                return Err(io::Error::other(
                    "a header and its extensions are larger than 1 MiB",
                ));
            }
        }
        Ok(length)
    }
}

impl Seek for Frugal<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

impl TarIndex {
    /// Reads all headers of `file`, which is `length` bytes long.
    pub(crate) fn read(file: &File, length: u64) -> Result<Self, OpenError> {
        let allowance = Cell::new(LONGEST_HEADER);
        let mut archive = Archive::new(Frugal {
            file,
            allowance: &allowance,
        });
        let mut index = Self::default();
        let broken = |offset: u64| {
            move |source: io::Error| {
                if source.to_string().contains("failed to read entire block") {
                    OpenError::Truncated {
                        what: "a tar header".to_owned(),
                        end: offset.next_multiple_of(512) + 512,
                        length,
                    }
                } else {
                    OpenError::Header { offset, source }
                }
            }
        };
        for entry in archive.entries_with_seek().map_err(broken(0))? {
            let mut entry = entry.map_err(broken(index.end))?;
            index.add(&mut entry, length)?;
            allowance.set(LONGEST_HEADER);
        }
        Ok(index)
    }

    fn add(&mut self, entry: &mut tar::Entry<'_, impl Read>, length: u64) -> Result<(), OpenError> {
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let item = item(entry)?;
        let offset = entry.raw_file_position();
        let size = stored_size(entry);
        let end = offset.checked_add(size).filter(|end| *end <= length);
        self.end = end.ok_or_else(|| OpenError::Truncated {
            what: format!("entry {shown:?}"),
            end: offset.saturating_add(size),
            length,
        })?;
        // A name that no layout can mean: nobody asks for it, and nothing is ever written under it.
        let Some(name) = normalize(&shown) else {
            return Ok(());
        };
        let name: Box<str> = name.into();
        if entry.header().entry_type() == EntryType::Directory {
            return Ok(());
        }
        match self.entries.entry(name) {
            Entry::Occupied(first) => self.repeated.push((first.key().clone(), item)),
            Entry::Vacant(vacant) => {
                vacant.insert(item);
            }
        }
        Ok(())
    }

    /// Notes that nobody can tell which entry of this name is meant.
    pub(crate) fn set_ambiguous(&mut self, name: &str) {
        let reason = "it stands twice (a duplicate), with different contents".into();
        self.entries.insert(name.into(), Item::Unusable { reason });
    }

    /// Whether an entry of this name exists, whatever it is.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Where the bytes of `name` are, links followed; `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// If the entry is no file, or its links lead nowhere, out of the archive or in a circle.
    pub(crate) fn file(&self, name: &str) -> Result<Option<(u64, u64)>, OpenError> {
        let refused = |reason: String| OpenError::Entry {
            name: name.to_owned(),
            reason,
        };
        let mut current = name;
        for _ in 0..LONGEST_CHAIN {
            match self.entries.get(current) {
                Some(Item::File { offset, length }) => return Ok(Some((*offset, *length))),
                Some(Item::Unusable { reason }) => return Err(refused(reason.to_string())),
                Some(Item::Link { target }) => current = target,
                None if current == name => return Ok(None),
                None => {
                    return Err(refused(format!(
                        "it is a link to {current:?}, which is not found in the archive"
                    )));
                }
            }
        }
        Err(refused("its links form a cycle".to_owned()))
    }

    /// Later entries of a name that stands more than once.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.repeated.iter().map(|(name, item)| (&**name, item))
    }

    /// Where the last entry ends.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

fn item(entry: &mut tar::Entry<'_, impl Read>) -> Result<Item, OpenError> {
    let unusable = |reason: &str| Item::Unusable {
        reason: reason.into(),
    };
    let kind = entry.header().entry_type();
    Ok(match kind {
        EntryType::Regular | EntryType::Continuous if is_sparse(entry)? => {
            unusable("it is a sparse file, whose bytes do not lie in one piece")
        }
        EntryType::Regular | EntryType::Continuous => Item::File {
            offset: entry.raw_file_position(),
            length: entry.size(),
        },
        EntryType::GNUSparse => {
            unusable("it is a sparse file, whose bytes do not lie in one piece")
        }
        EntryType::Symlink | EntryType::Link => link(entry, kind),
        EntryType::Fifo => unusable("it is a fifo, not a regular file"),
        EntryType::Char | EntryType::Block => unusable("it is a device, not a regular file"),
        _ => unusable("it is of an unknown type, not a regular file"),
    })
}

/// A link within the archive. A symbolic link starts from the entry's own directory, a hard link from
/// the archive's root
/// (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>).
fn link(entry: &tar::Entry<'_, impl Read>, kind: EntryType) -> Item {
    let target = entry.link_name_bytes().unwrap_or_default();
    let target = String::from_utf8_lossy(&target).into_owned();
    let from = if kind == EntryType::Link {
        String::new()
    } else {
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        path.rsplit_once('/')
            .map(|(directory, _)| directory.to_owned())
            .unwrap_or_default()
    };
    match resolve(&from, &target) {
        Some(target) => Item::Link {
            target: target.into(),
        },
        None => Item::Unusable {
            reason: "it is a link that is absolute or leads outside of the archive".into(),
        },
    }
}

/// PAX sparse files look like regular ones with a wrong name and size
/// (<https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html>).
fn is_sparse(entry: &mut tar::Entry<'_, impl Read>) -> Result<bool, OpenError> {
    let broken = |source| OpenError::Header { offset: 0, source };
    let Some(extensions) = entry.pax_extensions().map_err(broken)? else {
        return Ok(false);
    };
    for extension in extensions {
        let extension = extension.map_err(broken)?;
        if extension.key_bytes().starts_with(b"GNU.sparse.") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many bytes of the file belong to an entry. Links and directories may carry a size without
/// carrying bytes, and a sparse file's own size counts its holes.
fn stored_size(entry: &tar::Entry<'_, impl Read>) -> u64 {
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => entry.size(),
        EntryType::GNUSparse => entry.header().entry_size().unwrap_or(u64::MAX),
        _ => 0,
    }
}

/// A name without `.` and empty components; `None` if it is absolute, climbs, or is empty.
pub(crate) fn normalize(name: &str) -> Option<String> {
    if name.starts_with('/') {
        return None;
    }
    resolve("", name)
}

fn resolve(from: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') {
        return None;
    }
    let mut components: Vec<&str> = Vec::new();
    for component in from.split('/').chain(path.split('/')) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            component => components.push(component),
        }
    }
    (!components.is_empty()).then(|| components.join("/"))
}

/// Whether a tar file ends as it should: with zeros after the last entry, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Zeros to the end of the file.
    Complete,
    /// Not one end block.
    Absent,
    /// Other bytes after the end blocks.
    Trailing,
}

impl Ending {
    /// Looks at what follows byte `end`, at most a little of it.
    pub(crate) fn of(mut file: &File, end: u64, length: u64) -> io::Result<Self> {
        /// Enough for the padding of any tar writer (GNU tar fills up 10 `KiB`).
        const LOOKED_AT: u64 = 64 * 1024;
        let start = end.next_multiple_of(512);
        if start + 512 > length {
            return Ok(Self::Absent);
        }
        file.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        file.take(LOOKED_AT).read_to_end(&mut tail)?;
        Ok(if tail.iter().all(|byte| *byte == 0) {
            Self::Complete
        } else {
            Self::Trailing
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            ("blobs/sha256/ab", Some("blobs/sha256/ab")),
            ("./index.json", Some("index.json")),
            (".//blobs//a", Some("blobs/a")),
            ("a/../b", Some("b")),
            ("../a", None),
            ("/a", None),
            ("", None),
            ("./", None),
        ] {
            assert_eq!(normalize(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn symbolic_links_start_from_their_directory() {
        assert_eq!(
            resolve("b", "../a/layer.tar").as_deref(),
            Some("a/layer.tar")
        );
        assert_eq!(resolve("b", "../../a"), None);
        assert_eq!(resolve("b", "/etc/passwd"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            use std::io::Write as _;
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(&bytes).expect("writable");
            file.rewind().expect("seekable");
            let _ = TarIndex::read(&file, bytes.len() as u64);
        }

        #[test]
        fn no_name_climbs(name in "[./a]{0,20}") {
            if let Some(name) = normalize(&name) {
                prop_assert!(name.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
            }
        }
    }
}
