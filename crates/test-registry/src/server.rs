//! From a connection to an answer: journal, faults, authorization, refusals, then what was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use http::{HeaderMap, Request, header};
use url::form_urlencoded;

use crate::answer::{self, Answer};
use crate::connection::{Connection, CountingListener};
use crate::fault::{Action, Faults, Phase, Script};
use crate::journal::{Entry, Exchange, Recorder};
use crate::options::Options;
use crate::personality::Behavior;
use crate::receive::{Cut, Incoming};
use crate::refusal::Refusal;
use crate::route::{Route, Target};
use crate::store::Store;
use crate::tokens::Tokens;
use crate::{blobs, edits, manifests, uploads};

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) behavior: Behavior,
    pub(crate) host: String,
    pub(crate) journal: Recorder,
    pub(crate) faults: Script,
    pub(crate) tokens: Tokens,
    denied: Mutex<HashMap<String, Refusal>>,
    store: Mutex<Store>,
}

impl Shared {
    pub(crate) fn new(options: Options, address: SocketAddr) -> Self {
        Self {
            behavior: Behavior {
                lists_referrers: options.lists_referrers,
                ..options.personality.behavior()
            },
            options,
            host: address.to_string(),
            journal: Recorder::new(),
            faults: Script::default(),
            tokens: Tokens::default(),
            denied: Mutex::default(),
            store: Mutex::default(),
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deny(&self, repository: &str, refusal: Refusal) {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.insert(repository.to_owned(), refusal);
    }

    pub(crate) fn refusal(&self, repository: &str) -> Option<Refusal> {
        let denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        denied.get(repository).cloned()
    }
}

/// Serves until it is dropped.
pub(crate) async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let service = Router::new()
        .fallback(handle)
        .with_state(shared)
        .into_make_service_with_connect_info::<Connection>();
    // The only errors are those of accepting, which the listener keeps to itself.
    let _ = axum::serve(CountingListener::new(listener), service).await;
}

/// A request under way.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) target: Target,
    pub(crate) method: http::Method,
    pub(crate) path: String,
    /// As it was sent, still escaped.
    pub(crate) raw_query: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) faults: &'a Faults,
    pub(crate) entry: Entry,
}

/// Why there is no ordinary answer.
pub(crate) enum Interruption<'a> {
    /// The client went away.
    Gone,
    /// A fault strikes.
    Fault(&'a Action),
}

impl<'a> From<Cut<'a>> for Interruption<'a> {
    fn from(cut: Cut<'a>) -> Self {
        match cut {
            Cut::Gone => Self::Gone,
            Cut::Fault(action) => Self::Fault(action),
        }
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request<Body>,
) -> Answer {
    connection.begin();
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let raw_query = head.uri.query().unwrap_or_default().to_owned();
    let query: Vec<(String, String)> = form_urlencoded::parse(raw_query.as_bytes())
        .into_owned()
        .collect();
    let target = Target::of(&head.method, path, &raw_query);
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text(header::AUTHORIZATION).unwrap_or_default();
    let (scheme, credential) = authorization.split_once(' ').unwrap_or_default();
    let token = shared.tokens.generation(credential);
    let digest = query
        .iter()
        .find(|(name, _)| name == "digest")
        .map(|(_, value)| value.clone());
    let content_length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let entry = shared.journal.begin(Exchange {
        at: std::time::Duration::ZERO,
        ended: None,
        connection: connection.number,
        route: target.route,
        method: head.method.clone(),
        path: path.to_owned(),
        query: raw_query.clone(),
        repository: target.repository.clone(),
        content_range: text(header::CONTENT_RANGE).map(str::to_owned),
        content_length,
        authorization: (!scheme.is_empty()).then(|| scheme.to_ascii_lowercase()),
        token,
        body_bytes: 0,
        body_began: None,
        body_ended: None,
        status: None,
        digest,
    });
    let faults = shared
        .faults
        .take(target.route, &target.repository, content_length);
    let call = Call {
        shared: &shared,
        target,
        method: head.method.clone(),
        path: path.to_owned(),
        raw_query,
        query,
        headers: head.headers,
        faults: &faults,
        entry,
    };
    let mut answer = match call.answer(body).await {
        Ok(answer) => answer,
        Err(Interruption::Gone) => {
            connection.close();
            answer::empty(500, &[])
        }
        Err(Interruption::Fault(action)) => call.strike(action, &connection).await,
    };
    answer = edits::edit(&call, answer).await;
    answer = edits::put_on_the_wire(&call, answer, &connection).await;
    let status = (!connection.is_cut()).then(|| answer.status().as_u16());
    shared.journal.end(entry, status);
    answer
}

impl<'a> Call<'a> {
    async fn answer(&self, body: Body) -> Result<Answer, Interruption<'a>> {
        // Half of it on the way here, half on the way back, as far as the client can tell.
        tokio::time::sleep(self.shared.options.latency).await;
        self.at(Phase::BeforeHead).await?;
        let in_body = self.faults.in_body();
        let mut incoming = Incoming::new(body, self.shared, self.entry, in_body);
        if let Some(refused) = self.unauthorized().or_else(|| self.denied()) {
            return Ok(refused);
        }
        // Those with a body are whole later.
        if !self.target.route.has_body() {
            self.at(Phase::BeforeState).await?;
        }
        let answer = match self.target.route {
            Route::Token => self.token(),
            Route::Base => answer::with_body(200, &[("content-type", "application/json")], "{}"),
            Route::BlobHead | Route::BlobGet => blobs::read(self),
            Route::UploadStart | Route::UploadMount => uploads::start(self),
            Route::UploadChunk => uploads::chunk(self, &mut incoming).await?,
            Route::UploadCommit => uploads::commit(self, &mut incoming).await?,
            Route::UploadStatus => uploads::status(self),
            Route::UploadCancel => uploads::cancel(self),
            Route::ManifestHead | Route::ManifestGet => manifests::read(self),
            Route::ManifestPut => manifests::put(self, &mut incoming).await?,
            Route::TagsList => manifests::tags(self),
            Route::WrongMethod => answer::wrong_method(self.target.allowed),
            Route::Other => answer::error(404, "UNSUPPORTED", "no such resource"),
        };
        self.at(Phase::AfterState).await?;
        Ok(answer)
    }

    /// Lets the faults of a moment happen. Delays and revocations let the request go on.
    pub(crate) async fn at(&self, phase: Phase) -> Result<(), Interruption<'a>> {
        for action in self.faults.at(phase) {
            match action {
                Action::Delay(duration) => tokio::time::sleep(*duration).await,
                Action::RevokeTokens => self.shared.tokens.revoke_all(),
                other => return Err(Interruption::Fault(other)),
            }
        }
        Ok(())
    }

    /// Ends the request by a fault.
    async fn strike(&self, action: &Action, connection: &Connection) -> Answer {
        match action {
            Action::Reset => connection.reset(),
            Action::Close => connection.close(),
            Action::Stall => std::future::pending::<()>().await,
            Action::Answer {
                status,
                headers,
                body,
            } => {
                let headers: Vec<(&str, &str)> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                return answer::with_body(*status, &headers, body.clone());
            }
            // The others end no request.
            _ => {}
        }
        answer::error(500, "UNKNOWN", "the request was interrupted")
    }

    /// The registry's name as the client wrote it: a client that asked `localhost` takes an address on
    /// `127.0.0.1` for another host's, and rightly keeps its credential from it.
    pub(crate) fn host(&self) -> &str {
        self.header(header::HOST.as_str())
            .unwrap_or(&self.shared.host)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name)?;
        Some(&pair.1)
    }
}
