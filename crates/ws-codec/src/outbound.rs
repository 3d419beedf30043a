//! Messages and control frames to bytes.

use bytes::{Buf, Bytes, BytesMut};

use crate::frame::{Fin, Header, OpCode};
use crate::mask::{self, MaskKeys};
use crate::{CloseFrame, Counters, Message, Role};

/// Frames are made only while fewer bytes than this wait, so that the queue stays short and a pong is never far.
const LOW_WATER: usize = 8 << 10;

#[derive(Debug)]
pub(crate) struct Outbound {
    masks: Option<MaskKeys>,
    fragment_size: usize,
    buffer: BytesMut,
    sending: Option<Sending>,
    /// How much of the buffer there is up to the end of what it holds of the message.
    unwritten: usize,
    /// The payload of the newest ping; older ones need no answer (RFC 6455, section 5.5.3).
    pong: Option<Bytes>,
    ping: Option<u64>,
    close: Close,
}

/// A message, and what of it is not framed yet.
#[derive(Debug)]
struct Sending {
    /// [`OpCode::Continuation`] after the first fragment.
    opcode: OpCode,
    rest: Bytes,
}

#[derive(Debug, PartialEq)]
enum Close {
    None,
    /// To be sent after the message.
    Queued(CloseFrame),
    /// In the buffer, or sent: nothing may follow.
    Framed,
}

impl Outbound {
    pub(crate) fn new(role: Role, fragment_size: usize) -> Self {
        Self {
            masks: match role {
                Role::Client(seed) => Some(MaskKeys::new(seed)),
                Role::Server => None,
            },
            fragment_size,
            buffer: BytesMut::new(),
            sending: None,
            unwritten: 0,
            pong: None,
            ping: None,
            close: Close::None,
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.sending.is_none()
    }

    /// Something of a message waits to be written.
    pub(crate) fn is_sending(&self) -> bool {
        self.sending.is_some() || self.unwritten > 0
    }

    /// Nothing waits to be written.
    pub(crate) fn is_idle(&self) -> bool {
        self.buffer.is_empty()
            && self.sending.is_none()
            && self.pong.is_none()
            && self.ping.is_none()
            && !matches!(self.close, Close::Queued(_))
    }

    /// Our Close is on its way.
    #[cfg(feature = "io")]
    pub(crate) fn is_close_framed(&self) -> bool {
        self.close == Close::Framed
    }

    pub(crate) fn send(&mut self, message: Message, counters: &mut Counters) {
        let opcode = match &message {
            Message::Text(_) => OpCode::Text,
            Message::Binary(_) => OpCode::Binary,
        };
        self.sending = Some(Sending { opcode, rest: message.into_bytes() });
        self.fill(counters);
    }

    /// Answers a ping. Each is answered in its turn as long as the buffer has room; where a flood has filled it, the
    /// newest one stands for all that wait (RFC 6455, section 5.5.3).
    pub(crate) fn pong(&mut self, payload: &[u8], counters: &mut Counters) {
        self.fill(counters);
        // A copy: the payload must not keep the read buffer alive.
        self.pong = Some(Bytes::copy_from_slice(payload));
    }

    pub(crate) fn ping(&mut self, id: u64) {
        self.ping = Some(id);
    }

    /// Queues a Close behind the message that is being sent.
    pub(crate) fn close(&mut self, frame: CloseFrame) {
        if self.close == Close::None {
            self.close = Close::Queued(frame);
        }
    }

    /// Queues a Close and gives up the message that is being sent; a frame that has begun is finished.
    pub(crate) fn abort(&mut self, frame: CloseFrame) {
        self.sending = None;
        if self.close != Close::Framed {
            self.close = Close::Queued(frame);
        }
    }

    /// Nothing more can be written.
    pub(crate) fn discard(&mut self) {
        self.buffer = BytesMut::new();
        self.sending = None;
        self.unwritten = 0;
        self.pong = None;
        self.ping = None;
        self.close = Close::Framed;
    }

    /// What is to be written next; empty if nothing is.
    pub(crate) fn transmit(&mut self, counters: &mut Counters) -> &[u8] {
        self.fill(counters);
        &self.buffer
    }

    pub(crate) fn handle_transmitted(&mut self, written: usize) {
        self.buffer.advance(written.min(self.buffer.len()));
        self.unwritten = self.unwritten.saturating_sub(written);
        if self.buffer.is_empty() {
            // A connection spends most of its life waiting, without a buffer.
            self.buffer = BytesMut::new();
        }
    }

    fn fill(&mut self, counters: &mut Counters) {
        while self.buffer.len() < LOW_WATER && self.close != Close::Framed {
            if let Some(payload) = self.pong.take() {
                counters.pongs_sent += 1;
                self.frame(Fin::Last, OpCode::Pong, &payload, counters);
            } else if let Some(id) = self.ping.take() {
                counters.pings_sent += 1;
                self.frame(Fin::Last, OpCode::Ping, &id.to_be_bytes(), counters);
            } else if let Some(mut sending) = self.sending.take() {
                let payload = sending.rest.split_to(sending.rest.len().min(self.fragment_size));
                let fin = if sending.rest.is_empty() { Fin::Last } else { Fin::More };
                self.frame(fin, sending.opcode, &payload, counters);
                self.unwritten = self.buffer.len();
                if fin == Fin::Last {
                    counters.messages_sent += 1;
                } else {
                    self.sending = Some(Sending { opcode: OpCode::Continuation, rest: sending.rest });
                }
            } else if let Close::Queued(frame) = std::mem::replace(&mut self.close, Close::None) {
                self.frame(Fin::Last, OpCode::Close, &frame.encode(), counters);
                self.close = Close::Framed;
            } else {
                return;
            }
        }
    }

    fn frame(&mut self, fin: Fin, opcode: OpCode, payload: &[u8], counters: &mut Counters) {
        counters.frames_sent += 1;
        let mask = self.masks.as_mut().map(MaskKeys::next);
        // 14 bytes are the longest header.
        self.buffer.reserve(payload.len() + 14);
        Header { fin, opcode, len: payload.len() as u64, mask }.encode(&mut self.buffer);
        let begin = self.buffer.len();
        self.buffer.extend_from_slice(payload);
        if let Some(key) = mask {
            mask::apply(&mut self.buffer[begin..], key, 0);
        }
    }
}
