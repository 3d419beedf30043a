//! The reader and the writer of cassettes.

use stream_replay::{Cassette, CassetteError};

/// A cassette is read, or an error names a place in it. What was read is written and read again as the same, and
/// always written in the same words.
pub fn cassette(data: &[u8]) {
    let cassette = match Cassette::parse(data) {
        Ok(cassette) => cassette,
        Err(CassetteError::Syntax { path: None, line, column, message }) => {
            assert!(!message.is_empty());
            return check_place(data, line, column);
        }
        Err(other) => panic!("{other}, of bytes that are no file"),
    };
    assert!(Cassette::is_cassette(data), "what is no cassette was read as one");
    let text = cassette.to_string();
    let again = Cassette::parse(&text).expect("what was written can be read");
    assert_eq!(again, cassette);
    assert_eq!(again.to_string(), text);
}

/// One line behind the last is where something is missing.
fn check_place(data: &[u8], line: usize, column: usize) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    assert!((1..=lines.len() + 1).contains(&line), "line {line} of {}", lines.len());
    let found = lines.get(line - 1).copied().unwrap_or_default();
    assert!((1..=found.len() + 1).contains(&column), "column {column} of {}", found.escape_ascii());
}
