//! Which operands are images and which are references.

mod guess;

use std::path::{Path, PathBuf};

use oci_archive::{Format, Selection};
use oci_push::Profile;

use crate::error::{CliError, Kind};
use crate::nearest::nearest_file;
use crate::reference::{is_host, shown};

/// An image as named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageOperand {
    pub(crate) path: PathBuf,
    /// Enforced if a prefix was given.
    pub(crate) format: Option<Format>,
    /// Which of its images, if that stands behind the path.
    pub(crate) select: Option<Selection>,
}

/// Prefixes that name a format, as skopeo and oras write them
/// (<https://github.com/containers/image/blob/main/docs/containers-transports.5.md>).
const PREFIXES: [(&str, Format); 4] = [
    ("oci-archive:", Format::OciArchive),
    ("docker-archive:", Format::DockerArchive),
    ("oci-layout://", Format::OciDirectory),
    ("oci:", Format::OciDirectory),
];

impl ImageOperand {
    /// Whether it is standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        if self.is_stdin() {
            "standard input".to_owned()
        } else {
            self.path.display().to_string()
        }
    }
}

/// Splits the operands into images and references. `exists` tells whether a path does.
///
/// # Errors
///
/// A usage error if either is missing or empty or the order is wrong; an image error if a file is missing.
pub(crate) fn split(
    operands: &[String],
    exists: impl Fn(&str) -> bool,
) -> Result<(Vec<ImageOperand>, Vec<String>), CliError> {
    if let Some(position) = operands.iter().position(|operand| is_empty(operand)) {
        return Err(empty(operands, position));
    }
    if let Some(error) = guess::subcommand(operands, &exists) {
        return Err(error);
    }
    let is_image = |operand: &str| is_image(operand, &exists);
    let count = operands
        .iter()
        .take_while(|operand| is_image(operand))
        .count();
    let (images, references) = operands.split_at(count);
    if let Some(late) = references.iter().find(|operand| is_image(operand)) {
        let message = format!("the image {late:?} stands after a reference");
        let hint = "images come first: ghcr-push image.tar ghcr.io/owner/name:tag";
        return Err(CliError::usage(message).hint(hint));
    }
    let Some(first) = images.first() else {
        return Err(missing(operands));
    };
    if references.is_empty() {
        return Err(CliError::usage("no reference says where to push the image")
            .hint(format!("ghcr-push {first} ghcr.io/OWNER/NAME:TAG")));
    }
    Ok((read_images(images, exists)?, references.to_vec()))
}

/// Whether an operand is an image: it is `-`, bears a prefix, or exists.
pub(crate) fn is_image(operand: &str, exists: impl Fn(&str) -> bool) -> bool {
    operand == "-" || prefixed(operand).is_some() || exists(operand)
}

/// Refuses to read both the image and the password from standard input.
///
/// # Errors
///
/// A usage error that tells the other way.
pub(crate) fn check_stdin(images: &[ImageOperand], password_stdin: bool) -> Result<(), CliError> {
    if password_stdin && images.iter().any(ImageOperand::is_stdin) {
        let error = CliError::usage("standard input cannot be both the image and the password");
        return Err(error.hint("give the token in GHCR_PUSH_TOKEN"));
    }
    Ok(())
}

/// Operands that are images, all of them. `exists` tells whether a path does.
///
/// # Errors
///
/// A usage error if one is empty, or standard input is named twice.
pub(crate) fn read_images(
    images: &[String],
    exists: impl Fn(&str) -> bool,
) -> Result<Vec<ImageOperand>, CliError> {
    if let Some(position) = images.iter().position(|image| image.trim().is_empty()) {
        return Err(nothing(&images[position], position, "an image"));
    }
    let operands: Vec<ImageOperand> = images.iter().map(|image| operand(image, &exists)).collect();
    let mut named = images.iter().zip(&operands);
    if let Some((prefix, _)) = named.find(|(_, operand)| operand.path.as_os_str().is_empty()) {
        return Err(
            CliError::usage(format!("{prefix} stands there without a path"))
                .hint(format!("write {prefix}PATH, or the path alone")),
        );
    }
    if operands.iter().filter(|operand| operand.is_stdin()).count() > 1 {
        return Err(CliError::usage("standard input can be read once only"));
    }
    Ok(operands)
}

/// Which image `--image` means: `@N`, or a name.
pub(crate) fn selection(text: &str) -> Selection {
    match text
        .strip_prefix('@')
        .and_then(|position| position.parse().ok())
    {
        Some(position) => Selection::Index(position),
        None => Selection::Name(text.to_owned()),
    }
}

fn operand(image: &str, exists: impl Fn(&str) -> bool) -> ImageOperand {
    let Some((operand, format)) = prefixed(image) else {
        return ImageOperand {
            path: image.into(),
            format: None,
            select: None,
        };
    };
    let (path, name) = match behind_path(operand, exists) {
        Some((path, name)) => (path, Some(name)),
        None => (operand, None),
    };
    ImageOperand {
        path: path.into(),
        format: Some(format),
        select: name.map(selection),
    }
}

/// A path and the image's name behind it, as skopeo writes them: `oci-archive:PATH:NAME`. Either may hold
/// colons; the path is what exists.
fn behind_path(operand: &str, exists: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    if exists(operand) {
        return None;
    }
    let colons = operand.match_indices(':');
    let mut splits = colons.map(|(at, _)| (&operand[..at], &operand[at + 1..]));
    splits.find(|(path, name)| !name.is_empty() && exists(path))
}

fn prefixed(operand: &str) -> Option<(&str, Format)> {
    PREFIXES
        .iter()
        .find_map(|(prefix, format)| Some((operand.strip_prefix(prefix)?, *format)))
}

/// Whether an operand names nothing at all, as a shell variable that is not set does. A list without
/// an item is as empty.
fn is_empty(operand: &str) -> bool {
    operand
        .split([',', '\n'])
        .all(|part| part.trim().is_empty())
}

/// An operand is empty: the first stands where the image does, the last where a reference does.
fn empty(operands: &[String], position: usize) -> CliError {
    let what = match position {
        0 => "the image",
        position if position + 1 == operands.len() => "a reference",
        _ => "an image or a reference",
    };
    nothing(&operands[position], position, what)
}

fn nothing(operand: &str, position: usize, what: &str) -> CliError {
    let number = position + 1;
    CliError::usage(format!(
        "argument {number} is {operand:?}, which names nothing where {what} should stand"
    ))
    .hint("check that the variable it comes from is set")
}

/// The first operand is no image: a file that is missing, or no image was given at all.
fn missing(operands: &[String]) -> CliError {
    let first = &shown(operands.first().map_or("", String::as_str));
    if is_reference(first, operands.len() == 1) {
        CliError::usage("no image was given").hint(format!(
            "name the archive first: ghcr-push image.tar {first}"
        ))
    } else {
        let error = CliError::new(Kind::Image, format!("{first}: no such file or directory"));
        let hint = guess::foreign_prefix(operands)
            .or_else(|| similar_file(Path::new(first)))
            .or_else(|| guess::stored_image(operands));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// What to say of a file that is not there, and perhaps mistyped.
pub(crate) fn similar_file(path: &Path) -> Option<String> {
    let near = nearest_file(path)?;
    Some(format!("did you mean {near}?"))
}

/// How archives' names end.
const ENDINGS: [&str; 6] = ["tar", "tgz", "gz", "zst", "xz", "bz2"];

/// Whether an operand that stands where the image does is a reference. Its first component may as well be
/// a directory with a dot in its name: where others follow, a reference has something that a path
/// seldom has.
pub(crate) fn is_reference(operand: &str, is_alone: bool) -> bool {
    let Some((host, name)) = operand.split_once('/') else {
        return false;
    };
    if !is_host(host) || host.starts_with('.') {
        return false;
    }
    let is_certain =
        host == "localhost" || host.contains(':') || Profile::of_host(host) == Profile::Ghcr;
    is_certain || (!is_archive_name(name) && (is_alone || name.contains(':')))
}

/// Whether a name ends as an archive's does.
pub(crate) fn is_archive_name(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operands: &[&str]) -> Result<(String, usize), String> {
        let operands: Vec<String> = operands.iter().map(|text| (*text).to_owned()).collect();
        split(&operands, |path| path == "image.tar" || path == "other.tar")
            .map(|(images, references)| {
                let paths: Vec<String> = images
                    .iter()
                    .map(|image| image.path.display().to_string())
                    .collect();
                (paths.join(" "), references.len())
            })
            .map_err(|error| format!("{} {}", error.kind.code(), error.message))
    }

    /// Behind a prefix, and behind what exists, stands the image's name.
    #[test]
    fn names_behind_paths() {
        let name = |name: &str| Some(Selection::Name(name.to_owned()));
        for (operand, path, select) in [
            ("oci-archive:image.tar", "image.tar", None),
            ("oci-archive:image.tar:1.2", "image.tar", name("1.2")),
            ("docker-archive:image.tar:o/n:1", "image.tar", name("o/n:1")),
            (
                "docker-archive:image.tar:@1",
                "image.tar",
                Some(Selection::Index(1)),
            ),
            ("oci:image.tar:", "image.tar:", None),
            ("oci:absent:1", "absent:1", None),
            ("oci:a:b", "a:b", None),
            ("oci:a:b:c", "a:b", name("c")),
            ("image.tar:1", "image.tar:1", None),
        ] {
            let exists = |path: &str| ["image.tar", "a:b"].contains(&path);
            let images = read_images(&[operand.to_owned()], exists).expect("sound");
            assert_eq!(images[0].path, PathBuf::from(path), "{operand}");
            assert_eq!(images[0].select, select, "{operand}");
        }
    }

    #[test]
    fn operands() {
        let image = |path: &str, references| Ok((path.to_owned(), references));
        let refused = |message: &str| Err(message.to_owned());
        for (operands, expected) in [
            (&["image.tar", "ghcr.io/o/n:1"][..], image("image.tar", 1)),
            (
                &["image.tar", "ghcr.io/o/n:1", "ghcr.io/o/m"],
                image("image.tar", 2),
            ),
            (
                &["oci-archive:absent.tar", "ghcr.io/o/n"],
                image("absent.tar", 1),
            ),
            (
                &["oci-layout://directory", "ghcr.io/o/n"],
                image("directory", 1),
            ),
            (
                &["absent.tar", "ghcr.io/o/n"],
                refused("3 absent.tar: no such file or directory"),
            ),
            (
                &["./absent.tar", "ghcr.io/o/n"],
                refused("3 ./absent.tar: no such file or directory"),
            ),
            (
                &["my.dir/image.tar", "ghcr.io/o/n:1"],
                refused("3 my.dir/image.tar: no such file or directory"),
            ),
            (
                &["my.dir/layout", "ghcr.io/o/n:1"],
                refused("3 my.dir/layout: no such file or directory"),
            ),
            (
                &["my.dir/image.tar"],
                refused("3 my.dir/image.tar: no such file or directory"),
            ),
            (&["ghcr.io/o/n"], refused("2 no image was given")),
            (&["ghcr.io/o/n:1.tar"], refused("2 no image was given")),
            (&["registry.example/o/n"], refused("2 no image was given")),
            (
                &["registry.example/o/n:1", "registry.example/o/n:2"],
                refused("2 no image was given"),
            ),
            (
                &["https://user:pass@ghcr.io/o/n"],
                refused("2 no image was given"),
            ),
            (
                &["user:pass@my.dir/image.tar", "ghcr.io/o/n"],
                refused("3 my.dir/image.tar: no such file or directory"),
            ),
            (
                &["localhost:5000/n", "ghcr.io/o/n"],
                refused("2 no image was given"),
            ),
            (
                &["image.tar"],
                refused("2 no reference says where to push the image"),
            ),
            (
                &["ghcr.io/o/n", "image.tar"],
                refused("2 the image \"image.tar\" stands after a reference"),
            ),
            (
                &["image.tar", "other.tar", "ghcr.io/o/n"],
                image("image.tar other.tar", 1),
            ),
            (&["-", "ghcr.io/o/n"], image("-", 1)),
            (&["docker-archive:x", "ghcr.io/o/n"], image("x", 1)),
            (
                &["", "ghcr.io/o/n"],
                refused("2 argument 1 is \"\", which names nothing where the image should stand"),
            ),
            (
                &["image.tar", ""],
                refused("2 argument 2 is \"\", which names nothing where a reference should stand"),
            ),
            (
                &["image.tar", " , \n"],
                refused(
                    "2 argument 2 is \" , \\n\", which names nothing where a reference should stand",
                ),
            ),
            (
                &["image.tar", "", "ghcr.io/o/n"],
                refused(
                    "2 argument 2 is \"\", which names nothing where an image or a reference should stand",
                ),
            ),
            (
                &["-", "-", "ghcr.io/o/n"],
                refused("2 standard input can be read once only"),
            ),
        ] {
            assert_eq!(check(operands), expected, "{operands:?}");
        }
    }
}
