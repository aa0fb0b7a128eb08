//! `cargo xtask dist`: builds the tool for a target, and packs it as a release has it.
//!
//! The names are those that cargo-binstall looks for where a crate says nothing
//! (<https://github.com/cargo-bins/cargo-binstall/blob/main/SUPPORT.md#defaults>), and those that
//! `action/install.sh` asks for. An archive depends on the files in it and on nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, GzBuilder};

use crate::arguments::Arguments;
use crate::run::{cargo, root, say, succeed};

/// What is in an archive beside the tool, by its path in the repository.
const BESIDE: [&str; 5] = [
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "docs/usage.md",
];

/// Builds and packs, and says where the archive is.
pub(crate) fn dist(words: &[String]) -> Result<(), String> {
    let arguments = Arguments::read(words, &["target", "tag", "output"])?;
    let target = arguments.need("target")?;
    let version = version(arguments.need("tag")?)?;
    let output = Path::new(arguments.need("output")?);
    let program = build(target)?;
    if target.ends_with("-musl") {
        let bytes = fs::read(&program).map_err(|error| error.to_string())?;
        if !is_static(&bytes) {
            return Err(format!("{} is not static", program.display()));
        }
    }
    fs::create_dir_all(output).map_err(|error| error.to_string())?;
    let name = format!("ghcr-push-{target}-v{version}");
    let archive = if target.contains("windows") {
        zip(&name, &program, output)?
    } else {
        let path = output.join(format!("{name}.tar.gz"));
        let file = fs::File::create(&path).map_err(|error| error.to_string())?;
        tar(&name, &program, file).map_err(|error| format!("{}: {error}", path.display()))?;
        path
    };
    say(&format!("{}", archive.display()));
    Ok(())
}

/// The version that a tag names, which has to be the one that is built.
fn version(tag: &str) -> Result<&str, String> {
    let version = env!("CARGO_PKG_VERSION");
    if tag.strip_prefix('v') != Some(version) {
        return Err(format!(
            "the tag is {tag}, and Cargo.toml has the version {version}"
        ));
    }
    Ok(version)
}

/// The built program.
fn build(target: &str) -> Result<PathBuf, String> {
    let mut command = cargo(&[
        "build",
        "--release",
        "--package",
        "ghcr-push",
        "--locked",
        "--target",
        target,
        "--message-format",
        "json-render-diagnostics",
    ]);
    if target.ends_with("-musl") {
        // The compiler that Debian's and Ubuntu's package musl-tools has for the machine's own processor.
        command.env(format!("CC_{}", target.replace('-', "_")), "musl-gcc");
    }
    say(&format!("building for {target}"));
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("the build failed: {}", output.status));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.ok_or_else(|| "cargo does not tell what it built".to_owned())
}

/// Whether an ELF file for a 64-bit little-endian machine asks for no interpreter, which is what loads shared libraries
/// (<https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html>).
fn is_static(file: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let number = |at: usize, length: usize| -> Option<usize> {
        let bytes = file.get(at..at.checked_add(length)?)?;
        let number = bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        usize::try_from(number).ok()
    };
    let kinds = || -> Option<Vec<u32>> {
        let (start, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        let kind = |index| u32::try_from(number(start + index * size, 4)?).ok();
        (0..count).map(kind).collect()
    };
    file.starts_with(b"\x7fELF\x02\x01")
        && kinds().is_some_and(|kinds| !kinds.is_empty() && !kinds.contains(&INTERPRETER))
}

/// Writes a tar file that is compressed with gzip.
fn tar(name: &str, program: &Path, output: impl std::io::Write) -> std::io::Result<()> {
    let gzip = GzBuilder::new().write(output, Compression::best());
    let mut archive = tar::Builder::new(gzip);
    for (path, file) in contents(program) {
        let content = fs::read(&file)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if file == program { 0o755 } else { 0o644 });
        archive.append_data(&mut header, format!("{name}/{path}"), content.as_slice())?;
    }
    archive.into_inner()?.finish()?.flush()
}

/// Windows' own tar writes zip files; Git's, which may come first on PATH, does not.
fn zip(name: &str, program: &Path, output: &Path) -> Result<PathBuf, String> {
    let staging = tempfile::tempdir().map_err(|error| error.to_string())?;
    let directory = staging.path().join(name);
    for (path, file) in contents(program) {
        let place = directory.join(&path);
        let copied = place
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(&file, &place));
        copied.map_err(|error| format!("{path}: {error}"))?;
    }
    let archive = output.join(format!("{name}.zip"));
    let mut command = Command::new("C:\\Windows\\System32\\tar.exe");
    command
        .arg("-acf")
        .arg(&archive)
        .arg("-C")
        .arg(staging.path())
        .arg(name);
    succeed(&mut command)?;
    Ok(archive)
}

/// What is packed: its path in the archive, and where it is.
fn contents(program: &Path) -> Vec<(String, PathBuf)> {
    let own = program.file_name().unwrap_or_default().to_string_lossy();
    let mut contents = vec![(own.into_owned(), program.to_owned())];
    contents.extend(BESIDE.map(|path| (path.to_owned(), root().join(path))));
    let pages = fs::read_dir(root().join("docs/man")).into_iter().flatten();
    let mut pages: Vec<PathBuf> = pages.flatten().map(|entry| entry.path()).collect();
    pages.sort();
    contents.extend(pages.into_iter().map(|page| {
        let name = page
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        (format!("man/{name}"), page)
    }));
    contents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_the_version_that_is_built() {
        let own = format!("v{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(version(&own), Ok(env!("CARGO_PKG_VERSION")));
        for other in [env!("CARGO_PKG_VERSION"), "v9.9.9", "main", ""] {
            assert!(version(other).is_err(), "{other}");
        }
    }

    /// An ELF file with segments of these kinds, and nothing else.
    fn elf(kinds: &[u8]) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01".to_vec();
        file.resize(64, 0);
        file[32] = 64;
        file[54] = 56;
        file[56] = u8::try_from(kinds.len()).expect("few");
        for kind in kinds {
            file.push(*kind);
            file.resize(file.len() + 55, 0);
        }
        file
    }

    #[test]
    fn what_is_static() {
        for (file, expected) in [
            (elf(&[1, 2, 1]), true),
            (elf(&[6, 3, 1, 2]), false),
            (elf(&[1, 2])[..100].to_vec(), false),
            (elf(&[]), false),
            (b"#!/bin/sh".to_vec(), false),
            (Vec::new(), false),
        ] {
            assert_eq!(is_static(&file), expected, "{file:?}");
        }
    }

    /// The directory and the program have the names that cargo-binstall and the action look for.
    #[test]
    fn an_archive() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let program = directory.path().join("ghcr-push");
        fs::write(&program, "it").expect("writable");
        let mut first = Vec::new();
        tar("ghcr-push-T-v1", &program, &mut first).expect("memory");
        let mut second = Vec::new();
        tar("ghcr-push-T-v1", &program, &mut second).expect("memory");
        assert_eq!(first, second, "the same files give the same archive");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(first.as_slice()));
        let mut entries = Vec::new();
        for entry in archive.entries().expect("a tar file") {
            let entry = entry.expect("an entry");
            let path = entry.path().expect("text").display().to_string();
            entries.push((path, entry.header().mode().expect("a mode")));
        }
        assert_eq!(entries[0], ("ghcr-push-T-v1/ghcr-push".to_owned(), 0o755));
        for path in BESIDE {
            let expected = (format!("ghcr-push-T-v1/{path}"), 0o644);
            assert!(entries.contains(&expected), "{path}");
        }
        let page = ("ghcr-push-T-v1/man/ghcr-push.1".to_owned(), 0o644);
        assert!(entries.contains(&page), "{entries:?}");
    }
}
