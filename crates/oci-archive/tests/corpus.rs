//! Archives written by real tools, and broken or hostile ones: what each must give is in
//! `tests/fixtures/archives/corpus.json`, and the reader is held to it.
//!
//! What this version does not read is listed by name, and must be refused as such, not by accident.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Read as _;
use std::path::PathBuf;

use oci_archive::{Algorithm, Digest, Image, Manifest, OpenError, OpenOptions, Selection, open};
use serde_json::Value;

/// Sound archives of kinds that this version does not read: docker-save tars, tars compressed outside,
/// and look-alikes without `oci-layout`.
const NOT_READ: [&str; 17] = [
    "constructed/apko-like-one-arch.tar",
    "constructed/nix-like.tar.gz",
    "constructed/outer-gzip-all-header-fields.tar.gz",
    "genuine/buildah-docker-archive.tar",
    "genuine/crane-pull-tarball-zstd.tar",
    "genuine/crane-pull-tarball.tar",
    "genuine/docker20-save-single.tar",
    "genuine/gnutar-hardlink-dedupe.tar",
    "genuine/outer-gzip-docker29-graph.tar.gz",
    "genuine/outer-xz-podman-docker-archive.tar.xz",
    "genuine/outer-zstd-buildkit-oci.tar.zst",
    "genuine/podman-docker-archive.tar",
    "hostile/docker-repotags-workflow-commands.tar",
    "hostile/link-hardlink-forward.tar",
    "hostile/link-hardlink-from-root.tar",
    "hostile/link-symlink-chain-forward.tar",
    "hostile/outer-gzip-trailing-zeros.tar.gz",
];

/// Broken archives of those kinds: refused, for the kind and not for what is broken about them.
const NOT_READ_ANYWAY: [&str; 14] = [
    "hostile/docker-config-missing.tar",
    "hostile/docker-config-path-proc.tar",
    "hostile/docker-diff-id-mismatch.tar",
    "hostile/docker-layer-count-mismatch.tar",
    "hostile/docker-layer-missing.tar",
    "hostile/docker-layer-path-climbs.tar",
    "hostile/docker-manifest-json-empty.tar",
    "hostile/link-cycle.tar",
    "hostile/link-symlink-absolute.tar",
    "hostile/link-symlink-dangling.tar",
    "hostile/outer-gzip-bad-crc.tar.gz",
    "hostile/outer-gzip-truncated.tar.gz",
    "hostile/outer-gzip-twice.tar.gz.gz",
    "hostile/outer-lz4.tar.lz4",
];

fn archives() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/archives")
}

fn corpus() -> Vec<Value> {
    let text = std::fs::read(archives().join("corpus.json")).expect("the corpus is there");
    let corpus: Value = serde_json::from_slice(&text).expect("JSON");
    let entries = corpus["archives"].as_array().expect("a list").clone();
    // Those too large to keep are made by tests of their own.
    entries
        .into_iter()
        .filter(|entry| entry["on_demand"] != true)
        .collect()
}

/// The archives here are those that the corpus describes, byte for byte, and all of them.
#[test]
fn the_corpus_is_whole() {
    let entries = corpus();
    let mut described = BTreeSet::new();
    for entry in &entries {
        let file = entry["file"].as_str().expect("a name");
        assert!(described.insert(file.to_owned()), "{file} stands twice");
        let path = archives().join(file);
        let Some(hash) = entry["sha256"].as_str() else {
            assert!(path.is_dir(), "{file} is a directory");
            continue;
        };
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        assert_eq!(digest.hex(), hash, "{file}");
    }
    let mut found = BTreeSet::new();
    for class in ["genuine", "constructed", "hostile"] {
        for file in archives().join(class).read_dir().expect("a directory") {
            let name = file.expect("readable").file_name();
            found.insert(format!("{class}/{}", name.display()));
        }
    }
    assert_eq!(found, described);
    for file in NOT_READ.iter().chain(&NOT_READ_ANYWAY) {
        assert!(described.contains(*file), "{file} is in the corpus");
    }
}

#[test]
fn every_archive_gives_what_it_must() {
    let mut wrong = Vec::new();
    for entry in corpus() {
        let file = entry["file"].as_str().expect("a name");
        if let Err(problem) = check(file, &entry) {
            wrong.push(format!("{file}: {problem}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is beside an image and about it is not published with it, and that is told.
#[test]
fn referrers_are_left_out() {
    let mut seen = 0;
    for entry in corpus() {
        for referrer in entry["referrers_not_images"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let file = entry["file"].as_str().expect("a name");
            let image = open(&archives().join(file), &OpenOptions::default()).expect("sound");
            let notices: Vec<String> = image.notices().iter().map(ToString::to_string).collect();
            let referrer = referrer.as_str().expect("a digest");
            assert!(
                notices.iter().any(|notice| notice.contains(referrer)),
                "{notices:?}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 1);
}

fn check(file: &str, entry: &Value) -> Result<(), String> {
    let opened = open(&archives().join(file), &OpenOptions::default());
    if NOT_READ.contains(&file) || NOT_READ_ANYWAY.contains(&file) {
        return match opened {
            Err(OpenError::Unsupported { .. }) => Ok(()),
            other => Err(format!("it should be refused as unsupported: {other:?}")),
        };
    }
    match entry["expect"].as_str().expect("an expectation") {
        "accept" | "reader-accepts" => accepted(&opened.map_err(|error| chain(&error))?, entry),
        "refuse" => refused(opened, entry),
        "either" => match opened {
            Ok(image) => accepted(&image, entry),
            Err(error) => named(&error, entry),
        },
        "selection-required" => selection(file, opened, entry),
        other => Err(format!("unknown expectation {other}")),
    }
}

fn accepted(image: &Image, entry: &Value) -> Result<(), String> {
    let root = image.root().descriptor();
    let expected = [
        &entry["root_digest"],
        &entry["root_digest_if_pushed_verbatim"],
    ];
    if !expected
        .iter()
        .any(|digest| digest.as_str() == Some(&root.digest.to_string()))
    {
        return Err(format!("the root is {}, not {expected:?}", root.digest));
    }
    let by_digest = expected[0].is_string();
    let same = |what: &str, found: Value| {
        let wanted = &entry[what];
        (!by_digest || wanted.is_null() || *wanted == found)
            .then_some(())
            .ok_or_else(|| format!("{what} is {found}, not {wanted}"))
    };
    same("media_type", root.media_type.clone().into())?;
    same("unique_blobs", image.blobs().len().into())?;
    let bytes: u64 = image.blobs().iter().map(|blob| blob.descriptor.size).sum();
    same("blob_bytes", bytes.into())?;
    let set = |texts: Vec<String>| texts.into_iter().collect::<BTreeSet<_>>();
    let listed = |what: &str| {
        let list = entry[what].as_array()?;
        Some(set(list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()))
    };
    let manifests = image
        .manifests()
        .iter()
        .map(|manifest| manifest.descriptor().digest.to_string());
    for (what, found) in [
        (
            "platforms",
            set(image.platforms().iter().map(ToString::to_string).collect()),
        ),
        ("manifests", set(manifests.collect())),
        ("names", set(image.names().to_vec())),
    ] {
        if listed(what).is_some_and(|wanted| by_digest && wanted != found) {
            return Err(format!("{what}: {found:?}"));
        }
    }
    same("manifest_count", image.manifests().len().into())?;
    if let Some(config) = image.config_digest() {
        same("config_digest", config.to_string().into())?;
    }
    in_order(image)?;
    all_blobs_have_their_digests(image)
}

/// Every manifest comes after what it depends on, and the root last.
fn in_order(image: &Image) -> Result<(), String> {
    let mut published = BTreeSet::new();
    for manifest in image.manifests() {
        let digest = &manifest.descriptor().digest;
        if let Some(early) = manifest
            .children()
            .iter()
            .find(|child| !published.contains(*child))
        {
            return Err(format!("{digest} comes before its child {early}"));
        }
        published.insert(digest);
    }
    let last = image.manifests().last().map(Manifest::descriptor);
    (last == Some(image.root().descriptor()))
        .then_some(())
        .ok_or_else(|| "the root is not the last manifest".to_owned())
}

fn all_blobs_have_their_digests(image: &Image) -> Result<(), String> {
    for blob in image.blobs() {
        let mut bytes = Vec::new();
        let mut reader = blob.source.reader(0).map_err(|error| error.to_string())?;
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        let mut hasher = blob.descriptor.digest.hasher();
        hasher.update(&bytes);
        let actual = hasher.finish();
        if actual != blob.descriptor.digest {
            return Err(format!(
                "digest mismatch: {} hashes to {actual}",
                blob.descriptor.digest
            ));
        }
    }
    Ok(())
}

fn refused(opened: Result<Image, OpenError>, entry: &Value) -> Result<(), String> {
    match opened {
        Err(error) => {
            absences(&error, entry)?;
            named(&error, entry)
        }
        // What only hashing can show is found while the blobs are read.
        Ok(image) if entry["refused_at"] == "before-manifest" => {
            match all_blobs_have_their_digests(&image) {
                Err(_) => Ok(()),
                Ok(()) => Err("every blob has its digest".to_owned()),
            }
        }
        Ok(_) => Err("it was opened".to_owned()),
    }
}

/// What is absent is what the corpus says, digest by digest.
fn absences(error: &OpenError, entry: &Value) -> Result<(), String> {
    let Some(missing) = entry["missing"].as_array() else {
        return Ok(());
    };
    let OpenError::Incomplete { absent } = error else {
        return Err(format!("it should be incomplete: {error}"));
    };
    let wanted: BTreeSet<String> = missing
        .iter()
        .filter_map(|missing| missing["digest"].as_str().map(str::to_owned))
        .collect();
    let mut found = BTreeSet::new();
    for absent in absent {
        found.extend(absent.blobs.iter().map(ToString::to_string));
        if absent.blobs.is_empty() {
            found.insert(absent.digest.to_string());
        }
    }
    (found == wanted)
        .then_some(())
        .ok_or_else(|| format!("absent: {found:?}, not {wanted:?}"))
}

/// The message names what is wrong, in one of the words that a reader would look for.
fn named(error: &OpenError, entry: &Value) -> Result<(), String> {
    let message = chain(error).to_lowercase();
    let words = entry["reason_any"].as_array().expect("words");
    let found = words
        .iter()
        .filter_map(Value::as_str)
        .any(|word| message.contains(&word.to_lowercase()));
    found
        .then_some(())
        .ok_or_else(|| format!("{message:?} holds none of {words:?}"))
}

fn selection(file: &str, opened: Result<Image, OpenError>, entry: &Value) -> Result<(), String> {
    match opened {
        Err(error @ OpenError::Selection { .. }) => named(&error, entry)?,
        other => return Err(format!("a selection should be asked for: {other:?}")),
    }
    // Those of docker archives are given by configurations, which this version does not choose by.
    if entry["manifest"] == "synthesised" {
        return Ok(());
    }
    for (name, digest) in entry["selectors"].as_object().expect("selectors") {
        let mut options = OpenOptions::default();
        options.select = Some(Selection::Name(name.clone()));
        let image = open(&archives().join(file), &options).map_err(|error| chain(&error))?;
        let digest = digest.as_str().expect("a digest");
        accepted(&image, &entry["choices"][digest]).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut options = OpenOptions::default();
    options.select = Some(Selection::Index(usize::MAX));
    match open(&archives().join(file), &options) {
        Err(OpenError::Selection { .. }) => Ok(()),
        other => Err(format!("there is no such image: {other:?}")),
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
