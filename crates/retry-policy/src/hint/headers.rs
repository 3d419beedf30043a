//! Which header says what.

use std::time::Duration;

use super::{HintSource, date, decimal::Decimal, reader::Candidates, span};

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// `x-should-retry`.
pub(super) fn should_retry(value: &str) -> Option<bool> {
    let value = value.trim();
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// All waits that headers ask for; `now` is the service's own time where it is known.
pub(super) fn waits<'h>(lookup: &impl Fn(&str) -> Option<&'h str>, now: Option<Duration>, candidates: &mut Candidates) {
    for (name, source) in
        [("retry-after-ms", HintSource::RetryAfterMs), ("x-ms-retry-after-ms", HintSource::XMsRetryAfterMs)]
    {
        candidates.note(source, lookup(name).and_then(Decimal::parse).and_then(|number| number.nanos(MILLI)));
    }
    candidates.note(HintSource::RetryAfter, lookup("retry-after").and_then(|value| retry_after(value, now)));
    candidates.note(HintSource::RateLimitReset, rate_limit_reset(lookup));
}

/// `retry-after`: seconds, with a fraction at times, or a date.
fn retry_after(value: &str, now: Option<Duration>) -> Option<u64> {
    if let Some(number) = Decimal::parse(value) {
        return number.nanos(SECOND);
    }
    let wait = date::parse(value)?.checked_sub(now?)?;
    u64::try_from(wait.as_nanos()).ok()
}

/// The reset of whatever is used up; the later one when both are.
fn rate_limit_reset<'h>(lookup: &impl Fn(&str) -> Option<&'h str>) -> Option<u64> {
    [
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ]
    .into_iter()
    .filter(|(remaining, _)| {
        lookup(remaining).and_then(Decimal::parse).and_then(|number| number.nanos(SECOND)) == Some(0)
    })
    .filter_map(|(_, reset)| span::parse(lookup(reset)?))
    .max()
}
