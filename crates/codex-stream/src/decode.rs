//! Bytes of a recorded stream to events, an account and an end.

use std::{fmt, io};

use codex_api::{RecordedStream, StreamEnd};
use response_events::{Failure, FailureKind, Ledger, Summary, SummaryBuilder, TurnEvent, Wire};

use crate::inspect;

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
}

/// Reads one recorded stream, in pieces of any size, as [`RecordedStream`] does, and says what an input is that turns
/// out to be none.
///
/// `Debug` shows what was counted, and none of the bytes: a turn state can be among them.
pub struct StreamDecoder {
    stream: RecordedStream,
    /// The first bytes of the input.
    head: Vec<u8>,
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
        let stream = RecordedStream::with_max_event_bytes(options.wire, options.max_event_bytes);
        Self { stream, head: Vec::new() }
    }

    /// Takes the next bytes and hands out what they bring. Fails only if `on_event` does.
    pub fn feed(&mut self, chunk: &[u8], on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<()> {
        let wanted = inspect::HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&chunk[..wanted.min(chunk.len())]);
        self.stream.feed(chunk, on_event)
    }

    /// Whether the stream has ended: by a terminal signal, or by an event above the limit.
    pub fn is_settled(&self) -> bool {
        self.stream.is_settled()
    }

    /// Says that the input is at its end, to which it came properly.
    pub fn finish(self, on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<Decoded> {
        let end = self.stream.finish(on_event)?;
        Ok(conclude(end, &self.head))
    }

    /// Says that the input broke off, or that nobody knows how it went on.
    pub fn finish_cut(self, on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<Decoded> {
        let end = self.stream.finish_cut(on_event)?;
        Ok(conclude(end, &self.head))
    }
}

impl fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamDecoder").field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// The account, and of an input without events what it is instead: `head` are its first bytes.
fn conclude(end: StreamEnd, head: &[u8]) -> Decoded {
    let StreamEnd { ledger, mut failure, tail_discarded, .. } = end;
    if let Some(failure) = failure.as_mut().filter(|it| it.kind == FailureKind::Truncated && ledger.events == 0) {
        failure.message = format!("{} ({})", failure.message, inspect::describe(head));
    }
    Decoded { ledger, failure, tail_discarded }
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
