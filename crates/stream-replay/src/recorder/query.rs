//! Secrets in URLs and forms: where they are.

use std::borrow::Cow;
use std::ops::Range;

use super::secrets::plain_name;
use crate::secret_name::is_secret_name;

/// Whether a parameter holds a secret. Wider than for fields of JSON: nobody sends text in pieces called `token` here.
fn is_secret_parameter(name: &[u8]) -> bool {
    let name = decoded(name);
    if is_secret_name(&String::from_utf8_lossy(&name)) {
        return true;
    }
    let name = plain_name(&name);
    // `token_type_hint=refresh_token` is the name of a secret, and what is learned is looked for everywhere.
    !(name.ends_with("type") || name.ends_with("typehint"))
        && ["key", "token", "secret", "sig", "auth", "password", "turnstate"].iter().any(|part| name.contains(part))
}

/// Where the values of secret parameters stand in a form, as in the query of a URL.
pub(super) fn form(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    parameters(text, 0..text.len(), &mut found);
    found
}

/// The same in a text that is a URL, whole or relative, with its user information.
pub(super) fn reference(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = urls(text);
    if text.starts_with(b"//") {
        user_information(text, 2..text.len(), &mut found);
    }
    after_path(text, 0..text.len(), &mut found);
    found
}

/// The same in all whole URLs that a text holds, of whatever scheme.
pub(super) fn urls(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.windows(3).enumerate().filter(|(_, part)| part == b"://") {
        let begin = at + 3;
        let end = end_of(text, begin..text.len(), |byte| {
            byte.is_ascii_whitespace() || matches!(byte, b'"' | b'<' | b'>' | b'\\')
        });
        user_information(text, begin..end, &mut found);
        after_path(text, begin..end, &mut found);
    }
    found
}

/// What stands before the host (RFC 3986 §3.2.1), and the password in it by itself.
fn user_information(text: &[u8], url: Range<usize>, found: &mut Vec<Range<usize>>) {
    let begin = url.start;
    let authority = begin..end_of(text, url, |byte| matches!(byte, b'/' | b'?' | b'#'));
    let Some(at) = text[authority].iter().rposition(|byte| *byte == b'@') else { return };
    let user = begin..begin + at;
    let password = end_of(text, user.clone(), |byte| byte == b':') + 1;
    if password < user.end {
        found.push(password..user.end);
    }
    found.push(user);
}

/// Query and fragment: services answer with tokens in either (RFC 6749 §4.2.2).
fn after_path(text: &[u8], url: Range<usize>, found: &mut Vec<Range<usize>>) {
    let hash = end_of(text, url.clone(), |byte| byte == b'#');
    let question = end_of(text, url.start..hash, |byte| byte == b'?');
    for part in [question..hash, hash..url.end] {
        parameters(text, (part.start + 1).min(part.end)..part.end, found);
    }
}

fn parameters(text: &[u8], within: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut begin = within.start;
    for parameter in text[within].split(|byte| *byte == b'&') {
        let end = begin + parameter.len();
        if let Some(equals) = parameter.iter().position(|byte| *byte == b'=') {
            if is_secret_parameter(&parameter[..equals]) {
                found.push(begin + equals + 1..end);
            }
        }
        begin = end + 1;
    }
}

fn end_of(text: &[u8], within: Range<usize>, is_end: impl Fn(u8) -> bool) -> usize {
    let end = within.end;
    let begin = within.start;
    text[within].iter().position(|byte| is_end(*byte)).map_or(end, |at| begin + at)
}

/// What percent signs stand for (RFC 3986 §2.1); those that are none stay.
pub(super) fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let hex = |at: usize| text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let pair = if *byte == b'%' { hex(at + 1).zip(hex(at + 2)) } else { None };
        if let Some(byte) = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    Cow::Owned(decoded)
}
