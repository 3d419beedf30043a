//! Reads a document as far as it goes, and notes what speaks for and against what it read.

use std::{collections::HashSet, fmt::Write as _};

use super::quotes::{closing, ends_name, ends_value, escape_length};

/// Members that are texts for people, of which the beginning is better than nothing.
const TEXTS: [&str; 2] = ["message", "detail"];

/// The end of a text of which there is more.
const MORE: &str = " …\"";

/// Brackets within each other, at most: as many as `serde_json` reads.
pub(super) const MAX_DEPTH: usize = 127;

/// Why the reading of a document stops inside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing follows.
    Cut,
    /// What follows is no JSON, or may be none.
    Slip,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    /// A value for people.
    Text,
    /// Another value.
    Plain,
}

/// An object or list that is open.
struct Open {
    bracket: char,
    /// The names of the members so far.
    names: HashSet<String>,
}

/// The document as it was behind its first text for people.
struct FirstText {
    /// It ends there, with its quote.
    end: usize,
    /// The brackets that close the document then.
    closing: String,
}

pub(super) struct Reader<'a> {
    rest: &'a str,
    /// What was read, mended.
    text: String,
    open: Vec<Open>,
    /// How much of `text` is a document but for the brackets that close it.
    whole: usize,
    /// What a string is that is the next value.
    due: Kind,
    /// Whether the first text has quotes that were not escaped.
    is_mended: bool,
    first_text: Option<FirstText>,
    /// The names of all members behind the first text.
    names_behind: HashSet<String>,
    /// Whether one of them stands there twice, or before the text in an object around it.
    repeats: bool,
    ends_with_bracket: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self {
            rest: json,
            text: String::new(),
            open: Vec::new(),
            whole: 0,
            due: Kind::Plain,
            is_mended: false,
            first_text: None,
            names_behind: HashSet::new(),
            repeats: false,
            ends_with_bracket: json.trim_ascii_end().ends_with(['}', ']']),
        }
    }

    /// Reads up to the last bracket.
    pub(super) fn read(&mut self) -> Result<(), Stop> {
        loop {
            match self.peek()? {
                bracket @ ('{' | '[') => {
                    self.open(bracket)?;
                    if self.peek()? != closing(bracket) {
                        self.name(bracket)?;
                        continue;
                    }
                }
                _ if self.open.is_empty() => return Err(Stop::Slip),
                '"' => self.value()?,
                _ => self.scalar()?,
            }
            // Behind a value.
            loop {
                let Some(bracket) = self.open.last().map(|open| open.bracket) else { return Ok(()) };
                match self.peek()? {
                    ',' => {
                        self.take();
                        if self.peek()? != closing(bracket) {
                            self.name(bracket)?;
                            break;
                        }
                        // One too many.
                        self.text.pop();
                    }
                    end if end == closing(bracket) => {
                        self.take();
                        self.open.pop();
                        self.whole = self.text.len();
                    }
                    _ => return Err(Stop::Slip),
                }
            }
        }
    }

    /// Whether what was read behind the first text belongs to the document, and not to that text.
    pub(super) fn is_sure(&self, end: Result<(), Stop>) -> bool {
        match end {
            Ok(()) if self.rest.trim_ascii().is_empty() => !(self.is_mended && self.repeats),
            // A document ends with a bracket, and few cuts do.
            Err(Stop::Cut) if !self.ends_with_bracket => !self.is_mended,
            _ => !self.is_mended && !self.repeats && !self.rest.contains('"'),
        }
    }

    /// What is whole; `None` where there is nothing.
    pub(super) fn into_document(mut self) -> Option<String> {
        let closing = self.closing();
        self.text.truncate(self.whole);
        self.text.push_str(&closing);
        (self.whole > 0).then_some(self.text)
    }

    /// What is whole up to the first text for people.
    pub(super) fn into_document_up_to_text(mut self) -> Option<String> {
        let Some(first) = self.first_text.take() else { return self.into_document() };
        self.text.truncate(first.end);
        if self.is_mended {
            self.text.pop();
            self.text.push_str(MORE);
        }
        self.text.push_str(&first.closing);
        Some(self.text)
    }

    fn open(&mut self, bracket: char) -> Result<(), Stop> {
        if self.open.len() == MAX_DEPTH {
            return Err(Stop::Slip);
        }
        self.take();
        self.open.push(Open { bracket, names: HashSet::new() });
        self.whole = self.text.len();
        Ok(())
    }

    fn closing(&self) -> String {
        self.open.iter().rev().map(|open| closing(open.bracket)).collect()
    }

    /// The name of the next member, if it is one of an object.
    fn name(&mut self, bracket: char) -> Result<(), Stop> {
        self.due = Kind::Plain;
        if bracket == '{' {
            if self.peek()? != '"' {
                return Err(Stop::Slip);
            }
            let begin = self.text.len();
            self.string(Kind::Name)?;
            // Escapes make no other name of it.
            let name: String = serde_json::from_str(&self.text[begin..]).map_err(|_| Stop::Slip)?;
            if self.peek()? != ':' {
                return Err(Stop::Slip);
            }
            self.take();
            if TEXTS.contains(&&*name) {
                self.due = Kind::Text;
            }
            self.note_name(name);
        }
        Ok(())
    }

    fn note_name(&mut self, name: String) {
        if self.first_text.is_some() {
            self.repeats |= !self.names_behind.insert(name.clone());
        }
        if let Some(object) = self.open.last_mut() {
            self.repeats |= !object.names.insert(name) && self.first_text.is_some();
        }
    }

    /// A string that is a value, or as much of it as is worth having.
    fn value(&mut self) -> Result<(), Stop> {
        let begin = self.text.len() + 1;
        let string = self.string(self.due);
        match (string, self.due) {
            (Ok(()), _) => {
                self.whole = self.text.len();
                if self.due == Kind::Text && self.first_text.is_none() {
                    self.first_text = Some(FirstText { end: self.whole, closing: self.closing() });
                }
            }
            (Err(Stop::Cut), Kind::Text) => {
                if let Some(words) = self.text[begin..].rfind(' ') {
                    self.text.truncate(begin + words);
                    self.text.push_str(MORE);
                    self.whole = self.text.len();
                }
            }
            _ => {}
        }
        string
    }

    fn string(&mut self, kind: Kind) -> Result<(), Stop> {
        self.take();
        loop {
            match self.rest.chars().next().ok_or(Stop::Cut)? {
                '"' if self.is_end(kind) => {
                    self.take();
                    return Ok(());
                }
                // Mended in a later text, it might be the end of the first one.
                '"' if kind == Kind::Text && self.first_text.is_none() => {
                    self.is_mended = true;
                    self.text.push('\\');
                    self.take();
                }
                '"' => return Err(Stop::Slip),
                '\\' => {
                    let length = escape_length(&self.rest[1..]).ok_or(Stop::Cut)?;
                    // Without its meaning it is a character like others.
                    self.text.push_str(if length == 0 { "\\" } else { "" });
                    (0..=length).for_each(|_| self.take());
                }
                control @ '\0'..' ' => {
                    // A string takes all that is written.
                    let _ = write!(self.text, "\\u{:04x}", u32::from(control));
                    self.rest = &self.rest[1..];
                }
                _ => self.take(),
            }
        }
    }

    /// Whether the quote that is next ends a string of this kind.
    fn is_end(&self, kind: Kind) -> bool {
        let behind = self.rest.bytes().skip(1);
        match self.open.last() {
            _ if kind == Kind::Name => ends_name(behind),
            Some(open) => ends_value(behind, open.bracket),
            None => true,
        }
    }

    /// A number or a word. At the end of the text it may go on.
    fn scalar(&mut self) -> Result<(), Stop> {
        let end = self.rest.find([',', '}', ']', ' ', '\t', '\r', '\n']).ok_or(Stop::Cut)?;
        serde_json::from_str::<serde::de::IgnoredAny>(&self.rest[..end]).map_err(|_| Stop::Slip)?;
        self.text.push_str(&self.rest[..end]);
        self.rest = &self.rest[end..];
        self.whole = self.text.len();
        Ok(())
    }

    /// The next character that is no white space.
    fn peek(&mut self) -> Result<char, Stop> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.chars().next().ok_or(Stop::Cut)
    }

    fn take(&mut self) {
        let mut rest = self.rest.chars();
        self.text.extend(rest.next());
        self.rest = rest.as_str();
    }
}
