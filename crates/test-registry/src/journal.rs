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
    /// When the body's first byte was there.
    pub body_began: Option<Duration>,
    /// When the body's last byte was there, or nothing more was awaited of it.
    pub body_ended: Option<Duration>,
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

    /// The most requests of one kind that were open at one time, from head to answer.
    #[must_use]
    pub fn most_in_flight(&self, route: Route) -> usize {
        let spans = self.of(route).map(|exchange| (exchange.at, exchange.ended));
        most_at_once(spans.collect())
    }

    /// The most bodies of blobs that were open at one time, from first byte to last.
    ///
    /// A client is done with a body before the registry is, by what the buffers of two sockets hold: a test
    /// that compares this with what the client may do at a time has to look only at the time in which
    /// no body can have left ([`Journal::until`]).
    #[must_use]
    pub fn most_bodies_in_flight(&self) -> usize {
        let bodies = self
            .exchanges
            .iter()
            .filter(|exchange| matches!(exchange.route, Route::UploadChunk | Route::UploadCommit));
        let spans = bodies.filter_map(|exchange| Some((exchange.body_began?, exchange.body_ended)));
        most_at_once(spans.collect())
    }

    /// The journal as it was at some moment, though with what had arrived of the bodies later.
    #[must_use]
    pub fn until(&self, moment: Duration) -> Self {
        let before = |time: Option<Duration>| time.filter(|time| *time <= moment);
        let exchanges = self
            .exchanges
            .iter()
            .filter(|exchange| exchange.at <= moment)
            .map(|exchange| Exchange {
                ended: before(exchange.ended),
                body_began: before(exchange.body_began),
                body_ended: before(exchange.body_ended),
                status: before(exchange.ended).and(exchange.status),
                ..exchange.clone()
            });
        Self {
            exchanges: exchanges.collect(),
        }
    }
}

/// How many of these spans of time overlap at most. One without an end lasts for ever.
fn most_at_once(spans: Vec<(Duration, Option<Duration>)>) -> usize {
    let mut changes: Vec<(Duration, i32)> = Vec::new();
    for (start, end) in spans {
        changes.push((start, 1));
        changes.extend(end.map(|end| (end, -1)));
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

/// The journal while it is written.
#[derive(Debug)]
pub(crate) struct Recorder {
    start: Instant,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// How many were forgotten: those under way then are not to be taken for later ones.
    forgotten: usize,
    kept: Vec<Exchange>,
}

/// An exchange that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry(usize);

impl Entry {
    /// The request's number since the registry's start, counted from 0.
    pub(crate) fn number(self) -> usize {
        self.0
    }
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            entries: Mutex::default(),
        }
    }

    pub(crate) fn begin(&self, mut exchange: Exchange) -> Entry {
        exchange.at = self.start.elapsed();
        let mut entries = self.lock();
        entries.kept.push(exchange);
        Entry(entries.forgotten + entries.kept.len() - 1)
    }

    /// Changes an entry, unless it was forgotten meanwhile.
    fn note(&self, entry: Entry, change: impl FnOnce(&mut Exchange)) {
        let mut entries = self.lock();
        let position = entry.0.checked_sub(entries.forgotten);
        if let Some(exchange) = position.and_then(|position| entries.kept.get_mut(position)) {
            change(exchange);
        }
    }

    /// Notes that so many bytes of the body have arrived.
    pub(crate) fn body(&self, entry: Entry, received: u64) {
        let now = self.start.elapsed();
        self.note(entry, |exchange| {
            exchange.body_bytes = received;
            exchange.body_began.get_or_insert(now);
        });
    }

    /// Notes that the whole body has arrived.
    pub(crate) fn end_body(&self, entry: Entry) {
        let now = self.start.elapsed();
        self.note(entry, |exchange| {
            exchange.body_ended = exchange.body_began.map(|_| now);
        });
    }

    pub(crate) fn end(&self, entry: Entry, status: Option<u16>) {
        let ended = self.start.elapsed();
        self.note(entry, |exchange| {
            exchange.ended = Some(ended);
            exchange.status = status;
            if exchange.body_began.is_some() {
                exchange.body_ended.get_or_insert(ended);
            }
        });
    }

    pub(crate) fn snapshot(&self) -> Journal {
        Journal {
            exchanges: self.lock().kept.clone(),
        }
    }

    /// Forgets every entry; what becomes of those under way is not noted any more.
    pub(crate) fn clear(&self) {
        let mut entries = self.lock();
        entries.forgotten += entries.kept.len();
        entries.kept.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
