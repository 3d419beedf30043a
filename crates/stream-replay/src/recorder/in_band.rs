//! Secrets in what is said: where they are.

use std::ops::Range;

use super::query;
use super::secrets::{Secrets, plain_name};
use crate::secret_name::is_secret_name;

/// Where a text names its secrets. Fields of JSON do in any text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// In fields only.
    Text,
    /// In parameters, `application/x-www-form-urlencoded`.
    Form,
    /// It is a URL, or a relative reference.
    Reference,
    /// In URLs within.
    Urls,
}

/// Where values stand that URLs and forms say to be secret.
pub(super) fn parameters(text: &[u8], notation: Notation) -> Vec<Range<usize>> {
    match notation {
        Notation::Text => Vec::new(),
        Notation::Form => query::form(text),
        Notation::Reference => query::reference(text),
        Notation::Urls => query::urls(text),
    }
}

/// Whether a field of JSON holds a secret: as for headers if it is spelled like one, with a hyphen. Otherwise narrower:
/// a `token` is a piece of text here, and a `prompt_cache_key` opens nothing.
fn is_secret_field(name: &[u8]) -> bool {
    if name.contains(&b'-') && is_secret_name(&String::from_utf8_lossy(name)) {
        return true;
    }
    let name = plain_name(name);
    let keys = ["apikey", "accesskey", "authkey", "ephemeralkey", "privatekey", "signingkey", "subscriptionkey"];
    let tokens =
        ["accesstoken", "authtoken", "bearertoken", "idtoken", "refreshtoken", "securitytoken", "sessiontoken"];
    let others = ["turnstate", "authorization", "cookie", "secret", "password"];
    keys.iter().chain(&tokens).chain(&others).any(|part| name.contains(part))
}

/// The value of a secret field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Between its quotes.
    pub(super) range: Range<usize>,
    /// Whether it is in an object that the name is for, under a name of its own.
    pub(super) below: bool,
}

/// The values of fields whose names say that they are secret: of JSON in any text, whole or cut, also of JSON inside a
/// string of JSON.
pub(super) fn fields(text: &[u8]) -> Vec<Field> {
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

/// A string, or all in an array or object, whose keys are none of them; adds what stands between their quotes, and
/// returns where it ends.
fn values(text: &[u8], begin: usize, slashes: usize, found: &mut Vec<Field>) -> usize {
    let mut at = begin;
    let mut open = Vec::new();
    while let Some(next) = position(text, at, |byte| !byte.is_ascii_whitespace() && byte != b'\\') {
        at = next + 1;
        match text[next] {
            bracket @ (b'[' | b'{') => open.push(bracket),
            b']' | b'}' if !open.is_empty() => {
                open.pop();
            }
            // The string that all this is in ends.
            b'"' if slashes_before(text, next) < slashes => return next,
            b'"' => {
                let end = end_of_string(text, at, slashes);
                let quote = position(text, end, |byte| byte != b'\\').filter(|quote| text[*quote] == b'"');
                let value = quote.and_then(|quote| rest_of_key(text, quote + 1)).filter(|_| open.last() == Some(&b'{'));
                if value.is_none() {
                    found.push(Field { range: at..end, below: open.contains(&b'{') });
                }
                match (value, quote) {
                    (Some(value), _) => at = value,
                    (None, Some(quote)) if slashes_before(text, quote) >= slashes => at = quote + 1,
                    // It was cut, and so is what it is in.
                    (None, Some(quote)) => return quote + 1,
                    (None, None) => return end,
                }
            }
            // Numbers and the like between them.
            _ if !open.is_empty() => {}
            _ => return next,
        }
        if open.is_empty() {
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

/// Where known secrets stand, with those of [`fields`] and [`parameters`], in order and without overlap.
pub(super) fn all(text: &[u8], notation: Notation, secrets: &Secrets) -> Vec<Range<usize>> {
    let mut found = parameters(text, notation);
    found.extend(fields(text).into_iter().map(|field| field.range));
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
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = fields(text.as_bytes()).into_iter().map(|field| &text[field.range]).collect();
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
    fn names_are_known_in_every_spelling() {
        for name in [
            "id_token",
            "session_token",
            "bearer_token",
            "access_token",
            "refresh_token",
            "secret",
            "secret_key",
            "client_secret",
            "ephemeral_key",
            "private_key",
            "api_key",
            "password",
            "idToken",
            "sessionToken",
            "bearerToken",
            "accessToken",
            "refreshToken",
            "secretKey",
            "clientSecret",
            "ephemeralKey",
            "privateKey",
            "apiKey",
            "turnState",
            "X-Api-Key",
            "Private-Key",
            "X-Functions-Key",
            "x-auth-token",
            "auth_key",
            "subscriptionKey",
            "aws_access_key_id",
        ] {
            check(&format!(r#"{{"{name}":"value","a":"b"}}"#), &["value"]);
        }
        for name in ["token", "tokens", "text", "bytes", "key", "id", "logprobs", "call_id", "prompt_cache_key"] {
            check(&format!(r#"{{"{name}":"value"}}"#), &[]);
        }
    }

    #[test]
    fn all_strings_below_a_secret_name_are_found() {
        check(r#"{"client_secret":{"value":"ek_1","expires_at":12.5e3},"a":"b"}"#, &["ek_1"]);
        check("{\"client_secret\" : {\n  \"value\" : \"ek_1\",\n  \"on\": true\n},\n\"a\": \"b\"}", &["ek_1"]);
        check(r#"{"secret":[{"a":"1","b":["2",null]},"3"],"c":"4"}"#, &["1", "2", "3"]);
        check(r#"{"secret":{},"c":"4"}"#, &[]);
        check(r#"{"json":"{\"secret\":{\"a\":\"1\"},\"b\":\"2\"}","c":"3"}"#, &["1"]);
        // What is cut ends with the string that it is in, or with its line.
        check(r#"{"delta":"{\"secret\":{\"a\":","c":"3"}"#, &[]);
        check(r#"{"delta":"{\"secret\":{\"a\":\"1","c":"3"}"#, &["1"]);
        check(r#"{"delta":"\"secret\": ","c":"3"}"#, &[]);
        check("{\"secret\":{\"a\":\"cut of\ndata: {\"b\":\"c\"}", &["cut of"]);
    }

    proptest! {
        #[test]
        fn whatever_the_text_what_is_found_is_in_it(
            text in r#"(secret|key=|://|//|@|\?|#|&|%|[\[\]{}:,"\\\\\n a1é]){0,40}"#,
        ) {
            for notation in [Notation::Text, Notation::Form, Notation::Reference, Notation::Urls] {
                let mut last = 0;
                for range in all(text.as_bytes(), notation, &Secrets::default()) {
                    prop_assert!(last <= range.start && range.start < range.end && range.end <= text.len());
                    last = range.end;
                }
            }
        }
    }

    #[test]
    fn known_secrets_are_found_without_a_name() {
        let mut secrets = Secrets::default();
        for value in ["Bearer sk-abcdef", "sid=0123456789; Path=/; HttpOnly", "short"] {
            secrets.learn(value.as_bytes());
        }
        let text = r#"wrong key sk-abcdef, short, Bearer, 0123456789; "api_key":"sk-abcdef-more""#;
        let found: Vec<_> =
            all(text.as_bytes(), Notation::Text, &secrets).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["sk-abcdef", "0123456789", "sk-abcdef-more"]);
    }
}
