//! What follows one message of a client.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::frame::{self, OpCode};
use super::payloads::payloads;
use crate::cut::Cut;
use crate::gate::Gate;
use crate::script::Step;

/// What follows one message of the client, step by step; each frame is written on its own.
///
/// A [`Response`](crate::Response) has one body, so `Response::sse` makes one. An exchange has any number of steps,
/// so all of them are added to [`new`](Self::new): `Exchange::new().sse(first).gate(gate).sse(second)`.
///
/// [`close`](Self::close), [`silent`](Self::silent) and a [`cut`](Self::cut) other than
/// [`Cut::Finish`] are the end of the connection: what is added behind them is never played.
/// Without them the next message of the client is awaited.
#[derive(Clone, Default)]
pub struct Exchange {
    steps: Vec<Step<Finale>>,
}

/// How the server ends a conversation.
#[derive(Debug, Clone)]
pub(super) enum Finale {
    /// FIN, without a word.
    Fin,
    /// RST.
    Reset,
    /// This Close frame; the client's is awaited before TCP ends.
    Close(Bytes),
    /// The connection stays, and nothing is answered any more.
    Silence,
}

impl Exchange {
    /// An exchange in which the client gets no answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends one text message, in one frame.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.frame(OpCode::Text, text.into().as_bytes())
    }

    /// Sends the data of every event of an event stream, each as one text message. The sentinels
    /// `[DONE]` and `DONE` are left out, and as in any reader of event streams an event that no
    /// blank line ends is none, and bytes that are not UTF-8 become U+FFFD (WHATWG HTML §9.2.6).
    pub fn sse(self, body: impl AsRef<[u8]>) -> Self {
        payloads(body.as_ref()).into_iter().fold(self, Self::text)
    }

    /// Sends these bytes as they are: frames of any kind, broken ones, parts of one. Where a part
    /// is followed by a [`gate`](Self::gate), the answer to a ping can come into its middle.
    pub fn frames(self, raw: impl Into<Bytes>) -> Self {
        self.step(Step::Send(raw.into()))
    }

    /// Sends a ping. More than 125 bytes are against the protocol (RFC 6455 §5.5), and sent as they
    /// are. The client's answer can be awaited with
    /// [`ReplayServer::wait_for_pongs`](crate::ReplayServer::wait_for_pongs).
    pub fn ping(self, payload: impl AsRef<[u8]>) -> Self {
        self.frame(OpCode::Ping, payload.as_ref())
    }

    /// Waits here until the gate lets one pass. Meanwhile pings are answered, and further messages
    /// recorded.
    pub fn gate(self, gate: Gate) -> Self {
        self.step(Step::Pass(gate))
    }

    /// Sends a Close frame, waits for the client's, and ends TCP. Code and reason are not judged: a
    /// code that may not be on the wire, or a reason above 123 bytes, is sent as it is (RFC 6455
    /// §5.5.1). A client that does not answer is waited for without a limit, its pings are not
    /// answered, its messages are recorded.
    pub fn close(self, code: u16, reason: &str) -> Self {
        let payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
        self.close_with(&payload)
    }

    /// Ends TCP without a Close frame. [`Cut::Finish`] does nothing.
    pub fn cut(self, cut: Cut) -> Self {
        match cut {
            Cut::Finish => self,
            Cut::Close => self.step(Step::End(Finale::Fin)),
            Cut::Reset => self.step(Step::End(Finale::Reset)),
        }
    }

    /// Stops answering anything, as a peer behind a broken line: no message, no pong, no Close. The
    /// connection stays open until the client ends TCP; only that is its hang-up then. Messages are
    /// still recorded.
    pub fn silent(self) -> Self {
        self.step(Step::End(Finale::Silence))
    }

    /// As [`close`](Self::close), with a payload that need not hold a code.
    pub(crate) fn close_with(self, payload: &[u8]) -> Self {
        self.step(Step::End(Finale::Close(frame::encode(OpCode::Close, payload))))
    }

    /// Waits, on tokio's clock.
    pub(crate) fn pause(self, pause: Duration) -> Self {
        self.step(Step::Pause(pause))
    }

    pub(super) fn steps(&self) -> &[Step<Finale>] {
        &self.steps
    }

    fn frame(self, opcode: OpCode, payload: &[u8]) -> Self {
        self.step(Step::Send(frame::encode(opcode, payload)))
    }

    fn step(mut self, step: Step<Finale>) -> Self {
        self.steps.push(step);
        self
    }
}

/// Leaves out the messages, which can hold secrets (their length is shown).
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = |step: &Step<Finale>| match step {
            Step::Send(bytes) | Step::End(Finale::Close(bytes)) => bytes.len(),
            Step::Pause(_) | Step::Pass(_) | Step::End(_) => 0,
        };
        f.debug_struct("Exchange")
            .field("steps", &self.steps.len())
            .field("wire_bytes", &self.steps.iter().map(sent).sum::<usize>())
            .finish()
    }
}
