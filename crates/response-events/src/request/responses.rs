//! The body of `POST /responses`.

use serde_json::{Map, Value, json};

use super::Request;
use crate::Item;

pub(super) fn body(request: &Request) -> Map<String, Value> {
    body_behind(request, 0)
}

/// The body without the first items of the input: so many are covered otherwise.
pub(super) fn body_behind(request: &Request, covered: usize) -> Map<String, Value> {
    let mut body = frame(request);
    body.insert("input".to_owned(), request.input.iter().skip(covered).map(input_item).collect());
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), json!(request.tools));
    }
    body
}

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

/// Items go back as they came; only what the Chat interpreter noted for its own wire stays here.
fn input_item(item: &Item) -> Value {
    let mut item = item.as_json().clone();
    item.remove("reasoning_field");
    Value::Object(item)
}
