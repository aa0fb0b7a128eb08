//! What is small in the file and large once it is unpacked.

use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use oci_archive::{Archive, Compression, OpenError, OpenOptions, Scratch};
use tar::EntryType;
use tempfile::TempDir;

use crate::saved::compressed;
use crate::support::{Layout, root, text};

/// Ten gibibytes, of which a debug build unpacks a tenth in the time that a test may take.
const ZEROS: usize = if cfg!(debug_assertions) { 1 } else { 10 } << 30;

/// Bytes that are unpacked from one gzip member; members may follow one another.
const MEMBER: usize = 64 << 20;

/// So many times one byte, in gzip.
fn many(byte: u8, count: usize) -> Vec<u8> {
    assert_eq!(count % MEMBER, 0);
    // The usual level, which reaches what the format can: a thousandth.
    let usual = flate2::Compression::default();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), usual);
    let block = vec![byte; 1 << 20];
    for _ in 0..MEMBER / block.len() {
        encoder.write_all(&block).expect("it is written to memory");
    }
    let member = encoder.finish().expect("it is written to memory");
    member.repeat(count / MEMBER)
}

/// A sound image behind an entry that is not named anywhere, which is filled with one byte.
fn behind(byte: u8, count: usize) -> (Bytes, String) {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[b"one"]);
    layout.roots(std::slice::from_ref(&image));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_path("filled").expect("short");
    header.set_size(count as u64);
    header.set_cksum();
    let archive = [
        compressed(Compression::Gzip, header.as_bytes()),
        many(byte, count),
        compressed(Compression::Gzip, &layout.tar("")),
    ];
    (archive.concat().into(), text(&image))
}

fn scratch() -> (OpenOptions, TempDir) {
    let directory = TempDir::new().expect("a directory");
    let mut options = OpenOptions::default();
    options.scratch = Some(Scratch::new(directory.path()));
    (options, directory)
}

/// The room that files in `directory` take which have no name.
#[cfg(target_os = "linux")]
fn room_taken_in(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let open = Path::new("/proc/self/fd").read_dir().expect("a directory");
    let places = open.filter_map(|file| Some(file.ok()?.path()));
    let is_inside = |place: &std::path::PathBuf| {
        place
            .read_link()
            .is_ok_and(|target| target.starts_with(directory))
    };
    let inside: Vec<_> = places.filter(is_inside).collect();
    assert_eq!(inside.len(), 1, "there is one scratch file");
    let metadata = inside[0].metadata().expect("it is open");
    metadata.blocks() * 512
}

#[test]
fn zeros_around_a_sound_image() {
    let (bytes, expected) = behind(0, ZEROS);
    assert!(bytes.len() < ZEROS / 500, "{}", bytes.len());
    let (options, directory) = scratch();
    let archive = Archive::from_bytes(bytes, &options).expect("a tar file");
    let content = archive.read(&options).expect("sound");
    let image = content.into_image().expect("it is finished");
    assert_eq!(root(&image), expected);
    #[cfg(target_os = "linux")]
    {
        let taken = room_taken_in(directory.path());
        assert!(taken < 4 << 20, "{taken} bytes of scratch space");
    }
    drop(directory);
}

#[test]
fn nothing_but_zeros() {
    let bytes = many(0, 1 << 30);
    let (options, _directory) = scratch();
    let error = Archive::from_bytes(bytes.into(), &options).expect_err("it has no entries");
    assert!(matches!(error, OpenError::NotAnArchive { .. }), "{error:?}");
    assert!(error.to_string().contains("no entries"), "{error}");
}

/// A log that says one thing over and over is no attack.
#[test]
fn much_of_the_same_around_a_sound_image() {
    const MUCH: usize = 10 * MEMBER;
    let (bytes, expected) = behind(b'x', MUCH);
    assert!(bytes.len() < MUCH / 500, "{}", bytes.len());
    let (options, _directory) = scratch();
    for is_stream in [false, true] {
        let opened = if is_stream {
            Archive::from_reader(&*bytes, Path::new("-"), &options)
        } else {
            Archive::from_bytes(bytes.clone(), &options)
        };
        let content = opened.expect("a tar file").read(&options).expect("sound");
        assert_eq!(root(&content.into_image().expect("finished")), expected);
    }
}

/// One layer may be large and empty at once; that is not what makes an image too large.
#[test]
fn entries_of_zeros_that_are_named() {
    const SIZE: usize = 64 << 20;
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[&vec![0; SIZE]]);
    layout.roots(std::slice::from_ref(&image));
    let bytes = compressed(Compression::Zstd, &layout.tar(""));
    let (options, directory) = scratch();
    let archive = Archive::from_bytes(bytes.into(), &options).expect("a tar file");
    let content = archive.read(&options).expect("sound");
    let image = content.into_image().expect("it is finished");
    assert_eq!(image.blobs()[1].source.len(), SIZE as u64);
    let mut hasher = image.blobs()[1].descriptor.digest.hasher();
    let mut reader = image.blobs()[1].source.reader(0).expect("readable");
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut reader, &mut buffer).expect("readable") {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    assert_eq!(hasher.finish(), image.blobs()[1].descriptor.digest);
    drop(directory);
}
