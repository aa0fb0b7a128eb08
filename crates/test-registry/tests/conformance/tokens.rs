//! Bearer tokens of the embedded registry: each is good for what it was issued for, and for so long.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use test_registry::{Authentication, Options, Personality, TestRegistry};

use crate::support::{NAME, Subject, block_on, code, digest, header};

const START: &str = "/v2/owner/app/blobs/uploads/";

/// A registry that asks for tokens.
struct Guarded {
    registry: TestRegistry,
    subject: Subject,
}

impl Guarded {
    fn new(personality: Personality, lifetime: Option<Duration>) -> Self {
        let mut options = Options::default();
        options.personality = personality;
        options.authentication = Authentication::Bearer {
            username: "octocat".to_owned(),
            password: "correct horse".to_owned(),
            lifetime,
        };
        let registry = TestRegistry::start(options);
        let subject = Subject::new(registry.url());
        Self { registry, subject }
    }

    async fn ask(&self, credential: Option<&str>, scopes: &[&str]) -> Response {
        let query: Vec<String> = scopes
            .iter()
            .map(|scope| format!("scope={scope}"))
            .collect();
        let path = format!("/token?service=test&{}", query.join("&"));
        let basic = credential.map(|pair| format!("Basic {}", BASE64.encode(pair)));
        let headers: Vec<_> = basic
            .iter()
            .map(|basic| ("authorization", basic.as_str()))
            .collect();
        self.subject.send(Method::GET, &path, &headers, b"").await
    }

    async fn token(&self, scopes: &[&str]) -> String {
        let answer = self.ask(Some("octocat:correct horse"), scopes).await;
        assert_eq!(answer.status(), StatusCode::OK);
        token_in(answer).await
    }

    async fn send(&self, method: Method, path: &str, token: &str) -> Response {
        let bearer = format!("Bearer {token}");
        self.subject
            .send(method, path, &[("authorization", &bearer)], b"")
            .await
    }

    /// Both a look and a push, by their statuses.
    async fn statuses(&self, token: &str) -> [u16; 2] {
        let blob = format!("/v2/{NAME}/blobs/{}", digest(b"absent"));
        [
            self.send(Method::HEAD, &blob, token)
                .await
                .status()
                .as_u16(),
            self.send(Method::POST, START, token)
                .await
                .status()
                .as_u16(),
        ]
    }

    /// What the challenge says about a token, and what it hints at.
    async fn challenge(&self, method: Method, path: &str, token: &str) -> (String, String) {
        let answer = self.send(method, path, token).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let challenge = header(&answer, "www-authenticate").to_owned();
        let parameter = |name: &str| {
            let (_, rest) = challenge.split_once(&format!("{name}=\""))?;
            Some(rest.split('"').next()?.to_owned())
        };
        assert_eq!(
            parameter("realm"),
            Some(format!("{}/token", self.registry.url()))
        );
        (
            parameter("error").unwrap_or_default(),
            parameter("scope").unwrap_or_default(),
        )
    }
}

async fn token_in(answer: Response) -> String {
    let body: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    body["token"].as_str().expect("a token").to_owned()
}

#[test]
fn a_token_is_good_for_its_scopes_only() {
    let guarded = Guarded::new(Personality::Specification, None);
    block_on(async {
        for (scopes, expected) in [
            (vec!["repository:owner/app:pull,push"], [404, 202]),
            (vec!["repository:owner/app:pull"], [404, 401]),
            // Distribution asks for both where something is written.
            (vec!["repository:owner/app:push"], [401, 401]),
            (vec!["repository:owner/other:pull,push"], [401, 401]),
            (vec!["repository:owner/app/more:pull,push"], [401, 401]),
            (vec!["repository:owner:pull,push"], [401, 401]),
            (
                vec![
                    "repository:owner/other:pull",
                    "repository:owner/app:pull,push",
                ],
                [404, 202],
            ),
            (vec!["registry:catalog:*"], [401, 401]),
            (vec![], [401, 401]),
        ] {
            let token = guarded.token(&scopes).await;
            assert_eq!(guarded.statuses(&token).await, expected, "{scopes:?}");
            let (error, _) = match expected {
                [_, 401] => guarded.challenge(Method::POST, START, &token).await,
                _ => continue,
            };
            assert_eq!(error, "insufficient_scope", "{scopes:?}");
        }
        assert_eq!(guarded.statuses("never issued").await, [401, 401]);
    });
}

#[test]
fn a_token_ends() {
    let lifetime = Duration::from_millis(1500);
    let guarded = Guarded::new(Personality::Specification, Some(lifetime));
    block_on(async {
        let token = guarded.token(&["repository:owner/app:pull,push"]).await;
        assert_eq!(guarded.statuses(&token).await, [404, 202]);
        tokio::time::sleep(lifetime).await;
        assert_eq!(guarded.statuses(&token).await, [401, 401], "expired");
        let (error, _) = guarded.challenge(Method::POST, START, &token).await;
        assert_eq!(error, "invalid_token");

        let token = guarded.token(&["repository:owner/app:pull,push"]).await;
        guarded.registry.revoke_tokens();
        assert_eq!(guarded.statuses(&token).await, [401, 401], "revoked");
    });
}

/// Whoever mounts a blob must be allowed to read it where it is.
#[test]
fn a_mount_needs_both_repositories() {
    let guarded = Guarded::new(Personality::Specification, None);
    let blob = guarded
        .registry
        .put_blob("owner/source", b"to be mounted".to_vec().into());
    let mount = format!("{START}?mount={blob}&from=owner/source");
    block_on(async {
        for (source, expected) in [
            (None, 401),
            (Some("repository:owner/source:push"), 401),
            (Some("repository:owner/source:pull"), 201),
        ] {
            let mut scopes = vec!["repository:owner/app:pull,push"];
            scopes.extend(source);
            let token = guarded.token(&scopes).await;
            let answer = guarded.send(Method::POST, &mount, &token).await;
            assert_eq!(answer.status(), expected, "{source:?}");
            let is_there = guarded.registry.blob(NAME, &blob).is_some();
            assert_eq!(is_there, expected == 201, "{source:?}");
        }
        let (error, hint) = guarded.challenge(Method::POST, &mount, "").await;
        assert_eq!(error, "");
        assert_eq!(
            hint,
            "repository:owner/app:pull,push repository:owner/source:pull"
        );
    });
}

/// Nobody may read, and no more than that; a wrong password is no permission to be nobody.
#[test]
fn the_token_service() {
    for (personality, refused, hint, lifetime) in [
        (
            Personality::Specification,
            (401, "UNAUTHORIZED"),
            "repository:owner/app:pull,push",
            Some(300),
        ),
        (
            Personality::Ghcr,
            (403, "DENIED"),
            "repository:owner/app:pull",
            None,
        ),
    ] {
        let guarded = Guarded::new(personality, None);
        block_on(async {
            let (error, hinted) = guarded.challenge(Method::POST, START, "").await;
            assert_eq!((error.as_str(), hinted.as_str()), ("", hint));

            let pull = ["repository:owner/app:pull"];
            let push = ["repository:owner/app:pull,push"];
            let anonymous = token_in(guarded.ask(None, &pull).await).await;
            assert_eq!(guarded.statuses(&anonymous).await, [404, 401]);
            for (credential, scopes) in [
                (None, &push),
                (Some("octocat:wrong"), &push),
                (Some("octocat:wrong"), &pull),
                (Some("somebody:correct horse"), &pull),
            ] {
                let answer = guarded.ask(credential, scopes).await;
                let status = answer.status().as_u16();
                assert_eq!((status, code(answer).await.as_str()), refused);
            }
            let answer = guarded.ask(Some("octocat:correct horse"), &push).await;
            let body = answer.bytes().await.expect("a body");
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(body["expires_in"].as_u64(), lifetime);
        });
    }
}
