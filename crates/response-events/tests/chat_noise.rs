//! What stands on Chat streams besides chunks: keep-alives, errors of every shape, garbage.

mod common;

use common::{Lines, check_chat, interpreter};
use response_events::Wire;

#[test]
fn keep_alives_wrapped_as_data_are_skipped() {
    let mut lines = Lines::of(Wire::Chat);
    for data in ["", " ", "\n", ":", ": keepalive", " : OPENROUTER PROCESSING"] {
        lines.feed(None, data.as_bytes());
        lines.feed(Some("keepalive"), data.as_bytes());
    }
    assert_eq!(lines.finish(), ["== open"]);
}

#[test]
fn errors_of_every_form_fail_at_once() {
    let cases = [
        (
            r#"@error {"error":{"message":"Bad call.","code":"tool_use_failed","type":"invalid_request_error","status_code":400}}"#,
            r#"tool_use_failed "Bad call." InvalidRequest final"#,
        ),
        (r#"{"error":{"message":"Slow.","code":"slow_down"}}"#, r#"slow_down "Slow." Overloaded retryable"#),
        (r#"{"error":"plain words"}"#, r#"- "plain words" Unknown retryable"#),
        (r#"{"error":{"message":"No.","code":400}}"#, r#"400 "No." InvalidRequest final"#),
        (r#"{"error":{"message":"Later.","code":502}}"#, r#"502 "Later." Server retryable"#),
        (r#"{"error":{"message":"No.","code":null,"type":"insufficient_quota"}}"#, r#"- "No." Quota final"#),
        (
            r#"{"id":"g","choices":[],"error":{"message":"Gone.","code":"upstream_error"}}"#,
            r#"upstream_error "Gone." Server retryable"#,
        ),
        (
            r#"{"error":{"code":"server_error"}}"#,
            r#"server_error "the service gave no error message" Server retryable"#,
        ),
        (r#"{"type":"error","code":"server_error","message":"Oh."}"#, r#"server_error "Oh." Server retryable"#),
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Full."}}"#,
            r#"- "Full." Overloaded retryable"#,
        ),
        (
            r#"{"object":"error","message":"Too long.","type":"BadRequestError","code":400}"#,
            r#"400 "Too long." InvalidRequest final"#,
        ),
        // Lists and objects in place of the usual.
        (r#"{"error":[{"message":"Slow.","code":"slow_down"}]}"#, r#"slow_down "Slow." Overloaded retryable"#),
        (
            r#"{"object":"error","message":{"detail":[{"msg":"Forbidden."}]},"type":"invalid_request_error"}"#,
            r#"- "Forbidden." InvalidRequest final"#,
        ),
        (r#"@error {"message":"Broken.","code":500}"#, r#"500 "Broken." Server retryable"#),
        (r#"@error {"choices":[],"message":"Broken.","code":500}"#, r#"500 "Broken." Server retryable"#),
        ("@error upstream connect error", r#"- "upstream connect error" Unknown retryable"#),
        (r#"@error "quoted""#, r#"- "\"quoted\"" Unknown retryable"#),
        ("@error {}", r#"- "the service gave no error message" Unknown retryable"#),
    ];
    for (payload, expected) in cases {
        let created = if payload.contains(r#""id":"g""#) { "created g -" } else { "" };
        check_chat(&format!("{payload}\n[DONE]\n(end)"), &format!("{created}\n== failed {expected}\nsentinels=1"));
    }
}

#[test]
fn an_error_member_without_content_is_none() {
    for nothing in ["null", "{}", "\"\"", "false"] {
        check_chat(
            &format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"a"}},"error":{nothing}}}],"error":{nothing}}}"#),
            "created - -\n+0 message\n0 text \"a\"\n== open",
        );
    }
}

#[test]
fn an_error_beside_choices_keeps_what_they_bring() {
    check_chat(
        r#"
        {"id":"g","choices":[{"index":0,"delta":{"content":"a"}}]}
        {"id":"g","choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"error"}],"usage":{"prompt_tokens":1,"completion_tokens":2},"error":{"code":502,"message":"Lost."}}
        [DONE]
        "#,
        r#"
        created g -
        +0 message
        0 text "a"
        0 text "b"
        =0 message "ab" incomplete
        == failed 502 "Lost." Server retryable
        sentinels=1
        "#,
    );
}

#[test]
fn an_error_after_the_finish_reason_still_fails() {
    check_chat(
        r#"
        delta {"content":"a"}
        finish length
        {"choices":[],"error":{"code":400,"message":"No."}}
        [DONE]
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        ~ finishing
        =0 message "a" incomplete
        == failed 400 "No." InvalidRequest final
        sentinels=1
        "#,
    );
}

#[test]
fn an_error_counts_beside_choices_that_are_none() {
    for error in [
        r#"{"object":"error","message":"Oh.","code":400,"choices":[]}"#,
        r#"{"type":"error","message":"Oh.","code":400,"choices":[]}"#,
        r#"@error {"message":"Oh.","code":400,"usage":{"total_tokens":1}}"#,
    ] {
        check_chat(error, r#"== failed 400 "Oh." InvalidRequest final"#);
    }
}

#[test]
fn pings_are_keep_alives() {
    let mut lines = Lines::of(Wire::Chat);
    for _ in 0..100 {
        lines.feed(Some("ping"), b"{}");
    }
    assert_eq!(lines.finish(), ["== open"]);
}

#[test]
fn an_error_in_a_choice_fails_the_stream() {
    check_chat(
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"error":{"code":"server_error","message":"Oh."}}]}"#,
        r#"
        created - -
        +0 message
        0 text "a"
        =0 message "a" incomplete
        == failed server_error "Oh." Server retryable
        "#,
    );
}

#[test]
fn the_message_of_a_chunk_is_not_that_of_its_error() {
    check_chat(
        r#"{"choices":[],"message":"all well","code":"invalid_prompt","error":{"type":"server_error"}}"#,
        r#"== failed - "the service gave no error message" Server retryable"#,
    );
}

#[test]
fn what_is_no_chunk_is_reported_and_survived() {
    check_chat(
        r#"
        <html><body>502 Bad Gateway</body></html>
        ["a"]
        [{"choices":[]}]
        "text"
        12
        null
        {"choices":
        {"x":1}
        {"id":"x","object":"chat.completion.chunk"}
        {"choices":{"a":1}}
        {"choices":["a"]}
        {"type":"ping"}
        delta {"content":"a"}
        "#,
        r#"
        !! - <html><body>502 Bad Gateway</body></html>
        !! - ["a"]
        !! - [{"choices":[]}]
        !! - "text"
        !! - 12
        !! - null
        !! - {"choices":
        !! - {"x":1}
        !! - {"id":"x","object":"chat.completion.chunk"}
        !! - {"choices":{"a":1}}
        !! - {"choices":["a"]}
        ?? ping {"type":"ping"}
        created - -
        +0 message
        0 text "a"
        == open
        unknown=1 malformed=11
        "#,
    );
}

#[test]
fn half_a_character_is_reported() {
    let mut lines = Lines::of(Wire::Chat);
    lines.feed(None, b"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xe2\x82\"}}]}");
    lines.feed(None, b"\xff");
    let expected = [
        "!! - {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\u{fffd}\"}}]}",
        "!! - \u{fffd}",
        "== open",
        "malformed=2",
    ];
    assert_eq!(lines.finish(), expected);
}

#[test]
fn a_broken_error_fails_all_the_same() {
    let mut lines = Lines::of(Wire::Chat);
    lines.feed(None, b"{\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No \xe2\x82\"}}");
    let seen = lines.finish();
    assert_eq!(seen[1..], ["== failed invalid_prompt \"No \u{fffd}\" InvalidRequest final", "malformed=1"]);
    // One that only calls itself an error, and one that is no object.
    let mut lines = Lines::of(Wire::Chat);
    lines.feed(None, b"{\"object\":\"error\",\"message\":\"No \xe2\x82\",\"code\":400}");
    assert_eq!(lines.finish(), ["== failed 400 \"No \u{fffd}\" InvalidRequest final"]);
    check_chat("@error [400]", "== failed - \"[400]\" Unknown retryable");
    check_chat(
        "@error {\"error\":{\"message\":\"No",
        r#"
        !! - {"error":{"message":"No
        == failed - "the service reported a failure whose details could not be decoded" Unknown retryable
        malformed=1
        "#,
    );
}

#[test]
fn two_chunks_in_one_event_are_both_read() {
    check_chat(
        r#"
        {"choices":[{"index":0,"delta":{"content":"a"}}]}{"choices":[{"index":0,"delta":{"content":"b"}}]}
        {"choices":[{"index":0,"delta":{"content":"c"}}]} {"choices":[{"index":0,"delta":{"content":
        {"choices":[],"error":{"message":"Oh."}}{"choices":[{"index":0,"delta":{"content":"d"}}]}
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        0 text "b"
        0 text "c"
        !! - {"choices":[{"index":0,"delta":{"content":
        =0 message "abc" incomplete
        == failed - "Oh." Unknown retryable
        malformed=1
        "#,
    );
}

#[test]
fn a_stream_of_garbage_alone_is_unreadable() {
    let mut lines = Lines::of(Wire::Chat);
    for _ in 0..31 {
        lines.feed(None, b"<p>");
    }
    lines.feed(None, br#"{"choices":null}"#);
    for _ in 0..32 {
        lines.feed(None, b"<p>");
    }
    let seen = lines.finish();
    // The chunk between them starts the count afresh.
    assert_eq!(seen.iter().filter(|line| *line == "!! - <p>").count(), 63);
    assert_eq!(seen[63..], ["== unreadable", "malformed=63"]);
}

#[test]
fn an_unreadable_stream_hands_out_what_was_open() {
    for garbage in [&b"<p>"[..], b"{\"x\":1}", b"\xff"] {
        let mut lines = Lines::of(Wire::Chat);
        lines.feed(None, br#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#);
        for _ in 0..31 {
            lines.feed(None, garbage);
        }
        // The last one is an error as well: still one outcome.
        lines.feed(Some("error"), b"{\"error");
        let seen = lines.finish();
        assert_eq!(seen[35..], ["=0 message \"a\" incomplete", "== unreadable", "malformed=32"]);
    }
}

/// Each payload is asked whether all choices have ended.
#[test]
fn choices_without_end_are_not_taken_in() {
    let mut stream = interpreter(Wire::Chat);
    for first in [0, 500, 1000] {
        let choices: Vec<_> =
            (first..first + 500).map(|index| format!(r#"{{"index":{index},"delta":{{}}}}"#)).collect();
        stream.handle_event(None, format!(r#"{{"choices":[{}]}}"#, choices.join(",")).as_bytes());
    }
    assert_eq!(stream.ledger().choices.len(), 1024);
    assert!(stream.ledger().malformed > 0);
}
