//! What the stream adapters share: a decoder with the chunk it is reading.

use core::task::Poll;

use bytes::Bytes;

use crate::{decoder::Decoder, end::End, owned::OwnedEvent, stream_error::StreamError};

#[derive(Debug)]
pub(crate) struct Reader {
    decoder: Decoder,
    chunk: Bytes,
    ended: bool,
    end: Option<End>,
}

impl Reader {
    pub(crate) fn new(decoder: Decoder) -> Self {
        Self { decoder, chunk: Bytes::new(), ended: false, end: None }
    }

    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Gives the next event, asking `source` for chunks as needed. Ends for good after an error.
    pub(crate) fn poll_next<E>(
        &mut self,
        mut source: impl FnMut() -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Option<Result<OwnedEvent, StreamError<E>>>> {
        while !self.ended {
            match self.decoder.decode_bytes(&mut self.chunk) {
                Ok(Some(event)) => return Poll::Ready(Some(Ok(event))),
                Ok(None) => {}
                Err(error) => return self.fail(StreamError::Decode(error)),
            }
            match source() {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => self.chunk = chunk,
                Poll::Ready(Some(Err(error))) => return self.fail(StreamError::Source(error)),
                Poll::Ready(None) => {
                    self.ended = true;
                    self.end = Some(self.decoder.finish());
                }
            }
        }
        Poll::Ready(None)
    }

    fn fail<E>(&mut self, error: StreamError<E>) -> Poll<Option<Result<OwnedEvent, StreamError<E>>>> {
        self.ended = true;
        self.chunk = Bytes::new();
        Poll::Ready(Some(Err(error)))
    }
}
