//! Layers brought into the form in which they are pushed: compressed in blocks, on all cores, and always
//! into the same bytes.
//!
//! Blocks have a fixed size, and each becomes a gzip member or zstd frame of its own; both formats say
//! that those may follow one another (<https://www.rfc-editor.org/rfc/rfc1952#section-2.2>,
//! <https://www.rfc-editor.org/rfc/rfc8878#section-3.1>), and lazily pulled layers (eStargz) are made so
//! too. What comes out depends on the layer, the format and the level, and not on the machine or the
//! number of threads: a layer pushed twice has one digest.

mod block;
mod budget;
mod pool;
mod readers;

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::compression::Compression;
use crate::descriptor::Descriptor;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::draft::{CompressionFormat, RawLayer};
use crate::image::Blob;
use crate::scratch::{Scratch, ScratchError, fill};
use crate::source::BlobSource;
use block::{Codec, Encoded};
use budget::{Budget, Lease};
use pool::Pool;
use readers::{Cancelled, Hashing, Watched};

/// Bytes read at a time where nothing is compressed.
const BUFFER: usize = 256 * 1024;

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

/// Why a layer cannot be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompressError {
    /// The archive cannot be read.
    #[error("the layer {name:?} cannot be read")]
    Read {
        /// The entry.
        name: String,
        /// What the system or the decoder says.
        #[source]
        source: io::Error,
    },
    /// The layer is not the one that the configuration names.
    #[error(
        "the layer {name:?} has a digest mismatch: its diff_id is {expected}, its content hashes to {actual}"
    )]
    DiffId {
        /// The entry.
        name: String,
        /// What the configuration says.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// The compressed bytes cannot be kept.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// An encoder failed.
    #[error("the layer {name:?} cannot be compressed")]
    Encode {
        /// The entry.
        name: String,
        /// What the encoder says.
        #[source]
        source: io::Error,
    },
    /// Whoever asked for it has lost interest.
    #[error("the compression was cancelled")]
    Cancelled,
}

/// Finishes layers, any number at a time, with a fixed number of threads and a fixed amount of memory.
#[derive(Debug)]
pub struct Compressor {
    settings: CompressionSettings,
    codec: Codec,
    scratch: Scratch,
    pool: Pool,
    budget: Budget,
    /// Blocks that nobody uses. Memory that was given back to the system would come back page by page, at
    /// some cost.
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Compressor {
    /// A compressor with `threads` threads, which keeps what it makes in `scratch`.
    #[must_use]
    pub fn new(settings: CompressionSettings, threads: usize, scratch: Scratch) -> Self {
        /// Blocks waiting to be compressed or written, all layers together.
        const MOST_MEMORY: usize = 40 * 1024 * 1024;
        let codec = Codec::new(settings.format, settings.level);
        let threads = threads.max(1);
        let memory = (codec.block_size() * (2 * threads + 2)).min(MOST_MEMORY);
        Self {
            settings,
            codec,
            scratch,
            pool: Pool::new(threads),
            budget: Budget::new(memory),
            spare: Mutex::default(),
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> CompressionSettings {
        self.settings
    }

    /// The form in which a layer is pushed. Its diff id is verified on the way. Blocks until it is done;
    /// the thread that calls reads, hashes and writes, and others compress. `on_progress` is told how many
    /// of the layer's bytes, as the archive holds them, have been read; if it answers `false`, that is the
    /// end.
    ///
    /// # Errors
    ///
    /// [`CompressError`].
    pub fn finish(
        &self,
        layer: &RawLayer,
        on_progress: &dyn Fn(u64) -> bool,
    ) -> Result<Blob, CompressError> {
        let work = Work { layer, on_progress };
        if layer.is_compressed() {
            return work.check_compressed();
        }
        let source = layer
            .source
            .reader(0)
            .map_err(|error| work.unreadable(error))?;
        let counted = Watched::new(source, on_progress);
        let reader = BufReader::with_capacity(BUFFER, counted);
        let mut reader = layer
            .compression
            .decoder(reader)
            .map_err(|error| work.unreadable(error))?;
        if self.codec == Codec::Identity && layer.compression == Compression::None {
            let digest = work.hash(&mut *reader)?;
            work.check_diff_id(&digest)?;
            return Ok(blob(CompressionFormat::None, digest, layer.source.clone()));
        }
        self.encode(&work, &mut *reader)
    }

    /// Reads, has compressed, and writes, all in order.
    fn encode(&self, work: &Work<'_>, reader: &mut dyn Read) -> Result<Blob, CompressError> {
        let lost = |source| self.scratch.error(source);
        let mut file = self.scratch.file()?;
        let mut content = work.layer.diff_id.hasher();
        let mut encoded = Hasher::new(Algorithm::Sha256);
        let (mut length, mut content_length) = (0, 0);
        let mut write = |bytes: &[u8]| -> Result<(), CompressError> {
            encoded.update(bytes);
            length += bytes.len() as u64;
            file.write_all(bytes).map_err(lost)?;
            Ok(())
        };
        let mut pending: VecDeque<(Receiver<io::Result<Encoded>>, Lease<'_>)> = VecDeque::new();
        let mut is_read = false;
        while !is_read || !pending.is_empty() {
            let size = self.codec.block_size();
            let lease = if is_read {
                None
            } else {
                self.budget.take(size, pending.is_empty())
            };
            if let Some(lease) = lease {
                let mut bytes = self.spare().pop().unwrap_or_default();
                bytes.resize(size, 0);
                let filled = fill(reader, &mut bytes).map_err(|error| work.unreadable(error))?;
                bytes.truncate(filled);
                content.update(&bytes);
                is_read = filled < size;
                // An empty block says nothing, except that the layer is empty.
                if filled > 0 || pending.is_empty() && content_length == 0 {
                    pending.push_back((self.submit(bytes), lease));
                }
                content_length += filled as u64;
                continue;
            }
            let Some((receiver, _lease)) = pending.pop_front() else {
                continue;
            };
            // The pool's threads answer every block, unless one of them has panicked.
            let done = receiver
                .recv()
                .unwrap_or_else(|error| Err(io::Error::other(error)));
            let done = done.map_err(|source| CompressError::Encode {
                name: work.layer.name.to_string(),
                source,
            })?;
            write(&done.bytes)?;
            self.spare().push(done.block);
        }
        work.check_diff_id(&content.finish())?;
        let source =
            BlobSource::from_file_range(Arc::new(file), self.scratch.directory(), 0, length);
        Ok(blob(self.settings.format, encoded.finish(), source))
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, block: Vec<u8>) -> Receiver<io::Result<Encoded>> {
        let (sender, receiver) = sync_channel(1);
        let codec = self.codec;
        self.pool.run(Box::new(move |encoders| {
            // A receiver that is gone has failed elsewhere.
            let _ = sender.send(encoders.encode(codec, block));
        }));
        receiver
    }
}

/// One layer, while it is worked on.
struct Work<'a> {
    layer: &'a RawLayer,
    on_progress: &'a dyn Fn(u64) -> bool,
}

impl Work<'_> {
    fn unreadable(&self, source: io::Error) -> CompressError {
        if source.get_ref().is_some_and(
            <dyn std::error::Error + std::marker::Send + std::marker::Sync + 'static>::is::<
                Cancelled,
            >,
        ) {
            return CompressError::Cancelled;
        }
        CompressError::Read {
            name: self.layer.name.to_string(),
            source,
        }
    }

    fn hash(&self, reader: &mut dyn Read) -> Result<Digest, CompressError> {
        let mut hasher = self.layer.diff_id.hasher();
        self.hash_into(reader, &mut hasher)?;
        Ok(hasher.finish())
    }

    fn hash_into(&self, reader: &mut dyn Read, hasher: &mut Hasher) -> Result<(), CompressError> {
        let mut buffer = vec![0; BUFFER];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(error)),
            }
        }
    }

    fn check_diff_id(&self, actual: &Digest) -> Result<(), CompressError> {
        if *actual == self.layer.diff_id {
            return Ok(());
        }
        Err(CompressError::DiffId {
            name: self.layer.name.to_string(),
            expected: self.layer.diff_id.clone(),
            actual: actual.clone(),
        })
    }

    /// Takes a compressed layer as it is, after looking what is in it.
    fn check_compressed(&self) -> Result<Blob, CompressError> {
        let failed = |error| self.unreadable(error);
        let source = self.layer.source.reader(0).map_err(failed)?;
        let mut hashing = Hashing {
            inner: Watched::new(source, self.on_progress),
            hasher: Hasher::new(Algorithm::Sha256),
        };
        let buffered = BufReader::with_capacity(BUFFER, &mut hashing);
        let mut decoder = self.layer.compression.decoder(buffered).map_err(failed)?;
        let content = self.hash(&mut *decoder)?;
        drop(decoder);
        // What a decoder does not look at is a part of the blob all the same.
        io::copy(&mut hashing, &mut io::sink()).map_err(failed)?;
        self.check_diff_id(&content)?;
        let format = match self.layer.compression {
            Compression::Zstd => CompressionFormat::Zstd,
            _ => CompressionFormat::Gzip,
        };
        let digest = hashing.hasher.finish();
        Ok(blob(format, digest, self.layer.source.clone()))
    }
}

fn blob(format: CompressionFormat, digest: Digest, source: BlobSource) -> Blob {
    let descriptor = Descriptor::new(format.media_type(), digest, source.len());
    Blob::new(descriptor, source)
}

#[cfg(test)]
mod tests;
