//! Every recording means the same in any chunking, and the same to the official client.

use serde_json::{Value, json};

use crate::recording::{Recording, recordings, summary};

/// Deliveries of every size up to the whole at once (0).
const CHUNKINGS: [usize; 4] = [0, 1, 7, 1400];

/// A place where the expectation is the official client's mistake.
struct Deviation {
    recording: &'static str,
    key: &'static str,
    /// What is right instead: a JSON pointer into the key's value, and the value there.
    instead: (&'static str, u64),
    /// Why the expectation is wrong.
    _reason: &'static str,
}

const DEVIATIONS: &[Deviation] = &[Deviation {
    recording: "chat/cerebras--vercel--cererebras-structured-output-tools-1",
    key: "choices",
    instead: ("/0/tool_calls/1/arguments_bytes", 2),
    _reason: "Two whole calls with ids of their own share the index 0. The official client goes by the index alone: it \
              loses the second id and appends the second arguments to the first ones, `{}{}`, which is no JSON.",
}];

const RESPONSES_KEYS: &[&str] = &[
    "wire_api",
    "sse_events",
    "done_sentinels",
    "wire_event_types",
    "response_id",
    "model",
    "terminal_event",
    "terminal_events_seen",
    "status",
    "incomplete_reason",
    "error",
    "output_item_types",
    "done_item_types",
    "output_text_sha256",
    "output_text_bytes",
    "delta_text_sha256",
    "delta_text_bytes",
    "refusal_sha256",
    "refusal_bytes",
    "reasoning_summary_delta_sha256",
    "reasoning_summary_delta_bytes",
    "reasoning_text_delta_sha256",
    "reasoning_text_delta_bytes",
    "tool_calls",
    "usage",
    "sequence_numbers_contiguous",
];

const CHAT_KEYS: &[&str] =
    &["wire_api", "sse_events", "done_sentinels", "id", "model", "choices", "usage", "final_status", "error"];

/// Keys that are this project's to define where the official client raised in the middle of the stream: its walk ended
/// there.
const OWN_AFTER_AN_ERROR: &[&str] = &[
    "terminal_event",
    "terminal_events_seen",
    "status",
    "incomplete_reason",
    "usage",
    "final_status",
    "sequence_numbers_contiguous",
];

#[test]
fn every_recording_agrees_with_the_official_client_at_every_chunking() {
    let mut differences = Vec::new();
    let mut deviated = Vec::new();
    let mut agreed = 0;
    for recording in recordings() {
        agreed += 1;
        let whole = summary(recording.wire, &recording.bytes, CHUNKINGS[0]);
        for chunk_bytes in &CHUNKINGS[1..] {
            let cut = summary(recording.wire, &recording.bytes, *chunk_bytes);
            assert_eq!(cut, whole, "{} in chunks of {chunk_bytes} bytes", recording.name);
        }
        for (key, seen, expected) in compare(&recording, &whole) {
            let known = DEVIATIONS.iter().find(|known| known.recording == recording.name && known.key == key);
            if let Some(known) = known.filter(|known| seen.pointer(known.instead.0) == Some(&json!(known.instead.1))) {
                deviated.push(known.recording);
            } else {
                differences.push(format!("{}: {key}: seen {seen}, expected {expected}", recording.name));
            }
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    if agreed > 0 {
        let known: Vec<_> = DEVIATIONS.iter().map(|known| known.recording).collect();
        assert_eq!(deviated, known, "every known deviation is still one");
    }
}

/// The keys that differ, with both values.
fn compare(recording: &Recording, summary: &Value) -> Vec<(&'static str, Value, Value)> {
    let expected = &recording.expected;
    let raised = !expected["sdk_error"].is_null();
    let keys = if summary["wire_api"] == "chat" { CHAT_KEYS } else { RESPONSES_KEYS };
    let mut differences = Vec::new();
    for key in keys {
        if raised && OWN_AFTER_AN_ERROR.contains(key) {
            continue;
        }
        let (seen, expected) = match *key {
            "error" => (error_of(&summary["error"]), error_of(&expected["sdk_error"]["body"])),
            "choices" => (summary["choices"].clone(), without_content_parts(&expected["choices"])),
            key => (summary[key].clone(), expected[key].clone()),
        };
        if seen != expected {
            differences.push((*key, seen, expected));
        }
    }
    let outcome = json!(expected_outcome(expected));
    if summary["outcome"] != outcome {
        differences.push(("outcome", summary["outcome"].clone(), outcome));
    }
    differences
}

/// Code (numbers as text) and message.
fn error_of(error: &Value) -> Value {
    if error.is_null() {
        return Value::Null;
    }
    let code = match &error["code"] {
        Value::Number(number) => json!(number.to_string()),
        code => code.clone(),
    };
    json!({"code": code, "message": error["message"]})
}

/// The flag tells in which form the service sent the text, which a summary does not.
fn without_content_parts(choices: &Value) -> Value {
    let mut choices = choices.clone();
    for choice in choices.as_array_mut().into_iter().flatten() {
        if let Some(choice) = choice.as_object_mut() {
            choice.remove("content_parts");
        }
    }
    choices
}

/// The outcome by the rules of the design, from what the official client saw.
fn expected_outcome(expected: &Value) -> &'static str {
    if !expected["sdk_error"].is_null() {
        return "failed";
    }
    let end = if expected["wire_api"] == "chat" { &expected["final_status"] } else { &expected["status"] };
    match end.as_str() {
        Some("length" | "content_filter" | "incomplete") => "incomplete",
        Some(_) => "completed",
        None if expected["wire_api"] == "chat" && expected["done_sentinels"] != 0 => "completed",
        None => "truncated",
    }
}
