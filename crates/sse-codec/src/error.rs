use core::fmt;

/// Why a [`Decoder`](crate::Decoder) gave up: always one of its [`Limits`](crate::Limits).
///
/// Every byte sequence is a valid event stream by the standard, so there is no syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The data of one event passes [`Limits::max_event_bytes`](crate::Limits::max_event_bytes).
    #[non_exhaustive]
    EventTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A comment or an unknown field passes [`Limits::max_line_bytes`](crate::Limits::max_line_bytes).
    #[non_exhaustive]
    LineTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// An `event`, `id` or `retry` value, or a comment that is read, passes
    /// [`Limits::max_field_bytes`](crate::Limits::max_field_bytes).
    #[non_exhaustive]
    FieldTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Several [`Feed`](crate::Feed)s were dropped half read and their rests together pass
    /// [`Limits::max_event_bytes`](crate::Limits::max_event_bytes).
    #[non_exhaustive]
    UnreadTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl DecodeError {
    /// The limit that was passed, in bytes.
    pub const fn limit(&self) -> usize {
        match *self {
            Self::EventTooLarge { limit }
            | Self::LineTooLarge { limit }
            | Self::FieldTooLarge { limit }
            | Self::UnreadTooLarge { limit } => limit,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, limit) = match self {
            Self::EventTooLarge { limit } => ("event", limit),
            Self::LineTooLarge { limit } => ("line of the event stream", limit),
            Self::FieldTooLarge { limit } => ("field of the event stream", limit),
            Self::UnreadTooLarge { limit } => ("unread rest of the event stream", limit),
        };
        write!(f, "{what} is larger than the limit of {limit} bytes")
    }
}

impl core::error::Error for DecodeError {}
