//! The body of `POST /responses`.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use super::Request;
use crate::{Item, item::OF_CHAT};

/// The body with empty lists in place of those that can be large.
pub(super) fn frame(request: &Request) -> Map<String, Value> {
    let mut frame = Map::new();
    let mut put = |key: &str, value: Value| frame.insert(key.to_owned(), value);
    put("model", json!(request.model));
    put("stream", json!(true));
    put("store", json!(false));
    put("include", json!(["reasoning.encrypted_content"]));
    put("input", json!([]));
    if let Some(instructions) = &request.instructions {
        put("instructions", json!(instructions));
    }
    if let Some(effort) = &request.reasoning_effort {
        put("reasoning", json!({"effort": effort}));
    }
    if !request.tools.is_empty() {
        put("tools", json!([]));
    }
    frame
}

/// Writes a frame with its lists, without a copy of them, which can be large: all tools, and the input behind the first
/// items, which are covered otherwise. What the caller has set in their place stays.
pub(super) fn write(request: &Request, frame: &Map<String, Value>, covered: usize) -> Vec<u8> {
    // Nothing in it can fail to be JSON.
    serde_json::to_vec(&Body { request, frame, covered }).unwrap_or_default()
}

struct Body<'r> {
    request: &'r Request,
    frame: &'r Map<String, Value>,
    covered: usize,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, frame, covered } = *self;
        let mut map = serializer.serialize_map(Some(frame.len()))?;
        for (key, value) in frame {
            match key.as_str() {
                "input" if !request.sets("input") => {
                    let input = request.input.get(covered..).unwrap_or_default();
                    map.serialize_entry(key, &Input(input))?;
                }
                "tools" if !request.sets("tools") => map.serialize_entry(key, &request.tools)?,
                _ => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

struct Input<'r>(&'r [Item]);

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Reasoning of the Chat wire has no id and nothing that this service sealed: it is refused.
        let is_foreign = |item: &&Item| item.item_type() == "reasoning" && item.as_json().contains_key(OF_CHAT);
        serializer.collect_seq(self.0.iter().filter(|item| !is_foreign(item)).map(InputItem))
    }
}

/// Items go back as they came, but for what the Chat interpreter notes for its own wire: this one refuses members that
/// it does not know.
struct InputItem<'r>(&'r Item);

impl Serialize for InputItem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.as_json().iter().filter(|(key, _)| *key != OF_CHAT))
    }
}
