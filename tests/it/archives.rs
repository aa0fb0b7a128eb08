//! Archives of every kind through the binary: what becomes of them, and what a second push costs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use expect_test::expect;
use oci_archive::{Algorithm, Digest};
use serde_json::Value;
use test_registry::{Options, Route, TestRegistry};

use crate::many_files::save;
use crate::support::{Image, Run, TOKEN, USERNAME, check, command, push};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/archives");

pub(crate) fn fixture(name: &str) -> String {
    let path = PathBuf::from(FIXTURES).join(name);
    path.display().to_string()
}

pub(crate) fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

/// The manifest behind a tag, as JSON.
pub(crate) fn manifest(registry: &TestRegistry, tag: &str) -> Value {
    let stored = registry.manifest("owner/app", tag).expect("published");
    serde_json::from_slice(&stored.bytes).expect("JSON")
}

/// Pushes with `arguments` before the reference.
pub(crate) fn push_as(registry: &TestRegistry, home: &Image, tag: &str, arguments: &[&str]) -> Run {
    let reference = format!("{}/owner/app:{tag}", registry.host());
    let mut all = vec!["--registry-profile", "ghcr"];
    all.extend_from_slice(arguments);
    all.push(&reference);
    push(home, &all)
}

/// A repeated push neither compresses nor uploads: the token, and the manifest behind the tag.
#[test]
fn docker_save_twice() {
    let (registry, home) = (registry(), Image::small());
    let archive = fixture("genuine/docker20-save-single.tar");
    let first = push_as(&registry, &home, "1", &[&archive]);
    first.assert_code(0);
    let published = manifest(&registry, "1");
    assert_eq!(published["layers"].as_array().map(Vec::len), Some(10));

    registry.clear_journal();
    let again = push_as(&registry, &home, "1", &[&archive]);
    again.assert_code(0);
    assert_eq!(again.stdout, first.stdout);
    assert!(again.stderr.contains("unchanged "), "{}", again.stderr);
    let journal = registry.journal();
    assert_eq!(journal.mutating(), 0);
    assert!(journal.exchanges.len() <= 3, "{}", journal.exchanges.len());
    assert!(!again.stderr.contains("compressing"), "{}", again.stderr);

    // Also without what the first push noted.
    std::fs::remove_dir_all(home.directory.path().join(".cache")).expect("there is a cache");
    registry.clear_journal();
    push_as(&registry, &home, "1", &[&archive]).assert_code(0);
    assert!(registry.journal().exchanges.len() <= 3);
}

/// Another tag needs one look at every blob, and no compression.
#[test]
fn layers_are_not_compressed_again() {
    let (registry, home) = (registry(), Image::small());
    let archive = fixture("genuine/docker20-save-single.tar");
    push_as(&registry, &home, "1", &[&archive]).assert_code(0);
    registry.clear_journal();
    let other = push_as(&registry, &home, "2", &[&archive]);
    other.assert_code(0);
    assert!(!other.stderr.contains("compressing"), "{}", other.stderr);
    assert_eq!(registry.journal().blob_bytes(), 0);
    assert_eq!(manifest(&registry, "1"), manifest(&registry, "2"));

    // What the cache says is not believed: another registry has none of it.
    let elsewhere = self::registry();
    push_as(&elsewhere, &home, "1", &[&archive]).assert_code(0);
    assert_eq!(manifest(&registry, "1"), manifest(&elsewhere, "1"));
}

/// The same layer gives the same bytes in every kind of archive.
#[test]
fn one_image_in_many_archives() {
    let (registry, home) = (registry(), Image::small());
    for (tag, archive) in [
        ("docker20", "genuine/docker20-save-single.tar"),
        ("docker29", "genuine/docker29-graph-save-single.tar"),
        ("podman", "genuine/podman-docker-archive.tar"),
        ("gzip", "genuine/outer-gzip-docker29-graph.tar.gz"),
        ("xz", "genuine/outer-xz-podman-docker-archive.tar.xz"),
    ] {
        push_as(&registry, &home, tag, &[&fixture(archive)]).assert_code(0);
        assert_eq!(
            manifest(&registry, tag),
            manifest(&registry, "docker20"),
            "{tag}"
        );
    }
}

#[test]
fn formats() {
    let home = Image::small();
    let archive = fixture("genuine/docker20-save-single.tar");
    for (format, media_type) in [
        ("gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ("zstd", "application/vnd.oci.image.layer.v1.tar+zstd"),
        ("none", "application/vnd.oci.image.layer.v1.tar"),
    ] {
        let registry = registry();
        let arguments = ["--compression-format", format, &archive];
        push_as(&registry, &home, "1", &arguments).assert_code(0);
        let manifest = manifest(&registry, "1");
        assert_eq!(manifest["layers"][2]["mediaType"], media_type);
        let digest = manifest["layers"][2]["digest"].as_str().expect("a digest");
        let blob = registry.blob("owner/app", digest).expect("stored");
        assert_eq!(manifest["layers"][2]["size"], blob.len());
    }
    // An image in another format than the one that is asked for is not the same.
    let registry = registry();
    push_as(&registry, &home, "1", &[&archive]).assert_code(0);
    let zstd = ["--compression-format", "zstd", &archive];
    let changed = push_as(&registry, &home, "1", &zstd);
    assert!(changed.stderr.contains("pushed "), "{}", changed.stderr);
}

/// With a manifest over uncompressed layers in the archive, that one can be kept.
#[test]
fn preserved_digests() {
    let (registry, home) = (registry(), Image::small());
    let archive = fixture("genuine/docker29-graph-save-single.tar");
    let kept = push_as(&registry, &home, "1", &["--preserve-digests", &archive]);
    kept.assert_code(0);
    let verbatim = "sha256:6ced56815c47a3611cd56b3ec03e6b2eb330d440f90cb6958f03d66b58043697";
    assert!(
        kept.stdout.ends_with(&format!("@{verbatim}\n")),
        "{}",
        kept.stdout
    );

    std::fs::copy(fixture("genuine/docker20-save-single.tar"), home.path()).expect("copied");
    let refused = push_as(&registry, &home, "2", &["--preserve-digests", "image.tar"]);
    check(
        &refused,
        &registry.host(),
        3,
        &expect![[r"
        error: the digest cannot be preserved
          caused by: a docker-save archive has no manifest that could be kept

        hint: leave out --preserve-digests, or export an OCI layout and push that as it is
    "]],
    );
    let annotated = push_as(
        &registry,
        &home,
        "2",
        &["--preserve-digests", "--annotation", "a=b", &archive],
    );
    annotated.assert_code(3);
    assert_eq!(registry.tags("owner/app"), ["1"]);
}

fn piped(registry: &TestRegistry, home: &Image, bytes: &[u8], image: &str) -> Run {
    let mut child = command(home.directory.path())
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .args(["--plain-http", image])
        .arg(format!("{}/owner/app:piped", registry.host()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A binary that has seen enough may close the pipe.
    let _ = stdin.write_all(bytes);
    drop(stdin);
    Run::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn standard_input() {
    let (registry, home) = (registry(), Image::small());
    for archive in [
        "genuine/buildkit-oci-single.tar",
        "genuine/outer-zstd-buildkit-oci.tar.zst",
    ] {
        let bytes = std::fs::read(fixture(archive)).expect("readable");
        for image in ["-", "oci-archive:-"] {
            let run = piped(&registry, &home, &bytes, image);
            run.assert_code(0);
            assert!(
                run.stdout.contains("@sha256:6a4c32204c8f"),
                "{}",
                run.stdout
            );
        }
    }
    let left: Vec<_> = home
        .directory
        .path()
        .read_dir()
        .expect("readable")
        .collect();
    assert_eq!(left.len(), 1, "nothing but the sample is left: {left:?}");
    let cut = std::fs::read(fixture("genuine/buildkit-oci-single.tar")).expect("readable");
    let run = piped(&registry, &home, &cut[..cut.len() / 2], "-");
    check(
        &run,
        "",
        3,
        &expect![[r#"
        error: standard input cannot be pushed
          caused by: the archive is truncated: entry "blobs/sha256/0767cf535b2f8c94cca1797a220415c44be8b6f56568cf5f69aef99a0db46019" would end at byte 102288, the file ends at byte 60928

        hint: write the archive again; the tool that made it was cut off
    "#]],
    );
    let run = piped(&registry, &home, b"", "-");
    run.assert_code(3);
}

#[test]
fn scratch_space_that_cannot_be_used() {
    let (registry, home) = (registry(), Image::small());
    std::fs::copy(fixture("genuine/docker20-save-single.tar"), home.path()).expect("copied");
    let output = command(home.directory.path())
        .env("TMPDIR", "/nowhere/at/all")
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .args(["-q", "--plain-http", "image.tar"])
        .arg(format!("{}/owner/app:1", registry.host()))
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(3);
    for words in ["scratch space in /nowhere/at/all", "TMPDIR"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert!(registry.tags("owner/app").is_empty());
}

/// A disk of its own, of a megabyte, for a layer that takes two. That takes namespaces, which not every machine gives.
#[test]
fn scratch_space_that_is_full() {
    const SCRIPT: &str = "mount -t tmpfs -o size=1m tmpfs scratch || exit 77
        \"$0\" \"$@\"; code=$?; ls -A scratch; exit $code";
    let namespaces = Command::new("unshare").args(["-rm", "true"]).output();
    if !namespaces.is_ok_and(|output| output.status.success()) {
        return;
    }
    let (registry, home) = (registry(), Image::small());
    let digests = std::iter::successors(Some(Digest::of(Algorithm::Sha256, b"")), |last| {
        Some(Digest::of(Algorithm::Sha256, last.hex().as_bytes()))
    });
    // Digits take half their size when they are compressed.
    let layer = digests
        .take(65_536)
        .map(|digest| digest.hex().to_owned())
        .collect();
    save(&home.path(), &[vec![layer]]);
    std::fs::create_dir(home.directory.path().join("scratch")).expect("writable");
    let output = Command::new("unshare")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", home.directory.path())
        .env("TMPDIR", home.directory.path().join("scratch"))
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .current_dir(home.directory.path())
        .args(["-rm", "sh", "-c", SCRIPT])
        .arg(command(home.directory.path()).get_program())
        .args(["-q", "--plain-http", "image.tar"])
        .arg(format!("{}/owner/app:1", registry.host()))
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(3);
    for words in ["/scratch", "No space left on device", "make room there"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert_eq!(run.stdout, "", "nothing is left");
    assert!(registry.tags("owner/app").is_empty());
}

/// A layer that is not the configuration's is found while it is compressed, and nothing names it.
#[test]
fn a_layer_that_is_another_one() {
    let (registry, home) = (registry(), Image::small());
    std::fs::copy(fixture("hostile/docker-diff-id-mismatch.tar"), home.path()).expect("copied");
    let refused = push_as(&registry, &home, "1", &["-q", "image.tar"]);
    check(
        &refused,
        &registry.host(),
        3,
        &expect![[r#"
        error: failed to push HOST/owner/app:1
          caused by: layer sha256:fdb6b13ac8233938d45c87bae9043cf1af78f6664423a5ea47bbacd59ff330f6 cannot be compressed
          caused by: the layer "l1/layer.tar" has a digest mismatch: its diff_id is sha256:fdb6b13ac8233938d45c87bae9043cf1af78f6664423a5ea47bbacd59ff330f6, its content hashes to sha256:785a747bc51855c0ced047d1def885e15a3fef232c0a83f2fc2bd6b45439c0fb
    "#]],
    );
    assert_eq!(registry.journal().count(Route::ManifestPut), 0);
}
