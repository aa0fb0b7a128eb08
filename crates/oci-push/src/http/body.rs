//! A blob as an HTTP body that counts what the connection takes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use crate::body::BlobBody;

/// How much of a request's body the connection has taken.
#[derive(Debug)]
pub(super) struct Sent {
    bytes: AtomicU64,
    length: u64,
    /// When the connection took bytes last, or will: bytes are held back for a limit on the rate.
    moved: Mutex<Instant>,
    abandoned: AtomicBool,
}

/// Ends a body with the exchange that it belongs to. An answer may come before the body has gone, and
/// the connection would go on to send it: twice at a time, if the blob is sent again.
#[derive(Debug)]
pub(super) struct EndsWith(pub(super) Arc<Sent>);

impl Drop for EndsWith {
    fn drop(&mut self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }
}

impl Sent {
    pub(super) fn new(length: u64) -> Self {
        Self {
            bytes: AtomicU64::new(0),
            length,
            moved: Mutex::new(Instant::now()),
            abandoned: AtomicBool::new(false),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn complete(&self) -> bool {
        self.bytes() >= self.length
    }

    /// Whether there is a body that takes its time.
    pub(super) fn is_watched(&self) -> bool {
        self.length > 0
    }

    pub(super) fn moved(&self) -> Instant {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing moves before `at`, which is nobody's fault.
    fn hold(&self, at: Instant) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        *moved = at.max(*moved);
    }

    fn add(&self, bytes: u64) -> u64 {
        self.hold(Instant::now());
        self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }
}

/// Frames of a blob, counted as the connection asks for them.
pub(super) struct CountedBody {
    blob: BlobBody,
    frames: mpsc::Receiver<io::Result<Bytes>>,
    remaining: u64,
    sent: Arc<Sent>,
    /// A frame that waits for its turn.
    waiting: Option<(Bytes, Pin<Box<Sleep>>)>,
}

impl CountedBody {
    pub(super) fn new(blob: &BlobBody, sent: Arc<Sent>) -> Self {
        Self {
            frames: blob.frames(),
            remaining: blob.length(),
            blob: blob.clone(),
            sent,
            waiting: None,
        }
    }
}

impl CountedBody {
    /// The next frame, when it may go.
    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.waiting.is_none() {
            let frame = match ready!(self.frames.poll_recv(context)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            let Some(pace) = self.blob.pace() else {
                return Poll::Ready(Some(Ok(frame)));
            };
            let at = pace.reserve(frame.len() as u64, Instant::now());
            self.sent.hold(at);
            self.waiting = Some((frame, Box::pin(tokio::time::sleep_until(at))));
        }
        if let Some((_, sleep)) = &mut self.waiting {
            ready!(sleep.as_mut().poll(context));
        }
        Poll::Ready(self.waiting.take().map(|(frame, _)| Ok(frame)))
    }
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.sent.abandoned.load(Ordering::Relaxed) {
            let error = io::Error::other("nobody waits for this body any more");
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(self.next(context)) {
            Some(Ok(frame)) => {
                let length = frame.len() as u64;
                self.remaining = self.remaining.saturating_sub(length);
                let sent = self.sent.add(length);
                self.blob.sent(sent);
                Poll::Ready(Some(Ok(Frame::data(frame))))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None if self.remaining == 0 => Poll::Ready(None),
            None => Poll::Ready(Some(Err(io::Error::other(
                "reading the archive stopped early",
            )))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    /// Exact, so that the request carries `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
