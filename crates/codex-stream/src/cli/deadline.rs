//! Durations as they are written on the command line.

use std::{str::FromStr, time::Duration};

/// `500ms`, `300s`, `2m`, `1h`; `0` and `off` are no deadline at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(pub(crate) Option<Duration>);

impl FromStr for Deadline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text == "off" {
            return Ok(Self(None));
        }
        let wrong = || "expected a duration such as 500ms, 300s or 2m, or 0 or off".to_owned();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let duration = match unit {
            "" if number == 0 => Duration::ZERO,
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60).ok_or_else(wrong)?),
            "h" => Duration::from_secs(number.checked_mul(3600).ok_or_else(wrong)?),
            _ => return Err(wrong()),
        };
        Ok(Self(Some(duration).filter(|duration| !duration.is_zero())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Option<u64>, ()>) {
        let millis = text.parse().map(|Deadline(limit)| limit.map(|limit| limit.as_millis() as u64)).map_err(|_| ());
        assert_eq!(millis, expected, "{text:?}");
    }

    #[test]
    fn durations_need_a_unit_and_can_be_switched_off() {
        check("500ms", Ok(Some(500)));
        check("300s", Ok(Some(300_000)));
        check(" 2m ", Ok(Some(120_000)));
        check("1h", Ok(Some(3_600_000)));
        for off in ["0", "off", "0s", "0ms"] {
            check(off, Ok(None));
        }
        for wrong in ["", "5", "s", "-1s", "1.5s", "5 s", "5d", "99999999999999999999s", "18446744073709551615h"] {
            check(wrong, Err(()));
        }
    }
}
