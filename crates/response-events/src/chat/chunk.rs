//! The JSON of a Chat chunk, with every shape that services give its fields.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer, value::SeqAccessDeserializer},
};
use serde_json::{Value, value::RawValue};

use super::{
    absent::{list, list_if_any, object},
    members::Member,
};
use crate::json::{Number, Text, object_or_default};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    /// Says what it is, mostly something with `chunk` in it.
    #[serde(borrow)]
    pub(super) object: Text<'a>,
    /// Something empty in their place is an empty list.
    #[serde(borrow, deserialize_with = "list_if_any")]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    pub(super) usage: Option<Value>,
    pub(super) error: Option<Value>,
    #[serde(deserialize_with = "object_or_default")]
    pub(super) x_groq: Groq,
    /// Chunks have no `type`; something else on the stream may.
    #[serde(borrow, rename = "type")]
    pub(super) event_type: Text<'a>,
    /// What has no field here, at any level.
    #[serde(skip)]
    pub(super) members: Vec<Member<'a>>,
}

/// Groq puts the usage beside the chunk.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Groq {
    pub(super) usage: Option<Value>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    pub(super) index: Number,
    #[serde(borrow, deserialize_with = "object")]
    pub(super) delta: Option<Delta<'a>>,
    /// Some services send the whole message beside the delta, some only the message.
    #[serde(borrow, deserialize_with = "object")]
    pub(super) message: Option<Box<Delta<'a>>>,
    #[serde(borrow)]
    pub(super) finish_reason: Text<'a>,
    /// Repeats the delta, where there is one (Together); in the API before this one it is what the choice says.
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) content: Content<'a>,
    #[serde(borrow)]
    pub(super) refusal: Content<'a>,
    #[serde(borrow)]
    pub(super) reasoning_content: Content<'a>,
    #[serde(borrow)]
    pub(super) reasoning: Content<'a>,
    pub(super) reasoning_details: Option<Value>,
    /// `true` where the reasoning of this delta is an opaque block that the service wants back behind all that is text
    /// (Venice).
    pub(super) reasoning_encrypted: Option<Value>,
    /// What a service says of the piece, or wants back with the message (Gemini's `thought_signature`). Told as a
    /// member without a field, too.
    pub(super) extra_content: Option<Value>,
    #[serde(borrow, deserialize_with = "list")]
    pub(super) tool_calls: Vec<ToolCall<'a>>,
    /// The form before tools: one call, without index and id.
    #[serde(borrow, deserialize_with = "object")]
    pub(super) function_call: Option<Box<Function<'a>>>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct ToolCall<'a> {
    pub(super) index: Number,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) call_type: Text<'a>,
    #[serde(borrow, deserialize_with = "object")]
    pub(super) function: Option<Function<'a>>,
    #[serde(borrow, deserialize_with = "object")]
    pub(super) custom: Option<Box<Custom<'a>>>,
    /// What a service wants back with the call (Gemini's `thought_signature`).
    pub(super) extra_content: Option<Value>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) arguments: Arguments<'a>,
}

/// The call of a custom tool, which takes any text.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Custom<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) input: Arguments<'a>,
}

/// A string, or (on a few servers) the object itself, whose JSON text it then is.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Arguments<'a>(pub(super) Cow<'a, str>);

/// Text as a string, as one object with the text in it, or as a list of parts.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Content<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    Parts(Vec<Value>),
}

/// What a part of a content list brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Thinking(String),
    Refusal(String),
    Unknown,
}

impl Chunk<'_> {
    /// Whether it has anything that only chunks have.
    pub(super) fn says_something(&self) -> bool {
        self.choices.is_some() || self.usage.is_some() || self.x_groq.usage.is_some()
    }

    pub(super) fn has_choices(&self) -> bool {
        self.choices.as_ref().is_some_and(|choices| !choices.is_empty())
    }

    /// Whether a choice has text, reasoning or a call, of which something must come.
    pub(super) fn brings_output(&self) -> bool {
        let of = |choice: &Choice<'_>| match choice.delta.as_ref().or(choice.message.as_deref()) {
            Some(delta) => delta.brings_output(),
            None => choice.text.non_empty().is_some(),
        };
        self.choices.iter().flatten().any(of)
    }
}

impl Delta<'_> {
    /// Whether its reasoning is opaque.
    pub(super) fn is_encrypted(&self) -> bool {
        self.reasoning_encrypted == Some(Value::Bool(true))
    }

    /// What goes back with the message. Beside a piece of a summary of thoughts `extra_content` says only that the
    /// piece is one, which would not be true of the message.
    pub(super) fn take_signature(&mut self) -> Option<Value> {
        let signed =
            |of: &Value| of.get("thought_signature").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        self.extra_content.take().filter(|extra| extra.as_object().is_some_and(|map| map.values().any(signed)))
    }

    /// The reasoning details: a list, or a single one.
    pub(super) fn take_details(&mut self) -> Vec<Value> {
        match self.reasoning_details.take() {
            Some(Value::Array(details)) => details,
            Some(detail) if says_something(&detail) => vec![detail],
            _ => Vec::new(),
        }
    }

    fn brings_output(&self) -> bool {
        let text = |part: &Value| !all_text(part).is_empty();
        let part = |part: &Value| match Part::of(part) {
            Part::Text(text) | Part::Thinking(text) | Part::Refusal(text) => !text.is_empty(),
            Part::Unknown => true,
        };
        self.content.any(part)
            || self.reasoning.any(text)
            || self.refusal.any(text)
            || self.reasoning_content.any(text)
            || !self.tool_calls.is_empty()
            || self.function_call.is_some()
            || self.reasoning_details.as_ref().is_some_and(says_something)
    }
}

impl Content<'_> {
    /// Whether there is text, or a part that counts.
    fn any(&self, counts: impl Fn(&Value) -> bool) -> bool {
        match self {
            Self::None => false,
            Self::Text(text) => !text.is_empty(),
            Self::Parts(parts) => parts.iter().any(counts),
        }
    }

    /// The text of a field that holds only text, in whichever shape.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.into_owned(),
            Self::Parts(parts) => parts.iter().map(all_text).collect(),
        }
    }
}

impl Part {
    pub(super) fn of(part: &Value) -> Self {
        if let Value::String(text) = part {
            return Self::Text(text.clone());
        }
        let field = |key: &str| part.get(key).map(all_text);
        match part.get("type").and_then(Value::as_str) {
            Some("thinking" | "reasoning") => {
                Self::Thinking(field("thinking").or_else(|| field("text")).unwrap_or_default())
            }
            Some("refusal") => Self::Refusal(field("refusal").unwrap_or_default()),
            Some("text" | "output_text") | None if part.get("text").is_some() => {
                Self::Text(field("text").unwrap_or_default())
            }
            _ => Self::Unknown,
        }
    }
}

/// Whether a value is more than a place holder.
pub(super) fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

/// The text in a string, in a list of parts, or under `text` or `content` of an object.
fn all_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(all_text).collect(),
        Value::Object(map) => map.get("text").or_else(|| map.get("content")).map(all_text).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Visits of scalars that count as nothing.
macro_rules! scalars_are_nothing {
    ($nothing:expr) => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ContentVisitor;

        impl<'de> Visitor<'de> for ContentVisitor {
            type Value = Content<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of parts")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Content::Parts)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Value::deserialize(MapAccessDeserializer::new(map)).map(|part| Content::Parts(vec![part]))
            }
            scalars_are_nothing!(Content::None);
        }

        deserializer.deserialize_any(ContentVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<Text<'de>>(raw).map_err(de::Error::custom)?.0,
            // As the server wrote it: a tool may care for the order of its keys.
            Some(b'{' | b'[') => Some(Cow::Borrowed(raw)),
            _ => None,
        };
        Ok(Self(text.unwrap_or_default()))
    }
}
