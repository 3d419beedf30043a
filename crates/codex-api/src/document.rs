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
    /// It begins with something else, and has no end that could be seen.
    NoDocument,
    Inside,
    InString,
    Escaped,
    Reached,
}

impl DocumentEnd {
    /// Looks at the next bytes: whether the document is whole.
    pub(crate) fn feed(&mut self, data: &[u8]) -> bool {
        for &byte in data {
            self.state = match (self.state, byte) {
                (State::Before, b' ' | b'\t' | b'\r' | b'\n') => State::Before,
                (State::Before | State::Inside, b'{' | b'[') => {
                    self.depth += 1;
                    State::Inside
                }
                (State::Before, _) => State::NoDocument,
                (State::Inside, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 { State::Reached } else { State::Inside }
                }
                (State::Inside, b'"') | (State::Escaped, _) => State::InString,
                (State::InString, b'"') => State::Inside,
                (State::InString, b'\\') => State::Escaped,
                (state, _) => state,
            };
        }
        self.state == State::Reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, end: Option<usize>) {
        let mut document = DocumentEnd::default();
        let reached = text.bytes().position(|byte| document.feed(&[byte]));
        assert_eq!(reached.map(|at| at + 1), end, "{text}");
    }

    #[test]
    fn the_end_of_a_document_is_its_last_bracket() {
        check(r#"{"a":1}"#, Some(7));
        check(" \n[1,[2],{}] ", Some(12));
        check(r#"{"a":"}\"}\\"}x"#, Some(14));
        check(r#"{"a":{"b":[]"#, None);
        check("<html>{}", None);
        check("", None);
    }
}
