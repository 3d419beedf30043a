//! What a client said on a WebSocket.

use std::fmt;

use serde_json::Value;

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

impl RecordedMessage {
    /// The message as JSON: `message.json()?["type"]`. Errors when it is none.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.text)
    }
}

impl fmt::Debug for RecordedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedMessage")
            .field("connection", &self.connection)
            .field("text_bytes", &self.text.len())
            .finish()
    }
}
