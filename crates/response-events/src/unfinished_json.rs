//! The beginning of a JSON document, made a document: what a cut, or a slip of who wrote it, has left of one.

use std::fmt::Write as _;

/// Members that are texts for people, of which the beginning is better than nothing.
const TEXTS: [&str; 2] = ["message", "detail"];

/// What `read` makes of a document, or of what is left of it where it is cut or damaged.
pub(crate) fn whole_or_closed<T>(json: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    read(json).or_else(|| read(&closed(json)?))
}

/// `json` up to where it stops being a document, with the brackets closed that are open there; `None` where none was
/// ever open.
///
/// Only what is whole is left of it, since a part could mean something else (`insufficient`, a wait of `1`). A text for
/// people is cut behind its last whole word instead. Control characters and quotes in strings, which services forget to
/// escape, are escaped; so are backslashes before nothing that has an escape.
fn closed(json: &str) -> Option<String> {
    let mut reader = Reader { rest: json, ..Reader::default() };
    // Where it ends is known by then.
    let _ = reader.read();
    let Reader { mut text, mut open, whole: (length, depth), .. } = reader;
    text.truncate(length);
    open.truncate(depth);
    text.extend(open.iter().rev().map(|bracket| closing(*bracket)));
    (length > 0).then_some(text)
}

fn closing(bracket: char) -> char {
    if bracket == '{' { '}' } else { ']' }
}

#[derive(Default)]
struct Reader<'a> {
    rest: &'a str,
    /// What was read, mended.
    text: String,
    /// The brackets that are open.
    open: Vec<char>,
    /// How much of `text`, and of the brackets, is a document but for its end.
    whole: (usize, usize),
    /// The member whose value is due.
    name: String,
}

impl Reader<'_> {
    /// `None` where it ends too early, or is no JSON.
    fn read(&mut self) -> Option<()> {
        loop {
            match self.peek()? {
                bracket @ ('{' | '[') => {
                    self.take();
                    self.open.push(bracket);
                    self.note_whole();
                    if self.peek()? != closing(bracket) {
                        self.name(bracket)?;
                        continue;
                    }
                }
                '"' => self.value()?,
                _ => self.scalar()?,
            }
            // Behind a value.
            loop {
                let bracket = *self.open.last()?;
                match self.peek()? {
                    ',' => {
                        self.take();
                        self.name(bracket)?;
                        break;
                    }
                    end if end == closing(bracket) => {
                        self.take();
                        self.open.pop();
                        self.note_whole();
                    }
                    _ => return None,
                }
            }
        }
    }

    /// The name of the next member, if it is one of an object.
    fn name(&mut self, bracket: char) -> Option<()> {
        if bracket == '{' {
            self.peek().filter(|next| *next == '"')?;
            let begin = self.text.len() + 1;
            self.string(ends_name)?;
            self.text[begin..self.text.len() - 1].clone_into(&mut self.name);
            self.peek().filter(|next| *next == ':')?;
            self.take();
        }
        Some(())
    }

    /// A string that is a value, or as much of it as is worth having.
    fn value(&mut self) -> Option<()> {
        let begin = self.text.len() + 1;
        if self.string(ends_value).is_some() {
            self.note_whole();
            return Some(());
        }
        let end = begin + self.text[begin..].rfind(' ').filter(|_| TEXTS.contains(&&*self.name))?;
        self.text.truncate(end);
        self.text.push_str(" …\"");
        self.note_whole();
        None
    }

    /// `ends` says of what follows a quote whether that quote ends the string.
    fn string(&mut self, ends: fn(&str) -> bool) -> Option<()> {
        self.take();
        loop {
            match self.rest.chars().next()? {
                '"' if ends(&self.rest[1..]) => {
                    self.take();
                    return Some(());
                }
                '"' => {
                    self.text.push('\\');
                    self.take();
                }
                '\\' => {
                    let length = escape_length(&self.rest[1..])?;
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

    /// A number or a word. At the end of the text it may go on.
    fn scalar(&mut self) -> Option<()> {
        let end = self.rest.find([',', '}', ']', ' ', '\t', '\r', '\n'])?;
        serde_json::from_str::<serde::de::IgnoredAny>(&self.rest[..end]).ok()?;
        self.text.push_str(&self.rest[..end]);
        self.rest = &self.rest[end..];
        self.note_whole();
        Some(())
    }

    /// The next character that is no white space.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self) {
        let mut rest = self.rest.chars();
        self.text.extend(rest.next());
        self.rest = rest.as_str();
    }

    fn note_whole(&mut self) {
        if !self.open.is_empty() || self.whole.0 > 0 {
            self.whole = (self.text.len(), self.open.len());
        }
    }
}

/// How many characters behind a backslash make an escape with it; `None` if the text may end in the middle of one.
fn escape_length(rest: &str) -> Option<usize> {
    match rest.as_bytes().first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(1),
        b'u' => {
            let digits = rest.as_bytes().get(1..5)?;
            Some(if digits.iter().all(u8::is_ascii_hexdigit) { 5 } else { 0 })
        }
        _ => Some(0),
    }
}

/// Whether the quote before it ends the name of a member.
fn ends_name(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with(':')
}

/// Whether the quote before it ends a value: what follows could not follow within a text, or hardly.
fn ends_value(rest: &str) -> bool {
    let rest = rest.trim_start();
    match rest.strip_prefix(',') {
        Some(rest) => rest.trim_start().chars().next().is_none_or(|next| matches!(next, '"' | '{' | '[' | '}' | ']')),
        None => rest.is_empty() || rest.starts_with(['}', ']']),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Option<&str>) {
        assert_eq!(closed(json).as_deref(), expected, "{json}");
    }

    #[test]
    fn a_cut_leaves_what_was_whole() {
        for (json, expected) in [
            (r#"{"error":{"code":"insufficient_quota","mess"#, r#"{"error":{"code":"insufficient_quota"}}"#),
            (r#"{"error":{"code":"insufficient_quota""#, r#"{"error":{"code":"insufficient_quota"}}"#),
            (r#"{"error":{"code":"insufficient"#, r#"{"error":{}}"#),
            (r#"[{"a":[1,{"b":null},tr"#, r#"[{"a":[1,{"b":null}]}]"#),
            (r#"{"a" : 1 , "retry_after":1"#, r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1} and more"#, r#"{"a":1}"#),
            (r#"{"a":"b","message":"You said \"no"#, r#"{"a":"b","message":"You said …"}"#),
            (r#"{"message":"Quota"#, "{}"),
            (r#"{"message":"x \"#, r#"{"message":"x …"}"#),
            (r#"{"other":"two words"#, "{}"),
            ("{", "{}"),
        ] {
            check(json, Some(expected));
        }
        for nothing in ["", " ", "text", "\"text", "\"text\"", "1", "<html>"] {
            check(nothing, None);
        }
    }

    #[test]
    fn slips_in_strings_are_mended_and_others_end_the_document() {
        for (json, expected) in [
            ("{\"a\":\"b\nc\td\",\"e\":1}", r#"{"a":"b\u000ac\u0009d","e":1}"#),
            (r#"{"a":"say "no", or "yes"","b":"c"}"#, r#"{"a":"say \"no\", or \"yes\"","b":"c"}"#),
            (r#"{"a":"Model "x": gone","b":"c",}"#, r#"{"a":"Model \"x\": gone","b":"c"}"#),
            (r#"{"a":"C:\path\users","b":"\u00e9"}"#, r#"{"a":"C:\\path\\users","b":"\u00e9"}"#),
            (r#"{"a":1,}"#, r#"{"a":1}"#),
            (r#"{"a":1,"b":NaN,"c":2}"#, r#"{"a":1}"#),
            (r#"{"a":1]"#, r#"{"a":1}"#),
            (r#"{"a":1,'b':2}"#, r#"{"a":1}"#),
        ] {
            check(json, Some(expected));
        }
    }

    proptest! {
        /// Wherever a document is cut, what is left can be read, and says nothing else than the whole.
        #[test]
        fn what_is_left_is_a_part_of_the_whole(at in 0_usize..1000) {
            let whole = r#"{"error":{"type":"t\u00e9\\","code":"ü\"x","n":[-1.5e3,[],{}],"b":true},"s":" ","z":[{"a":null}]}"#;
            let at = (0..=at % whole.len()).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or_default();
            let left = closed(&whole[..at]).unwrap_or_else(|| "{}".to_owned());
            let left = serde_json::from_str(&left).unwrap();
            prop_assert!(is_part(&left, &serde_json::from_str(whole).unwrap()), "{left}");
        }

        #[test]
        fn no_text_panics_and_what_comes_of_it_is_json(text in r#"[\[{]([\[\]{}:,"\\ a1\n]|"[a\\é]")*"#) {
            let left = closed(&text).unwrap();
            prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&left).is_ok(), "{text} -> {left}");
        }
    }

    fn is_part(left: &Value, whole: &Value) -> bool {
        match (left, whole) {
            (Value::Object(left), Value::Object(whole)) => {
                left.iter().all(|(key, left)| whole.get(key).is_some_and(|whole| is_part(left, whole)))
            }
            (Value::Array(left), Value::Array(whole)) => {
                left.len() <= whole.len() && left.iter().zip(whole).all(|(left, whole)| is_part(left, whole))
            }
            (left, whole) => left == whole,
        }
    }
}
