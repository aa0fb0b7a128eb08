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
mod client;
mod connections;
mod headers;
mod proxy;
mod resolve;
mod trickle;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Method, StatusCode, header};
use url::Url;

use crate::failure::{Failure, UnansweredKind, ViolationKind, displayed};
use crate::origin::same_origin;
use crate::request::{Body, Replay, Request, Response, Transport};
use crate::step::Step;
use crate::tally::Tally;

use answer::Reading;
use body::{CountedBody, EndsWith, Sent};
use connections::Connections;
use resolve::Resolver;
use tokio::time::Instant;
use trickle::{Deliveries, Late};

pub use proxy::goes_through_proxy;

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
    /// The same, with a connection for each request.
    single: OnceLock<reqwest::Client>,
    connections: Connections,
    resolver: Resolver,
    settings: HttpSettings,
    system_roots: bool,
    tally: Arc<Tally>,
}

/// An attempt that got no answer.
struct Broken {
    failure: Failure,
    /// Whether the request may be sent again at once, since nobody has read it.
    is_unread: bool,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            is_unread: false,
        }
    }
}

impl HttpTransport {
    /// Sets up the client. Proxies are taken from the usual variables by reqwest.
    ///
    /// # Errors
    ///
    /// [`Failure::Client`] if the proxy or certificate settings are unusable.
    pub fn new(settings: &HttpSettings, tally: Arc<Tally>) -> Result<Self, Failure> {
        Self::resolving(settings, tally, Resolver::of_system())
    }

    /// The same with another way from names to addresses.
    fn resolving(
        settings: &HttpSettings,
        tally: Arc<Tally>,
        resolver: Resolver,
    ) -> Result<Self, Failure> {
        let (client, system_roots) = client::build(settings, client::Idle::Kept, &resolver)?;
        Ok(Self {
            client,
            single: OnceLock::new(),
            connections: Connections::default(),
            resolver,
            settings: settings.clone(),
            // oci-client, which is asked in the end, would not know of these settings.
            system_roots: system_roots && settings.tls.is_default(),
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
        let host = request.url.authority();
        let is_replayable = request.replay == Replay::Safe;
        if self.connections.are_single(host, is_replayable) {
            let attempt = self.attempt(request, self.single()).await;
            return attempt.map_err(|broken| broken.failure);
        }
        match self.attempt(request, &self.client).await {
            Err(broken) if broken.is_unread => {
                tracing::debug!(step = %request.step, "an idle connection was closed; using another one");
                let attempt = self.attempt(request, self.single()).await;
                attempt.map_err(|broken| broken.failure)
            }
            attempt => attempt.map_err(|broken| broken.failure),
        }
    }

    /// The client that uses no connection again.
    fn single(&self) -> &reqwest::Client {
        self.single.get_or_init(|| {
            let built = client::build(&self.settings, client::Idle::Closed, &self.resolver);
            built.map_or_else(|_| self.client.clone(), |(client, _)| client)
        })
    }

    async fn attempt(
        &self,
        request: &Request,
        client: &reqwest::Client,
    ) -> Result<Response, Broken> {
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
        let stall = self.settings.stall_timeout;
        let host = request.url.authority();
        let port = request.url.port_or_known_default().unwrap_or_default();
        let answer = client.execute(Self::build(request, &sent));
        let answer = tokio::select! {
            answer = answer => answer,
            kind = watch(&sent, port, stall, request.deadline) => {
                return Err(Failure::unanswered(request, kind).into());
            }
        };
        let answer = answer.map_err(|error| {
            let kind = classify::kind(&error, stall);
            let is_harmless = request.replay == Replay::Safe || (streamed > 0 && sent.bytes() == 0);
            let is_unread = matches!(kind, UnansweredKind::Interrupted(_))
                && self.connections.was_used(host, &error)
                && is_harmless;
            let failure = Self::failure(request, kind);
            // What is wrong with the blob itself is wrong on any connection.
            let is_unread = is_unread && matches!(failure, Failure::Unanswered(_));
            Broken { failure, is_unread }
        })?;
        self.connections.answered(host, &answer);
        let reading = Reading {
            limit: request.response_limit,
            is_whole: request.step == Step::FetchToken,
            stall,
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

/// Completes when nothing moves any more: `stall` after the connection took bytes last, or delivered any, while there
/// are some left, and `deadline` after it took the last of them, or after those have arrived where that can be known.
async fn watch(sent: &Sent, port: u16, stall: Duration, deadline: Duration) -> UnansweredKind {
    let look = LOOK.min(stall / 8);
    let mut since = sent.moved();
    let mut deliveries = Deliveries::within(stall);
    loop {
        let limit = if sent.complete() { deadline } else { stall };
        let over = since + limit;
        let now = Instant::now();
        let next = if sent.is_watched() {
            (now + look).min(over.max(now + look / 2))
        } else {
            over
        };
        tokio::time::sleep_until(next).await;
        if sent.moved() != since {
            since = sent.moved();
            deliveries = Deliveries::within(stall);
            continue;
        }
        let now = Instant::now();
        if sent.is_watched() {
            deliveries.look(port, now);
        }
        let is_still = deliveries.moved().map(|moved| moved + stall <= now);
        if !sent.complete() {
            if over <= now && is_still.unwrap_or(true) {
                return UnansweredKind::Stalled(stall.as_secs());
            }
        } else if is_still == Some(true) && !deliveries.may_have_arrived(since.elapsed()) {
            return UnansweredKind::Stalled(stall.as_secs());
        } else if over <= now {
            let age = since.elapsed();
            let may_arrive = sent.is_watched() && age < deadline + LONGEST_ARRIVAL;
            match trickle::why_late(port, age, deadline) {
                Late::Begun => return UnansweredKind::Unfinished(deadline.as_secs()),
                Late::Unsent if may_arrive => {}
                Late::Unsent | Late::Silent => return UnansweredKind::Deadline(deadline.as_secs()),
            }
        }
    }
}

/// How much longer than in one go a body may take to arrive, and how often that is looked at.
const LONGEST_ARRIVAL: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_secs(5);

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
