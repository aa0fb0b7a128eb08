//! Archives written by real tools, and broken or hostile ones: what each must give is in
//! `tests/fixtures/archives/corpus.json`, and the reader is held to it.
//!
//! What this version does not read is listed by name, and must be refused as such, not by accident.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Read as _;
use std::path::PathBuf;

use oci_archive::{Image, OpenError, OpenOptions, Selection, open};
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

#[test]
fn every_archive_gives_what_it_must() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in corpus() {
        let file = entry["file"].as_str().expect("a name");
        if let Err(problem) = check(file, &entry) {
            wrong.push(format!("{file}: {problem}"));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        seen > 120,
        "the whole corpus was looked at, not {seen} files"
    );
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
    if let Some(count) = entry["manifest_count"].as_u64() {
        same("manifest_count", image.manifests().len().into())
            .map_err(|error| format!("{count}: {error}"))?;
    }
    all_blobs_have_their_digests(image)
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
        Err(error) => named(&error, entry),
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
        let root = image.root().descriptor().digest.to_string();
        if digest.as_str() != Some(root.as_str()) {
            return Err(format!("{name} gives {root}, not {digest}"));
        }
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
