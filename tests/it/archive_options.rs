//! Which part of an archive is pushed, and what it becomes: platforms, what is absent, attestations,
//! annotations, several archives at once; and `inspect`, which shows that without pushing.

use std::path::Path;

use expect_test::expect;
use serde_json::Value;
use test_registry::{Route, SampleImage};

use crate::archives::{fixture, manifest, push_as, registry};
use crate::support::{Image, Run, check, command};

#[test]
fn an_incomplete_archive_and_the_ways_out() {
    let (registry, home) = (registry(), Image::small());
    let archive = "genuine/docker29-containerd-save-multi-partial.tar";
    std::fs::copy(fixture(archive), home.path()).expect("copied");
    let refused = push_as(&registry, &home, "1", &["image.tar"]);
    check(
        &refused,
        &registry.host(),
        3,
        &expect![[r"
        error: image.tar cannot be pushed
          caused by: the archive is incomplete: 2 manifests that the index names are missing or not whole: linux/arm64 (sha256:0b38637d8774009521c38d66cdd3d81d87e024895668f86324c5d0db668929a3), unknown/unknown (sha256:e33b8063910e62447897d8d8fddb4fcac77ade3964cf1b9d5cd62f6a0195ae6a)

        hint: push one of the platforms that are there with --platform OS/ARCHITECTURE, all of them with --only-present (which changes the digest), or export the image with all its platforms
    "]],
    );

    let one = push_as(
        &registry,
        &home,
        "one",
        &["--platform", "linux/amd64", "image.tar"],
    );
    one.assert_code(0);
    assert!(
        one.stdout.contains("@sha256:6a4c32204c8f"),
        "{}",
        one.stdout
    );

    let present = push_as(
        &registry,
        &home,
        "present",
        &["--only-present", "image.tar"],
    );
    present.assert_code(0);
    let index = manifest(&registry, "present");
    let children = index["manifests"].as_array().expect("children");
    assert_eq!(children.len(), 2, "amd64 and its attestation: {index}");

    let absent = push_as(
        &registry,
        &home,
        "no",
        &["--platform", "linux/s390x", "image.tar"],
    );
    check(
        &absent,
        &registry.host(),
        3,
        &expect![[r"
            error: image.tar cannot be pushed
              caused by: the image has no platform linux/s390x; it has: linux/amd64, linux/arm64

            hint: choose one of these, or leave out --platform
        "]],
    );
}

#[test]
fn several_archives_become_one_index() {
    let (registry, home) = (registry(), Image::small());
    let directory = home.directory.path();
    // One platform each, as a matrix of jobs leaves them.
    for platform in ["amd64", "arm64"] {
        let image = SampleImage::default().platform(platform, &[3000]);
        let path = directory.join(format!("{platform}.tar"));
        image.write(&path).expect("written");
    }
    let merged = push_as(&registry, &home, "one", &["amd64.tar", "arm64.tar"]);
    merged.assert_code(0);
    let other = push_as(&registry, &home, "other", &["arm64.tar", "amd64.tar"]);
    other.assert_code(0);
    assert_eq!(manifest(&registry, "one"), manifest(&registry, "other"));
    let index = manifest(&registry, "one");
    let platforms = index["manifests"].as_array().expect("children");
    let platforms: Vec<&Value> = platforms.iter().map(|one| &one["platform"]).collect();
    assert_eq!(platforms[0]["architecture"], "amd64");
    assert_eq!(platforms[1]["architecture"], "arm64");

    // A docker-save archive is compressed on the way into the index.
    let amd64 = fixture("genuine/docker20-save-single.tar");
    let mixed = push_as(&registry, &home, "mixed", &[&amd64, "arm64.tar"]);
    mixed.assert_code(0);
    let index = manifest(&registry, "mixed");
    assert_eq!(
        index["manifests"].as_array().map(Vec::len),
        Some(2),
        "{index}"
    );
    let again = push_as(&registry, &home, "mixed", &[&amd64, "arm64.tar"]);
    assert_eq!(again.stdout, mixed.stdout);

    for (archive, name) in [
        ("genuine/buildkit-oci-multi-attest.tar", "multi.tar"),
        ("genuine/docker20-save-single.tar", "saved.tar"),
    ] {
        std::fs::copy(fixture(archive), directory.join(name)).expect("copied");
    }
    let arguments = ["-q", "multi.tar", "saved.tar"];
    let conflict = push_as(&registry, &home, "two", &arguments);
    check(
        &conflict,
        &registry.host(),
        3,
        &expect![[r"
        error: the image cannot be put together
          caused by: the images cannot be merged: two of them are for linux/amd64: sha256:6a4c32204c8f4d264d18625cef871afb8db1daa2a30588c3dd62a7ddbca7a904 in multi.tar and sha256:a40db6ae909c02604cc83e763e80253b6f870ec13043f951b41ab4d521ec9d96 in saved.tar
    "]],
    );

    std::fs::copy(
        fixture("genuine/podman-oci-archive.tar"),
        directory.join("one.tar"),
    )
    .expect("copied");
    let same = push_as(&registry, &home, "same", &["one.tar", "one.tar"]);
    same.assert_code(0);
    let index = manifest(&registry, "same");
    assert_eq!(
        index["manifests"].as_array().map(Vec::len),
        Some(1),
        "{index}"
    );
}

#[test]
fn attestations_and_annotations() {
    let (registry, home) = (registry(), Image::small());
    let archive = fixture("genuine/buildkit-oci-multi-attest.tar");
    let run = push_as(
        &registry,
        &home,
        "1",
        &[
            "--attestations",
            "strip",
            "--annotation",
            "index:org.example.a=1",
            "--annotation",
            "org.example.b=2, and 3",
            &archive,
        ],
    );
    run.assert_code(0);
    let index = manifest(&registry, "1");
    assert_eq!(index["annotations"]["org.example.a"], "1");
    let children = index["manifests"].as_array().expect("children");
    assert_eq!(children.len(), 2);
    for child in children {
        let child = manifest(&registry, child["digest"].as_str().expect("a digest"));
        assert_eq!(child["annotations"]["org.example.b"], "2, and 3");
    }
    let single = fixture("genuine/buildkit-oci-single.tar");
    let refused = push_as(
        &registry,
        &home,
        "2",
        &["--annotation", "index:a=b", &single],
    );
    refused.assert_code(3);
}

#[test]
fn referrers() {
    let home = Image::small();
    let archive = fixture("genuine/docker29-containerd-save-single-referrer.tar");
    // The image, what is about it, and the list of that.
    for (arguments, expected) in [(&[][..], 1), (&["--referrers"][..], 3)] {
        let registry = registry();
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain([archive.as_str()])
            .collect();
        push_as(&registry, &home, "1", &arguments).assert_code(0);
        assert_eq!(
            registry.journal().count(Route::ManifestPut),
            expected,
            "{arguments:?}"
        );
    }
}

#[test]
fn inspect() {
    let home = Image::small();
    let run = |archive: &str| {
        let copy = home.directory.path().join("image.tar");
        std::fs::copy(fixture(archive), copy).expect("copied");
        let output = command(home.directory.path())
            .args(["inspect", "image.tar"])
            .output();
        Run::of(output.expect("the binary starts"))
    };
    let shown = run("genuine/docker29-graph-save-two-images.tar");
    shown.assert_code(0);
    expect![[r"
        image.tar
          format        docker-save archive
          written by    docker save (Docker 25 or later)
          image         @0 ghcr.io/example/second:2 ghcr.io/example/second:latest
          digest        sha256:d94ae2c0f80c67ecc155d663cda96ddf28cfbb0de6c2a3a5ec61f0576084e0a3
          media type    application/vnd.oci.image.manifest.v1+json
          new digest    the manifest is made anew, over compressed layers, in place of sha256:b2657a3585f1e172560058b40d7b1eb5f97da7195c5420a1434fbae40eb30960
          size          2.0 kB in 3 blobs

          linux/amd64  sha256:d94ae2c0f80c67ecc155d663cda96ddf28cfbb0de6c2a3a5ec61f0576084e0a3
            LAYER               SIZE  COMPRESSION  MEDIA TYPE
            6959aa67422a       213 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            75ed69a51178       122 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip

        image.tar
          format        docker-save archive
          written by    docker save (Docker 25 or later)
          image         @1 ghcr.io/example/small:1
          digest        sha256:2b1160aea21be1c21d68eefe3bb91c973c5fdcb0429df60c2106eae7bf7f6a42
          media type    application/vnd.oci.image.manifest.v1+json
          new digest    the manifest is made anew, over compressed layers, in place of sha256:effb5ec8c4d0bbe04635aafd710a413ce24fd4666d976c040bcd6e71e66e6ce9
          size          7.0 kB in 9 blobs

          linux/amd64  sha256:2b1160aea21be1c21d68eefe3bb91c973c5fdcb0429df60c2106eae7bf7f6a42
            LAYER               SIZE  COMPRESSION  MEDIA TYPE
            2d720676c67c       200 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            a8ba6c818783       121 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            f7b581cf7c97       123 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            3fbbd09a1613       241 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            6ca1882f111b       397 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            a8ba6c818783       121 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            62539018952d        28 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            59b70a12cf88       183 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            17bbaeeb3edd        91 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
    "]]
    .assert_eq(&shown.stdout);
    let shown = run("genuine/buildkit-oci-max-sbom.tar");
    shown.assert_code(0);
    expect![[r"
        image.tar
          format        OCI image layout in a tar file
          written by    BuildKit, or another exporter of containerd
          image         @0 ghcr.io/example/corpus:1 1
          digest        sha256:d83d5173730cceb9af3e860104e8a2b7e43372cbd878134d743769db5011bcc1
          media type    application/vnd.oci.image.index.v1+json
          size          127.7 kB in 13 blobs
          attestations  1

          linux/amd64  sha256:6a4c32204c8f4d264d18625cef871afb8db1daa2a30588c3dd62a7ddbca7a904
            LAYER               SIZE  COMPRESSION  MEDIA TYPE
            3c4bd4082d0d       199 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            c46266c528a0       124 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            0767cf535b2f    100.8 kB  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            0d6aae804c7c       127 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            b1a09fbf4eb4       238 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            745a4c6ae047       374 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            c46266c528a0       124 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            4f4fb700ef54        32 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            40622c74dd4f       185 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
            ca44d0b644b0        92 B  gzip         application/vnd.oci.image.layer.v1.tar+gzip
    "]]
    .assert_eq(&shown.stdout);
    run("hostile/tar-truncated-in-blob.tar").assert_code(3);
}

/// The position is the one by which `--image` chooses.
#[test]
fn inspect_tells_the_position_in_the_archive() {
    let home = Image::small();
    let archive = fixture("genuine/docker29-graph-save-two-images.tar");
    for (selection, shown) in [("@1", 1), ("@0", 0), ("ghcr.io/example/small:1", 1)] {
        let output = command(home.directory.path())
            .args(["inspect", "--json", "--image", selection, &archive])
            .output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(0);
        let value: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(value["images"][0]["position"], shown, "{selection}");
    }
}

#[test]
fn inspect_as_json() {
    let home = Image::small();
    let archive = fixture("genuine/podman-docker-archive.tar");
    let output = command(home.directory.path())
        .args(["inspect", "--json", &archive])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(0);
    let value: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let registry = registry();
    let pushed = push_as(&registry, &home, "1", &[&archive]);
    let digest = value["images"][0]["digest"].as_str().expect("a digest");
    assert!(
        pushed.stdout.ends_with(&format!("@{digest}\n")),
        "what a push would give"
    );
    assert_eq!(value["images"][0]["images"][0]["platform"], "linux/amd64");
    assert!(Path::new(&archive).exists());
}
