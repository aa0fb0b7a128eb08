mod limits;

use std::io::Cursor;

use proptest::prelude::*;
use tar::Header;

use super::name::{Oddity, normalize, resolve};
use super::*;

/// A tar file, written block by block, so that it can be wrong.
#[derive(Default)]
struct Blocks(Vec<u8>);

impl Blocks {
    fn entry(self, kind: EntryType, name: &str, content: &[u8]) -> Self {
        self.header(kind, name, "", content.len() as u64)
            .content(content)
    }

    fn header(mut self, kind: EntryType, name: &str, link: &str, size: u64) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_size(size);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self
    }

    fn content(mut self, content: &[u8]) -> Self {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str) -> Self {
        self.entry(EntryType::Regular, name, b"content")
    }

    fn records(self, records: &[(&str, &str)]) -> Self {
        self.extension(EntryType::XHeader, records)
    }

    fn extension(self, kind: EntryType, records: &[(&str, &str)]) -> Self {
        let text = records.iter().map(|(key, value)| {
            // The length counts its own digits.
            let rest = key.len() + value.len() + 3;
            let digits = (rest + rest.to_string().len()).to_string().len();
            format!("{} {key}={value}\n", rest + digits)
        });
        let text = text.collect::<Vec<_>>().concat();
        self.entry(kind, "pax", text.as_bytes())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn read(bytes: &[u8]) -> Result<TarIndex, OpenError> {
    TarIndex::read(Cursor::new(bytes), bytes.len() as u64)
}

fn refusal(bytes: &[u8]) -> String {
    match read(bytes).expect_err("it should be refused") {
        OpenError::Header { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

fn use_of(index: &TarIndex, name: &str) -> String {
    index
        .file(name)
        .expect_err("it should not be usable")
        .to_string()
}

#[test]
fn names() {
    for (name, expected) in [
        ("blobs/sha256/ab", Ok("blobs/sha256/ab")),
        ("./index.json", Ok("index.json")),
        (".//blobs//a", Ok("blobs/a")),
        ("a..b/..c", Ok("a..b/..c")),
        ("a/../b", Err(Oddity::Climbs)),
        ("../a", Err(Oddity::Climbs)),
        ("/a", Err(Oddity::Absolute)),
        ("", Err(Oddity::Empty)),
        ("./", Err(Oddity::Empty)),
        ("a/", Err(Oddity::EndsWithSlash)),
        ("a\0b", Err(Oddity::HasNul)),
    ] {
        assert_eq!(normalize(name), expected.map(str::to_owned), "{name:?}");
    }
}

#[test]
fn links_stay_in_the_archive() {
    for (from, target, expected) in [
        ("b", "../a/layer.tar", Some("a/layer.tar")),
        ("", "a", Some("a")),
        ("b", "./c", Some("b/c")),
        ("b", "../../a", None),
        ("b", "/etc/passwd", None),
        ("b", "..", None),
        ("", "", None),
    ] {
        assert_eq!(
            resolve(from, target).as_deref(),
            expected,
            "{from} {target}"
        );
    }
}

#[test]
fn links_are_followed() {
    let (symbolic, hard) = (EntryType::Symlink, EntryType::Link);
    let bytes = Blocks::default()
        .header(symbolic, "a/first", "../b/second", 0)
        .header(symbolic, "b/second", "third", 0)
        .file("b/third")
        .header(hard, "c/hard", "b/third", 0)
        .header(symbolic, "c/dangling", "nowhere", 0)
        .header(symbolic, "c/out", "../../etc/passwd", 0)
        .header(hard, "c/absolute", "/etc/passwd", 0)
        .header(symbolic, "circle/1", "2", 0)
        .header(symbolic, "circle/2", "1", 0)
        .end();
    let index = read(&bytes).expect("sound");
    let third = index.file("b/third").expect("a file");
    assert_eq!(third, Some((1536, 7)));
    for name in ["a/first", "b/second", "c/hard"] {
        assert_eq!(index.file(name).expect("a link"), third, "{name}");
    }
    assert!(use_of(&index, "c/dangling").contains("\"c/nowhere\", which is not found"));
    assert!(use_of(&index, "c/out").contains("outside"));
    assert!(use_of(&index, "c/absolute").contains("absolute"));
    assert!(use_of(&index, "circle/1").contains("cycle"));
    assert_eq!(index.file("d").expect("nothing"), None);
    assert_eq!(index.ignored().count, 2, "those that lead out");
}

#[test]
fn odd_names_are_refused_only_where_they_would_be_used() {
    let bytes = Blocks::default()
        .file("../index.json")
        .file("/oci-layout")
        .file("oci-layout")
        .file("a/../blob")
        .end();
    let index = read(&bytes).expect("sound");
    assert!(use_of(&index, "index.json").contains("'..'"));
    assert!(use_of(&index, "a/blob").contains("'..'"));
    assert!(!index.contains("index.json"));
    assert_eq!(
        index.file("oci-layout").expect("the proper one"),
        Some((2560, 7))
    );
    assert_eq!(index.repeated().count(), 0);
    let ignored = index.ignored();
    assert_eq!((ignored.count, &*ignored.first), (3, "../index.json"));
}

#[test]
fn special_entries_are_refused_only_where_they_would_be_used() {
    for (kind, words) in [
        (EntryType::Fifo, "fifo"),
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::new(b'Z'), "unknown type"),
    ] {
        let bytes = Blocks::default()
            .header(kind, "special", "", 0)
            .file("file")
            .end();
        let index = read(&bytes).expect("sound");
        assert!(use_of(&index, "special").contains(words), "{words}");
        assert!(index.file("file").expect("a file").is_some());
    }
}

#[test]
fn the_first_of_a_name_counts() {
    let bytes = Blocks::default()
        .file("a")
        .entry(EntryType::Regular, "./a", b"other")
        .end();
    let index = read(&bytes).expect("sound");
    assert_eq!(index.file("a").expect("a file"), Some((512, 7)));
    let repeated: Vec<_> = index.repeated().collect();
    let again = Item::File {
        offset: 1536,
        length: 5,
    };
    assert_eq!(repeated, [("a", &again)]);
}

#[test]
fn sizes_beyond_the_file() {
    let sound = Blocks::default().file("a").file("b").end();
    for length in 1..sound.len() {
        let cut = &sound[..length];
        let told = match read(cut) {
            Err(OpenError::Truncated { end, length, .. }) => end > length,
            Ok(index) => {
                // All entries are there, or at a boundary those before it.
                assert_eq!(index.ending() == Ending::Absent, length < 2560, "{length}");
                index.ending() == Ending::Complete || length % 512 == 0 || length % 512 >= 7
            }
            Err(other) => panic!("{length}: {other:?}"),
        };
        assert!(told, "{length}");
    }
    let claims = Blocks::default()
        .header(EntryType::Regular, "a", "", 10 << 30)
        .content(b"x")
        .end();
    assert!(refusal(&claims).contains("truncated: entry \"a\" would end at byte 10737418752"));
    let largest = Blocks::default()
        .records(&[("size", "18446744073709551615")])
        .file("a")
        .end();
    assert!(read(&largest).is_err());
}

#[test]
fn endings() {
    let check = |tail: &[u8], expected| {
        let mut bytes = Blocks::default().file("a").0;
        bytes.extend_from_slice(tail);
        assert_eq!(read(&bytes).expect("sound").ending(), expected);
    };
    check(b"", Ending::Absent);
    check(&[0; 512], Ending::Complete);
    check(&[0; 10_240], Ending::Complete);
    check(&[0; 700], Ending::Complete);
    let mut garbage = vec![0; 1024];
    garbage.extend_from_slice(b"garbage");
    check(&garbage, Ending::Trailing);
}

#[test]
fn records_that_readers_disagree_about() {
    for (records, words) in [
        (&[("path", "b"), ("path", "c")][..], "twice"),
        (&[("size", "7"), ("size", "0")], "twice"),
        (&[("size", "x")], "no number"),
        (&[("size", "+7")], "no number"),
        (&[("size", "")], "no number"),
    ] {
        let bytes = Blocks::default().records(records).file("a").end();
        assert!(refusal(&bytes).contains(words), "{records:?}");
    }
    for records in [
        &[("size", "7")][..],
        &[("path", "index.json")],
        &[("GNU.sparse.major", "1")],
    ] {
        let bytes = Blocks::default()
            .extension(EntryType::XGlobalHeader, records)
            .file("a")
            .end();
        assert!(refusal(&bytes).contains("global"), "{records:?}");
    }
    let comment = Blocks::default()
        .extension(EntryType::XGlobalHeader, &[("comment", "sound")])
        .records(&[("path", "long"), ("mtime", "1.5")])
        .file("short")
        .end();
    let index = read(&comment).expect("sound");
    assert_eq!(index.names().collect::<Vec<_>>(), ["long"]);
    let malformed = Blocks::default()
        .entry(EntryType::XHeader, "pax", b"99 path=b\n")
        .file("a")
        .end();
    assert!(refusal(&malformed).contains("malformed"));
}

#[test]
fn sparse_files() {
    let bytes = Blocks::default()
        .records(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "blob")])
        .file("GNUSparseFile.1/blob")
        .end();
    let index = read(&bytes).expect("sound");
    assert!(use_of(&index, "GNUSparseFile.1/blob").contains("sparse"));
}

#[test]
fn extensions_in_a_format_without_them() {
    let mut header = Header::new_old();
    header.set_entry_type(EntryType::XHeader);
    header.set_size(0);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(Blocks::default().file("a").end());
    assert!(refusal(&bytes).contains("format that has none"));
}

proptest! {
    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let _ = read(&bytes);
    }

    /// Random bytes rarely have a checksum that fits, so headers with random fields are tried too.
    #[test]
    fn any_header_is_taken(
        fields in proptest::collection::vec((any::<u8>(), "[./a\0]{0,12}", 0_u64..2000, any::<[u8; 20]>()), 0..6),
        tail in proptest::collection::vec(any::<u8>(), 0..1500),
    ) {
        let mut bytes = Vec::new();
        for (kind, name, size, noise) in fields {
            let mut header = if noise[0] < 128 { Header::new_gnu() } else { Header::new_ustar() };
            header.set_entry_type(EntryType::new(kind));
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(size);
            header.as_mut_bytes()[386..386 + noise.len()].copy_from_slice(&noise);
            header.set_cksum();
            bytes.extend_from_slice(header.as_bytes());
        }
        bytes.extend(tail);
        if let Ok(index) = read(&bytes) {
            for name in index.names() {
                if let Ok(Some((offset, length))) = index.file(name) {
                    prop_assert!(offset + length <= bytes.len() as u64);
                }
            }
        }
    }

    #[test]
    fn no_name_climbs(name in "[./a\0]{0,20}", target in "[./a]{0,20}") {
        for name in [normalize(&name).ok(), resolve(&name, &target)].into_iter().flatten() {
            prop_assert!(name.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
        }
    }
}
