//! In a workflow whose token may not write packages, for one reason or another.

use expect_test::expect;
use test_registry::Refusal;

use super::Story;
use super::workflow::{WRITING, organization};
use crate::doctor::run::Workflow;

#[test]
fn a_pull_request_from_a_fork() {
    Story {
        workflow: Some(Workflow {
            event: "pull_request",
            payload: r#"{"pull_request":{"head":{"repo":{"full_name":"somebody/app"}},"base":{"repo":{"full_name":"owner/app"}}}}"#,
            file: Some(WRITING),
            ..Workflow::default()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToWrite),
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Write organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. fork-pull-request (proven)
           the run is for a pull request from a fork: its token may only read, whatever `permissions:` says, and it is given no secrets
           evidence:
             - HOST said: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - the pull request comes from somebody/app, a fork of owner/app
           what to do:
             Build in such runs, and publish from runs of the repository itself, by this condition for the step that pushes:

                 if: github.event.pull_request == null || github.event.pull_request.head.repo.full_name == github.repository

             Do not turn to `pull_request_target` for this: it would hand a token that may write to whatever code the pull request brings.
    "]]);
}

#[test]
fn dependabot() {
    Story {
        workflow: Some(Workflow {
            actor: "dependabot[bot]",
            event: "pull_request",
            payload: r#"{"pull_request":{"head":{"repo":{"full_name":"owner/app"}}}}"#,
            file: Some("permissions: {contents: read}\njobs: {publish: {runs-on: x}}\n"),
            ..Workflow::default()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToWrite),
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Write organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. dependabot (likely)
           the run was started by Dependabot: unless the file says otherwise its token may only read, and it is given no secrets but Dependabot's
           evidence:
             - HOST said: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - the run was started by dependabot[bot]
             - "Write": the package owner/app exists already
             - .github/workflows/release.yml gives all its jobs `packages: none` in the workflow's `permissions:`
           what to do:
             Publish when the update is merged, not before, by this condition for the step that pushes:

                 if: github.event.pull_request == null || github.event.pull_request.user.login != 'dependabot[bot]'

             If these runs are to publish all the same, this block for the job in .github/workflows/release.yml raises their token; code of the updated dependencies then runs with that right:

                 permissions:
                   contents: read
                   packages: write

        2. organization-policy (possible)
           owner, if it is an organization, or its enterprise restricts workflows to reading
           evidence:
             - holds only if what is said above is in place already
           what to do:
             Ask an owner of owner whether "Workflow permissions" keep this repository to reading. "Read and write permissions" there would lift that, and become the default of every repository of owner that sets nothing itself.
             https://github.com/organizations/owner/settings/actions
    "#]]);
}

#[test]
fn a_file_without_permissions() {
    Story {
        workflow: Some(Workflow {
            file: Some("jobs:\n  publish:\n    runs-on: ubuntu-latest\n"),
            ..organization()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToCreate),
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
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
             - .github/workflows/release.yml has no `permissions:` for the job "publish", so that the repository's default holds, which is to read in repositories made since February 2023
           what to do:
             In .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

                 permissions:
                   contents: read
                   packages: write

             What the token really had stands in the job's log, under "Set up job", "GITHUB_TOKEN Permissions".
             https://github.com/owner/app/settings/actions

        2. organization-policy (possible)
           owner does not let its members create packages
           evidence:
             - holds only if what is said above is in place already
           what to do:
             Ask an owner of owner to allow it under "Package creation".
             https://github.com/organizations/owner/settings/packages
    "#]]);
}

/// The block is right, and is overruled.
#[test]
fn a_policy_of_the_organization() {
    Story {
        workflow: Some(Workflow {
            file: Some(WRITING),
            ..organization()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToWrite),
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Write organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. organization-policy (likely)
           the block in the workflow's file is right, and a policy overrules it: owner or its enterprise restricts workflows to reading
           evidence:
             - HOST said: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - .github/workflows/release.yml gives the job "publish" `packages: write` in the job's own `permissions:`
             - the block is right, so that something above it overrules it
           what to do:
             Look at the job's log, under "Set up job", "GITHUB_TOKEN Permissions": if it shows `Packages: write`, no policy is the matter, but another token was used than the job's own. If it shows less, ask an owner of owner whether "Workflow permissions" keep this repository to reading. "Read and write permissions" there would lift that, and become the default of every repository of owner that sets nothing itself.
             https://github.com/organizations/owner/settings/actions

        2. app-token-unsupported (possible)
           the token that was used has no `packages: write`, and the block in .github/workflows/release.yml on disk is right: the credential from GHCR_PUSH_TOKEN is not this job's token
           evidence:
             - HOST said: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - "Write": the package owner/app exists already
             - .github/workflows/release.yml gives the job "publish" `packages: write` in the job's own `permissions:`
           what to do:
             Look at the job's log, under "Set up job", "GITHUB_TOKEN Permissions". If it shows `Packages: write`, push with that token: `GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}` in the step's `env:`, and nothing that goes before it. If it shows less, the block is overruled: by the `permissions:` of a workflow that calls this one, or by a policy of the organization or its enterprise.
    "#]]);
}

#[test]
fn a_reusable_workflow() {
    Story {
        workflow: Some(Workflow {
            file: Some("jobs:\n  image:\n    uses: ./.github/workflows/push.yml\n    permissions:\n      contents: read\n"),
            ..Workflow::default()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToWrite),
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Write organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. reusable-workflow (likely)
           the job is in a reusable workflow, whose token has no more than both files grant: the caller's and the called one's
           evidence:
             - HOST said: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - the job stands in ./.github/workflows/push.yml, which .github/workflows/release.yml calls
             - .github/workflows/release.yml gives the job "image" `packages: none` in the job's own `permissions:`
           what to do:
             Give this block to the job "image" in .github/workflows/release.yml that has `uses:`, and to the job "publish" in .github/workflows/push.yml that pushes:

                 permissions:
                   contents: read
                   packages: write

        2. organization-policy (possible)
           owner, if it is an organization, or its enterprise restricts workflows to reading
           evidence:
             - holds only if what is said above is in place already
           what to do:
             Ask an owner of owner whether "Workflow permissions" keep this repository to reading. "Read and write permissions" there would lift that, and become the default of every repository of owner that sets nothing itself.
             https://github.com/organizations/owner/settings/actions
    "#]]);
}

/// The caller passes the right on, and the called workflow, which is checked out too, withholds it.
#[test]
fn a_called_workflow_that_withholds() {
    Story {
        workflow: Some(Workflow {
            file: Some(
                "jobs:\n  image:\n    uses: ./called.yml\n    permissions:\n      packages: write\n",
            ),
            called: Some("permissions:\n  contents: read\njobs:\n  publish:\n    runs-on: x\n"),
            ..Workflow::default()
        }),
        refusal: Some(Refusal::InstallationNotAllowedToWrite),
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Write organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. workflow-lacks-packages-write (proven)
           the workflow's token has no `packages: write` permission. This is the token's own lock: granting access on the package's page does not open it
           evidence:
             - HOST said: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - "Write": the package owner/app exists already
             - called.yml gives all its jobs `packages: none` in the workflow's `permissions:`
           what to do:
             In called.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

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
    "#]]);
}
