//! Archives written by real tools, and broken or hostile ones: what each must give is in
//! `tests/fixtures/archives/corpus.json`, and the reader is held to it.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Read as _;
use std::path::PathBuf;

use oci_archive::{
    Algorithm, CompressError, CompressionFormat, CompressionSettings, Compressor, Content, Digest,
    Draft, FinishedLayer, FinishedLayers, Image, Manifest, OpenError, OpenOptions, PlatformFilter,
    Scratch, Selection, open,
};
use serde_json::Value;

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
            let content = open(&archives().join(file), &options()).expect("sound");
            let notices: Vec<String> = content.notices().iter().map(ToString::to_string).collect();
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

fn options() -> OpenOptions {
    let mut options = OpenOptions::default();
    options.scratch = Some(Scratch::new(std::env::temp_dir()));
    options
}

fn check(file: &str, entry: &Value) -> Result<(), String> {
    let path = archives().join(file);
    let opened = open(&path, &options());
    match entry["expect"].as_str().expect("an expectation") {
        "accept" | "reader-accepts" => {
            let content = opened.map_err(|error| chain(&error))?;
            accepted(content, entry)?;
            verbatim(&path, entry)
        }
        "refuse" => {
            refused(opened, entry)?;
            chosen_platform(&path, entry)
        }
        "either" => match opened {
            Ok(content) => accepted(content, entry),
            Err(error) => named(&error, entry),
        },
        "selection-required" => selection(file, opened, entry),
        other => Err(format!("unknown expectation {other}")),
    }
}

/// Holds what was opened to the corpus: an image by its root, a draft by its configuration and diff ids.
fn accepted(content: Content, entry: &Value) -> Result<(), String> {
    let draft = match content {
        Content::Image(image) => return accepted_image(&image, entry),
        Content::Draft(draft) => draft,
        other => return Err(format!("something else: {other:?}")),
    };
    let image = finish(&draft).map_err(|error| chain(&*error))?;
    let same = |what: &str, found: Value| {
        (entry[what] == found)
            .then_some(())
            .ok_or_else(|| format!("{what} is {found}, not {}", entry[what]))
    };
    let config = image.config_digest().map(ToString::to_string);
    same("config_digest", config.into())?;
    let diff_ids = draft.diff_ids().iter().map(ToString::to_string).collect();
    same("diff_ids", diff_ids)?;
    if entry["unique_blobs"].is_u64() {
        same("unique_blobs", image.blobs().len().into())?;
    }
    if let Some(names) = entry["names"].as_array() {
        let names: BTreeSet<&str> = names.iter().filter_map(Value::as_str).collect();
        let found: BTreeSet<&str> = draft.names().iter().map(String::as_str).collect();
        if names != found {
            return Err(format!("names: {found:?}"));
        }
    }
    all_blobs_have_their_digests(&image)?;
    let again = finish(&draft).map_err(|error| chain(&*error))?;
    (again.root().descriptor() == image.root().descriptor())
        .then_some(())
        .ok_or_else(|| "a second time gives another digest".to_owned())
}

/// Finishes every layer; each finds out on the way whether it is the right one.
fn finish(draft: &Draft) -> Result<Image, Box<dyn Error>> {
    let settings = CompressionSettings::new(CompressionFormat::Gzip, None)?;
    let compressor = Compressor::new(settings, 2, Scratch::new(std::env::temp_dir()));
    let mut layers = FinishedLayers::new();
    for layer in draft.layers() {
        let blob = compressor.finish(layer, &|_| true)?;
        layers.insert(layer.diff_id.clone(), FinishedLayer::made(blob));
    }
    Ok(draft.finish(&layers)?)
}

/// An archive of Docker's with a manifest over raw layers is pushed as it is on request.
fn verbatim(path: &std::path::Path, entry: &Value) -> Result<(), String> {
    let Some(root) = entry["root_digest_if_pushed_verbatim"].as_str() else {
        return Ok(());
    };
    let mut options = options();
    options.verbatim = true;
    let content = open(path, &options).map_err(|error| chain(&error))?;
    let image = content.into_image().ok_or("a draft")?;
    let found = image.root().descriptor().digest.to_string();
    (found == root)
        .then_some(())
        .ok_or_else(|| format!("verbatim, the root is {found}, not {root}"))
}

/// Of an incomplete archive, a platform that is there can be chosen, and keeps its digest.
fn chosen_platform(path: &std::path::Path, entry: &Value) -> Result<(), String> {
    for (platform, wanted) in entry["with_platform"].as_object().into_iter().flatten() {
        let mut options = options();
        let filter: PlatformFilter = platform.parse().map_err(|_| "no platform")?;
        options.platforms.push(filter);
        let content = open(path, &options).map_err(|error| chain(&error))?;
        let image = content.into_image().ok_or("a draft")?;
        accepted_image(&image, wanted).map_err(|error| format!("{platform}: {error}"))?;
    }
    Ok(())
}

fn accepted_image(image: &Image, entry: &Value) -> Result<(), String> {
    let root = image.root().descriptor();
    let expected = &entry["root_digest"];
    if expected.as_str() != Some(&root.digest.to_string()) {
        return Err(format!("the root is {}, not {expected:?}", root.digest));
    }
    let same = |what: &str, found: Value| {
        let wanted = &entry[what];
        (wanted.is_null() || *wanted == found)
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
        if listed(what).is_some_and(|wanted| wanted != found) {
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

fn refused(opened: Result<Content, OpenError>, entry: &Value) -> Result<(), String> {
    match opened {
        Err(error) => {
            absences(&error, entry)?;
            named(&error, entry)
        }
        // What only hashing can show is found while the blobs are read.
        Ok(content) if entry["refused_at"] == "before-manifest" => match content {
            Content::Draft(draft) => match finish(&draft) {
                Err(error) if error.is::<CompressError>() => named(&*error, entry),
                other => Err(format!("a layer should be refused: {other:?}")),
            },
            content => match all_blobs_have_their_digests(&content.into_image().expect("none")) {
                Err(_) => Ok(()),
                Ok(()) => Err("every blob has its digest".to_owned()),
            },
        },
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
fn named(error: &dyn Error, entry: &Value) -> Result<(), String> {
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

fn selection(file: &str, opened: Result<Content, OpenError>, entry: &Value) -> Result<(), String> {
    match opened {
        Err(error @ OpenError::Selection { .. }) => named(&error, entry)?,
        other => return Err(format!("a selection should be asked for: {other:?}")),
    }
    for (name, digest) in entry["selectors"].as_object().expect("selectors") {
        let mut options = options();
        options.select = Some(Selection::Name(name.clone()));
        let content = open(&archives().join(file), &options).map_err(|error| chain(&error))?;
        let digest = digest.as_str().expect("a digest");
        // Those of docker archives are given by configurations.
        let images = entry["docker_images"].as_array();
        let is_meant = |image: &&Value| image["config_digest"] == digest;
        let choice = match images.and_then(|images| images.iter().find(is_meant)) {
            Some(image) if entry["manifest"] == "synthesised" => image,
            _ => &entry["choices"][digest],
        };
        accepted(content, choice).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut options = options();
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
