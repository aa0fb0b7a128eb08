//! What holds a layout's files: a tar file or a directory. It knows names and bytes, and nothing of what
//! they mean; it never writes, and opens nothing because an archive's entry names it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::digest::Digest;
use crate::error::OpenError;
use crate::image::Notice;
use crate::source::BlobSource;
use crate::tar_index::{self, Ending, Item, TarIndex};

/// How the names of archives end.
const ARCHIVES: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2"];

/// What is said of a tar file without entries.
pub(crate) const NO_ENTRIES: &str = "it is an empty tar file, with no entries";

/// An opened tar file or directory.
#[derive(Debug)]
pub(crate) enum Container {
    Tar(TarContainer),
    Directory(PathBuf),
}

/// A tar file with its index.
#[derive(Debug)]
pub(crate) struct TarContainer {
    backing: Backing,
    index: TarIndex,
}

/// Where a tar file's bytes are.
#[derive(Debug)]
pub(crate) enum Backing {
    File {
        file: Arc<File>,
        /// Its name, for messages.
        path: Arc<Path>,
    },
    Memory(Bytes),
}

impl Backing {
    pub(crate) fn file(file: File, path: &Path) -> Self {
        Self::File {
            file: Arc::new(file),
            path: path.into(),
        }
    }

    fn range(&self, offset: u64, length: u64) -> BlobSource {
        match self {
            Self::File { file, path } => {
                BlobSource::from_file_range(Arc::clone(file), Arc::clone(path), offset, length)
            }
            Self::Memory(bytes) => {
                // The index holds no entry that is not within the file.
                let range = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                BlobSource::from_bytes(bytes.slice(range(offset)..range(offset + length)))
            }
        }
    }
}

impl Container {
    /// Indexes a tar file, which is at its beginning.
    pub(crate) fn open_tar(backing: Backing, length: u64) -> Result<Self, OpenError> {
        let index = match &backing {
            Backing::File { file, .. } => TarIndex::read(&**file, length)?,
            Backing::Memory(bytes) => TarIndex::read(io::Cursor::new(bytes), length)?,
        };
        if index.is_empty() {
            return Err(OpenError::NotAnArchive {
                reason: NO_ENTRIES.to_owned(),
            });
        }
        Ok(Self::Tar(TarContainer { backing, index }))
    }

    /// Oddities that do no harm.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        match self {
            Self::Tar(tar) => tar.notices(),
            Self::Directory(_) => Vec::new(),
        }
    }

    /// What is odd about the end of the file, where that may be why something is missing.
    pub(crate) fn suspicion(&self) -> Option<&'static str> {
        match self {
            Self::Tar(tar) => match tar.index.ending() {
                Ending::Complete => None,
                Ending::Absent => Some("it may be truncated, as it has no end blocks"),
                Ending::Trailing => Some("there is data after its end blocks, which is not read"),
            },
            Self::Directory(_) => None,
        }
    }

    /// The folder that holds `name`, if the layout was packed with the folder around it.
    pub(crate) fn folder_of(&self, name: &str) -> Option<String> {
        let Self::Tar(tar) = self else {
            return None;
        };
        let folders = tar.index.names().filter_map(|other| {
            let folder = other.strip_suffix(name)?.strip_suffix('/')?;
            (!folder.contains('/')).then_some(folder)
        });
        folders.min().map(str::to_owned)
    }

    /// What there is, or is odd, where nothing is found that makes an image.
    pub(crate) fn instead(&self) -> Option<String> {
        /// More is nobody's mistake in packing.
        const FEW: usize = 8;
        let Self::Tar(tar) = self else {
            return None;
        };
        let ignored = tar.index.ignored();
        if ignored.count > 0 {
            let (first, reason) = (&ignored.first, ignored.reason);
            return Some(format!("the entry {first:?} is ignored: {reason}"));
        }
        let mut names = tar.index.names().take(FEW);
        let archive = names.find(|name| ARCHIVES.iter().any(|end| name.ends_with(end)));
        match archive {
            Some(name) => Some(format!(
                "it holds {name:?}, which may be the archive that is meant"
            )),
            None => self.suspicion().map(str::to_owned),
        }
    }

    /// Whether there is something of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Tar(tar) => tar.index.contains(name),
            Self::Directory(root) => root.join(name).symlink_metadata().is_ok(),
        }
    }

    /// A blob by its digest, `None` if it is absent. Of several of one name the first is taken, as other
    /// tools do; its digest tells whether it is the right one.
    pub(crate) fn blob(&self, digest: &Digest) -> Result<Option<BlobSource>, OpenError> {
        self.file(&blob_name(digest))
    }

    /// A small blob's bytes, refused beyond `limit`.
    pub(crate) fn read_blob(
        &self,
        digest: &Digest,
        limit: u64,
    ) -> Result<Option<Bytes>, OpenError> {
        self.read_small(&blob_name(digest), limit)
    }

    /// A file by the name that a document of the archive gives it.
    pub(crate) fn named(&self, name: &str) -> Result<Option<BlobSource>, OpenError> {
        self.file(&plain_name(name)?)
    }

    /// A small file's bytes, by the name that a document of the archive gives it.
    pub(crate) fn read_named(&self, name: &str, limit: u64) -> Result<Option<Bytes>, OpenError> {
        self.read_small(&plain_name(name)?, limit)
    }

    /// A small file's bytes, if it can be had.
    pub(crate) fn glance(&self, name: &str, limit: u64) -> Option<Bytes> {
        self.read_small(name, limit).ok().flatten()
    }

    /// The bytes of a file that no digest vouches for. If it stands twice with different contents, two
    /// readers would see two archives.
    pub(crate) fn read_only_one(&self, name: &str, limit: u64) -> Result<Option<Bytes>, OpenError> {
        let bytes = self.read_small(name, limit)?;
        let (Self::Tar(tar), Some(first)) = (self, &bytes) else {
            return Ok(bytes);
        };
        for (_, item) in tar.index.repeated().filter(|(other, _)| *other == name) {
            if !tar.is_same(item, first)? {
                return Err(OpenError::Entry {
                    name: name.to_owned(),
                    reason: "it stands twice (a duplicate), with different contents".to_owned(),
                });
            }
        }
        Ok(bytes)
    }

    fn read_small(&self, name: &str, limit: u64) -> Result<Option<Bytes>, OpenError> {
        let Some(source) = self.file(name)? else {
            return Ok(None);
        };
        if source.len() > limit {
            return Err(OpenError::invalid(
                name,
                format!(
                    "its size is {} bytes, and the limit for it is {limit}",
                    source.len()
                ),
            ));
        }
        let bytes = source
            .read_all()
            .map_err(|source| unreadable(name, source))?;
        Ok(Some(bytes))
    }

    fn file(&self, name: &str) -> Result<Option<BlobSource>, OpenError> {
        match self {
            Self::Tar(tar) => {
                let place = tar.index.file(name)?;
                Ok(place.map(|(offset, length)| tar.backing.range(offset, length)))
            }
            Self::Directory(root) => file_in(root, name),
        }
    }
}

impl TarContainer {
    /// Whether an entry holds exactly `bytes`.
    fn is_same(&self, item: &Item, bytes: &Bytes) -> Result<bool, OpenError> {
        // A link in place of a file is refused rather than followed: reading one large file for each of
        // many links would take forever.
        let Item::File { offset, length } = *item else {
            return Ok(false);
        };
        if length != bytes.len() as u64 {
            return Ok(false);
        }
        let again = self.backing.range(offset, length).read_all();
        again
            .map(|again| again == *bytes)
            .map_err(|source| unreadable("a repeated entry", source))
    }

    fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        if let Some((first, _)) = self.index.repeated().next() {
            notices.push(Notice::RepeatedEntries {
                first: first.to_owned(),
                count: self.index.repeated().count(),
            });
        }
        let ignored = self.index.ignored();
        if ignored.count > 0 {
            notices.push(Notice::IgnoredEntries {
                first: ignored.first.to_string(),
                reason: ignored.reason,
                count: ignored.count,
            });
        }
        match self.index.ending() {
            Ending::Complete => {}
            Ending::Absent => notices.push(Notice::NoEndBlocks),
            Ending::Trailing => notices.push(Notice::TrailingData),
        }
        notices
    }
}

fn plain_name(name: &str) -> Result<String, OpenError> {
    tar_index::normalize(name).map_err(|reason| OpenError::Entry {
        name: name.to_owned(),
        reason: reason.to_owned(),
    })
}

fn unreadable(name: &str, source: io::Error) -> OpenError {
    OpenError::Read {
        what: format!("{name:?} in the archive"),
        source,
    }
}

/// Where a layout keeps a blob (image-spec, "Blobs":
/// <https://github.com/opencontainers/image-spec/blob/main/image-layout.md#blobs>).
fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().as_str(), digest.hex())
}

/// A file of a layout directory. Links are followed, since build tools make layouts out of links; that
/// a blob's bytes are the right ones is checked before they are published in any case.
fn file_in(root: &Path, name: &str) -> Result<Option<BlobSource>, OpenError> {
    let path = root.join(name);
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(OpenError::Read {
                what: path.display().to_string(),
                source,
            });
        }
    };
    if !metadata.is_file() {
        return Err(OpenError::Entry {
            name: name.to_owned(),
            reason: "it is not a regular file".to_owned(),
        });
    }
    Ok(Some(BlobSource::from_path(path, metadata.len())))
}
