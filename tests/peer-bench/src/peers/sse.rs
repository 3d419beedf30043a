//! Decoders of server-sent events. Each reads all chunks and answers how many events there were; the data of each
//! event has been text (checked UTF-8) once, unless the name says otherwise.

use std::convert::Infallible;
use std::hint::black_box;
use std::num::NonZeroUsize;

use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};

/// A stream cut into chunks.
pub type Chunks = [Bytes];

/// The least that a decoder does: looking for line ends.
pub fn memchr2(chunks: &Chunks, events: u64) -> u64 {
    let ends = chunks.iter().flat_map(|chunk| memchr::memchr2_iter(b'\n', b'\r', chunk));
    black_box(ends.fold(0, |sum, at| sum ^ at));
    events
}

/// Ours, lent; nobody asks for text. What a JSON parser needs.
pub fn ours_bytes(chunks: &Chunks) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut events = 0;
    for chunk in chunks {
        let mut feed = decoder.feed(chunk);
        while let Ok(Some(event)) = feed.next() {
            black_box(event.data());
            events += 1;
        }
    }
    events
}

/// Ours, lent.
pub fn ours_borrowed(chunks: &Chunks) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut events = 0;
    for chunk in chunks {
        let mut feed = decoder.feed(chunk);
        while let Ok(Some(event)) = feed.next() {
            black_box((event.event_field(), event.try_str().ok()));
            events += 1;
        }
    }
    events
}

/// Ours, lent as text, over a stream that is cut as it is read. Answers the bytes of data.
pub fn data_text(stream: &[u8], chunk: usize) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut bytes = 0;
    for chunk in stream.chunks(chunk) {
        let mut feed = decoder.feed(chunk);
        while let Ok(Some(event)) = feed.next() {
            bytes += black_box(event.try_str()).map_or(0, str::len) as u64;
        }
    }
    bytes
}

/// Ours, owned; nobody asks for text.
pub fn ours_owned_bytes(chunks: &Chunks) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut events = 0;
    for chunk in chunks {
        for event in decoder.feed_bytes(chunk.clone()).map_while(Result::ok) {
            black_box(event);
            events += 1;
        }
    }
    events
}

/// Ours, owned.
pub fn ours_owned(chunks: &Chunks) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut events = 0;
    for chunk in chunks {
        let mut feed = decoder.feed_bytes(chunk.clone());
        while let Some(Ok(event)) = feed.next() {
            black_box(event.try_str().ok());
            black_box(event);
            events += 1;
        }
    }
    events
}

/// `sse-core`, with a limit as ours.
pub fn sse_core(chunks: &Chunks) -> u64 {
    let limit = NonZeroUsize::new(32 << 20).unwrap_or(NonZeroUsize::MAX);
    let mut decoder = sse_core::SseDecoder::with_limit(limit);
    let mut events = 0;
    for chunk in chunks {
        let mut rest: &[u8] = chunk;
        while let Some(Ok(event)) = decoder.next(&mut rest) {
            if let sse_core::SseEvent::Message(message) = event {
                black_box(message);
                events += 1;
            }
        }
    }
    events
}

/// `eventsource-stream`.
pub fn eventsource_stream(chunks: &Chunks) -> u64 {
    count(stream::iter(chunks.iter().map(|chunk| Ok::<&[u8], Infallible>(chunk))).eventsource())
}

/// `sse-stream`.
pub fn sse_stream(chunks: &Chunks) -> u64 {
    count(sse_stream::SseByteStream::new(stream::iter(chunks.iter().map(|chunk| Ok::<_, Infallible>(chunk.clone())))))
}

/// `stream-rs`.
pub fn stream_rs(chunks: &Chunks) -> u64 {
    let mut parser = stream_rs::sse::SseParser::new();
    let (mut found, mut events) = (Vec::new(), 0);
    for chunk in chunks {
        parser.feed(chunk, &mut found);
        for event in found.drain(..) {
            black_box(event);
            events += 1;
        }
    }
    events
}

/// Counts the events of a stream that is never pending.
pub(super) fn count<T, E>(events: impl Stream<Item = Result<T, E>>) -> u64 {
    let mut events = std::pin::pin!(events);
    let mut count = 0;
    while let Some(Some(Ok(event))) = events.next().now_or_never() {
        black_box(event);
        count += 1;
    }
    count
}
