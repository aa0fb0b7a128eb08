use super::*;

fn check(start: &[u8], words: &str) {
    let message = identify(start, start.len() as u64)
        .expect_err("it should be refused")
        .to_string();
    assert!(
        message.contains(words),
        "{message:?} does not say {words:?}"
    );
}

fn header(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).expect("short");
    header.set_size(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn kinds_are_told_apart() {
    check(b"", "empty (0 bytes)");
    check(b"\x04\x22\x4d\x18", "compressed with lz4");
    check(b"LZIP\x01", "compressed with lzip");
    check(b"\x5d\0\0\x80\0", "compressed with lzma");
    check(b"\x1f\x9d\x90", "compressed with compress");
    check(b"7z\xbc\xaf\x27\x1c\0", "7z archive");
    check(b"Rar!\x1a\x07\x01\0", "RAR archive");
    check(b"<!DOCTYPE html><html>", "web page");
    check(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "pointer of Git LFS",
    );
    check(b"PK\x03\x04", "ZIP");
    check(b"\x89PNG\r\n", "PNG");
    check(b"{}", "JSON");
    check(b"hello", "too short");
    check(&[b'x'; 512], "checksum");
    check(&[0; 511], "too short");
}

#[test]
fn compressions_are_told_apart() {
    for (start, expected) in [
        (&b"\x1f\x8b\x08\0"[..], Compression::Gzip),
        (b"\x28\xb5\x2f\xfd", Compression::Zstd),
        (b"\x50\x2a\x4d\x18", Compression::Zstd),
        (b"\xfd7zXZ\0", Compression::Xz),
        (b"BZh91AY", Compression::Bzip2),
    ] {
        assert_eq!(identify(start, 100).expect("known"), expected);
    }
}

#[test]
fn names_that_begin_like_another_kind() {
    for name in ["BZh9", "PK\x03\x04", "{", "oci-layout"] {
        assert_eq!(
            identify(&header(name), 512).expect("a tar file"),
            Compression::None
        );
    }
    assert_eq!(
        identify(&[0; 512], 512).expect("a tar file"),
        Compression::None
    );
}

#[test]
fn a_changed_header() {
    let mut header = header("oci-layout");
    header[0] ^= 1;
    check(&header, "checksum");
}

/// Without scratch space nothing is copied, and nobody is surprised by a file somewhere.
#[test]
fn scratch_space_is_asked_for() {
    let refused = read(&header("a")[..], Path::new("-"), &OpenOptions::default());
    let error = refused.expect_err("there is no scratch space");
    let source = std::error::Error::source(&error).expect("a cause");
    assert!(source.to_string().contains("scratch space"), "{source}");
}

#[test]
fn a_missing_scratch_directory_is_named() {
    let options = OpenOptions {
        scratch: Some(crate::Scratch::new("/nowhere/at/all")),
        ..OpenOptions::default()
    };
    let refused = read(&header("a")[..], Path::new("-"), &options);
    let error = refused.expect_err("there is no such directory").to_string();
    assert!(error.contains("/nowhere/at/all"), "{error}");
}

#[test]
fn a_directory_is_no_stream() {
    let options = OpenOptions {
        format: Some(crate::Format::OciDirectory),
        ..OpenOptions::default()
    };
    let refused = read(&header("a")[..], Path::new("-"), &options);
    assert!(matches!(refused, Err(OpenError::WrongFormat { .. })));
}

/// What would go on for hours ends, and says how far it came.
#[test]
fn what_expands_without_end() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let options = OpenOptions {
        scratch: Some(crate::Scratch::new(directory.path())),
        ..OpenOptions::default()
    };
    let mut tar = header("a");
    tar.resize(20_000_000, 0);
    let compressed = zstd::encode_all(&tar[..], 1).expect("memory");
    let open = |allowance: &Allowance, bytes: &[u8], compression| {
        spool_within(allowance, bytes, compression, Path::new("x"), &options)
    };
    open(&Allowance::of_archive(), &compressed, Compression::Zstd).expect("a tar file");
    let allowance = Allowance::new(5_000_000, u64::MAX);
    let expanded = open(&allowance, &compressed, Compression::Zstd).expect_err("too much");
    assert!(matches!(expanded, OpenError::Expands(_)), "{expanded:?}");
    let message = expanded.to_string();
    assert!(message.contains("limited to 4 MiB in all"), "{message}");
    let allowance = Allowance::new(0, 5_000_000);
    let endless = open(&allowance, &tar, Compression::None).expect_err("too much");
    assert!(matches!(endless, OpenError::Expands(_)), "{endless:?}");
}

/// A stream of zeros is an archive without entries, however long it is.
#[test]
fn zeros_without_end() {
    let options = OpenOptions {
        scratch: Some(crate::Scratch::new(std::env::temp_dir())),
        ..OpenOptions::default()
    };
    let opened = read(io::repeat(0), Path::new("-"), &options);
    let message = opened.expect_err("no entries").to_string();
    assert!(message.contains("no entries"), "{message}");
}
