//! Times: `+1.25s`.

use std::fmt;
use std::time::Duration;

/// What stands where a time is expected.
pub(super) const EXPECTED: &str = "a time in seconds, as in +0.25s";

/// A time as it is written, to the last nanosecond and without zeros behind that say nothing.
pub(super) struct Offset(pub(super) Duration);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0.as_secs())?;
        if self.0.subsec_nanos() > 0 {
            let nanos = format!("{:09}", self.0.subsec_nanos());
            write!(f, ".{}", nanos.trim_end_matches('0'))?;
        }
        f.write_str("s")
    }
}

/// Reads a time of at most nine decimals.
pub(super) fn parse(word: &str) -> Option<Duration> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.strip_prefix('+')?.strip_suffix('s')?;
    let (seconds, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if !digits(seconds) || !digits(decimals) || decimals.len() > 9 {
        return None;
    }
    let nanos = format!("{decimals:0<9}").parse().ok()?;
    Some(Duration::new(seconds.parse().ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<(u64, u32)>) {
        assert_eq!(parse(word), expected.map(|(seconds, nanos)| Duration::new(seconds, nanos)), "{word}");
    }

    #[test]
    fn times_are_read_in_seconds() {
        check("+0s", Some((0, 0)));
        check("+1.25s", Some((1, 250_000_000)));
        check("+0.000000001s", Some((0, 1)));
        check("+18446744073709551615s", Some((u64::MAX, 0)));
        for wrong in ["0s", "+0", "+s", "+.5s", "+1.s", "+-1s", "+1.0000000001s", "+18446744073709551616s", "+1ms"] {
            check(wrong, None);
        }
    }

    #[test]
    fn times_are_written_short_and_exact() {
        for (at, expected) in [
            (Duration::ZERO, "+0s"),
            (Duration::from_millis(1_250), "+1.25s"),
            (Duration::from_nanos(1), "+0.000000001s"),
            (Duration::MAX, "+18446744073709551615.999999999s"),
        ] {
            assert_eq!(Offset(at).to_string(), expected);
            assert_eq!(parse(expected), Some(at));
        }
    }
}
