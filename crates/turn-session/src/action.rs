//! What the engine asks its driver to do.

use response_events::TransportKind;

use crate::TurnState;

/// One thing to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Send the request on a new connection; then
    /// [`handle_opened`](crate::TurnEngine::handle_opened) or [`handle_failed`](crate::TurnEngine::handle_failed).
    Open {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// What carries it.
        transport: TransportKind,
        /// The turn's state, to be sent with it.
        turn_state: TurnState,
        /// Whether the service refused the credentials of the attempt before, so that others are needed.
        credentials: CredentialNeed,
    },
    /// The answer is no event stream: read its body within the bound, then
    /// [`handle_body`](crate::TurnEngine::handle_body).
    ReadBody(ErrorBody),
    /// Nothing more is wanted from the connection.
    Close,
}

/// What kind of credentials an attempt needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialNeed {
    /// Those at hand.
    Usual,
    /// Others than those of the attempt before, which the service refused.
    Renewed,
}

/// How much of a body is worth reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorBody {
    /// The body of a refusal: 64 KiB and 5 s.
    Refusal,
    /// A whole answer that came as one JSON document: as long as one event may be.
    Answer,
}
