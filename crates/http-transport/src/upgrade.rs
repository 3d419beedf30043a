//! The way out of HTTP: a connection that speaks another protocol behind a 101.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::{HeaderMap, Method, Request, StatusCode, header};
use tokio::io::{AsyncRead, ReadBuf};

use crate::dial::BoxStream;
use crate::forward::forward_writes;
use crate::list;
use crate::target::Endpoint;

/// Whether a connection may still leave HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    /// The request asked for it, and no head has refused it.
    Possible,
    /// The request is a `CONNECT`, and no head has refused it.
    Tunnel,
    Excluded,
}

impl Switch {
    /// What a request asks for.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        if request.method() == Method::CONNECT { Self::Tunnel } else { Self::asked_by(request.headers()) }
    }

    /// Whether an answer with this status ends HTTP on the connection (RFC 9110, sections 9.3.6 and 15.2.2).
    pub(crate) fn happens_at(self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS || self == Self::Tunnel && status.is_success()
    }

    /// What the headers of a request ask for (RFC 9110, section 7.8): `upgrade` counts only where `connection`
    /// names it.
    pub(crate) fn asked_by(headers: &HeaderMap) -> Self {
        let is_named = list::members(headers, header::CONNECTION).any(|option| option.eq_ignore_ascii_case(b"upgrade"));
        if is_named && headers.contains_key(header::UPGRADE) { Self::Possible } else { Self::Excluded }
    }
}

/// A connection that has left HTTP: what the server sends comes out of it byte for byte, beginning right behind the
/// head of the 101, and what is written to it goes out as it is.
///
/// It speaks tokio's I/O traits and works only while it is polled. No deadline lies over it. Dropping it closes the
/// socket at once, whatever is still unread; `poll_shutdown` ends the writing half alone.
pub struct Upgraded {
    endpoint: Arc<Endpoint>,
    stream: BoxStream,
    /// Came with the head, and is read first.
    leftover: Bytes,
}

impl Upgraded {
    pub(crate) fn new(endpoint: Arc<Endpoint>, stream: BoxStream, leftover: Bytes) -> Self {
        Self { endpoint, stream, leftover }
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.leftover.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let count = this.leftover.len().min(buf.remaining());
        buf.put_slice(&this.leftover[..count]);
        this.leftover.advance(count);
        if this.leftover.is_empty() {
            // An empty slice would keep hyper's read buffer alive.
            this.leftover = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

forward_writes!(Upgraded);

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded")
            .field("endpoint", &format_args!("{}", self.endpoint))
            .field("leftover", &format_args!("{} bytes", self.leftover.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
