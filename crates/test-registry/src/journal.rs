//! What was asked of the registry, for tests to look into.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Method;

use crate::route::Route;

/// One request and what became of it. Credentials are not kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// When the request's head had arrived, since the registry's start.
    pub at: Duration,
    /// When the answer was ready, `None` while it is not.
    pub ended: Option<Duration>,
    /// The connection, numbered from 1.
    pub connection: u64,
    /// What the request is for.
    pub route: Route,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// The repository, empty where there is none.
    pub repository: String,
    /// `Content-Range`, as it was sent.
    pub content_range: Option<String>,
    /// `Content-Length`, as it was sent.
    pub content_length: Option<u64>,
    /// The authorization scheme in lower case, if there was any.
    pub authorization: Option<String>,
    /// The generation of the bearer token, if it is one that was issued here.
    pub token: Option<u64>,
    /// Bytes of the body that arrived.
    pub body_bytes: u64,
    /// The status that was answered, `None` if the connection was cut instead.
    pub status: Option<u16>,
    /// The digest that a commit or the manifest's PUT named.
    pub digest: Option<String>,
}

/// All requests at some moment, in order.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// The requests.
    pub exchanges: Vec<Exchange>,
}

/// What was uploaded of one blob.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uploads {
    /// Closing requests that named the blob.
    pub commits: usize,
    /// Those that stored it.
    pub stored: usize,
}

impl Journal {
    /// The requests of one kind.
    pub fn of(&self, route: Route) -> impl Iterator<Item = &Exchange> {
        self.exchanges
            .iter()
            .filter(move |exchange| exchange.route == route)
    }

    /// How many requests there were of one kind.
    #[must_use]
    pub fn count(&self, route: Route) -> usize {
        self.of(route).count()
    }

    /// How many requests changed the registry, or were meant to.
    #[must_use]
    pub fn mutating(&self) -> usize {
        self.exchanges
            .iter()
            .filter(|exchange| exchange.route.is_mutating())
            .count()
    }

    /// Bytes of blobs that arrived.
    #[must_use]
    pub fn blob_bytes(&self) -> u64 {
        let bodies = self
            .exchanges
            .iter()
            .filter(|exchange| matches!(exchange.route, Route::UploadChunk | Route::UploadCommit));
        bodies.map(|exchange| exchange.body_bytes).sum()
    }

    /// The largest body that came with a `Content-Range`.
    #[must_use]
    pub fn largest_ranged_body(&self) -> u64 {
        let ranged = self
            .exchanges
            .iter()
            .filter(|exchange| exchange.content_range.is_some());
        ranged
            .map(|exchange| exchange.body_bytes)
            .max()
            .unwrap_or(0)
    }

    /// What was uploaded of one blob.
    #[must_use]
    pub fn uploads_of(&self, digest: &str) -> Uploads {
        let commits = self
            .of(Route::UploadCommit)
            .filter(|exchange| exchange.digest.as_deref() == Some(digest));
        commits.fold(Uploads::default(), |uploads, exchange| Uploads {
            commits: uploads.commits + 1,
            stored: uploads.stored + usize::from(exchange.status == Some(201)),
        })
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        let numbers: BTreeSet<u64> = self
            .exchanges
            .iter()
            .map(|exchange| exchange.connection)
            .collect();
        numbers.len()
    }

    /// The most requests that were open at one time.
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        let mut changes: Vec<(Duration, i32)> = Vec::new();
        for exchange in &self.exchanges {
            changes.push((exchange.at, 1));
            changes.extend(exchange.ended.map(|ended| (ended, -1)));
        }
        // An end at the same moment as a start comes first.
        changes.sort_unstable();
        let mut open = 0;
        let mut most = 0;
        for (_, change) in changes {
            open += change;
            most = most.max(open);
        }
        usize::try_from(most).unwrap_or(0)
    }
}

/// The journal while it is written.
#[derive(Debug)]
pub(crate) struct Recorder {
    start: Instant,
    exchanges: Mutex<Vec<Exchange>>,
}

/// An exchange that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry(usize);

impl Entry {
    /// The request's position in the journal.
    pub(crate) fn number(self) -> usize {
        self.0
    }
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            exchanges: Mutex::default(),
        }
    }

    pub(crate) fn begin(&self, mut exchange: Exchange) -> Entry {
        exchange.at = self.start.elapsed();
        let mut exchanges = self.lock();
        exchanges.push(exchange);
        Entry(exchanges.len() - 1)
    }

    /// Changes an entry, unless the journal was cleared meanwhile.
    pub(crate) fn note(&self, entry: Entry, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.lock().get_mut(entry.0) {
            change(exchange);
        }
    }

    pub(crate) fn end(&self, entry: Entry, status: Option<u16>) {
        let ended = self.start.elapsed();
        self.note(entry, |exchange| {
            exchange.ended = Some(ended);
            exchange.status = status;
        });
    }

    pub(crate) fn snapshot(&self) -> Journal {
        Journal {
            exchanges: self.lock().clone(),
        }
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
