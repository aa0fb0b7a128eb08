//! Images to push: OCI image layouts of any size, real enough for any tool, the same on every machine.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::store::{digest_like, hex};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An image to be written: platforms, each with layers of given sizes.
#[derive(Debug, Clone, Default)]
pub struct SampleImage {
    platforms: Vec<(String, Vec<u64>)>,
    seed: u64,
}

/// What was written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sample {
    /// The digest of the manifest or index.
    pub digest: String,
    /// Every distinct blob's digest and size.
    pub blobs: Vec<(String, u64)>,
    /// Every manifest's digest and bytes, the root last.
    pub manifests: Vec<(String, Vec<u8>)>,
}

impl Sample {
    /// The blobs' size in bytes.
    #[must_use]
    pub fn blob_bytes(&self) -> u64 {
        self.blobs.iter().map(|(_, size)| size).sum()
    }

    /// The largest blob's digest.
    #[must_use]
    pub fn largest(&self) -> &str {
        let largest = self.blobs.iter().max_by_key(|(_, size)| *size);
        largest.map_or("", |(digest, _)| digest)
    }
}

impl SampleImage {
    /// An image for one platform, with one file of that size in each layer.
    #[must_use]
    pub fn of_layers(sizes: &[u64]) -> Self {
        Self::default().platform("amd64", sizes)
    }

    /// The same with one more platform. Layers at the same position and of the same size are shared.
    #[must_use]
    pub fn platform(mut self, architecture: &str, sizes: &[u64]) -> Self {
        self.platforms
            .push((architecture.to_owned(), sizes.to_vec()));
        self
    }

    /// Other contents.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Writes the layout as a tar file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<Sample> {
        let mut writer = LayoutWriter {
            tar: tar::Builder::new(io::BufWriter::new(File::create(path)?)),
            sample: Sample {
                digest: String::new(),
                blobs: Vec::new(),
                manifests: Vec::new(),
            },
        };
        let mut children = Vec::new();
        for (architecture, sizes) in &self.platforms {
            children.push(self.write_platform(&mut writer, architecture, sizes)?);
        }
        let root = if let [only] = children.as_slice() {
            only.clone()
        } else {
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
            writer.manifest(INDEX, &index)?
        };
        root["digest"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut writer.sample.digest);
        let index = json!({ "schemaVersion": 2, "manifests": [root] });
        writer.file("index.json", index.to_string().as_bytes())?;
        writer.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        writer.tar.into_inner()?.flush()?;
        Ok(writer.sample)
    }

    fn write_platform(
        &self,
        writer: &mut LayoutWriter,
        architecture: &str,
        sizes: &[u64],
    ) -> io::Result<Value> {
        let mut layers = Vec::new();
        let mut diff_ids = Vec::new();
        for (position, size) in sizes.iter().enumerate() {
            let seed = self.seed * 1000 + position as u64 + 1;
            let layer = Layer {
                position,
                size: *size,
                seed,
            };
            let (digest, length) = layer.digest()?;
            writer.blob(&digest, length, layer.reader()?)?;
            layers.push(json!({ "mediaType": LAYER, "digest": digest, "size": length }));
            diff_ids.push(digest);
        }
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": { "Labels": { "org.opencontainers.image.source": "https://github.com/owner/app" } },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = config.to_string().into_bytes();
        let digest = digest_like("sha256:", &config).unwrap_or_default();
        writer.blob(&digest, config.len() as u64, Cursor::new(&config))?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "digest": digest, "size": config.len() },
            "layers": layers,
        });
        let mut descriptor = writer.manifest(MANIFEST, &manifest)?;
        descriptor["platform"] = json!({ "os": "linux", "architecture": architecture });
        Ok(descriptor)
    }
}

struct LayoutWriter {
    tar: tar::Builder<io::BufWriter<File>>,
    sample: Sample,
}

impl LayoutWriter {
    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.entry(name, bytes.len() as u64, Cursor::new(bytes))
    }

    fn entry(&mut self, name: &str, length: u64, content: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_size(length);
        header.set_mode(0o644);
        header.set_cksum();
        self.tar.append_data(&mut header, name, content)
    }

    /// Writes a blob, once.
    fn blob(&mut self, digest: &str, length: u64, content: impl Read) -> io::Result<()> {
        if self.sample.blobs.iter().any(|(known, _)| known == digest) {
            return Ok(());
        }
        self.sample.blobs.push((digest.to_owned(), length));
        self.entry(
            &format!("blobs/{}", digest.replace(':', "/")),
            length,
            content,
        )
    }

    fn manifest(&mut self, media_type: &str, document: &Value) -> io::Result<Value> {
        let bytes = document.to_string().into_bytes();
        let digest = digest_like("sha256:", &bytes).unwrap_or_default();
        self.file(&format!("blobs/{}", digest.replace(':', "/")), &bytes)?;
        let descriptor = json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() });
        self.sample.manifests.push((digest, bytes));
        Ok(descriptor)
    }
}

/// A layer: a tar file with one file of pseudo-random bytes, which no registry or link can compress.
struct Layer {
    position: usize,
    size: u64,
    seed: u64,
}

impl Layer {
    fn reader(&self) -> io::Result<impl Read> {
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("data-{}", self.position))?;
        header.set_size(self.size);
        header.set_mode(0o644);
        header.set_cksum();
        let padding = self.size.next_multiple_of(512) - self.size + 1024;
        Ok(Cursor::new(header.as_bytes().to_vec())
            .chain(Noise::new(self.seed).take(self.size))
            .chain(io::repeat(0).take(padding)))
    }

    fn digest(&self) -> io::Result<(String, u64)> {
        let mut hasher = Hashing::default();
        let length = io::copy(&mut self.reader()?, &mut hasher)?;
        Ok((format!("sha256:{}", hex(&hasher.0.finalize())), length))
    }
}

#[derive(Default)]
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An endless stream of bytes from xorshift64* (Marsaglia, "Xorshift RNGs", 2003).
struct Noise {
    state: u64,
    pending: Vec<u8>,
}

impl Noise {
    fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            pending: Vec::new(),
        }
    }
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.is_empty() {
            for _ in 0..1024 {
                self.state ^= self.state >> 12;
                self.state ^= self.state << 25;
                self.state ^= self.state >> 27;
                let word = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d);
                self.pending.extend_from_slice(&word.to_le_bytes());
            }
        }
        let length = self.pending.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.pending[..length]);
        self.pending.drain(..length);
        Ok(length)
    }
}
