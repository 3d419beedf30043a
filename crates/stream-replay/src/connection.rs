//! One client connection: requests in, scripted answers out.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::head::{Head, Persistence};
use crate::inbound::{self, Inbound, NoRequest};
use crate::journal::Journal;
use crate::player::{HungUp, play};
use crate::request::RecordedRequest;
use crate::response::{Answer, Response};
use crate::script::End;
use crate::websocket::{converse, handshake};

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) responses: Vec<Response>,
    pub(crate) journal: Journal,
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
pub(crate) async fn serve(mut stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    // Without it, a chunk can wait in the kernel for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    match answer_all(&mut stream, connection, &shared).await {
        Ok(End::Reset) => {
            let _ = stream.set_zero_linger();
        }
        Ok(End::Close | End::KeepAlive) => {
            let _ = stream.shutdown().await;
        }
        Err(HungUp) => shared.journal.count_disconnect(),
    }
}

async fn answer_all(stream: &mut TcpStream, connection: usize, shared: &Shared) -> Result<End, HungUp> {
    let mut inbound = Inbound::default();
    loop {
        let (head, body) = match inbound.request(stream).await {
            Ok(request) => request,
            Err(NoRequest::HungUp) => return Err(HungUp),
            Err(NoRequest::Refused(refusal)) => {
                return refuse(stream, &refusal.into_response()).await;
            }
        };
        let persistence = head.persistence;
        let handshake = handshake::verify(&head);
        let index = shared.journal.record(recorded(connection, head, body));
        match shared.response(index).answer(handshake) {
            Answer::Http(response) => match play(stream, &mut inbound, response.steps(persistence)).await? {
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

/// Sends a refusal and reads on until the client has seen it. What the client does meanwhile does
/// not matter: it may well still be sending.
async fn refuse(stream: &mut TcpStream, response: &Response) -> Result<End, HungUp> {
    let end = play(stream, &mut Inbound::default(), response.steps(Persistence::Close)).await?;
    stream.shutdown().await.map_err(|_| HungUp)?;
    inbound::drain(stream).await;
    Ok(end)
}

fn recorded(connection: usize, head: Head, body: Bytes) -> RecordedRequest {
    RecordedRequest { connection, method: head.method, path: head.target, headers: head.headers, body }
}
