//! An open WebSocket with its memory.

use std::{
    fmt,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE},
};
use http_transport::Upgraded;
use turn_session::{SocketMemory, TurnState};
use ws_codec::{ClientHandshake, Config, Error, Limits, MaskSeed, Message, Reuse, Role, SendError, Text};

use crate::{clock::now, seed::entropy};

/// The version of the protocol over WebSockets that is spoken; services that know only one ignore it.
const BETA: &str = "responses_websockets=2026-02-06";

/// The headers of a handshake: those of every request, without what is about a body.
pub(crate) fn handshake_headers(mut headers: HeaderMap, handshake: &ClientHandshake) -> HeaderMap {
    for body_header in [CONTENT_TYPE, ACCEPT, ACCEPT_ENCODING] {
        headers.remove(body_header);
    }
    headers.entry("openai-beta").or_insert(HeaderValue::from_static(BETA));
    headers.extend(handshake.headers());
    headers
}

/// An open WebSocket, polled in place by whoever holds it. Dropping it closes the connection.
pub(crate) struct Socket {
    connection: ws_codec::io::Connection<Upgraded>,
    pub(crate) memory: SocketMemory,
    /// The turn state that its handshake sent: it stands for the whole connection, which is of no other turn then.
    pub(crate) bound_to: Option<TurnState>,
}

impl Socket {
    /// A socket over a byte stream whose handshake has succeeded.
    pub(crate) fn new(stream: Upgraded, max_message_bytes: usize, bound_to: Option<TurnState>) -> Self {
        let config = Config::new().limits(Limits::new().max_message_bytes(max_message_bytes));
        let role = Role::Client(MaskSeed::new(entropy()));
        let connection = ws_codec::io::Connection::new(stream, role, config, now());
        Self { connection, memory: SocketMemory::default(), bound_to }
    }

    /// Takes a message for sending; it goes out while the answer is awaited.
    pub(crate) fn send(&mut self, message: Vec<u8>) -> Result<(), SendError> {
        // JSON that was just written is UTF-8.
        let text = Text::try_from(Bytes::from(message)).unwrap_or_default();
        self.connection.start_send(text)
    }

    /// The next message's payload; `None` when the socket was closed.
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Option<Result<Bytes, Error>>> {
        self.connection.poll_message(cx, now).map_ok(Message::into_bytes)
    }

    /// Whether the peer still answers; ready at once unless it was silent for long.
    pub(crate) fn poll_healthy(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Health> {
        match self.connection.reuse(now) {
            Reuse::Ready => Poll::Ready(Health::Good),
            Reuse::Probe => match self.connection.poll_probe(cx, now) {
                Poll::Ready(Ok(())) => Poll::Ready(Health::Good),
                Poll::Ready(Err(_)) => Poll::Ready(Health::Lost),
                Poll::Pending => Poll::Pending,
            },
            _ => Poll::Ready(Health::Lost),
        }
    }

    /// When to poll again, even if nothing arrived.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    /// Bytes that have been written in all, as long as there is more of a message to be written: answers to pings are
    /// no request on its way.
    pub(crate) fn bytes_sent(&self) -> Option<u64> {
        let is_sending = self.connection.protocol().is_sending();
        is_sending.then(|| self.connection.counters().bytes_sent)
    }

    /// Bytes that have arrived in all: pings count.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.connection.counters().bytes_received
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

/// What became of a socket while nobody used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Good,
    Lost,
}
