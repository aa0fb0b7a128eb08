//! What `docker save` writes, and what imitates it: which layer is which, and what is refused.

use std::io::Read as _;

use oci_archive::{
    CompressError, Compression, CompressionSettings, Compressor, Content, Digest, Draft,
    ManifestKind, OpenError, OpenOptions, Scratch, Selection, media_type,
};
use serde_json::{Value, json};
use tar::EntryType;

use crate::saved::{Saved, compressed, config, diff_id, draft, finish};
use crate::support::chain;

fn choose(saved: &Saved, name: &str) -> Result<Content, OpenError> {
    let mut options = OpenOptions::default();
    options.select = Some(Selection::Name(name.to_owned()));
    saved.read(&options)
}

fn config_of(draft: &Draft) -> Digest {
    draft.blobs()[0].descriptor.digest.clone()
}

/// Docker up to 24 writes a layer that stands twice once, and links to it, also before it.
#[test]
fn layers_are_found_behind_links() {
    let mut saved = Saved::default();
    saved
        .tar
        .link(EntryType::Symlink, "b/layer.tar", "../a/layer.tar");
    let one = saved.layer("a/layer.tar", b"one");
    saved
        .tar
        .link(EntryType::Link, "c/layer.tar", "a/layer.tar");
    let two = saved.layer("d/layer.tar", b"two");
    let config = saved.config("amd64", &[&one, &two, &one, &one]);
    let paths = ["b/layer.tar", "d/layer.tar", "a/layer.tar", "c/layer.tar"];
    saved.list(&config, &paths, &["x:1"]);
    let draft = saved.draft();
    assert_eq!(draft.layers().len(), 2, "each is compressed once");
    assert_eq!(
        draft.diff_ids(),
        [one.clone(), two, one.clone(), one.clone()]
    );
    let raw = draft.layers().iter().find(|layer| layer.diff_id == one);
    let raw = raw.expect("it is there");
    assert_eq!((&*raw.name, raw.source.len()), ("b/layer.tar", 3));
    let image = finish(&draft);
    let manifest: Value = serde_json::from_slice(image.root().bytes()).expect("JSON");
    let layers = manifest["layers"].as_array().expect("a list");
    assert_eq!(layers.len(), 4);
    assert_eq!((&layers[0], &layers[0]), (&layers[2], &layers[3]));
    assert_ne!(layers[0], layers[1]);
    assert_eq!(image.root().references().len(), 3);
    assert_eq!(image.blobs().len(), 3);
    assert_eq!(image.names(), ["x:1"]);
}

#[test]
fn the_manifest_is_that_of_the_specification() {
    let image = finish(&Saved::of("arm64", &[b"one"]).draft());
    let manifest: Value = serde_json::from_slice(image.root().bytes()).expect("JSON");
    let [config, layer] = image.blobs() else {
        panic!("{:?}", image.blobs());
    };
    let expected = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config.descriptor.digest.to_string(),
            "size": config.source.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": layer.descriptor.digest.to_string(),
            "size": layer.source.len(),
        }],
    });
    assert_eq!(manifest, expected);
    assert_eq!(image.root().kind(), ManifestKind::Image);
    assert_eq!(
        image.config_digest(),
        Some(&diff_id(&config_bytes("arm64", b"one")))
    );
    assert_eq!(image.platforms()[0].to_string(), "linux/arm64");
}

fn config_bytes(architecture: &str, layer: &[u8]) -> Vec<u8> {
    config(architecture, &[&diff_id(layer)])
}

#[test]
fn one_layer_under_one_path_or_two() {
    for paths in [["a.tar", "a.tar"], ["a.tar", "b.tar"]] {
        let mut saved = Saved::default();
        let one = saved.layer("a.tar", b"one");
        saved.layer("b.tar", b"one");
        let config = saved.config("amd64", &[&one, &one]);
        saved.list(&config, &paths, &[]);
        let draft = saved.draft();
        assert_eq!(draft.layers().len(), 1);
        assert_eq!(draft.diff_ids().len(), 2);
    }
    let mut saved = Saved::default();
    let one = saved.layer("a.tar", b"one");
    let config = saved.config("amd64", &[&one, &diff_id(b"two")]);
    saved.list(&config, &["a.tar", "a.tar"], &[]);
    saved.refused("entry \"a.tar\" cannot be used: it is named as the layer sha256:");
}

#[test]
fn what_is_lacking_is_named() {
    let mut saved = Saved::default();
    let one = saved.layer("a.tar", b"one");
    let config = saved.config("amd64", &[&one, &one]);
    saved.list(&config, &["a.tar"], &[]);
    saved.refused("layer count mismatch: manifest.json lists 1 layers, the config 2 diff_ids");
    saved.images[0]["Layers"] = json!(["a.tar", "b.tar"]);
    // The path of a layer that is known by its diff id already is not looked at.
    assert_eq!(saved.draft().layers().len(), 1);
    saved.images[0]["Layers"] = json!(["b.tar", "a.tar"]);
    saved.refused("the layer \"b.tar\", which manifest.json names, is missing");
    saved.images[0]["Layers"] = json!(["../b.tar", "a.tar"]);
    saved.refused("'..'");
    saved.images[0]["Layers"] = Value::Null;
    saved.refused("lists 0 layers");
    saved.images[0]["Config"] = json!("none.json");
    saved.refused("the config \"none.json\", which manifest.json names, is missing");
    saved.images[0] = json!({ "Layers": [] });
    saved.refused("manifest.json is not valid JSON of its kind: missing field `Config`");
}

/// Nothing but its name tells that a configuration is damaged.
#[test]
fn configurations_named_by_their_hash() {
    let content = config("amd64", &[]);
    let hex = diff_id(&content).hex().to_owned();
    for name in [
        format!("{hex}.json"),
        format!("sha256:{hex}"),
        format!("blobs/sha256/{hex}"),
        hex,
        "config.json".to_owned(),
    ] {
        let is_named_by_hash = name != "config.json";
        let mut damaged = content.clone();
        damaged.push(b' ');
        for (bytes, is_sound) in [(&content, true), (&damaged, !is_named_by_hash)] {
            let mut saved = Saved::default();
            saved.tar.file(&name, bytes);
            saved.list(&name, &[], &[]);
            if is_sound {
                assert_eq!(config_of(&saved.draft()), diff_id(bytes), "{name}");
            } else {
                saved.refused("digest mismatch: its content hashes to");
            }
        }
    }
}

#[test]
fn names_may_be_absent() {
    for (names, expected) in [
        (Value::Null, &[][..]),
        (json!([]), &[]),
        (json!([""]), &[]),
        (json!(["x:1", "x:1", "y:2"]), &["x:1", "y:2"]),
    ] {
        let mut saved = Saved::of("amd64", &[b"one"]);
        saved.images[0]["RepoTags"] = names;
        assert_eq!(saved.draft().names(), expected);
    }
    let mut saved = Saved::of("amd64", &[b"one"]);
    let image = saved.images[0].as_object_mut().expect("an object");
    image.remove("RepoTags");
    assert!(saved.draft().names().is_empty());
}

#[test]
fn one_of_several_is_chosen_by_name() {
    let mut saved = Saved::default();
    let one = saved.layer("a.tar", b"one");
    let first = saved.config("amd64", &[&one]);
    let second = saved.config("arm64", &[&one]);
    saved.list(&first, &["a.tar"], &["x:latest", "ghcr.io/o/x:1"]);
    saved.list(&second, &["a.tar"], &["docker.io/library/y:latest"]);
    let error = saved.read(&OpenOptions::default()).expect_err("two images");
    let OpenError::Selection { reason, images } = &error else {
        panic!("{error}");
    };
    assert!(reason.contains("holds 2 images"), "{reason}");
    assert!(
        images[0].starts_with("@0 ")
            && images[0].ends_with(" x:latest ghcr.io/o/x:1 (linux/amd64)")
    );
    assert!(
        images[1].starts_with("@1 ")
            && images[1].ends_with(" docker.io/library/y:latest (linux/arm64)")
    );
    for (name, expected) in [
        ("x", Some("linux/amd64")),
        ("x:latest", Some("linux/amd64")),
        ("docker.io/library/x:latest", Some("linux/amd64")),
        ("index.docker.io/library/x", Some("linux/amd64")),
        ("ghcr.io/o/x:1", Some("linux/amd64")),
        ("y", Some("linux/arm64")),
        ("library/y:latest", Some("linux/arm64")),
        ("ghcr.io/o/x", None),
        ("z", None),
    ] {
        match (choose(&saved, name), expected) {
            (read @ Ok(_), Some(platform)) => {
                assert_eq!(draft(read).platforms()[0].to_string(), platform, "{name}");
            }
            (Err(OpenError::Selection { reason, .. }), None) => {
                assert!(reason.contains(&format!("no image {name:?}")), "{reason}");
            }
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}

/// Docker lists an image with several names once; other tools list it once for each name.
#[test]
fn one_image_may_be_listed_twice() {
    let mut saved = Saved::of("amd64", &[b"one"]);
    let mut again = saved.images[0].clone();
    saved.images[0]["RepoTags"] = json!(["x:1", "x:2"]);
    again["RepoTags"] = json!(["x:2", "y:1"]);
    saved.images.push(again);
    assert_eq!(saved.draft().names(), ["x:1", "x:2", "y:1"]);
    let chosen = draft(choose(&saved, "y:1"));
    assert_eq!(config_of(&chosen), config_of(&saved.draft()));
}

#[test]
fn layers_from_elsewhere_are_not_needed() {
    let foreign = b"not in the archive";
    let urls = json!(["https://example.com/layer"]);
    let source = json!({
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": diff_id(b"its compressed form").to_string(), "size": 19, "urls": urls,
    });
    let mut saved = Saved::default();
    let own = saved.layer("a.tar", b"own");
    let config = saved.config("amd64", &[&diff_id(foreign), &own]);
    saved.list(&config, &["foreign.tar", "a.tar"], &[]);
    let sources = json!({ diff_id(foreign).to_string(): source });
    saved.images[0]["LayerSources"] = sources.clone();
    let draft = saved.draft();
    assert_eq!(draft.diff_ids(), std::slice::from_ref(&own));
    assert_eq!(draft.layers().len(), 1);
    let image = finish(&draft);
    let manifest: Value = serde_json::from_slice(image.root().bytes()).expect("JSON");
    assert_eq!(manifest["layers"][0], source);
    assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        image.blobs().len(),
        2,
        "the configuration and its own layer"
    );

    // Without an address, or with a type that registries hold, it has to be in the archive.
    for (key, value) in [
        ("urls", json!([])),
        (
            "mediaType",
            json!("application/vnd.docker.image.rootfs.diff.tar.gzip"),
        ),
    ] {
        let mut sources = sources.clone();
        sources[diff_id(foreign).to_string()][key] = value;
        saved.images[0]["LayerSources"] = sources;
        saved.refused("the layer \"foreign.tar\", which manifest.json names, is missing");
    }
}

/// A layer of a compression that registries know stays as it is; all others become the same bytes.
#[test]
fn each_layer_is_compressed_in_its_own_way() {
    let content = b"a layer ".repeat(20_000);
    let mut made = Vec::new();
    for (compression, expected) in [
        (Compression::None, None),
        (Compression::Xz, None),
        (Compression::Bzip2, None),
        (
            Compression::Gzip,
            Some("application/vnd.oci.image.layer.v1.tar+gzip"),
        ),
        (
            Compression::Zstd,
            Some("application/vnd.oci.image.layer.v1.tar+zstd"),
        ),
    ] {
        let stored = compressed(compression, &content);
        let mut saved = Saved::default();
        saved.layer("a.tar", &stored);
        let config = saved.config("amd64", &[&diff_id(&content)]);
        saved.list(&config, &["a.tar"], &[]);
        let draft = saved.draft();
        assert_eq!(draft.layers()[0].compression, compression);
        assert_eq!(draft.layers()[0].is_compressed(), expected.is_some());
        let image = finish(&draft);
        let layer = &image.blobs()[1];
        if let Some(media_type) = expected {
            assert_eq!(layer.descriptor.media_type, media_type);
            assert_eq!(layer.descriptor.digest, diff_id(&stored));
        } else {
            let mut bytes = Vec::new();
            let reader = layer.source.reader(0).expect("readable");
            let mut decoder = flate2::read::MultiGzDecoder::new(reader);
            decoder.read_to_end(&mut bytes).expect("gzip");
            assert!(bytes == content, "{compression}");
            made.push(layer.descriptor.clone());
        }

        // The configuration tells what must come out, whatever it is packed in.
        let mut saved = Saved::default();
        saved.layer("a.tar", &stored);
        let config = saved.config("amd64", &[&diff_id(b"another")]);
        saved.list(&config, &["a.tar"], &[]);
        let draft = saved.draft();
        let scratch = Scratch::new(std::env::temp_dir());
        let compressor = Compressor::new(CompressionSettings::default(), 1, scratch);
        let error = compressor.finish(&draft.layers()[0], &|_| true);
        let error = error.expect_err("it is another layer");
        assert!(
            matches!(error, CompressError::DiffId { .. }),
            "{}",
            chain(&error)
        );
    }
    assert_eq!(made.len(), 3);
    assert_eq!((&made[0], &made[0]), (&made[1], &made[2]));
}

#[test]
fn a_layer_that_is_not_finished_is_missed() {
    let draft = Saved::of("amd64", &[b"one"]).draft();
    let error = draft.finish(&oci_archive::FinishedLayers::new());
    let error = error.expect_err("it has a layer");
    assert!(
        error.to_string().contains("the finished form of the layer"),
        "{error}"
    );
}

#[test]
fn a_platform_that_is_asked_for_must_be_the_image_s() {
    let saved = Saved::of("amd64", &[b"one"]);
    for (platform, is_met) in [("linux/amd64", true), ("linux/arm64", false)] {
        let mut options = OpenOptions::default();
        options.platforms = vec![platform.parse().expect("a platform")];
        match saved.read(&options) {
            Ok(_) => assert!(is_met, "{platform}"),
            Err(OpenError::NoPlatform { wanted, available }) => {
                assert!(!is_met);
                assert_eq!(
                    (wanted, available),
                    (vec![platform.to_owned()], vec!["linux/amd64".to_owned()])
                );
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn an_image_without_layers() {
    let draft = Saved::of("amd64", &[]).draft();
    let image = finish(&draft);
    assert_eq!(image.blobs().len(), 1);
    assert_eq!(
        image.root().descriptor().media_type,
        media_type::OCI_MANIFEST
    );
}
