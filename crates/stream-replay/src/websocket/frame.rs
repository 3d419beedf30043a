//! The frames of a server: whole, unmasked, and as wrong as they are asked for.

use bytes::{BufMut, Bytes, BytesMut};

/// What a frame is (RFC 6455 §11.8).
#[derive(Debug, Clone, Copy)]
pub(crate) enum OpCode {
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

/// A frame that is a whole message (RFC 6455 §5.2). Its length is not judged, nor is its payload.
pub(crate) fn encode(opcode: OpCode, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 10);
    frame.put_u8(0x80 | opcode as u8);
    match payload.len() {
        length @ ..=125 => frame.put_u8(length as u8),
        length @ ..=0xffff => {
            frame.put_u8(126);
            frame.put_u16(length as u16);
        }
        length => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
    frame.put_slice(payload);
    frame.freeze()
}
