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
    /// The service called the answer completed, and said in the same event that it had failed (Responses).
    ///
    /// The error is told as in [`Failed`](Self::Failed), since half an answer must not pass for a whole one; but it
    /// must not be tried again, since a completion is never asked, and paid, for twice.
    CompletedWithError(ApiError),
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
    /// The outcome's name in summaries: `completed`, `incomplete`, `truncated`, or `failed` for everything else,
    /// [`TooLarge`](Self::TooLarge) and [`Unreadable`](Self::Unreadable) included.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) | Self::CompletedWithError(_) | Self::TooLarge { .. } | Self::Unreadable { .. } => "failed",
            Self::Truncated { .. } => "truncated",
        }
    }

    /// Why no other attempt may follow a failure, whatever its class.
    pub fn reason_to_stay(&self) -> Option<&'static str> {
        matches!(self, Self::CompletedWithError(_)).then_some("the service had called the answer completed")
    }

    /// The failure that this outcome is; `None` for the two good ends.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Completed(_) | Self::Incomplete(_) => None,
            Self::Failed(error) => Some(Failure::from_api(error.clone())),
            Self::CompletedWithError(error) => {
                let mut failure = Failure::from_api(error.clone());
                failure.gave_up = self.reason_to_stay().filter(|_| failure.retryable).map(str::to_owned);
                Some(failure)
            }
            Self::Truncated { message } => Some(Failure::new(FailureKind::Truncated, message)),
            Self::TooLarge { message } => Some(Failure::new(FailureKind::TooLarge, message)),
            Self::Unreadable { message } => Some(Failure::new(FailureKind::Protocol, message)),
        }
    }
}
