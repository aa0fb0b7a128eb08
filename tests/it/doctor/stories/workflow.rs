//! In a workflow, whose output is a pipe.

use expect_test::expect;
use serde_json::{Value, json};
use test_registry::Refusal;

use super::{Story, denied};
use crate::doctor::api::{Answer, owner, package};
use crate::doctor::run::Workflow;

/// What the payload of any event tells of an organization's repository.
const OF_ORGANIZATION: &str = r#"{"repository":{"owner":{"type":"Organization"}}}"#;

/// A file that gives the job's token what it needs.
pub(super) const WRITING: &str = "\
on: push
permissions:
  contents: read
jobs:
  publish:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      packages: write
";

pub(super) fn organization() -> Workflow<'static> {
    Workflow {
        payload: OF_ORGANIZATION,
        ..Workflow::default()
    }
}

fn installation(repositories: &[&str]) -> Answer {
    let listed: Vec<Value> = repositories
        .iter()
        .map(|name| json!({ "full_name": name }))
        .collect();
    let body = json!({ "total_count": listed.len(), "repositories": listed });
    Answer::new("/installation/repositories?per_page=100", 200, body)
}

/// The seed story: the package was made by hand, and the workflow's file is right.
#[test]
fn a_package_made_by_hand() {
    Story {
        workflow: Some(Workflow {
            file: Some(WRITING),
            ..organization()
        }),
        refusal: Some(Refusal::WritePackage),
        api: &[
            package("private", &Value::Null),
            installation(&["owner/app"]).header("x-ratelimit-limit", "1000"),
        ],
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: write_package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the package owner/app exists, and does not admit this push

        1. package-denies-repository (proven)
           the package does not give owner/app the role Write. It was first pushed by hand, or lost its link when a repository was transferred or made anew. The workflow's `permissions:` are not the matter
           evidence:
             - HOST said: permission_denied: write_package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - a token without `packages: write` is refused with other words
             - GitHub says that the package is private
             - GitHub says that the package is linked to no repository
           what to do:
             Open https://github.com/orgs/owner/packages/container/app/settings, go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write. Then run the job again.
    "#]]);
}

#[test]
fn a_private_package_of_another_repository() {
    Story {
        workflow: Some(organization()),
        refusal: Some(Refusal::ReadPackage),
        api: &[package("private", &json!({ "full_name": "owner/old" }))],
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: read_package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the package owner/app cannot be seen with this credential

        1. package-unreadable (proven)
           the package is private, and does not give owner/app any role. It belongs to owner/old
           evidence:
             - HOST said: permission_denied: read_package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - GitHub says that the package is private
             - GitHub says that the package is linked to owner/old
           what to do:
             Open https://github.com/orgs/owner/packages/container/app/settings, go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write. Then run the job again. Making the package public instead would show every version that it holds, to everybody, and would not let anybody push.

        2. package-just-created (possible)
           for some seconds after a package is created, GitHub does not know everywhere who may use it
           evidence:
             - HOST said: permission_denied: read_package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - holds if another job of this run, or an earlier push, created the package less than a minute before
           what to do:
             Wait a minute and push again; nothing has to be changed. Deleting the package would only bring the moment back.
    "#]]);
}

#[test]
fn the_token_of_another_app() {
    Story {
        workflow: Some(Workflow {
            file: Some(WRITING),
            ..organization()
        }),
        refusal: Some(denied(
            "permission_denied: installation not allowed to Write organization package",
        )),
        api: &[installation(&["owner/app", "owner/other", "owner/third"])],
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: installation not allowed to Write organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. app-token-unsupported (proven)
           the token belongs to a GitHub App other than Actions itself; the registry does not take those
           evidence:
             - HOST said: permission_denied: installation not allowed to Write organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - "Write": the package owner/app exists already
             - the refusal begins with "permission_denied:", as it does for such tokens
             - the token is not the GITHUB_TOKEN of this run
             - the token is for 3 repositories
           what to do:
             Push with this job's own token, and nothing that goes before it:

                 env:
                   GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}

             The job needs `packages: write` in its `permissions:`. The token ends with its job, so that one that was kept is worth nothing.
    "#]]);
}

/// The repository was transferred, and its workflow still names the old owner.
#[test]
fn another_owner() {
    Story {
        workflow: Some(Workflow {
            repository: "newcomer/app",
            ..Workflow::default()
        }),
        refusal: Some(Refusal::InstallationDoesNotExist),
        api: &[owner("User")],
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        warning: a workflow's own token is good for packages of newcomer only, and this push goes to owner; push to HOST/newcomer/..., or use a classic token of somebody who may write there (namespace-mismatch)
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: The requested installation does not exist.
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token is not one for this owner's packages

        1. namespace-mismatch (proven)
           the workflow's token is newcomer's, and the package would be owner's
           evidence:
             - HOST said: permission_denied: The requested installation does not exist.
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - the workflow runs in newcomer/app, the package would be owner's
           what to do:
             In .github/workflows/release.yml, push to HOST/newcomer/app. If it must be owner/app, push with a classic token (scope write:packages) of a user who may write there; such a token stays valid when the job is over, so keep it in a secret.
    "]]);
}

#[test]
fn a_secondary_rate_limit() {
    Story {
        workflow: Some(organization()),
        refusal: Some(Refusal::SecondaryRateLimit),
        options: &["--retry", "1"],
        // Nothing is asked of GitHub then.
        api: &[owner("Organization")],
        code: 5,
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: Error from intermediary with HTTP status code 403 "Forbidden" - with-body: { "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again." }
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: this is a rate limit, not a matter of permissions

        1. secondary-rate-limit (proven)
           GitHub limits bursts of requests of one user or App, and answers 403 while the limit holds. Permissions are not the matter
           evidence:
             - HOST said: permission_denied: Error from intermediary with HTTP status code 403 "Forbidden" - with-body: { "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again." }
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
           what to do:
             Wait two minutes and push again, then five; the limit ends by itself. Push fewer images at once (in a matrix: `max-parallel: 1`, here: `--jobs 1`). Change no permission for this.
    "#]]);
}
