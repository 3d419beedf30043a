use std::fmt;

use crate::error::ErrorKind;
use crate::{CloseCode, Violation};

/// The code and the reason of a Close frame (RFC 6455, section 5.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame {
    code: CloseCode,
    reason: Box<str>,
}

/// A Close frame that the wire does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidClose {
    /// The code may not be sent: see [`CloseCode::is_allowed_on_wire`].
    Code(CloseCode),
    /// The reason is longer than 123 bytes.
    #[non_exhaustive]
    Reason {
        /// Its length, in bytes.
        size: usize,
    },
}

impl CloseFrame {
    /// The longest reason, in bytes of UTF-8: a control frame has 125 bytes, two are the code's.
    pub const MAX_REASON: usize = 123;

    /// A Close with a code and a reason of at most 123 bytes, which may be empty.
    ///
    /// # Errors
    /// If the code may not be sent, or the reason is too long.
    pub fn new(code: CloseCode, reason: &str) -> Result<Self, InvalidClose> {
        if !code.is_allowed_on_wire() {
            return Err(InvalidClose::Code(code));
        }
        if reason.len() > Self::MAX_REASON {
            return Err(InvalidClose::Reason { size: reason.len() });
        }
        Ok(Self::of(code, reason))
    }

    /// A Close with code 1000 and no reason.
    pub fn normal() -> Self {
        Self::of(CloseCode::NORMAL, "")
    }

    /// A Close without a code, which reads as 1005.
    pub fn without_code() -> Self {
        Self::of(CloseCode::NO_STATUS, "")
    }

    /// The code; [`CloseCode::NO_STATUS`] if there was none.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// The reason, at most 123 bytes; often empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// For codes and reasons of this crate, and those the wire has proven.
    pub(crate) fn of(code: CloseCode, reason: &str) -> Self {
        Self { code, reason: reason.into() }
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, ErrorKind> {
        let (code, reason) = match payload {
            [] => return Ok(Self::without_code()),
            [_] => return Err(ErrorKind::Protocol(Violation::ClosePayload)),
            [high, low, reason @ ..] => (CloseCode::new(u16::from_be_bytes([*high, *low])), reason),
        };
        if !code.is_allowed_on_wire() {
            return Err(ErrorKind::Protocol(Violation::CloseCode(code)));
        }
        let reason = std::str::from_utf8(reason).map_err(|_| ErrorKind::InvalidText)?;
        Ok(Self::of(code, reason))
    }

    /// The payload of the frame: empty without a code.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.code == CloseCode::NO_STATUS {
            return Vec::new();
        }
        let mut payload = self.code.as_u16().to_be_bytes().to_vec();
        payload.extend_from_slice(self.reason.as_bytes());
        payload
    }
}

impl fmt::Display for InvalidClose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "close code {code} may not be sent"),
            Self::Reason { size } => {
                write!(f, "a close reason of {size} bytes is longer than {} bytes", CloseFrame::MAX_REASON)
            }
        }
    }
}

impl std::error::Error for InvalidClose {}
