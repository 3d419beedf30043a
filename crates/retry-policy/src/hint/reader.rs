//! From the places where hints are found to one hint.

use std::time::Duration;

use super::{Hint, HintSource, date, decimal::Decimal, headers, message, span};

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// A longer hint is no hint but nonsense.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Reads the hints of one answer, from wherever it has any, and keeps the most trusted one.
///
/// Numbers come as the text that they are on the wire. What is negative, not a number, zero, in the past, longer than
/// a year or not readable counts as no hint; nothing panics.
///
/// ```
/// use std::time::Duration;
/// use retry_policy::{HintReader, HintSource};
///
/// let headers = [("retry-after", "2.5"), ("x-should-retry", "true")];
/// let hint = HintReader::new()
///     .headers(|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
///     .message("Rate limit reached. Please try again in 6m0s.")
///     .finish();
/// assert_eq!(hint.wait, Some(Duration::from_millis(2_500)));
/// assert_eq!(hint.source, Some(HintSource::RetryAfter));
/// assert_eq!(hint.should_retry, Some(true));
/// ```
#[derive(Clone, Debug, Default)]
pub struct HintReader {
    now: Option<Duration>,
    resets_at: Option<Duration>,
    should_retry: Option<bool>,
    best: Candidates,
}

/// The most trusted wait so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Candidates(Option<(HintSource, Duration)>);

impl Candidates {
    /// Keeps the wait, in nanoseconds, if it is one and no better is known.
    pub(super) fn note(&mut self, source: HintSource, nanos: Option<u64>) {
        let Some(wait) = nanos.map(Duration::from_nanos) else { return };
        if wait.is_zero() || wait > LONGEST {
            return;
        }
        if self.0.is_none_or(|(known, _)| source < known) {
            self.0 = Some((source, wait));
        }
    }
}

impl HintReader {
    /// The names of all headers that [`headers`](Self::headers) asks for, in lower case: what is worth keeping of a
    /// head that is gone when its hints are read.
    pub const HEADERS: &'static [&'static str] = &[
        "retry-after-ms",
        "x-ms-retry-after-ms",
        "retry-after",
        "x-should-retry",
        "date",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ];

    /// A reader that has read nothing. Dates are compared with the `date` of the answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for an answer received at `unix_time`, the time since the beginning of 1970: dates are compared with it
    /// when the answer has no `date` of its own. The service's clock is preferred because the local one may be wrong.
    pub fn at(unix_time: Duration) -> Self {
        Self { now: Some(unix_time), ..Self::default() }
    }

    /// Reads the headers that hold hints: [`HEADERS`](Self::HEADERS).
    ///
    /// Names are asked for in lower case; the look-up has to find them in any.
    pub fn headers<'h>(mut self, lookup: impl Fn(&str) -> Option<&'h str>) -> Self {
        if let Some(date) = lookup("date").and_then(date::parse) {
            self.now = Some(date);
        }
        self.should_retry = lookup("x-should-retry").and_then(headers::should_retry).or(self.should_retry);
        headers::waits(&lookup, self.now, &mut self.best);
        self
    }

    /// Says that so much time has passed since what was read so far arrived: what is read from here on is compared with
    /// a clock that went on. For an error that comes long after the head with its `date`.
    pub fn later(mut self, elapsed: Duration) -> Self {
        self.now = self.now.map(|now| now.saturating_add(elapsed));
        self
    }

    /// Reads `retry_after` of the error's JSON: seconds, or text with units.
    pub fn retry_after(mut self, value: &str) -> Self {
        self.best.note(HintSource::JsonRetryAfter, span::parse(value));
        self
    }

    /// Reads `retry_after_ms` of the error's JSON: milliseconds.
    pub fn retry_after_ms(mut self, value: &str) -> Self {
        self.best.note(HintSource::JsonRetryAfterMs, scaled(value, MILLI));
        self
    }

    /// Reads `resets_in_seconds` of the error's JSON: seconds.
    pub fn resets_in_seconds(mut self, value: &str) -> Self {
        self.best.note(HintSource::ResetsInSeconds, scaled(value, SECOND));
        self
    }

    /// Reads `resets_at` of the error's JSON: seconds since the beginning of 1970.
    pub fn resets_at(mut self, value: &str) -> Self {
        self.resets_at = scaled(value, SECOND).map(Duration::from_nanos).or(self.resets_at);
        self
    }

    /// Reads the text of the error's message: "try again in" and the like, followed by a duration with units.
    pub fn message(mut self, text: &str) -> Self {
        self.best.note(HintSource::Message, message::wait(text));
        self
    }

    /// The hint.
    pub fn finish(mut self) -> Hint {
        // Only now, because the headers with their `date` may have come after it.
        let until_reset = self.resets_at.zip(self.now).and_then(|(at, now)| at.checked_sub(now));
        self.best.note(HintSource::ResetsAt, until_reset.and_then(|wait| u64::try_from(wait.as_nanos()).ok()));
        let hint = self.best.0.map_or(Hint::NONE, |(source, wait)| Hint::wait(wait, source));
        hint.with_verdict(self.should_retry)
    }
}

fn scaled(value: &str, unit: u64) -> Option<u64> {
    Decimal::parse(value)?.nanos(unit)
}
