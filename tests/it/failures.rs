//! Every way to fail: the message, the exit code, and that nothing was published.

use expect_test::{Expect, expect};
use test_registry::{Authentication, Options, Refusal, Route, SampleImage, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, command, push};

const MIB: u64 = 1024 * 1024;

#[track_caller]
fn check(run: &Run, host: &str, code: i32, expected: &Expect) {
    run.assert_code(code);
    assert_eq!(run.stdout, "", "a failure prints no result");
    expected.assert_eq(&run.stable_stderr(host));
}

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

            hint: an image archive is an OCI image layout, as made by docker buildx build --output type=oci,dest=image.tar, by podman save --format oci-archive, or by skopeo copy
        "]],
    );
}

#[test]
fn compressed_archive() {
    check_archive(
        "image.tar.gz",
        |image| {
            let bytes = std::fs::read(image.path()).expect("readable");
            let file = std::fs::File::create(image.directory.path().join("image.tar.gz"));
            let mut encoder =
                flate2::write::GzEncoder::new(file.expect("writable"), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &bytes).expect("writable");
            encoder.finish().expect("writable");
        },
        &expect![[r"
            error: image.tar.gz cannot be pushed
              caused by: this is a file compressed with gzip, which is not supported

            hint: decompress it first; this version reads plain tar files and directories
        "]],
    );
}

/// A blob that does not have its digest is found while it is read; its closing request never leaves.
#[test]
fn damaged_blob() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    for mode in ["stream", "chunked"] {
        let image = Image::new(&SampleImage::of_layers(&[9 * MIB]));
        let mut bytes = std::fs::read(image.path()).expect("readable");
        let position = 5 * 1024 * 1024;
        bytes[position] ^= 1;
        std::fs::write(image.path(), &bytes).expect("writable");
        let reference = format!("{}/owner/app:1", registry.host());
        let run = push(
            &image,
            &["-q", "--upload-mode", mode, "image.tar", &reference],
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
        assert_eq!(
            registry.journal().uploads_of(image.sample.largest()).stored,
            0
        );
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

                hint: write ghcr.io/OWNER/app
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

                hint: write ghcr.io/owner/app; nothing was sent to ghrc.io
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

            Usage: ghcr-push [OPTIONS] <IMAGE> <REFERENCE>...

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
             Replace the credential there. A new classic personal access token needs the scope write:packages.
             https://github.com/settings/tokens/new?scopes=write:packages
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

#[test]
fn no_credential_for_ghcr() {
    let image = Image::small();
    let output = command(image.directory.path())
        .args(["image.tar", "ghcr.io/owner/app:1"])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    check(
        &run,
        "",
        4,
        &expect![[r"
            error: no credential for ghcr.io was found (credential-missing)

            hint: looked at --password-stdin, GHCR_PUSH_TOKEN, docker's config.json and GITHUB_TOKEN.
                  In a workflow, give the step the token:

                      env:
                        GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}

                  By hand: gh auth token | ghcr-push --username USER --password-stdin ..., with a token that has the
                  scope write:packages (gh auth refresh -h github.com -s write:packages)
        "]],
    );
}

#[test]
fn unreachable_host() {
    let image = Image::small();
    // A port that was free a moment ago.
    let host = TestRegistry::start(Options::default()).host();
    let run = push(&image, &["-q", "image.tar", &format!("{host}/owner/app:1")]);
    check(
        &run,
        &host,
        5,
        &expect![[r"
            error: failed to push HOST/owner/app:1
              caused by: no answer from HOST to the request to look up the tag
              caused by: no connection to the host could be made
              caused by: client error (Connect): tcp connect error: Connection refused (os error 111)

            hint: check that HOST is the registry's host and port, that it is reachable from here, and, for a registry without TLS, give --plain-http
        "]],
    );
}

#[test]
fn the_registry_stays_unavailable() {
    use test_registry::{Action, Fault};
    let registry = TestRegistry::start(Options::default());
    let page = Action::Answer {
        status: 503,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: "<html>This page is taking too long to load</html>".to_owned(),
    };
    registry.fail(Fault::new(page));
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["-q", "--retry", "2", "image.tar", &reference]);
    check(
        &run,
        &registry.host(),
        5,
        &expect![[r"
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 503 Service Unavailable to the request to look up the tag
          caused by: the answer has no body
          request: HEAD http://HOST/v2/owner/app/manifests/1
    "]],
    );
    assert_eq!(registry.journal().exchanges.len(), 2);
}

/// Pushes with a workflow's token to a package that refuses, and looks at the whole explanation.
#[track_caller]
fn check_denied(refusal: Refusal, expected: &Expect) {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.deny("owner/app", refusal);
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let output = command(image.directory.path())
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_ACTOR", USERNAME)
        .env("GITHUB_REPOSITORY", "owner/app")
        .env(
            "GITHUB_WORKFLOW_REF",
            "owner/app/.github/workflows/release.yml@refs/heads/main",
        )
        .env("GITHUB_JOB", "publish")
        .args([
            "-q",
            "--plain-http",
            "--registry-profile",
            "ghcr",
            "image.tar",
            &reference,
        ])
        .output();
    let run = Run::of(output.expect("the binary starts"));
    check(&run, &registry.host(), 4, expected);
    let journal = registry.journal();
    assert_eq!(journal.blob_bytes(), 0, "not one byte of a layer travelled");
    assert_eq!(journal.count(Route::ManifestPut), 0);
}

#[test]
fn denied_by_the_package() {
    check_denied(
        Refusal::WritePackage,
        &expect![[r#"
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: write_package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the package owner/app exists, and does not admit this push

        1. package-denies-repository (likely)
           the package does not give owner/app the role Write. It was probably first pushed by hand, or from another repository. The workflow's `permissions:` are not the matter
           evidence:
             - HOST said: permission_denied: write_package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - a token without `packages: write` is refused with other words
           what to do:
             Open https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write. Then run the job again.
    "#]],
    );
}

#[test]
fn denied_to_the_token_for_a_new_package() {
    check_denied(
        Refusal::InstallationNotAllowedToCreate,
        &expect![[r#"
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Create organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. workflow-lacks-packages-write (likely)
           the workflow's token has no `packages: write` permission. This is the token's own lock: granting access on the package's page does not open it
           evidence:
             - HOST said: installation not allowed to Create organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - "Create": the package owner/app does not exist yet
           what to do:
             In .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

                 permissions:
                   contents: read
                   packages: write

             What the token really had stands in the job's log, under "Set up job", "GITHUB_TOKEN Permissions".
             https://github.com/owner/app/settings/actions

        2. organization-policy (possible)
           owner, if it is an organization, does not let its members create packages
           evidence:
             - holds only if the permissions block above is in place already
           what to do:
             Ask an owner of owner to allow it under "Package creation".
             https://github.com/organizations/owner/settings/packages
    "#]],
    );
}

#[test]
fn denied_to_the_token_for_an_existing_package() {
    check_denied(
        Refusal::InstallationNotAllowedToWrite,
        &expect![[r#"
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Write organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. workflow-lacks-packages-write (likely)
           the workflow's token has no `packages: write` permission. This is the token's own lock: granting access on the package's page does not open it
           evidence:
             - HOST said: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - "Write": the package owner/app exists already
           what to do:
             In .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

                 permissions:
                   contents: read
                   packages: write

             What the token really had stands in the job's log, under "Set up job", "GITHUB_TOKEN Permissions".
             https://github.com/owner/app/settings/actions

        2. organization-policy (possible)
           owner, if it is an organization, or its enterprise restricts workflows to reading
           evidence:
             - holds only if the permissions block above is in place already
           what to do:
             Ask an owner of owner to allow "Read and write permissions" under "Workflow permissions".
             https://github.com/organizations/owner/settings/actions
    "#]],
    );
}

#[test]
fn denied_in_words_nobody_knows() {
    let refusal = Refusal::Custom {
        status: 403,
        code: "DENIED".to_owned(),
        message: "the moon is in the wrong quarter\n::error::gotcha \u{1b}[31m##[error]".to_owned(),
    };
    check_denied(
        refusal,
        &expect![[r"
            error: failed to push HOST/owner/app:1
              caused by: HOST answered 403 Forbidden to the request to start a blob upload
              caused by: DENIED: the moon is in the wrong quarter\u{a}::error::gotcha \u{1b}[31m## [error]
              request: POST http://HOST/v2/owner/app/blobs/uploads/
              request id: ID

            diagnosis: the registry refused, in words that are not known here

            1. unknown-denial (possible)
               this refusal is not catalogued; it is neither the words for a token without `packages: write` nor those for a package that does not admit the repository
               evidence:
                 - HOST said: the moon is in the wrong quarter\u{a}::error::gotcha \u{1b}[31m## [error]
                 - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
               what to do:
                 Try again once: GitHub's refusals are at times transient. If it stays, ask GitHub Support and give them the request id ID.
                 https://www.githubstatus.com
        "]],
    );
}

/// Hidden by a HEAD without body; the words come from the POST that follows.
#[test]
fn denied_before_there_are_words() {
    check_denied(
        Refusal::ReadPackage,
        &expect![[r"
            error: failed to push HOST/owner/app:1
              caused by: HOST answered 403 Forbidden to the request to start a blob upload
              caused by: DENIED: permission_denied: read_package
              request: POST http://HOST/v2/owner/app/blobs/uploads/
              request id: ID

            diagnosis: the registry refused, in words that are not known here

            1. unknown-denial (possible)
               this refusal is not catalogued; it is neither the words for a token without `packages: write` nor those for a package that does not admit the repository
               evidence:
                 - HOST said: permission_denied: read_package
                 - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
               what to do:
                 Try again once: GitHub's refusals are at times transient. If it stays, ask GitHub Support and give them the request id ID.
                 https://www.githubstatus.com
        "]],
    );
}
