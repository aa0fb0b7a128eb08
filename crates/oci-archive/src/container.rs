//! What holds a layout's files: a tar file or a directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::digest::Digest;
use crate::error::OpenError;
use crate::image::Notice;
use crate::source::BlobSource;
use crate::tar_index::{Ending, Item, TarIndex};

/// An opened tar file or directory.
#[derive(Debug)]
pub(crate) enum Container {
    Tar(TarContainer),
    Directory(PathBuf),
}

/// A tar file with its index.
#[derive(Debug)]
pub(crate) struct TarContainer {
    file: Arc<File>,
    index: TarIndex,
    notices: Vec<Notice>,
}

impl Container {
    /// Indexes a tar file.
    pub(crate) fn open_tar(file: File, length: u64) -> Result<Self, OpenError> {
        let mut index = TarIndex::read(&file, length)?;
        let file = Arc::new(file);
        let mut notices = Vec::new();
        let mut ambiguous = Vec::new();
        for (name, item) in index.repeated() {
            if is_same(&file, &index, name, item)? {
                notices.push(Notice::RepeatedEntry(name.to_owned()));
            } else {
                ambiguous.push(name.to_owned());
            }
        }
        // It matters only if somebody asks for it.
        for name in ambiguous {
            index.set_ambiguous(&name);
        }
        let ending = Ending::of(&file, index.end(), length).map_err(|source| OpenError::Read {
            what: "the archive's end".to_owned(),
            source,
        })?;
        match ending {
            Ending::Complete => {}
            Ending::Absent => notices.push(Notice::NoEndBlocks),
            Ending::Trailing => notices.push(Notice::TrailingData),
        }
        Ok(Self::Tar(TarContainer {
            file,
            index,
            notices,
        }))
    }

    /// Oddities that do no harm.
    pub(crate) fn notices(&self) -> &[Notice] {
        match self {
            Self::Tar(tar) => &tar.notices,
            Self::Directory(_) => &[],
        }
    }

    /// Whether there is something of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Tar(tar) => tar.index.contains(name),
            Self::Directory(root) => root.join(name).symlink_metadata().is_ok(),
        }
    }

    /// The file `name`, `None` if there is none.
    pub(crate) fn file(&self, name: &str) -> Result<Option<BlobSource>, OpenError> {
        match self {
            Self::Tar(tar) => {
                let place = tar.index.file(name)?;
                Ok(place.map(|(offset, length)| {
                    BlobSource::from_file_range(Arc::clone(&tar.file), offset, length)
                }))
            }
            Self::Directory(root) => file_in(root, name),
        }
    }

    /// A blob by its digest, `None` if it is absent.
    pub(crate) fn blob(&self, digest: &Digest) -> Result<Option<BlobSource>, OpenError> {
        self.file(&blob_name(digest))
    }

    /// A small file's bytes, refused beyond `limit`.
    pub(crate) fn read_small(&self, name: &str, limit: u64) -> Result<Option<Bytes>, OpenError> {
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
        let bytes = source.read_all().map_err(|source| OpenError::Read {
            what: format!("{name:?} in the archive"),
            source,
        })?;
        Ok(Some(bytes))
    }
}

/// Where a layout keeps a blob (image-spec, "Blobs":
/// <https://github.com/opencontainers/image-spec/blob/main/image-layout.md#blobs>).
pub(crate) fn blob_name(digest: &Digest) -> String {
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

/// Whether a later entry of a name is the first one again.
fn is_same(file: &Arc<File>, index: &TarIndex, name: &str, item: &Item) -> Result<bool, OpenError> {
    let Item::File { offset, length } = *item else {
        return Ok(false);
    };
    let Some((first_offset, first_length)) = index.file(name)? else {
        return Ok(false);
    };
    if length != first_length {
        return Ok(false);
    }
    let source = |offset| BlobSource::from_file_range(Arc::clone(file), offset, length);
    same_bytes(&source(first_offset), &source(offset)).map_err(|source| OpenError::Read {
        what: format!("{name:?} in the archive"),
        source,
    })
}

fn same_bytes(left: &BlobSource, right: &BlobSource) -> io::Result<bool> {
    use std::io::Read as _;
    const STEP: usize = 64 * 1024;
    let (mut left_reader, mut right_reader) = (left.reader(0)?, right.reader(0)?);
    let (mut left_bytes, mut right_bytes) = (vec![0; STEP], vec![0; STEP]);
    let mut remaining = left.len();
    while remaining > 0 {
        let step = STEP.min(usize::try_from(remaining).unwrap_or(STEP));
        left_reader.read_exact(&mut left_bytes[..step])?;
        right_reader.read_exact(&mut right_bytes[..step])?;
        if left_bytes[..step] != right_bytes[..step] {
            return Ok(false);
        }
        remaining -= step as u64;
    }
    Ok(true)
}
