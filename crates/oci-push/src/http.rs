//! The bottom of the chain: requests become HTTP/1.1 on real connections.
//!
//! The only module that knows reqwest. It follows no redirect away from the registry, sends nothing
//! but what the request says, and watches progress itself: reqwest's own timeouts start with the
//! request and end healthy slow uploads (<https://github.com/seanmonstar/reqwest/issues/2784>).
//! HTTP/2 is left out on purpose: one connection's flow control throttles parallel uploads
//! (<https://github.com/moby/buildkit/pull/1420>).

mod answer;
mod ask;
mod body;
mod classify;
mod headers;
mod resolve;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Method, StatusCode, header};
use url::Url;

use crate::failure::{Failure, UnansweredKind, ViolationKind, displayed};
use crate::origin::same_origin;
use crate::request::{Body, Request, Response, Transport};
use crate::roots;
use crate::step::Step;
use crate::tally::Tally;

use answer::Reading;
use body::{CountedBody, EndsWith, Sent};

/// Long enough for a distant host, short enough that an address that swallows packets is noticed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// No registry needs more hops on its own origin.
const REDIRECT_LIMIT: usize = 5;

/// How the HTTP client is set up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpSettings {
    /// The `User-Agent` header.
    pub user_agent: String,
    /// A transfer that moves no byte for this long is broken off.
    pub stall_timeout: Duration,
    /// How to trust and be trusted, beside what the machine says.
    pub tls: TlsSettings,
}

/// How to trust a registry, and how to be trusted by it.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct TlsSettings {
    /// Authorities that are trusted beside the machine's, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// A client's certificate and its key, as PEM.
    pub identity: Option<Vec<u8>>,
    /// Trust anybody. For tests of one's own.
    pub insecure: bool,
}

impl TlsSettings {
    fn is_default(&self) -> bool {
        self.authorities.is_none() && self.identity.is_none() && !self.insecure
    }
}

impl std::fmt::Debug for TlsSettings {
    /// A key is a secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TlsSettings")
            .field("authorities", &self.authorities.is_some())
            .field("identity", &self.identity.is_some())
            .field("insecure", &self.insecure)
            .finish()
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("oci-push/", env!("CARGO_PKG_VERSION")).to_owned(),
            stall_timeout: Duration::from_mins(1),
            tls: TlsSettings::default(),
        }
    }
}

/// Sends requests over HTTP/1.1.
#[derive(Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    system_roots: bool,
    stall_timeout: Duration,
    tally: Arc<Tally>,
}

impl HttpTransport {
    /// Sets up the client. Proxies are taken from the usual variables by reqwest.
    ///
    /// # Errors
    ///
    /// [`Failure::Client`] if the proxy or certificate settings are unusable.
    pub fn new(settings: &HttpSettings, tally: Arc<Tally>) -> Result<Self, Failure> {
        let unusable = |error: reqwest::Error| Failure::Client(error.into());
        let tls = &settings.tls;
        let authorities = match &tls.authorities {
            Some(pem) => reqwest::Certificate::from_pem_bundle(pem).map_err(unusable)?,
            None => Vec::new(),
        };
        let identity = match &tls.identity {
            Some(pem) => Some(reqwest::Identity::from_pem(pem).map_err(unusable)?),
            None => None,
        };
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(&settings.user_agent)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .http1_only()
                .connect_timeout(CONNECT_TIMEOUT)
                .dns_resolver(Arc::new(resolve::SystemResolver))
                .tls_danger_accept_invalid_certs(tls.insecure)
                .tls_certs_merge(authorities.iter().cloned());
            // A body that nobody reads for a while is the stall timeout's matter. Elsewhere there is no such option.
            #[cfg(target_os = "linux")]
            let builder = builder.tcp_user_timeout(None);
            match &identity {
                Some(identity) => builder.identity(identity.clone()),
                None => builder,
            }
        };
        let (client, system_roots) = if let Ok(client) = builder().build() {
            (client, true)
        } else {
            tracing::debug!("no certificates on this machine; using Mozilla's");
            let roots = roots::bundled().filter_map(|der| reqwest::Certificate::from_der(der).ok());
            let roots = roots.chain(authorities.iter().cloned());
            let client = builder().tls_certs_only(roots).build();
            (client.map_err(unusable)?, false)
        };
        Ok(Self {
            client,
            // oci-client, which is asked in the end, would not know of these settings.
            system_roots: system_roots && tls.is_default(),
            stall_timeout: settings.stall_timeout,
            tally,
        })
    }

    /// Whether the machine's own certificates decide, and nothing else.
    #[must_use]
    pub fn has_system_roots(&self) -> bool {
        self.system_roots
    }

    async fn follow(&self, request: &Request) -> Result<Response, Failure> {
        let mut current = request.clone();
        for _ in 0..=REDIRECT_LIMIT {
            let response = self.exchange(&current).await?;
            if !is_redirect(response.status) {
                return Ok(response);
            }
            let target = redirect_target(&current, &response)?;
            tracing::debug!(url = %displayed(&target), "following a redirect");
            current.url = target;
        }
        Err(Failure::violation(
            request,
            ViolationKind::RedirectRefused(StatusCode::LOOP_DETECTED),
        ))
    }

    async fn exchange(&self, request: &Request) -> Result<Response, Failure> {
        self.tally.count_request();
        tracing::trace!(
            step = %request.step,
            bytes = request.body.len(),
            headers = %headers::in_one_line(&request.headers),
            "sending"
        );
        // A small body leaves in one write; only a blob is watched on its way.
        let streamed = match &request.body {
            Body::Blob(blob) => blob.length(),
            Body::Empty | Body::Bytes(_) => 0,
        };
        let sent = Arc::new(Sent::new(streamed));
        let _body = EndsWith(Arc::clone(&sent));
        let answer = self.client.execute(Self::build(request, &sent));
        let answer = tokio::select! {
            answer = answer => answer,
            kind = watch(&sent, self.stall_timeout, request.deadline) => {
                return Err(Failure::unanswered(request, kind));
            }
        };
        let answer = answer.map_err(|error| Self::failure(request, classify::kind(&error)))?;
        let reading = Reading {
            limit: request.response_limit,
            is_whole: request.step == Step::FetchToken,
        };
        let response = answer::read(answer, &request.method, reading)
            .await
            .map_err(|kind| Self::failure(request, kind))?;
        tracing::trace!(
            step = %request.step,
            status = response.status.as_u16(),
            headers = %headers::in_one_line(&response.headers),
            "received"
        );
        Ok(response)
    }

    fn build(request: &Request, sent: &Arc<Sent>) -> reqwest::Request {
        let mut built = reqwest::Request::new(request.method.clone(), request.url.clone());
        *built.headers_mut() = request.headers.clone();
        match &request.body {
            Body::Empty => {
                // Without a body reqwest leaves the length out, which some registries answer with 411.
                if request.method != Method::GET && request.method != Method::HEAD {
                    built.headers_mut().insert(
                        header::CONTENT_LENGTH,
                        header::HeaderValue::from_static("0"),
                    );
                }
            }
            Body::Bytes(bytes) => *built.body_mut() = Some(bytes.clone().into()),
            Body::Blob(blob) => {
                let body = CountedBody::new(blob, Arc::clone(sent));
                *built.body_mut() = Some(reqwest::Body::wrap(body));
            }
        }
        built
    }

    fn failure(request: &Request, kind: UnansweredKind) -> Failure {
        if let Body::Blob(blob) = &request.body
            && let Some(fault) = blob.verifier().take_fault()
        {
            return Failure::Blob {
                digest: blob.verifier().digest().clone(),
                fault,
            };
        }
        Failure::unanswered(request, kind)
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let result = self.follow(request).await;
            match &result {
                Ok(response) => tracing::debug!(
                    step = %request.step,
                    method = %request.method,
                    url = %displayed(&request.url),
                    status = response.status.as_u16(),
                    "answered"
                ),
                Err(failure) => tracing::debug!(
                    step = %request.step,
                    method = %request.method,
                    url = %displayed(&request.url),
                    failure = %failure,
                    "unanswered"
                ),
            }
            result
        })
    }
}

/// Completes when nothing moves any more: while the body is being sent after `stall`, and after its
/// last byte after `deadline`.
async fn watch(sent: &Sent, stall: Duration, deadline: Duration) -> UnansweredKind {
    let mut last = sent.bytes();
    loop {
        let sending = !sent.complete();
        let limit = if sending { stall } else { deadline };
        tokio::time::sleep(limit).await;
        let now = sent.bytes();
        if now == last && sending != sent.complete() {
            return if sending {
                UnansweredKind::Stalled(limit.as_secs())
            } else {
                UnansweredKind::Deadline(limit.as_secs())
            };
        }
        last = now;
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads, if it may be followed: on the registry's own origin, and without turning
/// an upload into a GET.
///
/// A HEAD that is redirected to a blob store says that the blob exists, but proves nothing; it counts
/// as a refused redirect, and the blob is uploaded.
fn redirect_target(request: &Request, response: &Response) -> Result<Url, Failure> {
    let refused = || ViolationKind::RedirectRefused(response.status);
    let keeps_method = matches!(response.status.as_u16(), 307 | 308)
        || matches!(request.method, Method::GET | Method::HEAD);
    let target = response
        .header("location")
        .and_then(|location| request.url.join(location).ok());
    let kind = match target {
        _ if request.step == Step::FetchToken || !keeps_method => refused(),
        None => refused(),
        Some(target) if same_origin(&request.url, &target) => return Ok(target),
        Some(target) => ViolationKind::RedirectElsewhere(displayed(&target)),
    };
    Err(Failure::violation(request, kind))
}
