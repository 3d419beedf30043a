//! A WebSocket between a client and the service, byte for byte.

use std::error::Error;
use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use http_transport::{Exchange, Head as Answer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::forward::send;
use super::tap::Taps;
use super::tape::Tape;
use crate::cassette::{Peer, RecordedEnd};
use crate::inbound;
use crate::player::HungUp;
use crate::response::AnswerHead;
use crate::script::End;
use crate::socket::Socket;

/// How much is asked of a socket at once.
const READ_SIZE: usize = 16 * 1024;

/// What an error of the service's side was, and what the client gets to see of it.
pub(super) fn end_of(error: &(dyn Error + 'static)) -> (RecordedEnd, End) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)) {
            return (RecordedEnd::Reset, End::Reset);
        }
        cause = error.source();
    }
    (RecordedEnd::Cut, End::Close)
}

/// How one direction ended.
enum Over {
    /// Its sender said FIN.
    Eof,
    /// Its sender's side broke.
    Broken(io::Error),
    /// Its receiver does not take any more.
    Unwanted,
}

/// Passes everything on, from the 101 to the end of the connection.
pub(super) async fn websocket(
    stream: &mut Socket,
    unread: BytesMut,
    exchange: Exchange,
    answer: &Answer,
    tape: &mut Tape,
) -> Result<End, HungUp> {
    let Ok(upgraded) = exchange.into_upgraded() else { return Ok(End::Close) };
    let mut head = AnswerHead::new(101);
    for (name, value) in &answer.headers {
        head.line(name.as_str(), value.as_bytes());
    }
    if send(stream, &head.end()).await.is_err() {
        tape.end(RecordedEnd::HangUp);
        return Err(HungUp);
    }
    let listeners = Mutex::new(Taps::new(tape));
    let listen = |peer: Peer, bytes: &[u8]| listeners.lock().unwrap_or_else(PoisonError::into_inner).hear(peer, bytes);
    let ended = {
        let (client_reader, client_writer) = tokio::io::split(&mut *stream);
        let (server_reader, server_writer) = tokio::io::split(upgraded);
        let up = pump(client_reader, server_writer, unread, |bytes| listen(Peer::Client, bytes));
        let down = pump(server_reader, client_writer, BytesMut::new(), |bytes| listen(Peer::Server, bytes));
        tokio::pin!(up, down);
        tokio::select! {
            biased;
            over = &mut down => (Peer::Server, over),
            over = &mut up => (Peer::Client, over),
        }
    };
    let mut listeners = listeners.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (closed, broken) = (listeners.both_closed(), listeners.take_broken());
    let (end, cut) = match ended {
        (_, Over::Eof | Over::Unwanted) if closed => (RecordedEnd::Finish, Ok(End::Close)),
        // A service that does not read has gone as well.
        (Peer::Server, Over::Eof) | (Peer::Client, Over::Unwanted) => (RecordedEnd::Cut, Ok(End::Close)),
        (Peer::Server, Over::Broken(error)) => {
            let (end, cut) = end_of(&error);
            (end, Ok(cut))
        }
        (Peer::Server, Over::Unwanted) | (Peer::Client, Over::Eof | Over::Broken(_)) => {
            (RecordedEnd::HangUp, Err(HungUp))
        }
    };
    // The recording ends where it was understood last, whoever ended the connection.
    let broken = broken.map(|error| format!("the WebSocket is not understood any more: {error}"));
    tape.end(broken.map_or(end, RecordedEnd::Failed));
    if matches!(cut, Ok(End::Close)) {
        let _ = stream.shutdown().await;
        inbound::drain(stream).await;
    }
    cut
}

/// Moves bytes until one side ends; `pending` goes first.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut pending: BytesMut,
    hear: impl Fn(&[u8]),
) -> Over {
    loop {
        if !pending.is_empty() {
            hear(&pending);
            if send(&mut to, &pending).await.is_err() {
                return Over::Unwanted;
            }
            pending.clear();
        }
        pending.reserve(READ_SIZE);
        match from.read_buf(&mut pending).await {
            Ok(0) => {
                let _ = to.shutdown().await;
                return Over::Eof;
            }
            Ok(_) => {}
            Err(error) => return Over::Broken(error),
        }
    }
}
