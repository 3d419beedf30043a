//! Frames, right or wrong (RFC 9113 §4.1 and §6).

use bytes::{Buf, BytesMut};

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// Of DATA and HEADERS.
pub(super) const END_STREAM: u8 = 0x1;
/// Of SETTINGS and PING.
pub(super) const ACK: u8 = 0x1;
/// Of HEADERS and CONTINUATION.
pub(super) const END_HEADERS: u8 = 0x4;
/// Of DATA and HEADERS.
pub(super) const PADDED: u8 = 0x8;
/// Of HEADERS.
pub(super) const PRIORITY: u8 = 0x20;

/// The largest payload that every endpoint takes (§4.2).
pub(super) const MAX_PAYLOAD: usize = 16 * 1024;
/// The largest that can be written down.
pub(super) const MAX_LENGTH: usize = 0xff_ffff;

const HEAD: usize = 9;

/// A frame with a payload of at most [`MAX_LENGTH`] bytes.
pub(super) fn encode(frame_type: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([frame_type, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// GOAWAY (§6.8).
pub(super) fn goaway(last: u32, reason: u32) -> Vec<u8> {
    encode(GOAWAY, 0, 0, &[last.to_be_bytes(), reason.to_be_bytes()].concat())
}

/// DATA, or HEADERS with CONTINUATIONs: as many frames as it takes. `end` goes to the last DATA or the first HEADERS.
pub(super) fn encode_all(frame_type: u8, end: End, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut parts = payload.chunks(MAX_PAYLOAD).peekable();
    let mut part: &[u8] = parts.next().unwrap_or_default();
    let (mut frames, mut frame_type) = (Vec::new(), frame_type);
    loop {
        let last = parts.peek().is_none();
        let end_stream = match frame_type {
            DATA => last,
            HEADERS => true,
            _ => false,
        };
        let mut flags = if end == End::Stream && end_stream { END_STREAM } else { 0 };
        if frame_type != DATA && last {
            flags |= END_HEADERS;
        }
        frames.extend(encode(frame_type, flags, stream, part));
        let Some(next) = parts.next() else { return frames };
        part = next;
        if frame_type == HEADERS {
            frame_type = CONTINUATION;
        }
    }
}

/// Whether more follows on the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Open,
    Stream,
}

/// A frame of the client.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: BytesMut,
}

impl Frame {
    /// Takes a whole frame off `input`, if there is one.
    pub(super) fn take(input: &mut BytesMut) -> Option<Self> {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *input.first_chunk::<HEAD>()?;
        let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        if input.len() < HEAD + length {
            return None;
        }
        input.advance(HEAD);
        // The highest bit is reserved and ignored (§4.1).
        let stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
        Some(Self { kind, flags, stream, payload: input.split_to(length) })
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload of DATA or HEADERS without its padding and priority; nothing of a frame that is too short for them.
    pub(super) fn content(mut self) -> BytesMut {
        let mut padding = 0;
        if self.has(PADDED) && !self.payload.is_empty() {
            padding = usize::from(self.payload.get_u8());
        }
        if self.kind == HEADERS && self.has(PRIORITY) {
            self.payload.advance(self.payload.len().min(5));
        }
        self.payload.truncate(self.payload.len().saturating_sub(padding));
        self.payload
    }
}
