//! UTF-8 checked as it comes, whatever the borders of frames and reads.

/// Fails at the first byte that cannot belong to valid UTF-8 (RFC 6455, section 8.1; Autobahn's 6.4 asks for it).
#[derive(Debug, Default)]
pub(crate) struct Utf8Check {
    /// The beginning of a character whose rest has not come, and its length: 0 to 3.
    partial: [u8; 4],
    len: usize,
}

/// The text is not UTF-8, whatever follows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidUtf8;

impl Utf8Check {
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), InvalidUtf8> {
        while self.len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.partial[self.len] = byte;
            self.len += 1;
            if split_tail(&self.partial[..self.len])?.is_empty() {
                self.len = 0;
            }
        }
        let tail = split_tail(bytes)?;
        self.partial[..tail.len()].copy_from_slice(tail);
        self.len = tail.len();
        Ok(())
    }

    /// The text ends here.
    pub(crate) fn finish(&mut self) -> Result<(), InvalidUtf8> {
        if std::mem::take(&mut self.len) == 0 { Ok(()) } else { Err(InvalidUtf8) }
    }
}

/// The unfinished character at the end: at most 3 bytes.
fn split_tail(bytes: &[u8]) -> Result<&[u8], InvalidUtf8> {
    #[cfg(feature = "simdutf8")]
    use simdutf8::compat::from_utf8;
    #[cfg(not(feature = "simdutf8"))]
    use std::str::from_utf8;

    match from_utf8(bytes) {
        Ok(_) => Ok(&[]),
        Err(error) if error.error_len().is_none() => Ok(&bytes[error.valid_up_to()..]),
        Err(_) => Err(InvalidUtf8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{InvalidUtf8, Utf8Check};

    /// How many bytes are taken one by one before the check fails; `None` if the text is whole and valid.
    fn first_fault(bytes: &[u8]) -> Option<usize> {
        let mut check = Utf8Check::default();
        for (at, byte) in bytes.iter().enumerate() {
            if check.feed(&[*byte]) == Err(InvalidUtf8) {
                return Some(at);
            }
        }
        check.finish().err().map(|_| bytes.len())
    }

    #[test]
    fn a_fault_is_seen_at_the_first_byte_that_makes_the_text_invalid() {
        for (bytes, expected) in [
            (&b"plain"[..], None),
            ("κόσμε".as_bytes(), None),
            ("\u{10ffff}".as_bytes(), None),
            (b"a\x80", Some(1)),
            (b"\xc0\xaf", Some(0)),
            (b"\xe0\x80", Some(1)),
            (b"\xed\xa0\x80", Some(1)),
            (b"\xf4\x90\x80\x80", Some(1)),
            (b"\xf0\x90\x80\xc0", Some(3)),
            (b"\xf5", Some(0)),
            (b"\xe2\x82", Some(2)),
        ] {
            assert_eq!(first_fault(bytes), expected, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_answer_of_the_whole(
            text in ".{0,40}", noise in proptest::collection::vec(any::<u8>(), 0..4), at in any::<[prop::sample::Index; 3]>(),
        ) {
            let mut bytes = text.into_bytes();
            let place = at[0].index(bytes.len() + 1);
            bytes.splice(place..place, noise);
            let mut cuts = at.map(|index| index.index(bytes.len() + 1));
            cuts.sort_unstable();
            let mut check = Utf8Check::default();
            let parts = [&bytes[..cuts[0]], &bytes[cuts[0]..cuts[1]], &bytes[cuts[1]..cuts[2]], &bytes[cuts[2]..]];
            let found = parts.iter().try_for_each(|part| check.feed(part)).and_then(|()| check.finish());
            prop_assert_eq!(found.is_ok(), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
