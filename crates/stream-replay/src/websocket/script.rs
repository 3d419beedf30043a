//! What is said on one WebSocket.

use std::fmt;

use bytes::Bytes;

use super::exchange::Exchange;
use super::frame::{self, OpCode};

/// What the server does on one WebSocket connection.
///
/// Message N of the client gets the N-th exchange, later ones the last one again; without any
/// exchange messages are recorded and not answered. Messages that come during an exchange are
/// recorded at once and answered in turn. At all times pings are answered (of several that arrive
/// together the newest, RFC 6455 §5.5.3), and so is the client's Close, after which the server ends
/// TCP.
///
/// A client that breaks the protocol gets a Close: 1002, 1003 for a binary message, 1007 for text
/// that is not UTF-8, 1009 for a message above 64 MiB.
///
/// ```
/// use stream_replay::{Cut, Exchange, Gate, Response, WebSocketScript};
///
/// let read = Gate::new();
/// let script = WebSocketScript::new()
///     .exchange(Exchange::new().sse(concat!(
///         "data: {\"type\":\"response.created\"}\n\n",
///         "data: {\"type\":\"response.completed\"}\n\n",
///     )))
///     .exchange(Exchange::new().text(r#"{"type":"response.created"}"#).gate(read.clone()).cut(Cut::Reset));
/// let response = Response::websocket(script).header("x-codex-turn-state", "opaque");
/// # drop(response);
/// ```
#[derive(Clone, Default)]
pub struct WebSocketScript {
    greetings: Vec<Bytes>,
    exchanges: Vec<Exchange>,
}

impl WebSocketScript {
    /// A script without exchanges.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what follows the next message of the client.
    pub fn exchange(mut self, exchange: Exchange) -> Self {
        self.exchanges.push(exchange);
        self
    }

    /// Adds text messages that are sent before the client said anything, in one write with the 101:
    /// a client can find them behind the head in the same read.
    pub fn greet(mut self, texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let frames = texts.into_iter().map(|text| frame::encode(OpCode::Text, text.into().as_bytes()));
        self.greetings.extend(frames);
        self
    }

    /// Greets with a frame as it is.
    pub(crate) fn greet_with(mut self, frame: Bytes) -> Self {
        self.greetings.push(frame);
        self
    }

    pub(crate) fn greetings(&self) -> Bytes {
        self.greetings.concat().into()
    }

    /// The answer to message number `index` of a connection.
    pub(super) fn answer_to(&self, index: usize) -> Option<&Exchange> {
        self.exchanges.get(index).or(self.exchanges.last())
    }
}

/// Leaves out the messages, which can hold secrets.
impl fmt::Debug for WebSocketScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketScript")
            .field("greetings", &self.greetings.len())
            .field("exchanges", &self.exchanges)
            .finish()
    }
}
