//! What a response makes of a WebSocket handshake.

use bytes::Bytes;
use ws_codec::{HandshakeError, ServerHandshake};

use super::answer_head::AnswerHead;
use super::{Hold, Response};
use crate::cut::Cut;
use crate::fault::Section;
use crate::script::{End, Step};
use crate::websocket::{Exchange, WebSocketScript, payloads};

/// Whether a response grants handshakes, and what it plays then.
#[derive(Debug, Clone)]
pub(super) enum Upgrade {
    /// It answers them as it answers any request.
    No,
    /// The events of its body, after every message.
    Body,
    Script(WebSocketScript),
}

/// What is played to one request.
#[derive(Debug)]
pub(crate) enum Answer {
    Http(Box<Response>),
    Fault(Section),
    WebSocket {
        /// Up to the 101 and the greetings.
        opening: Vec<Step>,
        script: WebSocketScript,
    },
}

impl Response {
    /// The answer to a request whose head was, or was not, this handshake.
    pub(crate) fn answer(mut self, handshake: Result<ServerHandshake, HandshakeError>) -> Answer {
        if let Some(fault) = &self.fault {
            return Answer::Fault(fault.next());
        }
        let script = match (std::mem::replace(&mut self.upgrade, Upgrade::No), &handshake) {
            (Upgrade::No, _)
            // It did not ask for a WebSocket. Who asks in a wrong way is told so.
            | (Upgrade::Body, Err(HandshakeError::Method | HandshakeError::Upgrade)) => {
                return Answer::Http(Box::new(self));
            }
            (Upgrade::Body, _) => self.body_script(),
            (Upgrade::Script(script), _) => script,
        };
        match handshake {
            Ok(handshake) => {
                let switch = Step::Send([self.switching_head(&handshake), script.greetings()].concat().into());
                let gate = self.head_gate.map(Step::Pass);
                let pause = (!self.head_pause.is_zero()).then_some(Step::Pause(self.head_pause));
                Answer::WebSocket {
                    opening: gate.into_iter().chain(pause).chain([switch, Step::End(End::KeepAlive)]).collect(),
                    script,
                }
            }
            Err(error) => Answer::Http(Box::new(refusal(error))),
        }
    }

    fn switching_head(&self, handshake: &ServerHandshake) -> Bytes {
        let mut head = AnswerHead::new(101);
        for (name, value) in &self.headers {
            head.line(name, value);
        }
        for (name, value) in &handshake.headers() {
            if !self.has(name.as_str()) {
                head.line(name.as_str(), value.as_bytes());
            }
        }
        head.end()
    }

    /// The course of the body, event by event instead of chunk by chunk.
    fn body_script(&self) -> WebSocketScript {
        let body: Vec<u8> = self.body.iter().flat_map(|piece| &piece.bytes).copied().collect();
        let mut exchange = Exchange::new();
        for (index, payload) in payloads(&body[..self.cut_at.min(body.len())]).into_iter().enumerate() {
            if let Some(pause) = self.pace.before(index) {
                exchange = exchange.pause(pause);
            }
            if let Some(gate) = &self.chunk_gate {
                exchange = exchange.gate(gate.clone());
            }
            exchange = exchange.text(payload);
        }
        // An open connection is what a hold is for, and a WebSocket is open anyway.
        if self.cut != Cut::Finish {
            exchange = match &self.hold {
                Hold::No => exchange,
                Hold::For(hold) => exchange.pause(*hold),
                Hold::Until(gate) => exchange.gate(gate.clone()),
            };
        }
        WebSocketScript::new().exchange(exchange.cut(self.cut))
    }
}

/// RFC 9110 §15.5.22 and RFC 6455 §4.4.
fn refusal(error: HandshakeError) -> Response {
    Response::text(426, format!("this response is for a WebSocket handshake: {error}"))
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
}
