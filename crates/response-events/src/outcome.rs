//! How one stream of payloads ended.

use crate::{ApiError, Completed, Failure, FailureKind, Incomplete};

/// The one end of a stream. The first terminal signal settles it; nothing later changes it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer is whole.
    Completed(Completed),
    /// The answer ends early, for a stated reason.
    Incomplete(Incomplete),
    /// The service reported an error.
    Failed(ApiError),
    /// The stream ended without a terminal signal.
    Truncated {
        /// What was missing, as one sentence.
        message: String,
    },
    /// More was sent than is collected of an answer.
    TooLarge {
        /// What there is too much of, as one sentence.
        message: String,
    },
    /// Too much of the stream could not be read.
    Unreadable {
        /// What was wrong, as one sentence.
        message: String,
    },
}

impl Outcome {
    /// The outcome's name in summaries: `completed`, `incomplete`, `failed` or `truncated`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) | Self::TooLarge { .. } | Self::Unreadable { .. } => "failed",
            Self::Truncated { .. } => "truncated",
        }
    }

    /// The failure that this outcome is; `None` for the two good ends.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Completed(_) | Self::Incomplete(_) => None,
            Self::Failed(error) => Some(Failure::from_api(error.clone())),
            Self::Truncated { message } => Some(Failure::new(FailureKind::Truncated, message)),
            Self::TooLarge { message } => Some(Failure::new(FailureKind::TooLarge, message)),
            Self::Unreadable { message } => Some(Failure::new(FailureKind::Protocol, message)),
        }
    }
}
