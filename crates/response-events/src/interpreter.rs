//! One stream of payloads, interpreted: the part that both wires share.

use std::collections::VecDeque;

use crate::{
    Ledger, Malformed, Outcome, TransportKind, TurnEvent, Wire,
    chat::ChatStream,
    raw_json::redacted,
    responses::{FinishedResponse, ResponsesStream},
};

/// Undecodable payloads in a row after which a stream counts as unreadable.
const MAX_MALFORMED_RUN: u32 = 32;

/// Reads the payloads of one stream and says what they mean.
///
/// Feed it with [`handle_event`](Self::handle_event), and with [`handle_end`](Self::handle_end) when no more will
/// come; after each call drain [`poll_event`](Self::poll_event) and look at [`outcome`](Self::outcome). The first
/// terminal signal settles the outcome at once; whatever is fed later is only counted.
#[derive(Debug)]
pub struct Interpreter {
    out: Output,
    stream: Stream,
}

/// What an [`Interpreter`] has to know of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterpreterOptions {
    /// Chat: how many choices were asked for (`n`); a stream counts as finished only when so many have a
    /// `finish_reason`. Default 1.
    pub choices: u32,
    /// Responses: what carries the stream. Over a WebSocket a `response.incomplete` with the reason `steered` is no
    /// end. Default SSE.
    pub transport: TransportKind,
    /// Chat: what sets the ids of calls apart from those of other requests, where the service names neither its calls
    /// nor its response. Default none: the ids of each stream are then `call_0`, `call_1`, …
    pub call_seed: Option<u64>,
}

impl Default for InterpreterOptions {
    fn default() -> Self {
        Self { choices: 1, transport: TransportKind::Sse, call_seed: None }
    }
}

#[derive(Debug)]
enum Stream {
    Responses(ResponsesStream),
    Chat(Box<ChatStream>),
}

/// Where the wires' interpreters put what they find.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) ledger: Ledger,
    pub(crate) turn_state: Option<String>,
    events: VecDeque<TurnEvent>,
    outcome: Option<Outcome>,
    malformed_run: u32,
}

impl Interpreter {
    /// An interpreter for one stream of a wire.
    pub fn new(wire: Wire, options: InterpreterOptions) -> Self {
        let stream = match wire {
            Wire::Responses => Stream::Responses(ResponsesStream::new(options.transport)),
            Wire::Chat => Stream::Chat(Box::new(ChatStream::new(options))),
        };
        Self { out: Output::new(), stream }
    }

    /// Takes one payload: the data of a dispatched SSE event with the value of its `event:` field, or a WebSocket
    /// message with `None`.
    ///
    /// The JSON's `type` decides what an event is. The name counts only where there is no type: an event named
    /// `error` is an error whatever its data looks like.
    pub fn handle_event(&mut self, name: Option<&str>, data: &[u8]) {
        let ledger = &mut self.out.ledger;
        ledger.events += 1;
        ledger.payload_bytes += data.len() as u64;
        let data = data.trim_ascii();
        // Keep-alives that proxies wrap as data: nothing at all, or a comment.
        if data.is_empty() || data[0] == b':' {
            return;
        }
        if is_sentinel(data) {
            ledger.done_sentinels += 1;
            if self.out.outcome.is_none() {
                match &mut self.stream {
                    Stream::Responses(_) => ResponsesStream::handle_sentinel(&mut self.out),
                    Stream::Chat(stream) => stream.handle_sentinel(&mut self.out),
                }
            }
            return;
        }
        if self.out.outcome.is_some() {
            ledger.after_terminal += 1;
        }
        match &mut self.stream {
            Stream::Responses(stream) => stream.handle(name, data, &mut self.out),
            Stream::Chat(stream) => stream.handle(name, data, &mut self.out),
        }
    }

    /// Says that no payload will come any more, however the connection ended. Settles the outcome if nothing has.
    pub fn handle_end(&mut self) {
        if self.out.outcome.is_none() {
            match &mut self.stream {
                Stream::Responses(_) => ResponsesStream::handle_end(&mut self.out),
                Stream::Chat(stream) => stream.handle_end(&mut self.out),
            }
        }
    }

    /// Chat: whether the answer is whole but for what may still follow (the usage), so that the stream should be
    /// waited for only a little longer; then call [`handle_end`](Self::handle_end).
    pub fn is_finishing(&self) -> bool {
        self.out.outcome.is_none() && matches!(&self.stream, Stream::Chat(stream) if stream.is_finished(&self.out))
    }

    /// Responses over a connection that is used again: events of the response that was finished on it may still
    /// arrive. They are counted, and belong to nobody.
    pub fn expect_late(&mut self, finished: FinishedResponse) {
        if let Stream::Responses(stream) = &mut self.stream {
            stream.expect_late(finished);
        }
    }

    /// What this response is known by, for [`expect_late`](Self::expect_late) of the next one.
    pub fn finished_response(&self) -> FinishedResponse {
        match &self.stream {
            Stream::Responses(stream) => stream.finished(&self.out),
            Stream::Chat(_) => FinishedResponse::default(),
        }
    }

    /// The next event of the answer; the terminal one is in [`outcome`](Self::outcome).
    pub fn poll_event(&mut self) -> Option<TurnEvent> {
        self.out.events.pop_front()
    }

    /// How the stream ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.out.outcome.as_ref()
    }

    /// What passed so far.
    pub fn ledger(&self) -> &Ledger {
        &self.out.ledger
    }

    /// The turn-state value of a metadata event, once for each that carried one.
    pub fn take_turn_state(&mut self) -> Option<String> {
        self.out.turn_state.take()
    }
}

/// Whether the whole of the (trimmed) data is a sentinel. Services append to `[DONE]`, and some leave the brackets out.
fn is_sentinel(data: &[u8]) -> bool {
    data == b"DONE" || data.starts_with(b"[DONE]")
}

impl Output {
    fn new() -> Self {
        Self { ledger: Ledger::new(), turn_state: None, events: VecDeque::new(), outcome: None, malformed_run: 0 }
    }

    /// Whether the outcome is settled, so that everything else is only counted.
    pub(crate) fn is_settled(&self) -> bool {
        self.outcome.is_some()
    }

    pub(crate) fn emit(&mut self, event: TurnEvent) {
        self.malformed_run = 0;
        self.events.push_back(event);
    }

    /// Settles the outcome; the first one wins.
    pub(crate) fn settle(&mut self, outcome: Outcome) {
        if self.outcome.is_none() {
            match &outcome {
                Outcome::Failed(error) => self.ledger.error = Some(error.clone()),
                Outcome::Incomplete(incomplete) => self.ledger.incomplete_reason = Some(incomplete.reason.clone()),
                _ => {}
            }
            self.outcome = Some(outcome);
        }
    }

    /// Reports a payload that could not be decoded. Too many of them in a row make the stream unreadable.
    #[cold]
    pub(crate) fn malformed(&mut self, event: Option<&str>, error: &str, payload: &[u8]) {
        self.ledger.malformed += 1;
        if self.is_settled() {
            return;
        }
        self.events.push_back(TurnEvent::Malformed(Malformed {
            event: event.map(str::to_owned),
            error: error.to_owned(),
            raw: redacted(payload),
        }));
        self.malformed_run += 1;
        if self.malformed_run >= MAX_MALFORMED_RUN {
            let message = format!("{MAX_MALFORMED_RUN} events in a row could not be decoded");
            self.settle(Outcome::Unreadable { message });
        }
    }

    /// Says that a payload was decoded although it brought no event.
    pub(crate) fn decoded(&mut self) {
        self.malformed_run = 0;
    }
}
