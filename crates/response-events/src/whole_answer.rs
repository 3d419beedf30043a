//! Answers that came as one document instead of a stream.

use serde_json::{Value, json};

use crate::{Wire, api_error::without_bom};

/// Turns a whole (not streamed) answer into the payloads of a stream that means the same; `None` if the document is
/// no answer of the wire's API.
///
/// A Responses document becomes its terminal event, a Chat document one chunk and the sentinel. A Responses document
/// whose `status` is no end (`queued` and `in_progress` of a background response, or a word that is not known)
/// becomes `response.created`, which names the response and ends nothing.
pub fn whole_answer(wire: Wire, document: &[u8]) -> Option<Vec<Vec<u8>>> {
    let document = without_bom(document);
    let answer: Value = serde_json::from_slice(document).ok()?;
    let is_list = |key: &str| answer.get(key).is_some_and(Value::is_array);
    match wire {
        Wire::Responses if is_list("output") => {
            let event_type = match answer.get("status").and_then(Value::as_str) {
                Some("incomplete") => "response.incomplete",
                Some("failed") => "response.failed",
                Some("cancelled") => "response.cancelled",
                Some("completed") | None => "response.completed",
                Some(_) => "response.created",
            };
            Some(vec![json!({"type": event_type, "response": answer}).to_string().into_bytes()])
        }
        Wire::Chat if is_list("choices") && answer.get("error").is_none_or(Value::is_null) => {
            Some(vec![document.to_vec(), b"[DONE]".to_vec()])
        }
        _ => None,
    }
}
