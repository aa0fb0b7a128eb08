//! Small questions to a service that is no registry, such as a site's REST API, over the same HTTP client: the same
//! proxies, certificates and user agent.
//!
//! Nothing is repeated, and no redirect is followed: an answer that leads elsewhere is an answer.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::answer::{Reading, read};
use super::{HttpTransport, classify};
use crate::failure::{UnansweredKind, displayed};
use crate::request::Response;

/// How long a question may take as a whole.
const DEADLINE: Duration = Duration::from_secs(5);

/// How much of an answer is read.
const LIMIT: usize = 512 * 1024;

impl HttpTransport {
    /// Asks for `url` once, with `token` as a bearer token if one is given, and returns whatever is answered within five
    /// seconds, half a megabyte of it.
    ///
    /// To whom a token may be sent is for the caller to decide; over plain HTTP it goes to a loopback address only.
    ///
    /// # Errors
    ///
    /// Why there is no answer, which is also said of a URL that is none and of a token that may not be sent.
    pub async fn ask(
        &self,
        url: &str,
        token: Option<&SecretString>,
    ) -> Result<Response, UnansweredKind> {
        let url = Url::parse(url).map_err(|error| UnansweredKind::Connect(error.into()))?;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            if !is_private(&url) {
                let error = "a token is sent over TLS, or not at all";
                return Err(UnansweredKind::Connect(error.into()));
            }
            let value = format!("Bearer {}", token.expose_secret());
            let mut value = HeaderValue::try_from(value)
                .map_err(|error| UnansweredKind::Connect(error.into()))?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let mut request = reqwest::Request::new(Method::GET, url.clone());
        *request.headers_mut() = headers;
        self.tally.count_request();
        let answered = async {
            let response = self.client.execute(request).await;
            let response =
                response.map_err(|error| classify::kind(&error, self.settings.stall_timeout))?;
            let reading = Reading {
                limit: LIMIT,
                is_whole: false,
                stall: self.settings.stall_timeout,
            };
            read(response, &Method::GET, reading).await
        };
        let result = match tokio::time::timeout(DEADLINE, answered).await {
            Ok(result) => result,
            Err(_) => Err(UnansweredKind::Deadline(DEADLINE.as_secs())),
        };
        match &result {
            Ok(response) => {
                tracing::trace!(url = %displayed(&url), status = response.status.as_u16(), "asked");
            }
            Err(kind) => tracing::trace!(url = %displayed(&url), failure = %kind, "asked in vain"),
        }
        result
    }
}

/// Whether nobody on the way can read what is sent.
fn is_private(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_token_may_go() {
        for (url, expected) in [
            ("https://api.github.com/user", true),
            ("http://api.github.com/user", false),
            ("http://127.0.0.1:1/user", true),
            ("http://[::1]:1/user", true),
            ("http://localhost:1/user", true),
            ("http://localhost.example/user", false),
            ("ftp://127.0.0.1/user", false),
            ("data:,x", false),
        ] {
            let url = Url::parse(url).expect("a URL");
            assert_eq!(is_private(&url), expected, "{url}");
        }
    }
}
