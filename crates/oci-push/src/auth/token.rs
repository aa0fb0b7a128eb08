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
use crate::request::{Request, Response, Transport};
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
    expires_in: Option<f64>,
}

/// Presents the credentials themselves.
pub(super) fn basic(credentials: &Credentials) -> Option<Authorization> {
    Some(Authorization {
        header: basic_header(credentials)?,
        bearer: None,
        renew_at: None,
    })
}

/// Whom to ask for a token, and as whom. Without credentials an anonymous one is asked for.
pub(super) struct TokenRequest<'a> {
    pub(super) realm: &'a Url,
    pub(super) service: Option<&'a str>,
    pub(super) credentials: Option<&'a Credentials>,
}

impl TokenRequest<'_> {
    /// Fetches a bearer token for all of `scopes`.
    ///
    /// The token service's refusal comes back as [`Failure::Rejected`] with [`Step::FetchToken`]; it is
    /// never taken for permission to go on without a token.
    pub(super) async fn send(
        &self,
        transport: &dyn Transport,
        scopes: &[String],
        clock: &dyn Clock,
    ) -> Result<Authorization, Failure> {
        let mut url = self.realm.clone();
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = self.service {
                query.append_pair("service", service);
            }
            for scope in scopes {
                query.append_pair("scope", scope);
            }
        }
        let mut request = Request::new(Step::FetchToken, Method::GET, url);
        request.response_limit = TOKEN_ANSWER_LIMIT;
        if let Some(header) = self.credentials.and_then(basic_header) {
            request = request.header(header::AUTHORIZATION, header);
        }
        let response = transport.send(&request).await?.expect(&request, &[200])?;
        read(&response, clock.now())
            .ok_or_else(|| Failure::violation(&request, ViolationKind::TokenMissing))
    }
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
        .and_then(|lifetime| now.checked_add(lifetime.saturating_sub(margin(lifetime))));
    Some(Authorization {
        header,
        bearer: Some(SecretString::from(token)),
        renew_at,
    })
}

/// A token is renewed this long before it ends: a fifth of its life, at most half a minute. The time
/// counts from the answer's arrival, since the clocks of two machines differ.
fn margin(lifetime: Duration) -> Duration {
    (lifetime / 5).min(Duration::from_secs(30))
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

    #[test]
    fn answers() {
        let bearer = |token: &str, renewal| Some((format!("Bearer {token}"), renewal));
        for (body, expected) in [
            (r#"{"token":"t"}"#, bearer("t", None)),
            (r#"{"access_token":"a"}"#, bearer("a", None)),
            (r#"{"token":"","access_token":"a"}"#, bearer("a", None)),
            (r#"{"token":"t","expires_in":300}"#, bearer("t", Some(270))),
            (r#"{"token":"t","expires_in":5}"#, bearer("t", Some(4))),
            (r#"{"token":"t","expires_in":0}"#, bearer("t", None)),
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
