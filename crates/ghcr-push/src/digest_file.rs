//! The file of `--digestfile`, which takes the digest as `podman push --digestfile` writes it.
//!
//! It is opened before the push, since an image that is published and a digest that is lost make a poor
//! end of a job. What it holds from before stays until there is something to put in its place.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// A file that is ready to be written.
#[derive(Debug)]
pub(crate) struct DigestFile {
    path: PathBuf,
    file: File,
    /// It was made for this push, and nothing is in it: it goes away with a push that fails.
    is_unused: bool,
}

impl DigestFile {
    /// Opens or makes the file.
    ///
    /// # Errors
    ///
    /// If it cannot be written to.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true);
        let (file, is_unused) = match options.clone().create_new(true).open(path) {
            // It may be a pipe or a device just as well.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                (options.create(true).truncate(false).open(path)?, false)
            }
            made => (made?, true),
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            is_unused,
        })
    }

    /// Replaces what the file holds.
    ///
    /// # Errors
    ///
    /// If it cannot be written to after all.
    pub(crate) fn write(mut self, digest: &str) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(digest.as_bytes())?;
        self.is_unused = false;
        Ok(())
    }
}

impl Drop for DigestFile {
    fn drop(&mut self) {
        if self.is_unused {
            // An empty file that stays behind does little harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_only_by_success() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("digest");
        let text = || std::fs::read_to_string(&path).ok();

        drop(DigestFile::open(&path).expect("it can be made"));
        assert_eq!(text(), None, "it went away with the push");

        let file = DigestFile::open(&path).expect("it can be made");
        file.write("a long digest").expect("it can be written");
        assert_eq!(text().as_deref(), Some("a long digest"));

        drop(DigestFile::open(&path).expect("it can be opened"));
        assert_eq!(
            text().as_deref(),
            Some("a long digest"),
            "it is another push's"
        );

        let file = DigestFile::open(&path).expect("it can be opened");
        file.write("short").expect("it can be written");
        assert_eq!(text().as_deref(), Some("short"));

        assert!(DigestFile::open(&directory.path().join("absent/digest")).is_err());
        assert!(DigestFile::open(directory.path()).is_err());
    }
}
