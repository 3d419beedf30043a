//! Bytes of a recorded stream to events, an account and an end.

use std::{fmt, io};

use codex_api::{RecordedStream, StreamEnd};
use response_events::{FailureKind, Ledger, Summary, SummaryBuilder, TransportKind, TurnEvent, Wire};

use crate::inspect;

/// How a recording is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeOptions {
    /// The wire that it speaks.
    pub wire: Wire,
    /// What carried it. Default SSE.
    pub transport: TransportKind,
    /// Most bytes of data in one event; a larger one fails the stream, once.
    pub max_event_bytes: usize,
}

impl DecodeOptions {
    /// A stream over SSE, with the usual limit of 32 MiB.
    pub fn new(wire: Wire) -> Self {
        Self { wire, transport: TransportKind::Sse, max_event_bytes: 32 << 20 }
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

impl StreamDecoder {
    /// At the beginning of a stream.
    pub fn new(options: DecodeOptions) -> Self {
        let stream =
            RecordedStream::with_max_event_bytes(options.wire, options.max_event_bytes).over(options.transport);
        Self { stream, head: Vec::new() }
    }

    /// At the beginning of the stream that follows on the same WebSocket, as [`RecordedStream::next_on_socket`].
    pub fn next_on_socket(&self) -> Self {
        Self { stream: self.stream.next_on_socket(), head: Vec::new() }
    }

    /// What passed so far.
    pub fn ledger(&self) -> &Ledger {
        self.stream.ledger()
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
    pub fn finish(self, on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<StreamEnd> {
        let end = self.stream.finish(on_event)?;
        Ok(conclude(end, &self.head))
    }

    /// Says that the input broke off, or that nobody knows how it went on.
    pub fn finish_cut(self, on_event: &mut dyn FnMut(&TurnEvent) -> io::Result<()>) -> io::Result<StreamEnd> {
        let end = self.stream.finish_cut(on_event)?;
        Ok(conclude(end, &self.head))
    }
}

impl fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamDecoder").field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// Says of an input without events what it is instead: `head` are its first bytes.
fn conclude(mut end: StreamEnd, head: &[u8]) -> StreamEnd {
    let is_empty = end.ledger.events == 0;
    if let Some(failure) = end.failure.as_mut().filter(|it| it.kind == FailureKind::Truncated && is_empty) {
        failure.message = format!("{} ({})", failure.message, inspect::describe(head));
    }
    end
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
        Ok(StreamEnd { ledger, failure, .. }) => builder.finish(options.wire, &ledger, failure.as_ref()),
        Err(_) => unreachable!("observing cannot fail"),
    }
}
