//! A cassette's text, line by line.

use super::error::WrongLine;
use crate::fault::Wrong;

/// Some editors begin a file with it.
pub(super) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A line that says something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) text: &'a str,
}

impl Line<'_> {
    pub(super) fn wrong(self, wrong: Wrong) -> WrongLine {
        WrongLine { line: self.number, wrong }
    }
}

/// The lines that are left, without empty ones and comments.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// What is left, and the number of its first line.
    rest: &'a str,
    number: usize,
    peeked: Option<Line<'a>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, WrongLine> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let rest = std::str::from_utf8(bytes).map_err(|error| not_utf8(&bytes[..error.valid_up_to()]))?;
        Ok(Self { rest, number: 1, peeked: None })
    }

    pub(super) fn next(&mut self) -> Option<Line<'a>> {
        self.peek();
        self.peeked.take()
    }

    pub(super) fn peek(&mut self) -> Option<Line<'a>> {
        while self.peeked.is_none() && !self.rest.is_empty() {
            let (text, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            let line = Line { number: self.number, text: text.strip_suffix('\r').unwrap_or(text) };
            self.rest = rest;
            self.number += 1;
            let said = line.text.trim_start();
            if !said.is_empty() && !said.starts_with('#') {
                self.peeked = Some(line);
            }
        }
        self.peeked
    }

    /// The complaint that the file should go on.
    pub(super) fn expected_more(&self, what: &str) -> WrongLine {
        WrongLine { line: self.number, wrong: Wrong::new(1, format!("expected {what}, not the end of the file")) }
    }
}

fn not_utf8(valid: &[u8]) -> WrongLine {
    let valid = String::from_utf8_lossy(valid);
    let line = valid.rsplit('\n').next().unwrap_or_default();
    let number = valid.matches('\n').count() + 1;
    WrongLine {
        line: number,
        wrong: Wrong::new(line.chars().count() + 1, "expected UTF-8; other bytes are written \\xHH or hex"),
    }
}
