//! Any image, written as `docker save` could have written it, reads back as itself; and any bytes and any
//! damage give an error and never a panic.

use std::io::Read as _;

use bytes::Bytes;
use oci_archive::{
    Algorithm, Archive, Blob, Compression, CompressionSettings, Compressor, Content, Digest,
    FinishedLayer, FinishedLayers, Format, OpenError, OpenOptions, Scratch, Selection,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use tar::EntryType;

use crate::saved::{compressed, config, diff_id, draft, finish};
use crate::support::{Layout, Tar};

/// How a layer that is in the archive already is written again.
#[derive(Debug, Clone, Copy)]
enum Repeated {
    Symlink,
    HardLink,
    Copy,
    /// Not at all: its path stands twice in `manifest.json`.
    Not,
}

/// Images by their parts.
#[derive(Debug, Clone)]
struct Model {
    /// The uncompressed layers, and how each is compressed.
    contents: Vec<(Vec<u8>, Compression)>,
    /// Each image's layers, and how they are written if they are there already.
    images: Vec<Vec<(Index, Repeated)>>,
    names: Vec<Vec<String>>,
    prefix: &'static str,
    /// Decides on the order of entries.
    order: u64,
    outside: Compression,
}

fn compression() -> impl Strategy<Value = Compression> {
    prop_oneof![
        Just(Compression::None),
        Just(Compression::Gzip),
        Just(Compression::Zstd),
        Just(Compression::Xz),
        Just(Compression::Bzip2),
    ]
}

fn repeated() -> impl Strategy<Value = Repeated> {
    prop_oneof![
        Just(Repeated::Symlink),
        Just(Repeated::HardLink),
        Just(Repeated::Copy),
        Just(Repeated::Not),
    ]
}

fn model() -> impl Strategy<Value = Model> {
    // A layer begins with a name, and none that could be taken for a compression.
    let content = proptest::collection::vec(any::<u8>(), 0..2000).prop_map(|mut content| {
        content.insert(0, b'.');
        content
    });
    let layers = proptest::collection::vec((any::<Index>(), repeated()), 0..5);
    let names = proptest::collection::vec("[a-z]{1,9}(/[a-z]{1,9})?:[0-9]", 0..3);
    (
        proptest::collection::vec((content, compression()), 1..4),
        proptest::collection::vec((layers, names), 1..4),
        prop_oneof![Just(""), Just("./"), Just(".//")],
        any::<u64>(),
        compression(),
    )
        .prop_map(|(contents, images, prefix, order, outside)| {
            let (images, names) = images.into_iter().unzip();
            Model {
                contents,
                images,
                names,
                prefix,
                order,
                outside,
            }
        })
}

/// An entry of the tar file: its name, and its bytes or the target of a link.
enum Entry {
    File(String, Vec<u8>),
    Link(EntryType, String, String),
}

impl Model {
    /// The uncompressed layers of an image.
    fn layers(&self, image: usize) -> Vec<&(Vec<u8>, Compression)> {
        let layers = self.images[image].iter();
        layers
            .map(|(index, _)| &self.contents[index.index(self.contents.len())])
            .collect()
    }

    fn config(&self, image: usize) -> Vec<u8> {
        let layers = self.layers(image);
        let diff_ids: Vec<Digest> = layers.iter().map(|(content, _)| diff_id(content)).collect();
        config(
            &format!("arch{image}"),
            &diff_ids.iter().collect::<Vec<_>>(),
        )
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut listed = Vec::new();
        // By content, where each layer was written first.
        let mut first: Vec<Option<String>> = vec![None; self.contents.len()];
        for (image, layers) in self.images.iter().enumerate() {
            let mut paths = Vec::new();
            for (position, (index, repeated)) in layers.iter().enumerate() {
                let known = index.index(self.contents.len());
                let (content, compression) = &self.contents[known];
                let path = format!("image{image}/{position}/layer.tar");
                let file = || Entry::File(path.clone(), compressed(*compression, content));
                let entry = match (&first[known], repeated) {
                    (None, _) | (_, Repeated::Copy) => file(),
                    (Some(first), Repeated::Symlink) => {
                        let target = format!("../../{first}");
                        Entry::Link(EntryType::Symlink, path.clone(), target)
                    }
                    (Some(first), Repeated::HardLink) => {
                        Entry::Link(EntryType::Link, path.clone(), first.clone())
                    }
                    (Some(first), Repeated::Not) => {
                        paths.push(first.clone());
                        continue;
                    }
                };
                entries.push(entry);
                first[known].get_or_insert_with(|| path.clone());
                paths.push(path);
            }
            let config = self.config(image);
            let name = format!("{}.json", diff_id(&config).hex());
            listed.push(json!({ "Config": name, "RepoTags": self.names[image], "Layers": paths }));
            entries.push(Entry::File(name, config));
        }
        let list = Value::from(listed).to_string().into_bytes();
        entries.push(Entry::File("manifest.json".to_owned(), list));
        entries
    }

    fn tar(&self) -> Bytes {
        let mut entries = self.entries();
        entries.sort_by_cached_key(|entry| {
            let (Entry::File(name, _) | Entry::Link(_, name, _)) = entry;
            diff_id(format!("{} {name}", self.order).as_bytes())
        });
        let mut tar = Tar::default();
        for entry in entries {
            match entry {
                Entry::File(name, bytes) => tar.file(&format!("{}{name}", self.prefix), &bytes),
                Entry::Link(kind, name, target) => {
                    tar.link(kind, &format!("{}{name}", self.prefix), &target);
                }
            }
        }
        tar.end()
    }

    /// The archive as it would be handed in.
    fn bytes(&self) -> Bytes {
        compressed(self.outside, &self.tar()).into()
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::default();
    options.scratch = Some(Scratch::new(std::env::temp_dir()));
    options
}

/// What is in a finished layer.
fn unpacked(blob: &Blob) -> Vec<u8> {
    let mut stored = Vec::new();
    let mut reader = blob.source.reader(0).expect("readable");
    reader.read_to_end(&mut stored).expect("readable");
    assert_eq!(
        blob.descriptor.digest,
        Digest::of(Algorithm::Sha256, &stored)
    );
    if blob.descriptor.media_type.ends_with("+zstd") {
        return zstd::decode_all(stored.as_slice()).expect("zstd");
    }
    let mut bytes = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(stored.as_slice());
    decoder.read_to_end(&mut bytes).expect("gzip");
    bytes
}

fn check(model: &Model, image: usize, content: Content) {
    let draft = draft(Ok(content));
    let layers = model.layers(image);
    let diff_ids: Vec<Digest> = layers.iter().map(|(content, _)| diff_id(content)).collect();
    assert_eq!(draft.diff_ids(), diff_ids);
    let mut names = model.names[image].clone();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    assert_eq!(draft.names(), names);
    assert_eq!(
        draft.platforms()[0].to_string(),
        format!("linux/arch{image}")
    );
    assert_eq!(draft.origin().format, Some(Format::DockerArchive));
    let outside = Some(model.outside).filter(|one| *one != Compression::None);
    assert_eq!(draft.origin().compression, outside);
    let finished = finish(&draft);
    assert_eq!(
        finished.config_digest(),
        Some(&diff_id(&model.config(image)))
    );
    let manifest: Value = serde_json::from_slice(finished.root().bytes()).expect("JSON");
    let described = manifest["layers"].as_array().expect("a list");
    assert_eq!(described.len(), layers.len());
    for (described, (content, _)) in described.iter().zip(&layers) {
        let is_it = |blob: &&Blob| blob.descriptor.digest.to_string() == described["digest"];
        let blob = finished.blobs().iter().find(is_it).expect("it is there");
        assert_eq!(described["size"], blob.source.len());
        assert_eq!(described["mediaType"], blob.descriptor.media_type);
        assert!(unpacked(blob) == *content);
    }
}

/// Does everything with an archive that can be done, and keeps nothing of it.
fn use_up(bytes: &Bytes, options: &OpenOptions) -> Result<(), OpenError> {
    let archive = Archive::from_bytes(bytes.clone(), options)?;
    for content in archive.read_all(options)? {
        let Content::Draft(draft) = content else {
            continue;
        };
        let compressor = Compressor::new(
            CompressionSettings::default(),
            1,
            Scratch::new(std::env::temp_dir()),
        );
        let mut finished = FinishedLayers::new();
        for layer in draft.layers() {
            if let Ok(blob) = compressor.finish(layer, &|_| true) {
                finished.insert(layer.diff_id.clone(), FinishedLayer::made(blob));
            }
        }
        // What is lacking makes it an error, and that is all.
        drop(draft.finish(&finished));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_model_reads_back(model in model()) {
        let archive = Archive::from_bytes(model.bytes(), &options()).expect("a tar file");
        for image in 0..model.images.len() {
            let mut options = options();
            options.select = Some(Selection::Index(image));
            check(&model, image, archive.read(&options).expect("sound"));
        }
        let all = archive.read_all(&options()).expect("sound");
        prop_assert_eq!(all.len(), model.images.len());
        if let [only] = model.images.as_slice() {
            prop_assert_eq!(draft(archive.read(&options())).diff_ids().len(), only.len());
        } else {
            let is_asked = matches!(archive.read(&options()), Err(OpenError::Selection { .. }));
            prop_assert!(is_asked);
        }
    }

    /// The bytes of a piped archive are those of a file.
    #[test]
    fn a_stream_reads_as_a_file_does(model in model()) {
        let name = std::path::Path::new("-");
        let bytes = model.bytes();
        let archive = Archive::from_reader(bytes.as_ref(), name, &options()).expect("a tar file");
        let all = archive.read_all(&options()).expect("sound");
        for (image, content) in all.into_iter().enumerate() {
            check(&model, image, content);
        }
    }

    #[test]
    fn damage_never_panics(
        model in model(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<Index>()),
    ) {
        for bytes in [model.tar(), model.bytes()] {
            let mut damaged = bytes.to_vec();
            for (at, byte) in &changes {
                let at = at.index(damaged.len());
                damaged[at] = *byte;
            }
            if let Some(cut) = cut {
                damaged.truncate(cut.index(damaged.len()));
            }
            drop(use_up(&damaged.into(), &options()));
        }
    }

    /// Bytes of any kind, also behind the beginnings of all that is known.
    #[test]
    fn any_bytes_are_taken(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        start in proptest::sample::select(vec![
            &b""[..],
            b"\x1f\x8b\x08\0",
            b"\x28\xb5\x2f\xfd",
            b"\xfd7zXZ\0",
            b"BZh9",
        ]),
        outside in compression(),
    ) {
        let bytes = [start, &bytes].concat();
        prop_assert!(use_up(&bytes.clone().into(), &options()).is_err());
        let inside = compressed(outside, &bytes);
        prop_assert!(use_up(&inside.into(), &options()).is_err());
    }

    /// Any document in place of `manifest.json`, beside a layout and alone.
    #[test]
    fn any_manifest_is_taken(
        document in prop_oneof![
            "[\\[\\]{}:,\"a-z0-9]{0,200}",
            r#"\[\{"Config":"config.json","(Layers|RepoTags|LayerSources)":[\[\]{}:,"a-z0-9]{0,20}\}\]"#,
        ],
    ) {
        let mut layout = Layout::default();
        layout.file("manifest.json", document.as_bytes());
        layout.file("config.json", &config("amd64", &[]));
        drop(use_up(&layout.tar(""), &options()));
        let image = layout.image("amd64", &[b"one"]);
        layout.roots(&[image]);
        // What only Docker's list names is not there, so the layout is what counts.
        let archive = Archive::from_bytes(layout.tar(""), &options()).expect("a tar file");
        let is_taken = match archive.read(&options()) {
            Ok(_) => true,
            Err(error) => matches!(error, OpenError::Selection { .. }),
        };
        prop_assert!(is_taken);
    }
}
