//! What comes out of a decision.

use std::{fmt, time::Duration};

/// What to do about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Wait, then send the same request again.
    RetryAfter(RetryAfter),
    /// Report the failure.
    GiveUp(GiveUpReason),
}

/// How to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryAfter {
    /// How long to wait first.
    pub delay: Duration,
    /// The number of the next attempt, from 1. A repair keeps the number of the attempt that it repairs.
    pub attempt: u32,
    /// Whether the connection must not be used again.
    pub fresh_connection: bool,
    /// What carries the next attempt.
    pub transport: NextTransport,
    /// What the next attempt costs.
    pub cost: Cost,
}

/// What carries the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextTransport {
    /// The transport that failed.
    Same,
    /// The other one, from now on. Attempts and waits of the request go on adding up.
    FallBack,
}

/// What a retry costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cost {
    /// Nothing: a repair, allowed once for each reason, which does not count as an attempt.
    Repair,
    /// An attempt.
    Attempt,
    /// An attempt and a token of the pacing budget. When it is not made after all, say so with
    /// [`SharedBudget::give_back`](crate::SharedBudget::give_back).
    PacedAttempt,
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUpReason {
    /// The same request would fail again.
    Terminal,
    /// The service asked not to try again (`x-should-retry: false`).
    ServerSaidNo,
    /// This kind of failure was tried again as often as it may be.
    Repeated,
    /// All attempts are used up.
    Attempts,
    /// The service wants to be asked again later than anybody should be kept waiting.
    HintTooFar {
        /// How far away, from now.
        wait: Duration,
    },
    /// The waits of the request would come to more than their limit.
    WaitBudget {
        /// The least that the next wait would have had to be.
        wait: Duration,
    },
}

impl fmt::Display for GiveUpReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal => f.write_str("the same request would fail again"),
            Self::ServerSaidNo => f.write_str("the service asked not to try again"),
            Self::Repeated => f.write_str("this failure was tried again as often as it may be"),
            Self::Attempts => f.write_str("all attempts are used up"),
            Self::HintTooFar { wait } => write!(f, "the service asked to wait for {wait:?}, which is too long"),
            Self::WaitBudget { wait } => write!(f, "all waiting time is used up, and at least {wait:?} more is needed"),
        }
    }
}
