//! What real archives hold and no specification foresees, and what only looks like it.

use oci_archive::{Archive, OpenError, OpenOptions, Selection};
use serde_json::json;
use tempfile::TempDir;

use crate::saved::{Saved, diff_id, finish};
use crate::support::{Tar, chain};

/// A configuration may say nothing of the platform, in one way or another.
#[test]
fn a_platform_of_null() {
    for platform in [
        json!({ "os": null, "architecture": null }),
        json!({ "os": "linux", "architecture": null, "variant": null }),
        json!({ "os.version": null, "os.features": null }),
    ] {
        let mut saved = Saved::default();
        let one = saved.layer("a.tar", b"one");
        let mut config = platform.clone();
        config["rootfs"] = json!({ "type": "layers", "diff_ids": [one.to_string()] });
        saved.tar.file("config.json", config.to_string().as_bytes());
        saved.list("config.json", &["a.tar"], &["x:1"]);
        let draft = saved.draft();
        assert_eq!(draft.platforms(), [], "{platform}");
        assert_eq!(finish(&draft).blobs().len(), 2, "{platform}");
    }
}

/// One configuration under two names is one image, and under two lists of layers none.
#[test]
fn a_configuration_that_stands_twice() {
    let mut saved = Saved::default();
    let one = saved.layer("a.tar", b"one");
    saved.layer("b.tar", b"other bytes");
    let config = saved.config("amd64", &[&one]);
    saved.list(&config, &["a.tar"], &["x:1"]);
    saved.list(&config, &["a.tar"], &["x:2"]);
    assert_eq!(saved.draft().names(), ["x:1", "x:2"]);
    saved.images[1]["Layers"] = json!(["b.tar"]);
    saved.refused("twice, with different layers");
    // The same bytes in another file.
    let bytes = crate::saved::config("amd64", &[&one]);
    saved.tar.file("again.json", &bytes);
    saved.images[1]["Config"] = json!("again.json");
    saved.refused("twice, with different layers");
    saved.images[1]["Layers"] = json!(["a.tar"]);
    assert_eq!(saved.draft().names(), ["x:1", "x:2"]);
}

/// What podman builds as `app` is called `localhost/app:latest`.
#[test]
fn a_name_without_podmans_host() {
    let mut saved = Saved::of("amd64", &[b"one"]);
    saved.images[0]["RepoTags"] = json!(["localhost/app:latest"]);
    let other = saved.layer("other.tar", b"two");
    let config = saved.config("arm64", &[&other]);
    saved.list(&config, &["other.tar"], &["docker.io/library/other:latest"]);
    let mut options = OpenOptions::default();
    options.select = Some(Selection::Name("app".to_owned()));
    let draft = crate::saved::draft(saved.read(&options));
    assert_eq!(draft.diff_ids(), [diff_id(b"one")]);
}

fn refusal(tar: Tar) -> OpenError {
    let options = OpenOptions::default();
    let archive = Archive::from_bytes(tar.end(), &options).expect("a tar file");
    archive.read(&options).expect_err("it holds no image")
}

/// What people hand in by mistake is told from a damaged image.
#[test]
fn what_is_no_image_at_all() {
    for (name, words) in [
        (".dockerenv", "a file system, as docker export"),
        ("etc/passwd", "a file system, as docker export"),
        ("image.tar", "it holds \"image.tar\""),
        (
            "saved/manifest.json",
            "manifest.json is in the folder \"saved\"",
        ),
        (
            "layout/oci-layout",
            "oci-layout is in the folder \"layout\"",
        ),
        (
            "chart/Chart.yaml",
            "oci-layout, which every OCI image layout has, is missing",
        ),
    ] {
        let mut tar = Tar::default();
        tar.file(name, b"[]");
        let message = chain(&refusal(tar));
        assert!(message.contains(words), "{name}: {message}");
    }
    let directory = TempDir::new().expect("a directory");
    std::fs::create_dir(directory.path().join("etc")).expect("writable");
    std::fs::write(directory.path().join("etc/passwd"), "root").expect("writable");
    let error = oci_archive::open(directory.path(), &OpenOptions::default());
    let message = chain(&error.expect_err("it holds no image"));
    assert!(message.contains("a file system"), "{message}");
}
