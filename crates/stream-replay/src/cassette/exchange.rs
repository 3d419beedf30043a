//! One request, and what came back.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::content::Content;
use super::frame::RecordedFrame;
use crate::redact;

/// A request and all that came back, with times.
///
/// All times are since the request came, but its own. Times that run backwards are played as no time.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedExchange {
    /// When the request came, since the beginning of the recording.
    pub at: Duration,
    /// The method.
    pub method: String,
    /// The request target: the path, and the query where there is one.
    pub target: String,
    /// The request's headers, in the order of the wire.
    pub request_headers: Vec<(String, Vec<u8>)>,
    /// The request's body.
    pub request_body: Content,
    /// What came back; nothing where the connection ended before a whole head.
    pub response: Option<RecordedResponse>,
    /// When it ended.
    pub end_at: Duration,
    /// How it ended.
    pub end: RecordedEnd,
}

impl RecordedExchange {
    /// A request without headers and body, at the beginning of the recording, and nothing that came back
    /// ([`RecordedEnd::Open`]).
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            at: Duration::ZERO,
            method: method.into(),
            target: target.into(),
            request_headers: Vec::new(),
            request_body: Content::default(),
            response: None,
            end_at: Duration::ZERO,
            end: RecordedEnd::Open,
        }
    }

    /// The chunks of the response's body; none where there is no response or it is a WebSocket.
    pub fn chunks(&self) -> &[RecordedChunk] {
        match self.response.as_ref().map(|response| &response.course) {
            Some(Course::Body(chunks)) => chunks,
            Some(Course::WebSocket(_)) | None => &[],
        }
    }

    /// What both sides said on a WebSocket; nothing where there was none.
    pub fn frames(&self) -> &[RecordedFrame] {
        match self.response.as_ref().map(|response| &response.course) {
            Some(Course::WebSocket(frames)) => frames,
            Some(Course::Body(_)) | None => &[],
        }
    }
}

/// Leaves out credentials, cookies, keys, the turn state, the query and everything that was said (lengths are shown),
/// because not every recording was redacted.
impl fmt::Debug for RecordedExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedExchange")
            .field("at", &self.at)
            .field("method", &self.method)
            .field("target", &redact::target(&self.target))
            .field("request_headers", &redact::Headers(&self.request_headers))
            .field("request_body", &self.request_body)
            .field("response", &self.response)
            .field("end_at", &self.end_at)
            .field("end", &self.end)
            .finish()
    }
}

/// The response's head, and what followed it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedResponse {
    /// When the head came.
    pub at: Duration,
    /// The status.
    pub status: u16,
    /// The headers, in the order of the wire.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What followed.
    pub course: Course,
}

impl RecordedResponse {
    /// A response without headers.
    pub fn new(at: Duration, status: u16, course: Course) -> Self {
        Self { at, status, headers: Vec::new(), course }
    }

    /// The first value of a header; the name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }
}

/// Leaves out header values that can be secret.
impl fmt::Debug for RecordedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedResponse")
            .field("at", &self.at)
            .field("status", &self.status)
            .field("headers", &redact::Headers(&self.headers))
            .field("course", &self.course)
            .finish()
    }
}

/// What followed the head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Course {
    /// A body, in the pieces in which it came.
    Body(Vec<RecordedChunk>),
    /// A WebSocket, with what both sides said, in the order in which it was complete.
    WebSocket(Vec<RecordedFrame>),
}

/// A piece of a body, without its chunked coding.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedChunk {
    /// When it came, since the request.
    pub at: Duration,
    /// Its bytes.
    pub bytes: Bytes,
}

impl RecordedChunk {
    /// A chunk that came then.
    pub fn new(at: Duration, bytes: impl Into<Bytes>) -> Self {
        Self { at, bytes: bytes.into() }
    }
}

/// Leaves out the bytes (their number is shown).
impl fmt::Debug for RecordedChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedChunk").field("at", &self.at).field("bytes", &self.bytes.len()).finish()
    }
}

/// How an exchange ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordedEnd {
    /// `finish`: properly. The body was complete, or both sides of a WebSocket had sent a Close.
    Finish,
    /// `fin`: the server's side ended inside the answer, or without a Close.
    Cut,
    /// `rst`: the server reset the connection.
    Reset,
    /// `open`: the recording ended while the answer was still coming. How it went on is not known.
    Open,
    /// `hang-up`: the client left before the end. How it would have gone on is not known.
    HangUp,
    /// `failed`: the service could not be reached, or did not speak its protocol. The text says why, in words.
    Failed(String),
}
