//! Recorded bytes to events, an account and an end.

use std::fmt;

use response_events::{
    Failure, FailureKind, FinishedResponse, Interpreter, InterpreterOptions, Ledger, Outcome, Phase, TransportKind,
    TurnEvent, Wire,
};
use sse_codec::{Decoder, Limits, Overflow};

use crate::failures;

/// Reads one recorded event stream, in pieces of any size: the body of an answer as a service sent it, without the
/// connection that it came over.
///
/// The first terminal signal settles how the stream ended, and its event is the last that is handed out; what comes
/// later is counted only. So does an event above the limit end the stream, by a failure with [`FailureKind::TooLarge`].
/// A stream of the other wire is read to its end, and its failure says what it is.
///
/// ```
/// use codex_api::{RecordedStream, TurnEvent, Wire};
///
/// let mut text = String::new();
/// let mut show = |event: &TurnEvent| -> Result<(), std::convert::Infallible> {
///     if let TurnEvent::TextDelta(delta) = event {
///         text.push_str(&delta.text);
///     }
///     Ok(())
/// };
/// let mut stream = RecordedStream::new(Wire::Chat);
/// stream.feed(br#"data: {"choices":[{"delta":{"content":"Hi"}}]}"#, &mut show).unwrap();
/// stream.feed(b"\n\ndata: [DONE]\n\n", &mut show).unwrap();
/// let end = stream.finish(&mut show).unwrap();
/// assert!(end.failure.is_none());
/// assert_eq!((text.as_str(), end.ledger.events), ("Hi", 2));
/// ```
///
/// `Debug` shows what was counted, and none of the bytes: a turn state can be among them.
pub struct RecordedStream {
    wire: Wire,
    options: InterpreterOptions,
    max_event_bytes: usize,
    /// What the socket carried before.
    before: FinishedResponse,
    decoder: Decoder,
    interpreter: Interpreter,
    ended: Ended,
    /// What its beginning shows it to be.
    other_wire: Option<Failure>,
    output_delivered: bool,
    name: Option<String>,
    data: Vec<u8>,
}

/// Whether and how the stream came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Not,
    /// By the interpreter's outcome, whose event was handed out if it has one.
    Settled,
    /// By an event above the limit.
    TooLarge,
}

/// What a recorded stream came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamEnd {
    /// Counts, and what the service said of the response.
    pub ledger: Ledger,
    /// The failure that ended it; `None` when the answer is complete, or incomplete for a stated reason.
    pub failure: Option<Failure>,
    /// Whether the input ended inside an event, which was discarded, as the standard has it (WHATWG HTML 9.2.6).
    pub tail_discarded: bool,
}

impl RecordedStream {
    /// At the beginning of a stream of this wire, whose events may have 32 MiB each.
    pub fn new(wire: Wire) -> Self {
        Self::with_max_event_bytes(wire, Limits::new().get_max_event_bytes())
    }

    /// The same with this limit: the most bytes of data in one event.
    pub fn with_max_event_bytes(wire: Wire, max_event_bytes: usize) -> Self {
        let options = InterpreterOptions::default().with_max_event_bytes(max_event_bytes);
        Self::with_options(wire, options, max_event_bytes)
    }

    fn with_options(wire: Wire, options: InterpreterOptions, max_event_bytes: usize) -> Self {
        let limits = Limits::new().on_overflow(Overflow::SkipEvent).max_event_bytes(max_event_bytes);
        Self {
            wire,
            options,
            max_event_bytes,
            before: FinishedResponse::default(),
            decoder: Decoder::with_limits(limits),
            interpreter: Interpreter::new(wire, options),
            ended: Ended::Not,
            other_wire: None,
            output_delivered: false,
            name: None,
            data: Vec::new(),
        }
    }

    /// The same stream at its beginning, carried by this transport: by a WebSocket each message is fed as one event.
    /// What ends a stream is not the same there ([`InterpreterOptions::transport`]). Default SSE.
    #[must_use]
    pub fn over(self, transport: TransportKind) -> Self {
        let mut options = self.options;
        options.transport = transport;
        Self::with_options(self.wire, options, self.max_event_bytes)
    }

    /// The beginning of the stream that answers the next request on the same WebSocket. Events of this response that
    /// come late do not count there.
    pub fn next_on_socket(&self) -> Self {
        let own = self.interpreter.finished_response();
        // One that has not told its name leaves nothing behind.
        let before = if own.id().is_some() { own } else { self.before.clone() };
        let mut next = Self::with_options(self.wire, self.options, self.max_event_bytes);
        next.interpreter.expect_late(before.clone());
        Self { before, ..next }
    }

    /// What passed so far.
    pub fn ledger(&self) -> &Ledger {
        self.interpreter.ledger()
    }

    /// Takes the next bytes and hands out the events that they bring, in their order.
    ///
    /// # Errors
    ///
    /// The first one of `on_event`; what is left of `bytes` is lost then.
    pub fn feed<E>(
        &mut self,
        mut bytes: &[u8],
        mut on_event: impl FnMut(&TurnEvent) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            // An event above the limit is skipped, so that this has nothing to fail with.
            let Ok(decoded) = self.decoder.decode(bytes) else { return Ok(()) };
            bytes = &bytes[decoded.consumed..];
            let is_event = decoded.event.is_some();
            if let Some(event) = decoded.event {
                self.name = event.event_field().map(std::borrow::Cow::into_owned);
                self.data.clear();
                self.data.extend_from_slice(event.data());
            }
            if self.ended == Ended::Not && self.decoder.counters().skipped > 0 {
                // What was read before the failure is still the caller's.
                self.interpreter.handle_given_up();
                self.ended = Ended::TooLarge;
                self.hand_out(&mut on_event)?;
            }
            if !is_event {
                return Ok(());
            }
            self.interpreter.handle_event(self.name.as_deref(), &self.data);
            if self.other_wire.is_none() {
                self.other_wire = turn_session::other_wire(self.wire, &self.interpreter, &self.data);
            }
            // Nobody sends it on.
            self.interpreter.take_turn_state();
            self.hand_out(&mut on_event)?;
        }
    }

    /// Whether the stream has ended: by a terminal signal, or by an event above the limit.
    pub fn is_settled(&self) -> bool {
        self.ended != Ended::Not
    }

    /// Says that the input is at its end, to which it came properly; hands out what that brings, and gives the account.
    ///
    /// A last event without its blank line counts if it ends the stream and is whole.
    ///
    /// # Errors
    ///
    /// The first one of `on_event`.
    pub fn finish<E>(mut self, on_event: impl FnMut(&TurnEvent) -> Result<(), E>) -> Result<StreamEnd, E> {
        let skipped = self.decoder.counters().skipped;
        let last_counts = match self.decoder.flush() {
            Ok(Some(event)) => Some(self.interpreter.handle_last(event.event_field().as_deref(), event.data())),
            _ => None,
        };
        self.conclude(last_counts == Some(false), skipped, on_event)
    }

    /// The same for an input that broke off, or of which nobody knows how it went on: a last event without its
    /// blank line counts if its line has come to its end, too. A Chat `[DONE]` counts without it.
    ///
    /// # Errors
    ///
    /// The first one of `on_event`.
    pub fn finish_cut<E>(mut self, on_event: impl FnMut(&TurnEvent) -> Result<(), E>) -> Result<StreamEnd, E> {
        let tail_counts = self.decoder.pending_data().is_some_and(|data| self.interpreter.handle_unfinished(data))
            || self.decoder.partial_data().is_some_and(|data| self.interpreter.handle_partial(data));
        let skipped = self.decoder.counters().skipped;
        let in_event = matches!(self.decoder.flush(), Ok(Some(_)));
        self.conclude(in_event && !tail_counts, skipped, on_event)
    }

    fn conclude<E>(
        mut self,
        mut tail_discarded: bool,
        skipped: u64,
        on_event: impl FnMut(&TurnEvent) -> Result<(), E>,
    ) -> Result<StreamEnd, E> {
        // An event above the limit is counted at its blank line, which the last one does not have.
        if self.decoder.counters().skipped > skipped {
            tail_discarded = true;
            if self.ended == Ended::Not {
                self.interpreter.handle_given_up();
                self.ended = Ended::TooLarge;
            }
        }
        self.interpreter.handle_end();
        self.hand_out(on_event)?;
        let ledger = self.interpreter.ledger().clone();
        let failure = match self.ended {
            Ended::TooLarge => {
                let limit = self.max_event_bytes;
                Some(Failure::new(FailureKind::TooLarge, format!("event is larger than the limit of {limit} bytes")))
            }
            // A turn reads no further.
            _ => {
                self.interpreter.outcome().and_then(Outcome::failure).map(|failure| self.other_wire.unwrap_or(failure))
            }
        };
        let failure = failure.map(|mut failure| {
            if failure.kind == FailureKind::Truncated && tail_discarded {
                failure.message = failures::in_an_event().message;
            }
            failure.phase = if ledger.events == 0 { Phase::FirstEvent } else { Phase::Streaming };
            failure.output_delivered = self.output_delivered;
            failure
        });
        Ok(StreamEnd { ledger, failure, tail_discarded })
    }

    fn hand_out<E>(&mut self, mut on_event: impl FnMut(&TurnEvent) -> Result<(), E>) -> Result<(), E> {
        while let Some(event) = self.interpreter.poll_event() {
            self.output_delivered |= event.is_output();
            on_event(&event)?;
        }
        if self.ended == Ended::Not {
            let Some(outcome) = self.interpreter.outcome() else { return Ok(()) };
            self.ended = Ended::Settled;
            match outcome {
                Outcome::Completed(response) => on_event(&TurnEvent::Completed(response.clone()))?,
                Outcome::Incomplete(end) => on_event(&TurnEvent::Incomplete(end.clone()))?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RecordedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedStream")
            .field("ended", &self.ended)
            .field("ledger", self.interpreter.ledger())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const ITEM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    fn name(event: &TurnEvent) -> &'static str {
        match event {
            TurnEvent::Created(_) => "created",
            TurnEvent::ItemAdded(_) => "item added",
            TurnEvent::TextDelta(_) => "text",
            TurnEvent::ItemDone(_) => "item done",
            TurnEvent::Completed(_) => "completed",
            _ => "another",
        }
    }

    /// What is handed out, what comes later, and how it ends, however the bytes are cut.
    fn check(input: &str, events: &[&str], later: u64, failure: Option<(FailureKind, &str)>) {
        for size in [1, 7, input.len()] {
            let mut seen = Vec::new();
            let mut show = |event: &TurnEvent| -> Result<(), Infallible> {
                seen.push(name(event));
                Ok(())
            };
            let mut stream = RecordedStream::with_max_event_bytes(Wire::Chat, 100);
            for piece in input.as_bytes().chunks(size) {
                let Ok(()) = stream.feed(piece, &mut show);
            }
            let Ok(end) = stream.finish(&mut show);
            assert_eq!(seen, events, "{size}");
            assert_eq!((end.ledger.after_terminal, end.ledger.dropped()), (later, 0), "{size}");
            let told = end.failure.as_ref().map(|failure| (failure.kind, failure.message.as_str()));
            assert_eq!(told, failure, "{size}");
        }
    }

    #[test]
    fn the_terminal_event_is_the_last_one_and_the_rest_is_counted() {
        let events = ["created", "item added", "text", "item done", "completed"];
        check(&[ITEM, DONE].concat(), &events, 0, None);
        check(&[ITEM, DONE, ITEM, &large()].concat(), &events, 1, None);
    }

    #[test]
    fn an_event_above_the_limit_ends_the_stream_behind_what_was_open() {
        let failure = Some((FailureKind::TooLarge, "event is larger than the limit of 100 bytes"));
        let events = ["created", "item added", "text", "item done"];
        check(&[ITEM, &large(), ITEM, ITEM, DONE].concat(), &events, 2, failure);
        check(&large(), &[], 0, failure);
    }

    #[test]
    fn a_cut_is_told_beside_the_failure() {
        let mut stream = RecordedStream::new(Wire::Responses);
        let Ok(()) = stream.feed(b"data: {}\n\ndata: {", |_| Ok::<(), Infallible>(()));
        assert!(!stream.is_settled());
        let Ok(end) = stream.finish(|_| Ok::<(), Infallible>(()));
        let failure = end.failure.unwrap();
        assert_eq!((failure.kind, failure.phase), (FailureKind::Truncated, Phase::Streaming));
        assert!(end.tail_discarded);
    }

    #[test]
    fn the_error_of_who_takes_the_events_is_given_back() {
        let mut stream = RecordedStream::new(Wire::Chat);
        assert_eq!(stream.feed(ITEM.as_bytes(), |_| Err("full")), Err("full"));
    }

    fn large() -> String {
        format!("data: {}\n\n", "x".repeat(101))
    }
}
