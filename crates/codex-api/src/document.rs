//! Where a JSON document ends, so that a body is not waited for behind it.

/// Finds the end of a JSON object or list, byte by byte, without judging what is in it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DocumentEnd {
    state: State,
    depth: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    /// It may begin anywhere.
    Seeking,
    /// It begins with something else, and has no end that could be seen.
    NoDocument,
    Inside,
    InString,
    Escaped,
    Reached,
}

impl DocumentEnd {
    /// Of a document that may have something else before it.
    pub(crate) fn anywhere() -> Self {
        Self { state: State::Seeking, depth: 0 }
    }

    /// Whether the text is a document, as far as that can be said: it begins with a bracket.
    pub(crate) fn has_begun(&self) -> bool {
        !matches!(self.state, State::Before | State::Seeking | State::NoDocument)
    }

    /// Looks at the next bytes: how many of them there are up to the document's end, if they bring it.
    pub(crate) fn feed(&mut self, data: &[u8]) -> Option<usize> {
        for (at, &byte) in data.iter().enumerate() {
            self.state = match (self.state, byte) {
                // The last three are a byte order mark.
                (State::Before, b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf) => State::Before,
                (State::Before | State::Seeking | State::Inside, b'{' | b'[') => {
                    self.depth += 1;
                    State::Inside
                }
                (State::Before, _) => State::NoDocument,
                (State::Inside, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.state = State::Reached;
                        return Some(at + 1);
                    }
                    State::Inside
                }
                (State::Inside, b'"') | (State::Escaped, _) => State::InString,
                (State::InString, b'"') => State::Inside,
                (State::InString, b'\\') => State::Escaped,
                (state, _) => state,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, end: Option<usize>) {
        let mut document = DocumentEnd::default();
        let reached = text.bytes().position(|byte| document.feed(&[byte]).is_some());
        assert_eq!(reached.map(|at| at + 1), end, "{text}");
        assert_eq!(DocumentEnd::default().feed(text.as_bytes()), end, "{text}");
    }

    #[test]
    fn the_end_of_a_document_is_its_last_bracket() {
        check(r#"{"a":1}"#, Some(7));
        check(" \n[1,[2],{}] ", Some(12));
        check(r#"{"a":"}\"}\\"}x"#, Some(14));
        check(r#"{"a":{"b":[]"#, None);
        check("<html>{}", None);
        check("", None);
        check("\u{feff}{}", Some(5));
        assert_eq!(DocumentEnd::anywhere().feed(b"data: {} {}"), Some(8));
    }
}
