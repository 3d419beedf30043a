//! The recording of one exchange, while it runs.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use sha2::{Digest, Sha256};

use super::Bodies;
use super::shelf::Shelf;
use crate::cassette::{
    Content, Course, FrameKind, Peer, RecordedChunk, RecordedEnd, RecordedExchange, RecordedFrame, RecordedResponse,
};
use crate::head::Head;

/// Collects one exchange, and writes it when it ends or is dropped before.
pub(super) struct Tape {
    shelf: Arc<Shelf>,
    number: usize,
    begun: Duration,
    /// Of the body, if it has one: nobody could find secrets in it.
    coding: Option<String>,
    /// Until it is written.
    exchange: Option<RecordedExchange>,
}

impl Tape {
    pub(super) fn new(shelf: &Arc<Shelf>, head: &Head, body: &Bytes) -> Self {
        let begun = shelf.now();
        let mut exchange = RecordedExchange::new(&*head.method, &*head.target);
        let headers = head.headers.iter();
        exchange.request_headers = headers.map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        exchange.request_body = said(shelf.bodies, body);
        Self { shelf: Arc::clone(shelf), number: shelf.next_number(), begun, coding: None, exchange: Some(exchange) }
    }

    /// The response's head came.
    pub(super) fn head(&mut self, status: u16, headers: &HeaderMap, course: Course) {
        let codings =
            headers.get_all(CONTENT_ENCODING).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        self.coding = codings.map(Cow::into_owned).find(|coding| !coding.eq_ignore_ascii_case("identity"));
        let mut response = RecordedResponse::new(self.now(), status, course);
        response.headers = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        if let Some(exchange) = &mut self.exchange {
            exchange.response = Some(response);
        }
    }

    /// A piece of its body came.
    pub(super) fn chunk(&mut self, bytes: &Bytes) {
        let at = self.now();
        if self.coding.is_some() {
            return;
        }
        if let Some(Course::Body(chunks)) = self.course() {
            chunks.push(RecordedChunk::new(at, bytes.clone()));
        }
    }

    /// Something was said on a WebSocket.
    pub(super) fn frame(&mut self, from: Peer, kind: FrameKind, payload: Bytes) {
        let at = self.now();
        // What clients say in control frames is of no consequence, and small.
        let content = match (from, kind) {
            (Peer::Client, FrameKind::Text | FrameKind::Binary) => said(self.shelf.bodies, &payload),
            _ => Content::Kept(payload),
        };
        if let Some(Course::WebSocket(frames)) = self.course() {
            frames.push(RecordedFrame::new(at, from, kind, content));
        }
    }

    /// Ends the recording and writes it. Only the first end counts.
    pub(super) fn end(&mut self, end: RecordedEnd) {
        let end_at = self.now();
        if let Some(mut exchange) = self.exchange.take() {
            let unread = |coding| RecordedEnd::Failed(format!("a body coded as {coding} cannot be redacted"));
            (exchange.end_at, exchange.end) = (end_at, self.coding.take().map_or(end, unread));
            self.shelf.write(self.number, exchange);
        }
    }

    fn now(&self) -> Duration {
        self.shelf.now().saturating_sub(self.begun)
    }

    fn course(&mut self) -> Option<&mut Course> {
        Some(&mut self.exchange.as_mut()?.response.as_mut()?.course)
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.end(RecordedEnd::Open);
    }
}

/// What a client said, as far as it is to be kept.
fn said(bodies: Bodies, bytes: &Bytes) -> Content {
    match bodies {
        Bodies::Withhold if !bytes.is_empty() => {
            Content::Withheld { length: bytes.len() as u64, sha256: Sha256::digest(bytes).into() }
        }
        Bodies::Withhold | Bodies::Keep => Content::Kept(bytes.clone()),
    }
}
