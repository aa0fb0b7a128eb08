use std::io::Write as _;

use super::*;

fn all(source: &BlobSource, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.reader(offset)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn every_place_reads_alike() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"--blob").expect("writable");
    let path = file.path().to_owned();
    let open = Arc::new(File::open(&path).expect("readable"));
    for source in [
        BlobSource::from_bytes(Bytes::from_static(b"blob")),
        BlobSource::from_file_range(open, path.clone(), 2, 4),
    ] {
        assert_eq!(all(&source, 0).expect("readable"), b"blob");
        assert_eq!(all(&source, 3).expect("readable"), b"b");
        assert_eq!(all(&source, 9).expect("readable"), b"");
    }
    let source = BlobSource::from_path(path, 3);
    assert_eq!(all(&source, 1).expect("readable"), b"-b");
}

#[test]
fn a_file_that_shrank_is_told() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let source = BlobSource::from_path(file.path().to_owned(), 5);
    let error = all(&source, 1).expect_err("nothing is there");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let message = error.to_string();
    assert!(
        message.ends_with("4 bytes from 1 on are missing"),
        "{message}"
    );
}

/// Readers share a file, and none moves another.
#[test]
fn readers_run_at_once() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let content: Vec<u8> = (0..=255).cycle().take(1 << 16).collect();
    file.write_all(&content).expect("writable");
    let open = Arc::new(File::open(file.path()).expect("readable"));
    let source = BlobSource::from_file_range(open, file.path(), 0, content.len() as u64);
    std::thread::scope(|scope| {
        for start in [0_u16, 1, 1000, u16::MAX] {
            let (source, content) = (source.clone(), &content);
            scope.spawn(move || {
                let read = all(&source, start.into()).expect("readable");
                assert_eq!(read, content[usize::from(start)..]);
            });
        }
    });
}

#[test]
fn places_and_not_bytes_are_compared() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"twintwin").expect("writable");
    let path = file.path().to_owned();
    let open = || Arc::new(File::open(&path).expect("readable"));
    let (one, other) = (open(), open());
    let range = |file: &Arc<File>, offset, length| {
        BlobSource::from_file_range(Arc::clone(file), path.clone(), offset, length)
    };
    let memory = Bytes::from_static(b"twintwin");
    let sources = [
        range(&one, 0, 4),
        range(&one, 4, 4),
        range(&one, 0, 3),
        range(&other, 0, 4),
        BlobSource::from_path(path.clone(), 4),
        BlobSource::from_bytes(memory.slice(..4)),
        BlobSource::from_bytes(memory.slice(4..)),
    ];
    for (position, source) in sources.iter().enumerate() {
        let same = sources.iter().position(|other| source.is_same_place(other));
        assert_eq!(same, Some(position));
        assert!(source.is_same_place(&source.clone()));
    }
}
