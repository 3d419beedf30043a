//! The server: a listener, its accept loop, and handles to look inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::{fmt, io};

use tokio::net::TcpListener;

use crate::accept::AcceptLoop;
use crate::cassette::Cassette;
use crate::connection::{Shared, serve};
use crate::fault::FaultScript;
use crate::journal::Journal;
use crate::message::RecordedMessage;
use crate::request::RecordedRequest;
use crate::response::Response;
use crate::speed::Speed;
#[cfg(feature = "tls")]
use crate::tls::TestAuthority;

/// A running replay server. Any method (but `HEAD`) and any path gets the scripted answer.
///
/// Request N gets the N-th response in the order in which requests were completely read, later ones
/// get the last response again; without any response the answer is a 500 that says so. Requests
/// that cannot be read are refused with a 400, 413 (body above 64 MiB), 431 (head above 64 KiB) or
/// 505 (not HTTP/1.1) and a text; they are not recorded and use up no response.
///
/// A WebSocket handshake is a request like any other: it is recorded and gets the next response,
/// which answers it with a 101 ([`Response::websocket`], [`Response::sse`]) or with plain HTTP (any
/// other). The messages that follow are recorded on their own and use up no response.
///
/// The server stops when it is dropped, and all its connections close; [`shutdown`](Self::shutdown)
/// also waits for that.
pub struct ReplayServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    accept_loop: AcceptLoop,
}

impl ReplayServer {
    /// A server to be configured.
    pub fn builder() -> ReplayServerBuilder {
        ReplayServerBuilder::default()
    }

    /// The address that is listened on, with the port that was chosen.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL for clients, `http://127.0.0.1:PORT/v1`. A server that listens on every address
    /// is named by its loopback address.
    pub fn base_url(&self) -> String {
        base_url(self.addr)
    }

    /// The certificate (in DER) of the authority that vouches for this server, for clients to trust. It is made anew
    /// for each server whose scripts speak TLS with a certificate of the server's making ([`FaultScript`]); others have
    /// none. That certificate holds for `localhost`, `127.0.0.1` and `::1`.
    #[cfg(feature = "tls")]
    pub fn root_certificate(&self) -> Option<&[u8]> {
        self.shared.authority.as_ref().map(TestAuthority::root)
    }

    /// The requests so far, in the order in which they were completely read.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.journal.requests()
    }

    /// Waits until at least `n` requests were completely read, counted from the start of the
    /// server.
    pub async fn wait_for_requests(&self, n: usize) {
        self.shared.journal.wait_for_requests(n).await;
    }

    /// The WebSocket messages of all clients so far, in the order in which they were completely
    /// read.
    pub fn messages(&self) -> Vec<RecordedMessage> {
        self.shared.journal.messages()
    }

    /// Waits until at least `n` WebSocket messages were completely read, counted from the start of
    /// the server.
    pub async fn wait_for_messages(&self, n: usize) {
        self.shared.journal.wait_for_messages(n).await;
    }

    /// Waits until clients have sent at least `n` pongs, counted from the start of the server: so a
    /// test sees that an [`Exchange::ping`](crate::Exchange::ping) was answered.
    pub async fn wait_for_pongs(&self, n: usize) {
        self.shared.journal.wait_for_pongs(n).await;
    }

    /// Waits until clients have hung up on at least `n` connections, counted from the start of the
    /// server.
    ///
    /// A hang-up is a close (FIN, of the sending side alone too) or a reset by the client, inside
    /// an answer or between two, and on a WebSocket its Close frame too; each connection counts at
    /// most once. Connections that the server ended first do not count. An answer stops where its
    /// client hung up.
    pub async fn wait_for_disconnects(&self, n: usize) {
        self.shared.journal.wait_for_disconnects(n).await;
    }

    /// Closes the listener and all connections, inside answers too, and waits until that is done.
    pub async fn shutdown(self) {
        self.accept_loop.stop().await;
    }
}

impl fmt::Debug for ReplayServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayServer").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Configures a [`ReplayServer`].
#[derive(Debug, Clone)]
pub struct ReplayServerBuilder {
    listen: SocketAddr,
    responses: Vec<Response>,
    fault: Option<FaultScript>,
}

impl ReplayServerBuilder {
    /// Adds the answer to the next request.
    pub fn respond(mut self, response: impl Into<Response>) -> Self {
        self.responses.push(response.into());
        self
    }

    /// Adds the answers of a recording ([`Response::all_recorded`]).
    pub fn cassette(mut self, cassette: &Cassette, speed: Speed) -> Self {
        self.responses.extend(Response::all_recorded(cassette, speed));
        self
    }

    /// Does this to connections before the responses get their turn (and instead of them, where the script does not
    /// say `serve`): from the moment at which a connection is accepted, and whatever protocol is spoken on it.
    pub fn fault(mut self, script: FaultScript) -> Self {
        self.fault = Some(script);
        self
    }

    /// Listens here instead of `127.0.0.1:0`; port 0 lets the system choose one.
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen = addr;
        self
    }

    /// Binds the listener and starts to serve, on the tokio runtime of the caller (I/O and time
    /// must be enabled). The error is that of the listener: address in use, or not available here (or that no
    /// certificate could be made, where a script wants one).
    pub async fn start(self) -> io::Result<ReplayServer> {
        let listener = TcpListener::bind(self.listen).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            #[cfg(feature = "tls")]
            authority: if self.wants_authority() { Some(TestAuthority::generate()?) } else { None },
            responses: self.responses,
            fault: self.fault,
            journal: Journal::default(),
        });
        let all = Arc::clone(&shared);
        let accept_loop =
            AcceptLoop::spawn(listener, move |stream, connection| serve(stream, connection, Arc::clone(&all)));
        Ok(ReplayServer { addr, shared, accept_loop })
    }

    #[cfg(feature = "tls")]
    fn wants_authority(&self) -> bool {
        let of_responses = self.responses.iter().filter_map(Response::script);
        self.fault.iter().chain(of_responses).any(FaultScript::wants_authority)
    }
}

impl Default for ReplayServerBuilder {
    fn default() -> Self {
        Self { listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0), responses: Vec::new(), fault: None }
    }
}

/// What clients call a server that listens there.
pub(crate) fn base_url(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}/v1", SocketAddr::new(ip, addr.port()))
}
