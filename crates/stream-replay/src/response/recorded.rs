//! From a recorded exchange to the answer that plays it.

use std::time::Duration;

use super::upgrade::Upgrade;
use super::{Framing, Hold, Opening, Piece, Response};
use crate::cassette::{Content, Course, FrameKind, Peer, RecordedChunk, RecordedEnd, RecordedExchange, RecordedFrame};
use crate::cut::Cut;
use crate::gate::Gate;
use crate::speed::Speed;
use crate::websocket::{self, Exchange, OpCode, WebSocketScript};

/// Between two recorded times, where times matter.
#[derive(Clone, Copy)]
struct Waits {
    speed: Speed,
    last: Duration,
}

impl Waits {
    /// How long to wait for what came at `at`.
    fn until(&mut self, at: Duration) -> Duration {
        let wait = at.saturating_sub(self.last);
        self.last = self.last.max(at);
        match self.speed {
            Speed::Recorded => wait,
            Speed::Max => Duration::ZERO,
        }
    }
}

pub(super) fn response(exchange: &RecordedExchange, speed: Speed) -> Response {
    let mut waits = Waits { speed, last: Duration::ZERO };
    let Some(recorded) = &exchange.response else {
        return match &exchange.end {
            RecordedEnd::Failed(why) => {
                Response { head_pause: waits.until(exchange.end_at), ..Response::text(502, why.clone()) }
            }
            // A proper end belongs to an answer.
            RecordedEnd::Finish => Response { opening: Opening::Silence, ..Response::new(0) }.cut(Cut::Close),
            _ => end(Response { opening: Opening::Silence, ..Response::new(0) }, exchange, waits),
        };
    };
    let head_pause = waits.until(recorded.at);
    match &recorded.course {
        Course::WebSocket(frames) => {
            let script = script(frames, exchange, waits);
            // The key that was accepted was another one.
            let headers = recorded.headers.iter().filter(|(name, _)| !is_of_handshake(name));
            Response { head_pause, headers: headers.cloned().collect(), ..Response::websocket(script) }
        }
        Course::Body(chunks) => {
            let is_told = |name: &str| recorded.header(name).is_some();
            let is_whole = exchange.end == RecordedEnd::Finish;
            let framing = if is_told("content-length") && !is_told("transfer-encoding") && is_whole {
                Framing::Length
            } else {
                Framing::Chunked
            };
            let headers = recorded.headers.iter().filter(|(name, _)| {
                // Of a cut body, the length that was announced is part of what went wrong.
                let is_length = name.eq_ignore_ascii_case("content-length") && framing == Framing::Length;
                !is_length && !name.eq_ignore_ascii_case("transfer-encoding")
            });
            let is_stream = recorded.status == 200
                && recorded.header("content-type").is_some_and(|value| value.starts_with(b"text/event-stream"));
            let response = Response {
                headers: headers.cloned().collect(),
                body: body(chunks, &mut waits),
                upgrade: if is_stream { Upgrade::Body } else { Upgrade::No },
                head_pause,
                ..Response::new(recorded.status)
            };
            Response { framing, ..end(response, exchange, waits) }
        }
    }
}

fn is_of_handshake(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "connection" | "upgrade") || name.starts_with("sec-websocket-")
}

fn body(chunks: &[RecordedChunk], waits: &mut Waits) -> Vec<Piece> {
    let chunks = chunks.iter().filter(|chunk| !chunk.bytes.is_empty());
    chunks.map(|chunk| Piece { pause: waits.until(chunk.at), bytes: chunk.bytes.clone() }).collect()
}

fn end(response: Response, exchange: &RecordedExchange, mut waits: Waits) -> Response {
    let wait = waits.until(exchange.end_at);
    let response = if wait.is_zero() { response } else { Response { hold: Hold::For(wait), ..response } };
    match exchange.end {
        RecordedEnd::Finish => response,
        RecordedEnd::Cut | RecordedEnd::Failed(_) => response.cut(Cut::Close),
        RecordedEnd::Reset => response.cut(Cut::Reset),
        // Nobody has a hand on this gate.
        RecordedEnd::Open | RecordedEnd::HangUp => Response { hold: Hold::Until(Gate::new()), ..response },
    }
}

/// What the server said, sorted by the message of the client that it came after.
fn script(frames: &[RecordedFrame], exchange: &RecordedExchange, mut waits: Waits) -> WebSocketScript {
    let mut script = WebSocketScript::new();
    let mut answers: Vec<Exchange> = Vec::new();
    let mut closing = false;
    for frame in frames {
        let payload = match (frame.from, frame.kind) {
            (Peer::Client, FrameKind::Text) => {
                answers.push(Exchange::new());
                waits.until(frame.at);
                continue;
            }
            // Whoever closes in the replay, the answer is given by whoever did not.
            (_, FrameKind::Close) if closing => continue,
            (Peer::Client, FrameKind::Close) => {
                closing = true;
                continue;
            }
            // A pong answers a ping of the replay's own client; binary messages of clients are not taken.
            (Peer::Client, _) | (_, FrameKind::Pong) => continue,
            (Peer::Server, _) => match &frame.content {
                Content::Kept(payload) => payload,
                // What a server said is there, unless somebody took it out.
                Content::Withheld { .. } => continue,
            },
        };
        let pause = waits.until(frame.at);
        let Some(answer) = answers.pop() else {
            script = script.greet_with(encode(frame.kind, payload));
            continue;
        };
        let answer = if pause.is_zero() { answer } else { answer.pause(pause) };
        answers.push(if frame.kind == FrameKind::Close {
            closing = true;
            answer.close_with(payload)
        } else {
            answer.frames(encode(frame.kind, payload))
        });
    }
    // A client that closed after something that is not recorded may have done so for that.
    let is_over = closing && !matches!(exchange.end, RecordedEnd::Failed(_));
    if let Some(last) = if is_over { None } else { answers.pop() } {
        let wait = waits.until(exchange.end_at);
        let paused = |last: Exchange| if wait.is_zero() { last } else { last.pause(wait) };
        answers.push(match exchange.end {
            RecordedEnd::Cut | RecordedEnd::Failed(_) => paused(last).cut(Cut::Close),
            RecordedEnd::Reset => paused(last).cut(Cut::Reset),
            RecordedEnd::Finish | RecordedEnd::Open | RecordedEnd::HangUp => last,
        });
    }
    answers.into_iter().fold(script, WebSocketScript::exchange)
}

fn encode(kind: FrameKind, payload: &[u8]) -> bytes::Bytes {
    let opcode = match kind {
        FrameKind::Text => OpCode::Text,
        FrameKind::Binary => OpCode::Binary,
        FrameKind::Ping => OpCode::Ping,
        FrameKind::Pong => OpCode::Pong,
        FrameKind::Close => OpCode::Close,
    };
    websocket::encode(opcode, payload)
}
