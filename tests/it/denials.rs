//! Refusals of a registry that behaves as ghcr.io does, explained: the whole output.

use expect_test::{Expect, expect};
use test_registry::{Options, Refusal, Route, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, check, command, push};

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
        .env("GHCR_PUSH_GITHUB_ACTIONS", "off")
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
                 - holds only if what is said above is in place already
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
                 - holds only if what is said above is in place already
               what to do:
                 Ask an owner of owner whether "Workflow permissions" keep this repository to reading. "Read and write permissions" there would lift that, and become the default of every repository of owner that sets nothing itself.
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
               this refusal is not catalogued; it is neither the words for a token without `packages: write` nor those for a package that does not admit the repository, nor those for a scope, single sign-on, an owner or a credential
               evidence:
                 - HOST said: the moon is in the wrong quarter\u{a}::error::gotcha \u{1b}[31m## [error]
                 - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
                 - ruled out: a fine-grained token, an owner that does not exist, another owner than the workflow's
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
        &expect![[r#"
            error: failed to push HOST/owner/app:1
              caused by: HOST answered 403 Forbidden to the request to start a blob upload
              caused by: DENIED: permission_denied: read_package
              request: POST http://HOST/v2/owner/app/blobs/uploads/
              request id: ID

            diagnosis: the package owner/app cannot be seen with this credential

            1. package-unreadable (likely)
               the package is private, and does not give owner/app any role. It was probably first pushed by hand, or from another repository
               evidence:
                 - HOST said: permission_denied: read_package
                 - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
               what to do:
                 Open https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write. Then run the job again. Making the package public instead would show every version that it holds, to everybody, and would not let anybody push.

            2. package-just-created (possible)
               for some seconds after a package is created, GitHub does not know everywhere who may use it
               evidence:
                 - HOST said: permission_denied: read_package
                 - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
                 - holds if another job of this run, or an earlier push, created the package less than a minute before
               what to do:
                 Wait a minute and push again; nothing has to be changed. Deleting the package would only bring the moment back.
        "#]],
    );
}

/// A limit that takes longer than there is time is not waited for, and that is said.
#[test]
fn a_limit_that_outlasts_the_time() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.deny("owner/app", Refusal::SecondaryRateLimit);
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let told =
        "\n  caused by: the next try was due after 1 min 00 s, and --retry-max-time allows 8.0 s\n";
    for (options, is_told) in [
        (&["--retry-max-time", "8s"][..], true),
        (&["--retry-max-time", "8s", "--retry", "1"], false),
    ] {
        let profile = ["-q", "--registry-profile", "ghcr", "image.tar", &reference];
        let run = push(&image, &[options, &profile].concat());
        run.assert_code(5);
        assert_eq!(run.stderr.contains(told), is_told, "{}", run.stderr);
    }
}
