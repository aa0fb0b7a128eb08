use super::*;

fn check(start: &[u8], words: Option<&str>) {
    let message = refusal(start, start.len() as u64).map(|error| error.to_string());
    match words {
        None => assert_eq!(message, None),
        Some(words) => assert!(
            message.as_deref().unwrap_or_default().contains(words),
            "{message:?} does not say {words:?}"
        ),
    }
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
    check(b"", Some("empty (0 bytes)"));
    check(b"\x1f\x8b\x08\0", Some("compressed with gzip"));
    check(b"\x28\xb5\x2f\xfd", Some("compressed with zstd"));
    check(b"\xfd7zXZ\0", Some("compressed with xz"));
    check(b"BZh91AY", Some("compressed with bzip2"));
    check(b"\x04\x22\x4d\x18", Some("compressed with lz4"));
    check(b"PK\x03\x04", Some("ZIP"));
    check(b"\x89PNG\r\n", Some("PNG"));
    check(b"{}", Some("JSON"));
    check(b"hello", Some("too short"));
    check(&[b'x'; 512], Some("checksum"));
    check(&[0; 511], Some("too short"));
}

#[test]
fn names_that_begin_like_another_kind() {
    for name in ["BZh9", "PK\x03\x04", "{", "oci-layout"] {
        check(&header(name), None);
    }
    check(&[0; 512], None);
}

#[test]
fn a_changed_header() {
    let mut header = header("oci-layout");
    header[0] ^= 1;
    check(&header, Some("checksum"));
}
