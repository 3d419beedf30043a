use core::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;

use crate::{decoder::Decoder, end::End, owned::OwnedEvent, reader::Reader, stream_error::StreamError};

pin_project! {
    /// The events of a stream of chunks, such as the body stream of an HTTP client.
    ///
    /// Ends after the first error. An unfinished event at the end is discarded; [`end`](Self::end) tells of it.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct EventStream<S> {
        #[pin]
        inner: S,
        reader: Reader,
    }
}

impl<S> EventStream<S> {
    /// Reads `inner` from the beginning of an event stream, with the default limits.
    pub fn new(inner: S) -> Self {
        Self::with_decoder(inner, Decoder::new())
    }

    /// Reads `inner` with a decoder of one's own.
    pub fn with_decoder(inner: S, decoder: Decoder) -> Self {
        Self { inner, reader: Reader::new(decoder) }
    }

    /// The decoder, for its counters, last event id and reconnection time.
    pub fn decoder(&self) -> &Decoder {
        self.reader.decoder()
    }

    /// How the stream ended. `None` before its end and after an error.
    pub fn end(&self) -> Option<End> {
        self.reader.end()
    }
}

impl<S, B, E> Stream for EventStream<S>
where
    S: Stream<Item = Result<B, E>>,
    B: Into<Bytes>,
{
    type Item = Result<OwnedEvent, StreamError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        this.reader.poll_next(|| {
            let chunk = this.inner.as_mut().poll_next(cx);
            chunk.map(|chunk| chunk.map(|chunk| chunk.map(Into::into)))
        })
    }
}

impl<S, B, E> FusedStream for EventStream<S>
where
    S: Stream<Item = Result<B, E>>,
    B: Into<Bytes>,
{
    fn is_terminated(&self) -> bool {
        self.reader.has_ended()
    }
}
