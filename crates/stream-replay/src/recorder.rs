//! A proxy that writes cassettes of what passes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, fs, io};

use http_transport::{Decoding, Transport};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::accept::AcceptLoop;
use crate::cassette::Cassette;
use crate::server::base_url;
use crate::socket::Socket;

mod error;
mod forward;
mod in_band;
mod query;
mod redaction;
mod relay;
mod secrets;
mod shelf;
mod tap;
mod tape;
mod upstream;

pub use error::RecorderError;
use shelf::Shelf;
use upstream::Upstream;

/// A running proxy in front of a service: what passes goes on as it comes, and one cassette is written for each request
/// (a WebSocket counts as one, with all that is said on it).
///
/// Cassettes are named `0001-responses.cassette` and so on, by the order in which requests came and the last part of
/// their path, so that playing all of them in the order of their names plays the whole turn again. Each is written when
/// its exchange has ended, or when the recorder stops: what there is by then, as
/// [`RecordedEnd::Open`](crate::RecordedEnd). No file is ever there by half, and none is overwritten: numbers go on
/// behind those in the folder.
///
/// A request is read whole before it is sent on. `accept-encoding` and WebSocket extensions are not passed on, because
/// what is compressed can neither be read nor redacted; a body that comes compressed all the same is passed on and not
/// recorded. When the service cannot be reached, the client gets a 502 with the reason, and so does the cassette.
///
/// # Redaction
///
/// In a cassette stands `[redacted]` in the place of every value of a header, a field of JSON, a cookie or a parameter
/// (of the target, of URLs in headers, and of forms) whose name says that it is a credential, a key or a turn state; of
/// the user information in such URLs; of all strings in an array or object below such a field; and of each such value
/// wherever else it turns up. A field of JSON that is called `token` alone is a piece of text, and stays. Requests'
/// bodies and clients' messages are withheld, but for their length and digest ([`Bodies`]). There is no way to switch
/// this off: replay needs none of it.
pub struct Recorder {
    addr: SocketAddr,
    shelf: Arc<Shelf>,
    accept_loop: AcceptLoop,
}

/// What becomes of what clients say: bodies of requests, and messages on a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Bodies {
    /// Their length and SHA-256. Prompts are the most private part of a recording, and a replay does not look at
    /// them.
    #[default]
    Withhold,
    /// They are kept, secrets redacted.
    Keep,
}

impl Recorder {
    /// A recorder in front of the service at this URL, to be configured. A URL with a path (`https://host/v1`) is the
    /// base that clients call `/v1`; one without gets the paths of clients as they are.
    pub fn builder(upstream: impl Into<String>) -> RecorderBuilder {
        RecorderBuilder {
            upstream: upstream.into(),
            folder: PathBuf::from("."),
            listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            bodies: Bodies::default(),
            transport: None,
            clock: None,
            on_written: Arc::new(|_, _| {}),
        }
    }

    /// The address that is listened on, with the port that was chosen.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL for clients, `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        base_url(self.addr)
    }

    /// Waits until at least `n` cassettes were written, or could not be.
    pub async fn wait_for_cassettes(&self, n: usize) {
        self.shelf.wait_for(n).await;
    }

    /// Closes the listener and all connections, and returns when all that was under way is written.
    pub async fn shutdown(self) {
        self.accept_loop.stop().await;
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Configures a [`Recorder`].
pub struct RecorderBuilder {
    upstream: String,
    folder: PathBuf,
    listen: SocketAddr,
    bodies: Bodies,
    transport: Option<Transport>,
    clock: Option<Clock>,
    on_written: OnWritten,
}

/// The time since some moment that does not change.
type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;
/// Told of each cassette.
type OnWritten = Arc<dyn Fn(&Path, io::Result<&Cassette>) + Send + Sync>;

impl RecorderBuilder {
    /// Where cassettes are written; the folder is made if it is not there. Default: the current folder.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Listens here instead of `127.0.0.1:0`; port 0 lets the system choose one.
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen = addr;
        self
    }

    /// What becomes of requests' bodies. Default: [`Bodies::Withhold`].
    pub fn bodies(mut self, bodies: Bodies) -> Self {
        self.bodies = bodies;
        self
    }

    /// Asks the service with this. Default: proxies and root certificates from the usual variables of the environment,
    /// and no limit for the response head, which is for the client to set.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Reads times from this clock: the time since whatever moment. Default: tokio's clock.
    pub fn clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Calls this after each cassette, with its path and what was written, if it could be. It may be called from any
    /// thread.
    pub fn on_written(mut self, told: impl Fn(&Path, io::Result<&Cassette>) + Send + Sync + 'static) -> Self {
        self.on_written = Arc::new(told);
        self
    }

    /// Binds the listener and starts to serve, on the tokio runtime of the caller (I/O and time must be enabled).
    /// The error says what of the settings cannot be used: the URL, the folder, the certificates or the address.
    pub async fn start(self) -> Result<Recorder, RecorderError> {
        let upstream = Upstream::parse(&self.upstream)?;
        fs::create_dir_all(&self.folder)
            .map_err(|source| RecorderError::Folder { path: self.folder.clone(), source })?;
        let highest = shelf::last_number(&self.folder)
            .map_err(|source| RecorderError::Folder { path: self.folder.clone(), source })?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Transport::builder()
                .head_timeout(None)
                .decoding(Decoding::Raw)
                .build()
                .map_err(|source| RecorderError::Transport { source: source.into() })?,
        };
        let listener = TcpListener::bind(self.listen)
            .await
            .and_then(|listener| Ok((listener.local_addr()?, listener)))
            .map_err(|source| RecorderError::Listen { addr: self.listen, source })?;
        let (addr, listener) = listener;
        let begun = Instant::now();
        let clock = self.clock.unwrap_or_else(|| Arc::new(move || begun.elapsed()));
        let recordings = Arc::new(Shelf::new(self.folder, highest, self.bodies, clock, self.on_written));
        let proxy = Arc::new(Proxy { upstream, transport, shelf: Arc::clone(&recordings) });
        let accept_loop = AcceptLoop::spawn(listener, move |stream, _| {
            let proxy = Arc::clone(&proxy);
            async move { forward::serve(Socket::new(stream), &proxy).await }
        });
        Ok(Recorder { addr, shelf: recordings, accept_loop })
    }
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderBuilder")
            .field("folder", &self.folder)
            .field("listen", &self.listen)
            .field("bodies", &self.bodies)
            .finish_non_exhaustive()
    }
}

/// What all connections share.
struct Proxy {
    upstream: Upstream,
    transport: Transport,
    shelf: Arc<Shelf>,
}
