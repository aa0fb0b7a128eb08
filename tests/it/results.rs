//! The files that take the result of a push.

use std::path::Path;

use expect_test::expect;
use serde_json::Value;
use test_registry::{Options, Refusal, TestRegistry};

use crate::support::{Image, TOKEN, USERNAME, push, push_command};

const FILES: [&str; 6] = [
    "--digestfile",
    "digest",
    "--image-refs",
    "refs",
    "--metadata-file",
    "metadata.json",
];

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

fn read(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).expect("the file is written")
}

#[test]
fn a_push_writes_its_files() {
    let registry = registry();
    let image = Image::small();
    let directory = image.directory.path();
    let first = format!("{}/owner/app:1", registry.host());
    let second = format!("{}/owner/other:2", registry.host());
    let mut arguments = FILES.to_vec();
    arguments.extend(["image.tar", &first, &second]);
    let run = push(&image, &arguments);
    run.assert_code(0);
    let digest = &image.sample.digest;
    assert_eq!(read(directory, "digest"), *digest);
    let lines = format!("{first}@{digest}\n{second}@{digest}\n");
    assert_eq!(read(directory, "refs"), lines);
    assert_eq!(run.stdout, lines);
    let metadata = read(directory, "metadata.json");
    let metadata = metadata.replace(&registry.host(), "HOST");
    let mut metadata: Value = serde_json::from_str(&metadata).expect("JSON");
    metadata["durationMs"] = Value::Null;
    expect![[r#"
        {
          "schemaVersion": 1,
          "status": "pushed",
          "digest": "sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567",
          "mediaType": "application/vnd.oci.image.manifest.v1+json",
          "size": 549,
          "platforms": [
            "linux/amd64"
          ],
          "configDigest": "sha256:8c5a0b273bff22c48d6bc0648273450cdd1058b1633d136f4996ab629f4fdd19",
          "references": [
            {
              "reference": "HOST/owner/app:1",
              "digest": "sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567",
              "status": "pushed",
              "previousDigest": null
            },
            {
              "reference": "HOST/owner/other:2",
              "digest": "sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567",
              "status": "pushed",
              "previousDigest": null
            }
          ],
          "blobs": {
            "total": 6,
            "uploaded": 3,
            "existing": 0,
            "mounted": 3,
            "bytesTotal": 213616,
            "bytesUploaded": 106808
          },
          "requests": 25,
          "retries": 0,
          "durationMs": null,
          "containerimage.config.digest": "sha256:8c5a0b273bff22c48d6bc0648273450cdd1058b1633d136f4996ab629f4fdd19",
          "containerimage.descriptor": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": "sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567",
            "size": 549
          },
          "containerimage.digest": "sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567",
          "image.name": "HOST/owner/app:1,HOST/owner/other:2"
        }
    "#]].assert_eq(&format!("{metadata:#}\n"));
}

#[test]
fn a_push_that_fails_writes_none() {
    let registry = registry();
    registry.deny("owner/app", Refusal::WritePackage);
    let image = Image::small();
    let directory = image.directory.path();
    let reference = format!("{}/owner/app:1", registry.host());
    let mut arguments = FILES.to_vec();
    arguments.extend(["image.tar", &reference]);
    std::fs::write(directory.join("refs"), "of another push").expect("writable");
    push(&image, &arguments).assert_code(4);
    assert_eq!(read(directory, "refs"), "of another push");
    for name in ["digest", "metadata.json"] {
        assert!(!directory.join(name).exists(), "{name}");
    }
}

#[test]
fn variables_name_them_too() {
    let registry = registry();
    let image = Image::small();
    let directory = image.directory.path();
    let reference = format!("{}/owner/app:1", registry.host());
    let output = push_command(&image, &["image.tar", &reference])
        .env("GHCR_PUSH_IMAGE_REFS", "refs")
        .env("GHCR_PUSH_METADATA_FILE", "metadata.json")
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(0));
    let line = format!("{reference}@{}\n", image.sample.digest);
    assert_eq!(read(directory, "refs"), line);
    let metadata: Value = serde_json::from_str(&read(directory, "metadata.json")).expect("JSON");
    assert_eq!(
        metadata["containerimage.digest"],
        image.sample.digest.as_str()
    );
}

/// Elsewhere it is standard output; a file of that name is what nobody wants.
#[test]
fn a_hyphen_is_no_file() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    for option in ["--digestfile", "--image-refs", "--metadata-file"] {
        let run = push(&image, &[option, "-", "image.tar", &reference]);
        run.assert_code(2);
        let expected = format!("error: {option}: - names no file\n");
        assert!(run.stderr.contains(&expected), "{}", run.stderr);
    }
    assert_eq!(registry.journal().exchanges.len(), 0);
    assert!(!image.directory.path().join("-").exists());
    push(&image, &["--digestfile", "./-", "image.tar", &reference]).assert_code(0);
    assert_eq!(read(image.directory.path(), "-"), image.sample.digest);
}

/// To write the result would destroy what was pushed, or what the next push needs.
#[test]
fn a_file_that_is_read_takes_no_result() {
    let registry = registry();
    let image = Image::small();
    let directory = image.directory.path();
    let reference = format!("{}/owner/app:1", registry.host());
    let archive = std::fs::read(image.path()).expect("readable");
    std::fs::copy(image.path(), directory.join("other.tar")).expect("writable");
    std::fs::write(directory.join("file"), "read").expect("writable");
    std::fs::create_dir(directory.join("sub")).expect("it can be made");
    let is_image = "names the image itself: ";
    let is_read = "name one file: ";
    let mut cases = vec![
        (vec!["--metadata-file", "image.tar", "image.tar"], is_image),
        (vec!["--digestfile", "image.tar", "image.tar"], is_image),
        (vec!["--image-refs", "image.tar", "image.tar"], is_image),
        (
            vec!["--image-refs", "sub/../image.tar", "image.tar"],
            is_image,
        ),
        (
            vec!["--digestfile", "image.tar", "oci-archive:image.tar"],
            is_image,
        ),
        (
            vec!["--digestfile", "image.tar", "other.tar", "image.tar"],
            is_image,
        ),
        (
            vec!["--digestfile", "image.tar", "--dry-run", "image.tar"],
            is_image,
        ),
        (
            vec!["--digestfile", "file", "--authfile", "file", "image.tar"],
            is_read,
        ),
        (
            vec![
                "--digestfile",
                "file",
                "--ca-file",
                "sub/../file",
                "image.tar",
            ],
            is_read,
        ),
    ];
    #[cfg(unix)]
    {
        std::fs::hard_link(image.path(), directory.join("hard")).expect("it can be made");
        std::os::unix::fs::symlink("image.tar", directory.join("link")).expect("it can be made");
        cases.extend([
            (vec!["--digestfile", "hard", "image.tar"], is_image),
            (vec!["--metadata-file", "link", "image.tar"], is_image),
        ]);
    }
    for (mut arguments, expected) in cases {
        if arguments[0] != "--image-refs" {
            arguments.splice(..0, ["--image-refs", "refs"]);
        }
        arguments.push(&reference);
        let run = push(&image, &arguments);
        run.assert_code(2);
        assert!(
            run.stderr.contains(expected),
            "{arguments:?}: {}",
            run.stderr
        );
        assert_eq!(std::fs::read(image.path()).expect("readable"), archive);
        assert_eq!(read(directory, "file"), "read");
        assert!(!directory.join("refs").exists(), "nothing is opened");
    }
    assert_eq!(registry.journal().exchanges.len(), 0);
}

/// Standard input may be redirected from the file that is to take the result.
#[cfg(target_os = "linux")]
#[test]
fn standard_input_takes_no_result() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let archive = std::fs::read(image.path()).expect("readable");
    let output = push_command(&image, &["--digestfile", "image.tar", "-", &reference])
        .stdin(std::fs::File::open(image.path()).expect("readable"))
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(image.path()).expect("readable"), archive);
    assert_eq!(registry.journal().exchanges.len(), 0);
}
