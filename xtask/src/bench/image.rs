//! The images that are pushed: OCI image layouts of incompressible gzip layers, as a tar file and as a directory.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::save;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Size of the docker-save archive.
const SAVE: u64 = 555 << 20;

/// What the images are called, and what is in them.
pub(super) const NAMES: [(&str, &str); 6] = [
    ("typical", "12 gzip layers of 1 KB to 80 MB, 207 MB"),
    ("quarter", "the same with layers of a quarter of the size"),
    ("manysmall", "120 gzip layers of 64 KB"),
    ("onebig", "one layer of 2 GiB"),
    (
        "save",
        "a docker-save archive, 8 uncompressed layers of real files, 555 MiB",
    ),
    ("index", "2 platforms with an attestation each, 37 MB"),
];

/// An image to push.
pub(super) struct Image {
    /// The tar file.
    pub(super) archive: PathBuf,
    /// The directory with the same content; a docker-save archive has none.
    pub(super) layout: Option<PathBuf>,
    _directory: TempDir,
}

impl Image {
    /// Makes the image of that name; `big` is the size of the one big layer in mebibytes.
    pub(super) fn make(name: &str, big: u64) -> Result<Self, String> {
        let made = Self::try_make(name, big);
        made.map_err(|error| format!("the image {name} cannot be made: {error}"))
    }

    fn try_make(name: &str, big: u64) -> io::Result<Self> {
        let directory = tempfile::Builder::new().tempdir_in(scratch())?;
        let archive = directory.path().join("image.tar");
        let layout = directory.path().join("layout");
        let mut writer = Layout::new(&layout)?;
        match name {
            "typical" => writer.image(&typical(), "amd64")?,
            "quarter" => writer.image(&typical().map(|size| size / 4), "amd64")?,
            "manysmall" => writer.image(&[64_000; 120], "amd64")?,
            "onebig" => writer.image(&[big << 20], "amd64")?,
            "index" => writer.index()?,
            _ => {
                save::write(&archive, SAVE)?;
                return Ok(Self {
                    archive,
                    layout: None,
                    _directory: directory,
                });
            }
        }
        writer.finish(&archive)?;
        Ok(Self {
            archive,
            layout: Some(layout),
            _directory: directory,
        })
    }
}

/// Where large files go: into memory if possible, so that no disk is measured.
pub(super) fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        return memory;
    }
    std::env::temp_dir()
}

fn typical() -> [u64; 12] {
    let (kilo, mega) = (1000, 1_000_000);
    [
        30 * mega,
        80 * mega,
        kilo,
        4 * kilo,
        59 * mega,
        100 * kilo,
        2 * mega,
        16 * kilo,
        20 * mega,
        500 * kilo,
        10 * mega,
        5 * mega,
    ]
}

/// Writes an OCI image layout.
struct Layout {
    path: PathBuf,
    layers: u64,
    roots: Vec<Value>,
}

impl Layout {
    fn new(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path.join("blobs/sha256"))?;
        Ok(Self {
            path: path.to_owned(),
            layers: 0,
            roots: Vec::new(),
        })
    }

    fn blob(&self, bytes: &[u8], media_type: &str) -> io::Result<Value> {
        let digest = hex(&Sha256::digest(bytes));
        std::fs::write(self.path.join("blobs/sha256").join(&digest), bytes)?;
        Ok(json!({
            "mediaType": media_type,
            "digest": format!("sha256:{digest}"),
            "size": bytes.len(),
        }))
    }

    /// Adds a layer: a tar file with one file of noise, in gzip's stored blocks, which is fast to make.
    fn layer(&mut self, size: u64) -> io::Result<(Value, String)> {
        self.layers += 1;
        let partial = self.path.join("partial");
        let file = Hashing::new(BufWriter::with_capacity(1 << 20, File::create(&partial)?));
        let mut content = Hashing::new(GzEncoder::new(file, Compression::none()));
        let mut header = tar::Header::new_ustar();
        header.set_path(format!("data-{}", self.layers))?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        content.write_all(header.as_bytes())?;
        let mut random = fastrand::Rng::with_seed(self.layers);
        let mut noise = vec![0; 1 << 16];
        let mut left = usize::try_from(size).unwrap_or(usize::MAX);
        while left > 0 {
            random.fill(&mut noise);
            let now = left.min(noise.len());
            content.write_all(&noise[..now])?;
            left -= now;
        }
        let padding = size.next_multiple_of(512) - size + 1024;
        content.write_all(&vec![0; usize::try_from(padding).unwrap_or_default()])?;
        let diff_id = content.digest();
        let mut file = content.inner.finish()?;
        file.flush()?;
        let digest = file.digest();
        let size = partial.metadata()?.len();
        std::fs::rename(&partial, self.path.join("blobs/sha256").join(&digest))?;
        let layer =
            json!({ "mediaType": LAYER, "digest": format!("sha256:{digest}"), "size": size });
        Ok((layer, format!("sha256:{diff_id}")))
    }

    fn manifest(&self, config: &Value, layers: &[Value]) -> io::Result<Value> {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": layers,
        });
        self.blob(manifest.to_string().as_bytes(), MANIFEST)
    }

    fn platform(&mut self, sizes: &[u64], architecture: &str) -> io::Result<Value> {
        let (mut layers, mut diff_ids) = (Vec::new(), Vec::new());
        for size in sizes {
            let (layer, diff_id) = self.layer(*size)?;
            layers.push(layer);
            diff_ids.push(diff_id);
        }
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = self.blob(config.to_string().as_bytes(), CONFIG)?;
        let mut manifest = self.manifest(&config, &layers)?;
        manifest["platform"] = json!({ "architecture": architecture, "os": "linux" });
        Ok(manifest)
    }

    /// An image for one platform.
    fn image(&mut self, sizes: &[u64], architecture: &str) -> io::Result<()> {
        let manifest = self.platform(sizes, architecture)?;
        self.roots.push(manifest);
        Ok(())
    }

    /// Two platforms, and an attestation for each, as `BuildKit` writes them.
    fn index(&mut self) -> io::Result<()> {
        let sizes = [14_000_000, 3_000_000, 1_000_000, 400_000, 20_000];
        let mut children = Vec::new();
        for architecture in ["amd64", "arm64"] {
            children.push(self.platform(&sizes, architecture)?);
        }
        for subject in children.clone() {
            let statement = json!({
                "_type": "https://in-toto.io/Statement/v0.1",
                "predicateType": "https://slsa.dev/provenance/v0.2",
                "subject": [{ "name": "bench", "digest": { "sha256": subject["digest"] } }],
                "predicate": {},
            });
            let statement = statement.to_string();
            let layer = self.blob(statement.as_bytes(), "application/vnd.in-toto+json")?;
            let config = json!({
                "architecture": "unknown",
                "os": "unknown",
                "config": {},
                "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] },
            });
            let config = self.blob(config.to_string().as_bytes(), CONFIG)?;
            let mut manifest = self.manifest(&config, &[layer])?;
            manifest["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
            manifest["annotations"] = json!({
                "vnd.docker.reference.digest": subject["digest"],
                "vnd.docker.reference.type": "attestation-manifest",
            });
            children.push(manifest);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
        let root = self.blob(index.to_string().as_bytes(), INDEX)?;
        self.roots.push(root);
        Ok(())
    }

    /// Closes the layout, and writes the tar file too.
    fn finish(mut self, archive: &Path) -> io::Result<()> {
        for root in &mut self.roots {
            root["annotations"] = json!({ "org.opencontainers.image.ref.name": "bench" });
        }
        let index = json!({ "schemaVersion": 2, "manifests": self.roots });
        std::fs::write(self.path.join("index.json"), index.to_string())?;
        let version = r#"{"imageLayoutVersion":"1.0.0"}"#;
        std::fs::write(self.path.join("oci-layout"), version)?;
        let mut tar = tar::Builder::new(File::create(archive)?);
        tar.append_dir_all(".", &self.path)?;
        tar.into_inner()?.flush()
    }
}

/// Hashes what passes.
struct Hashing<W> {
    hasher: Sha256,
    inner: W,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            hasher: Sha256::new(),
            inner,
        }
    }

    fn digest(&self) -> String {
        hex(&self.hasher.clone().finalize())
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
