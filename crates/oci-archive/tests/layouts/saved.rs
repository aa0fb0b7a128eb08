//! Archives as `docker save` writes them, made by hand, so that they can be wrong.

use std::io::Write as _;

use bytes::Bytes;
use oci_archive::{
    Algorithm, Archive, Compression, CompressionFormat, CompressionSettings, Compressor, Content,
    Digest, Draft, FinishedLayer, FinishedLayers, Image, OpenError, OpenOptions, Scratch,
};
use serde_json::{Value, json};

use crate::support::{Tar, chain};

/// An archive under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saved {
    /// Everything but `manifest.json`.
    pub(crate) tar: Tar,
    /// The images that `manifest.json` lists.
    pub(crate) images: Vec<Value>,
}

impl Saved {
    /// Adds an uncompressed layer, and tells its diff id.
    pub(crate) fn layer(&mut self, path: &str, content: &[u8]) -> Digest {
        self.tar.file(path, content);
        diff_id(content)
    }

    /// Adds a configuration for `linux/ARCHITECTURE`, and tells the name of its file.
    pub(crate) fn config(&mut self, architecture: &str, diff_ids: &[&Digest]) -> String {
        let bytes = config(architecture, diff_ids);
        let name = format!("{}.json", Digest::of(Algorithm::Sha256, &bytes).hex());
        self.tar.file(&name, &bytes);
        name
    }

    /// Adds an image to `manifest.json`.
    pub(crate) fn list(&mut self, config: &str, layers: &[&str], names: &[&str]) {
        self.images
            .push(json!({ "Config": config, "RepoTags": names, "Layers": layers }));
    }

    /// An archive of one image for `linux/ARCHITECTURE`, each layer in a file of its own.
    pub(crate) fn of(architecture: &str, layers: &[&[u8]]) -> Self {
        let mut saved = Self::default();
        let paths: Vec<String> = (0..layers.len())
            .map(|number| format!("{number}/layer.tar"))
            .collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let mut diff_ids = Vec::new();
        for (path, layer) in paths.iter().zip(layers) {
            diff_ids.push(saved.layer(path, layer));
        }
        let diff_ids: Vec<&Digest> = diff_ids.iter().collect();
        let config = saved.config(architecture, &diff_ids);
        saved.list(&config, &paths, &[]);
        saved
    }

    /// The archive as a tar file.
    pub(crate) fn bytes(&self) -> Bytes {
        let mut tar = self.tar.clone();
        let images = Value::from(self.images.clone()).to_string();
        tar.file("manifest.json", images.as_bytes());
        tar.end()
    }

    /// Reads the archive.
    pub(crate) fn read(&self, options: &OpenOptions) -> Result<Content, OpenError> {
        Archive::from_bytes(self.bytes(), options)?.read(options)
    }

    /// Reads an archive that is sound.
    pub(crate) fn draft(&self) -> Draft {
        draft(self.read(&OpenOptions::default()))
    }

    /// Checks that the archive is refused, with a message that holds `words`.
    pub(crate) fn refused(&self, words: &str) {
        let error = self.read(&OpenOptions::default());
        let message = chain(&error.expect_err("it should be refused"));
        assert!(message.contains(words), "{message:?} lacks {words:?}");
    }
}

/// What was read, as a draft.
pub(crate) fn draft(read: Result<Content, OpenError>) -> Draft {
    match read {
        Ok(Content::Draft(draft)) => *draft,
        Ok(other) => panic!("it should be a draft: {other:?}"),
        Err(error) => panic!("it should be sound: {}", chain(&error)),
    }
}

/// The digest of a layer that is not compressed.
pub(crate) fn diff_id(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

/// A configuration.
pub(crate) fn config(architecture: &str, diff_ids: &[&Digest]) -> Vec<u8> {
    let diff_ids: Vec<String> = diff_ids.iter().map(ToString::to_string).collect();
    let config = json!({
        "os": "linux", "architecture": architecture,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    config.to_string().into_bytes()
}

/// Finishes every layer of a draft, and with them the image.
pub(crate) fn finish_as(draft: &Draft, format: CompressionFormat) -> Image {
    let settings = CompressionSettings::new(format, None).expect("the usual level");
    let compressor = Compressor::new(settings, 1, Scratch::new(std::env::temp_dir()));
    let mut finished = FinishedLayers::new();
    for layer in draft.layers() {
        let blob = compressor.finish(layer, &|_| true);
        let blob = blob.unwrap_or_else(|error| panic!("{}", chain(&error)));
        finished.insert(layer.diff_id.clone(), FinishedLayer::made(blob));
    }
    draft.finish(&finished).expect("every layer is there")
}

/// Finishes a draft with gzip.
pub(crate) fn finish(draft: &Draft) -> Image {
    finish_as(draft, CompressionFormat::Gzip)
}

/// `content` in some compression.
pub(crate) fn compressed(compression: Compression, content: &[u8]) -> Vec<u8> {
    let written = match compression {
        Compression::None => Ok(content.to_vec()),
        Compression::Gzip => {
            let fast = flate2::Compression::fast();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), fast);
            encoder.write_all(content).and_then(|()| encoder.finish())
        }
        Compression::Zstd => zstd::encode_all(content, 1),
        Compression::Bzip2 => {
            let fast = bzip2::Compression::fast();
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), fast);
            encoder.write_all(content).and_then(|()| encoder.finish())
        }
        Compression::Xz => Ok(xz(content)),
        other => panic!("{other} is not known here"),
    };
    written.expect("it is written to memory")
}

/// `content` in xz without compression, as no encoder is at hand
/// (<https://tukaani.org/xz/xz-file-format.txt>).
fn xz(content: &[u8]) -> Vec<u8> {
    const FLAGS: [u8; 2] = [0, 1];
    let mut file = b"\xfd7zXZ\0\0\x01".to_vec();
    file.extend(crc(&FLAGS));
    // One filter, LZMA2 with a dictionary of 256 KiB.
    let header = [2, 0, 0x21, 1, 12, 0, 0, 0];
    let mut block = header.to_vec();
    block.extend(crc(&header));
    for (position, chunk) in content.chunks(1 << 16).enumerate() {
        block.push(if position == 0 { 1 } else { 2 });
        let length = u16::try_from(chunk.len() - 1).expect("at most 64 KiB");
        block.extend(length.to_be_bytes());
        block.extend_from_slice(chunk);
    }
    block.push(0);
    let unpadded = block.len() + 4;
    block.resize(block.len().next_multiple_of(4), 0);
    block.extend(crc(content));
    file.extend(block);
    let mut index = vec![0, 1];
    index.extend(variable(unpadded));
    index.extend(variable(content.len()));
    index.resize(index.len().next_multiple_of(4), 0);
    let backward = u32::try_from(index.len() / 4).expect("short");
    index.extend(crc(&index));
    file.extend(index);
    let mut footer = backward.to_le_bytes().to_vec();
    footer.extend(FLAGS);
    file.extend(crc(&footer));
    file.extend(footer);
    file.extend(b"YZ");
    file
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

/// A number in the variable length of xz: seven bits in each byte, the lowest first.
fn variable(number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = number;
    loop {
        let [low, ..] = (rest & 0x7f).to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
