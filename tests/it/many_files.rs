//! Archives with more layers or images than a process may have files open.

use std::path::Path;
use std::process::Command;

use oci_archive::{Algorithm, Digest};
use serde_json::{Value, json};

use crate::archives::registry;
use crate::support::{Image, Run, TOKEN, USERNAME, command};

/// What `docker save` writes of images with these layers.
pub(crate) fn save(path: &Path, images: &[Vec<String>]) {
    let file = std::fs::File::create(path).expect("writable");
    let mut tar = tar::Builder::new(file);
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes).expect("writable");
    };
    let mut listed: Vec<Value> = Vec::new();
    for (number, layers) in images.iter().enumerate() {
        let mut diff_ids = Vec::new();
        let mut paths = Vec::new();
        for layer in layers {
            let diff_id = Digest::of(Algorithm::Sha256, layer.as_bytes());
            let path = format!("{}/layer.tar", diff_id.hex());
            add(&path, layer.as_bytes());
            diff_ids.push(diff_id.to_string());
            paths.push(path);
        }
        let config = json!({
            "os": "linux", "architecture": "amd64",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let name = format!("{number}.json");
        add(&name, config.to_string().as_bytes());
        listed.push(json!({ "Config": name, "RepoTags": [], "Layers": paths }));
    }
    add("manifest.json", Value::from(listed).to_string().as_bytes());
    tar.finish().expect("writable");
}

/// The binary, which may open no more than 64 files.
fn limited(directory: &Path) -> Command {
    let binary = command(directory);
    let mut shell = Command::new("/bin/sh");
    shell
        .env_clear()
        .env("HOME", directory)
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .current_dir(directory)
        .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
        .arg(binary.get_program());
    shell
}

#[test]
fn layers() {
    let (registry, home) = (registry(), Image::small());
    let layers = (0..200).map(|number| format!("layer {number}")).collect();
    save(&home.path(), &[layers]);
    let reference = format!("{}/owner/app:1", registry.host());
    let output = limited(home.directory.path())
        .args(["-q", "--plain-http", "image.tar", &reference])
        .output();
    Run::of(output.expect("the binary starts")).assert_code(0);
    assert_eq!(registry.tags("owner/app"), ["1"]);
}

#[test]
fn images() {
    let home = Image::small();
    let images: Vec<Vec<String>> = (0..100)
        .map(|number| vec!["shared".to_owned(), format!("layer {number}")])
        .collect();
    save(&home.path(), &images);
    let output = limited(home.directory.path())
        .args(["inspect", "--json", "image.tar"])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(0);
    let value: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(value["images"].as_array().map(Vec::len), Some(100));
}
