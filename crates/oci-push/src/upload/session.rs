//! An upload session: where it is, and how its address changes.

use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::bounds::ChunkBounds;
use crate::failure::{Failure, ViolationKind, displayed};
use crate::origin::same_origin;
use crate::request::{Request, Response};

/// An open upload session. The address is opaque: it is never parsed, never rebuilt, and may change
/// with every answer (Distribution keeps state in its query).
#[derive(Debug)]
pub(crate) struct UploadSession {
    url: Url,
    /// The same for whoever has to cancel the session, `None` once it is closed.
    handle: SessionHandle,
    bounds: ChunkBounds,
}

/// Where an open session is, for whoever cancels it.
pub(crate) type SessionHandle = Arc<Mutex<Option<Url>>>;

impl UploadSession {
    /// The session that `response` opens.
    pub(crate) fn open(request: &Request, response: &Response) -> Result<Self, Failure> {
        match location(request, response)? {
            Some(url) => Ok(Self {
                handle: Arc::new(Mutex::new(Some(url.clone()))),
                bounds: ChunkBounds::announced(response),
                url,
            }),
            None => Err(Failure::violation(request, ViolationKind::LocationMissing)),
        }
    }

    /// The session at an address that is known from before.
    pub(crate) fn at(url: Url) -> Self {
        Self {
            handle: SessionHandle::default(),
            bounds: ChunkBounds::default(),
            url,
        }
    }

    /// Takes over the address in an answer, if there is one.
    pub(crate) fn follow(&mut self, request: &Request, response: &Response) -> Result<(), Failure> {
        if let Some(url) = location(request, response)? {
            let mut handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
            // One that is not to be cancelled stays so.
            if handle.is_some() {
                *handle = Some(url.clone());
            }
            drop(handle);
            self.url = url;
        }
        Ok(())
    }

    /// The sizes of chunks that the registry takes, if it says any.
    pub(crate) fn bounds(&self) -> ChunkBounds {
        self.bounds
    }

    /// Where the session is as long as it is open.
    pub(crate) fn handle(&self) -> SessionHandle {
        Arc::clone(&self.handle)
    }

    /// The session is closed, and need not be cancelled.
    pub(crate) fn closed(&self) {
        *self.handle.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The session is not cancelled when the push ends early.
    pub(crate) fn keep_open(&self) {
        self.closed();
    }

    /// The session's address.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The address that closes the session under `digest`, with whatever query the session has kept as
    /// it is: decoding and encoding it again would change escapes that the registry compares.
    pub(crate) fn closing_url(&self, digest: &str) -> Url {
        let mut url = self.url.clone();
        let digest = digest.replace(':', "%3A");
        let query = match self.url.query() {
            Some(query) if !query.is_empty() => format!("{query}&digest={digest}"),
            _ => format!("digest={digest}"),
        };
        url.set_query(Some(&query));
        url
    }
}

/// The address in an answer, relative to the URL that answered. It must be on the registry's own
/// origin: a session elsewhere would be given the blob, and with most clients the credential too
/// (CVE-2026-50151).
fn location(request: &Request, response: &Response) -> Result<Option<Url>, Failure> {
    let Some(value) = response.headers.get(http::header::LOCATION) else {
        return Ok(None);
    };
    let url = value
        .to_str()
        .ok()
        .and_then(|value| response.url.join(value).ok())
        .ok_or_else(|| Failure::violation(request, ViolationKind::LocationMissing))?;
    if !same_origin(&request.url, &url) {
        let kind = ViolationKind::LocationElsewhere(displayed(&url));
        return Err(Failure::violation(request, kind));
    }
    Ok(Some(url))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
    use proptest::prelude::*;

    use super::*;
    use crate::step::Step;

    fn closing(location: &str) -> Result<String, String> {
        let url = Url::parse("https://ghcr.io/v2/o/n/blobs/uploads/").expect("a test URL is valid");
        let request = Request::new(Step::StartUpload, Method::POST, url.clone());
        let mut headers = HeaderMap::new();
        let location = HeaderValue::from_str(location).expect("a header value");
        headers.insert(header::LOCATION, location);
        let response = Response {
            status: StatusCode::ACCEPTED,
            headers,
            body: Bytes::new(),
            url,
        };
        UploadSession::open(&request, &response)
            .map(|session| session.closing_url("sha256:00").to_string())
            .map_err(|failure| match failure {
                Failure::Violation(violation) => violation.to_string(),
                other => other.to_string(),
            })
    }

    proptest! {
        /// Wherever an answer points to, the session is on the registry's own origin, or there is none.
        #[test]
        fn any_location_is_taken(location in "[ -~]{0,80}") {
            if let Ok(url) = closing(&location) {
                let url = Url::parse(&url).expect("it was one");
                prop_assert_eq!(url.origin(), Url::parse("https://ghcr.io").expect("a URL").origin());
            }
        }
    }

    #[test]
    fn locations() {
        for (location, expected) in [
            (
                "/v2/o/n/blobs/upload/14.ab",
                "https://ghcr.io/v2/o/n/blobs/upload/14.ab?digest=sha256%3A00",
            ),
            (
                "https://ghcr.io:443/u?_state=a%2Fb%2Bc%26d&x=1",
                "https://ghcr.io/u?_state=a%2Fb%2Bc%26d&x=1&digest=sha256%3A00",
            ),
            (
                "next?s=1",
                "https://ghcr.io/v2/o/n/blobs/uploads/next?s=1&digest=sha256%3A00",
            ),
            (
                "?s=1",
                "https://ghcr.io/v2/o/n/blobs/uploads/?s=1&digest=sha256%3A00",
            ),
            ("//ghcr.io/u", "https://ghcr.io/u?digest=sha256%3A00"),
        ] {
            assert_eq!(closing(location).as_deref(), Ok(expected), "{location}");
        }
        for elsewhere in [
            "https://evil.example/u",
            "http://ghcr.io/u",
            "https://ghcr.io:8443/u",
            "//evil.example/u",
        ] {
            assert!(closing(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
