//! The beginning of a JSON document, made a document: what a cut, or a slip of who wrote it, has left of one.
//!
//! Services forget to escape the quotes in a text for people. Nobody can tell then where that text ends: what looks
//! like members behind it may be words of it, and members such as `code` decide whether a failure is tried again.
//!
//! Such a text is taken to end at the first quote that something follows which may follow a value. If anything speaks
//! against that end, the document ends with the text:
//!
//! * the rest is not read to its very end, although a quote was mended in the text;
//! * a name that stands behind the text stands there, or in an object around it, twice: where the true end is a later
//!   quote, what follows that one repeats the names which the text only seemed to have;
//! * something that is no JSON follows, and a quote behind it, which may be the true end.

mod quotes;
mod reader;

use reader::Reader;

/// What `read` makes of a document, or of what is left of it where it is cut or damaged.
pub(crate) fn whole_or_closed<T>(json: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    read(json).or_else(|| read(&closed(json)?))
}

/// `json` up to where it stops being a document, with the brackets closed that are open there; `None` where none was
/// ever open. The time that it takes grows with the length of `json`, and no faster.
///
/// Only what is whole is left of it, since a part could mean something else (`insufficient`, a wait of `1`). A text for
/// people is cut behind its last whole word instead, and in the first of them quotes are escaped; in any other string
/// they end the document before it. Control characters in strings are escaped; so are backslashes before nothing that
/// has an escape.
fn closed(json: &str) -> Option<String> {
    let mut reader = Reader::new(json);
    let end = reader.read();
    if reader.is_sure(end) { reader.into_document() } else { reader.into_document_up_to_text() }
}

#[cfg(test)]
mod tests;
