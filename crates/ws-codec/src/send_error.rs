use std::fmt;

/// Why a message was not taken for sending. Not a byte of it has been sent, and the connection is as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// Larger than [`Limits::max_outgoing_bytes`](crate::Limits::max_outgoing_bytes).
    #[non_exhaustive]
    TooLarge {
        /// The size of the message, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The message before it is still being sent.
    Busy,
    /// The connection is closed, or is being closed.
    Closed,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { size, limit } => {
                write!(f, "a message of {size} bytes is larger than the limit of {limit} bytes")
            }
            Self::Busy => f.write_str("the message before is still being sent"),
            Self::Closed => f.write_str("the connection is closed"),
        }
    }
}

impl std::error::Error for SendError {}
