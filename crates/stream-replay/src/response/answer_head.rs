//! The head of an answer, line by line.

use bytes::Bytes;
use http::StatusCode;

/// A status line and the header lines so far.
pub(crate) struct AnswerHead(Vec<u8>);

impl AnswerHead {
    pub(crate) fn new(status: u16) -> Self {
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        Self(format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or_default()).into_bytes())
    }

    pub(crate) fn line(&mut self, name: &str, value: &[u8]) {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.0.extend(part);
        }
    }

    /// A header line as it is, without its CRLF.
    pub(crate) fn raw_line(&mut self, line: &[u8]) {
        self.0.extend(line);
        self.0.extend(b"\r\n");
    }

    pub(crate) fn end(mut self) -> Bytes {
        self.0.extend(b"\r\n");
        self.0.into()
    }
}
