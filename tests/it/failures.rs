//! Every way to fail: the message, the exit code, and that nothing was published.

use expect_test::{Expect, expect};
use test_registry::{Action, Authentication, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{Image, TOKEN, USERNAME, check, push};

/// Pushes an archive that cannot be pushed; the registry must see nothing of it.
#[track_caller]
fn check_archive(archive: &str, make: impl FnOnce(&Image), expected: &Expect) {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    make(&image);
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["-q", archive, &reference]);
    check(&run, &registry.host(), 3, expected);
    assert_eq!(registry.journal().mutating(), 0);
}

#[test]
fn missing_file() {
    check_archive(
        "absent.tar",
        |_| {},
        &expect![[r"
        error: absent.tar: no such file or directory
    "]],
    );
}

#[test]
fn truncated_tar() {
    check_archive(
        "image.tar",
        |image| {
            let bytes = std::fs::read(image.path()).expect("readable");
            std::fs::write(image.path(), &bytes[..50_000]).expect("writable");
        },
        &expect![[r#"
            error: image.tar cannot be pushed
              caused by: the archive is truncated: entry "blobs/sha256/0abe7008710135ff63fdca25aa1339db3fd9d4b83a3866eb2ca49254f772d300" would end at byte 107520, the file ends at byte 50000

            hint: write the archive again; the tool that made it was cut off
        "#]],
    );
}

#[test]
fn not_a_tar() {
    check_archive(
        "notes.txt",
        |image| {
            let text = "The quick brown fox jumps over the lazy dog.\n".repeat(40);
            std::fs::write(image.directory.path().join("notes.txt"), text).expect("writable");
        },
        &expect![[r"
            error: notes.txt cannot be pushed
              caused by: this is not a tar file or image layout: its first header has a wrong checksum

            hint: an image archive is an OCI image layout or what docker save writes: docker buildx build --output type=oci,dest=image.tar, docker save -o image.tar, podman save, skopeo copy
        "]],
    );
}

#[test]
fn cut_in_its_compression() {
    check_archive(
        "image.tar.gz",
        |image| {
            let bytes = std::fs::read(image.path()).expect("readable");
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &bytes).expect("memory");
            let compressed = encoder.finish().expect("memory");
            let path = image.directory.path().join("image.tar.gz");
            std::fs::write(path, &compressed[..50_000]).expect("writable");
        },
        &expect![[r"
            error: image.tar.gz cannot be pushed
              caused by: the gzip compression around the archive cannot be undone
              caused by: incomplete deflate stream
        "]],
    );
}

/// An archive with two images: both are listed, and either can be chosen.
#[test]
fn several_images() {
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/archives/genuine/umoci-two-tags.tar"
    );
    let copy = |image: &Image| {
        std::fs::copy(fixture, image.path()).expect("the archive can be copied");
    };
    check_archive(
        "image.tar",
        copy,
        &expect![[r"
        error: image.tar cannot be pushed
          caused by: the archive holds 2 images, and one must be selected; it holds: @0 cb64f31f2804 1 latest (linux/amd64), @1 b73081bdf7d7 2 (linux/amd64)

        hint: choose one with --image NAME or --image @N
    "]],
    );

    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    copy(&image);
    for (selection, digest) in [("2", "sha256:b73081bdf7d7"), ("@0", "sha256:cb64f31f2804")] {
        let reference = format!("{}/owner/app:1", registry.host());
        let run = push(
            &image,
            &["-q", "--image", selection, "image.tar", &reference],
        );
        run.assert_code(0);
        assert!(run.stdout.contains(digest), "{}", run.stdout);
    }
}

/// A blob that does not have its digest is found while it is read; its closing request never leaves whole.
#[test]
fn damaged_blob() {
    for (mode, chunks) in [("stream", 0), ("chunked", 2)] {
        let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
        let image = Image::new(&SampleImage::of_layers(&[9 << 20]));
        let mut bytes = std::fs::read(image.path()).expect("readable");
        let position = 5 * 1024 * 1024;
        bytes[position] ^= 1;
        std::fs::write(image.path(), &bytes).expect("writable");
        let reference = format!("{}/owner/app:1", registry.host());
        let run = push(
            &image,
            &[
                "-q",
                "--registry-profile",
                "ghcr",
                "--upload-mode",
                mode,
                "image.tar",
                &reference,
            ],
        );
        run.assert_code(3);
        assert!(
            run.stderr.contains("the archive's bytes hash to"),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr.contains(image.sample.largest()),
            "{}",
            run.stderr
        );
        let journal = registry.journal();
        assert_eq!(journal.count(Route::UploadChunk), chunks);
        assert_eq!(journal.uploads_of(image.sample.largest()).stored, 0);
        let closing: Vec<_> = journal
            .of(Route::UploadCommit)
            .filter(|e| e.digest.as_deref() == Some(image.sample.largest()))
            .collect();
        // It may end before its head is through.
        assert!(closing.len() <= 1, "{mode}: it is not tried again");
        for one in closing {
            let (sent, claimed) = (one.body_bytes, one.content_length);
            assert!(Some(sent) < claimed, "{mode}: {sent} bytes of {claimed:?}");
        }
        assert_eq!(registry.tags("owner/app"), [""; 0]);
    }
}

#[test]
fn bad_references() {
    let image = Image::small();
    for (reference, expected) in [
        (
            "owner/app:1",
            expect![[r#"
                error: "owner/app:1" does not begin with a registry's host

                hint: write ghcr.io/owner/app:1
            "#]],
        ),
        (
            "ghcr.io/app:1",
            expect![[r#"
                error: "ghcr.io/app:1" names no owner (reference-without-owner)

                hint: write ghcr.io/OWNER/app:1, with the user or organization it belongs to
            "#]],
        ),
        (
            "ghrc.io/owner/app:1",
            expect![[r#"
                error: "ghrc.io/owner/app:1" names a host that only looks like ghcr.io (lookalike-host)

                hint: write ghcr.io/owner/app:1; nothing was sent to ghrc.io
            "#]],
        ),
        (
            "ghcr.io/owner/app:not a tag",
            expect![[r#"
                error: "not a tag" in "ghcr.io/owner/app:not a tag" is no tag

                hint: a tag has up to 128 letters, digits, underscores, dots and hyphens, and begins with none of the last two
            "#]],
        ),
    ] {
        let run = push(&image, &["image.tar", reference]);
        check(&run, "", 2, &expected);
    }
}

#[test]
fn unknown_option() {
    let image = Image::small();
    let run = push(&image, &["--jbos", "3", "image.tar", "ghcr.io/owner/app:1"]);
    check(
        &run,
        "",
        2,
        &expect![[r"
            error: unexpected argument '--jbos' found

              tip: a similar argument exists: '--jobs'

            Usage: ghcr-push [OPTIONS] <IMAGE>... <REFERENCE>...
                   ghcr-push check [OPTIONS] <REFERENCE>... [IMAGE]...
                   ghcr-push inspect [OPTIONS] <IMAGE>...
                   ghcr-push explain [--json] [FILE | -]
                   ghcr-push completions <SHELL>
                   ghcr-push help [COMMAND]

            For more information, try '--help'.
        "]],
    );
}

#[test]
fn wrong_password_at_ghcr() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, "another"));
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &["-q", "--registry-profile", "ghcr", "image.tar", &reference],
    );
    check(
        &run,
        &registry.host(),
        4,
        &expect![[r"
            error: failed to push HOST/owner/app:1
              caused by: HOST answered 403 Forbidden to the request to fetch a token
              caused by: DENIED: denied
              request: GET http://HOST/token?service=HOST&scope=repository:owner/app:pull,push
              request id: ID

            diagnosis: the credential was not accepted

            1. credential-rejected (likely)
               the credential is wrong, expired or revoked
               evidence:
                 - HOST said: denied
                 - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
               what to do:
                 Push with this job's own token, and nothing that goes before it:

                     env:
                       GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}

                 The job needs `packages: write` in its `permissions:`. The token ends with its job, so that one that was kept is worth nothing.
        "]],
    );
    assert_eq!(
        registry.journal().exchanges.len(),
        1,
        "one question, and no anonymous attempt"
    );
}

#[test]
fn wrong_password_elsewhere() {
    let mut options = Options::default();
    options.authentication = Authentication::Basic {
        username: USERNAME.to_owned(),
        password: "another".to_owned(),
    };
    let registry = TestRegistry::start(options);
    let image = Image::small();
    let run = push(
        &image,
        &["-q", "image.tar", &format!("{}/app:1", registry.host())],
    );
    check(
        &run,
        &registry.host(),
        4,
        &expect![[r"
            error: failed to push HOST/app:1
              caused by: HOST answered 401 Unauthorized to the request to look up the tag
              caused by: UNAUTHORIZED: authentication required
              request: GET http://HOST/v2/app/manifests/1

            hint: the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is); check that it is the right one for HOST
        "]],
    );
}

/// The registry finds fault with the content: neither a credential nor another try would help.
#[test]
fn refused_content() {
    let registry = TestRegistry::start(Options::default());
    let refused = Action::error(400, "MANIFEST_INVALID", "manifest invalid");
    registry.fail(Fault::new(refused).on(Route::ManifestPut));
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["-q", "image.tar", &reference]);
    check(
        &run,
        &registry.host(),
        6,
        &expect![[r"
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 400 Bad Request to the request to set the tag
          caused by: MANIFEST_INVALID: manifest invalid
          request: PUT http://HOST/v2/owner/app/manifests/1
    "]],
    );
    assert_eq!(registry.journal().count(Route::ManifestPut), 1);
    assert_eq!(registry.tags("owner/app"), [""; 0]);
}
