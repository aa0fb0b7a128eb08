//! A docker-save archive made of this machine's own files, to measure with.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::image::hex;

/// Layers of the archive.
const LAYERS: u64 = 8;

/// Larger files would make layers of one file only.
const LARGEST: u64 = 30 << 20;

/// Writes an archive of about `size` bytes at `path`, and tells its size.
pub(super) fn write(path: &Path, size: u64) -> io::Result<u64> {
    let mut files = Vec::new();
    for directory in ["/usr/bin", "/usr/lib", "/usr/share"] {
        collect(Path::new(directory), &mut files);
    }
    // Programs, libraries and texts mixed, in an order that does not change from run to run.
    files.sort_by_key(|(path, _)| Sha256::digest(path.as_os_str().as_encoded_bytes()).to_vec());
    let mut files = files.into_iter();
    let mut archive = tar::Builder::new(File::create(path)?);
    let (mut diff_ids, mut names) = (Vec::new(), Vec::new());
    for position in 0..LAYERS {
        let layer = layer(&mut files, size / LAYERS)?;
        diff_ids.push(format!("sha256:{}", hex(&Sha256::digest(&layer))));
        let name = format!("{position}/layer.tar");
        append(&mut archive, &name, &layer)?;
        names.push(name);
    }
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    })
    .to_string();
    let config_name = format!("{}.json", hex(&Sha256::digest(config.as_bytes())));
    append(&mut archive, &config_name, config.as_bytes())?;
    let manifest = json!([{ "Config": config_name, "RepoTags": ["bench:1"], "Layers": names }]);
    append(
        &mut archive,
        "manifest.json",
        manifest.to_string().as_bytes(),
    )?;
    archive
        .into_inner()?
        .metadata()
        .map(|metadata| metadata.len())
}

fn layer(files: &mut impl Iterator<Item = (PathBuf, u64)>, size: u64) -> io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::new());
    let mut written = 0;
    for (path, length) in files {
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        append(&mut layer, &format!("{}", path.display())[1..], &bytes)?;
        written += length + 512;
        if written >= size {
            break;
        }
    }
    layer.into_inner()
}

fn append(archive: &mut tar::Builder<impl io::Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, bytes)
}

/// All files below a directory; what cannot be read is left out.
fn collect(directory: &Path, files: &mut Vec<(PathBuf, u64)>) {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file()
            && let Ok(metadata) = entry.metadata()
            && metadata.len() <= LARGEST
        {
            files.push((entry.path(), metadata.len()));
        }
    }
}
