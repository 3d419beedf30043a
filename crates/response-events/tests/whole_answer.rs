//! Answers in one document mean what the same answer means as a stream.

mod common;

use common::Lines;
use response_events::{Wire, whole_answer};

#[track_caller]
fn check(wire: Wire, document: &str, expected: &[&str]) {
    let payloads = whole_answer(wire, document.as_bytes()).expect("an answer");
    let mut lines = Lines::of(wire);
    for payload in payloads {
        lines.feed(None, &payload);
    }
    assert_eq!(lines.finish(), expected);
}

#[test]
fn responses_documents_end_by_their_status() {
    let document = |fields: &str| {
        format!(
            "{{\"id\":\"r\",\n\"output\":[{{\"type\":\"message\",\"content\":[{{\"type\":\"output_text\",\"text\":\"a\"}}]}}]{fields}}}"
        )
    };
    let message = "=0 message \"a\"";
    check(Wire::Responses, &document(r#","status":"completed""#), &[message, "== completed r"]);
    check(Wire::Responses, &document(""), &[message, "== completed r"]);
    check(
        Wire::Responses,
        &document(r#","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}"#),
        &[message, "== incomplete max_output_tokens r"],
    );
    check(
        Wire::Responses,
        &document(r#","status":"failed","error":{"code":"invalid_prompt","message":"No."}"#),
        &["== failed invalid_prompt \"No.\" InvalidRequest final"],
    );
    check(
        Wire::Responses,
        &document(r#","status":"cancelled""#),
        &["== failed cancelled \"the response was cancelled\" Cancelled final"],
    );
    for status in ["queued", "in_progress", "brand_new"] {
        check(Wire::Responses, &document(&format!(r#","status":"{status}""#)), &["created r -", "== open"]);
    }
}

#[test]
fn chat_documents_are_one_chunk_and_the_sentinel() {
    check(
        Wire::Chat,
        r#"{"id":"r","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        &[
            "created r -",
            "+0 message",
            "0 text \"a\"",
            "~ finishing",
            "=0 message \"a\" incomplete",
            "== incomplete length r length 1+2",
            "sentinels=1",
        ],
    );
}

#[test]
fn other_documents_are_no_answers() {
    for document in ["", "<html>", "[]", "{}", r#"{"error":{"message":"No."}}"#, r#"{"output":"x","choices":null}"#] {
        for wire in [Wire::Responses, Wire::Chat] {
            assert_eq!(whole_answer(wire, document.as_bytes()), None, "{document}");
        }
    }
    assert_eq!(whole_answer(Wire::Chat, br#"{"choices":[],"error":{"message":"No."}}"#), None);
}
