//! What a client asked.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use crate::head::Head;
use crate::redact;

/// A request as it was read from the wire, head and body.
///
/// `Debug` leaves out credentials, cookies, keys, the turn state, the query and the body (only its
/// length is shown).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The number of the connection it came on, from 0 in the order of acceptance: equal numbers
    /// mean a reused connection.
    pub connection: usize,
    /// The method, as sent.
    pub method: String,
    /// The request target, as sent: the path, and the query where there is one.
    pub path: String,
    /// Names and values in the order and spelling of the wire; values that are not UTF-8 are
    /// converted lossily.
    pub headers: Vec<(String, String)>,
    /// The whole body, without its chunked coding.
    pub body: Bytes,
}

impl RecordedRequest {
    pub(crate) fn new(connection: usize, head: Head, body: Bytes) -> Self {
        Self { connection, method: head.method, path: head.target, headers: head.headers, body }
    }

    /// The first value of a header; the name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 are converted lossily. A compressed body stays compressed.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON: `request.json()?["model"]`. Errors when it is none, as an empty or a compressed one.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("connection", &self.connection)
            .field("method", &self.method)
            .field("path", &redact::target(&self.path))
            .field("headers", &redact::Headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
