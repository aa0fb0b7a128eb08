//! The files that take the result of a push: `--digestfile`, `--image-refs`, `--metadata-file`.
//!
//! They are opened before the push, since an image that is published and a digest that is lost make a poor
//! end of a job. What they hold from before stays until there is something to put in its place.

mod distinct;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use oci_push::PushReport;

use crate::args::ResultArguments;
use crate::error::{CliError, Kind};
use crate::output::Printer;
pub(crate) use distinct::check as check_distinct;

/// What a file is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The digest and nothing else, as `podman push --digestfile` writes it.
    Digest,
    /// `REFERENCE@DIGEST`, one a line, as `crane push --image-refs` writes it.
    ImageRefs,
    /// A JSON object with the keys of `docker buildx build --metadata-file`.
    Metadata,
}

impl Form {
    fn option(self) -> &'static str {
        match self {
            Self::Digest => "--digestfile",
            Self::ImageRefs => "--image-refs",
            Self::Metadata => "--metadata-file",
        }
    }

    fn content(self, report: &PushReport, printer: &Printer) -> Option<String> {
        match self {
            Self::Digest => Some(report.image.as_ref()?.digest.to_string()),
            Self::ImageRefs => {
                let mut lines: Vec<String> = image_refs(report).collect();
                lines.push(String::new());
                Some(lines.join("\n"))
            }
            Self::Metadata => Some(format!("{:#}\n", printer.metadata(report))),
        }
    }
}

/// `REFERENCE@DIGEST` of every reference that was published.
pub(crate) fn image_refs(report: &PushReport) -> impl Iterator<Item = String> {
    let references = report.references.iter();
    references.filter_map(|entry| {
        let digest = entry.digest.as_ref()?;
        Some(format!("{}@{digest}", entry.reference))
    })
}

/// The files that are asked for.
#[derive(Debug)]
pub(crate) struct ResultFiles(Vec<(Form, ResultFile)>);

impl ResultFiles {
    /// Opens or makes them.
    ///
    /// # Errors
    ///
    /// If one of them cannot be written to, is to hold two things, or is called as standard output is elsewhere.
    pub(crate) fn open(arguments: &ResultArguments) -> Result<Self, CliError> {
        let asked = [
            (Form::Digest, &arguments.digestfile),
            (Form::ImageRefs, &arguments.image_refs),
            (Form::Metadata, &arguments.metadata_file),
        ];
        let mut files: Vec<(Form, ResultFile)> = Vec::new();
        for (form, path) in asked {
            let Some(path) = path else { continue };
            if path.as_os_str() == "-" {
                let message = format!("{}: - names no file", form.option());
                return Err(CliError::usage(message).hint(
                    "standard output has the references with their digests, or with --json all; write ./- for a \
                     file of that name",
                ));
            }
            let is_it =
                |file: &ResultFile| file.path == *path || distinct::is_same(&file.path, path);
            if let Some((other, _)) = files.iter().find(|(_, file)| is_it(file)) {
                let (other, own) = (other.option(), form.option());
                let message = format!("{other} and {own} name one file: {}", path.display());
                return Err(CliError::usage(message));
            }
            let file = ResultFile::open(path).map_err(|error| {
                let message = format!("{}: {} cannot be written", form.option(), path.display());
                CliError::usage(message).caused_by(&error)
            })?;
            files.push((form, file));
        }
        Ok(Self(files))
    }

    /// Replaces what they hold by the result.
    ///
    /// # Errors
    ///
    /// If one of them cannot be written to after all; the others are written all the same.
    pub(crate) fn write(self, report: &PushReport, printer: &Printer) -> Result<(), CliError> {
        let mut failed = None;
        for (form, file) in self.0 {
            let path = file.path.clone();
            let written = match form.content(report, printer) {
                Some(content) => file.write(&content),
                None => Ok(()),
            };
            if let Err(error) = written {
                let path = path.display();
                let message = format!("the image is published, but {path} cannot be written");
                let error = CliError::new(Kind::Internal, message).caused_by(&error);
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// A file that is ready to be written.
#[derive(Debug)]
struct ResultFile {
    path: PathBuf,
    file: File,
    /// It was made for this push, and nothing is in it: it goes away with a push that fails.
    is_unused: bool,
}

impl ResultFile {
    /// Opens or makes the file.
    ///
    /// # Errors
    ///
    /// If it cannot be written to.
    fn open(path: &Path) -> io::Result<Self> {
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
    fn write(mut self, content: &str) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(content.as_bytes())?;
        self.is_unused = false;
        Ok(())
    }
}

impl Drop for ResultFile {
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

        drop(ResultFile::open(&path).expect("it can be made"));
        assert_eq!(text(), None, "it went away with the push");

        let file = ResultFile::open(&path).expect("it can be made");
        file.write("a long digest").expect("it can be written");
        assert_eq!(text().as_deref(), Some("a long digest"));

        drop(ResultFile::open(&path).expect("it can be opened"));
        assert_eq!(
            text().as_deref(),
            Some("a long digest"),
            "it is another push's"
        );

        let file = ResultFile::open(&path).expect("it can be opened");
        file.write("short").expect("it can be written");
        assert_eq!(text().as_deref(), Some("short"));

        assert!(ResultFile::open(&directory.path().join("absent/digest")).is_err());
        assert!(ResultFile::open(directory.path()).is_err());
    }

    #[test]
    fn one_file_holds_one_thing() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("result");
        std::fs::create_dir(directory.path().join("sub")).expect("it can be made");
        for again in [path.clone(), directory.path().join("sub/../result")] {
            let arguments = ResultArguments {
                digestfile: Some(path.clone()),
                image_refs: None,
                metadata_file: Some(again),
            };
            let error = ResultFiles::open(&arguments).expect_err("it cannot");
            let expected = "--digestfile and --metadata-file name one file: ";
            assert!(error.message.starts_with(expected), "{}", error.message);
            assert!(!path.exists(), "it is not left behind");
        }
    }
}
