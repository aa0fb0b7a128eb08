//! What each answer tells, and what none does.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::*;

/// The end of 2026-11-21.
const NOW: Duration = Duration::from_secs(1_795_305_599);

fn answer(status: u16, headers: &[(&'static str, &str)], body: Value) -> Answer {
    Answer {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        body,
    }
}

#[test]
fn owners() {
    let of = |status, body| owner_kind(&answer(status, &[], body));
    let organization = json!({ "login": "owner", "type": "Organization" });
    assert_eq!(of(200, organization.clone()), Some(OwnerKind::Organization));
    assert_eq!(of(200, json!({ "type": "User" })), Some(OwnerKind::User));
    assert_eq!(of(200, json!({ "type": "Bot" })), None);
    assert_eq!(of(200, json!([1])), None);
    assert_eq!(of(404, organization), None);
}

#[test]
fn packages() {
    let of = |status, body| package(&answer(status, &[], body));
    let linked = of(
        200,
        json!({ "visibility": "private", "repository": { "full_name": "owner/app" } }),
    );
    assert_eq!(linked.link, Link::Repository("owner/app".to_owned()));
    assert_eq!(
        described(&linked).as_deref(),
        Some("private, linked to owner/app")
    );
    let bare = of(200, json!({ "visibility": "public", "repository": null }));
    assert_eq!(
        (bare.exists, bare.link.clone()),
        (Some(true), Link::Unlinked)
    );
    assert_eq!(
        described(&bare).as_deref(),
        Some("public, linked to no repository")
    );
    let odd = of(200, json!({ "repository": { "id": 1 } }));
    assert_eq!(odd.link, Link::Unknown);
    for (status, body) in [(404, json!({})), (403, json!({})), (200, json!("x"))] {
        let unknown = of(status, body);
        assert_eq!(unknown, PackageFacts::default());
        assert_eq!(described(&unknown), None);
    }
}

#[test]
fn withheld_permissions() {
    let of = |status, message| reads_packages(&answer(status, &[], json!({ "message": message })));
    let withheld = "Resource not accessible by integration";
    assert_eq!(of(403, withheld), Some(false));
    assert_eq!(of(403, "You have exceeded a secondary rate limit"), None);
    assert_eq!(of(404, withheld), None);
    assert_eq!(of(200, ""), Some(true));
}

#[test]
fn installations() {
    let of = |total, names: &[&str]| {
        let listed: Vec<Value> = names
            .iter()
            .map(|name| json!({ "full_name": name }))
            .collect();
        repositories(&answer(
            200,
            &[],
            json!({ "total_count": total, "repositories": listed }),
        ))
    };
    assert_eq!(of(1, &["o/a"]), Some(vec!["o/a".to_owned()]));
    // A part of them would be taken for all.
    assert_eq!(of(2, &["o/a"]), None);
    assert_eq!(repositories(&answer(403, &[], json!({}))), None);
}

#[test]
fn tokens() {
    let of = |kind, status, headers: &[(&'static str, &str)]| {
        let mut facts = TokenFacts::default();
        let answer = answer(status, headers, Value::Null);
        of_token(&answer, kind, UNIX_EPOCH + NOW, &mut facts);
        facts
    };
    let scopes = [("x-oauth-scopes", "gist, read:org,  repo")];
    let facts = of(TokenKind::OAuth, 200, &scopes);
    let expected = ["gist", "read:org", "repo"].map(str::to_owned).to_vec();
    assert_eq!(facts.scopes, Some(expected));
    assert_eq!((facts.accepted, facts.expired), (Some(true), Some(false)));
    let none = of(TokenKind::ClassicPersonal, 200, &[("x-oauth-scopes", "")]);
    assert_eq!(none.scopes, Some(Vec::new()));
    // Others have no scopes, which is not to have none of them.
    let fine = of(
        TokenKind::FineGrainedPersonal,
        200,
        &[("x-oauth-scopes", "")],
    );
    assert_eq!(fine.scopes, None);
    assert_eq!(of(TokenKind::OAuth, 401, &[]).accepted, Some(false));
    assert_eq!(of(TokenKind::OAuth, 403, &[]), TokenFacts::default());
    let moment = "2026-11-30 02:34:04 UTC";
    let expiring = of(
        TokenKind::ClassicPersonal,
        200,
        &[("github-authentication-token-expiration", moment)],
    );
    assert_eq!(expiring.expires.as_deref(), Some(moment));
}

#[test]
fn expired_tokens() {
    let of = |status, moment| {
        let header = [("github-authentication-token-expiration", moment)];
        let mut facts = TokenFacts::default();
        let answer = answer(status, &header, Value::Null);
        of_token(
            &answer,
            TokenKind::ClassicPersonal,
            UNIX_EPOCH + NOW,
            &mut facts,
        );
        facts.expired
    };
    assert_eq!(of(401, "2021-09-03 02:34:04 UTC"), Some(true));
    assert_eq!(of(401, "2026-11-22 01:59:59 +0200"), Some(true));
    assert_eq!(of(401, "2026-11-22 02:00:00 +0200"), Some(false));
    assert_eq!(of(401, "2026-11-22 00:00:00 UTC"), Some(false));
    assert_eq!(of(401, "::error::1999"), None);
    // The machine's clock may be wrong.
    assert_eq!(of(200, "2021-09-03 02:34:04 UTC"), Some(false));
}

#[test]
fn single_sign_on() {
    let of = |status, header| {
        let mut facts = TokenFacts::default();
        let answer = answer(status, &[("x-github-sso", header)], Value::Null);
        of_token(
            &answer,
            TokenKind::ClassicPersonal,
            UNIX_EPOCH + NOW,
            &mut facts,
        );
        facts.sso_url
    };
    let address = "https://github.com/orgs/owner/sso?authorization_request=A1";
    let header = format!("required; url={address}");
    assert_eq!(of(403, &header).as_deref(), Some(address));
    assert_eq!(of(200, &header), None);
    assert_eq!(of(403, "partial-results; organizations=1,2"), None);
}

#[test]
fn limits() {
    for (status, headers, expected) in [
        (429, &[][..], true),
        (403, &[("x-ratelimit-remaining", "0")], true),
        (403, &[("retry-after", "60")], true),
        (403, &[("x-ratelimit-remaining", "12")], false),
        (200, &[("x-ratelimit-remaining", "0")], false),
    ] {
        let answer = answer(status, headers, Value::Null);
        assert_eq!(answer.is_limit(), expected, "{status} {headers:?}");
    }
}
