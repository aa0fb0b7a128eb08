//! One layer, read and hashed.

use std::cell::Cell;
use std::io::{self, BufReader, Read};

use super::error::CompressError;
use super::readers::{Cancelled, Hashing, Watched};
use super::{BUFFER, blob};
use crate::compression::{Compression, Window};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::draft::{CompressionFormat, RawLayer};
use crate::expansion::{Allowance, Bounded};
use crate::image::Blob;

/// One layer, while it is worked on.
pub(super) struct Work<'a> {
    pub(super) layer: &'a RawLayer,
    on_progress: &'a dyn Fn(u64) -> bool,
    window: Window,
    allowance: &'a Allowance,
    /// Bytes read so far.
    read: Cell<u64>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        layer: &'a RawLayer,
        on_progress: &'a dyn Fn(u64) -> bool,
        window: Window,
        allowance: &'a Allowance,
    ) -> Self {
        Self {
            layer,
            on_progress,
            window,
            allowance,
            read: Cell::new(0),
        }
    }

    pub(super) fn unreadable(&self, source: io::Error) -> CompressError {
        let cause = source.get_ref();
        if cause.is_some_and(|cause| cause.downcast_ref::<Cancelled>().is_some()) {
            return CompressError::Cancelled;
        }
        CompressError::Read {
            name: self.layer.name.to_string(),
            source,
        }
    }

    /// The layer's bytes as the archive holds them.
    pub(super) fn source(&self) -> Result<impl Read + '_, CompressError> {
        let source = self.layer.source.reader(0);
        let source = source.map_err(|error| self.unreadable(error))?;
        Ok(Watched::new(source, &self.read, self.on_progress))
    }

    /// What they decode to.
    pub(super) fn content<'s>(
        &'s self,
        source: impl Read + 's,
    ) -> Result<Box<dyn Read + 's>, CompressError> {
        let buffered = BufReader::with_capacity(BUFFER, source);
        let compression = self.layer.compression;
        let decoder = compression
            .decoder(buffered, self.window)
            .map_err(|error| self.unreadable(error))?;
        Ok(match compression {
            Compression::None => decoder,
            _ => Box::new(Bounded::new(decoder, &self.read, self.allowance)),
        })
    }

    pub(super) fn hash(&self, reader: &mut dyn Read) -> Result<Digest, CompressError> {
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

    pub(super) fn check_diff_id(&self, actual: &Digest) -> Result<(), CompressError> {
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
    pub(super) fn check_compressed(&self) -> Result<Blob, CompressError> {
        let failed = |error| self.unreadable(error);
        let mut hashing = Hashing {
            inner: self.source()?,
            hasher: Hasher::new(Algorithm::Sha256),
        };
        let content = self.hash(&mut *self.content(&mut hashing)?)?;
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
