//! The body of `POST /chat/completions`: items become messages.

use serde_json::{Map, Value, json};

use super::{ChatHistory, EncodeError, Request};
use crate::{CallKind, FunctionCall, Item, ItemKind, Reasoning};

pub(super) fn body(request: &Request) -> Result<Map<String, Value>, EncodeError> {
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| body.insert(key.to_owned(), value);
    put("model", json!(request.model));
    put("stream", json!(true));
    put("stream_options", json!({"include_usage": true}));
    put("messages", Value::Array(messages(request)?));
    if let Some(effort) = &request.reasoning_effort {
        put("reasoning_effort", json!(effort));
    }
    if !request.tools.is_empty() {
        put("tools", json!(request.tools));
    }
    Ok(body)
}

fn messages(request: &Request) -> Result<Vec<Value>, EncodeError> {
    let mut messages = Messages { history: request.chat_history, ..Messages::default() };
    if let Some(instructions) = &request.instructions {
        messages.push(json!({"role": "system", "content": instructions}));
    }
    for item in &request.input {
        messages.add(item)?;
    }
    messages.end_assistant();
    Ok(messages.done)
}

/// The messages so far, and the assistant's message that is being put together: its reasoning, text and calls are
/// separate items, but one message here.
#[derive(Default)]
struct Messages {
    done: Vec<Value>,
    assistant: Map<String, Value>,
    /// Parts of its content that stand before its text.
    thinking: Vec<Value>,
    history: ChatHistory,
}

impl Messages {
    fn push(&mut self, message: Value) {
        self.end_assistant();
        self.done.push(message);
    }

    fn end_assistant(&mut self) {
        let mut message = std::mem::take(&mut self.assistant);
        let mut parts = std::mem::take(&mut self.thinking);
        // Reasoning alone makes no message.
        if message.contains_key("content") || message.contains_key("tool_calls") || message.contains_key("refusal") {
            message.insert("role".to_owned(), Value::from("assistant"));
            let content = message.entry("content").or_insert(Value::Null);
            if !parts.is_empty() {
                if let Some(text) = content.as_str().filter(|text| !text.is_empty()) {
                    parts.push(json!({"type": "text", "text": text}));
                }
                *content = Value::Array(parts);
            }
            self.done.push(Value::Object(message));
        }
    }

    fn has_text(&self) -> bool {
        self.assistant.contains_key("content") || self.assistant.contains_key("refusal")
    }

    /// Whether calls are waiting for their outputs, which must follow their message: until then everything of the
    /// assistant goes into that one.
    fn has_calls(&self) -> bool {
        self.assistant.contains_key("tool_calls")
    }

    /// Sets a text of the assistant's message, on a line of its own where there is one already.
    fn append(&mut self, field: &str, text: &str) {
        match self.assistant.get_mut(field) {
            Some(Value::String(known)) if !known.is_empty() => {
                known.push('\n');
                known.push_str(text);
            }
            _ => _ = self.assistant.insert(field.to_owned(), Value::from(text)),
        }
    }

    fn add(&mut self, item: &Item) -> Result<(), EncodeError> {
        match item.kind() {
            ItemKind::Message(message) if message.role == "assistant" => {
                // A second text begins a second message.
                if self.has_text() && !self.has_calls() {
                    self.end_assistant();
                }
                if !message.text.is_empty() || message.refusal.is_none() {
                    self.append("content", &message.text);
                }
                if let Some(refusal) = message.refusal {
                    self.assistant.insert("refusal".to_owned(), Value::from(refusal));
                }
                if let Some(extra) = self.extra_content(item) {
                    self.assistant.insert("extra_content".to_owned(), extra);
                }
            }
            ItemKind::Message(message) => {
                let role = message.role;
                self.push(json!({"role": role, "content": input_content(item)?}));
            }
            ItemKind::Reasoning(reasoning) => self.add_reasoning(item, &reasoning),
            ItemKind::FunctionCall(call) | ItemKind::CustomToolCall(call) => self.add_call(item, call),
            ItemKind::Other("function_call_output" | "custom_tool_call_output") => {
                let call_id = item.text("call_id").unwrap_or_default();
                let output = item.as_json().get("output").map(output_text).unwrap_or_default();
                self.push(json!({"role": "tool", "tool_call_id": call_id, "content": output}));
            }
            ItemKind::Other(item_type) => return Err(EncodeError::Item(item_type.to_owned())),
        }
        Ok(())
    }

    fn add_call(&mut self, item: &Item, call: FunctionCall<'_>) {
        let FunctionCall { kind, call_id, name, arguments } = call;
        let mut call = match kind {
            CallKind::Function => {
                json!({"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}})
            }
            CallKind::Custom => json!({"id": call_id, "type": "custom", "custom": {"name": name, "input": arguments}}),
        };
        if let Some(extra) = self.extra_content(item) {
            call["extra_content"] = extra;
        }
        match self.assistant.get_mut("tool_calls").and_then(Value::as_array_mut) {
            Some(calls) => calls.push(call),
            None => _ = self.assistant.insert("tool_calls".to_owned(), json!([call])),
        }
    }

    /// Where it came from the service, it wants it back.
    fn extra_content(&self, item: &Item) -> Option<Value> {
        item.of_chat("extra_content").filter(|_| self.history == ChatHistory::AsReceived).cloned()
    }

    /// Reasoning goes back in the field in which it came, with the message that follows it. That of the other wire,
    /// which came in none, stays there.
    fn add_reasoning(&mut self, item: &Item, reasoning: &Reasoning<'_>) {
        if self.history == ChatHistory::Standard {
            return;
        }
        let Some(field) = item.of_chat("reasoning_field").and_then(Value::as_str) else { return };
        // What is opaque has no end of its own, so nothing may follow it.
        let text = reasoning.text.clone() + reasoning.encrypted_content.unwrap_or_default();
        if self.has_text() && !self.has_calls() {
            // Details may come late; they still belong to this message.
            if text.is_empty() {
                self.add_details(item);
                return;
            }
            self.end_assistant();
        }
        match field {
            _ if text.is_empty() => {}
            "reasoning" | "reasoning_content" => self.append(field, &text),
            "content" => {
                let thinking = json!([{"type": "text", "text": text}]);
                self.thinking.push(json!({"type": "thinking", "thinking": thinking, "closed": true}));
            }
            _ => {}
        }
        self.add_details(item);
    }

    fn add_details(&mut self, item: &Item) {
        let Some(Value::Array(details)) = item.of_chat("reasoning_details") else { return };
        let known = self.assistant.entry("reasoning_details").or_insert_with(|| json!([]));
        if let Value::Array(known) = known {
            known.extend(details.iter().cloned());
        }
    }
}

/// What a tool answered: text as it is or in parts; everything else as JSON.
fn output_text(output: &Value) -> String {
    let part_text = |part: &Value| match part.get("type")?.as_str()? {
        "input_text" => part.get("text")?.as_str().map(str::to_owned),
        _ => None,
    };
    match output {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().map(part_text).collect::<Option<String>>().unwrap_or_else(|| output.to_string())
        }
        other => other.to_string(),
    }
}

/// The content of a message of the user or the developer: text alone as a string, otherwise a list of parts.
fn input_content(item: &Item) -> Result<Value, EncodeError> {
    let Some(Value::Array(parts)) = item.as_json().get("content") else {
        return Ok(Value::from(item.content_text()));
    };
    let part_type = |part: &Value| part.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if parts.iter().all(|part| part_type(part) == "input_text") {
        return Ok(Value::from(item.content_text()));
    }
    parts
        .iter()
        .map(|part| match part_type(part).as_str() {
            "input_text" | "output_text" => Ok(json!({"type": "text", "text": part["text"]})),
            // One by a file's id has no form here.
            "input_image" if part["image_url"].is_string() => {
                let mut image = Map::from_iter([("url".to_owned(), part["image_url"].clone())]);
                if let Some(detail) = part.get("detail").filter(|detail| !detail.is_null()) {
                    image.insert("detail".to_owned(), detail.clone());
                }
                Ok(json!({"type": "image_url", "image_url": image}))
            }
            // Parts that are in Chat's own form already.
            "text" | "image_url" | "input_audio" | "file" => Ok(part.clone()),
            other => Err(EncodeError::Item(format!("message/{other}"))),
        })
        .collect()
}
