//! One client connection: requests in, scripted answers out.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::fault::{FaultScript, Section, play_fault};
use crate::head::Persistence;
use crate::inbound::{self, Inbound, NoRequest};
use crate::journal::Journal;
use crate::player::{HungUp, play};
use crate::refusal::Refusal;
use crate::request::RecordedRequest;
use crate::response::{Answer, Response};
use crate::script::End;
use crate::socket::Socket;
#[cfg(feature = "tls")]
use crate::tls::TestAuthority;
use crate::websocket::{converse, handshake};

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) responses: Vec<Response>,
    /// What comes before the responses.
    pub(crate) fault: Option<FaultScript>,
    pub(crate) journal: Journal,
    /// Who vouches for the server, where a script speaks TLS without a certificate of its own.
    #[cfg(feature = "tls")]
    pub(crate) authority: Option<TestAuthority>,
}

impl Shared {
    /// The answer to request number `index`: later requests get the last one again.
    fn response(&self, index: usize) -> Response {
        let last = self.responses.last();
        self.responses
            .get(index)
            .or(last)
            .cloned()
            .unwrap_or_else(|| Response::text(500, "this replay server has no response configured"))
    }
}

/// Serves connection number `connection` until either side ends it.
pub(crate) async fn serve(stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    let mut stream = Socket::new(stream);
    match converse_with(&mut stream, connection, &shared).await {
        Ok(End::Reset) => stream.reset(),
        Ok(End::Close | End::KeepAlive) => {
            let _ = stream.shutdown().await;
        }
        Err(HungUp) => shared.journal.count_disconnect(),
    }
}

/// The script first, where there is one, then the responses.
async fn converse_with(stream: &mut Socket, connection: usize, shared: &Shared) -> Result<End, HungUp> {
    let mut inbound = Inbound::default();
    if let Some(script) = &shared.fault {
        match fault(stream, &mut inbound, &script.section(connection), connection, shared).await? {
            End::KeepAlive => {}
            end => return Ok(end),
        }
    }
    answer_all(stream, inbound, connection, shared).await
}

async fn answer_all(
    stream: &mut Socket,
    mut inbound: Inbound,
    connection: usize,
    shared: &Shared,
) -> Result<End, HungUp> {
    loop {
        let (head, body) = match inbound.request(stream).await {
            Ok(request) => request,
            Err(NoRequest::HungUp) => return Err(HungUp),
            Err(NoRequest::Refused(refusal)) => {
                return refuse(stream, refusal).await;
            }
        };
        let persistence = head.persistence;
        let handshake = handshake::verify(&head);
        let index = shared.journal.record(RecordedRequest::new(connection, head, body));
        match shared.response(index).answer(handshake) {
            Answer::Http(response) => match play(stream, &mut inbound, response.steps(persistence)).await? {
                End::KeepAlive => {}
                end => return Ok(end),
            },
            Answer::Fault(section) => match fault(stream, &mut inbound, &section, connection, shared).await? {
                End::KeepAlive => {}
                end => return Ok(end),
            },
            Answer::WebSocket { opening, script } => {
                play(stream, &mut inbound, opening.into_iter()).await?;
                return converse(stream, inbound.into_unread(), &script, connection, &shared.journal).await;
            }
        }
    }
}

/// Runs a script. A request that it waits for and that cannot be read is refused as always.
async fn fault(
    stream: &mut Socket,
    inbound: &mut Inbound,
    section: &Section,
    connection: usize,
    shared: &Shared,
) -> Result<End, HungUp> {
    match play_fault(stream, inbound, section, connection, shared).await {
        Ok(end) => Ok(end),
        Err(NoRequest::HungUp) => Err(HungUp),
        Err(NoRequest::Refused(refusal)) => refuse(stream, refusal).await,
    }
}

/// Sends a refusal and reads on until the client has seen it. What the client does meanwhile does
/// not matter: it may well still be sending.
pub(crate) async fn refuse(stream: &mut Socket, refusal: Refusal) -> Result<End, HungUp> {
    let response = refusal.into_response();
    let end = play(stream, &mut Inbound::default(), response.steps(Persistence::Close)).await?;
    stream.shutdown().await.map_err(|_| HungUp)?;
    inbound::drain(stream).await;
    Ok(end)
}
