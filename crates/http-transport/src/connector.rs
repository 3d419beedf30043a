//! Connections of one's own, in place of name look-up and TCP: a Unix socket, an in-memory pipe, a tunnel.
//!
//! A [`Connector`] is asked for a byte stream to a host and a port. Everything else is as usual: TLS and the
//! negotiation with a proxy go over the stream, the connect timeout lies over the connector, the connection is used
//! again, and what the connector fails with is the source of an error with
//! [`ErrorKind::Connect`](crate::ErrorKind::Connect). With a proxy it is the proxy that the connector is asked for;
//! [`ProxySettings::Direct`](crate::ProxySettings) goes without those of the environment.
//!
//! A service behind a Unix socket:
//!
//! ```no_run
//! # #[cfg(unix)] fn example() -> Result<(), http_transport::Error> {
//! use http_transport::{ProxySettings, Transport, connector};
//! use tokio::net::UnixStream;
//!
//! let socket = connector::from_fn(|_| UnixStream::connect("/run/model.sock"));
//! let transport = Transport::builder().connector(socket).proxy(ProxySettings::Direct).build()?;
//! // Host and port are for the `host` header, and for the pool.
//! # let _ = transport; Ok(()) }
//! ```
//!
//! A service in memory, for tests, that nobody has to bind a port for:
//!
//! ```
//! use http_transport::{ProxySettings, Request, Transport, connector};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let pipe = connector::from_fn(|destination| async move {
//!     assert_eq!(destination.to_string(), "model.test:80");
//!     let (near, mut far) = duplex(64 * 1024);
//!     tokio::spawn(async move {
//!         let mut request = [0; 1024];
//!         far.read(&mut request).await?;
//!         far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await
//!     });
//!     Ok::<_, std::io::Error>(near)
//! });
//! let transport = Transport::builder().connector(pipe).proxy(ProxySettings::Direct).build()?;
//! let mut exchange = transport.open(Request::get("http://model.test/".parse()?, http::HeaderMap::new()));
//! assert_eq!(exchange.head().await?.status, 200);
//! assert_eq!(exchange.data().await.unwrap()?, "hi");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::target::Endpoint;

/// Opens connections.
pub trait Connector: Send + Sync + 'static {
    /// Begins to connect. The future is polled in place, under the connect timeout, and dropped with the exchange,
    /// unless another connection came free for that one meanwhile: then a task brings it to its end. A
    /// [`std::io::Error`] that it ends with is understood.
    fn connect(&self, destination: Destination) -> Connecting;
}

/// A connection that is being opened.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Box<dyn ByteStream>, BoxError>> + Send>>;

/// Why a connection could not be opened: any error.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What HTTP and TLS can be spoken over. Its end is an end of file, and dropping it closes it.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> ByteStream for S {}

/// Where a connection is to lead. Displays as `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    authority: String,
    host: String,
    port: u16,
}

impl Destination {
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        Self { authority: endpoint.authority(), host: endpoint.host.clone(), port: endpoint.port }
    }

    /// A name or an address; that of IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port of the URI, or of its scheme.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

/// A connector from a function that returns a future of a stream.
pub fn from_fn<F, R, S, E>(connect: F) -> impl Connector
where
    F: Fn(Destination) -> R + Send + Sync + 'static,
    R: Future<Output = Result<S, E>> + Send + 'static,
    S: ByteStream,
    E: Into<BoxError>,
{
    FromFn(move |destination| -> Connecting {
        let connecting = connect(destination);
        Box::pin(async move {
            match connecting.await {
                Ok(stream) => Ok(Box::new(stream) as Box<dyn ByteStream>),
                Err(error) => Err(error.into()),
            }
        })
    })
}

struct FromFn<F>(F);

impl<F: Fn(Destination) -> Connecting + Send + Sync + 'static> Connector for FromFn<F> {
    fn connect(&self, destination: Destination) -> Connecting {
        self.0(destination)
    }
}

impl<C: Connector + ?Sized> Connector for Arc<C> {
    fn connect(&self, destination: Destination) -> Connecting {
        (**self).connect(destination)
    }
}

/// The connector of a transport, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Plug(pub(crate) Option<Arc<dyn Connector>>);

impl fmt::Debug for Plug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "own" } else { "TCP" })
    }
}
