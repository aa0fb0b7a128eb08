use std::io::Write as _;

use bytes::Bytes;

use super::*;

/// Bytes that look a little like a layer's: words, and some noise. The same on every machine.
fn content(length: usize) -> Vec<u8> {
    let words = [
        "usr",
        "lib",
        "share",
        "container",
        "\0\0\0\0\0\0",
        "0000644",
    ];
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(length + 16);
    while bytes.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let [.., high, higher] = state.to_le_bytes();
        bytes.extend_from_slice(words[usize::from(high) % words.len()].as_bytes());
        bytes.push(higher);
    }
    bytes.truncate(length);
    bytes
}

fn layer(bytes: &[u8]) -> RawLayer {
    RawLayer {
        diff_id: Digest::of(Algorithm::Sha256, bytes),
        name: "layer.tar".into(),
        compression: Compression::None,
        source: BlobSource::from_bytes(Bytes::copy_from_slice(bytes)),
    }
}

fn compressor(format: CompressionFormat, level: Option<i32>, threads: usize) -> Compressor {
    let settings = CompressionSettings::new(format, level).expect("a level");
    let directory = std::env::temp_dir();
    Compressor::new(settings, threads, Scratch::new(directory))
}

fn zstd_of(bytes: &[u8], window: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("memory");
    encoder.window_log(window).expect("a window");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A layer that the archive holds compressed.
fn compressed_layer(content: &[u8], compression: Compression, bytes: &[u8]) -> RawLayer {
    RawLayer {
        diff_id: Digest::of(Algorithm::Sha256, content),
        compression,
        ..layer(bytes)
    }
}

fn bytes_of(blob: &Blob) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = blob.source.reader(0).expect("readable");
    reader.read_to_end(&mut bytes).expect("readable");
    bytes
}

fn finish(compressor: &Compressor, layer: &RawLayer) -> Blob {
    let blob = compressor
        .finish(layer, &|_| true)
        .expect("it can be finished");
    let bytes = bytes_of(&blob);
    assert_eq!(
        blob.descriptor.digest,
        Digest::of(Algorithm::Sha256, &bytes)
    );
    assert_eq!(blob.descriptor.size, bytes.len() as u64);
    blob
}

/// What a layer becomes must never change unnoticed: a push would upload everything again, and the
/// cache would be wrong. If this fails after a change of an encoder, raise the generation in
/// [`CompressionSettings::name`] and tell the users.
#[test]
fn golden_digests() {
    let content = content(3_500_000);
    let layer = layer(&content);
    for (format, level, expected) in [
        (
            CompressionFormat::Gzip,
            6,
            "sha256:71ad9ff233edfdf4f4ec1070463cacafa4e2f2ae1b2d7e79cf904fca88ac8fe7",
        ),
        (
            CompressionFormat::Gzip,
            1,
            "sha256:7b96909fe5411a12eba8beb5fe67a86f3d8efa8a313fdd46208586e1b26a9d84",
        ),
        (
            CompressionFormat::Gzip,
            9,
            "sha256:89de500fac154a5678ddae914dbd5d3b4e22f90909073b6b01fa6da19b37c50d",
        ),
        (
            CompressionFormat::Zstd,
            3,
            "sha256:c761277166771f4f25856d1668ebe05953345cc9cdcbac349c5ea0fb555ca02b",
        ),
        (
            CompressionFormat::Zstd,
            19,
            "sha256:12b7ca5dfeacc8afb922d8acfab27024a3f0b4651d3a91d1cd1c16dd8675c14f",
        ),
    ] {
        let blob = finish(&compressor(format, Some(level), 2), &layer);
        assert_eq!(
            blob.descriptor.digest.to_string(),
            expected,
            "{format:?} {level}"
        );
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let content = content(5_000_000);
    let layer = layer(&content);
    for format in [CompressionFormat::Gzip, CompressionFormat::Zstd] {
        let digests: Vec<Digest> = [1, 2, 7]
            .into_iter()
            .map(|threads| {
                finish(&compressor(format, None, threads), &layer)
                    .descriptor
                    .digest
            })
            .collect();
        assert!(
            digests.windows(2).all(|pair| pair[0] == pair[1]),
            "{format:?}"
        );
    }
}

#[test]
fn what_goes_in_comes_out() {
    let block = 1024 * 1024;
    for format in [
        CompressionFormat::Gzip,
        CompressionFormat::Zstd,
        CompressionFormat::None,
    ] {
        let compressor = compressor(format, None, 2);
        for length in [
            0,
            1,
            1024,
            block - 1,
            block,
            block + 1,
            2 * block,
            4 * block + 7,
        ] {
            let content = content(length);
            let blob = finish(&compressor, &layer(&content));
            assert_eq!(blob.descriptor.media_type, format.media_type());
            let bytes = bytes_of(&blob);
            let mut content_again = Vec::new();
            let compression = match format {
                CompressionFormat::Gzip => Compression::Gzip,
                CompressionFormat::Zstd => Compression::Zstd,
                CompressionFormat::None => Compression::None,
            };
            let mut decoder = compression
                .decoder(bytes.as_slice(), Window::Largest)
                .expect("a decoder");
            decoder.read_to_end(&mut content_again).expect("sound");
            assert!(content_again == content, "{format:?} {length}");
        }
    }
}

/// Noise grows when it is deflated, and must fit all the same.
#[test]
fn noise() {
    let mut state = 7_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    })
    .take(2_500_000)
    .collect();
    for level in [1, 6, 9] {
        let blob = finish(
            &compressor(CompressionFormat::Gzip, Some(level), 2),
            &layer(&noise),
        );
        let mut content_again = Vec::new();
        let bytes = bytes_of(&blob);
        let mut decoder = Compression::Gzip
            .decoder(bytes.as_slice(), Window::Largest)
            .expect("a decoder");
        decoder.read_to_end(&mut content_again).expect("sound");
        assert!(content_again == noise, "{level}");
    }
}

#[test]
fn a_layer_that_is_not_what_the_configuration_says() {
    for format in [
        CompressionFormat::Gzip,
        CompressionFormat::Zstd,
        CompressionFormat::None,
    ] {
        let mut layer = layer(b"some content");
        layer.diff_id = Digest::of(Algorithm::Sha256, b"other content");
        let refused = compressor(format, None, 2).finish(&layer, &|_| true);
        assert!(
            matches!(refused, Err(CompressError::DiffId { .. })),
            "{format:?}"
        );
    }
}

#[test]
fn a_compressed_layer_is_looked_into_and_kept() {
    let content = content(100_000);
    let raw = layer(&content);
    let settings = compressor(CompressionFormat::Zstd, None, 2);
    for (format, compression) in [
        (CompressionFormat::Gzip, Compression::Gzip),
        (CompressionFormat::Zstd, Compression::Zstd),
    ] {
        let made = finish(&compressor(format, None, 2), &raw);
        // Zeros that a decoder ignores are a part of the blob.
        let mut bytes = bytes_of(&made);
        if compression == Compression::Gzip {
            bytes.extend_from_slice(&[0; 100]);
        }
        let mut layer = layer(&bytes);
        layer.diff_id = raw.diff_id.clone();
        layer.compression = compression;
        let blob = finish(&settings, &layer);
        assert_eq!(blob.descriptor.media_type, format.media_type());
        assert!(bytes_of(&blob) == bytes);
        layer.diff_id = Digest::of(Algorithm::Sha256, b"other");
        let refused = settings.finish(&layer, &|_| true);
        assert!(matches!(refused, Err(CompressError::DiffId { .. })));
        bytes.truncate(bytes.len() / 2);
        let mut cut = self::layer(&bytes);
        cut.compression = compression;
        let refused = settings.finish(&cut, &|_| true);
        assert!(matches!(refused, Err(CompressError::Read { .. })));
    }
}

#[test]
fn cancelling() {
    let layer = layer(&content(3_000_000));
    for format in [CompressionFormat::Gzip, CompressionFormat::None] {
        let cancelled = compressor(format, None, 2).finish(&layer, &|read| read < 1_000_000);
        assert!(
            matches!(cancelled, Err(CompressError::Cancelled)),
            "{format:?}"
        );
    }
}

/// What failed has given back what it held: others go on.
#[test]
fn failures_give_back_what_they_held() {
    let compressor = compressor(CompressionFormat::Gzip, None, 1);
    for _ in 0..10 {
        let mut wrong = layer(&content(9_000_000));
        wrong.diff_id = Digest::of(Algorithm::Sha256, b"other");
        compressor
            .finish(&wrong, &|read| read < 4_000_000)
            .expect_err("cancelled");
    }
    finish(&compressor, &layer(&content(9_000_000)));
}

/// Many layers at once share a budget that is too small for all of them.
#[test]
fn many_layers_at_once() {
    let compressor = compressor(CompressionFormat::Gzip, Some(1), 1);
    std::thread::scope(|scope| {
        for number in 0..12 {
            let compressor = &compressor;
            scope.spawn(move || finish(compressor, &layer(&content(3_000_000 + number))));
        }
    });
}

#[test]
fn levels() {
    for (format, level, is_known) in [
        (CompressionFormat::Gzip, 0, false),
        (CompressionFormat::Gzip, 9, true),
        (CompressionFormat::Gzip, 10, false),
        (CompressionFormat::Zstd, 19, true),
        (CompressionFormat::Zstd, 20, false),
        (CompressionFormat::None, 1, false),
    ] {
        let settings = CompressionSettings::new(format, Some(level));
        assert_eq!(settings.is_ok(), is_known, "{format:?} {level}");
    }
}

/// A process may open about a thousand files, and images have as many layers.
#[test]
#[cfg(target_os = "linux")]
fn many_layers_share_a_file() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let settings = CompressionSettings::default();
    let compressor = Compressor::new(settings, 2, Scratch::new(directory.path()));
    let layers: Vec<RawLayer> = (1..50)
        .map(|number| layer(&content(1000 * number)))
        .collect();
    let blobs: Vec<Blob> = layers
        .iter()
        .map(|layer| finish(&compressor, layer))
        .collect();
    let mut wrong = layer(&content(3_000_000));
    wrong.diff_id = Digest::of(Algorithm::Sha256, b"other");
    compressor.finish(&wrong, &|_| true).expect_err("refused");
    let last = finish(&compressor, &layer(&content(60_000)));
    let open = std::fs::read_dir("/proc/self/fd").expect("Linux");
    let ours = open.filter(|link| {
        let target = link.as_ref().expect("a link").path().read_link();
        target.is_ok_and(|target| target.starts_with(directory.path()))
    });
    assert_eq!(ours.count(), 1);
    for blob in blobs.iter().chain([&last]) {
        let bytes = bytes_of(blob);
        assert_eq!(
            blob.descriptor.digest,
            Digest::of(Algorithm::Sha256, &bytes)
        );
    }
}

/// A layer that expands without measure ends, and so do several that share one measure.
#[test]
fn layers_that_expand_without_end() {
    let content = vec![0; 8_000_000];
    let bytes = zstd_of(&content, 20);
    let layer = compressed_layer(&content, Compression::Zstd, &bytes);
    let mut compressor = compressor(CompressionFormat::Gzip, None, 2);
    finish(&compressor, &layer);
    compressor.allowance = Allowance::new(12_000_000, u64::MAX);
    finish(&compressor, &layer);
    let refused = compressor.finish(&layer, &|_| true).expect_err("too much");
    let CompressError::Read { source, .. } = refused else {
        panic!("{refused:?}");
    };
    assert!(source.to_string().contains("have become"), "{source}");
}

/// Decoders with large windows wait for one another, and what needs none does not.
#[test]
fn windows_are_within_a_budget() {
    let content = content(300_000);
    for (window, is_large) in [(20, false), (27, true)] {
        let bytes = zstd_of(&content, window);
        let layer = compressed_layer(&content, Compression::Zstd, &bytes);
        let compressor = compressor(CompressionFormat::Gzip, None, 2);
        let usual = Compression::Zstd.memory(Window::Usual);
        let held = compressor.windows.take(usual, true);
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            finish(&compressor, &self::layer(&content));
            scope.spawn(|| sender.send(finish(&compressor, &layer).descriptor.digest));
            if is_large {
                let waited = receiver.recv_timeout(std::time::Duration::from_millis(300));
                waited.expect_err("it waits for memory");
                drop(held);
            }
            let finished = receiver.recv().expect("it is finished");
            assert_eq!(finished, Digest::of(Algorithm::Sha256, &bytes));
        });
    }
}
