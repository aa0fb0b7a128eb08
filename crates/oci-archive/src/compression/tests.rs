use std::io::Write as _;

use super::*;

const TEXT: &[u8] = b"the quick brown fox jumps over the lazy dog";

fn compressed(compression: Compression) -> Vec<u8> {
    match compression {
        Compression::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(TEXT).expect("memory");
            encoder.finish().expect("memory")
        }
        Compression::Zstd => zstd::encode_all(TEXT, 3).expect("memory"),
        Compression::Bzip2 => {
            let mut encoder =
                bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
            encoder.write_all(TEXT).expect("memory");
            encoder.finish().expect("memory")
        }
        // `printf` of the text through `xz`.
        Compression::Xz | Compression::None => TEXT.to_vec(),
    }
}

fn decoded(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    compression
        .decoder(bytes, Window::Largest)?
        .read_to_end(&mut decoded)?;
    Ok(decoded)
}

#[test]
fn one_stream_or_several() {
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Bzip2] {
        let bytes = compressed(compression);
        assert_eq!(Compression::of_start(&bytes), compression);
        assert_eq!(
            decoded(compression, &bytes).expect("sound"),
            TEXT,
            "{compression}"
        );
        let twice = [bytes.clone(), bytes.clone()].concat();
        let expected = [TEXT, TEXT].concat();
        assert_eq!(
            decoded(compression, &twice).expect("sound"),
            expected,
            "{compression}"
        );
        for length in 0..bytes.len() {
            let cut = decoded(compression, &bytes[..length]);
            // A file of no bytes holds no stream, for some.
            assert!(cut.is_err() || length == 0, "{compression} cut at {length}");
        }
    }
}

#[test]
fn what_follows_the_last_member() {
    for (compression, almost) in [
        (Compression::Gzip, &b"\x1f garbage"[..]),
        (Compression::Bzip2, b"BZ garbage"),
    ] {
        let bytes = compressed(compression);
        let padded = [bytes.clone(), vec![0; 70_000]].concat();
        assert_eq!(decoded(compression, &padded).expect("zeros"), TEXT);
        for garbage in [&b"garbage"[..], b"\0\0garbage", almost] {
            let bytes = [&bytes[..], garbage].concat();
            decoded(compression, &bytes).expect_err("garbage");
        }
    }
}

/// A frame header that declares a window of 2 `GiB` costs no 2 `GiB`.
#[test]
fn a_window_that_is_too_large() {
    // Magic number, a descriptor without content size, a window of 2^31, and an empty last block.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    let error = decoded(Compression::Zstd, &frame).expect_err("too large");
    assert!(error.to_string().contains("memory"), "{error}");
    // The largest that is allowed.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];
    assert_eq!(decoded(Compression::Zstd, &frame).expect("allowed"), b"");
}
