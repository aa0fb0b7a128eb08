//! Asking a token service, and keeping what it gives.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::keychain::Credentials;
use crate::clock::Clock;
use crate::failure::{Failure, ViolationKind};
use crate::request::{Body, Request, Response, Transport};
use crate::step::Step;

/// No token answer is longer; what is, is no token.
const TOKEN_ANSWER_LIMIT: usize = 128 * 1024;

/// What goes into the `Authorization` header, and until when.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) header: HeaderValue,
    /// The bearer token itself, for the reading side; `None` for basic authentication.
    pub(super) bearer: Option<SecretString>,
    /// When to fetch a new one without being told; `None` if only a 401 will tell.
    pub(super) renew_at: Option<Instant>,
}

/// The token answer. `expires_in` is optional, and ghcr.io leaves it out
/// (<https://distribution.github.io/distribution/spec/auth/token/>).
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<f64>,
}

/// A number, also as text. Anything else is as good as absent.
fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let text = value.as_str().and_then(|text| text.trim().parse().ok());
    Ok(value.as_f64().or(text))
}

/// Presents the credentials themselves; `None` for an identity token, which is for token services only.
pub(super) fn basic(credentials: &Credentials) -> Option<Authorization> {
    if credentials.is_identity_token() {
        return None;
    }
    Some(Authorization {
        header: basic_header(credentials)?,
        bearer: None,
        renew_at: None,
    })
}

/// Fetches a bearer token for all of `scopes`. Without credentials an anonymous one is asked for.
///
/// The token service's refusal comes back as [`Failure::Rejected`] with [`Step::FetchToken`]; it is
/// never taken for permission to go on without a token.
pub(super) async fn fetch(
    transport: &dyn Transport,
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
    credentials: Option<&Credentials>,
    clock: &dyn Clock,
) -> Result<Authorization, Failure> {
    let mut request = match credentials {
        Some(credentials) if credentials.is_identity_token() => {
            exchange(realm, service, scopes, &credentials.password)
        }
        _ => {
            let mut url = realm.clone();
            if let Some(service) = service {
                url.query_pairs_mut().append_pair("service", service);
            }
            for scope in scopes {
                url.query_pairs_mut().append_pair("scope", scope);
            }
            let request = Request::new(Step::FetchToken, Method::GET, url);
            match credentials.and_then(basic_header) {
                Some(header) => request.header(header::AUTHORIZATION, header),
                None => request,
            }
        }
    };
    request.response_limit = TOKEN_ANSWER_LIMIT;
    let response = transport.send(&request).await?.expect(&request, &[200])?;
    read(&response, clock.now()).ok_or_else(|| {
        let kind = unreadable(&response.body).map_or(ViolationKind::TokenMissing, |what| {
            ViolationKind::TokenUnreadable(what)
        });
        Failure::violation(&request, kind)
    })
}

/// What is wrong with an answer that is none that a token service gives, if that is what `failure` says.
pub(super) fn no_token(failure: &Failure) -> Option<&ViolationKind> {
    let Failure::Violation(violation) = failure else {
        return None;
    };
    let kind = &violation.kind;
    matches!(
        kind,
        ViolationKind::TokenUnreadable(_) | ViolationKind::TokenMissing
    )
    .then_some(kind)
}

/// What an answer is that is no JSON. Nothing of it is quoted: it may hold a part of a token.
fn unreadable(body: &[u8]) -> Option<&'static str> {
    let error = serde_json::from_slice::<serde_json::Value>(body).err()?;
    Some(match body.trim_ascii_start().first() {
        None => "nothing",
        Some(b'<') => "a page",
        Some(_) if error.is_eof() => "JSON that is cut off",
        Some(_) => "something that is no JSON",
    })
}

/// Asks for a token in exchange for an identity token
/// (<https://distribution.github.io/distribution/spec/auth/oauth/>).
fn exchange(
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
    identity_token: &SecretString,
) -> Request {
    /// Who asks; the specification wants a name, and services log it.
    const CLIENT: &str = "oci-push";
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", identity_token.expose_secret())
        .append_pair("client_id", CLIENT)
        .append_pair("scope", &scopes.join(" "));
    if let Some(service) = service {
        form.append_pair("service", service);
    }
    Request::new(Step::FetchToken, Method::POST, realm.clone())
        .header(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        )
        .body(Body::Bytes(form.finish().into()))
}

fn read(response: &Response, now: Instant) -> Option<Authorization> {
    let answer: TokenAnswer = serde_json::from_slice(&response.body).ok()?;
    let token = answer
        .token
        .filter(|token| !token.is_empty())
        .or(answer.access_token)
        .filter(|token| !token.is_empty())?;
    let header = sensitive(&format!("Bearer {token}"))?;
    let renew_at = answer
        .expires_in
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .and_then(|lifetime| now.checked_add(use_for(lifetime)));
    Some(Authorization {
        header,
        bearer: Some(SecretString::from(token)),
        renew_at,
    })
}

/// How long a token is used: it is renewed a fifth of its life before its end, at most half a minute.
///
/// The time counts from the answer's arrival. The token service may say in `issued_at` when it began by its own clock
/// (<https://distribution.github.io/distribution/spec/auth/token/>), but that is another machine's: a clock that is
/// minutes off would make every token one that has ended, or one that never does. A token that was older on its
/// arrival than it seemed meets a 401, and is renewed then.
///
/// However short its life is, it serves those who waited for it, or each of them would fetch one of its own.
fn use_for(lifetime: Duration) -> Duration {
    const LEAST: Duration = Duration::from_secs(1);
    let margin = (lifetime / 5).min(Duration::from_secs(30));
    lifetime.saturating_sub(margin).max(LEAST)
}

fn basic_header(credentials: &Credentials) -> Option<HeaderValue> {
    let pair = format!(
        "{}:{}",
        credentials.username,
        credentials.password.expose_secret()
    );
    sensitive(&format!("Basic {}", BASE64.encode(pair)))
}

/// `None` for text that cannot stand in a header, a token with a line break for instance.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::clock::SystemClock;

    fn answer(body: &'static str) -> Option<(String, Option<u64>)> {
        let now = Instant::now();
        let response = Response {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            url: Url::parse("https://ghcr.io/token").expect("a test URL is valid"),
        };
        read(&response, now).map(|authorization| {
            let header = authorization.header.to_str().expect("ASCII").to_owned();
            let renewal = authorization.renew_at.map(|at| (at - now).as_secs());
            (header, renewal)
        })
    }

    /// Keeps the request and answers with a token.
    #[derive(Default)]
    struct Service(std::sync::Mutex<Option<Request>>);

    impl Transport for Service {
        fn send<'a>(
            &'a self,
            request: &'a Request,
        ) -> futures_util::future::BoxFuture<'a, Result<Response, Failure>> {
            *self.0.lock().expect("no panic") = Some(request.clone());
            Box::pin(std::future::ready(Ok(Response {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Bytes::from_static(br#"{"access_token":"a"}"#),
                url: request.url.clone(),
            })))
        }
    }

    #[tokio::test]
    async fn an_identity_token_is_exchanged() {
        let realm = Url::parse("https://registry.example/oauth2/token?tenant=1").expect("a URL");
        for (username, method, url, authorization, body) in [
            (
                "u",
                "GET",
                "https://registry.example/oauth2/token?tenant=1&service=s&scope=repository%3Ao%2Fn%3Apull%2Cpush",
                Some("Basic dTpwJnE="),
                "",
            ),
            (
                "<token>",
                "POST",
                "https://registry.example/oauth2/token?tenant=1",
                None,
                "grant_type=refresh_token&refresh_token=p%26q&client_id=oci-push&scope=repository%3Ao%2Fn%3Apull%2Cpush&service=s",
            ),
        ] {
            let credentials = Credentials {
                username: username.to_owned(),
                password: "p&q".into(),
            };
            let service = Service::default();
            let scope = "repository:o/n:pull,push";
            let token = fetch(
                &service,
                &realm,
                Some("s"),
                &[scope.to_owned()],
                Some(&credentials),
                &SystemClock,
            )
            .await;
            assert_eq!(token.expect("a token").header, "Bearer a");
            let request = service.0.lock().expect("no panic").take();
            let request = request.expect("a request");
            assert_eq!(request.method, method);
            assert_eq!(request.url.as_str(), url);
            let given = request.headers.get(header::AUTHORIZATION);
            assert_eq!(given.and_then(|given| given.to_str().ok()), authorization);
            let sent = match &request.body {
                Body::Bytes(bytes) => std::str::from_utf8(bytes).expect("a form"),
                _ => "",
            };
            assert_eq!(sent, body);
            assert!(!format!("{request:?}").contains("p%26q"));
            assert_eq!(basic(&credentials).is_some(), username == "u");
        }
    }

    #[test]
    fn answers_that_are_none() {
        for (body, expected) in [
            ("", Some("nothing")),
            ("<html>", Some("a page")),
            (r#"{"token":"abc"#, Some("JSON that is cut off")),
            ("token", Some("something that is no JSON")),
            ("{}", None),
        ] {
            assert_eq!(unreadable(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn answers() {
        let bearer = |token: &str, renewal| Some((format!("Bearer {token}"), renewal));
        for (body, expected) in [
            (r#"{"token":"t"}"#, bearer("t", None)),
            (r#"{"access_token":"a"}"#, bearer("a", None)),
            (r#"{"token":"","access_token":"a"}"#, bearer("a", None)),
            (r#"{"token":"t","expires_in":300}"#, bearer("t", Some(270))),
            (r#"{"token":"t","expires_in":5}"#, bearer("t", Some(4))),
            (r#"{"token":"t","expires_in":1}"#, bearer("t", Some(1))),
            (r#"{"token":"t","expires_in":0.01}"#, bearer("t", Some(1))),
            (r#"{"token":"t","expires_in":0}"#, bearer("t", None)),
            (
                r#"{"token":"t","expires_in":"300"}"#,
                bearer("t", Some(270)),
            ),
            (r#"{"token":"t","expires_in":null}"#, bearer("t", None)),
            (r#"{"token":"t","expires_in":"soon"}"#, bearer("t", None)),
            (r#"{"token":"t","expires_in":-1e300}"#, bearer("t", None)),
            (r#"{"token":"t","expires_in":1e300}"#, bearer("t", None)),
            (r#"{"token":"line\nbreak"}"#, None),
            (r#"{"token":""}"#, None),
            ("{}", None),
            ("<html>", None),
        ] {
            assert_eq!(answer(body), expected, "{body}");
        }
    }
}
