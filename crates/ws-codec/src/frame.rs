//! The frame header (RFC 6455, section 5.2).

use bytes::{BufMut, BytesMut};

use crate::Violation;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpCode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// Whether more frames of the message follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fin {
    Last,
    More,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) fin: Fin,
    pub(crate) opcode: OpCode,
    pub(crate) len: u64,
    pub(crate) mask: Option<[u8; 4]>,
}

/// What a receiver asks of each frame (section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masking {
    Required,
    Forbidden,
}

/// The longest payload of a control frame, and the longest with a length of 7 bits.
const MAX_SHORT: usize = 125;

impl OpCode {
    fn decode(bits: u8) -> Result<Self, Violation> {
        Ok(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return Err(Violation::ReservedOpcode(bits)),
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    pub(crate) const fn is_control(self) -> bool {
        self.bits() >= 8
    }
}

impl Header {
    /// The header at the beginning of `bytes` and its length; `None` if it is not there whole. A fault is reported
    /// as soon as its bytes are there.
    pub(crate) fn decode(bytes: &[u8], masking: Masking) -> Result<Option<(Self, usize)>, Violation> {
        let &[first, second, ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::ReservedBits);
        }
        let opcode = OpCode::decode(first & 0x0f)?;
        let fin = if first & 0x80 == 0 { Fin::More } else { Fin::Last };
        let masked = second & 0x80 != 0;
        match masking {
            Masking::Required if !masked => return Err(Violation::Unmasked),
            Masking::Forbidden if masked => return Err(Violation::Masked),
            _ => {}
        }
        let short = second & 0x7f;
        if opcode.is_control() {
            if fin == Fin::More {
                return Err(Violation::FragmentedControl);
            }
            if usize::from(short) > MAX_SHORT {
                return Err(Violation::ControlTooLong);
            }
        }
        let Some((len, size)) = decode_len(short, &bytes[2..])? else { return Ok(None) };
        let size = 2 + size;
        if !masked {
            return Ok(Some((Self { fin, opcode, len, mask: None }, size)));
        }
        let Some(mask) = bytes[size..].first_chunk() else { return Ok(None) };
        Ok(Some((Self { fin, opcode, len, mask: Some(*mask) }, size + mask.len())))
    }

    /// Appends the header, with the length in its shortest form.
    pub(crate) fn encode(&self, out: &mut BytesMut) {
        let fin = if self.fin == Fin::Last { 0x80 } else { 0 };
        out.put_u8(fin | self.opcode.bits());
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        match (u8::try_from(self.len), u16::try_from(self.len)) {
            (Ok(len), _) if usize::from(len) <= MAX_SHORT => out.put_u8(masked + len),
            (_, Ok(len)) => {
                out.put_u8(masked + 126);
                out.put_u16(len);
            }
            _ => {
                out.put_u8(masked + 127);
                out.put_u64(self.len);
            }
        }
        if let Some(mask) = self.mask {
            out.put_slice(&mask);
        }
    }
}

/// The payload's length and how many bytes beyond the short form it took.
fn decode_len(short: u8, bytes: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    let (len, size, least) = match short {
        126 => match bytes.first_chunk() {
            Some(len) => (u64::from(u16::from_be_bytes(*len)), 2, 126),
            None => return Ok(None),
        },
        127 => match bytes.first_chunk() {
            Some(len) => (u64::from_be_bytes(*len), 8, 1 << 16),
            None => return Ok(None),
        },
        short => (u64::from(short), 0, 0),
    };
    if len >> 63 != 0 {
        return Err(Violation::LengthOutOfRange);
    }
    if len < least {
        return Err(Violation::NonMinimalLength);
    }
    Ok(Some((len, size)))
}
