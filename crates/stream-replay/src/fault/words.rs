//! A line as words and texts.

use std::fmt::Display;
use std::str::FromStr;

use super::error::Wrong;

/// A word or a text, and where in the line it begins (in characters, from 1).
#[derive(Debug)]
struct Token {
    column: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Word(String),
    /// Between quotes, escapes undone.
    Text(Vec<u8>),
}

/// What is left to read of a line.
#[derive(Debug)]
pub(crate) struct Words {
    /// In reverse: the next one is the last.
    tokens: Vec<Token>,
    /// Where something is missing, when it is.
    end: usize,
}

impl Words {
    pub(crate) fn of(line: &str) -> Result<Self, Wrong> {
        let chars: Vec<char> = line.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < chars.len() && chars[at] != '#' {
            let column = at + 1;
            let kind = match chars[at] {
                blank if blank.is_whitespace() => {
                    at += 1;
                    continue;
                }
                '"' => Kind::Text(text(&chars, &mut at)?),
                _ => {
                    let is_word = |char: &&char| !char.is_whitespace() && !matches!(char, '"' | '#');
                    let word: String = chars[at..].iter().take_while(is_word).collect();
                    at += word.chars().count();
                    Kind::Word(word)
                }
            };
            tokens.push(Token { column, kind });
        }
        let end = chars[..at].iter().rposition(|char| !char.is_whitespace()).map_or(1, |last| last + 2);
        tokens.reverse();
        Ok(Self { tokens, end })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Where the next word begins, or is missing.
    pub(crate) fn column(&self) -> usize {
        self.tokens.last().map_or(self.end, |token| token.column)
    }

    /// The complaint that something else should stand here.
    pub(crate) fn expected(&self, what: impl Display) -> Wrong {
        Wrong::new(self.column(), format!("expected {what}"))
    }

    /// The next word; `what` says what it should be.
    pub(crate) fn word(&mut self, what: impl Display) -> Result<String, Wrong> {
        match self.tokens.pop() {
            Some(Token { kind: Kind::Word(word), .. }) => Ok(word),
            other => {
                self.tokens.extend(other);
                Err(self.expected(what))
            }
        }
    }

    /// The next word as a number of a certain size; `what` says what it should be.
    pub(crate) fn number<T: FromStr>(&mut self, what: impl Display) -> Result<T, Wrong> {
        let column = self.column();
        let word = self.word(&what)?;
        word.parse().map_err(|_| Wrong::new(column, format!("expected {what}, not {word:?}")))
    }

    /// The next text, if one comes next.
    pub(crate) fn text(&mut self) -> Option<Vec<u8>> {
        match self.tokens.pop() {
            Some(Token { kind: Kind::Text(text), .. }) => Some(text),
            other => {
                self.tokens.extend(other);
                None
            }
        }
    }

    /// Whether the next word is this one, which is then taken.
    pub(crate) fn takes(&mut self, expected: &str) -> bool {
        let next = self.is_next(expected);
        if next {
            self.tokens.pop();
        }
        next
    }

    /// Whether the next word is this one.
    pub(crate) fn is_next(&self, expected: &str) -> bool {
        matches!(self.tokens.last(), Some(Token { kind: Kind::Word(word), .. }) if word == expected)
    }

    /// Whether a text comes next.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.tokens.last(), Some(Token { kind: Kind::Text(_), .. }))
    }

    /// Nothing more may follow.
    pub(crate) fn finish(&self) -> Result<(), Wrong> {
        if self.is_empty() { Ok(()) } else { Err(self.expected("the end of the line")) }
    }
}

/// Takes a text with its quotes.
fn text(chars: &[char], at: &mut usize) -> Result<Vec<u8>, Wrong> {
    let opened = *at + 1;
    let mut text = Vec::new();
    *at += 1;
    loop {
        match chars.get(*at) {
            None => return Err(Wrong::new(opened, "the text is not closed")),
            Some('"') => {
                *at += 1;
                return Ok(text);
            }
            Some('\\') => text.push(escape(chars, at)?),
            Some(char) => {
                text.extend(char.encode_utf8(&mut [0; 4]).bytes());
                *at += 1;
            }
        }
    }
}

/// Takes what begins with a backslash.
fn escape(chars: &[char], at: &mut usize) -> Result<u8, Wrong> {
    let column = *at + 1;
    let unknown = || Wrong::new(column, "unknown escape: \\r, \\n, \\t, \\0, \\\\, \\\" and \\xHH are known");
    *at += 2;
    Ok(match chars.get(*at - 1) {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('0') => 0,
        Some('\\') => b'\\',
        Some('"') => b'"',
        Some('x') => {
            let digits: String = chars.iter().skip(*at).take(2).collect();
            *at += 2;
            hex(&digits).and_then(|bytes| bytes.first().copied()).ok_or_else(unknown)?
        }
        _ => return Err(unknown()),
    })
}

/// The bytes that pairs of hexadecimal digits stand for.
pub(crate) fn hex(digits: &str) -> Option<Vec<u8>> {
    let whole = digits.len() % 2 == 0 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let pairs = (0..digits.len()).step_by(2);
    whole.then(|| pairs.filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect())
}
