//! Connections that a handler can cut.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const RESET: u8 = 2;

/// A handler's hold on its connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Counted from 1.
    pub(crate) number: u64,
    state: Arc<AtomicU8>,
    outgoing: Arc<Mutex<Outgoing>>,
}

/// What becomes of the bytes that the server writes.
#[derive(Debug, Default)]
struct Outgoing {
    /// How many still pass, and what happens then.
    limit: Option<(u64, Ending)>,
    /// What is sent in their place, and whether the connection ends with it.
    verbatim: Option<(Bytes, bool)>,
}

/// What happens in the middle of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    /// FIN.
    Close,
    /// RST.
    Reset,
    /// Nothing more.
    Stall,
    /// The rest comes later.
    Pause(Duration),
}

impl Connection {
    fn new(number: u64) -> Self {
        Self {
            number,
            state: Arc::default(),
            outgoing: Arc::default(),
        }
    }

    /// A request begins: what was to become of the answer before it is over.
    pub(crate) fn begin(&self) {
        *self.outgoing() = Outgoing::default();
    }

    /// Lets so many bytes of the answer pass, its head included.
    pub(crate) fn limit(&self, bytes: u64, ending: Ending) {
        self.outgoing().limit = Some((bytes, ending));
    }

    /// Sends these bytes in place of the answer.
    pub(crate) fn replace(&self, answer: Bytes, closes: bool) {
        self.outgoing().verbatim = Some((answer, closes));
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection with FIN; whatever the handler answers is not sent.
    pub(crate) fn close(&self) {
        self.state.store(CLOSED, Ordering::Release);
    }

    /// Ends the connection with RST.
    pub(crate) fn reset(&self) {
        self.state.store(RESET, Ordering::Release);
    }

    /// Whether it was ended.
    pub(crate) fn is_cut(&self) -> bool {
        self.state.load(Ordering::Acquire) != OPEN
    }
}

impl Connected<IncomingStream<'_, CountingListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, CountingListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Accepts connections and numbers them.
pub(crate) struct CountingListener {
    listener: TcpListener,
    count: AtomicU64,
}

impl CountingListener {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            count: AtomicU64::new(0),
        }
    }
}

impl Listener for CountingListener {
    type Io = Cuttable;
    type Addr = Connection;

    async fn accept(&mut self) -> (Cuttable, Connection) {
        loop {
            // A connection that fails to come about is its client's affair.
            if let Ok((stream, _)) = self.listener.accept().await {
                let connection = Connection::new(self.count.fetch_add(1, Ordering::Relaxed) + 1);
                // As servers written in Go do. Without it only the answers are slower.
                let _ = stream.set_nodelay(true);
                let stream = Cuttable {
                    stream,
                    connection: connection.clone(),
                    pause: None,
                };
                return (stream, connection);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Connection> {
        let _: SocketAddr = self.listener.local_addr()?;
        Ok(Connection::new(0))
    }
}

/// A stream that stops working once its connection is cut.
pub(crate) struct Cuttable {
    stream: TcpStream,
    connection: Connection,
    /// Until the rest of an answer may go.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Cuttable {
    fn check(&self) -> io::Result<()> {
        if self.connection.is_cut() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    /// Ends or delays an answer of which as much has gone as may.
    fn poll_ending(&mut self, ending: Ending, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ending {
            Ending::Close => self.connection.close(),
            Ending::Reset => self.connection.reset(),
            Ending::Stall => return Poll::Pending,
            Ending::Pause(duration) => {
                let sleep = || Box::pin(tokio::time::sleep(duration));
                ready!(self.pause.get_or_insert_with(sleep).as_mut().poll(context));
                self.pause = None;
            }
        }
        Poll::Ready(self.check())
    }
}

impl Drop for Cuttable {
    fn drop(&mut self) {
        if self.connection.state.load(Ordering::Acquire) == RESET {
            // Without lingering, dropping the socket sends RST. If this fails it is a FIN.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let connection = self.connection.clone();
        let mut outgoing = connection.outgoing();
        if let Some((answer, closes)) = &mut outgoing.verbatim {
            while answer.has_remaining() {
                let written = ready!(Pin::new(&mut self.stream).poll_write(context, answer))?;
                answer.advance(written);
            }
            if *closes {
                connection.close();
            }
            // What the server says itself is swallowed.
            return Poll::Ready(Ok(bytes.len()));
        }
        if let Some((0, ending)) = outgoing.limit {
            ready!(self.poll_ending(ending, context))?;
            outgoing.limit = None;
        }
        let Some((left, ending)) = outgoing.limit else {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        };
        let part = usize::try_from(left).map_or(bytes, |left| &bytes[..left.min(bytes.len())]);
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, part))?;
        outgoing.limit = Some((left.saturating_sub(written as u64), ending));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
