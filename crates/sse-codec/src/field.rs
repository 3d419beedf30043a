//! Field names: what a line is, judged by its first bytes.

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Data,
    Event,
    Id,
    Retry,
    Comment,
    /// Anything whose bytes nobody reads.
    Unknown,
}

/// What the first bytes of a cut line tell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// It may still become a known field: the bytes are the start of a name, or a whole name without its colon.
    Undecided,
    /// The field, and where what follows its colon begins.
    Value(Field, usize),
}

impl Field {
    /// The only field whose name begins with `first`. A comment is a line with an empty name (WHATWG HTML 9.2.6).
    const fn candidate(first: u8) -> (Self, &'static [u8]) {
        match first {
            b'd' => (Self::Data, b"data"),
            b'e' => (Self::Event, b"event"),
            b'i' => (Self::Id, b"id"),
            b'r' => (Self::Retry, b"retry"),
            b':' => (Self::Comment, b""),
            _ => (Self::Unknown, b""),
        }
    }

    /// Splits a whole, non-empty line: its field, and where its value begins.
    pub(crate) fn of_line(line: &[u8]) -> (Self, usize) {
        let (field, name) = Self::candidate(line[0]);
        if field == Self::Unknown || !line.starts_with(name) {
            return (Self::Unknown, line.len());
        }
        match line.get(name.len()) {
            None => (field, line.len()),
            Some(b':') => {
                let value = name.len() + 1;
                (field, value + usize::from(line.get(value) == Some(&b' ')))
            }
            Some(_) => (Self::Unknown, line.len()),
        }
    }
}

impl Prefix {
    /// Judges the non-empty start of a line whose end has not come yet.
    pub(crate) fn of(start: &[u8]) -> Self {
        let (field, name) = Field::candidate(start[0]);
        let known = field != Field::Unknown;
        if known && start.len() <= name.len() && name.starts_with(start) {
            Self::Undecided
        } else if known && start.starts_with(name) && start.get(name.len()) == Some(&b':') {
            Self::Value(field, name.len() + 1)
        } else {
            Self::Value(Field::Unknown, 0)
        }
    }
}

/// The value of a `retry` field in milliseconds: ASCII digits only, at least one; too many saturate.
pub(crate) fn retry_millis(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_a_line_agrees_with_the_whole_line() {
        for line in [
            "data: x",
            "data:x",
            "data",
            "event: y",
            "id:",
            "retry:5",
            ":c",
            ": c",
            "dat: x",
            "dataa: x",
            "Data: x",
            "idx",
            "i",
            "eventually: z",
            "\u{feff}data: x",
        ] {
            let line = line.as_bytes();
            let (whole, _) = Field::of_line(line);
            for cut in 1..=line.len() {
                match Prefix::of(&line[..cut]) {
                    Prefix::Undecided => {}
                    Prefix::Value(field, _) => assert_eq!(field, whole, "{line:?} cut at {cut}"),
                }
            }
        }
    }

    #[test]
    fn retry_takes_digits_only() {
        for (value, millis) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("99999999999999999999", Some(u64::MAX)),
            ("", None),
            ("+7", None),
            ("-7", None),
            ("7 ", None),
            ("7.5", None),
            ("٧", None),
        ] {
            assert_eq!(retry_millis(value.as_bytes()), millis, "{value:?}");
        }
    }
}
