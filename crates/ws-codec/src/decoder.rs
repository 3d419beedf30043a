//! Bytes to messages and control frames.

use bytes::{Buf, Bytes, BytesMut};

#[cfg(feature = "io")]
use crate::assembly::grow;
use crate::assembly::{Assembly, DataKind};
use crate::error::ErrorKind;
use crate::frame::{Fin, Header, Masking, OpCode};
use crate::utf8::Utf8Check;
use crate::{Binary, CloseFrame, Config, Counters, Limits, Message, Role, Text, Violation, mask};

#[derive(Debug)]
pub(crate) struct Decoder {
    masking: Masking,
    limits: Limits,
    binary: Binary,
    buffer: BytesMut,
    /// The frame whose header was read.
    frame: Option<Frame>,
    /// The message whose last fragment has not been read.
    assembly: Option<Assembly>,
    utf8: Utf8Check,
    text: TextRule,
}

/// What becomes of text that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextRule {
    /// It is refused at its first wrong byte.
    Refuse,
    /// It is handed out, for who only listens.
    HandOut,
}

/// A frame, and how much of its payload was unmasked and checked.
#[derive(Debug, Clone, Copy)]
struct Frame {
    header: Header,
    len: usize,
    done: usize,
    place: Place,
}

/// Where the payload is collected.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// At the front of the read buffer, to be handed out without a copy.
    Buffer(OpCode),
    /// In the assembly, as it comes.
    Assembly,
}

#[derive(Debug)]
pub(crate) enum Decoded {
    Message(Message),
    /// Only from a decoder that takes any text.
    InvalidText(Bytes),
    Ping(Bytes),
    Pong(Bytes),
    Close(CloseFrame),
}

impl Decoder {
    pub(crate) fn new(role: &Role, config: &Config) -> Self {
        Self {
            masking: match role {
                Role::Client(_) => Masking::Forbidden,
                Role::Server => Masking::Required,
            },
            limits: config.limits,
            binary: config.binary,
            buffer: BytesMut::new(),
            frame: None,
            assembly: None,
            utf8: Utf8Check::default(),
            text: TextRule::Refuse,
        }
    }

    /// Hands out text that is not UTF-8, too.
    pub(crate) fn taking_any_text(self) -> Self {
        Self { text: TextRule::HandOut, ..self }
    }

    /// The read buffer with room for a read of about `size` bytes. A large frame gets room as it comes, never as it
    /// is announced.
    #[cfg(feature = "io")]
    pub(crate) fn read_buffer(&mut self, size: usize) -> &mut BytesMut {
        let have = self.buffer.len();
        let room = self.buffer.capacity() - have;
        let wanted = match &self.frame {
            Some(Frame { len, place: Place::Buffer(_), .. }) => *len,
            _ => 0,
        };
        if wanted > 2 * size && wanted > have + room {
            // The memory of a message before, if nobody holds it any more.
            if !self.buffer.try_reclaim(wanted - have) {
                grow(&mut self.buffer, wanted.min(2 * have).max(have + size));
            }
        } else if wanted <= have && room < size / 4 || wanted > have + room {
            self.buffer.reserve(size);
        }
        &mut self.buffer
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Drops what was read, and what is being put together.
    pub(crate) fn discard(&mut self) {
        self.buffer.clear();
        self.frame = None;
        self.assembly = None;
    }

    /// The next message or control frame; `None` if more bytes are needed.
    pub(crate) fn decode(&mut self, counters: &mut Counters) -> Result<Option<Decoded>, ErrorKind> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match Header::decode(&self.buffer, self.masking).map_err(ErrorKind::Protocol)? {
                    Some((header, size)) => {
                        self.buffer.advance(size);
                        self.begin(header)?
                    }
                    None => return Ok(None),
                },
            };
            let frame = self.take_payload(frame)?;
            if frame.done < frame.len {
                self.frame = Some(frame);
                return Ok(None);
            }
            self.frame = None;
            counters.frames_received += 1;
            if let Some(decoded) = self.finish(frame)? {
                return Ok(Some(decoded));
            }
        }
    }

    /// Checks the header against the message it belongs to, and against the limits.
    fn begin(&mut self, header: Header) -> Result<Frame, ErrorKind> {
        let kind = match header.opcode {
            OpCode::Text => Some(DataKind::Text),
            OpCode::Binary => Some(DataKind::Binary),
            OpCode::Continuation => None,
            // The length of a control frame was checked with its header.
            OpCode::Close | OpCode::Ping | OpCode::Pong => {
                let len = usize::try_from(header.len).unwrap_or(usize::MAX);
                return Ok(Frame { header, len, done: 0, place: Place::Buffer(header.opcode) });
            }
        };
        match (kind, &self.assembly) {
            (Some(_), Some(_)) => return Err(ErrorKind::Protocol(Violation::UnfinishedMessage)),
            (None, None) => return Err(ErrorKind::Protocol(Violation::UnexpectedContinuation)),
            _ => {}
        }
        if kind == Some(DataKind::Binary) && self.binary == Binary::Refuse {
            return Err(ErrorKind::UnexpectedBinary { size: header.len });
        }
        let len = self.check_size(header.len)?;
        if kind.is_some() && header.fin == Fin::Last {
            return Ok(Frame { header, len, done: 0, place: Place::Buffer(header.opcode) });
        }
        if let Some(kind) = kind {
            self.assembly = Some(Assembly::new(kind));
        }
        if let Some(assembly) = &mut self.assembly {
            assembly.begin_fragment(self.limits.fragments)?;
        }
        Ok(Frame { header, len, done: 0, place: Place::Assembly })
    }

    fn check_size(&self, len: u64) -> Result<usize, ErrorKind> {
        let before = self.assembly.as_ref().map_or(0, Assembly::len) as u64;
        let size = before.saturating_add(len);
        let (frame, message) = (self.limits.frame as u64, self.limits.message as u64);
        if size > message {
            return Err(ErrorKind::MessageTooLarge { size, limit: message });
        }
        match usize::try_from(len) {
            Ok(len) if len <= self.limits.frame => Ok(len),
            _ => Err(ErrorKind::MessageTooLarge { size, limit: frame }),
        }
    }

    /// Unmasks and checks what has come of the payload.
    fn take_payload(&mut self, mut frame: Frame) -> Result<Frame, ErrorKind> {
        let (from, until) = match frame.place {
            Place::Buffer(_) => (frame.done, frame.len.min(self.buffer.len())),
            Place::Assembly => (0, (frame.len - frame.done).min(self.buffer.len())),
        };
        let fresh = &mut self.buffer[from..until];
        if let Some(key) = frame.header.mask {
            mask::apply(fresh, key, frame.done);
        }
        let is_text = match (frame.place, &self.assembly) {
            (Place::Buffer(opcode), _) => opcode == OpCode::Text,
            (Place::Assembly, assembly) => assembly.as_ref().is_some_and(|it| it.kind == DataKind::Text),
        };
        if is_text && self.text == TextRule::Refuse {
            self.utf8.feed(fresh).map_err(|_| ErrorKind::InvalidText)?;
        }
        frame.done += fresh.len();
        if let (Place::Assembly, Some(assembly)) = (frame.place, &mut self.assembly) {
            assembly.push(fresh, self.limits.message);
            self.buffer.advance(until);
        }
        Ok(frame)
    }

    /// A frame is there whole.
    fn finish(&mut self, frame: Frame) -> Result<Option<Decoded>, ErrorKind> {
        let Place::Buffer(opcode) = frame.place else {
            return match frame.header.fin {
                Fin::More => Ok(None),
                Fin::Last => match self.assembly.take() {
                    Some(assembly) => self.message(assembly.kind, assembly.finish()).map(Some),
                    None => Ok(None),
                },
            };
        };
        let payload = self.buffer.split_to(frame.len).freeze();
        Ok(Some(match opcode {
            OpCode::Ping => Decoded::Ping(payload),
            OpCode::Pong => Decoded::Pong(payload),
            OpCode::Close => Decoded::Close(CloseFrame::decode(&payload)?),
            OpCode::Text => self.message(DataKind::Text, payload)?,
            OpCode::Binary | OpCode::Continuation => self.message(DataKind::Binary, payload)?,
        }))
    }

    fn message(&mut self, kind: DataKind, payload: Bytes) -> Result<Decoded, ErrorKind> {
        Ok(Decoded::Message(match kind {
            DataKind::Text if self.text == TextRule::HandOut && std::str::from_utf8(&payload).is_err() => {
                return Ok(Decoded::InvalidText(payload));
            }
            DataKind::Text => {
                self.utf8.finish().map_err(|_| ErrorKind::InvalidText)?;
                Message::Text(Text::of(payload))
            }
            DataKind::Binary => Message::Binary(payload),
        }))
    }
}
