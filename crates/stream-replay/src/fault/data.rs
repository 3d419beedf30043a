//! Bytes, as scripts write them.

use std::path::{Path, PathBuf};

use super::error::Wrong;
use super::words::{Words, hex};

/// The most that one step sends.
const MAX_DATA: usize = 256 * 1024 * 1024;

/// One or more texts up to the end of the line, each repeated where a number follows.
pub(super) fn texts(words: &mut Words) -> Result<Vec<u8>, Wrong> {
    let data = some_texts(words)?;
    words.finish().map_err(|_| words.expected("a text in quotes, or `*` with a number behind one"))?;
    Ok(data)
}

/// The same, when something else may follow.
pub(super) fn some_texts(words: &mut Words) -> Result<Vec<u8>, Wrong> {
    let column = words.column();
    let mut data = Vec::new();
    while let Some(text) = words.text() {
        let times: usize = if words.takes("*") { words.number("how often, as a number")? } else { 1 };
        match text.len().checked_mul(times) {
            Some(more) if more <= MAX_DATA - data.len() => data.extend(text.repeat(times)),
            _ => return Err(Wrong::new(column, format!("one step sends at most {MAX_DATA} bytes"))),
        }
    }
    something(data, column, "a text in quotes")
}

/// Pairs of hexadecimal digits up to the end of the line; none are none.
pub(crate) fn hex_words(words: &mut Words) -> Result<Vec<u8>, Wrong> {
    let mut data = Vec::new();
    while !words.is_empty() {
        let expected = words.expected("pairs of hexadecimal digits");
        let word = words.word("pairs of hexadecimal digits")?;
        data.extend(hex(&word).ok_or(expected)?);
    }
    Ok(data)
}

/// The bytes of the file that a text names; none of them is empty.
pub(super) fn file(words: &mut Words, folder: &Path) -> Result<Vec<u8>, Wrong> {
    let column = words.column();
    let name = words.text().ok_or_else(|| words.expected("the name of a file in quotes"))?;
    let name = String::from_utf8(name).map_err(|_| Wrong::new(column, "the name of the file is not UTF-8"))?;
    let path = folder.join(PathBuf::from(name));
    let data = std::fs::read(&path).map_err(|source| Wrong::file(column, path, source))?;
    something(data, column, "a file that is not empty")
}

/// A step that sends nothing could be repeated for ever without ever waiting.
pub(super) fn something(data: Vec<u8>, column: usize, expected: &str) -> Result<Vec<u8>, Wrong> {
    if data.is_empty() { Err(Wrong::new(column, format!("expected {expected}"))) } else { Ok(data) }
}
