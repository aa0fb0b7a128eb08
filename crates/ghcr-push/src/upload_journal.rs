//! Where the upload sessions of large blobs are, one small file for each in the user's cache directory, so that
//! a second run goes on where an interrupted one has ended. It can be deleted at any time.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oci_archive::{Algorithm, Digest};
use oci_push::{SessionJournal, UploadKey};

/// No registry is known to keep a session that nobody writes to for longer.
const LIFETIME: Duration = Duration::from_hours(24);

/// No address is longer.
const LONGEST: u64 = 8 * 1024;

/// The journal in a directory.
#[derive(Debug)]
pub(crate) struct DirectoryJournal {
    directory: PathBuf,
    /// The files that this process has locked, with what stands in them.
    held: Mutex<HashMap<PathBuf, Held>>,
}

#[derive(Debug)]
struct Held {
    file: File,
    url: String,
}

impl DirectoryJournal {
    /// The journal in `directory`, which need not exist.
    pub(crate) fn new(directory: &Path) -> Self {
        let journal = Self {
            directory: directory.join("uploads"),
            held: Mutex::default(),
        };
        journal.discard_stale();
        journal
    }

    fn held(&self) -> MutexGuard<'_, HashMap<PathBuf, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, key: &UploadKey<'_>) -> PathBuf {
        let name = format!("{}{}", key.repository, key.digest);
        let name = Digest::of(Algorithm::Sha256, name.as_bytes());
        self.directory.join(name.hex())
    }

    /// Opens and locks an entry; `None` where another process has it, or nothing can be written.
    fn open(&self, path: &Path) -> Option<Held> {
        fs::create_dir_all(&self.directory).ok()?;
        let file = private().open(path).ok()?;
        file.try_lock().ok()?;
        let mut url = String::new();
        (&file).take(LONGEST).read_to_string(&mut url).ok()?;
        Some(Held {
            file,
            url: url.trim_end().to_owned(),
        })
    }

    fn discard_stale(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        for entry in entries.flatten() {
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            let age = written.ok().and_then(|written| written.elapsed().ok());
            if age.is_some_and(|age| age > LIFETIME) {
                // Whoever cannot delete it cannot use it either.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl SessionJournal for DirectoryJournal {
    fn recall(&self, key: &UploadKey<'_>) -> Option<String> {
        let path = self.path(key);
        if !path.exists() {
            return None;
        }
        let held = self.open(&path)?;
        let url = held.url.clone();
        self.held().insert(path, held);
        (!url.is_empty()).then_some(url)
    }

    fn note(&self, key: &UploadKey<'_>, url: &str) {
        let path = self.path(key);
        let mut held = self.held();
        let entry = match held.remove(&path) {
            Some(entry) => Some(entry),
            None => self.open(&path),
        };
        let Some(mut entry) = entry else { return };
        // A journal that cannot be written is none, and no reason to say anything.
        if entry.url == url || write(&mut entry.file, url).is_ok() {
            url.clone_into(&mut entry.url);
            held.insert(path, entry);
        }
    }

    fn forget(&self, key: &UploadKey<'_>) {
        let path = self.path(key);
        // Only what is this process's own: another may be using the same session.
        if self.held().remove(&path).is_some() {
            let _ = fs::remove_file(path);
        }
    }
}

fn write(file: &mut File, url: &str) -> io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    writeln!(file, "{url}")
}

/// Files that only their owner may read.
fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        Digest::of(Algorithm::Sha256, b"layer")
    }

    fn key<'a>(digest: &'a Digest, repository: &'a str) -> UploadKey<'a> {
        UploadKey::new(repository, digest)
    }

    #[test]
    fn what_is_noted_is_recalled_by_the_next_process() {
        let directory = tempfile::tempdir().expect("a directory");
        let digest = digest();
        let key = key(&digest, "https://ghcr.io/v2/o/n/");
        let first = DirectoryJournal::new(directory.path());
        assert_eq!(first.recall(&key), None);
        first.note(&key, "https://ghcr.io/v2/o/n/blobs/upload/14.longer");
        first.note(&key, "https://ghcr.io/v2/o/n/blobs/upload/15");
        let second = DirectoryJournal::new(directory.path());
        assert_eq!(second.recall(&key), None, "the first still uses it");
        second.forget(&key);
        drop(first);
        let found = second.recall(&key);
        assert_eq!(
            found.as_deref(),
            Some("https://ghcr.io/v2/o/n/blobs/upload/15")
        );
        let other = UploadKey::new("https://ghcr.io/v2/o/other/", &digest);
        assert_eq!(second.recall(&other), None);
        second.forget(&key);
        assert_eq!(DirectoryJournal::new(directory.path()).recall(&key), None);
    }

    #[test]
    fn what_is_old_or_damaged_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let digest = digest();
        let key = key(&digest, "https://ghcr.io/v2/o/n/");
        let journal = DirectoryJournal::new(directory.path());
        journal.note(&key, "https://ghcr.io/u");
        let path = journal.path(&key);
        drop(journal);
        let old = std::time::SystemTime::now() - LIFETIME - Duration::from_mins(1);
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("it is there");
        file.set_modified(old).expect("its time can be set");
        assert_eq!(DirectoryJournal::new(directory.path()).recall(&key), None);
        assert!(!path.exists());
        for damage in [&b""[..], b"\n", b"\xff\xfe"] {
            fs::write(&path, damage).expect("writable");
            assert_eq!(DirectoryJournal::new(directory.path()).recall(&key), None);
        }
    }

    #[test]
    fn a_directory_that_cannot_be_written_does_no_harm() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let digest = digest();
        let key = key(&digest, "https://ghcr.io/v2/o/n/");
        let journal = DirectoryJournal::new(file.path());
        journal.note(&key, "https://ghcr.io/u");
        assert_eq!(journal.recall(&key), None);
        journal.forget(&key);
    }
}
