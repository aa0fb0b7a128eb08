//! Request bodies, piece by piece, with the faults that strike in their middle.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::fault::Action;
use crate::journal::{Entry, Recorder};

/// A body that is being received.
pub(crate) struct Incoming<'a> {
    body: axum::body::BodyDataStream,
    journal: &'a Recorder,
    entry: Entry,
    received: u64,
    fault: Option<(u64, &'a Action)>,
}

/// Why a body did not arrive whole.
pub(crate) enum Cut<'a> {
    /// The client went away.
    Gone,
    /// A fault strikes now.
    Fault(&'a Action),
}

impl<'a> Incoming<'a> {
    pub(crate) fn new(
        body: Body,
        journal: &'a Recorder,
        entry: Entry,
        fault: Option<(u64, &'a Action)>,
    ) -> Self {
        Self {
            body: body.into_data_stream(),
            journal,
            entry,
            received: 0,
            fault,
        }
    }

    /// The next piece, `None` at the end. A piece is cut where a fault strikes, so that exactly so many
    /// bytes have arrived then.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Cut<'a>> {
        if let Some((at, action)) = self.fault.filter(|(at, _)| *at <= self.received) {
            debug_assert!(at <= self.received);
            self.fault = None;
            return Err(Cut::Fault(action));
        }
        let Some(piece) = self.body.next().await else {
            return Ok(None);
        };
        let mut piece = piece.map_err(|_| Cut::Gone)?;
        if let Some((at, _)) = self.fault {
            let room = usize::try_from(at - self.received).unwrap_or(usize::MAX);
            piece.truncate(room);
        }
        self.received += piece.len() as u64;
        let received = self.received;
        self.journal
            .note(self.entry, |exchange| exchange.body_bytes = received);
        Ok(Some(piece))
    }

    /// The whole body, as far as `limit`.
    pub(crate) async fn all(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Cut<'a>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.next().await? {
            if bytes.len() + piece.len() > limit {
                return Ok(None);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(bytes))
    }
}
