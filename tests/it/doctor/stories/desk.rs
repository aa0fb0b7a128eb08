//! At a desk, with a person's token.

use expect_test::expect;
use serde_json::{Value, json};
use test_registry::Refusal;

use super::{CLASSIC, FINE_GRAINED, OAUTH, Story, denied};
use crate::doctor::api::{Answer, owner, package};

/// What the API tells of the token's user, who has these scopes.
fn user(login: &str, scopes: &str) -> Answer {
    Answer::new("/user", 200, json!({ "login": login })).header("x-oauth-scopes", scopes)
}

/// What gh asks for by itself.
#[test]
fn a_token_of_gh_without_scope() {
    Story {
        token: OAUTH,
        refusal: Some(Refusal::TokenScopes),
        api: &[user("owner", "gist, read:org, repo, workflow")],
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (OAuth token, as gh issues them), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: The token provided does not match expected scopes.
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token is not one that may push packages

        1. missing-scope (proven)
           the token does not have the scope write:packages
           evidence:
             - HOST said: permission_denied: The token provided does not match expected scopes.
             - the credential came from GHCR_PUSH_TOKEN (OAuth token, as gh issues them)
             - GitHub says that the token's scopes are gist, read:org, repo, workflow
           what to do:
             Run

                 gh auth refresh -h github.com -s write:packages

             and push again with the token that `gh auth token` prints then.
    "]]);
}

/// It is said before any byte moves, and explains the refusal.
#[test]
fn a_fine_grained_token() {
    Story {
        token: FINE_GRAINED,
        refusal: Some(Refusal::TokenScopes),
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (fine-grained personal access token), user name octocat
        warning: the token from GHCR_PUSH_TOKEN is a fine-grained one, and HOST takes only classic ones, with the scope write:packages, or a workflow's GITHUB_TOKEN (fine-grained-token-unsupported)
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: The token provided does not match expected scopes.
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token is not one that may push packages

        1. fine-grained-token-unsupported (proven)
           the token is a fine-grained personal access token; the registry takes classic ones only, whatever a fine-grained one is granted
           evidence:
             - HOST said: permission_denied: The token provided does not match expected scopes.
             - the credential came from GHCR_PUSH_TOKEN (fine-grained personal access token)
             - it begins with github_pat_
           what to do:
             Make a classic token with the scope write:packages at https://github.com/settings/tokens/new?scopes=write:packages and use that. In a workflow use the job's own GITHUB_TOKEN instead, which no person has to renew.
    "]]);
}

#[test]
fn single_sign_on() {
    let address = "https://github.com/orgs/owner/sso?authorization_request=A1B2";
    Story {
        token: CLASSIC,
        refusal: Some(denied(
            "permission_denied: Resource protected by organization SAML enforcement. You must grant your Personal \
             Access token access to this organization.",
        )),
        api: &[
            user("somebody", "write:packages"),
            owner("Organization"),
            Answer::new("/orgs/owner/packages/container/app", 403, json!({}))
                .header("x-github-sso", &format!("required; url={address}")),
        ],
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token is not authorized for single sign-on

        1. sso-not-authorised (proven)
           the organization owner enforces single sign-on, and the token is not authorized for it
           evidence:
             - HOST said: permission_denied: Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
             - GitHub sent an address where the token can be authorized
           what to do:
             Open https://github.com/orgs/owner/sso?authorization_request=A1B2 (it is valid for an hour), authorize the token, and push again.
    "]]);
}

#[test]
fn a_package_of_others() {
    Story {
        token: CLASSIC,
        refusal: Some(Refusal::WritePackage),
        api: &[
            user("somebody", "repo, write:packages"),
            owner("Organization"),
            package("public", &Value::Null),
        ],
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: write_package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the package owner/app exists, and does not admit this push

        1. package-denies-user (likely)
           the package does not give this token's user the role Write
           evidence:
             - HOST said: permission_denied: write_package
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
           what to do:
             Ask an administrator of the package to open https://github.com/orgs/owner/packages/container/app/settings, go to "Manage access" ("Invite teams or people"), and give the user somebody the role Write.
    "#]]);
}

#[test]
fn a_namespace_of_others() {
    Story {
        token: CLASSIC,
        refusal: Some(Refusal::CreatePackage),
        api: &[user("somebody", "write:packages"), owner("User")],
        ..Story::default()
    }
    .check(&expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: create_package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: owner/app does not exist, and this credential may not create it

        1. cannot-create-package (proven)
           somebody may not create packages of owner
           evidence:
             - HOST said: permission_denied: create_package
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
             - "create_package": the package does not exist yet
             - GitHub says that the token is somebody's
           what to do:
             Push to HOST/somebody/app, or use a token of somebody who may create packages of owner.
    "#]]);
}

#[test]
fn an_owner_that_does_not_exist() {
    Story {
        token: CLASSIC,
        refusal: Some(Refusal::OwnerNotFound),
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: not_found: owner not found
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: there is no such owner

        1. owner-not-found (proven)
           GitHub knows no user or organization named owner
           evidence:
             - HOST said: not_found: owner not found
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
           what to do:
             Check the spelling of owner: it has to be the account's name in lower case, with its hyphens, and not the name that is displayed. After a rename it is the new one.
    "]]);
}

#[test]
fn a_dead_token() {
    Story {
        token: CLASSIC,
        is_dead: true,
        api: &[
            Answer::new("/user", 401, json!({ "message": "Bad credentials" })),
            owner("User"),
        ],
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to fetch a token
          caused by: DENIED: denied
          request: GET http://HOST/token?service=HOST&scope=repository:owner/app:pull,push
          request id: ID

        diagnosis: the credential was not accepted

        1. credential-rejected (proven)
           the credential is wrong, expired or revoked
           evidence:
             - HOST said: denied
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
             - GitHub's API does not take it either
           what to do:
             Replace the credential that comes from GHCR_PUSH_TOKEN. A new classic personal access token needs the scope write:packages.
             https://github.com/settings/tokens/new?scopes=write:packages
    "]]);
}

#[test]
fn an_address_that_is_not_listed() {
    Story {
        token: CLASSIC,
        refusal: Some(denied(
            "permission_denied: Although you appear to have the correct authorization credentials, the `owner` \
             organization has an IP allow list enabled, and your IP address is not permitted to access this resource.",
        )),
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: Although you appear to have the correct authorization credentials, the `owner` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: this machine's address is not admitted

        1. ip-not-allowed (proven)
           the organization owner admits only listed IP addresses, and this machine's is not among them
           evidence:
             - HOST said: permission_denied: Although you appear to have the correct authorization credentials, the `owner` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
           what to do:
             Push from a runner whose address is listed (a self-hosted one, or a larger runner with a static address), or ask an owner of the organization owner to list it. Listing the addresses of GitHub's shared runners would admit everybody who uses those.
             https://github.com/organizations/owner/settings/security
    "]]);
}

#[test]
fn too_many_requests() {
    Story {
        token: CLASSIC,
        refusal: Some(Refusal::Custom {
            status: 429,
            code: "TOOMANYREQUESTS".to_owned(),
            message: "retry-after: 333.939671ms, allowed: 2000/minute".to_owned(),
        }),
        options: &["--retry", "1"],
        code: 5,
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 429 Too Many Requests to the request to start a blob upload
          caused by: TOOMANYREQUESTS: retry-after: 333.939671ms, allowed: 2000/minute
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: too many requests

        1. rate-limit (proven)
           the registry takes 2000 requests in a minute from one client, and had more
           evidence:
             - HOST said: retry-after: 333.939671ms, allowed: 2000/minute
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
           what to do:
             Wait a minute and push again, with fewer jobs at a time and fewer, larger requests (here: `--jobs 1`, and no small `--chunk-size`). (The registry asks to wait 333.939671ms; jobs at the same time share the limit, so that is mostly too short.)
    "]]);
}

/// Words of a server that would like to be obeyed by a terminal and by a runner, and that quotes the credential.
#[test]
fn hostile_words() {
    let message = format!(
        "quota of {CLASSIC} (b2N0b2NhdDpnaHBfMTZDN2U0MkYyOTJjNjkxMkU3NzEwYzgzODM0N0FlMTc4QjRh) spent\r\n\
         ::error::owned\n##[warning]owned \u{1b}]0;title\u{7}\u{9b}2J\u{202e}"
    );
    Story {
        token: CLASSIC,
        refusal: Some(denied(&message)),
        ..Story::default()
    }
    .check(&expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name octocat
        pushing to HOST/owner/app: 3 blobs, 106.8 kB
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: quota of [redacted] ([redacted]) spent\u{d}\u{a}::error::owned\u{a}## [warning]owned \u{1b}]0;title\u{7}\u{9b}2J\u{202e}
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the registry refused, in words that are not known here

        1. unknown-denial (possible)
           this refusal is not catalogued; it is neither the words for a token without `packages: write` nor those for a package that does not admit the repository, nor those for a scope, single sign-on, an owner or a credential
           evidence:
             - HOST said: quota of [redacted] ([redacted]) spent\u{d}\u{a}::error::owned\u{a}## [warning]owned \u{1b}]0;title\u{7}\u{9b}2J\u{202e}
             - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
             - ruled out: a fine-grained token
           what to do:
             Try again once: GitHub's refusals are at times transient. If it stays, ask GitHub Support and give them the request id ID.
             https://www.githubstatus.com
    "]]);
}
