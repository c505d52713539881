//! The connection itself, so that it can be cut: by a fault, or for all clients in an outage.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Accepts connections until the token is cancelled, which also cuts those that were accepted.
pub(super) struct Doorway {
    pub listener: TcpListener,
    pub open: CancellationToken,
}

/// A connection that can be cut from elsewhere.
pub(super) struct Line {
    stream: TcpStream,
    handle: Handle,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Cuts one connection.
#[derive(Debug, Clone)]
pub(super) struct Handle(CancellationToken);

impl Handle {
    pub(super) fn cut(&self) {
        self.0.cancel();
    }
}

impl Listener for Doorway {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, from) = Listener::accept(&mut self.listener).await;
        let token = self.open.child_token();
        let cut = Box::pin(token.clone().cancelled_owned());
        (Line { stream, handle: Handle(token), cut }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Doorway>> for Handle {
    fn connect_info(stream: IncomingStream<'_, Doorway>) -> Self {
        stream.io().handle.clone()
    }
}

impl Line {
    /// Wakes the task when the line is cut while it waits.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
