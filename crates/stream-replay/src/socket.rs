//! A connection as the players see it: TCP, or TLS over it once a script has said so.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

#[cfg(feature = "tls")]
use crate::tls::TlsSession;

/// The server's end of a connection.
#[derive(Debug)]
pub(crate) struct Socket {
    tcp: TcpStream,
    #[cfg(feature = "tls")]
    tls: Option<Box<TlsSession>>,
}

impl Socket {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        // Without it, a chunk can wait in the kernel for the acknowledgement of the one before.
        let _ = tcp.set_nodelay(true);
        Self {
            tcp,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// What is below TLS.
    pub(crate) fn tcp(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }

    /// FIN at once, without the `close_notify` that TLS wants before it (RFC 8446 §6.1).
    pub(crate) async fn fin(&mut self) -> io::Result<()> {
        self.tcp.shutdown().await
    }

    /// The connection ends with an RST when it is dropped.
    pub(crate) fn reset(&self) {
        let _ = self.tcp.set_zero_linger();
    }

    /// Everything from here on goes through this session.
    #[cfg(feature = "tls")]
    pub(crate) fn secure(&mut self, session: TlsSession) {
        self.tls = Some(Box::new(session));
    }

    /// Sends a `close_notify` where TLS is spoken.
    #[cfg(feature = "tls")]
    pub(crate) async fn close_notify(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.close_notify();
        }
        self.flush().await
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        #[cfg(feature = "tls")]
        {
            let this = &mut *self;
            if let Some(tls) = &mut this.tls {
                return tls.poll_read(&mut this.tcp, cx, buf);
            }
        }
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        #[cfg(feature = "tls")]
        {
            let this = &mut *self;
            if let Some(tls) = &mut this.tls {
                return tls.poll_write(&mut this.tcp, cx, data);
            }
        }
        Pin::new(&mut self.tcp).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        #[cfg(feature = "tls")]
        {
            let this = &mut *self;
            if let Some(tls) = &mut this.tls {
                return tls.poll_flush(&mut this.tcp, cx);
            }
        }
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    /// A proper end: with `close_notify` where TLS is spoken.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        #[cfg(feature = "tls")]
        {
            let this = &mut *self;
            if let Some(tls) = &mut this.tls {
                tls.close_notify();
                std::task::ready!(tls.poll_flush(&mut this.tcp, cx))?;
            }
        }
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
