//! What a `response` object says beside what has a field of its own.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::RawJson;

/// Members that repeat the answer and the request; they can be large.
const REPEATED: [&str; 3] = ["output", "instructions", "tools"];

/// The `response` of an event as it came, without what it repeats; `None` where it is no object.
pub(super) fn response_json(event: &[u8]) -> Option<RawJson> {
    let Event { response: Members(text) } = serde_json::from_slice(event).ok()?;
    Some(RawJson::from_payload(format!("{{{text}}}").as_bytes()))
}

#[derive(Deserialize)]
struct Event {
    response: Members,
}

/// The members of an object that are kept, as text.
struct Members(String);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut text = String::new();
        while let Some(key) = map.next_key::<String>()? {
            if REPEATED.contains(&&*key) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &RawValue = map.next_value()?;
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&Value::from(key).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        Ok(Members(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event: &str, expected: Option<&str>) {
        assert_eq!(response_json(event.as_bytes()).as_ref().map(RawJson::as_str), expected, "{event}");
    }

    #[test]
    fn a_response_is_kept_as_it_came_without_what_it_repeats() {
        check(
            r#"{"type":"x","response":{"z": 1.50,"output":[{}],"end_turn":true,"tools":[1],"a\n":{"b": []},"instructions":"i"}}"#,
            Some(r#"{"z":1.50,"end_turn":true,"a\n":{"b": []}}"#),
        );
        check(
            r#"{"response":{"headers":{"OpenAI-Model":"m","X-Codex-Turn-State":"s3cret"}}}"#,
            Some(r#"{"headers":{"OpenAI-Model":"m","X-Codex-Turn-State":"[redacted]"}}"#),
        );
        check(r#"{"response":{"output":[]}}"#, Some("{}"));
        for event in [r#"{"response":null}"#, r#"{"response":[1]}"#, "{}", "x"] {
            check(event, None);
        }
    }
}
