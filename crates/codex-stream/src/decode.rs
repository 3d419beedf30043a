//! Bytes of a recorded stream to events, an account and an end.

use std::io;

use response_events::{
    Failure, FailureKind, Interpreter, InterpreterOptions, Ledger, Outcome, Phase, Summary, SummaryBuilder, TurnEvent,
    Wire,
};
use sse_codec::{Decoder, End, Limits, Overflow};

use crate::inspect;

/// Room for the field's name beside the data of an event that just fits.
const LINE_EXTRA: usize = 1024;

/// How a recording is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// The wire that it speaks.
    pub wire: Wire,
    /// Most bytes of data in one event; a larger one fails the stream, once.
    pub max_event_bytes: usize,
}

impl DecodeOptions {
    /// The usual limit of 32 MiB.
    pub fn new(wire: Wire) -> Self {
        Self { wire, max_event_bytes: 32 << 20 }
    }

    fn limits(self) -> Limits {
        let limits = Limits::new().on_overflow(Overflow::SkipEvent).max_event_bytes(self.max_event_bytes);
        let line = limits.get_max_line_bytes().max(self.max_event_bytes.saturating_add(LINE_EXTRA));
        limits.max_line_bytes(line)
    }
}

/// Reads one recorded stream, in pieces of any size.
///
/// The first terminal signal settles how the stream ended; what comes later is counted only.
#[derive(Debug)]
pub struct StreamDecoder {
    options: DecodeOptions,
    decoder: Decoder,
    interpreter: Interpreter,
    /// The first bytes, to say what an input without events is.
    head: Vec<u8>,
    ended: Ended,
    output_delivered: bool,
    name: Option<String>,
    data: Vec<u8>,
}

/// Whether and how the stream came to its end.
#[derive(Debug)]
enum Ended {
    Not,
    /// By the interpreter's outcome, whose event was handed out if it has one.
    Settled,
    /// By an event above the limit; what was known of the response then.
    TooLarge(Box<Ledger>),
}

/// What a recorded stream came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decoded {
    /// Counts, and what the service said of the response.
    pub ledger: Ledger,
    /// The failure that ended it; `None` when the answer is complete, or incomplete for a stated reason.
    pub failure: Option<Failure>,
    /// Whether the input ended inside an event, which was discarded, as the standard has it.
    pub tail_discarded: bool,
}

impl StreamDecoder {
    /// At the beginning of a stream.
    pub fn new(options: DecodeOptions) -> Self {
        Self {
            options,
            decoder: Decoder::with_limits(options.limits()),
            interpreter: Interpreter::new(options.wire, InterpreterOptions::default()),
            head: Vec::new(),
            ended: Ended::Not,
            output_delivered: false,
            name: None,
            data: Vec::new(),
        }
    }

    /// Takes the next bytes and hands out what they bring. Fails only if `on_event` does.
    pub fn feed(&mut self, mut chunk: &[u8], on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<()> {
        let wanted = inspect::HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&chunk[..wanted.min(chunk.len())]);
        loop {
            // An oversized event is skipped, so that this has nothing to fail with.
            let Ok(decoded) = self.decoder.decode(chunk) else { return Ok(()) };
            chunk = &chunk[decoded.consumed..];
            let found = decoded.event.is_some();
            if let Some(event) = decoded.event {
                self.name = event.event_field().map(std::borrow::Cow::into_owned);
                self.data.clear();
                self.data.extend_from_slice(event.data());
            }
            if matches!(self.ended, Ended::Not) && self.decoder.counters().skipped > 0 {
                self.ended = Ended::TooLarge(Box::new(self.interpreter.ledger().clone()));
            }
            if !found {
                return Ok(());
            }
            self.interpreter.handle_event(self.name.as_deref(), &self.data);
            self.hand_out(on_event)?;
        }
    }

    /// Whether the stream has ended: by a terminal signal, or by an event above the limit.
    pub fn is_settled(&self) -> bool {
        !matches!(self.ended, Ended::Not)
    }

    /// Says that the input is at its end.
    pub fn finish(mut self, on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<Decoded> {
        let tail_discarded = matches!(self.decoder.finish(), End::Truncated { had_data: true, .. });
        self.interpreter.handle_end();
        self.hand_out(on_event)?;
        let ledger = self.account();
        let failure = match self.ended {
            Ended::TooLarge(_) => {
                let limit = self.options.max_event_bytes;
                Some(Failure::new(FailureKind::TooLarge, format!("event is larger than the limit of {limit} bytes")))
            }
            _ => self.interpreter.outcome().and_then(Outcome::failure),
        };
        let failure = failure.map(|mut failure| {
            if failure.kind == FailureKind::Truncated && ledger.events == 0 {
                failure.message = format!("{} ({})", failure.message, inspect::describe(&self.head));
            }
            failure.phase = if ledger.events == 0 { Phase::FirstEvent } else { Phase::Streaming };
            failure.output_delivered = self.output_delivered;
            failure
        });
        Ok(Decoded { ledger, failure, tail_discarded })
    }

    fn hand_out(&mut self, on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<()> {
        if matches!(self.ended, Ended::TooLarge(_)) {
            while self.interpreter.poll_event().is_some() {}
            return Ok(());
        }
        while let Some(event) = self.interpreter.poll_event() {
            self.output_delivered |= event.is_output();
            on_event(&event)?;
        }
        if matches!(self.ended, Ended::Not) {
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

    /// The account. After an oversized event only the counts go on.
    fn account(&self) -> Ledger {
        let now = self.interpreter.ledger();
        let Ended::TooLarge(then) = &self.ended else { return now.clone() };
        let mut ledger = (**then).clone();
        let sentinels = now.done_sentinels - then.done_sentinels;
        ledger.after_terminal = (now.events - then.events).saturating_sub(sentinels);
        ledger.events = now.events;
        ledger.payload_bytes = now.payload_bytes;
        ledger.done_sentinels = now.done_sentinels;
        ledger.event_types = now.event_types.clone();
        ledger.terminal_events = now.terminal_events;
        ledger
    }
}

/// The summary of a whole recording, fed in pieces of `chunk_bytes` (at once if 0).
pub fn summarize(input: &[u8], chunk_bytes: usize, options: DecodeOptions) -> Summary {
    let mut stream = StreamDecoder::new(options);
    let mut builder = SummaryBuilder::new();
    let mut observe = |event: &TurnEvent| {
        builder.observe(event);
        Ok(())
    };
    let chunk_bytes = if chunk_bytes == 0 { input.len().max(1) } else { chunk_bytes };
    let decoded = input
        .chunks(chunk_bytes)
        .try_for_each(|chunk| stream.feed(chunk, &mut observe))
        .and_then(|()| stream.finish(&mut observe));
    match decoded {
        Ok(Decoded { ledger, failure, .. }) => builder.finish(options.wire, &ledger, failure.as_ref()),
        Err(_) => unreachable!("observing cannot fail"),
    }
}
