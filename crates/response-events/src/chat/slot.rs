//! One item of a Chat answer while it grows.

use serde_json::{Map, Value, json};

use super::arguments::GrowingArguments;
use crate::{CallKind, Item, collected::json_len, item::OF_CHAT};

/// An item, from its opening until it is handed out.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) choice: u32,
    pub(super) body: Body,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Closed(ItemStatus),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemStatus {
    Completed,
    Incomplete,
}

#[derive(Debug)]
pub(super) enum Body {
    Message(MessageBody),
    Reasoning(ReasoningBody),
    Call(CallBody),
}

#[derive(Debug, Default)]
pub(super) struct MessageBody {
    pub(super) parts: Vec<MessagePart>,
    /// What goes back with the message, as it came.
    pub(super) extra: Option<Value>,
}

#[derive(Debug)]
pub(super) struct MessagePart {
    pub(super) kind: PartKind,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    Text,
    Refusal,
}

#[derive(Debug, Default)]
pub(super) struct ReasoningBody {
    pub(super) text: String,
    /// What is opaque, and goes back behind the text.
    pub(super) encrypted: String,
    /// `reasoning_details`, which some services want back unchanged.
    pub(super) details: Vec<Value>,
    pub(super) field: ReasoningField,
}

/// The field in which reasoning came: a follow-up has to send it back in the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ReasoningField {
    #[default]
    ReasoningContent,
    Reasoning,
    ContentPart,
}

#[derive(Debug, Default)]
pub(super) struct CallBody {
    pub(super) index: Option<u32>,
    pub(super) id: Option<String>,
    /// A call that does not say it is one of a function.
    pub(super) kind: Option<CallKind>,
    pub(super) name: Option<String>,
    /// The input, where the tool is a custom one.
    pub(super) arguments: GrowingArguments,
    /// What goes back with the call, as it came.
    pub(super) extra: Option<Value>,
}

impl ItemStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }
}

impl Slot {
    /// The item as it opens: its kind and what is known so far.
    pub(super) fn opening_item(&self) -> Item {
        let mut item = match &self.body {
            Body::Message(_) => json!({"type": "message", "role": "assistant", "content": []}),
            Body::Reasoning(_) => json!({"type": "reasoning", "content": [], "summary": []}),
            Body::Call(call) => {
                let (item_type, arguments) = call.names();
                let mut object = Map::from_iter([("type".to_owned(), Value::from(item_type))]);
                for (key, value) in [("call_id", &call.id), ("name", &call.name)] {
                    if let Some(value) = value {
                        object.insert(key.to_owned(), Value::from(value.as_str()));
                    }
                }
                object.insert(arguments.to_owned(), Value::from(""));
                Value::Object(object)
            }
        };
        item["status"] = Value::from("in_progress");
        Item::of(item)
    }

    /// The item as it is handed out. `fallback_id` names a call that the service did not name.
    pub(super) fn finished_item(&mut self, status: ItemStatus, fallback_id: impl FnOnce() -> String) -> Item {
        let mut item = match &mut self.body {
            Body::Message(body) => {
                let MessageBody { parts, extra } = std::mem::take(body);
                let content: Vec<Value> = parts.into_iter().map(MessagePart::into_json).collect();
                let mut item = json!({"type": "message", "role": "assistant", "content": content});
                note_extra(&mut item, extra);
                item
            }
            Body::Reasoning(body) => std::mem::take(body).into_json(),
            Body::Call(call) => {
                let call = std::mem::take(call);
                let (item_type, arguments) = call.names();
                let mut item = json!({
                    "type": item_type,
                    "call_id": call.id.unwrap_or_else(fallback_id),
                    "name": call.name.unwrap_or_default(),
                    arguments: call.arguments.into_string(),
                });
                note_extra(&mut item, call.extra);
                item
            }
        };
        item["status"] = Value::from(status.as_str());
        Item::of(item)
    }

    /// Whether it is a call whose name never came, so that nobody can make it.
    pub(super) fn is_nameless_call(&self) -> bool {
        matches!(&self.body, Body::Call(call) if call.name.is_none())
    }

    /// The index that the service gave a call.
    pub(super) fn call_index(&self) -> Option<u32> {
        match &self.body {
            Body::Call(call) => call.index,
            _ => None,
        }
    }
}

fn note_extra(item: &mut Value, extra: Option<Value>) {
    if let Some(extra) = extra {
        item[OF_CHAT] = json!({"extra_content": extra});
    }
}

impl CallBody {
    /// The type of its item, and the field with its arguments.
    fn names(&self) -> (&'static str, &'static str) {
        match self.kind {
            None | Some(CallKind::Function) => ("function_call", "arguments"),
            Some(CallKind::Custom) => ("custom_tool_call", "input"),
        }
    }

    /// Whether the arguments are one JSON object. The input of a custom tool is text, however it looks.
    pub(super) fn is_whole(&self) -> bool {
        self.kind != Some(CallKind::Custom) && self.arguments.is_object()
    }
}

impl MessagePart {
    fn into_json(self) -> Value {
        match self.kind {
            PartKind::Text => json!({"type": "output_text", "text": self.text}),
            PartKind::Refusal => json!({"type": "refusal", "refusal": self.text}),
        }
    }
}

impl ReasoningField {
    fn as_str(self) -> &'static str {
        match self {
            Self::ReasoningContent => "reasoning_content",
            Self::Reasoning => "reasoning",
            Self::ContentPart => "content",
        }
    }
}

impl ReasoningBody {
    fn into_json(self) -> Value {
        let mut item = json!({"type": "reasoning", "content": [], "summary": []});
        if !self.text.is_empty() {
            item["content"] = json!([{"type": "reasoning_text", "text": self.text}]);
        }
        if !self.encrypted.is_empty() {
            item["encrypted_content"] = Value::from(self.encrypted);
        }
        let mut of_chat = json!({"reasoning_field": self.field.as_str()});
        if !self.details.is_empty() {
            of_chat["reasoning_details"] = Value::Array(self.details);
        }
        item[OF_CHAT] = of_chat;
        item
    }

    /// Takes in a list of details; pieces of one entry (same type and index, and no other id) are joined. Gives the
    /// bytes of what is kept of them.
    pub(super) fn add_details(&mut self, details: Vec<Value>) -> usize {
        let mut kept = 0;
        for detail in details {
            kept += match self.details.last_mut() {
                Some(Value::Object(last)) if continues(last, &detail) => join_detail(last, detail),
                _ => {
                    let bytes = json_len(&detail);
                    self.details.push(detail);
                    bytes
                }
            };
        }
        kept
    }
}

fn continues(last: &Map<String, Value>, next: &Value) -> bool {
    let index = last.get("index");
    let own_id = |id: &&Value| !id.is_null();
    let (id, next_id) = (last.get("id").filter(own_id), next.get("id").filter(own_id));
    index.is_some()
        && index == next.get("index")
        && last.get("type") == next.get("type")
        && (id.is_none() || next_id.is_none() || id == next_id)
}

/// Text grows, everything else keeps its first value that is not null. Gives the bytes of what is new.
fn join_detail(last: &mut Map<String, Value>, next: Value) -> usize {
    let Value::Object(next) = next else { return 0 };
    let mut kept = 0;
    for (key, value) in next {
        let grows = matches!(key.as_str(), "text" | "summary" | "data");
        match (last.get_mut(&key), value) {
            (Some(Value::String(text)), Value::String(more)) if grows => {
                kept += more.len();
                text.push_str(&more);
            }
            (None | Some(Value::Null), value) => {
                kept += key.len() + json_len(&value);
                last.insert(key, value);
            }
            _ => {}
        }
    }
    kept
}
