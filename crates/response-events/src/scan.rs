//! A reader for the plain JSON that deltas are made of. It borrows, and goes over the bytes once.
//!
//! It answers `None` for what it does not know; then the general reader decides what the payload is. What it accepts
//! is JSON, and means the same to both.

use std::borrow::Cow;

use serde_json::Value;

/// Levels of nesting that it goes into; the general reader has a limit of its own, far above.
const MAX_DEPTH: u32 = 32;

/// What was read; `None` leaves the whole payload to the general reader.
pub(crate) type Scanned<T> = Option<T>;

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
    pub(crate) fn object(&mut self, mut field: impl FnMut(&mut Self, &'a [u8]) -> Scanned<()>) -> Scanned<()> {
        self.members(|scanner| {
            let key = scanner.key()?;
            field(scanner, key)
        })
    }

    /// Reads an object; `member` has to read each key and its value.
    #[inline]
    pub(crate) fn members(&mut self, mut member: impl FnMut(&mut Self) -> Scanned<()>) -> Scanned<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        self.enter()?;
        loop {
            // To the key, behind white space.
            self.peek()?;
            member(self)?;
            if self.goes_on(b'}')? {
                continue;
            }
            self.depth -= 1;
            return Some(());
        }
    }

    /// Reads the key of a member, and the colon behind it.
    #[inline]
    pub(crate) fn key(&mut self) -> Scanned<&'a [u8]> {
        let key = self.plain_string()?;
        self.take(b':')?;
        Some(key)
    }

    /// The first letter of the key that is next, or anything, where none is.
    #[inline]
    pub(crate) fn initial(&self) -> u8 {
        self.bytes().get(self.at + 1).copied().unwrap_or_default()
    }

    /// Goes behind `key`, quotation marks and colon included, if that is next to the byte. It costs a comparison,
    /// where [`key`](Self::key) has to search for the end.
    #[inline]
    pub(crate) fn is_key(&mut self, key: &'static str) -> bool {
        let is_next = self.bytes().get(self.at..).is_some_and(|rest| rest.starts_with(key.as_bytes()));
        if is_next {
            self.at += key.len();
        }
        is_next
    }

    /// Reads a list; `element` has to read each element.
    #[inline]
    pub(crate) fn list(&mut self, mut element: impl FnMut(&mut Self) -> Scanned<()>) -> Scanned<()> {
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
    pub(crate) fn string(&mut self) -> Scanned<Cow<'a, str>> {
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
    pub(crate) fn string_or_null(&mut self) -> Scanned<Option<Cow<'a, str>>> {
        if self.is_null() { Some(None) } else { self.string().map(Some) }
    }

    /// Reads a whole number that is not negative.
    #[inline]
    pub(crate) fn number(&mut self) -> Scanned<u64> {
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
    pub(crate) fn value_or_null(&mut self) -> Scanned<Option<Value>> {
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
    pub(crate) fn skip(&mut self) -> Scanned<()> {
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

    /// Reads a value of any type, and gives its text, unless it says nothing: `null`, an empty string, and lists and
    /// objects of nothing.
    pub(crate) fn something(&mut self) -> Scanned<Option<&'a str>> {
        self.peek()?;
        let from = self.at;
        let says = self.says_something()?;
        let text = self.text.get(from..self.at)?;
        Some(says.then_some(text))
    }

    fn says_something(&mut self) -> Scanned<bool> {
        let mut says = false;
        match self.peek()? {
            b'n' => self.word("null")?,
            b'"' => {
                let from = self.at;
                self.skip_string()?;
                says = self.at - from > r#""""#.len();
            }
            b'[' => self.list(|scanner| scanner.says_something().map(|element| says |= element))?,
            b'{' => self.object(|scanner, _| scanner.says_something().map(|field| says |= field))?,
            _ => {
                self.skip()?;
                says = true;
            }
        }
        Some(says)
    }

    /// Whether nothing follows.
    pub(crate) fn finish(mut self) -> Scanned<()> {
        self.peek().is_none().then_some(())
    }

    fn skip_object(&mut self) -> Scanned<()> {
        self.object(|scanner, _| scanner.skip())
    }

    fn skip_list(&mut self) -> Scanned<()> {
        self.list(Self::skip)
    }

    /// A number as RFC 8259, section 6, has it.
    fn skip_number(&mut self) -> Scanned<()> {
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
    fn skip_string(&mut self) -> Scanned<()> {
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
    fn skip_escape(&mut self) -> Scanned<()> {
        let rest = &self.bytes()[self.at..];
        match rest.first()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' if rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit) => self.at += 5,
            _ => return None,
        }
        Some(())
    }

    /// The string that began at `from`, with its escapes resolved.
    fn escaped_string(&mut self, from: usize) -> Scanned<Cow<'a, str>> {
        self.at = from - 1;
        self.skip_string()?;
        let unescaped = unescaped(self.text.get(from..self.at - 1)?);
        // Halves of a pair stand for one character, which the general reader knows to put together.
        let string = unescaped.or_else(|| serde_json::from_str(self.text.get(from - 1..self.at)?).ok());
        string.map(Cow::Owned)
    }

    /// A string without escapes.
    #[inline]
    fn plain_string(&mut self) -> Scanned<&'a [u8]> {
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
    fn goes_on(&mut self, end: u8) -> Scanned<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => Some(true),
            next if next == end => Some(false),
            _ => None,
        }
    }

    #[inline]
    fn enter(&mut self) -> Scanned<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    #[inline]
    fn take(&mut self, wanted: u8) -> Scanned<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    #[inline]
    fn word(&mut self, word: &str) -> Scanned<()> {
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
pub(crate) fn fill<T>(field: &mut Option<T>, value: T) -> Scanned<()> {
    field.replace(value).is_none().then_some(())
}

#[cfg(test)]
pub(crate) mod tests;
