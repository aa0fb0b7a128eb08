use super::*;
use crate::expansion::{self, Allowance, Bounded};

fn scratch() -> (Scratch, tempfile::TempDir) {
    let directory = tempfile::TempDir::new().expect("a directory");
    (Scratch::new(directory.path()), directory)
}

#[test]
fn everything_is_copied_and_nothing_is_seen() {
    let (scratch, directory) = scratch();
    let content: Vec<u8> = (0..300_000_u32)
        .map(|at| {
            if at % 100_000 < 90_000 {
                0
            } else {
                at.to_le_bytes()[0]
            }
        })
        .collect();
    let (mut file, length) = spool(&mut content.as_slice(), &scratch).expect("there is room");
    let mut copied = Vec::new();
    file.read_to_end(&mut copied).expect("readable");
    assert!(copied == content);
    assert_eq!(length, content.len() as u64);
    let mut names = directory.path().read_dir().expect("a directory");
    assert!(names.next().is_none(), "the file has no name");
}

/// Zeros take no room, however many.
#[test]
#[cfg(target_os = "linux")]
fn zeros_are_holes() {
    use std::os::unix::fs::MetadataExt as _;
    let (scratch, _directory) = scratch();
    let (file, length) = spool(&mut io::repeat(0).take(1 << 30), &scratch).expect("there is room");
    assert_eq!(length, 1 << 30);
    let blocks = file.metadata().expect("metadata").blocks();
    assert!(blocks < 1000, "{blocks} blocks");
}

#[test]
fn what_expands_without_end_is_refused() {
    let (scratch, _directory) = scratch();
    let consumed = std::cell::Cell::new(1000);
    let allowance = Allowance::new(10_000_000, u64::MAX);
    let mut endless = Bounded::new(io::repeat(0), &consumed, &allowance);
    let spooled = spool(&mut endless, &scratch);
    let Err(SpoolError::Read(error)) = spooled else {
        panic!("{spooled:?}");
    };
    let expansion = expansion::of_error(&error).expect("it says so");
    assert_eq!(expansion.consumed, 1000);
}
