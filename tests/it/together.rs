//! Several archives made one, and what is said of it: by a push, by a dry run and by `inspect`, which must
//! agree.

use std::path::Path;
use std::process::Stdio;

use expect_test::expect;
use serde_json::Value;
use test_registry::{Distribution, SampleImage, TestRegistry, installed};

use crate::archives::{fixture, manifest, push_as, registry};
use crate::support::{Image, Run, check, command, push};

/// Archives of one platform each, as a matrix of jobs leaves them.
fn matrix(directory: &Path, platforms: &[&str]) {
    for platform in platforms {
        let image = SampleImage::default().platform(platform, &[3000]);
        let path = directory.join(format!("{platform}.tar"));
        image.write(&path).expect("written");
    }
}

fn inspect(home: &Image, arguments: &[&str]) -> Run {
    let output = command(home.directory.path())
        .arg("inspect")
        .args(arguments)
        .output();
    Run::of(output.expect("the binary starts"))
}

/// The digest that a push gives, and that `inspect` foretells of all archives together.
fn agreed(registry: &TestRegistry, home: &Image, tag: &str, arguments: &[&str]) -> Run {
    let pushed = push_as(registry, home, tag, arguments);
    pushed.assert_code(0);
    let shown = inspect(home, &[&["--json"], arguments].concat());
    shown.assert_code(0);
    let value: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let digest = value["together"]["digest"].as_str().expect("a digest");
    assert!(
        pushed.stdout.ends_with(&format!("@{digest}\n")),
        "{} {digest}",
        pushed.stdout
    );
    let shown = inspect(home, arguments);
    assert!(shown.stdout.contains(digest), "{}", shown.stdout);
    pushed
}

#[test]
fn inspect_shows_what_a_push_of_several_publishes() {
    let (registry, home) = (registry(), Image::small());
    matrix(home.directory.path(), &["arm64", "s390x"]);
    let saved = fixture("genuine/docker20-save-single.tar");
    let indexed = fixture("genuine/buildkit-oci-max-sbom.tar");
    for (number, arguments) in [
        &["arm64.tar", "s390x.tar"][..],
        &["arm64.tar", &saved],
        &[
            "--annotation",
            "index:a=1",
            "--annotation",
            "b=2",
            "arm64.tar",
            "s390x.tar",
        ],
        &["--annotation", "index,manifest:a=1", &saved, "arm64.tar"],
        &["--annotation", "a=1", "arm64.tar", &indexed],
        &["--preserve-digests", "arm64.tar", "s390x.tar"],
    ]
    .iter()
    .enumerate()
    {
        agreed(&registry, &home, &format!("{number}"), arguments);
    }
    let annotated = manifest(&registry, "2");
    assert_eq!(annotated["annotations"]["a"], "1");
}

#[test]
fn inspect_of_what_cannot_be_pushed_together() {
    let home = Image::small();
    matrix(home.directory.path(), &["arm64"]);
    let twice = SampleImage::default().platform("arm64", &[10]);
    let path = home.directory.path().join("again.tar");
    twice.write(&path).expect("written");
    let shown = inspect(&home, &["arm64.tar", "again.tar"]);
    shown.assert_code(0);
    assert!(
        shown.stdout.contains("\ntogether, they cannot be pushed\n"),
        "{}",
        shown.stdout
    );
    for name in ["arm64.tar", "again.tar"] {
        assert!(shown.stdout.contains(&format!(" in {name}")), "{name}");
    }
    let shown = inspect(&home, &["--json", "arm64.tar", "again.tar"]);
    let value: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let error = value["together"]["error"].as_str().unwrap_or_default();
    assert!(error.contains("two of them are for linux/arm64"), "{value}");
    let two = fixture("genuine/umoci-two-tags.tar");
    let shown = inspect(&home, &["arm64.tar", &two]);
    shown.assert_code(0);
    assert!(shown.stdout.contains("--image"), "{}", shown.stdout);
}

/// What becomes of each archive, then what comes of putting them together and annotating them.
#[test]
fn notices_and_changes_of_several_archives() {
    let (registry, home) = (registry(), Image::small());
    let directory = home.directory.path();
    matrix(directory, &["s390x"]);
    let multi = fixture("genuine/buildkit-oci-multi-attest.tar");
    std::fs::copy(multi, directory.join("multi.tar")).expect("copied");
    let arguments = [
        "--platform",
        "linux/arm64",
        "--progress",
        "none",
        "--annotation",
        "a=b",
        "multi.tar",
    ];
    let run = push_as(&registry, &home, "1", &arguments);
    run.assert_code(0);
    let told = |run: &Run| -> String {
        let lines = run.stderr.lines();
        let told: Vec<&str> = lines
            .filter(|line| line.starts_with("notice: ") && !line.contains("GHCR_PUSH_TOKEN"))
            .collect();
        told.join("\n") + "\n"
    };
    expect![[r"
        notice: the digest is not the archive's: left out as not asked for: linux/amd64
        notice: the digest is not the archive's: 2 attestations are left out
        notice: the digest is not the archive's: only one image is left, which is pushed without an index
        notice: the digest is not the archive's: annotations were added
    "]].assert_eq(&told(&run));
    let arguments = [
        "--progress",
        "none",
        "--annotation",
        "a=b",
        "multi.tar",
        "s390x.tar",
    ];
    let run = push_as(&registry, &home, "2", &arguments);
    run.assert_code(0);
    expect![[r"
        notice: 2 images become one index, which is new
        notice: the attestations' statements name the manifests as they were before annotations were added
        notice: the digest is not the archive's: annotations were added
    "]].assert_eq(&told(&run));
    // One image out of an index is in the archive as it is.
    let arguments = [
        "--platform",
        "linux/arm64",
        "--progress",
        "none",
        "multi.tar",
    ];
    let run = push_as(&registry, &home, "4", &arguments);
    run.assert_code(0);
    expect![[r"
        notice: left out as not asked for: linux/amd64
        notice: 2 attestations are left out
        notice: only one image is left, which is pushed without an index
    "]]
    .assert_eq(&told(&run));
    // A manifest over uncompressed layers is in this one, and is not what is pushed.
    std::fs::copy(
        fixture("genuine/docker29-graph-save-single.tar"),
        directory.join("saved.tar"),
    )
    .expect("copied");
    let run = push_as(&registry, &home, "3", &["--progress", "none", "saved.tar"]);
    run.assert_code(0);
    expect![[r"
        notice: the digest is not the archive's: the manifest is made anew, over compressed layers, in place of sha256:6ced56815c47a3611cd56b3ec03e6b2eb330d440f90cb6958f03d66b58043697
    "]].assert_eq(&told(&run));
}

#[test]
fn digests_that_are_to_be_preserved() {
    let (registry, home) = (registry(), Image::small());
    matrix(home.directory.path(), &["arm64", "s390x"]);
    let kept = |tag: &str, arguments: &[&str]| {
        let arguments = [&["--preserve-digests"], arguments].concat();
        push_as(&registry, &home, tag, &arguments)
    };
    // The index is new, and what it lists is not.
    kept("1", &["arm64.tar", "s390x.tar"]).assert_code(0);
    let multi = fixture("genuine/buildkit-oci-multi-attest.tar");
    // One of an index's images is in the archive as it is; an index of some of them is not.
    kept("2", &["--platform", "linux/arm64", &multi]).assert_code(0);
    kept("3", &["--attestations", "strip", &multi]).assert_code(3);
    let saved = fixture("genuine/docker20-save-single.tar");
    kept("4", &["arm64.tar", &saved]).assert_code(3);
    let annotated = ["-q", "--annotation", "a=b", "arm64.tar", "s390x.tar"];
    let refused = kept("5", &annotated);
    check(
        &refused,
        &registry.host(),
        3,
        &expect![[r"
        error: the digest cannot be preserved
          caused by: annotations were added

        hint: leave out --preserve-digests, or the option that changes the image
    "]],
    );
    assert_eq!(registry.tags("owner/app"), ["1", "2"]);
    for arguments in [
        &["--preserve-digests", "--annotation", "a=b", "arm64.tar"][..],
        &["--preserve-digests", &saved],
    ] {
        inspect(&home, arguments).assert_code(3);
    }
}

/// What can be done about an incomplete archive depends on what was asked for.
#[test]
fn hints_fit_the_options() {
    let home = Image::small();
    let partial = fixture("genuine/docker29-containerd-save-multi-partial.tar");
    for (arguments, hint) in [
        (&[partial.as_str()][..], "push one of the platforms"),
        (
            &["--platform", "linux/amd64,linux/arm64", &partial],
            "leave out what is absent with --only-present",
        ),
        (
            &["--platform", "linux/arm64", &partial],
            "choose another platform, or export",
        ),
        (
            &["--platform", "linux/386", &partial],
            "choose one of these",
        ),
    ] {
        let shown = inspect(&home, arguments);
        shown.assert_code(3);
        assert!(
            shown.stderr.contains(&format!("hint: {hint}")),
            "{}",
            shown.stderr
        );
    }
}

/// As skopeo writes it.
#[test]
fn a_name_behind_a_path() {
    let (registry, home) = (registry(), Image::small());
    let path = home.directory.path().join("two.tar");
    std::fs::copy(fixture("genuine/umoci-two-tags.tar"), path).expect("copied");
    for (name, expected) in [("1", "sha256:cb64f31f2804"), ("2", "sha256:b73081bdf7d7")] {
        let image = format!("oci-archive:two.tar:{name}");
        let run = push_as(&registry, &home, name, &[&image]);
        run.assert_code(0);
        assert!(run.stdout.contains(expected), "{}", run.stdout);
        assert!(inspect(&home, &[&image]).stdout.contains(expected));
    }
    push_as(&registry, &home, "3", &["oci-archive:two.tar:3"]).assert_code(3);
}

/// What is about the image is told before it is pushed, and is found afterwards.
#[test]
fn referrers_in_a_dry_run_and_in_distribution() {
    let archive = fixture("genuine/docker29-containerd-save-single-referrer.tar");
    let (registry, home) = (registry(), Image::small());
    let dry_run = push_as(
        &registry,
        &home,
        "1",
        &["--dry-run", "--referrers", &archive],
    );
    dry_run.assert_code(0);
    assert!(
        dry_run
            .stdout
            .contains("1 manifest that is about the image"),
        "{}",
        dry_run.stdout
    );
    let arguments = ["--dry-run", "--json", "--referrers", &archive];
    let dry_run = push_as(&registry, &home, "1", &arguments);
    let value: Value = serde_json::from_str(&dry_run.stdout).expect("JSON");
    assert_eq!(value["repositories"][0]["referrers"], 1);
    assert!(registry.tags("owner/app").is_empty());
    if !installed(&["docker-registry"]) {
        return;
    }
    let distribution = Distribution::start().expect("docker-registry starts");
    let reference = format!("{}/owner/app:1", distribution.host());
    let run = push(&home, &["--referrers", &archive, &reference]);
    run.assert_code(0);
    let digest = run.stdout.trim_end().split_once('@').expect("a digest").1;
    let digest: oci_archive::Digest = digest.parse().expect("a digest");
    let tag = digest.referrers_tag();
    assert!(
        run.stderr.contains(&format!("is under the tag {tag}")),
        "{}",
        run.stderr
    );
    // What the list names is there, as a second push finds it.
    let again = push(&home, &["--referrers", &archive, &reference]);
    again.assert_code(0);
    assert!(!again.stderr.contains(&tag), "{}", again.stderr);
}

/// `head` reads the beginning only.
#[test]
fn a_reader_that_has_enough() {
    let home = Image::small();
    let mut child = command(home.directory.path())
        .args(["inspect", "image.tar"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}
