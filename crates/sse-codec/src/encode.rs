use core::fmt;

use crate::frame::Frame;

/// A comment with its blank line, for connections that must not look idle.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// Why a [`Frame`] cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The event type contains a CR or LF; written, it would forge fields.
    LineBreakInEvent,
    /// The id contains a CR or LF; written, it would forge fields.
    LineBreakInId,
    /// The id contains a NUL; every reader would ignore it.
    NulInId,
    /// The buffer has no room for the whole block.
    #[non_exhaustive]
    BufferFull {
        /// Bytes that the block takes.
        needed: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineBreakInEvent => f.write_str("event type contains a line break"),
            Self::LineBreakInId => f.write_str("event id contains a line break"),
            Self::NulInId => f.write_str("event id contains a NUL character"),
            Self::BufferFull { needed } => {
                write!(f, "buffer has no room for an event of {needed} bytes")
            }
        }
    }
}

impl core::error::Error for EncodeError {}

pub(crate) fn check(frame: &Frame<'_>) -> Result<(), EncodeError> {
    let broken = |text: Option<&[u8]>| text.is_some_and(|text| memchr::memchr2(b'\n', b'\r', text).is_some());
    if broken(frame.event) {
        Err(EncodeError::LineBreakInEvent)
    } else if broken(frame.id) {
        Err(EncodeError::LineBreakInId)
    } else if frame.id.is_some_and(|id| memchr::memchr(0, id).is_some()) {
        Err(EncodeError::NulInId)
    } else {
        Ok(())
    }
}

/// Gives the block piece by piece to `put`.
pub(crate) fn write(frame: &Frame<'_>, put: &mut impl FnMut(&[u8])) {
    if *frame == Frame::new() {
        return;
    }
    if let Some(comment) = frame.comment {
        lines(b"", comment, put);
    }
    if let Some(event) = frame.event.filter(|event| !event.is_empty()) {
        line(b"event", event, put);
    }
    if let Some(id) = frame.id {
        line(b"id", id, put);
    }
    if let Some(retry) = frame.retry {
        let mut digits = [0; 20];
        let millis = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
        line(b"retry", decimal(millis, &mut digits), put);
    }
    if let Some(data) = frame.data {
        lines(b"data", data, put);
    }
    put(b"\n");
}

/// The space is always written: without it a value that begins with one would lose it.
fn line(name: &[u8], value: &[u8], put: &mut impl FnMut(&[u8])) {
    put(name);
    put(b": ");
    put(value);
    put(b"\n");
}

fn lines(name: &[u8], mut text: &[u8], put: &mut impl FnMut(&[u8])) {
    while let Some(end) = memchr::memchr2(b'\n', b'\r', text) {
        line(name, &text[..end], put);
        let crlf = text[end..].starts_with(b"\r\n");
        text = &text[end + 1 + usize::from(crlf)..];
    }
    line(name, text, put);
}

/// At most 20 digits, without an allocation for `format!`.
fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut from = digits.len();
    loop {
        from -= 1;
        digits[from] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[from..];
        }
    }
}
