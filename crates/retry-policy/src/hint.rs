//! What a service says about trying again.

mod date;
mod decimal;
mod headers;
mod message;
mod reader;
mod span;

use std::time::Duration;

pub use reader::HintReader;

/// A server's hint, already understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hint {
    /// How long to wait at least, from now; above zero.
    pub wait: Option<Duration>,
    /// What `x-should-retry` says.
    pub should_retry: Option<bool>,
    /// Where `wait` was found; `None` without one.
    pub source: Option<HintSource>,
}

impl Hint {
    /// The service said nothing.
    pub const NONE: Self = Self { wait: None, should_retry: None, source: None };

    /// A hint to wait; zero is none.
    pub const fn wait(wait: Duration, source: HintSource) -> Self {
        if wait.is_zero() { Self::NONE } else { Self { wait: Some(wait), should_retry: None, source: Some(source) } }
    }

    /// The same hint with the service's word on whether to try again.
    pub const fn with_verdict(self, should_retry: Option<bool>) -> Self {
        Self { should_retry, ..self }
    }
}

/// Where a hint was found, the most trusted place first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HintSource {
    /// The header `retry-after-ms`.
    RetryAfterMs,
    /// The header `x-ms-retry-after-ms`.
    XMsRetryAfterMs,
    /// The header `retry-after` (RFC 9110, section 10.2.3).
    RetryAfter,
    /// `retry_after` in the error's JSON.
    JsonRetryAfter,
    /// `retry_after_ms` in the error's JSON.
    JsonRetryAfterMs,
    /// `resets_in_seconds` in the error's JSON.
    ResetsInSeconds,
    /// `resets_at` in the error's JSON.
    ResetsAt,
    /// The text of the error's message.
    Message,
    /// The headers `x-ratelimit-reset-requests` and `x-ratelimit-reset-tokens`.
    RateLimitReset,
}
