//! What the engine asks its driver to do.

use response_events::TransportKind;

use crate::{Target, TurnState};

/// One thing to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Open the way to the service. Over server-sent events that is to send the request; over a WebSocket it is the
    /// handshake, or to take a socket that is open already. Then
    /// [`handle_opened`](crate::TurnEngine::handle_opened), [`handle_reused`](crate::TurnEngine::handle_reused) or
    /// [`handle_failed`](crate::TurnEngine::handle_failed).
    Open {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// What carries it.
        transport: TransportKind,
        /// Where it goes.
        target: Target,
        /// The turn's state, to be sent with it.
        turn_state: TurnState,
        /// Whether the service refused the credentials of the attempt before, so that others are needed.
        credentials: CredentialNeed,
        /// Whether a socket that is open already will do.
        socket: SocketNeed,
    },
    /// Send the request over the open socket; then [`handle_sent`](crate::TurnEngine::handle_sent) or
    /// [`handle_failed`](crate::TurnEngine::handle_failed).
    Send {
        /// The turn's state, to be sent with it.
        turn_state: TurnState,
        /// Whether the request may go on from the response before.
        input: InputForm,
    },
    /// The answer is no event stream: read its body within the bound, then
    /// [`handle_body`](crate::TurnEngine::handle_body).
    ReadBody(WantedBody),
    /// The answer is whole: the socket can be kept for the next request.
    Park,
    /// Nothing more is wanted from the connection.
    Close,
}

/// What kind of credentials an attempt needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialNeed {
    /// Those at hand.
    Usual,
    /// Others than those of the attempt before, which the service refused.
    Renewed,
}

/// Which sockets will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketNeed {
    /// One that is kept open, if it is in good health, or a new one.
    Any,
    /// A new one.
    Fresh,
}

/// How the input of a request is sent over a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputForm {
    /// All of it.
    Whole,
    /// What is new, if the socket knows the response that the rest is covered by; otherwise all of it.
    NewOnly,
}

/// How much of a body is worth reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedBody {
    /// The body of a refusal: 64 KiB and 5 s.
    Refusal,
    /// A whole answer that came as one JSON document: as long as one event may be.
    Answer,
}
