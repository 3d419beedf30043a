use std::fmt;

use crate::CloseCode;

/// A rule of RFC 6455 that the peer broke. The answer is Close 1002.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// RSV1, RSV2 or RSV3 is set although no extension was negotiated (section 5.2).
    ReservedBits,
    /// The opcode is 3 to 7 or 11 to 15 (section 5.2).
    ReservedOpcode(u8),
    /// A length that fits a shorter form (section 5.2).
    NonMinimalLength,
    /// A 64-bit length whose first bit is set (section 5.2).
    LengthOutOfRange,
    /// The server masked a frame (section 5.1).
    Masked,
    /// The client did not mask a frame (section 5.1).
    Unmasked,
    /// A control frame in fragments (section 5.5).
    FragmentedControl,
    /// A control frame of more than 125 bytes (section 5.5).
    ControlTooLong,
    /// A continuation without a message to continue (section 5.4).
    UnexpectedContinuation,
    /// A new message before the last fragment of the one before (section 5.4).
    UnfinishedMessage,
    /// A Close frame of one byte (section 5.5.1).
    ClosePayload,
    /// A Close frame with a code that may not be sent (section 7.4).
    CloseCode(CloseCode),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::ReservedBits => "a reserved bit is set",
            Self::ReservedOpcode(opcode) => return write!(f, "opcode {opcode} is reserved"),
            Self::NonMinimalLength => "a length is not in its shortest form",
            Self::LengthOutOfRange => "a length is out of range",
            Self::Masked => "the server masked a frame",
            Self::Unmasked => "the client did not mask a frame",
            Self::FragmentedControl => "a control frame is fragmented",
            Self::ControlTooLong => "a control frame is longer than 125 bytes",
            Self::UnexpectedContinuation => "there is no message to continue",
            Self::UnfinishedMessage => "a message began before the one before it ended",
            Self::ClosePayload => "a close frame has one byte",
            Self::CloseCode(code) => return write!(f, "close code {} may not be sent", code.as_u16()),
        };
        f.write_str(text)
    }
}
