//! Connections that a handler can cut.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

const OPEN: u8 = 0;
const CLOSED: u8 = 1;
const RESET: u8 = 2;

/// A handler's hold on its connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Counted from 1.
    pub(crate) number: u64,
    state: Arc<AtomicU8>,
}

impl Connection {
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
                let connection = Connection {
                    number: self.count.fetch_add(1, Ordering::Relaxed) + 1,
                    state: Arc::default(),
                };
                let stream = Cuttable {
                    stream,
                    connection: connection.clone(),
                };
                return (stream, connection);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Connection> {
        let _: SocketAddr = self.listener.local_addr()?;
        Ok(Connection {
            number: 0,
            state: Arc::default(),
        })
    }
}

/// A stream that stops working once its connection is cut.
pub(crate) struct Cuttable {
    stream: TcpStream,
    connection: Connection,
}

impl Cuttable {
    fn check(&self) -> io::Result<()> {
        if self.connection.is_cut() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
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
        Pin::new(&mut self.stream).poll_write(context, bytes)
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
