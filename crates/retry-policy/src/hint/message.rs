//! Hints in the text of an error message.

use super::span;

/// What stands before the duration, in lower case.
const PHRASES: &[&str] = &["try again in", "try again after", "retry after", "retry in", "please wait"];
/// What may stand between the two, in this order.
const BETWEEN: &[&str] = &[":", "for", "at least", "another", "about", "approximately"];

/// The first wait that the text asks for, in nanoseconds. A number without a unit is none.
pub(super) fn wait(text: &str) -> Option<u64> {
    text.char_indices().find_map(|(at, _)| {
        let phrase = PHRASES.iter().find(|phrase| {
            text.as_bytes()[at..].get(..phrase.len()).is_some_and(|here| here.eq_ignore_ascii_case(phrase.as_bytes()))
        })?;
        let rest = text[at + phrase.len()..].trim_start();
        let rest = BETWEEN.iter().fold(rest, |rest, word| rest.strip_prefix(word).unwrap_or(rest).trim_start());
        span::scan(rest).map(|(nanos, _)| nanos)
    })
}
