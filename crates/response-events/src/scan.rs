//! A reader for the plain JSON that deltas are made of. It borrows, and goes over the bytes once.
//!
//! It answers `None` for what it does not know; then the general reader decides what the payload is. What it accepts
//! is JSON, and means the same to both.

use std::borrow::Cow;

use serde_json::Value;

/// Levels of nesting that it goes into; the general reader has a limit of its own, far above.
const MAX_DEPTH: u32 = 32;

/// A position in a JSON text.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// Reads an object; `field` is told each key and has to read its value.
    #[inline]
    pub(crate) fn object(&mut self, mut field: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        self.enter()?;
        loop {
            let key = self.key()?;
            self.take(b':')?;
            field(self, key)?;
            if self.goes_on(b'}')? {
                continue;
            }
            self.depth -= 1;
            return Some(());
        }
    }

    /// Reads a list; `element` has to read each element.
    #[inline]
    pub(crate) fn list(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        self.enter()?;
        loop {
            element(self)?;
            if self.goes_on(b']')? {
                continue;
            }
            self.depth -= 1;
            return Some(());
        }
    }

    /// Reads a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let from = self.at;
        let to = self.string_stop()?;
        match self.bytes()[to] {
            b'"' => {
                self.at = to + 1;
                self.text.get(from..to).map(Cow::Borrowed)
            }
            b'\\' => self.escaped_string(from),
            _ => None,
        }
    }

    /// Whether a string is next.
    #[inline]
    pub(crate) fn is_string(&mut self) -> bool {
        self.peek() == Some(b'"')
    }

    /// Reads a string, or `null`.
    #[inline]
    pub(crate) fn string_or_null(&mut self) -> Option<Option<Cow<'a, str>>> {
        if self.is_null() { Some(None) } else { self.string().map(Some) }
    }

    /// Reads a whole number that is not negative.
    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        /// So many digits always fit.
        const DIGITS: usize = 19;
        let first = self.peek()?;
        let bytes = self.bytes();
        let (mut number, from) = (0_u64, self.at);
        while let Some(digit @ b'0'..=b'9') = bytes.get(self.at) {
            if self.at - from == DIGITS {
                return None;
            }
            number = number * 10 + u64::from(digit - b'0');
            self.at += 1;
        }
        let is_whole = match self.at - from {
            0 => false,
            len => (first != b'0' || len == 1) && !matches!(bytes.get(self.at), Some(b'.' | b'e' | b'E')),
        };
        is_whole.then_some(number)
    }

    /// Reads a value of any type; `None` inside is `null`.
    pub(crate) fn value_or_null(&mut self) -> Option<Option<Value>> {
        if self.is_null() {
            return Some(None);
        }
        let from = self.at;
        self.skip()?;
        serde_json::from_str(self.text.get(from..self.at)?).ok().map(Some)
    }

    /// Reads `null`, if it is there.
    #[inline]
    pub(crate) fn is_null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.word("null").is_some()
    }

    /// Reads a value of any type, and forgets it.
    #[inline]
    pub(crate) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' => self.skip_object(),
            b'[' => self.skip_list(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.skip_number(),
        }
    }

    /// Whether nothing follows.
    pub(crate) fn finish(mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    fn skip_object(&mut self) -> Option<()> {
        self.object(|scanner, _| scanner.skip())
    }

    fn skip_list(&mut self) -> Option<()> {
        self.list(Self::skip)
    }

    /// A number as RFC 8259, section 6, has it.
    fn skip_number(&mut self) -> Option<()> {
        let bytes = self.bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = self.at + usize::from(bytes.get(self.at) == Some(&b'-'));
        let whole = digits(at);
        if whole == 0 || whole > 1 && bytes[at] == b'0' {
            return None;
        }
        at += whole;
        if bytes.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            at += 1 + fraction;
            (fraction > 0).then_some(())?;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at);
            at += exponent;
            (exponent > 0).then_some(())?;
        }
        self.at = at;
        Some(())
    }

    #[inline]
    fn skip_string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            let stop = self.string_stop()?;
            self.at = stop + 1;
            match self.bytes()[stop] {
                b'"' => return Some(()),
                b'\\' => self.skip_escape()?,
                _ => return None,
            }
        }
    }

    /// What follows a backslash.
    fn skip_escape(&mut self) -> Option<()> {
        let rest = &self.bytes()[self.at..];
        match rest.first()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' if rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit) => self.at += 5,
            _ => return None,
        }
        Some(())
    }

    /// The string that began at `from`, with its escapes resolved.
    fn escaped_string(&mut self, from: usize) -> Option<Cow<'a, str>> {
        self.at = from - 1;
        self.skip_string()?;
        let unescaped = unescaped(self.text.get(from..self.at - 1)?);
        // Halves of a pair stand for one character, which the general reader knows to put together.
        let string = unescaped.or_else(|| serde_json::from_str(self.text.get(from - 1..self.at)?).ok());
        string.map(Cow::Owned)
    }

    /// A string without escapes.
    #[inline]
    fn key(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let from = self.at;
        let to = self.string_stop()?;
        self.at = to + 1;
        let bytes = self.bytes();
        if bytes[to] == b'"' { bytes.get(from..to) } else { None }
    }

    /// The next byte in a string that is no plain text: a quotation mark, a backslash, or a control character.
    /// Eight bytes at a time; in each lane the highest bit says so (Hacker's Delight, section 6-1).
    #[inline]
    fn string_stop(&self) -> Option<usize> {
        const ONES: u64 = u64::MAX / 255;
        const HIGHS: u64 = ONES << 7;
        const QUOTES: u64 = ONES * b'"' as u64;
        const BACKSLASHES: u64 = ONES * b'\\' as u64;
        const CONTROLS: u64 = ONES * 0x20;
        let mut rest = self.bytes().get(self.at..)?;
        let mut at = self.at;
        while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
            let lanes = u64::from_le_bytes(*eight);
            let below = lanes.wrapping_sub(CONTROLS)
                | (lanes ^ QUOTES).wrapping_sub(ONES)
                | (lanes ^ BACKSLASHES).wrapping_sub(ONES);
            let stops = below & !lanes & HIGHS;
            if stops != 0 {
                // Only the lowest one is sure, and the only one that counts.
                return Some(at + stops.trailing_zeros() as usize / 8);
            }
            rest = behind;
            at += 8;
        }
        let stop = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))?;
        Some(at + stop)
    }

    /// Reads what stands behind an element: whether another one follows, or `end`.
    #[inline]
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => Some(true),
            next if next == end => Some(false),
            _ => None,
        }
    }

    #[inline]
    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    #[inline]
    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    #[inline]
    fn word(&mut self, word: &str) -> Option<()> {
        self.bytes()[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        match *self.bytes().get(self.at)? {
            0..=b' ' => self.peek_behind_space(),
            byte => Some(byte),
        }
    }

    #[cold]
    fn peek_behind_space(&mut self) -> Option<u8> {
        loop {
            match *self.bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }
}

/// Resolves escapes that are known to be well formed (RFC 8259, section 7); `None` where one is half a character.
fn unescaped(text: &str) -> Option<String> {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        unescaped.push_str(plain);
        let (letter, mut behind) = escape.split_at_checked(1)?;
        unescaped.push(match letter {
            "b" => '\u{8}',
            "f" => '\u{c}',
            "n" => '\n',
            "r" => '\r',
            "t" => '\t',
            "u" => {
                let digits;
                (digits, behind) = behind.split_at_checked(4)?;
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            other => other.chars().next()?,
        });
        rest = behind;
    }
    unescaped.push_str(rest);
    Some(unescaped)
}

/// Sets a field of an object; `None` where it was set before. The general reader refuses a field that comes twice.
#[inline]
pub(crate) fn fill<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use serde::de::IgnoredAny;

    use super::*;

    /// Scalars of every kind, good and bad.
    const SCALARS: &[&str] = &[
        "null",
        "true",
        "false",
        "nul",
        "truer",
        "0",
        "7",
        "-0",
        "-1",
        "01",
        "1.5",
        "1.",
        ".5",
        "-",
        "+1",
        "2e3",
        "2E-3",
        "2e",
        "1e999",
        "18446744073709551615",
        "18446744073709551616",
        "1234567890123456789",
        "12345678901234567890",
        r#""""#,
        r#""a""#,
        r#""plain text""#,
        r#""eight ch""#,
        r#""größer 流 and 🦀""#,
        r#""a\nb""#,
        r#""\"quoted\" \\ \/ \b\f\r\t""#,
        r#""\u00fc\uD83E\uDD80""#,
        r#""\ud800""#,
        r#""\u12""#,
        r#""\x""#,
        "\"line\nend\"",
        "\"nul\0\"",
        "\"del\u{7f}\"",
        r#""open"#,
        "",
    ];

    /// A value as text, mostly JSON.
    pub(crate) fn value() -> impl Strategy<Value = String> {
        let scalar = select(SCALARS).prop_map(str::to_owned);
        scalar.prop_recursive(3, 12, 3, |inner| {
            let key = select(&["a", "type", "text", "usage"][..]);
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(|list| format!("[{}]", list.join(","))),
                vec((key, inner), 0..3).prop_map(|fields| {
                    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                    format!("{{{}}}", fields.join(" ,"))
                }),
            ]
        })
    }

    /// A change of one place in a text.
    #[derive(Clone, Debug)]
    pub(crate) struct Edit {
        at: prop::sample::Index,
        removed: usize,
        inserted: &'static str,
    }

    impl Edit {
        pub(crate) fn apply(&self, text: &str) -> String {
            let chars: Vec<char> = text.chars().collect();
            let at = self.at.index(chars.len() + 1);
            let behind = (at + self.removed).min(chars.len());
            chars[..at].iter().copied().chain(self.inserted.chars()).chain(chars[behind..].iter().copied()).collect()
        }
    }

    pub(crate) fn edit() -> impl Strategy<Value = Edit> {
        let inserted = select(&["", "\"", "\\", ",", ":", "{", "}", "[", "]", "0", "e", " ", "\n", "\u{1}", "ü"][..]);
        (any::<prop::sample::Index>(), 0..3_usize, inserted).prop_map(|(at, removed, inserted)| Edit {
            at,
            removed,
            inserted,
        })
    }

    /// Whatever the scanner reads, the general reader reads, too.
    #[track_caller]
    fn check(text: &str) {
        let mut scanner = Scanner::new(text);
        if scanner.skip().and_then(|()| scanner.finish()).is_some() {
            assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
        }
        let mut scanner = Scanner::new(text);
        if let Some(string) = scanner.string().filter(|_| scanner.finish().is_some()) {
            assert_eq!(serde_json::from_str::<String>(text).ok().as_deref(), Some(&*string), "{text}");
        }
        let mut scanner = Scanner::new(text);
        if let Some(number) = scanner.number().filter(|_| scanner.finish().is_some()) {
            assert_eq!(serde_json::from_str::<u64>(text).ok(), Some(number), "{text}");
        }
    }

    #[test]
    fn every_scalar_is_read_as_the_general_reader_reads_it() {
        SCALARS.iter().for_each(|text| check(text));
    }

    #[test]
    fn a_stop_is_found_at_every_place_of_a_string() {
        for len in 0..40 {
            for stop in ["\"", "\\", "\n", "\0"] {
                let text =
                    format!("{}{stop}{}", "é~\u{7f}".repeat(20).chars().take(len).collect::<String>(), "x".repeat(9));
                let expected = text.find(stop);
                assert_eq!(Scanner::new(&text).string_stop(), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn good_values_are_taken() {
        for text in ["[1, -2.5e+7 ,[],{}, {\"a\" : [null,true,false]}]", r#"{"a\n":"\u00e4\"","b":""}"#, " \"x\" "] {
            let mut scanner = Scanner::new(text);
            let taken = scanner.skip().and_then(|()| scanner.finish()).is_some();
            assert_eq!(taken, !text.contains("a\\n"), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Scanner::new(&nested(MAX_DEPTH as usize)).skip().is_some());
        assert!(Scanner::new(&nested(MAX_DEPTH as usize + 1)).skip().is_none());
        assert!(Scanner::new(&nested(1_000_000)).skip().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_read_is_json(text in value(), edit in edit()) {
            check(&text);
            check(&edit.apply(&text));
        }
    }
}
