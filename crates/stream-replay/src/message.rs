//! What a client said on a WebSocket.

use std::fmt;

/// A text message of a client, put together from its fragments.
///
/// `Debug` leaves out the text, which can hold a turn state (only its length is shown).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedMessage {
    /// The number of the connection it came on, as in
    /// [`RecordedRequest::connection`](crate::RecordedRequest::connection) of the handshake.
    pub connection: usize,
    /// The whole text.
    pub text: String,
}

impl fmt::Debug for RecordedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedMessage")
            .field("connection", &self.connection)
            .field("text_bytes", &self.text.len())
            .finish()
    }
}
