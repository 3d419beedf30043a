//! Which quotes end a string, and how long escapes are.
//!
//! No more is looked at behind a quote than up to the token behind the next string, so that all quotes of a document
//! together cost no more than a few times its length.

/// The bracket that closes this one.
pub(super) fn closing(bracket: char) -> char {
    if bracket == '{' { '}' } else { ']' }
}

/// Whether the quote before it ends the name of a member.
pub(super) fn ends_name(mut rest: impl Iterator<Item = u8>) -> bool {
    next_token(&mut rest).is_none_or(|next| next == b':')
}

/// Whether the quote before it ends a value between brackets of this kind: what follows may follow a value, up to the
/// colon of the next member.
pub(super) fn ends_value(mut rest: impl Iterator<Item = u8>, bracket: char) -> bool {
    let closes = |byte| char::from(byte) == closing(bracket);
    match next_token(&mut rest) {
        None => true,
        Some(b',') => match next_token(&mut rest) {
            None => true,
            Some(b'"') if bracket == '{' => rest.all(|byte| byte != b'"') || ends_name(rest),
            Some(next) => closes(next) || bracket == '[',
        },
        Some(next) => closes(next),
    }
}

/// How many characters behind a backslash make an escape with it; `None` if the text may end in the middle of one.
pub(super) fn escape_length(rest: &str) -> Option<usize> {
    match rest.as_bytes().first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(1),
        b'u' => {
            let digits = rest.as_bytes().get(1..5)?;
            Some(if digits.iter().all(u8::is_ascii_hexdigit) { 5 } else { 0 })
        }
        _ => Some(0),
    }
}

fn next_token(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    rest.find(|byte| !byte.is_ascii_whitespace())
}
