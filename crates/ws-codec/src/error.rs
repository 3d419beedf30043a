use std::fmt;
use std::sync::Arc;

use crate::{CloseCode, CloseFrame, Violation};

/// Why a connection ended: what happened, and with which close code.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    close: Option<CloseFrame>,
    source: Option<Arc<std::io::Error>>,
}

/// What ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The peer sent a Close: [`Error::close_code`] and [`Error::reason`] are the peer's.
    Closed,
    /// The byte stream ended without a Close, perhaps inside a frame.
    UnexpectedEof,
    /// The byte stream failed; the [`source`](std::error::Error::source) tells how.
    Io,
    /// The peer broke a rule of the protocol.
    Protocol(Violation),
    /// A text message, or the reason of a Close, is not UTF-8.
    InvalidText,
    /// A message, or one frame of it, passes a limit.
    #[non_exhaustive]
    MessageTooLarge {
        /// The size in bytes: that of the message as far as it was announced.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A message has more fragments than [`Limits::max_fragments`](crate::Limits::max_fragments).
    #[non_exhaustive]
    TooManyFragments {
        /// The limit.
        limit: usize,
    },
    /// A binary message where only text is accepted.
    #[non_exhaustive]
    UnexpectedBinary {
        /// The size of its first frame, in bytes.
        size: u64,
    },
    /// No byte came for so long that the peer is taken for dead.
    Unresponsive,
    /// The peer did not answer our Close in time.
    CloseTimeout,
}

impl Error {
    /// What happened.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The peer's code if it sent a Close (1005 if that had none), the one that we sent for a failure of our own
    /// finding, and 1006 for a connection that broke.
    pub fn close_code(&self) -> CloseCode {
        match &self.close {
            Some(frame) => frame.code(),
            None => self.kind.code_to_send().unwrap_or(CloseCode::ABNORMAL),
        }
    }

    /// The reason in the peer's Close; empty without one. It is text of the peer: at most 123 bytes, any characters.
    pub fn reason(&self) -> &str {
        self.close.as_ref().map_or("", CloseFrame::reason)
    }

    pub(crate) fn closed(frame: CloseFrame) -> Self {
        Self { kind: ErrorKind::Closed, close: Some(frame), source: None }
    }

    pub(crate) fn io(source: std::io::Error) -> Self {
        Self { kind: ErrorKind::Io, close: None, source: Some(Arc::new(source)) }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, close: None, source: None }
    }
}

impl ErrorKind {
    /// The code of the Close that answers a failure; none if there is nobody to tell.
    pub(crate) const fn code_to_send(self) -> Option<CloseCode> {
        match self {
            Self::Protocol(_) => Some(CloseCode::PROTOCOL),
            Self::InvalidText => Some(CloseCode::INVALID_TEXT),
            Self::MessageTooLarge { .. } => Some(CloseCode::TOO_BIG),
            Self::TooManyFragments { .. } => Some(CloseCode::POLICY),
            Self::UnexpectedBinary { .. } => Some(CloseCode::UNSUPPORTED),
            Self::Closed | Self::UnexpectedEof | Self::Io | Self::Unresponsive | Self::CloseTimeout => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::Closed => {
                write!(f, "the peer closed the connection with code {}", self.close_code())?;
                // A reason may hold control characters.
                if self.reason().is_empty() { Ok(()) } else { write!(f, ": {}", self.reason().escape_debug()) }
            }
            ErrorKind::UnexpectedEof => f.write_str("the connection ended without a close"),
            ErrorKind::Io => f.write_str("the connection failed"),
            ErrorKind::Protocol(violation) => write!(f, "the peer broke the protocol: {violation}"),
            ErrorKind::InvalidText => f.write_str("the peer sent text that is not UTF-8"),
            ErrorKind::MessageTooLarge { size, limit } => {
                write!(f, "a message of {size} bytes is larger than the limit of {limit} bytes")
            }
            ErrorKind::TooManyFragments { limit } => write!(f, "a message has more than {limit} fragments"),
            ErrorKind::UnexpectedBinary { size } => write!(f, "the peer sent a binary message of {size} bytes"),
            ErrorKind::Unresponsive => f.write_str("the peer gave no sign of life"),
            ErrorKind::CloseTimeout => f.write_str("the peer did not answer the close in time"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
