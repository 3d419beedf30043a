//! Bytes, as cassettes write them.

use std::fmt;

use super::error::WrongLine;
use super::source::{Line, Source};
use crate::fault::{Words, Wrong, hex_words};

/// Bytes on one line of hexadecimal digits.
const HEX_BYTES: usize = 32;

/// Text that stands for itself ends at the end of the line.
fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control) && !text.ends_with(char::is_whitespace)
}

/// Writes data on lines of their own.
pub(super) fn write_lines(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if is_mostly_binary(bytes) {
        for line in bytes.chunks(HEX_BYTES) {
            writeln!(f, "  hex {}", Hex(line))?;
        }
        return Ok(());
    }
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (text, marker) = match line.strip_suffix(b"\n") {
            Some(text) => (text, '|'),
            None => (line, ':'),
        };
        match std::str::from_utf8(text) {
            Ok("") => writeln!(f, "  {marker}")?,
            Ok(text) if is_plain(text) => writeln!(f, "  {marker} {text}")?,
            _ => writeln!(f, "  {}", Quoted(line))?,
        }
    }
    Ok(())
}

/// More than a quarter would have to be written as `\xHH`.
fn is_mostly_binary(bytes: &[u8]) -> bool {
    let escaped: usize = bytes
        .utf8_chunks()
        .map(|chunk| {
            let controls =
                chunk.valid().chars().filter(|char| char.is_control() && !matches!(char, '\r' | '\n' | '\t'));
            controls.map(char::len_utf8).sum::<usize>() + chunk.invalid().len()
        })
        .sum();
    escaped > bytes.len() / 4
}

/// Takes the lines of data that come next.
pub(super) fn read_lines(source: &mut Source<'_>) -> Result<Vec<u8>, WrongLine> {
    let mut data = Vec::new();
    while let Some(line) = source.peek().filter(|line| is_data(line.text)) {
        source.next();
        read_line(line, &mut data).map_err(|wrong| line.wrong(wrong))?;
    }
    Ok(data)
}

fn is_data(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['|', ':', '"']) || line.split_whitespace().next() == Some("hex")
}

fn read_line(line: Line<'_>, data: &mut Vec<u8>) -> Result<(), Wrong> {
    let text = line.text.trim_start();
    if let Some(plain) = text.strip_prefix(['|', ':']) {
        match plain.strip_prefix(' ') {
            Some(plain) => data.extend(plain.bytes()),
            None if plain.is_empty() => {}
            None => {
                let column = line.text.chars().count() - plain.chars().count() + 1;
                return Err(Wrong::new(column, "expected a space behind the marker of the line"));
            }
        }
        data.extend(text.starts_with('|').then_some(b'\n'));
        return Ok(());
    }
    let mut words = Words::of(line.text)?;
    if words.takes("hex") {
        data.extend(hex_words(&mut words)?);
    } else {
        data.extend(words.text().unwrap_or_default());
    }
    words.finish()
}

/// Bytes as a text in quotes.
pub(super) struct Quoted<'a>(pub(super) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                match char {
                    '\r' => f.write_str("\\r")?,
                    '\n' => f.write_str("\\n")?,
                    '\t' => f.write_str("\\t")?,
                    '\0' => f.write_str("\\0")?,
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    char if char.is_control() => escape(char.encode_utf8(&mut [0; 4]).as_bytes(), f)?,
                    char => write!(f, "{char}")?,
                }
            }
            escape(chunk.invalid(), f)?;
        }
        f.write_str("\"")
    }
}

fn escape(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

/// Bytes as hexadecimal digits.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
