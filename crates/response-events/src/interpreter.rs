//! One stream of payloads, interpreted: the part that both wires share.

use std::collections::VecDeque;

use crate::{
    Ledger, Malformed, Outcome, TransportKind, TurnEvent, Wire,
    chat::ChatStream,
    collected::{Collected, DEFAULT_MAX_BYTES},
    raw_json::redacted,
    responses::{FinishedResponse, ResponsesStream},
    secret::Secret,
};

/// Undecodable payloads in a row after which a stream counts as unreadable.
const MAX_MALFORMED_RUN: u32 = 32;
/// What ends a Chat stream, whatever services append to it.
const SENTINEL: &[u8] = b"[DONE]";
/// Empty lines of data that may stand before what ends a stream early.
const BLANK_LINES: usize = 64;

/// Reads the payloads of one stream and says what they mean.
///
/// Feed it with [`handle_event`](Self::handle_event), and with [`handle_end`](Self::handle_end) when no more will
/// come; after each call drain [`poll_event`](Self::poll_event) and look at [`outcome`](Self::outcome). The first
/// terminal signal settles the outcome at once; whatever is fed later is only counted.
#[derive(Debug)]
pub struct Interpreter {
    out: Output,
    stream: Stream,
    /// Whether the event that has not come whole was looked at.
    looked_ahead: bool,
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
    /// How much of an answer is collected, in bytes as the service sends them: its finished items, whether they come
    /// whole (Responses) or are put together here (Chat), and what they are known by. Beyond it the outcome is
    /// [`Outcome::TooLarge`], as it is beyond 10,000 items. Default 64 MiB.
    pub max_answer_bytes: usize,
}

impl Default for InterpreterOptions {
    fn default() -> Self {
        Self { choices: 1, transport: TransportKind::Sse, call_seed: None, max_answer_bytes: DEFAULT_MAX_BYTES }
    }
}

impl InterpreterOptions {
    /// The same with room for events of so many bytes: [`max_answer_bytes`](Self::max_answer_bytes) is raised to twice
    /// as many.
    pub fn with_max_event_bytes(self, bytes: usize) -> Self {
        Self { max_answer_bytes: self.max_answer_bytes.max(bytes.saturating_mul(2)), ..self }
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
    pub(crate) turn_state: Option<Secret>,
    pub(crate) collected: Collected,
    events: VecDeque<TurnEvent>,
    outcome: Option<Outcome>,
    malformed_run: u32,
    fate: Fate,
}

/// What became of the payload at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing yet. A payload that is left so was dropped.
    Open,
    /// It was understood and has no event of its own.
    Silent,
    /// It became an event, settled the outcome, or stands in a count of the ledger.
    Told,
}

impl Interpreter {
    /// An interpreter for one stream of a wire.
    pub fn new(wire: Wire, options: InterpreterOptions) -> Self {
        let stream = match wire {
            Wire::Responses => Stream::Responses(ResponsesStream::new(options.transport)),
            Wire::Chat => Stream::Chat(Box::new(ChatStream::new(options))),
        };
        Self { out: Output::new(options.max_answer_bytes), stream, looked_ahead: false }
    }

    /// Takes one payload: the data of a dispatched SSE event with the value of its `event:` field, or a WebSocket
    /// message with `None`.
    ///
    /// The JSON's `type` decides what an event is. The name counts only where there is no type, or none that is known:
    /// such an event is an error if it is named `error`, and data that is no JSON, too.
    pub fn handle_event(&mut self, name: Option<&str>, data: &[u8]) {
        self.looked_ahead = false;
        let ledger = &mut self.out.ledger;
        ledger.events += 1;
        let counted = match self.stream {
            Stream::Chat(_) => sentinel_end(data).unwrap_or(data.len()),
            Stream::Responses(_) => data.len(),
        };
        ledger.payload_bytes += counted as u64;
        self.out.begin_value();
        self.take(name, data.trim_ascii());
        self.settle_excess();
        self.out.end_value();
    }

    fn take(&mut self, name: Option<&str>, data: &[u8]) {
        let ledger = &mut self.out.ledger;
        // Keep-alives that proxies wrap as data: nothing at all, or a comment; pings have an empty object.
        if data.is_empty() || data[0] == b':' || data == b"{}" && name != Some("error") {
            ledger.keep_alives += 1;
            return self.out.account();
        }
        if sentinel_end(data).is_some() {
            ledger.done_sentinels += 1;
            self.out.account();
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
            self.out.account();
        }
        match &mut self.stream {
            Stream::Responses(stream) => stream.handle(name, data, &mut self.out),
            Stream::Chat(stream) => stream.handle(name, data, &mut self.out),
        }
    }

    /// Ends a stream of which too much would have to be kept.
    fn settle_excess(&mut self) {
        let Some(message) = self.out.collected.excess() else { return };
        if self.out.outcome.is_none() {
            match &mut self.stream {
                Stream::Responses(_) => self.out.settle(Outcome::TooLarge { message }),
                Stream::Chat(stream) => stream.handle_excess(message, &mut self.out),
            }
        }
    }

    /// Takes the data of an event whose blank line has not come, behind a line of its data. What ends the stream and is
    /// whole counts already: a Chat sentinel, or a terminal event. Answers whether it did.
    ///
    /// Only what stands in the first line of the data with anything in it is looked at, once: data of many lines would
    /// be read as often as it has lines.
    pub fn handle_unfinished(&mut self, data: &[u8]) -> bool {
        if self.looked_ahead || self.out.outcome.is_some() {
            return false;
        }
        let event = data.trim_ascii();
        self.looked_ahead = !event.is_empty() || data.len() > BLANK_LINES;
        let ends = match &self.stream {
            Stream::Responses(_) => event.ends_with(b"}") && ResponsesStream::is_terminal(None, event),
            Stream::Chat(_) if sentinel_end(event).is_some() => true,
            Stream::Chat(_) => event.ends_with(b"}") && ChatStream::is_terminal(None, event),
        };
        if ends {
            self.handle_event(None, data);
        }
        ends
    }

    /// Takes the data of an event inside a line of it, up to the byte that came last. `[DONE]` ends a Chat stream,
    /// whatever follows. Answers whether it did.
    pub fn handle_partial(&mut self, data: &[u8]) -> bool {
        let begin = data[..data.len().min(BLANK_LINES)].trim_ascii_start();
        let ends = self.out.outcome.is_none() && matches!(self.stream, Stream::Chat(_)) && begin.starts_with(SENTINEL);
        if ends {
            self.handle_event(None, data);
        }
        ends
    }

    /// Takes the last event of a body that has come to a clean end without the blank line behind it; then call
    /// [`handle_end`](Self::handle_end). Answers whether it counted.
    ///
    /// The standard discards such an event (WHATWG HTML, section 9.2.6), because nobody can tell whether it is whole.
    /// One can here, of what ends a stream: a Chat sentinel, or one whole JSON object that is terminal. These count
    /// where they change something; a Chat answer whose choices have all ended is complete without its sentinel.
    pub fn handle_last(&mut self, name: Option<&str>, data: &[u8]) -> bool {
        let event = data.trim_ascii();
        let ends = self.out.outcome.is_none()
            && match &self.stream {
                Stream::Responses(_) => ResponsesStream::is_terminal(name, event),
                Stream::Chat(stream) if sentinel_end(event).is_some() => !stream.is_finished(&self.out),
                Stream::Chat(_) => ChatStream::is_terminal(name, event),
            };
        if ends {
            self.out.ledger.input_ended = true;
            self.handle_event(name, data);
        }
        ends
    }

    /// Says that no payload will come any more, however the connection ended. Settles the outcome if nothing has.
    pub fn handle_end(&mut self) {
        if self.out.outcome.is_none() {
            self.out.ledger.input_ended = true;
        }
        self.handle_given_up();
    }

    /// Says that nobody waits for another payload, although the connection is still open. Settles the outcome as
    /// [`handle_end`](Self::handle_end) does.
    pub fn handle_given_up(&mut self) {
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

    /// The same, for a driver that knows what in it must not be shown.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.out.ledger
    }

    /// The turn-state value of a metadata event, once for each that carried one.
    pub fn take_turn_state(&mut self) -> Option<String> {
        self.out.turn_state.take().map(Secret::into_inner)
    }
}

/// Where the sentinel ends that data is, if it is one. Services append to `[DONE]`, and some leave the brackets out;
/// then it has a line of its own. What is behind it changes nothing, so that it does not matter whether that has come.
fn sentinel_end(data: &[u8]) -> Option<usize> {
    let text = data.trim_ascii_start();
    let begin = data.len() - text.len();
    if text.starts_with(SENTINEL) {
        return Some(begin + SENTINEL.len());
    }
    let behind = text.strip_prefix(b"DONE")?.split(|byte| *byte == b'\n').next()?;
    behind.trim_ascii().is_empty().then(|| begin + b"DONE".len() + behind.len())
}

impl Output {
    fn new(max_answer_bytes: usize) -> Self {
        Self {
            ledger: Ledger::new(),
            turn_state: None,
            collected: Collected::new(max_answer_bytes),
            events: VecDeque::new(),
            outcome: None,
            malformed_run: 0,
            fate: Fate::Open,
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self::new(DEFAULT_MAX_BYTES)
    }

    /// Whether the outcome is settled, so that everything else is only counted.
    pub(crate) fn is_settled(&self) -> bool {
        self.outcome.is_some()
    }

    /// A value was taken in: a payload, or one of several in it. Until [`end_value`](Self::end_value) somebody has to
    /// account for it.
    fn begin_value(&mut self) {
        self.ledger.note_taken();
        self.fate = Fate::Open;
    }

    fn end_value(&mut self) {
        match self.fate {
            Fate::Open => return,
            Fate::Silent => self.ledger.silent += 1,
            Fate::Told => {}
        }
        self.ledger.note_accounted();
    }

    /// Goes on with another value of the same payload.
    pub(crate) fn next_value(&mut self) {
        self.end_value();
        self.begin_value();
    }

    /// Says that the value at hand stands in a count of the ledger.
    pub(crate) fn account(&mut self) {
        self.fate = Fate::Told;
    }

    /// Says that the value at hand was understood, and that there is nothing to tell of it.
    pub(crate) fn silent(&mut self) {
        self.malformed_run = 0;
        if self.fate == Fate::Open {
            self.fate = Fate::Silent;
        }
    }

    pub(crate) fn emit(&mut self, event: TurnEvent) {
        self.account();
        self.malformed_run = 0;
        self.events.push_back(event);
    }

    /// Settles the outcome; the first one wins. An end beside what is too much does not make an answer whole.
    pub(crate) fn settle(&mut self, outcome: Outcome) {
        self.account();
        if self.outcome.is_none() {
            let outcome = match (self.collected.excess(), outcome) {
                // What the service says of its failure says more.
                (None, outcome) | (_, outcome @ Outcome::Failed(_)) => outcome,
                (Some(message), _) => Outcome::TooLarge { message },
            };
            match &outcome {
                Outcome::Failed(error) | Outcome::CompletedWithError(error) => self.ledger.error = Some(error.clone()),
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
        self.account();
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

    /// Says that a payload was decoded, whatever will be told of it.
    pub(crate) fn decoded(&mut self) {
        self.malformed_run = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one value comes to: the counts of values that are silent, and dropped.
    fn check(take: impl FnOnce(&mut Output), silent: u64, dropped: u64) {
        let mut out = Output::for_tests();
        out.begin_value();
        take(&mut out);
        out.end_value();
        assert_eq!((out.ledger.silent, out.ledger.dropped()), (silent, dropped));
    }

    #[test]
    fn a_path_that_forgets_its_payload_drops_it() {
        let event = || TurnEvent::Created(crate::Created::default());
        check(|_| {}, 0, 1);
        check(Output::decoded, 0, 1);
        check(Output::silent, 1, 0);
        check(Output::account, 0, 0);
        check(|out| out.emit(event()), 0, 0);
        check(|out| out.malformed(None, "no JSON", b"x"), 0, 0);
        check(|out| out.settle(Outcome::Truncated { message: String::new() }), 0, 0);
        // What was told stays told.
        check(|out| (out.emit(event()), out.silent()).1, 0, 0);
        // Several values in one payload: each by itself.
        check(|out| (out.emit(event()), out.next_value()).1, 0, 1);
        check(|out| (out.next_value(), out.emit(event())).1, 0, 1);
    }

    #[test]
    fn only_an_end_that_comes_first_is_the_end_of_the_input() {
        let ended = |feed: fn(&mut Interpreter)| {
            let mut stream = Interpreter::new(Wire::Chat, InterpreterOptions::default());
            feed(&mut stream);
            stream.handle_end();
            (stream.ledger().input_ended, stream.outcome().map(Outcome::as_str))
        };
        assert_eq!(ended(|_| {}), (true, Some("truncated")));
        assert_eq!(ended(|stream| stream.handle_event(None, b"DONE")), (false, Some("completed")));
        assert_eq!(ended(Interpreter::handle_given_up), (false, Some("truncated")));
    }
}
