//! What a body shows itself to be, whatever its head calls it.

use std::{borrow::Cow, fmt};

use crate::{
    coded::{may_be_coded, seeming_coding},
    quote::quote,
};

/// What some services put before their text: no character that could be seen.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The beginning of a body in which no event has been found yet. `Debug` does not show it: it may hold a turn state.
#[derive(Default)]
pub(crate) struct Preview {
    bytes: Vec<u8>,
    /// How many of them came in earlier pieces than the one that shows what it is.
    before: usize,
    is_known: bool,
}

/// What a body is by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// A line of an event stream.
    Stream,
    /// The bracket of a JSON object.
    Document,
    /// The bracket of a tag.
    Page,
    /// The mark of a content coding, which the head should have named.
    Coded,
    /// Anything else.
    Text,
}

impl Preview {
    const LONGEST: usize = 1024;
    /// What a line of an event stream begins with, but for comments.
    const FIELDS: [&[u8]; 4] = [b"data", b"event", b"id", b"retry"];

    /// Takes in more bytes. What they begin, behind white space and a byte order mark, is told once.
    pub(crate) fn take_in(&mut self, data: &[u8]) -> Option<Beginning> {
        let (before, mut data) = (self.bytes.len(), data);
        // Nothing, or (a part of) the mark. Services keep a connection alive with empty lines, for as long as it takes.
        while let ([first, rest @ ..], true) = (data, BYTE_ORDER_MARK.starts_with(&self.bytes)) {
            let may_be_blank = matches!(self.bytes.len(), 0 | 3);
            if !(may_be_blank && first.is_ascii_whitespace()) {
                self.bytes.push(*first);
            }
            data = rest;
        }
        self.bytes.extend_from_slice(&data[..data.len().min(Self::LONGEST - self.bytes.len())]);
        let beginning = self.beginning().filter(|_| !self.is_known)?;
        (self.is_known, self.before) = (true, before);
        Some(beginning)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// `body`, which is read as a whole from the piece on that showed what it is, with what came before.
    pub(crate) fn completed<'b>(&self, body: &'b [u8]) -> Cow<'b, [u8]> {
        match self.before {
            0 => body.into(),
            before => [&self.bytes[..before], body].concat().into(),
        }
    }

    /// What a person should see of a body that brought no event: text that only begins as a stream does (`id: 4711 is
    /// blocked`), too, but no comments, which say that the connection lives, and no JSON, which may hold anything.
    pub(crate) fn quote(&self) -> Option<String> {
        let text = self.text();
        let tells_nothing = text.starts_with(b":") || text.contains(&b'{');
        if self.beginning() == Some(Beginning::Stream) && tells_nothing { None } else { quote(text) }
    }

    fn text(&self) -> &[u8] {
        match self.bytes.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) => text,
            // A part of it may still become one.
            None if BYTE_ORDER_MARK.starts_with(&self.bytes) => &[],
            None => &self.bytes,
        }
    }

    /// `None` while that cannot be said.
    fn beginning(&self) -> Option<Beginning> {
        let text = self.text();
        let begins_line = |field: &&[u8]| {
            let rest = text.strip_prefix(*field);
            rest.is_some_and(|rest| rest.first().is_some_and(|next| b":\r\n".contains(next)))
        };
        match text.first()? {
            b':' => Some(Beginning::Stream),
            b'{' => Some(Beginning::Document),
            b'<' => Some(Beginning::Page),
            _ if Self::FIELDS.iter().any(begins_line) => Some(Beginning::Stream),
            _ if seeming_coding(text).is_some() => Some(Beginning::Coded),
            _ if may_be_coded(text) => None,
            _ if Self::FIELDS.iter().any(|field| field.starts_with(text)) => None,
            _ => Some(Beginning::Text),
        }
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preview({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body is, in whatever pieces it comes; and that nothing of it is lost.
    #[track_caller]
    fn check(body: impl AsRef<[u8]>, expected: Option<Beginning>) {
        let body = body.as_ref();
        let text = body.trim_ascii_start();
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii_start();
        let shown = String::from_utf8_lossy(body);
        for length in 1..=body.len().max(1) {
            let mut preview = Preview::default();
            let pieces: Vec<_> = body.chunks(length).collect();
            let told: Vec<_> = pieces.iter().map(|piece| preview.take_in(piece)).collect();
            let told_once: Vec<_> = told.iter().flatten().copied().collect();
            assert_eq!(told_once, Vec::from_iter(expected), "{shown:?}, {length}");
            if let Some(at) = told.iter().position(Option::is_some) {
                let whole = preview.completed(&pieces[at..].concat()).into_owned();
                let whole = whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&whole).trim_ascii_start();
                assert_eq!(whole, text, "{shown:?}, {length}");
            }
        }
    }

    #[test]
    fn the_first_bytes_decide_as_soon_as_they_can() {
        for stream in ["data: x", "data:", "data\n", "event: x", "id\r", "retry: 5", ": hi", "\u{feff}\r\n data: x"] {
            check(stream, Some(Beginning::Stream));
        }
        for document in ["{", " {\"a\":1}", "\u{feff}{}", "\n\n{}"] {
            check(document, Some(Beginning::Document));
        }
        check(format!("\u{feff}{}{{}}", " ".repeat(Preview::LONGEST)), Some(Beginning::Document));
        check("\r\n<html>", Some(Beginning::Page));
        for text in ["[1]", "dat x", "database down", "data : x", "retry later", "identity", "Oh.", "\u{feff}ü"] {
            check(text, Some(Beginning::Text));
        }
        for coded in [&b"\x1f\x8b\x08"[..], b"\x28\xb5\x2f\xfd", b" \x1f\x8b"] {
            check(coded, Some(Beginning::Coded));
        }
        check("(see below)", Some(Beginning::Text));
        for nothing in ["", " \r\n", "\u{feff}", "\u{feff} ", "d", "event", " retry", "(", "\x1f"] {
            check(nothing, None);
        }
    }
}
