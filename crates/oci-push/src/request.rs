//! A request as a value, and the chain of transports that carries it.
//!
//! A [`Request`] holds everything needed to send it, bodies by reference to the archive, so that
//! sending it again (after a retry, a refreshed token) costs nothing and needs no cooperation of
//! whoever made it. It never holds a credential: the authentication layer adds that on the way out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use oci_archive::Digest;
use url::Url;

use crate::body::BlobBody;
use crate::failure::{Failure, Rejection};
use crate::step::Step;

/// How long a registry may take to answer a small request.
pub(crate) const CONTROL_DEADLINE: Duration = Duration::from_secs(30);

/// Error bodies are read up to here; no honest registry says more.
pub(crate) const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// Whether the transport may send a request again on its own after a failure that leaves open
/// whether the registry acted on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// Repeating changes nothing: GET, HEAD, PUT of a manifest. A repeated POST leaves one orphaned
    /// session behind, which registries expire.
    Safe,
    /// Only the upload state machine knows what the session holds now.
    Never,
}

/// What a request carries. Its `Debug` does not show it: what goes to a token service may be a secret.
#[derive(Clone)]
pub enum Body {
    /// Nothing, `Content-Length: 0`.
    Empty,
    /// A small body held in memory.
    Bytes(Bytes),
    /// A range of a blob, read from the archive while it is sent.
    Blob(BlobBody),
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Body({} bytes)", self.len())
    }
}

impl Body {
    /// The body's length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob(blob) => blob.length(),
        }
    }

    /// Whether there is no byte to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One HTTP request, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the request is for.
    pub step: Step,
    /// The blob that it is about, for whoever is told of its retries.
    pub blob: Option<Digest>,
    /// The HTTP method.
    pub method: Method,
    /// The absolute URL.
    pub url: Url,
    /// Headers except those that the layers below add (authorization, length, user agent).
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
    /// Whether the transport may repeat it.
    pub replay: Replay,
    /// How often it is answered in a way that may pass before such an answer stands; limits are waited out all the same.
    pub tries: Option<u32>,
    /// The question whether the registry has done it, for a request of which that is not clear.
    pub settled_by: Option<Arc<Settlement>>,
    /// How long the answer may take once the body is sent.
    pub deadline: Duration,
    /// How many bytes of the answer's body are kept; the rest is not read.
    pub response_limit: usize,
}

impl Request {
    /// A request without body that may be repeated.
    #[must_use]
    pub fn new(step: Step, method: Method, url: Url) -> Self {
        Self {
            step,
            blob: None,
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::Empty,
            replay: Replay::Safe,
            tries: None,
            settled_by: None,
            deadline: CONTROL_DEADLINE,
            response_limit: ERROR_BODY_LIMIT,
        }
    }

    /// The same request, about a blob.
    #[must_use]
    pub fn about(mut self, blob: &Digest) -> Self {
        self.blob = Some(blob.clone());
        self
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same request with a body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The same request, never repeated by the transport.
    #[must_use]
    pub fn sent_once(mut self) -> Self {
        self.replay = Replay::Never;
        self
    }

    /// The same request with another limit on the wait for its answer.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// How to find out whether a request that was not answered has been carried out.
#[derive(Debug)]
pub struct Settlement {
    /// The question, without a body.
    pub question: Request,
    /// The digest that the answer names if it has.
    pub digest: Digest,
}

/// What a server answered, whatever the status.
#[derive(Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, cut at the request's limit.
    pub body: Bytes,
    /// The URL that answered; a relative `Location` is relative to this.
    pub url: Url,
}

impl Response {
    /// A header's value as text, if it is there and is ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// This response if its status is one of `expected`.
    ///
    /// # Errors
    ///
    /// [`Failure::Rejected`] with everything the registry said otherwise.
    pub fn expect(self, request: &Request, expected: &[u16]) -> Result<Self, Failure> {
        if expected.contains(&self.status.as_u16()) {
            Ok(self)
        } else {
            Err(Failure::Rejected(Box::new(Rejection::new(request, &self))))
        }
    }
}

/// Leaves the headers out: a token service may answer with cookies.
impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Something that carries requests to a registry.
///
/// An answer of any status is `Ok`; only the absence of an answer is an error. Layers wrap one
/// another: authentication around retry around HTTP.
pub trait Transport: Send + Sync {
    /// Sends `request` and waits for the answer.
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Failure>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Failure>> {
        (**self).send(request)
    }
}
