//! The reading side of a connection.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::chunked;
use crate::head::{self, BodyLength, Expect, Head, MAX_BODY, MAX_HEAD};
use crate::refusal::Refusal;
use crate::socket::Socket;

/// How much is asked of the socket at once.
const READ_SIZE: usize = 16 * 1024;

/// Why no request came.
#[derive(Debug)]
pub(crate) enum NoRequest {
    /// The client closed its side or reset the connection, between requests or inside one.
    HungUp,
    /// What came is no request that could be answered.
    Refused(Refusal),
}

impl From<Refusal> for NoRequest {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for NoRequest {
    fn from(_: io::Error) -> Self {
        Self::HungUp
    }
}

/// Bytes that were read and not yet used; what a client sends ahead stays here for the next
/// request.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    unread: BytesMut,
}

impl Inbound {
    /// Reads one whole request.
    pub(crate) async fn request(&mut self, stream: &mut Socket) -> Result<(Head, Bytes), NoRequest> {
        let head = self.head(stream).await?;
        if head.expect == Expect::Continue && self.unread.is_empty() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let body = match head.body {
            BodyLength::Known(length) => {
                while self.unread.len() < length {
                    self.fill(stream).await?;
                }
                self.unread.split_to(length).freeze()
            }
            BodyLength::Chunked => {
                let mut decoder = chunked::Decoder::default();
                loop {
                    if let Some(body) = decoder.decode(&mut self.unread)? {
                        break body;
                    }
                    self.fill(stream).await?;
                }
            }
        };
        Ok((head, body))
    }

    /// Reads one request head.
    pub(crate) async fn head(&mut self, stream: &mut Socket) -> Result<Head, NoRequest> {
        loop {
            if let Some((length, head)) = head::parse(&self.unread)? {
                self.unread.advance(length);
                return Ok(head);
            }
            self.fill(stream).await?;
        }
    }

    /// Reads this many bytes and throws them away.
    pub(crate) async fn skip(&mut self, stream: &mut Socket, mut length: usize) -> io::Result<()> {
        loop {
            let skipped = length.min(self.unread.len());
            self.unread.advance(skipped);
            length -= skipped;
            if length == 0 {
                return Ok(());
            }
            self.fill(stream).await?;
        }
    }

    /// Reads one record of TLS (RFC 8446 §5.1) and throws it away; of what is no TLS, the first byte.
    pub(crate) async fn skip_tls_record(&mut self, stream: &mut Socket) -> io::Result<()> {
        const HANDSHAKE: u8 = 22;
        const HEAD: usize = 5;
        loop {
            match self.unread[..] {
                [HANDSHAKE, _, _, high, low, ..] => {
                    let length = usize::from(u16::from_be_bytes([high, low]));
                    return self.skip(stream, HEAD + length).await;
                }
                [] | [HANDSHAKE, ..] => self.fill(stream).await?,
                [_, ..] => return self.skip(stream, 1).await,
            }
        }
    }

    /// What was read and not used: from here on it is looked at elsewhere.
    #[cfg(feature = "tls")]
    pub(crate) fn take_unread(&mut self) -> BytesMut {
        std::mem::take(&mut self.unread)
    }

    /// What was read and not used yet.
    pub(crate) fn unread(&mut self) -> &mut BytesMut {
        &mut self.unread
    }

    /// What was read behind the last request: after an upgrade it is of another protocol.
    pub(crate) fn into_unread(self) -> BytesMut {
        self.unread
    }

    /// Returns when the client hangs up, and keeps what it sends until then. With a request head's
    /// worth of bytes kept it stops looking: a client that floods ahead is not read any further
    /// before its turn.
    pub(crate) async fn hung_up(&mut self, mut stream: impl AsyncRead + Unpin) {
        while self.unread.len() < MAX_HEAD {
            if self.fill(&mut stream).await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Reads at least one byte; the end of the stream is an error.
    pub(crate) async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
        self.unread.reserve(READ_SIZE);
        match stream.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Throws away what the client still sends, up to the largest body. Closing a socket with unread
/// bytes resets it, and a reset can overtake the answer (RFC 9112 §9.6).
pub(crate) async fn drain(mut stream: impl AsyncRead + Unpin) {
    let mut scratch = vec![0; READ_SIZE];
    let mut left = MAX_BODY;
    while let Ok(length @ 1..) = stream.read(&mut scratch).await {
        left = left.saturating_sub(length);
        if left == 0 {
            return;
        }
    }
}
