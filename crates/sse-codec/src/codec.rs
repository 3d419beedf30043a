use std::{error::Error, fmt, io};

use bytes::{Buf, BytesMut};
use tokio_util::codec;

use crate::{
    decoder::{Decoder, Origin},
    encode::EncodeError,
    end::End,
    error::DecodeError,
    frame::Frame,
    owned::{self, OwnedEvent},
    scanner::{Found, Interest},
};

/// Both directions under [`tokio_util::codec`], for `FramedRead` and `FramedWrite`.
///
/// Decoding takes the bytes out of the buffer as it reads them, an unfinished event included, so that no byte is
/// looked at twice. After an error it gives no more events.
#[derive(Debug, Clone, Default)]
pub struct SseCodec {
    decoder: Decoder,
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Open,
    Ended(End),
    Failed,
}

impl SseCodec {
    /// A codec at the beginning of a stream, with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// A codec around a decoder of one's own.
    pub fn with_decoder(decoder: Decoder) -> Self {
        Self { decoder, state: State::Open }
    }

    /// The decoder, for its counters, last event id and reconnection time.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// How the stream ended. `None` before its end and after an error.
    pub fn end(&self) -> Option<End> {
        match self.state {
            State::Ended(end) => Some(end),
            State::Open | State::Failed => None,
        }
    }
}

impl codec::Decoder for SseCodec {
    type Item = OwnedEvent;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<OwnedEvent>, CodecError> {
        if matches!(self.state, State::Failed) {
            src.clear();
            return Ok(None);
        }
        let from = self.decoder.take_cut_data(src);
        let (consumed, origin, found) = match self.decoder.find(src, from, Interest::Events) {
            Ok(found) => found,
            Err(error) => {
                self.state = State::Failed;
                src.clear();
                return Err(error.into());
            }
        };
        let Found::Event { data, name } = found else {
            src.advance(consumed);
            return Ok(None);
        };
        let name = self.decoder.own_name(origin, name, src);
        let data = if let (Origin::Input, Some(span)) = (origin, data) {
            owned::part(src.split_to(consumed).freeze(), span)
        } else {
            src.advance(consumed);
            self.decoder.own_copy(origin, data)
        };
        Ok(Some(self.decoder.own(data, name)))
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<OwnedEvent>, CodecError> {
        let event = codec::Decoder::decode(self, src)?;
        if event.is_none() && matches!(self.state, State::Open) {
            self.state = State::Ended(self.decoder.finish());
        }
        Ok(event)
    }
}

impl codec::Encoder<Frame<'_>> for SseCodec {
    type Error = CodecError;

    fn encode(&mut self, frame: Frame<'_>, dst: &mut BytesMut) -> Result<(), CodecError> {
        dst.reserve(frame.encoded_len());
        Ok(frame.encode_buf(dst)?)
    }
}

impl codec::Encoder<OwnedEvent> for SseCodec {
    type Error = CodecError;

    fn encode(&mut self, event: OwnedEvent, dst: &mut BytesMut) -> Result<(), CodecError> {
        self.encode(Frame::from(event.as_event()), dst)
    }
}

/// Why a framed event stream failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CodecError {
    /// Reading or writing failed.
    Io(io::Error),
    /// The bytes passed a limit of the decoder.
    Decode(DecodeError),
    /// The event cannot be written.
    Encode(EncodeError),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io(_) => "transport of the event stream failed",
            Self::Decode(_) => "event stream cannot be decoded",
            Self::Encode(_) => "event cannot be encoded",
        })
    }
}

impl Error for CodecError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Io(error) => error,
            Self::Decode(error) => error,
            Self::Encode(error) => error,
        })
    }
}

impl From<io::Error> for CodecError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DecodeError> for CodecError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<EncodeError> for CodecError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}
