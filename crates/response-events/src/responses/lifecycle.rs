//! The `response` object of an event.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::listed::Listed;
use crate::{RawJson, json::Text};

/// What is read of the object, and the rest of it as it came. Every member may be missing or of another type.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lifecycle<'a> {
    pub(super) id: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) status: Text<'a>,
    pub(super) usage: Option<Value>,
    pub(super) error: Option<Value>,
    pub(super) incomplete_details: Option<Value>,
    pub(super) output: Listed,
    pub(super) kept: Kept,
}

/// The text of an object, as far as it is kept; empty where there was none.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Kept(String);

impl Kept {
    pub(super) const NONE: Self = Self(String::new());
    /// Bytes that a response mostly takes, or a little more.
    const USUAL_LEN: usize = 1024;

    /// The response without what it repeats of the answer and of the request, which can be large.
    pub(super) fn to_raw(&self) -> Option<RawJson> {
        (!self.0.is_empty()).then(|| RawJson::from_text(Cow::Borrowed(&self.0)))
    }

    fn begun() -> Self {
        let mut text = String::with_capacity(Self::USUAL_LEN);
        text.push('{');
        Self(text)
    }

    fn add(&mut self, key: Cow<'_, str>, value: &RawValue) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        match key {
            // It came without an escape, and needs none.
            Cow::Borrowed(key) => self.0.extend(["\"", key, "\""]),
            Cow::Owned(key) => self.0.push_str(&Value::from(key).to_string()),
        }
        self.0.push(':');
        self.0.push_str(value.get());
    }

    fn end(&mut self) {
        self.0.push('}');
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Lifecycle<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LifecycleVisitor)
    }
}

struct LifecycleVisitor;

impl<'de> Visitor<'de> for LifecycleVisitor {
    type Value = Lifecycle<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lifecycle<'de>, A::Error> {
        let mut response = Lifecycle { kept: Kept::begun(), ..Lifecycle::default() };
        while let Some(Text(key)) = map.next_key()? {
            let key = key.unwrap_or_default();
            match &*key {
                "output" => response.output = map.next_value()?,
                "instructions" | "tools" => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    let value = map.next_value()?;
                    response.read(&key, value);
                    response.kept.add(key, value);
                }
            }
        }
        response.kept.end();
        Ok(response)
    }
}

impl<'a> Lifecycle<'a> {
    fn read(&mut self, key: &str, value: &'a RawValue) {
        match key {
            "id" => self.id = read(value),
            "model" => self.model = read(value),
            "status" => self.status = read(value),
            "usage" => self.usage = read(value),
            "error" => self.error = read(value),
            "incomplete_details" => self.incomplete_details = read(value),
            _ => {}
        }
    }
}

/// A member; nothing where it cannot be read, as one that is nested too deeply.
fn read<'a, T: Deserialize<'a> + Default>(value: &'a RawValue) -> T {
    serde_json::from_str(value.get()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(response: &str, expected: Option<&str>) {
        let response: Lifecycle<'_> = serde_json::from_str(response).unwrap();
        assert_eq!(response.kept.to_raw().as_ref().map(RawJson::as_str), expected);
    }

    #[test]
    fn a_response_is_kept_as_it_came_without_what_it_repeats() {
        check(
            r#"{"z": 1.50,"output":[{}],"end_turn":true,"tools":[1],"a\n":{"b": []},"instructions":"i"}"#,
            Some(r#"{"z":1.50,"end_turn":true,"a\n":{"b": []}}"#),
        );
        check(
            r#"{"headers":{"OpenAI-Model":"m","X-Codex-Turn-State":"s3cret"}}"#,
            Some(r#"{"headers":{"OpenAI-Model":"m","X-Codex-Turn-State":"[redacted]"}}"#),
        );
        check(r#"{"output":[]}"#, Some("{}"));
        assert_eq!(Lifecycle::default().kept.to_raw(), None);
    }

    #[test]
    fn members_are_read_whatever_the_others_are() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        let text = format!(r#"{{"id":"r\n","model":5,"status":"failed","usage":null,"error":{deep},"output":{{}}}}"#);
        let response: Lifecycle<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!((response.id.as_deref(), response.status.as_deref()), (Some("r\n"), Some("failed")));
        assert_eq!((response.model, response.usage, response.error), (Text(None), None, None));
        assert_eq!(response.output, Listed::NONE);
    }
}
