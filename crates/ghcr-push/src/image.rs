//! From operands and options to the image that is pushed.

use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use oci_archive::{
    Annotation, Archive, Attestations, CompressionFormat, CompressionSettings, Compressor, Content,
    Notice, OpenError, OpenOptions, PlatformFilter, Scratch,
};
use oci_push::{LayerCache, NoCache, Workshop};

use crate::args::image::{self, ImageArguments};
use crate::env::Environment;
use crate::error::{CliError, Kind, hint_for_archive};
use crate::layer_cache::DirectoryCache;
use crate::nearest::nearest_platform;
use crate::operands::{self, ImageOperand, similar_file};
use crate::output::Printer;

/// What the options say, understood.
#[derive(Debug, Clone)]
pub(crate) struct ImageSettings {
    pub(crate) open: OpenOptions,
    pub(crate) compression: CompressionSettings,
    /// Whether the format was asked for, or a level, which means the one or the other format.
    pub(crate) insists_on_format: bool,
    preserve_digests: bool,
    annotations: Vec<Annotation>,
    scratch: Scratch,
}

impl ImageSettings {
    /// Understands the options.
    ///
    /// # Errors
    ///
    /// A usage error that names the option at fault.
    pub(crate) fn of(
        arguments: &ImageArguments,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let format = match arguments.compression_format {
            Some(image::CompressionFormat::Gzip) | None => CompressionFormat::Gzip,
            Some(image::CompressionFormat::Zstd) => CompressionFormat::Zstd,
            Some(image::CompressionFormat::None) => CompressionFormat::None,
        };
        let compression = CompressionSettings::new(format, arguments.compression_level)
            .map_err(|reason| CliError::usage(format!("--compression-level: {reason}")))?;
        let scratch = Scratch::new(environment.temporary_directory.clone());
        let mut open = OpenOptions::default();
        open.select = arguments.image.as_deref().map(operands::selection);
        open.platforms = platforms(&arguments.platforms)?;
        open.only_present = arguments.only_present;
        open.attestations = match arguments.attestations {
            image::Attestations::Keep => Attestations::Keep,
            image::Attestations::Strip => Attestations::Strip,
        };
        open.referrers = arguments.referrers;
        // Where the archive has a manifest over uncompressed layers, nobody asked for another one then.
        open.verbatim = arguments.preserve_digests || format == CompressionFormat::None;
        open.scratch = Some(scratch.clone());
        Ok(Self {
            open,
            compression,
            insists_on_format: arguments.compression_format.is_some()
                || arguments.compression_level.is_some(),
            preserve_digests: arguments.preserve_digests,
            annotations: annotations(&arguments.annotations)?,
            scratch,
        })
    }

    /// Adds the annotations that are asked for.
    ///
    /// # Errors
    ///
    /// If one is for an index, and there is none.
    fn annotate(&self, content: &mut Content) -> Result<(), CliError> {
        content.annotate(&self.annotations).map_err(|error| {
            CliError::new(Kind::Image, "the image cannot be annotated").caused_by(&error)
        })
    }

    /// What compresses layers.
    pub(crate) fn compressor(&self) -> Compressor {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Compressor::new(self.compression, threads, self.scratch.clone())
    }

    /// What drafts are finished with.
    pub(crate) fn workshop(&self, environment: &Environment) -> Workshop {
        let cache: Arc<dyn LayerCache> = match environment.cache_directory() {
            Some(directory) => Arc::new(DirectoryCache::new(directory)),
            None => Arc::new(NoCache),
        };
        let mut workshop = Workshop::new(Arc::new(self.compressor()), cache);
        workshop.insists_on_format = self.insists_on_format;
        workshop
    }
}

fn platforms(texts: &[String]) -> Result<Vec<PlatformFilter>, CliError> {
    let items = texts.iter().flat_map(|text| text.split([',', '\n']));
    items
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| {
            item.parse()
                .map_err(|error| CliError::usage(format!("--platform {item:?}: {error}")))
        })
        .collect()
}

fn annotations(texts: &[String]) -> Result<Vec<Annotation>, CliError> {
    let items = texts.iter().map(|text| text.trim());
    items
        .filter(|item| !item.is_empty())
        .map(|item| {
            item.parse()
                .map_err(|error| CliError::usage(format!("--annotation {item:?}: {error}")))
        })
        .collect()
}

/// Opens every archive and makes one image of them.
pub(crate) fn open(
    operands: &[ImageOperand],
    settings: &ImageSettings,
    environment: &Environment,
    printer: &Printer,
) -> Result<Content, CliError> {
    let mut contents = Vec::new();
    let mut told: Vec<Notice> = Vec::new();
    for operand in operands {
        let archive = archive(operand, settings, environment, printer, Purpose::Push)?;
        let read = archive.read(&options(operand, settings));
        let content = read
            .map_err(|error| refused(operand, &error, settings, Purpose::Push))?
            .called(operand.name());
        for notice in content.notices() {
            printer.notice(&format!("notice: {}: {notice}", operand.name()));
            told.push(notice.clone());
        }
        contents.push(content);
    }
    let content = put_together(contents, settings)?;
    if operands.len() > 1 {
        let count = operands.len();
        printer.notice(&format!(
            "notice: {count} images become one index, which is new"
        ));
    }
    // What comes of putting together and of annotations.
    let notices = content.notices().iter();
    for notice in notices.filter(|notice| !told.contains(notice)) {
        printer.notice(&format!("notice: {notice}"));
    }
    // One image out of an index keeps its digest.
    let reason = if content.is_verbatim() {
        ""
    } else {
        "the digest is not the archive's: "
    };
    for change in content.changes() {
        printer.notice(&format!("notice: {reason}{change}"));
    }
    Ok(content)
}

/// Makes of what the archives hold what is pushed: one image, or an index, with the annotations that are
/// asked for.
///
/// # Errors
///
/// If they cannot be merged or annotated, or a digest cannot be preserved.
pub(crate) fn put_together(
    contents: Vec<Content>,
    settings: &ImageSettings,
) -> Result<Content, CliError> {
    let mut content = oci_archive::merge(contents).map_err(|error| {
        CliError::new(Kind::Image, "the image cannot be put together").caused_by(&error)
    })?;
    settings.annotate(&mut content)?;
    preserved(&content, settings.preserve_digests)?;
    Ok(content)
}

/// What an archive is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To push it.
    Push,
    /// To show what is in it.
    Inspect,
}

impl Purpose {
    /// What did not come about, as the end of a sentence.
    fn denial(self) -> &'static str {
        match self {
            Self::Push => "cannot be pushed",
            Self::Inspect => "cannot be read",
        }
    }

    /// What else standard input could have been.
    fn example(self) -> &'static str {
        match self {
            Self::Push => "docker save name | ghcr-push - ghcr.io/owner/name:tag",
            Self::Inspect => "docker save name | ghcr-push inspect -",
        }
    }
}

/// Opens an archive, whatever its kind.
pub(crate) fn archive(
    operand: &ImageOperand,
    settings: &ImageSettings,
    environment: &Environment,
    printer: &Printer,
    purpose: Purpose,
) -> Result<Archive, CliError> {
    let options = options(operand, settings);
    let opened = if operand.is_stdin() {
        if environment.stdin_is_terminal {
            return Err(
                CliError::usage("standard input is a terminal, not an image")
                    .hint(format!("pipe an archive in: {}", purpose.example())),
            );
        }
        printer.while_reading(io::stdin().lock(), |input| {
            Archive::from_reader(input, Path::new("standard input"), &options)
        })
    } else {
        Archive::open(&operand.path, &options)
    };
    opened.map_err(|error| refused(operand, &error, settings, purpose))
}

/// How to read what an operand names.
pub(crate) fn options(operand: &ImageOperand, settings: &ImageSettings) -> OpenOptions {
    let mut options = settings.open.clone();
    options.format = operand.format;
    options.select = operand.select.clone().or(options.select);
    options
}

/// What the user is told of an archive that is refused.
pub(crate) fn refused(
    operand: &ImageOperand,
    error: &OpenError,
    settings: &ImageSettings,
    purpose: Purpose,
) -> CliError {
    let message = format!("{} {}", operand.name(), purpose.denial());
    let refused = CliError::new(Kind::Image, message).caused_by(error);
    let hint = hint_for_archive(error, &settings.open).map(str::to_owned);
    match guess(operand, error).or(hint) {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

/// What was probably meant instead of a name that is not there.
fn guess(operand: &ImageOperand, error: &OpenError) -> Option<String> {
    match error {
        OpenError::NoPlatform { wanted, available } => {
            let near = nearest_platform(wanted.first()?, available.iter().map(String::as_str))?;
            Some(format!("did you mean {near}?"))
        }
        OpenError::Read { .. } if !operand.is_stdin() && !operand.path.exists() => {
            similar_file(&operand.path)
        }
        // What an archive is, is found out where no prefix insists on something else.
        OpenError::WrongFormat { .. } if operand.format.is_some() => {
            Some(format!("leave the prefix out: write {}", operand.name()))
        }
        _ => None,
    }
}

/// Holds `--preserve-digests`: every manifest of an archive stays as it is. The index over several archives
/// is in none of them.
fn preserved(content: &Content, is_asked_for: bool) -> Result<(), CliError> {
    if !is_asked_for || content.is_verbatim() {
        return Ok(());
    }
    let mut error = CliError::new(Kind::Image, "the digest cannot be preserved");
    if matches!(content, Content::Draft(_)) {
        let cause = "a docker-save archive has no manifest that could be kept";
        error.causes.push(cause.to_owned());
        return Err(error
            .hint("leave out --preserve-digests, or export an OCI layout and push that as it is"));
    }
    error.causes.extend_from_slice(content.changes());
    Err(error.hint("leave out --preserve-digests, or the option that changes the image"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(arguments: &ImageArguments) -> Result<ImageSettings, String> {
        ImageSettings::of(arguments, &Environment::of(&[])).map_err(|error| error.message)
    }

    #[test]
    fn lists() {
        let settings = understood(&ImageArguments {
            platforms: vec![
                "linux/amd64,linux/arm64\n".to_owned(),
                "linux/arm/v7".to_owned(),
            ],
            annotations: vec!["a=b,c".to_owned(), String::new(), "index:d=e".to_owned()],
            ..ImageArguments::default()
        });
        let settings = settings.expect("sound");
        assert_eq!(settings.open.platforms.len(), 3);
        assert_eq!(settings.annotations.len(), 2);
        assert_eq!(settings.annotations[0].value, "b,c");
    }

    #[test]
    fn a_level_is_one_of_a_format() {
        for (format, level, insists) in [
            (None, None, false),
            (None, Some(9), true),
            (Some(image::CompressionFormat::Zstd), None, true),
        ] {
            let settings = understood(&ImageArguments {
                compression_format: format,
                compression_level: level,
                ..ImageArguments::default()
            });
            let settings = settings.expect("sound");
            assert_eq!(settings.insists_on_format, insists, "{format:?} {level:?}");
        }
    }

    /// Nobody types an archive. The pipe of the tests is no terminal, and is not read here.
    #[test]
    fn standard_input_is_no_terminal() {
        let mut environment = Environment::of(&[]);
        environment.stdin_is_terminal = true;
        let settings = understood(&ImageArguments::default()).expect("sound");
        let operands = operands::read_images(&["-".to_owned()], |_| false).expect("sound");
        let printer = Printer::plain(&environment);
        for (purpose, example) in [
            (Purpose::Push, "ghcr-push - ghcr.io/owner/name:tag"),
            (Purpose::Inspect, "ghcr-push inspect -"),
        ] {
            let opened = archive(&operands[0], &settings, &environment, &printer, purpose);
            let error = opened.expect_err("a terminal is refused");
            assert_eq!(error.kind, Kind::Usage);
            assert_eq!(error.message, "standard input is a terminal, not an image");
            let hint = error.hint.unwrap_or_default();
            assert!(hint.ends_with(example), "{hint}");
        }
    }

    #[test]
    fn mistakes() {
        for (arguments, words) in [
            (
                ImageArguments {
                    platforms: vec!["amd64".to_owned()],
                    ..ImageArguments::default()
                },
                "--platform \"amd64\"",
            ),
            (
                ImageArguments {
                    annotations: vec!["layer:a=b".to_owned()],
                    ..ImageArguments::default()
                },
                "--annotation \"layer:a=b\"",
            ),
            (
                ImageArguments {
                    compression_level: Some(12),
                    ..ImageArguments::default()
                },
                "between 1 and 9",
            ),
        ] {
            let message = understood(&arguments).expect_err("a mistake");
            assert!(message.contains(words), "{message}");
        }
    }
}
