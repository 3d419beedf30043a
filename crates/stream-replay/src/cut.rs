//! How an answer ends.

/// What happens to the connection after the last byte of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Cut {
    /// The body ends properly (with the last chunk, RFC 9112 §7.1) and the connection can be used
    /// again.
    #[default]
    Finish,
    /// FIN without the last chunk: the client sees the connection close inside the body.
    Close,
    /// RST. Bytes that the client has not read may be lost with it, so tests that compare bytes let
    /// the client read first ([`Response::hold_until`](crate::Response::hold_until)).
    Reset,
}
