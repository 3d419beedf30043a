//! Every recording means the same in any chunking, and the same to the official client.

use serde_json::{Value, json};

use crate::recording::{Recording, recordings, summary};

/// Deliveries of every size up to the whole at once (0).
const CHUNKINGS: [usize; 4] = [0, 1, 7, 1400];

/// Where the expectation is the official client's mistake: recording, key, and why.
const DEVIATIONS: &[(&str, &str, &str)] = &[];

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
    for recording in recordings() {
        let whole = summary(recording.wire, &recording.bytes, CHUNKINGS[0]);
        for chunk_bytes in &CHUNKINGS[1..] {
            let cut = summary(recording.wire, &recording.bytes, *chunk_bytes);
            assert_eq!(cut, whole, "{} in chunks of {chunk_bytes} bytes", recording.name);
        }
        for (key, seen, expected) in compare(&recording, &whole) {
            if DEVIATIONS.iter().any(|(name, of, _)| *name == recording.name && *of == key) {
                deviated.push((recording.name.clone(), key));
            } else {
                differences.push(format!("{}: {key}: seen {seen}, expected {expected}", recording.name));
            }
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    if std::env::var_os("STREAM_CORPUS").is_some() {
        for (name, key, _) in DEVIATIONS {
            assert!(deviated.contains(&((*name).to_owned(), *key)), "{name} no longer deviates in {key}");
        }
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
