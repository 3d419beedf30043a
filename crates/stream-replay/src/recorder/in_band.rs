//! Secrets in what is said: where they are.

use std::ops::Range;

use super::secrets::Secrets;

/// Whether a field of JSON holds a secret. Narrower than for headers: a `token` is a piece of text here.
fn is_secret_field(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase().replace('_', "-");
    ["turn-state", "authorization", "cookie", "api-key", "apikey", "access-token", "refresh-token", "client-secret"]
        .iter()
        .any(|part| name.contains(part))
}

/// Where the values of fields stand whose names say that they are secret: of JSON in any text, whole or cut, also of JSON
/// inside a string of JSON.
pub(super) fn fields(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(quote) = position(text, at, |byte| byte == b'"') {
        at = quote + 1;
        let slashes = slashes_before(text, quote);
        let Some(open) = rest_of_key(text, at) else { continue };
        let Some(name_begin) = text[..quote - slashes].iter().rposition(|byte| *byte == b'"').map(|begin| begin + 1)
        else {
            continue;
        };
        if is_secret_field(&text[name_begin..quote - slashes]) {
            at = values(text, open, slashes, &mut found);
        }
    }
    found
}

/// Where the value begins, if this quote ends a key.
fn rest_of_key(text: &[u8], at: usize) -> Option<usize> {
    let colon = position(text, at, |byte| !byte.is_ascii_whitespace())?;
    (text[colon] == b':').then_some(colon + 1)
}

/// A string, or an array of them; adds what stands between their quotes, and returns where it ends.
fn values(text: &[u8], begin: usize, slashes: usize, found: &mut Vec<Range<usize>>) -> usize {
    let mut at = begin;
    let mut depth = 0;
    while let Some(next) = position(text, at, |byte| !byte.is_ascii_whitespace() && byte != b'\\') {
        match text[next] {
            b'[' => depth += 1,
            b',' if depth > 0 => {}
            b']' if depth > 0 => depth -= 1,
            b'"' => {
                let end = end_of_string(text, next + 1, slashes);
                found.push(next + 1..end);
                at = end;
                // Its closing quote.
                while at < text.len() && matches!(text[at], b'\\' | b'"') {
                    at += 1;
                    if text[at - 1] == b'"' {
                        break;
                    }
                }
                if depth == 0 {
                    return at;
                }
                continue;
            }
            _ => return next,
        }
        at = next + 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// At the first quote that is escaped no deeper than the one that began it, at the end of the line, or of the text.
fn end_of_string(text: &[u8], begin: usize, slashes: usize) -> usize {
    let mut at = begin;
    while let Some(end) = position(text, at, |byte| matches!(byte, b'"' | b'\n' | b'\r')) {
        let before = slashes_before(text, end).min(end - begin);
        if text[end] != b'"' {
            return end;
        }
        // An even number of them escapes one another.
        if before <= slashes || (slashes == 0 && before % 2 == 0) {
            return end - before.min(slashes);
        }
        at = end + 1;
    }
    text.len()
}

fn slashes_before(text: &[u8], at: usize) -> usize {
    text[..at].iter().rev().take_while(|byte| **byte == b'\\').count()
}

fn position(text: &[u8], from: usize, is_it: impl Fn(u8) -> bool) -> Option<usize> {
    text.get(from..)?.iter().position(|byte| is_it(*byte)).map(|at| from + at)
}

/// Where known secrets stand, with those of [`fields`], in order and without overlap.
pub(super) fn all(text: &[u8], secrets: &Secrets) -> Vec<Range<usize>> {
    let mut found = fields(text);
    for secret in secrets.iter() {
        let mut at = 0;
        while let Some(begin) = text.get(at..).and_then(|rest| find(rest, secret)) {
            found.push(at + begin..at + begin + secret.len());
            at += begin + secret.len();
        }
    }
    found.retain(|range| !range.is_empty());
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut at = 0;
    while let Some(begin) = position(text, at, |byte| byte == first) {
        if text[begin..].starts_with(part) {
            return Some(begin);
        }
        at = begin + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = fields(text.as_bytes()).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values_are_found_by_the_names_of_their_fields() {
        check(r#"{"headers":{"X-Codex-Turn-State":"s3cret"},"a":"b"}"#, &["s3cret"]);
        check(r#"data: {"x-codex-turn-state" : [ "one", "two" ], "a": "b"}"#, &["one", "two"]);
        check(r#"{"api_key":"a\"b\\","next":"open"}"#, &[r#"a\"b\\"#]);
        check(r#"{"json":"{\"authorization\":\"Bearer k\",\"x\":\"y\"}"}"#, &["Bearer k"]);
        check("{\"cookie\":\"cut of", &["cut of"]);
        check("{\"cookie\":\"one line\ndata: \"other\"", &["one line"]);
        check(r#"{"token":"Hi","cookies_allowed":true,"api_key":null,"z":"a"}"#, &[]);
        check(r#"{"x-codex-turn-state":"#, &[]);
        check(r#"he said "authorization" twice"#, &[]);
    }

    #[test]
    fn known_secrets_are_found_without_a_name() {
        let mut secrets = Secrets::default();
        for value in ["Bearer sk-abcdef", "sid=0123456789; Path=/; HttpOnly", "short"] {
            secrets.learn(value.as_bytes());
        }
        let text = r#"wrong key sk-abcdef, short, Bearer, 0123456789; "api_key":"sk-abcdef-more""#;
        let found: Vec<_> = all(text.as_bytes(), &secrets).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["sk-abcdef", "0123456789", "sk-abcdef-more"]);
    }
}
