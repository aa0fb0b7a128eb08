//! What Debian's tools write, in each of the kinds that they know, is pushed into Distribution and read back
//! equal: an OCI layout as the same bytes, a docker-save archive as the same configuration over layers that
//! inflate to the same diff ids.

use std::path::Path;

use serde_json::Value;
use test_registry::{Distribution, SampleImage, installed};

use crate::support::{Image, push, run_tool};

/// A store of its own for podman and buildah, without privileges that a container may lack.
fn with_store(program: &str, home: &Image, arguments: &[&str]) -> String {
    let root = format!("{}/root", home.directory.path().display());
    let runroot = format!("{}/run", home.directory.path().display());
    let mut all = vec![
        "--storage-driver",
        "vfs",
        "--root",
        &root,
        "--runroot",
        &runroot,
    ];
    all.extend(arguments);
    String::from_utf8(run_tool(program, &all))
        .expect("text")
        .trim()
        .to_owned()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// Pushes an archive without a manifest, and has skopeo compare: the configuration byte for byte, and each
/// layer by copying it out uncompressed, which skopeo checks against the diff ids.
#[track_caller]
fn check_docker_archive(home: &Image, archive: &Path) {
    let distribution = Distribution::start().expect("docker-registry starts");
    let reference = format!("{}/owner/app:1", distribution.host());
    let path = archive.display().to_string();
    push(home, &[&path, &reference]).assert_code(0);
    let source = format!("docker-archive:{path}");
    let pushed = format!("docker://{reference}");
    let config = |image: &str| {
        run_tool(
            "skopeo",
            &["inspect", "--tls-verify=false", "--config", "--raw", image],
        )
    };
    assert_eq!(config(&pushed), config(&source), "the configuration");

    let manifest = json(&run_tool(
        "skopeo",
        &["inspect", "--tls-verify=false", "--raw", &pushed],
    ));
    let diff_ids = json(&config(&source))["rootfs"]["diff_ids"].clone();
    let diff_ids = diff_ids.as_array().expect("diff ids");
    assert_eq!(
        manifest["layers"].as_array().map(Vec::len),
        Some(diff_ids.len())
    );
    let copy = home.directory.path().join("copy");
    let out = format!("dir:{}", copy.display());
    run_tool(
        "skopeo",
        &[
            "copy",
            "--src-tls-verify=false",
            "--dest-decompress",
            &pushed,
            &out,
        ],
    );
    for diff_id in diff_ids {
        let hex = diff_id
            .as_str()
            .expect("text")
            .trim_start_matches("sha256:");
        assert!(copy.join(hex).is_file(), "layer {hex}");
    }
}

#[test]
fn skopeo_writes_a_docker_archive() {
    if !installed(&["docker-registry", "skopeo"]) {
        return;
    }
    let home = Image::new(&SampleImage::of_layers(&[3000, 100_000, 3000]));
    let archive = home.directory.path().join("docker.tar");
    run_tool(
        "skopeo",
        &[
            "copy",
            &format!("oci-archive:{}", home.path().display()),
            &format!("docker-archive:{}:app:1", archive.display()),
        ],
    );
    check_docker_archive(&home, &archive);
}

#[test]
fn buildah_and_podman_write_archives() {
    if !installed(&["buildah", "podman", "docker-registry", "skopeo"]) {
        return;
    }
    let home = Image::small();
    let file = home.directory.path().join("file");
    std::fs::write(&file, "hello\n".repeat(10_000)).expect("writable");
    let container = with_store("buildah", &home, &["from", "scratch"]);
    let file = file.display().to_string();
    with_store("buildah", &home, &["copy", &container, &file, "/file"]);
    with_store("buildah", &home, &["config", "--cmd", "/file", &container]);
    with_store("buildah", &home, &["commit", &container, "localhost/app:1"]);

    let archive = home.directory.path().join("buildah.tar");
    let destination = format!("docker-archive:{}:app:1", archive.display());
    with_store("buildah", &home, &["push", "localhost/app:1", &destination]);
    check_docker_archive(&home, &archive);

    let archive = home.directory.path().join("podman.tar");
    let output = archive.display().to_string();
    let format = [
        "save",
        "--format",
        "docker-archive",
        "-o",
        &output,
        "localhost/app:1",
    ];
    with_store("podman", &home, &format);
    std::fs::remove_dir_all(home.directory.path().join("copy")).expect("it was copied");
    check_docker_archive(&home, &archive);

    // The same image, by whatever tool, is the same to the registry.
    let distribution = Distribution::start().expect("docker-registry starts");
    let references = ["buildah", "podman"].map(|tool| {
        let reference = format!("{}/owner/{tool}:1", distribution.host());
        let pushed = push(&home, &[&format!("{tool}.tar"), &reference]);
        pushed.assert_code(0);
        pushed
            .stdout
            .split_once('@')
            .expect("a digest")
            .1
            .to_owned()
    });
    assert_eq!(references[0], references[1]);
}

#[test]
fn umoci_writes_a_layout() {
    if !installed(&["umoci", "docker-registry", "skopeo"]) {
        return;
    }
    let home = Image::small();
    let layout = home.directory.path().join("layout");
    let layout = layout.display().to_string();
    run_tool("umoci", &["init", "--layout", &layout]);
    let image = format!("{layout}:1");
    run_tool("umoci", &["new", "--image", &image]);
    let file = home.directory.path().join("file");
    std::fs::write(&file, "hello\n".repeat(1000)).expect("writable");
    let file = file.display().to_string();
    run_tool(
        "umoci",
        &["insert", "--rootless", "--image", &image, &file, "/file"],
    );
    let distribution = Distribution::start().expect("docker-registry starts");
    let index = std::fs::read(home.directory.path().join("layout/index.json")).expect("an index");
    let digest = json(&index)["manifests"][0]["digest"].clone();
    for operand in ["layout", "oci:layout"] {
        let reference = format!("{}/owner/app:1", distribution.host());
        let pushed = push(&home, &[operand, &reference]);
        pushed.assert_code(0);
        let expected = digest.as_str().expect("a digest");
        assert_eq!(pushed.stdout, format!("{reference}@{expected}\n"));
        run_tool(
            "skopeo",
            &[
                "inspect",
                "--tls-verify=false",
                &format!("docker://{reference}"),
            ],
        );
    }
}
