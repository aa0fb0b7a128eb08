//! Request bodies, piece by piece, with the faults that strike in their middle.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::fault::{Action, Place};
use crate::journal::Entry;
use crate::server::Shared;

/// A body that is being received.
pub(crate) struct Incoming<'a> {
    body: axum::body::BodyDataStream,
    shared: &'a Shared,
    entry: Entry,
    received: u64,
    /// What has arrived beyond the byte at which the fault strikes.
    rest: Bytes,
    fault: Option<(Place, &'a Action)>,
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
        shared: &'a Shared,
        entry: Entry,
        fault: Option<(Place, &'a Action)>,
    ) -> Self {
        Self {
            body: body.into_data_stream(),
            shared,
            entry,
            received: 0,
            rest: Bytes::new(),
            fault,
        }
    }

    /// The next piece, `None` at the end. A piece is cut where a fault strikes, so that exactly so many
    /// bytes have arrived then.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Cut<'a>> {
        if let Some((Place::After(at), action)) = self.fault
            && at <= self.received
        {
            self.strike(action).await?;
        }
        let mut piece = std::mem::take(&mut self.rest);
        if piece.is_empty() {
            let Some(next) = self.body.next().await else {
                self.shared.journal.end_body(self.entry);
                return Ok(None);
            };
            piece = next.map_err(|_| Cut::Gone)?;
        }
        if let Some((Place::First, action)) = self.fault {
            self.strike(action).await?;
        }
        if let Some((Place::After(at), _)) = self.fault {
            let room = usize::try_from(at - self.received).unwrap_or(usize::MAX);
            self.rest = piece.split_off(room.min(piece.len()));
        }
        if let Some(rate) = self.shared.options.rate {
            let taken = piece.len() as u64 * 1_000_000 / rate.max(1);
            tokio::time::sleep(std::time::Duration::from_micros(taken)).await;
        }
        self.received += piece.len() as u64;
        self.shared.journal.body(self.entry, self.received);
        Ok(Some(piece))
    }

    /// The fault happens, and goes by unless it ends the request.
    async fn strike(&mut self, action: &'a Action) -> Result<(), Cut<'a>> {
        self.fault = None;
        match action {
            Action::Delay(duration) => tokio::time::sleep(*duration).await,
            Action::RevokeTokens => self.shared.tokens.revoke_all(),
            ends => return Err(Cut::Fault(ends)),
        }
        Ok(())
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
