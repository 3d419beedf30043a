//! What a recorded answer is, judged as if it came just now.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_transport::BodyLimits;
use response_events::{Classifier, Failure, FailureKind, Opened, Phase, TransportKind, TurnEvent, Wire, whole_answer};
use sse_codec::Frame;
use turn_session::{Action, EngineConfig, ResponseHead, Target, Transport, TurnEngine, TurnState, WantedBody};

use crate::{clock::now, error_body, failures, secrets::Secrets};

/// The head of a recorded answer, and what it answers.
#[derive(Clone, Copy)]
pub struct RecordedHead<'a> {
    /// The API that was spoken.
    pub wire: Wire,
    /// What the request asked for: a stream, or the handshake of a WebSocket.
    pub transport: TransportKind,
    /// Where the request went, for messages. A path alone will do.
    pub url: &'a str,
    /// The HTTP status code.
    pub status: u16,
    /// The headers, in the order of the wire.
    pub headers: &'a [(String, Vec<u8>)],
}

/// What a recorded answer is. See [`RecordedHead::judge`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedAnswer {
    /// What the head tells, as a turn would tell it: the service's id of the request is there.
    pub opened: Opened,
    /// What the body is.
    pub content: AnswerContent,
}

/// What the body of a recorded answer is.
#[derive(Clone)]
#[non_exhaustive]
pub enum AnswerContent {
    /// An event stream, for [`RecordedStream`](crate::RecordedStream); or what follows is a WebSocket.
    Stream,
    /// The whole answer as one document: these are the bytes of an event stream that means the same.
    Document(Vec<u8>),
    /// No answer: a refusal, a redirect, a page.
    Failed(Box<Failure>),
}

impl RecordedHead<'_> {
    /// Says what the answer with this body is, by the rules of a turn: the same failure, with the same message and the
    /// same answer to "retryable?". No attempt follows here; neither does a redirect, which is a failure of its own.
    ///
    /// `body` is without its codings. Of a body that is an event stream the beginning is enough.
    pub fn judge(&self, body: &[u8]) -> RecordedAnswer {
        let now = now();
        let mut config = EngineConfig::new(self.wire, Target::new(self.url), now);
        config.transport = match self.transport {
            TransportKind::WebSocket => Transport::WebSocket,
            _ => Transport::Sse,
        };
        let mut engine = TurnEngine::new(config);
        // The request that was made.
        while engine.poll_action().is_some() {}

        let headers = self.header_map();
        let mut secrets = Secrets::new(TurnState::new());
        secrets.learn_state(&headers);
        engine.handle_opened(ResponseHead::new(self.status, headers), now);
        let mut wanted = next_action(&mut engine);
        if wanted.is_none() {
            engine.handle_data(body, now);
            wanted = next_action(&mut engine);
        }
        let mut failed = None;
        match wanted {
            Some(Action::ReadBody(kind)) => {
                let body = error_body::ErrorBody::undressed(Bytes::copy_from_slice(readable(body, kind)));
                if let (WantedBody::Answer, Some(payloads)) = (kind, whole_answer(self.wire, &body)) {
                    let (opened, _) = self.opened(&mut engine, &secrets);
                    return RecordedAnswer { opened, content: document(&payloads) };
                }
                engine.handle_body(&body, None, now);
            }
            Some(Action::Open { .. }) => {
                let message = format!("HTTP {} redirects within the service", self.status);
                let mut failure = Failure::new(FailureKind::Protocol, message).in_phase(Phase::FirstEvent);
                failure.status = Some(self.status);
                failed = Some(failure);
            }
            _ => {}
        }
        let (opened, failure) = self.opened(&mut engine, &secrets);
        let content = match failed.or(failure) {
            Some(mut failure) => {
                failure.gave_up = None;
                failure.request_id = failure.request_id.or_else(|| opened.request_id.clone());
                AnswerContent::Failed(Box::new(secrets.scrub_failure(failure)))
            }
            None => AnswerContent::Stream,
        };
        RecordedAnswer { opened, content }
    }

    /// Names and values that are none are nothing to judge by.
    fn header_map(&self) -> HeaderMap {
        let header = |(name, value): &(String, Vec<u8>)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.iter().filter_map(header) {
            headers.append(name, value);
        }
        headers
    }

    /// What the engine tells of the head, and how it ended if it did.
    fn opened(&self, engine: &mut TurnEngine, secrets: &Secrets) -> (Opened, Option<Failure>) {
        let (mut opened, mut failure) = (Opened::new(self.status), None);
        while let Some(item) = engine.poll_event() {
            match item {
                Ok(TurnEvent::Opened(told)) => opened = told,
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
        }
        secrets.scrub_opened(&mut opened);
        (opened, failure)
    }
}

/// What the engine wants for this head; that the connection is closed is nothing to be done.
fn next_action(engine: &mut TurnEngine) -> Option<Action> {
    std::iter::from_fn(|| engine.poll_action()).find(|action| !matches!(action, Action::Close | Action::Send { .. }))
}

/// As much of the body as a turn would read.
fn readable(body: &[u8], kind: WantedBody) -> &[u8] {
    match kind {
        WantedBody::Answer => body,
        WantedBody::Refusal => &body[..body.len().min(BodyLimits::default().bytes)],
    }
}

fn document(payloads: &[Vec<u8>]) -> AnswerContent {
    let mut stream = Vec::new();
    for payload in payloads {
        // There is nothing in it but data, which can be anything.
        let _ = Frame::new().data(payload).encode(&mut stream);
    }
    AnswerContent::Document(stream)
}

/// Shows the names of the headers only: among their values may be a turn state or cookies.
impl fmt::Debug for RecordedHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("RecordedHead")
            .field("wire", &self.wire)
            .field("transport", &self.transport)
            .field("url", &Target::new(self.url).shown())
            .field("status", &self.status)
            .field("headers", &names)
            .finish()
    }
}

/// Leaves out the bytes of a document (their number is shown).
impl fmt::Debug for AnswerContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream => f.write_str("Stream"),
            Self::Document(stream) => f.debug_tuple("Document").field(&stream.len()).finish(),
            Self::Failed(failure) => f.debug_tuple("Failed").field(failure).finish(),
        }
    }
}

/// The failure that the end of a recorded WebSocket is which comes before the answer was whole, by the rules of a turn:
/// `close` is the service's Close, its code (1005 where it had none, RFC 6455 §7.1.5) and its reason; `None` stands for
/// a connection that broke without one.
pub fn socket_failure(close: Option<(u16, &str)>) -> Failure {
    match close {
        Some((code, reason)) => failures::of_close(code, reason, &Classifier::new()),
        None => failures::of_socket(Some(ws_codec::ErrorKind::UnexpectedEof.into()), &Classifier::new()).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(transport: TransportKind, status: u16, headers: &[(&str, &str)], body: &str, expected: &str) {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let url = "https://a.test/v1/responses";
        let head = RecordedHead { wire: Wire::Responses, transport, url, status, headers: &headers };
        let told = match head.judge(body.as_bytes()).content {
            AnswerContent::Stream => "stream".to_owned(),
            AnswerContent::Document(stream) => String::from_utf8(stream).unwrap(),
            AnswerContent::Failed(failure) => format!("{}: {}", failure.kind, failure.message),
        };
        assert_eq!(told, expected, "{head:?}");
    }

    #[test]
    fn answers_are_judged_by_head_and_body() {
        let check = |status, headers: &[_], body: &str, expected: &str| {
            check(TransportKind::Sse, status, headers, body, expected);
        };
        check(200, &[], "data: {}\n\n", "stream");
        check(200, &[], "", "stream");
        check(200, &[], r#"{"output":[]}"#, "data: {\"response\":{\"output\":[]},\"type\":\"response.completed\"}\n\n");
        check(
            200,
            &[("content-encoding", "gzip")],
            "",
            "protocol: the answer is encoded as \"gzip\", which was not asked for",
        );
        check(503, &[], " data: x", "status: HTTP 503 Service Unavailable: data: x");
        check(429, &[], "data: {\"error\":{\"message\":\"Later.\"}}\n\n", "api: Later.");
        check(307, &[("location", "/v2/responses")], "", "protocol: HTTP 307 redirects within the service");
        let elsewhere = "protocol: HTTP 302 redirects to https://b.test/, which is not followed";
        check(302, &[("location", "https://b.test/?key=k")], "", elsewhere);
        let state = [("x-codex-turn-state", "state-0123")];
        check(400, &state, "not state-0123", "status: HTTP 400 Bad Request: not [redacted]");
        check(101, &[], "", "protocol: HTTP 101 is no answer to this request");
    }

    #[test]
    fn a_handshake_is_answered_by_a_socket_or_refused() {
        check(TransportKind::WebSocket, 101, &[], "", "stream");
        let message =
            "protocol: the WebSocket handshake was answered by HTTP 200 with no content type, not by a WebSocket";
        check(TransportKind::WebSocket, 200, &[], "data: {}\n\n", message);
    }

    #[test]
    fn a_socket_ends_as_it_does_in_a_turn() {
        let told = |close| {
            let failure = socket_failure(close);
            (failure.kind, failure.code, failure.close_code)
        };
        assert_eq!(told(Some((1011, "gone"))), (FailureKind::Closed, None, Some(1011)));
        assert_eq!(
            told(Some((1008, "invalid_prompt"))),
            (FailureKind::Api, Some("invalid_prompt".to_owned()), Some(1008))
        );
        assert_eq!(told(None), (FailureKind::Closed, None, Some(1006)));
    }
}
