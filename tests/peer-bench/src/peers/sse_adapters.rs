//! The ways into `sse-codec` beside its decoder: a stream, an HTTP body, a codec for framed reading.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body::{Body, Frame};
use tokio_util::codec::Decoder as _;

use super::sse::{Chunks, count};

/// The decoder itself, with owned events: what the others are measured by.
pub fn decoder(chunks: &Chunks) -> u64 {
    let mut decoder = sse_codec::Decoder::new();
    let mut events = 0;
    for chunk in chunks {
        for event in decoder.feed_bytes(chunk.clone()) {
            black_box(event.is_ok());
            events += 1;
        }
    }
    events
}

/// `EventStream`.
pub fn event_stream(chunks: &Chunks) -> u64 {
    count(sse_codec::EventStream::new(stream::iter(chunks.iter().map(|chunk| Ok::<_, Infallible>(chunk.clone())))))
}

/// `EventBody`.
pub fn event_body(chunks: &Chunks) -> u64 {
    count(sse_codec::EventBody::new(ReadyBody(chunks.iter())))
}

/// `SseCodec`, called as `FramedRead` calls it: a read appends to the buffer, then events are taken out of it.
pub fn codec(chunks: &Chunks) -> u64 {
    let mut codec = sse_codec::SseCodec::new();
    let mut buffer = BytesMut::new();
    let mut events = 0;
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
        while let Ok(Some(event)) = codec.decode(&mut buffer) {
            black_box(event);
            events += 1;
        }
    }
    events
}

/// A body that is all there.
struct ReadyBody<'a>(std::slice::Iter<'a, Bytes>);

impl Body for ReadyBody<'_> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|chunk| Ok(Frame::data(chunk.clone()))))
    }
}
