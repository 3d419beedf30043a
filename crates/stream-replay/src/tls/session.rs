//! A TLS connection whose every record goes through our hands, so that it can stop or break at any of them.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use rustls::{ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// How much is asked of the socket at once.
const READ_SIZE: usize = 16 * 1024;

/// The server's side of a TLS connection (RFC 8446, RFC 5246) over a TCP connection that each call is given.
#[derive(Debug)]
pub(crate) struct TlsSession {
    connection: ServerConnection,
    /// Records of the client that were not looked at yet.
    received: BytesMut,
    /// Records that were not written yet.
    unsent: BytesMut,
}

impl TlsSession {
    /// Makes the handshake. `ahead` is what the client has sent already.
    pub(crate) async fn accept(tcp: &mut TcpStream, config: Arc<ServerConfig>, ahead: BytesMut) -> io::Result<Self> {
        let mut session = Self::new(config, ahead)?;
        while session.connection.is_handshaking() || session.connection.wants_write() {
            match session.take_received() {
                // Of a client that is refused: it is told, then left.
                Err(error) => {
                    let _ = tcp.write_all_buf(&mut session.unsent).await;
                    return Err(error);
                }
                Ok(Received::Some) => {}
                Ok(Received::Nothing) if !session.unsent.is_empty() => {}
                Ok(Received::Nothing) => read(tcp, &mut session.received).await?,
            }
            tcp.write_all_buf(&mut session.unsent).await?;
        }
        Ok(session)
    }

    /// Says that nothing more comes (RFC 8446 §6.1); to be flushed.
    pub(crate) fn close_notify(&mut self) {
        self.connection.send_close_notify();
        self.take_unsent();
    }

    pub(crate) fn poll_read(
        &mut self,
        tcp: &mut TcpStream,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.connection.reader().read(buf.initialize_unfilled()) {
                Ok(length) => {
                    buf.advance(length);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            if matches!(self.take_received()?, Received::Some) {
                // Answers of the protocol itself, such as a key update. Whether they leave now is all the same here.
                let _ = self.poll_flush(tcp, cx)?;
                continue;
            }
            let mut records = [0; READ_SIZE];
            let mut read = ReadBuf::new(&mut records);
            ready!(Pin::new(&mut *tcp).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                // The client has left, with a word or without.
                return Poll::Ready(Ok(()));
            }
            self.received.extend_from_slice(read.filled());
        }
    }

    pub(crate) fn poll_write(
        &mut self,
        tcp: &mut TcpStream,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(tcp, cx))?;
        let length = self.connection.writer().write(data)?;
        self.take_unsent();
        // It leaves now, or when the socket is flushed.
        let _ = self.poll_flush(tcp, cx)?;
        Poll::Ready(Ok(length))
    }

    pub(crate) fn poll_flush(&mut self, tcp: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut *tcp).poll_write(cx, &self.unsent))?;
            self.unsent.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    fn new(config: Arc<ServerConfig>, ahead: BytesMut) -> io::Result<Self> {
        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self { connection, received: ahead, unsent: BytesMut::new() })
    }

    /// Reads records that have arrived, and puts down what they are answered with.
    fn take_received(&mut self) -> io::Result<Received> {
        let taken = if self.received.is_empty() {
            Received::Nothing
        } else {
            let length = self.connection.read_tls(&mut &self.received[..])?;
            self.received.advance(length);
            Received::Some
        };
        let processed = self.connection.process_new_packets().map_err(io::Error::other);
        self.take_unsent();
        processed.map(|_| taken)
    }

    fn take_unsent(&mut self) {
        let mut records = Vec::new();
        // Writing to memory does not fail.
        while self.connection.wants_write() && self.connection.write_tls(&mut records).is_ok() {}
        self.unsent.extend_from_slice(&records);
    }
}

/// Whether there was anything to take.
enum Received {
    Some,
    Nothing,
}

/// All that a server sends in answer to a `ClientHello`: as a rule up to its `Finished`.
pub(crate) async fn flight(tcp: &mut TcpStream, config: Arc<ServerConfig>, ahead: BytesMut) -> io::Result<BytesMut> {
    let mut session = TlsSession::new(config, ahead)?;
    loop {
        // What cannot be understood is answered with an alert, which is a flight too.
        let taken = session.take_received();
        if !session.unsent.is_empty() {
            return Ok(session.unsent);
        }
        if matches!(taken?, Received::Nothing) {
            read(tcp, &mut session.received).await?;
        }
    }
}

/// Reads at least one byte; the end of the stream is an error.
async fn read(tcp: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<()> {
    buffer.reserve(READ_SIZE);
    match tcp.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
