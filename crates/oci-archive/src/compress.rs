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
mod error;
mod pool;
mod readers;
mod settings;
mod work;

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::compression::{Compression, Window};
use crate::descriptor::Descriptor;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::draft::{CompressionFormat, RawLayer};
use crate::expansion::Allowance;
use crate::image::Blob;
use crate::scratch::{Scratch, Volumes, fill};
use crate::source::BlobSource;
use block::{Codec, Encoded};
use budget::{Budget, Lease};
pub use error::CompressError;
use pool::Pool;
pub use settings::CompressionSettings;
use work::Work;

/// Bytes read at a time where nothing is compressed.
const BUFFER: usize = 256 * 1024;

/// Finishes layers, any number at a time, with a fixed number of threads and a fixed amount of memory.
#[derive(Debug)]
pub struct Compressor {
    settings: CompressionSettings,
    codec: Codec,
    volumes: Volumes,
    pool: Pool,
    /// For blocks.
    budget: Budget,
    /// For decoders.
    windows: Budget,
    allowance: Allowance,
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
        /// The windows of all decoders together. The largest one fits, or a dozen usual ones.
        const MOST_WINDOWS: usize = 136 * 1024 * 1024;
        let codec = Codec::new(settings.format(), settings.level());
        let threads = threads.max(1);
        let memory = (codec.block_size() * (2 * threads + 2)).min(MOST_MEMORY);
        Self {
            settings,
            codec,
            volumes: Volumes::new(scratch),
            pool: Pool::new(threads),
            budget: Budget::new(memory),
            windows: Budget::new(MOST_WINDOWS),
            allowance: Allowance::of_layers(),
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
        let finish = |window| {
            // Waited for before anything else is held.
            let _lease = self.windows.take(layer.compression.memory(window), true);
            self.finish_within(window, layer, on_progress)
        };
        match finish(Window::Usual) {
            Err(CompressError::Read { source, .. }) if Window::is_too_small(&source) => {
                finish(Window::Largest)
            }
            finished => finished,
        }
    }

    fn finish_within(
        &self,
        window: Window,
        layer: &RawLayer,
        on_progress: &dyn Fn(u64) -> bool,
    ) -> Result<Blob, CompressError> {
        let work = Work::new(layer, on_progress, window, &self.allowance);
        if layer.is_compressed() {
            return work.check_compressed();
        }
        let source = work.source()?;
        let mut reader = work.content(source)?;
        if self.codec == Codec::Identity && layer.compression == Compression::None {
            let digest = work.hash(&mut *reader)?;
            work.check_diff_id(&digest)?;
            return Ok(blob(CompressionFormat::None, digest, layer.source.clone()));
        }
        self.encode(&work, &mut *reader)
    }

    /// Reads, has compressed, and writes, all in order.
    fn encode(&self, work: &Work<'_>, reader: &mut dyn Read) -> Result<Blob, CompressError> {
        let mut made = self.volumes.begin()?;
        let mut content = work.layer.diff_id.hasher();
        let mut encoded = Hasher::new(Algorithm::Sha256);
        let mut content_length = 0;
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
            encoded.update(&done.bytes);
            made.write(&done.bytes)?;
            self.spare().push(done.block);
        }
        work.check_diff_id(&content.finish())?;
        let digest = encoded.finish();
        Ok(blob(self.settings.format(), digest, made.finish()))
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

fn blob(format: CompressionFormat, digest: Digest, source: BlobSource) -> Blob {
    let descriptor = Descriptor::new(format.media_type(), digest, source.len());
    Blob::new(descriptor, source)
}

#[cfg(test)]
mod tests;
