//! How an answer ends.

/// What happens to the connection after the last byte of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Cut {
    /// The body ends properly (with the last chunk, RFC 9112 §7.1) and the connection can be used
    /// again. On a WebSocket, which knows no end of an answer, this does nothing.
    #[default]
    Finish,
    /// FIN without the last chunk, or without a Close frame: the client sees the connection close
    /// inside the answer.
    Close,
    /// RST. Bytes that the client has not read may be lost with it, so tests that compare bytes let
    /// the client read first ([`Response::hold_until`](crate::Response::hold_until),
    /// [`Exchange::gate`](crate::Exchange::gate)).
    Reset,
}
