//! What TLS had decrypted before it failed.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio_rustls::client::TlsStream;

use crate::forward::forward_writes;

use super::BoxStream;

/// A TLS connection of which nothing is lost that came before a record that cannot be read, or before an alert.
///
/// tokio-rustls tells of the failure at once, although the records before it, which came with the same read, may hold
/// the end of an answer.
pub(super) struct Decrypted {
    stream: TlsStream<BoxStream>,
    /// Why there is no more than what was handed out, told by the next read.
    failure: Option<io::Error>,
}

impl Decrypted {
    pub(super) fn new(stream: TlsStream<BoxStream>) -> Self {
        Self { stream, failure: None }
    }
}

impl AsyncRead for Decrypted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.failure.is_none() {
            match ready!(Pin::new(&mut this.stream).poll_read(cx, buf)) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(failure) => this.failure = Some(failure),
            }
        }
        // Nothing more is read from the connection: what is left has been decrypted already.
        let rest = this.stream.get_mut().1.reader().read(buf.initialize_unfilled()).unwrap_or(0);
        if rest > 0 {
            buf.advance(rest);
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(this.failure.take().map_or(Ok(()), Err))
    }
}

forward_writes!(Decrypted);
