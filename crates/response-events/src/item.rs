//! Output and input items: one JSON object each, kept whole, with typed views of the kinds that callers act on.

mod invalid;

use std::{fmt, sync::Arc};

pub use invalid::InvalidItem;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value, json};

/// One item of an answer, or of a request's input, in the shape of the Responses API on both wires.
///
/// The JSON object is kept exactly as it came, unknown fields included, since a follow-up request has to send it
/// back. [`kind`](Self::kind) gives a typed view. Cheap to clone.
///
/// Items of a Chat answer have a member `chat` for what the other API has no form for: `reasoning_field`, the field in
/// which reasoning came (`reasoning_content`, `reasoning`, or `content` for thinking parts), `reasoning_details`, and
/// the `extra_content` of a call or a message. It goes back on the Chat wire, each where it came from, and stays off
/// the other one.
#[derive(Clone, PartialEq, Eq)]
pub struct Item(Arc<Map<String, Value>>);

/// The member for what of an item only the Chat wire knows.
pub(crate) const OF_CHAT: &str = "chat";

/// A typed view of an [`Item`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ItemKind<'a> {
    /// `message`: text or a refusal.
    Message(Message<'a>),
    /// `reasoning`.
    Reasoning(Reasoning<'a>),
    /// `function_call`: answer it with [`Item::function_output`].
    FunctionCall(FunctionCall<'a>),
    /// `custom_tool_call`, whose free-form input stands in `arguments`: answer it with [`Item::custom_tool_output`].
    CustomToolCall(FunctionCall<'a>),
    /// Every other type; the string is the item's `type`.
    Other(&'a str),
}

/// A `message` item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message<'a> {
    /// Who speaks: `assistant` in answers.
    pub role: &'a str,
    /// The `output_text` (or `input_text`) parts, joined.
    pub text: String,
    /// The `refusal` parts, joined; `None` without any.
    pub refusal: Option<String>,
}

/// A `reasoning` item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reasoning<'a> {
    /// The `reasoning_text` parts, joined.
    pub text: String,
    /// The `summary_text` parts, joined.
    pub summary: String,
    /// The opaque form that is sent back when the service stores nothing.
    pub encrypted_content: Option<&'a str>,
}

/// A call that the model wants the caller to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionCall<'a> {
    /// What is called.
    pub kind: CallKind,
    /// Ties the call to its output.
    pub call_id: &'a str,
    /// The function's or tool's name. Empty where a Chat service never gave one: then nobody can make the call, and its
    /// item is `incomplete`.
    pub name: &'a str,
    /// The raw arguments as the model wrote them: JSON for functions (possibly empty, possibly cut where the item is
    /// `incomplete`), free text for custom tools.
    pub arguments: &'a str,
}

/// What a call calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallKind {
    /// A function, whose arguments are JSON.
    Function,
    /// A custom tool, whose input is any text.
    Custom,
}

impl FunctionCall<'_> {
    /// What the function or the tool answered, as the item that goes back with the next request: an
    /// [`Item::function_output`] or an [`Item::custom_tool_output`].
    pub fn output(&self, output: impl Into<String>) -> Item {
        match self.kind {
            CallKind::Function => Item::function_output(self.call_id, output),
            CallKind::Custom => Item::custom_tool_output(self.call_id, output),
        }
    }
}

impl Item {
    /// Takes a JSON object with a string `type`.
    ///
    /// Errors with anything else, which the error gives back.
    pub fn from_json(value: Value) -> Result<Self, InvalidItem> {
        match value {
            Value::Object(map) if map.get("type").is_some_and(Value::is_string) => Ok(Self(Arc::new(map))),
            other => Err(InvalidItem::new(other)),
        }
    }

    /// A message of the user.
    pub fn user(text: impl Into<String>) -> Self {
        Self::input_message("user", &text.into())
    }

    /// A message of the developer (`system` on services that know no such role).
    pub fn developer(text: impl Into<String>) -> Self {
        Self::input_message("developer", &text.into())
    }

    /// A message of the model, of which only the text is known: of a conversation that was kept elsewhere, or of an
    /// example that the model is to follow. Items of an answer go back as they came.
    pub fn assistant(text: impl Into<String>) -> Self {
        let content = json!([{"type": "output_text", "text": text.into()}]);
        Self::of(json!({"type": "message", "role": "assistant", "content": content}))
    }

    /// What a called function answered.
    pub fn function_output(call_id: impl Into<String>, output: impl Into<String>) -> Self {
        Self::of(json!({"type": "function_call_output", "call_id": call_id.into(), "output": output.into()}))
    }

    /// What a called custom tool answered.
    pub fn custom_tool_output(call_id: impl Into<String>, output: impl Into<String>) -> Self {
        Self::of(json!({"type": "custom_tool_call_output", "call_id": call_id.into(), "output": output.into()}))
    }

    fn input_message(role: &str, text: &str) -> Self {
        Self::of(json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}))
    }

    /// For objects made here, which have their type.
    pub(crate) fn of(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(Arc::new(map)),
            _ => Self(Arc::default()),
        }
    }

    /// The item's `type`.
    pub fn item_type(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    /// The item's id, where the service gave it one.
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// `completed`, `incomplete`, `in_progress` and whatever else the service says.
    pub fn status(&self) -> Option<&str> {
        self.text("status")
    }

    /// The whole object.
    pub fn as_json(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The whole object, by value.
    pub fn into_json(self) -> Map<String, Value> {
        Arc::unwrap_or_clone(self.0)
    }

    /// A typed view.
    pub fn kind(&self) -> ItemKind<'_> {
        match self.item_type() {
            "message" => ItemKind::Message(Message {
                role: self.text("role").unwrap_or_default(),
                text: self.content_text(),
                refusal: self.has_part("refusal").then(|| self.joined("content", &[("refusal", "refusal")])),
            }),
            "reasoning" => ItemKind::Reasoning(Reasoning {
                text: self.joined("content", &[("reasoning_text", "text")]),
                summary: self.joined("summary", &[("summary_text", "text")]),
                encrypted_content: self.text("encrypted_content"),
            }),
            "function_call" => ItemKind::FunctionCall(self.call(CallKind::Function, "arguments")),
            "custom_tool_call" => ItemKind::CustomToolCall(self.call(CallKind::Custom, "input")),
            other => ItemKind::Other(other),
        }
    }

    /// The call that this item asks the caller to make, for functions and custom tools.
    pub fn as_call(&self) -> Option<FunctionCall<'_>> {
        match self.kind() {
            ItemKind::FunctionCall(call) | ItemKind::CustomToolCall(call) => Some(call),
            _ => None,
        }
    }

    /// What the Chat wire alone knows of it.
    pub(crate) fn of_chat(&self, key: &str) -> Option<&Value> {
        self.0.get(OF_CHAT)?.get(key)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// The text of a message; its content may be one string (input messages) or parts.
    pub(crate) fn content_text(&self) -> String {
        match self.0.get("content") {
            Some(Value::String(text)) => text.clone(),
            _ => self.joined("content", &[("output_text", "text"), ("input_text", "text")]),
        }
    }

    fn call(&self, kind: CallKind, arguments: &str) -> FunctionCall<'_> {
        FunctionCall {
            kind,
            call_id: self.text("call_id").unwrap_or_default(),
            name: self.text("name").unwrap_or_default(),
            arguments: self.text(arguments).unwrap_or_default(),
        }
    }

    fn parts(&self, list: &str) -> impl Iterator<Item = &Value> {
        self.0.get(list).and_then(Value::as_array).into_iter().flatten()
    }

    fn has_part(&self, part_type: &str) -> bool {
        self.parts("content").any(|part| part.get("type").and_then(Value::as_str) == Some(part_type))
    }

    /// Joins one text field of the parts of the wanted types.
    fn joined(&self, list: &str, wanted: &[(&str, &str)]) -> String {
        self.parts(list)
            .filter_map(|part| {
                let part_type = part.get("type")?.as_str()?;
                let (_, field) = wanted.iter().find(|(name, _)| *name == part_type)?;
                part.get(field)?.as_str()
            })
            .collect()
    }
}

impl TryFrom<Value> for Item {
    type Error = InvalidItem;

    fn try_from(value: Value) -> Result<Self, InvalidItem> {
        Self::from_json(value)
    }
}

impl From<Item> for Value {
    fn from(item: Item) -> Self {
        Self::Object(item.into_json())
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn item(value: Value) -> Item {
        Item::from_json(value).unwrap()
    }

    #[test]
    fn views_read_what_the_wire_sends() {
        let message = item(json!({"type": "message", "role": "assistant", "content": [
            {"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "no"}, {"type": "output_text", "text": "b"}]}));
        let expected = Message { role: "assistant", text: "ab".into(), refusal: Some("no".into()) };
        assert_eq!(message.kind(), ItemKind::Message(expected));
        let call = item(json!({"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "x"}));
        assert_eq!(
            call.as_call(),
            Some(FunctionCall { kind: CallKind::Custom, call_id: "c", name: "n", arguments: "x" })
        );
        let mystery = json!({"type": "mystery"});
        assert_eq!(item(mystery.clone()).kind(), ItemKind::Other("mystery"));
        assert_eq!(Item::try_from(mystery.clone()).map(Value::from), Ok(mystery));
    }

    #[test]
    fn only_objects_with_a_type_are_items() {
        let without = "an object without one";
        for (bad, what) in [
            (json!(null), "null"),
            (json!(true), "a boolean"),
            (json!(1), "a number"),
            (json!("s"), "a string"),
            (json!([]), "a list"),
            (json!({}), without),
            (json!({"type": 1}), without),
        ] {
            // Through `?`, as callers use it.
            let read =
                || -> Result<Item, Box<dyn std::error::Error + Send + Sync>> { Ok(Item::from_json(bad.clone())?) };
            let error = read().unwrap_err().downcast::<InvalidItem>().unwrap();
            assert_eq!(error.to_string(), format!("an item must be an object with a string `type`, not {what}"));
            assert_eq!((error.value(), error.clone().into_value()), (&bad, bad.clone()));
            assert_eq!(serde_json::from_value::<Item>(bad).unwrap_err().to_string(), error.to_string());
        }
    }
}
