//! JSON text kept as it came, for what has no type of its own.

use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::{Value, value::RawValue};

/// The header whose value must never be shown.
const SECRET_KEY: &str = "x-codex-turn-state";
const REDACTED: &str = "[redacted]";

/// The JSON text of one payload, verbatim except that a turn-state value in it is replaced by `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// Keeps `payload`, which was parsed before; what is not UTF-8 in it becomes U+FFFD.
    pub(crate) fn from_payload(payload: &[u8]) -> Self {
        Self::from_text(text_of(payload))
    }

    /// Keeps a text that is JSON.
    pub(crate) fn from_text(text: Cow<'_, str>) -> Self {
        let text = redacted_text(text);
        // Redacted as a whole it is no JSON any more.
        Self(if text == REDACTED { format!("\"{REDACTED}\"") } else { text }.into_boxed_str())
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Replaces a text wherever it stands, for callers who know of more secrets than this crate. `by` must not need
    /// escapes in a JSON string.
    pub fn replace(&mut self, text: &str, by: &str) {
        if self.0.contains(text) {
            self.0 = self.0.replace(text, by).into_boxed_str();
        }
    }

    /// The parsed JSON; `null` where the text holds something that JSON text cannot (possible only for payloads
    /// that were not valid UTF-8).
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RawJson {
    /// Embeds the text as JSON, without its line breaks (which stand only between tokens), so that a line-based
    /// output stays line-based.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line: Cow<'_, str> =
            if self.0.contains(['\n', '\r']) { self.0.replace(['\n', '\r'], "").into() } else { (&*self.0).into() };
        match serde_json::from_str::<&RawValue>(&line) {
            Ok(raw) => raw.serialize(serializer),
            Err(error) => Err(S::Error::custom(error)),
        }
    }
}

/// The payload as text, with the value of every turn-state key replaced. Text that holds such a key but is not JSON
/// is replaced as a whole, since there is no telling where the value ends.
pub(crate) fn redacted(payload: &[u8]) -> String {
    redacted_text(text_of(payload))
}

fn text_of(payload: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(payload).map_or_else(|_| String::from_utf8_lossy(payload), Cow::Borrowed)
}

fn redacted_text(text: Cow<'_, str>) -> String {
    if !mentions_secret(&text) {
        return text.into_owned();
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(mut value) => {
            redact_value(&mut value);
            value.to_string()
        }
        Err(_) => REDACTED.to_owned(),
    }
}

/// Whether the key stands anywhere in the text. Keys can be written with escapes, which a plain search misses.
fn mentions_secret(text: &str) -> bool {
    mentions_plainly(text) || text.contains(ESCAPE) && mentions_plainly(&without_ascii_escapes(text))
}

/// What an escaped character of the key begins with.
const ESCAPE: &str = "\\u00";

fn without_ascii_escapes(text: &str) -> String {
    let mut parts = text.split(ESCAPE);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()).filter(u8::is_ascii);
        plain.extend(code.map(char::from));
        plain.push_str(if code.is_some() { &part[2..] } else { part });
    }
    plain
}

fn mentions_plainly(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Of the key's characters the rarest is the hyphen, and it has no other case.
    let is_key = |hyphen: usize| {
        let key = hyphen.checked_sub(1).and_then(|from| bytes.get(from..from + SECRET_KEY.len()));
        key.is_some_and(|key| key.eq_ignore_ascii_case(SECRET_KEY.as_bytes()))
    };
    text.match_indices('-').any(|(at, _)| is_key(at))
}

pub(crate) fn redact_value(value: &mut Value) {
    let is_key = |text: &str| text.eq_ignore_ascii_case(SECRET_KEY);
    let names = |value: &Value| value.as_str().is_some_and(is_key);
    match value {
        Value::Object(map) => {
            // Headers are also written as pairs, and as objects with a name and a value.
            let is_named = map.values().any(names);
            for (key, value) in map {
                if is_key(key) || is_named && !names(value) {
                    *value = Value::from(REDACTED);
                } else {
                    redact_value(value);
                }
            }
        }
        Value::Array(values) => {
            let is_named = values.iter().any(names);
            for value in values {
                if is_named && !names(value) {
                    *value = Value::from(REDACTED);
                } else {
                    redact_value(value);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(payload: &str, expected: &str) {
        assert_eq!(RawJson::from_payload(payload.as_bytes()).as_str(), expected);
    }

    #[test]
    fn turn_state_values_are_replaced_wherever_they_stand() {
        check(r#"{"type":"response.metadata"}"#, r#"{"type":"response.metadata"}"#);
        check(r#"{"headers":{"X-Codex-Turn-State":"s3cret"}}"#, r#"{"headers":{"X-Codex-Turn-State":"[redacted]"}}"#);
        check(r#"[{"x-codex-turn-state":["s3cret"]}]"#, r#"[{"x-codex-turn-state":"[redacted]"}]"#);
        check(r#"{"\u0078-codex-turn-state":"s3cret"}"#, r#"{"x-codex-turn-state":"[redacted]"}"#);
        check(r#"{"x-codex-turn-state":"s3cr"#, r#""[redacted]""#);
        check(
            r#"{"headers":[["X-Codex-Turn-State","s3cret"],["a","b"]]}"#,
            r#"{"headers":[["X-Codex-Turn-State","[redacted]"],["a","b"]]}"#,
        );
        check(
            r#"[{"name":"x-codex-turn-state","value":["s3cret"],"n":1}]"#,
            r#"[{"n":"[redacted]","name":"x-codex-turn-state","value":"[redacted]"}]"#,
        );
    }

    #[test]
    fn text_without_the_key_stays_as_it_came() {
        for text in [
            r#"{"z":"caf\u00e9 \u0022x\u0022","a":1.50,"n":123456789012345678901234567890}"#,
            r#"{"z":"x-codex-\u00e9","a":1.50}"#,
            r#"{"z":"\u00","a":1.50}"#,
            r#"{"z":"\\u0078-codex","a":1.50}"#,
        ] {
            check(text, text);
        }
        check(
            r#"{"z":1.50,"X\u002dcodex-turn\u002Dstate":"s3cret"}"#,
            r#"{"X-codex-turn-state":"[redacted]","z":1.5}"#,
        );
        // What a reader of JSON drops is not shown either.
        check(r#"{"a":{"x\u002dcodex-turn-state":"s3cret"},"a":1}"#, r#"{"a":1}"#);
    }

    #[test]
    fn text_over_several_lines_is_one_line_when_serialised() {
        let raw = RawJson::from_payload(b"{\"a\":\n1}");
        assert_eq!(serde_json::to_string(&raw).unwrap(), r#"{"a":1}"#);
    }
}
