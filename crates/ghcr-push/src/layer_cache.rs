//! What layers of earlier pushes became, one small file for each in the user's cache directory. It can be
//! deleted at any time, and nothing in it is believed without a look at the registry.

use std::io::Write as _;
use std::path::PathBuf;

use oci_archive::Digest;
use oci_push::LayerCache;

/// The cache in a directory.
#[derive(Debug)]
pub(crate) struct DirectoryCache {
    directory: PathBuf,
}

impl DirectoryCache {
    /// The cache in `directory`, which need not exist.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn path(&self, diff_id: &Digest, settings: &str) -> PathBuf {
        let name = format!("{}-{}", diff_id.algorithm().as_str(), diff_id.hex());
        self.directory.join("layers").join(settings).join(name)
    }
}

impl LayerCache for DirectoryCache {
    fn look_up(&self, diff_id: &Digest, settings: &str) -> Option<(Digest, u64)> {
        let text = std::fs::read_to_string(self.path(diff_id, settings)).ok()?;
        let (digest, size) = text.trim_end().split_once(' ')?;
        Some((digest.parse().ok()?, size.parse().ok()?))
    }

    fn note(&self, diff_id: &Digest, settings: &str, digest: &Digest, size: u64) {
        let path = self.path(diff_id, settings);
        // A cache that cannot be written is none, and no reason to say anything.
        let _ = path.parent().map(|directory| {
            std::fs::create_dir_all(directory)?;
            // Complete or absent, whoever else writes or looks.
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            writeln!(file, "{digest} {size}")?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok::<(), std::io::Error>(())
        });
    }
}

#[cfg(test)]
mod tests {
    use oci_archive::Algorithm;

    use super::*;

    #[test]
    fn what_is_noted_is_found() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = DirectoryCache::new(directory.path().join("deeper"));
        let [raw, compressed, other] = ["raw", "compressed", "other"]
            .map(|text| Digest::of(Algorithm::Sha256, text.as_bytes()));
        assert_eq!(cache.look_up(&raw, "gzip-6-1"), None);
        cache.note(&raw, "gzip-6-1", &other, 7);
        cache.note(&raw, "gzip-6-1", &compressed, 42);
        let found = Some((compressed, 42));
        assert_eq!(cache.look_up(&raw, "gzip-6-1"), found);
        assert_eq!(cache.look_up(&raw, "gzip-9-1"), None);
        assert_eq!(cache.look_up(&other, "gzip-6-1"), None);
    }

    #[test]
    fn a_damaged_entry_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = DirectoryCache::new(directory.path().to_owned());
        let raw = Digest::of(Algorithm::Sha256, b"raw");
        cache.note(&raw, "gzip-6-1", &raw, 1);
        for damage in ["", "x", "sha256:00 1", "sha256:../../x 1\n", "\u{0}\u{0}"] {
            std::fs::write(cache.path(&raw, "gzip-6-1"), damage).expect("writable");
            assert_eq!(cache.look_up(&raw, "gzip-6-1"), None, "{damage:?}");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_written_does_no_harm() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let cache = DirectoryCache::new(file.path().to_owned());
        let raw = Digest::of(Algorithm::Sha256, b"raw");
        cache.note(&raw, "gzip-6-1", &raw, 1);
        assert_eq!(cache.look_up(&raw, "gzip-6-1"), None);
    }
}
