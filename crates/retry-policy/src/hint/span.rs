//! Durations with units, as people and Go write them: `6m0s`, `1h2m3.5s`, `345ms`, `17 seconds`, `1 minute and 5 s`.

use super::decimal::Decimal;

const SECOND: u64 = 1_000_000_000;

/// The unit that a whole word names. Only whole words count, so that `m` never swallows the beginning of `ms`.
fn unit(word: &str) -> Option<u64> {
    const UNITS: &[(&[&str], u64)] = &[
        (&["d", "day", "days"], 24 * 60 * 60 * SECOND),
        (&["h", "hr", "hrs", "hour", "hours"], 60 * 60 * SECOND),
        (&["m", "min", "mins", "minute", "minutes"], 60 * SECOND),
        (&["s", "sec", "secs", "second", "seconds"], SECOND),
        (&["ms", "msec", "msecs", "millisecond", "milliseconds"], SECOND / 1_000),
        (&["us", "µs", "μs", "microsecond", "microseconds"], SECOND / 1_000_000),
        (&["ns", "nanosecond", "nanoseconds"], 1),
    ];
    let named = |(names, _): &&(&[&str], u64)| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    UNITS.iter().find(named).map(|(_, nanos)| *nanos)
}

/// The duration at the beginning of the text, in nanoseconds, and what follows. Units must become smaller.
pub(super) fn scan(text: &str) -> Option<(u64, &str)> {
    let mut found: Option<(u64, &str)> = None;
    let mut last_unit = u64::MAX;
    let mut rest = text.trim_start();
    while let Some((number, after)) = Decimal::scan(rest) {
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let Some(unit) = unit(&after[..end]).filter(|unit| *unit < last_unit) else { break };
        last_unit = unit;
        let total = found.map_or(0, |(total, _)| total);
        let after = &after[end..];
        found = Some((total.checked_add(number.nanos(unit)?)?, after));
        rest = joint(after);
    }
    found
}

/// The whole text as a duration; a bare number counts as seconds.
pub(super) fn parse(text: &str) -> Option<u64> {
    if let Some(number) = Decimal::parse(text) {
        return number.nanos(SECOND);
    }
    scan(text).filter(|(_, rest)| rest.trim().is_empty()).map(|(nanos, _)| nanos)
}

/// Skips what may stand between two parts.
fn joint(text: &str) -> &str {
    let text = text.trim_start();
    let text = text.strip_prefix(',').unwrap_or(text).trim_start();
    text.strip_prefix("and ").unwrap_or(text).trim_start()
}
