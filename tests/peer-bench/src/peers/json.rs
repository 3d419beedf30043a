//! From the JSON of an event to something typed.

use std::borrow::Cow;
use std::hint::black_box;

use response_events::{Interpreter, InterpreterOptions, TurnEvent, Wire};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What a client keeps that has one untyped struct for all events.
#[derive(Debug, Deserialize)]
pub struct LooseEvent {
    /// The `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Only in some events.
    pub headers: Option<Value>,
    /// Only in some events.
    pub response: Option<Value>,
    /// Only in some events.
    pub item: Option<Value>,
    /// Only in some events.
    pub item_id: Option<String>,
    /// Only in some events.
    pub call_id: Option<String>,
    /// Only in some events.
    pub delta: Option<String>,
    /// Only in some events.
    pub summary_index: Option<i64>,
    /// Only in some events.
    pub content_index: Option<i64>,
}

/// What the first of two passes looks for in a WebSocket message: an error with its envelope.
#[derive(Debug, Deserialize)]
pub struct LooseError {
    /// The `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status that the error stands for.
    #[serde(alias = "status_code")]
    pub status: Option<u16>,
    /// The error.
    pub error: Option<Value>,
    /// The headers that the answer would have had.
    pub headers: Option<Map<String, Value>>,
}

/// What a client keeps of a chunk of Chat Completions.
#[derive(Debug, Deserialize)]
pub struct LooseChunk {
    /// The id of the answer.
    pub id: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The choices.
    #[serde(default)]
    pub choices: Vec<LooseChoice>,
    /// Only in some chunks.
    pub usage: Option<Value>,
    /// Only in some chunks.
    pub error: Option<Value>,
}

/// What a client keeps of a choice.
#[derive(Debug, Deserialize)]
pub struct LooseChoice {
    /// What is new.
    pub delta: Option<LooseDelta>,
    /// Only at the end.
    pub finish_reason: Option<String>,
}

/// What a client keeps of a delta.
#[derive(Debug, Deserialize)]
pub struct LooseDelta {
    /// Text, or parts.
    pub content: Option<Value>,
    /// Text.
    pub reasoning_content: Option<String>,
    /// Text.
    pub reasoning: Option<String>,
    /// Pieces of calls.
    pub tool_calls: Option<Vec<Value>>,
}

/// The least that a typed decode does: the fields of a delta, borrowed.
#[derive(Debug, Deserialize)]
pub struct BareDelta<'a> {
    /// The `type`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The number of the event.
    pub sequence_number: u64,
    /// The id of the item.
    pub item_id: &'a str,
    /// The place of the item.
    pub output_index: u32,
    /// The place of the part.
    pub content_index: u32,
    /// The text; escapes make it owned.
    #[serde(borrow)]
    pub delta: Cow<'a, str>,
}

/// Ours: the interpreter, and the events that it gives. Answers how many deltas came.
#[derive(Debug)]
pub struct Ours(Interpreter);

impl Ours {
    /// For one stream of a wire.
    pub fn new(wire: Wire) -> Self {
        Self(Interpreter::new(wire, InterpreterOptions::default()))
    }

    /// Reads one payload.
    pub fn deltas_of(&mut self, name: Option<&str>, payload: &[u8]) -> u64 {
        self.0.handle_event(name, payload);
        let mut deltas = 0;
        while let Some(event) = self.0.poll_event() {
            deltas += u64::from(matches!(event, TurnEvent::TextDelta(_)));
            black_box(event);
        }
        deltas
    }
}

/// A borrowed struct with the fields of a delta, and nothing else.
pub fn bare(payload: &[u8]) -> u64 {
    let delta = serde_json::from_slice::<BareDelta<'_>>(payload);
    u64::from(black_box(delta).is_ok())
}

/// A struct with untyped parts.
pub fn loose(payload: &str) -> u64 {
    let event = serde_json::from_str::<LooseEvent>(payload);
    u64::from(black_box(event).is_ok_and(|event| event.delta.is_some()))
}

/// First a `Value`, then the struct.
pub fn value_then_loose(payload: &str) -> u64 {
    let event = serde_json::from_str::<Value>(payload).and_then(serde_json::from_value::<LooseEvent>);
    u64::from(black_box(event).is_ok_and(|event| event.delta.is_some()))
}

/// First a `Value`, then the struct of a chunk. Answers whether it is one.
pub fn value_then_loose_chunk(payload: &str) -> u64 {
    let chunk = serde_json::from_str::<Value>(payload).and_then(serde_json::from_value::<LooseChunk>);
    u64::from(black_box(chunk).is_ok())
}

/// Two passes over the text: a struct for an error, then the struct for an event.
pub fn two_loose(payload: &str) -> u64 {
    black_box(serde_json::from_str::<LooseError>(payload)).ok();
    loose(payload)
}

/// Two passes over the text, each to a `Value`.
pub fn two_values(payload: &str) -> u64 {
    let is_error = |value: &Value| value.get("type").and_then(Value::as_str) == Some("error");
    let first = black_box(serde_json::from_str::<Value>(payload));
    if first.is_ok_and(|value| is_error(&value)) {
        return 0;
    }
    let second = black_box(serde_json::from_str::<Value>(payload));
    u64::from(second.is_ok_and(|value| value.get("delta").is_some_and(Value::is_string)))
}
