//! JSON with halves of characters in it, which no reader takes.

use std::borrow::Cow;

/// What stands for a character that cannot be known.
const REPLACEMENT: &str = "\\ufffd";

/// A JSON text that can be read although bytes of it are no UTF-8, or an escape is half of a surrogate pair (of which
/// RFC 8259, section 8.2, says that receivers differ): U+FFFD takes their place. Services cut texts where they like,
/// and quote them in their errors.
pub(crate) fn mended(json: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(json) {
        Cow::Borrowed(text) => without_halves(text),
        Cow::Owned(text) => Cow::Owned(without_halves(&text).into_owned()),
    }
}

fn without_halves(json: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    // All before it is in `mended`.
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        match (unit(json, at), unit(json, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                mended.push_str(&json[copied..at]);
                mended.push_str(REPLACEMENT);
                at += 6;
                copied = at;
            }
            (Some(_), _) => at += 6,
            // The character behind it is ASCII, or this is no JSON.
            (None, _) => at += 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(&json[copied..]);
    Cow::Owned(mended)
}

/// The number that an escape `\uXXXX` at this place stands for.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    // A sign would be read, too.
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    #[track_caller]
    fn check(json: &[u8], expected: &str) {
        assert_eq!(mended(json), expected, "{}", json.escape_ascii());
    }

    #[test]
    fn halves_are_replaced_and_nothing_else() {
        check(br#""\ud83d""#, r#""\ufffd""#);
        check(br#""\uDE00x""#, r#""\ufffdx""#);
        check(br#""\ud83d\ude00""#, r#""\ud83d\ude00""#);
        check(br#""\ud83d\ud83d\ude00\ude00""#, r#""\ufffd\ud83d\ude00\ufffd""#);
        check(br#""\ud83d\n\u0041""#, r#""\ufffd\n\u0041""#);
        check(br#""\\ud83d\\\ud83d""#, r#""\\ud83d\\\ufffd""#);
        check(b"\"\xf0\x9f\"", "\"\u{fffd}\"");
        check("\"\u{1f600}\\ud83d".as_bytes(), "\"\u{1f600}\\ufffd");
        for cut in ["\\", "\\u", "\\ud83", "\\u+123", "\\é", "", "plain"] {
            check(cut.as_bytes(), cut);
        }
    }

    proptest! {
        /// Whatever stands in a string, it can be read, and what could be read before is the same.
        #[test]
        fn every_string_can_be_read(
            parts in vec(select(vec!["a", "\\n", "\\\\", "\\u0041", "\\ud83d", "\\ude00", "é", "\\\"", "ud83d"]), 0..12),
        ) {
            let json = format!("\"{}\"", parts.concat());
            let read = serde_json::from_str::<String>(&mended(json.as_bytes()));
            prop_assert!(read.is_ok(), "{json}");
            if let Ok(before) = serde_json::from_str::<String>(&json) {
                prop_assert_eq!(read.unwrap(), before);
            }
        }
    }
}
