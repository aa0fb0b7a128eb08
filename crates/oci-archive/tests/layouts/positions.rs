//! Several images in one archive: where each stands, and what it costs to read them all.

use std::time::{Duration, Instant};

use oci_archive::{Archive, OpenOptions, Selection};
use serde_json::{Value, json};

use crate::saved::Saved;
use crate::support::Layout;

fn selecting(selection: Selection) -> OpenOptions {
    let mut options = OpenOptions::default();
    options.select = Some(selection);
    options
}

fn named(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    descriptor
}

fn three_images() -> Layout {
    let mut layout = Layout::default();
    let roots: Vec<Value> = ["amd64", "arm64", "s390x"]
        .into_iter()
        .map(|architecture| named(layout.image(architecture, &[b"one"]), architecture))
        .collect();
    layout.roots(&roots);
    layout
}

#[test]
fn an_image_keeps_its_position() {
    let mut saved = Saved::default();
    for (architecture, content) in [("amd64", b"one"), ("arm64", b"two"), ("s390x", b"six")] {
        let path = format!("{architecture}.tar");
        let layer = saved.layer(&path, content);
        let config = saved.config(architecture, &[&layer]);
        saved.list(&config, &[&path], &[architecture]);
    }
    for bytes in [three_images().tar(""), saved.bytes()] {
        let archive = Archive::from_bytes(bytes, &OpenOptions::default()).expect("a tar file");
        for (selection, expected) in [
            (Selection::Index(2), 2),
            (Selection::Index(0), 0),
            (Selection::Name("arm64".to_owned()), 1),
        ] {
            let content = archive.read(&selecting(selection)).expect("it is there");
            assert_eq!(content.origin().position, Some(expected));
        }
        let all = archive.read_all(&OpenOptions::default()).expect("sound");
        let positions: Vec<Option<usize>> = all.iter().map(|one| one.origin().position).collect();
        assert_eq!(positions, [Some(0), Some(1), Some(2)]);
        let one = archive.read_all(&selecting(Selection::Index(1)));
        assert_eq!(one.expect("sound")[0].origin().position, Some(1));
    }
}

/// What lists the images is read once, not once for each of them.
#[test]
fn many_images_are_read_in_time() {
    const MANY: usize = 2000;
    let mut layout = Layout::default();
    let roots: Vec<Value> = (0..MANY)
        .map(|number| {
            let config = json!({ "os": "linux", "architecture": "amd64" }).to_string();
            let config = layout.blob(
                "application/vnd.oci.image.config.v1+json",
                config.as_bytes(),
            );
            let manifest = json!({
                "schemaVersion": 2, "config": config, "layers": [],
                "annotations": { "number": number.to_string() },
            });
            layout.manifest(oci_archive::media_type::OCI_MANIFEST, &manifest)
        })
        .collect();
    layout.roots(&roots);
    let options = OpenOptions::default();
    let archive = Archive::from_bytes(layout.tar(""), &options).expect("a tar file");
    let start = Instant::now();
    let all = archive.read_all(&options).expect("sound");
    assert_eq!(all.len(), MANY);
    // The square of their number would take minutes.
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}
