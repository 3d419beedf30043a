//! The arguments of a call while they grow.

use serde::de::IgnoredAny;

/// Text that comes in pieces, of which it is known at any time whether it is one JSON object.
///
/// A service may name a call with each of a hundred thousand pieces, and the question comes up each time: so every byte
/// is looked at when it comes, and once more at the end of the object.
#[derive(Debug, Default)]
pub(super) struct GrowingArguments {
    text: String,
    reading: Reading,
    #[cfg(test)]
    looked_at: usize,
}

/// How far the text is an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// White space, at most.
    #[default]
    Ahead,
    /// Brackets are open.
    Inside { depth: usize, string: InString },
    /// An object, and white space behind it.
    Whole,
    /// Whatever comes, it will be none.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    /// Behind a backslash.
    Escaped,
}

impl GrowingArguments {
    pub(super) fn push_str(&mut self, piece: &str) {
        let begin = self.text.len();
        self.text.push_str(piece);
        for (at, byte) in piece.bytes().enumerate() {
            if self.reading == Reading::Never {
                return;
            }
            #[cfg(test)]
            {
                self.looked_at += 1;
            }
            self.reading = self.reading.next(byte).unwrap_or_else(|| self.at_end(begin + at + 1));
        }
    }

    /// What the text up to the end of its brackets is.
    fn at_end(&mut self, end: usize) -> Reading {
        #[cfg(test)]
        {
            self.looked_at += end;
        }
        let object = serde_json::from_str::<IgnoredAny>(&self.text[..end]);
        if object.is_ok() { Reading::Whole } else { Reading::Never }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// Whether it is one JSON object, with white space around it at most.
    pub(super) fn is_object(&self) -> bool {
        self.reading == Reading::Whole
    }

    /// The bytes that were looked at.
    #[cfg(test)]
    pub(super) fn looked_at(&self) -> usize {
        self.looked_at
    }
}

impl Reading {
    /// What follows on a byte; `None` where it closes the last bracket.
    fn next(self, byte: u8) -> Option<Self> {
        use InString::{Escaped, No, Yes};

        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let inside = |depth, string| Some(Self::Inside { depth, string });
        match (self, byte) {
            (Self::Ahead, b'{') => inside(1, No),
            (Self::Ahead | Self::Whole, _) if is_space => Some(self),
            (Self::Ahead | Self::Whole | Self::Never, _) => Some(Self::Never),
            (Self::Inside { depth, string: No }, b'{' | b'[') => inside(depth + 1, No),
            (Self::Inside { depth: 1, string: No }, b'}' | b']') => None,
            (Self::Inside { depth, string: No }, b'}' | b']') => inside(depth - 1, No),
            (Self::Inside { depth, string: Yes }, b'"') => inside(depth, No),
            (Self::Inside { depth, string: Yes }, b'\\') => inside(depth, Escaped),
            (Self::Inside { depth, string: No }, b'"') | (Self::Inside { depth, string: Escaped }, _) => {
                inside(depth, Yes)
            }
            (Self::Inside { .. }, _) => Some(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes the pieces in one after the other, and asks behind each.
    #[track_caller]
    fn check(pieces: &[&str]) {
        let (mut growing, mut text) = (GrowingArguments::default(), String::new());
        for piece in pieces {
            growing.push_str(piece);
            text.push_str(piece);
            let is_object = text.trim_end().ends_with('}') && serde_json::from_str::<IgnoredAny>(&text).is_ok();
            assert_eq!(growing.is_object(), is_object, "{pieces:?}");
            assert_eq!(growing.as_str(), text);
        }
        assert!(growing.looked_at() <= 2 * text.len(), "{} for {}", growing.looked_at(), text.len());
    }

    proptest! {
        #[test]
        fn any_pieces_are_an_object_where_the_whole_is_one(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", "\"", "\\", ":", ",", " ", "\n", "\u{a0}", "ü", "1", "\"a\"", "\"a\":",
                    "{}", "{\"a\":",
                ]),
                0..16,
            ),
        ) {
            check(&pieces);
        }

        #[test]
        fn an_object_is_whole_however_it_is_cut(
            text in r#"[ \n]{0,2}\{("(a|ü|\\"|\\\\|[{}]|\]){0,4}":(1|\{\}|\[\]|"\}"),?){0,3}\}[ x]{0,2}"#,
        ) {
            check(&[&text]);
            let pieces: Vec<String> = text.chars().map(String::from).collect();
            check(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn each_byte_is_looked_at_twice_at_most() {
        let mut growing = GrowingArguments::default();
        // A piece may begin as an object does, and end as one: the question comes up each time.
        for _ in 0..10_000 {
            growing.push_str("{\"a\":\"}\",\"b\":");
            assert!(!growing.is_object());
        }
        growing.push_str("1");
        for _ in 0..10_000 {
            growing.push_str("}");
        }
        assert!(growing.is_object());
        for _ in 0..10_000 {
            growing.push_str(" ");
            assert!(growing.is_object());
        }
        assert!(growing.looked_at() <= 2 * growing.as_str().len());
    }
}
