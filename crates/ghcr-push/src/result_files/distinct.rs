//! Whether a file that is to take a result is one that the push reads: to write to it would destroy that.

use std::path::{Path, PathBuf};

use crate::args::Arguments;
use crate::error::CliError;
use crate::operands::ImageOperand;

/// What an OCI image layout has at its top
/// (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>).
const LAYOUT_FILES: [&str; 2] = ["index.json", "oci-layout"];

/// Refuses result files that are an image, or a file which another option reads, whatever paths or links lead there.
/// Nothing is opened.
///
/// # Errors
///
/// A usage error that names both.
pub(crate) fn check(arguments: &Arguments, images: &[ImageOperand]) -> Result<(), CliError> {
    let results = &arguments.results;
    let results = [
        ("--digestfile", &results.digestfile),
        ("--image-refs", &results.image_refs),
        ("--metadata-file", &results.metadata_file),
    ];
    let read = [
        ("--authfile", &arguments.credentials.authfile),
        ("--ca-file", &arguments.ca_file),
        ("--cert-file", &arguments.cert_file),
        ("--key-file", &arguments.key_file),
    ];
    for (option, path) in results {
        let Some(path) = path else { continue };
        if let Some(image) = images.iter().find(|image| is_of(path, image)) {
            let message = format!("{option} names the image itself: {}", path.display());
            return Err(CliError::usage(message).hint(format!(
                "name another file: the result would take the place of {}",
                image.name()
            )));
        }
        for (other, source) in read {
            if source.as_ref().is_some_and(|source| is_same(source, path)) {
                let message = format!("{option} and {other} name one file: {}", path.display());
                return Err(CliError::usage(message));
            }
        }
    }
    Ok(())
}

/// Whether a file is an image, or a part of one in a directory.
fn is_of(path: &Path, image: &ImageOperand) -> bool {
    if image.is_stdin() {
        // Where there is no such path, a redirected file is not recognised.
        return is_same(path, Path::new("/dev/stdin"));
    }
    let is_blob = || {
        let blobs = image.path.join("blobs");
        let names = blobs.canonicalize().ok().zip(path.canonicalize().ok());
        names.is_some_and(|(blobs, path)| path.starts_with(blobs))
            || entries(&blobs).any(|algorithm| entries(&algorithm).any(|blob| is_same(path, &blob)))
    };
    is_same(path, &image.path)
        || (image.path.is_dir()
            && (LAYOUT_FILES
                .iter()
                .any(|name| is_same(path, &image.path.join(name)))
                || is_blob()))
}

/// What a directory holds; nothing if it cannot be read.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// Whether two paths lead to one file. Pipes and devices lose nothing by being written to.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    identity(one).is_some_and(|own| identity(other) == Some(own))
}

/// What a file is known by, under each of its names.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
}

/// What a file is known by, but for hard links.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<std::path::PathBuf> {
    path.canonicalize().ok().filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(path: PathBuf) -> ImageOperand {
        ImageOperand {
            path,
            format: None,
            select: None,
        }
    }

    #[test]
    fn paths_to_one_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir(path("sub")).expect("it can be made");
        for name in ["image", "other"] {
            std::fs::write(path(name), "the same").expect("writable");
        }
        for (name, expected) in [
            ("image", true),
            ("sub/../image", true),
            ("other", false),
            ("absent", false),
        ] {
            assert_eq!(
                is_of(&path(name), &image(path("image"))),
                expected,
                "{name}"
            );
        }
        assert!(!is_of(&path("absent"), &image(path("absent"))));
        #[cfg(unix)]
        {
            std::fs::hard_link(path("image"), path("hard")).expect("it can be made");
            std::os::unix::fs::symlink("image", path("symbolic")).expect("it can be made");
            for name in ["hard", "symbolic"] {
                assert!(is_of(&path(name), &image(path("image"))), "{name}");
                assert!(is_of(&path("image"), &image(path(name))), "{name}");
            }
            let null = Path::new("/dev/null");
            assert!(!is_same(null, null), "a device loses nothing");
        }
    }

    #[test]
    fn parts_of_a_directory() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(path("blobs/sha256")).expect("it can be made");
        for name in ["index.json", "oci-layout", "blobs/sha256/0", "digest"] {
            std::fs::write(path(name), "").expect("writable");
        }
        for (name, expected) in [
            ("index.json", true),
            ("oci-layout", true),
            ("blobs/../index.json", true),
            ("blobs/sha256/0", true),
            ("digest", false),
            ("absent", false),
        ] {
            let layout = image(directory.path().to_owned());
            assert_eq!(is_of(&path(name), &layout), expected, "{name}");
        }
        #[cfg(unix)]
        {
            let elsewhere = tempfile::tempdir().expect("a temporary directory");
            let link = elsewhere.path().join("link");
            std::fs::hard_link(path("blobs/sha256/0"), &link).expect("it can be made");
            assert!(is_of(&link, &image(directory.path().to_owned())));
        }
    }
}
