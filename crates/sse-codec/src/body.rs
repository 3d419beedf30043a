use core::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use futures_core::{FusedStream, Stream};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::{decoder::Decoder, end::End, owned::OwnedEvent, reader::Reader, stream_error::StreamError};

pin_project! {
    /// The events of an HTTP body. Trailers are passed over.
    ///
    /// Ends after the first error. An unfinished event at the end is discarded; [`end`](Self::end) tells of it.
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct EventBody<B> {
        #[pin]
        body: B,
        reader: Reader,
    }
}

impl<B> EventBody<B> {
    /// Reads `body` from the beginning of an event stream, with the default limits.
    pub fn new(body: B) -> Self {
        Self::with_decoder(body, Decoder::new())
    }

    /// Reads `body` with a decoder of one's own.
    pub fn with_decoder(body: B, decoder: Decoder) -> Self {
        Self { body, reader: Reader::new(decoder) }
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

impl<B: Body> Stream for EventBody<B> {
    type Item = Result<OwnedEvent, StreamError<B::Error>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        this.reader.poll_next(|| {
            let frame = this.body.as_mut().poll_frame(cx);
            frame.map(|frame| {
                frame.map(|frame| {
                    frame.map(|frame| match frame.into_data() {
                        Ok(mut data) => data.copy_to_bytes(data.remaining()),
                        Err(_trailers) => Bytes::new(),
                    })
                })
            })
        })
    }
}

impl<B: Body> FusedStream for EventBody<B> {
    fn is_terminated(&self) -> bool {
        self.reader.has_ended()
    }
}
