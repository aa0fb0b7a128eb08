//! How to compress, and what that is called.

use crate::draft::CompressionFormat;

/// How to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressionSettings {
    format: CompressionFormat,
    level: i32,
}

impl CompressionSettings {
    /// The fastest that makes layers no larger than other tools do (`docs/benchmarks.md`).
    const GZIP_LEVEL: i32 = 2;

    /// Settings for `format`; `level` in the format's own scale, its usual one if `None`.
    ///
    /// # Errors
    ///
    /// If the format has no such level, with those that it has.
    pub fn new(format: CompressionFormat, level: Option<i32>) -> Result<Self, String> {
        let (lowest, usual, highest) = match format {
            // Those above need tens of times as long for hardly less.
            CompressionFormat::Gzip => (1, Self::GZIP_LEVEL, 9),
            // Higher ones need more memory to be read than some runtimes give.
            CompressionFormat::Zstd => (1, 3, 19),
            CompressionFormat::None => (0, 0, 0),
        };
        let level = level.unwrap_or(usual);
        if (lowest..=highest).contains(&level) {
            Ok(Self { format, level })
        } else if format == CompressionFormat::None {
            Err("without compression there is no level".to_owned())
        } else {
            Err(format!("it must be between {lowest} and {highest}"))
        }
    }

    /// The format.
    #[must_use]
    pub fn format(self) -> CompressionFormat {
        self.format
    }

    pub(super) fn level(self) -> i32 {
        self.level
    }

    /// A name for what these settings make of a layer. It changes whenever the bytes would.
    #[must_use]
    pub fn name(self) -> String {
        /// To be raised when an encoder, its version or its blocks change.
        const GENERATION: u32 = 1;
        let format = match self.format {
            CompressionFormat::Gzip => "gzip",
            CompressionFormat::Zstd => "zstd",
            CompressionFormat::None => "none",
        };
        format!("{format}-{}-{GENERATION}", self.level)
    }
}

impl Default for CompressionSettings {
    fn default() -> Self {
        Self {
            format: CompressionFormat::Gzip,
            level: Self::GZIP_LEVEL,
        }
    }
}
