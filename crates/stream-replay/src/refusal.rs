//! Requests that get no scripted answer.

use crate::response::Response;

/// Why a request is refused. The connection closes after the refusal, because the rest of the
/// request is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    text: String,
    body: RefusalBody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefusalBody {
    Text,
    /// The answer to HEAD has the length of a body, but no body (RFC 9110 §9.3.2).
    LengthOnly,
}

impl Refusal {
    pub(crate) fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), body: RefusalBody::Text }
    }

    pub(crate) fn malformed(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    pub(crate) fn head_method() -> Self {
        Self { body: RefusalBody::LengthOnly, ..Self::malformed("HEAD has no scripted answer") }
    }

    pub(crate) fn into_response(self) -> Response {
        let response = Response::text(self.status, self.text.clone()).header("connection", "close");
        match self.body {
            RefusalBody::Text => response,
            RefusalBody::LengthOnly => response.header("content-length", self.text.len().to_string()).body(""),
        }
    }
}
