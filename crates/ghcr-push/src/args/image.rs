//! The options that say which part of an archive is meant, and what becomes of it.

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

/// What is taken from the archives, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Image")]
pub(crate) struct ImageArguments {
    /// Which image of an archive that holds several: a name that it gives, or @N, counted from 0
    #[arg(long, value_name = "NAME[:TAG]|@N", env = "GHCR_PUSH_IMAGE")]
    pub(crate) image: Option<String>,

    /// Only these platforms of an index, such as linux/amd64; repeatable, lists accepted
    #[arg(
        long = "platform",
        value_name = "OS/ARCH[/VARIANT]",
        env = "GHCR_PUSH_PLATFORM"
    )]
    pub(crate) platforms: Vec<String>,

    /// Leave out what an index names and the archive lacks; changes the digest
    #[arg(long, env = "GHCR_PUSH_ONLY_PRESENT", value_parser = BoolishValueParser::new())]
    pub(crate) only_present: bool,

    /// What becomes of BuildKit's attestations
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Attestations::Keep,
          env = "GHCR_PUSH_ATTESTATIONS")]
    pub(crate) attestations: Attestations,

    /// Also push artifacts in the archive whose subject is what is pushed, such as signatures
    #[arg(long, env = "GHCR_PUSH_REFERRERS", value_parser = BoolishValueParser::new())]
    pub(crate) referrers: bool,

    /// How layers are compressed that arrive uncompressed [default: gzip]
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        env = "GHCR_PUSH_COMPRESSION_FORMAT"
    )]
    pub(crate) compression_format: Option<CompressionFormat>,

    /// How hard to try: gzip 1 to 9 [default: 2], zstd 1 to 19 [default: 3]; an image that the tag names already is
    /// not compressed again for it
    #[arg(long, value_name = "N", env = "GHCR_PUSH_COMPRESSION_LEVEL")]
    pub(crate) compression_level: Option<i32>,

    /// Fail rather than push a manifest that differs from the archive's
    #[arg(long, env = "GHCR_PUSH_PRESERVE_DIGESTS", value_parser = BoolishValueParser::new())]
    pub(crate) preserve_digests: bool,

    /// Add an annotation; repeatable, changes the digest
    #[arg(
        long = "annotation",
        value_name = "[index:|manifest:]K=V",
        value_delimiter = '\n',
        env = "GHCR_PUSH_ANNOTATION"
    )]
    pub(crate) annotations: Vec<String>,
}

/// What becomes of attestations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Attestations {
    /// They are pushed
    #[default]
    Keep,
    /// They are left out
    Strip,
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompressionFormat {
    /// Understood by everything
    Gzip,
    /// Smaller and faster; not understood by Docker before 23
    Zstd,
    /// Not at all
    None,
}
