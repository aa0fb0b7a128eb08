//! One block of a layer, encoded by itself.

use std::io;

use libdeflater::CompressionLvl;

use crate::draft::CompressionFormat;

/// Bytes of a layer that are compressed at a time. Larger blocks come out hardly smaller: less than one
/// percent in either format.
const GZIP_BLOCK: usize = 1024 * 1024;
const ZSTD_BLOCK: usize = 2 * 1024 * 1024;

/// An encoder and its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip(i32),
    Zstd(i32),
    Identity,
}

impl Codec {
    pub(super) fn new(format: CompressionFormat, level: i32) -> Self {
        match format {
            CompressionFormat::Gzip => Self::Gzip(level),
            CompressionFormat::Zstd => Self::Zstd(level),
            CompressionFormat::None => Self::Identity,
        }
    }

    pub(super) fn block_size(self) -> usize {
        match self {
            Self::Gzip(_) | Self::Identity => GZIP_BLOCK,
            Self::Zstd(_) => ZSTD_BLOCK,
        }
    }
}

/// What a thread keeps from one block to the next, since it is costly to set up. Nothing of a block stays
/// behind in it.
#[derive(Default)]
pub(super) struct Encoders {
    gzip: Option<(i32, libdeflater::Compressor)>,
    zstd: Option<(i32, zstd::bulk::Compressor<'static>)>,
    buffer: Vec<u8>,
}

/// A block that is encoded.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    /// The block, to be used again.
    pub(super) block: Vec<u8>,
}

impl Encoders {
    /// A block as a gzip member without name and time, or as a zstd frame.
    pub(super) fn encode(&mut self, codec: Codec, block: Vec<u8>) -> io::Result<Encoded> {
        let bytes = match codec {
            Codec::Identity => block.clone(),
            Codec::Gzip(level) => {
                let encoder = match &mut self.gzip {
                    Some((known, encoder)) if *known == level => encoder,
                    slot => &mut slot.insert((level, gzip_encoder(level)?)).1,
                };
                let bound = encoder.gzip_compress_bound(block.len());
                if self.buffer.len() < bound {
                    self.buffer.resize(bound, 0);
                }
                let length = encoder
                    .gzip_compress(&block, &mut self.buffer)
                    .map_err(io::Error::other)?;
                self.buffer[..length].to_vec()
            }
            Codec::Zstd(level) => {
                let encoder = match &mut self.zstd {
                    Some((known, encoder)) if *known == level => encoder,
                    slot => &mut slot.insert((level, zstd::bulk::Compressor::new(level)?)).1,
                };
                let bound = zstd::zstd_safe::compress_bound(block.len());
                if self.buffer.len() < bound {
                    self.buffer.resize(bound, 0);
                }
                let length = encoder.compress_to_buffer(&block, &mut self.buffer[..])?;
                self.buffer[..length].to_vec()
            }
        };
        Ok(Encoded { bytes, block })
    }
}

fn gzip_encoder(level: i32) -> io::Result<libdeflater::Compressor> {
    let level =
        CompressionLvl::new(level).map_err(|error| io::Error::other(format!("{error:?}")))?;
    Ok(libdeflater::Compressor::new(level))
}
