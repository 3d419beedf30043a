//! What chunks have beside the members that a type knows: it is handed out, with the chunk as it came.

mod common;

use std::fmt::Write;

use common::{check_chat, interpreter};
use response_events::{TurnEvent, Wire};

/// Feeds chunks, one a line; checks the `Other` events: the number of the chunk, the names, and that it is verbatim.
#[track_caller]
fn check(chunks: &str, expected: &str) {
    let mut stream = interpreter(Wire::Chat);
    let mut seen = String::new();
    let lines = chunks.lines().map(str::trim).filter(|line| !line.is_empty());
    for (at, line) in lines.enumerate() {
        let (name, data) = common::payload(line);
        stream.handle_event(name, data.as_bytes());
        while let Some(event) = stream.poll_event() {
            if let TurnEvent::Other(other) = event {
                assert_eq!(other.raw.as_str(), data);
                let _ = write!(seen, "{at} {}; ", other.event.strip_prefix("members ").unwrap());
            }
        }
    }
    assert_eq!(seen.trim_end_matches("; "), expected, "{chunks}");
    assert_eq!((stream.ledger().unknown, stream.ledger().malformed, stream.ledger().dropped()), (0, 0, 0));
}

#[test]
fn a_chunk_with_a_member_that_no_type_knows_is_handed_out_behind_its_own_events() {
    check_chat(
        r#"
        {"choices":[{"index":0,"delta":{"content":"a","annotations":[{"url":"u"}]}}],"citations":["u"]}
        {"choices":[{"index":0,"delta":{"content":"b"}}]}
        {"choices":[{"index":0,"delta":{"executed_tools":[{"index":0}]}}]}
        {"choices":[{"index":0}],"citations":["v"],"error":{"message":"Oh."}}
        "#,
        r#"
        created - -
        +0 message
        0 text "a"
        other members annotations, citations {"choices":[{"index":0,"delta":{"content":"a","annotations":[{"url":"u"}]}}],"citations":["u"]}
        0 text "b"
        other members executed_tools {"choices":[{"index":0,"delta":{"executed_tools":[{"index":0}]}}]}
        other members citations {"choices":[{"index":0}],"citations":["v"],"error":{"message":"Oh."}}
        =0 message "ab" incomplete
        == failed - "Oh." Unknown retryable
        "#,
    );
}

#[test]
fn members_of_every_level_count() {
    for (chunk, name) in [
        (r#"{"choices":[],"search_results":[{"url":"u"}]}"#, "search_results"),
        (r#"{"choices":null,"search_results":[{"url":"u"}]}"#, "search_results"),
        (r#"{"choices":[],"x_groq":{"id":"r","error":"over capacity"}}"#, "error"),
        (r#"{"choices":[{"index":0,"delta":{},"logprobs":{"content":[{"token":"a"}],"refusal":null}}]}"#, "logprobs"),
        (r#"{"choices":[{"index":0,"delta":null,"content_filter_offsets":{"start":0}}]}"#, "content_filter_offsets"),
        (r#"delta {"audio":{"id":"a","data":"AAAA"}}"#, "audio"),
        (r#"delta {"extra_content":{"google":{"thought":true}}}"#, "extra_content"),
        (r#"delta {"flag":false}"#, "flag"),
        (r#"{"choices":[{"index":0,"message":{"content":"a","images":[{"url":"u"}]}}]}"#, "images"),
        (r#"delta {"tool_calls":[{"index":0,"id":"c","annotation":{"google":{"flag":"s"}}}]}"#, "annotation"),
        (
            r#"delta {"tool_calls":[{"index":0,"id":"c","function":{"name":"f","parsed_arguments":{"a":1}}}]}"#,
            "parsed_arguments",
        ),
        (r#"delta {"tool_calls":[{"index":0,"custom":{"name":"f","format":"x"}}]}"#, "format"),
        (r#"delta {"function_call":{"name":"f","x":1}}"#, "x"),
        // However it is read.
        (r#"{"choices":[],"x_groq":{},"a\u0062":1}"#, "ab"),
        (r#"{"choices":[{"index":0,"delta":{"audio":1,"function_call":null}}]}"#, "audio"),
    ] {
        check(chunk, &format!("0 {name}"));
    }
}

#[test]
fn what_says_nothing_of_the_answer_is_passed_over() {
    for nothing in ["null", "\"\"", "[]", "{}", "[null,\"\"]", r#"{"content":null,"refusal":[{}]}"#] {
        check(
            &format!(
                r#"
                {{"choices":[],"citations":{nothing}}}
                {{"choices":[{{"index":0,"delta":{{"annotations":{nothing}}},"logprobs":{nothing}}}]}}
                {{"choices":[{{"index":0,"delta":{{"audio":{nothing},"function_call":null}}}}]}}
                "#
            ),
            "",
        );
    }
    check(
        r#"
        {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","service_tier":"default","system_fingerprint":"fp","obfuscation":"xyz","p":"abc","choices":[]}
        {"choices":[{"index":0,"delta":{"role":"assistant","content":"a","token_id":7,"channel":"analysis"},"text":"a","finish_reason":"stop"}]}
        {"choices":[{"index":0,"message":{"content":"a","extra":1},"delta":{"content":"a"}}]}
        {"choices":[{"index":0,"delta":{"content":"a"},"message":{"content":"a","extra":1}}],"x_groq":{}}
        {"choices":[],"usage":{"prompt_tokens":1,"cost":0.5},"x_groq":{"id":"r","usage":{"queue_time":1}}}
        "#,
        "",
    );
    // It belongs to the error.
    check(r#"{"choices":[],"error":{"message":"Oh."},"status":500,"request_id":"q"}"#, "");
    check(r#"@error {"choices":[],"message":"Oh.","status":500}"#, "");
}

#[test]
fn what_is_said_of_the_whole_in_every_chunk_is_told_when_it_changes() {
    check(
        r#"
        {"provider":"p","citations":["u"],"choices":[{"index":0,"delta":{"content":"a"}}]}
        {"provider":"p","citations":["u"],"choices":[{"index":0,"delta":{"content":"b"}}]}
        {"provider":"p","citations":["u","v"],"choices":[{"index":0,"delta":{"content":"c"}}]}
        {"provider":"p","choices":[{"index":0,"delta":{"content":"d"}}]}
        {"provider":"p","citations":["u","v"],"choices":[],"x_groq":{}}
        "#,
        "0 citations, provider; 2 citations",
    );
    // Of each choice by itself, wherever its index stands.
    check(
        r#"
        {"choices":[{"content_filter_results":{"hate":"safe"},"index":0,"delta":{"content":"a"}}]}
        {"choices":[{"index":1,"content_filter_results":{"hate":"safe"},"delta":{"content":"a"}}]}
        {"choices":[{"content_filter_results":{"hate":"safe"},"index":1,"delta":{"content":"b"}}],"x_groq":{}}
        {"choices":[{"index":0,"content_filter_results":{"hate":"safe"},"delta":{"content":"b"}}]}
        {"choices":[{"index":0,"content_filter_results":{"hate":"low"},"delta":{"content":"c"}}]}
        "#,
        "0 content_filter_results; 1 content_filter_results; 4 content_filter_results",
    );
}

#[test]
fn pieces_are_told_though_they_are_alike() {
    let piece = r#"{"choices":[{"index":0,"delta":{"audio":{"data":"AAAA"}},"logprobs":{"content":[{"token":"a"}]},"token_ids":[7]}]}"#;
    let names = "audio, logprobs, token_ids";
    check(&format!("{piece}\n{piece}"), &format!("0 {names}; 1 {names}"));
}

/// Names that a service makes up are told, and not kept without end.
#[test]
fn names_without_end_are_told_each_time() {
    let mut stream = interpreter(Wire::Chat);
    let mut told = |name: &str| {
        stream.handle_event(None, format!(r#"{{"choices":[],"{name}":1}}"#).as_bytes());
        std::iter::from_fn(|| stream.poll_event()).count()
    };
    for at in 0..64 {
        assert_eq!(told(&format!("x{at}")), 1);
    }
    assert_eq!([told("x0"), told("x63"), told("y"), told("y")], [0, 0, 1, 1]);
}

/// A reader that follows lists into lists runs out of stack, and takes the whole process along.
#[test]
fn lists_are_nested_as_deeply_as_a_service_likes() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    check(&format!(r#"{{"choices":[],"x_groq":{deep}}}"#), "");
    check(&format!(r#"{{"choices":[],"x_groq":{{"id":{deep}}}}}"#), "");
    check(&format!(r#"{{"choices":[],"x_groq":{{"error":{deep}}}}}"#), "0 error");
    check(&format!(r#"{{"choices":[{{"index":0,"delta":{{"role":{deep},"audio":{deep}}}}}]}}"#), "0 audio");
}

#[test]
fn sixteen_names_of_64_characters_are_listed_and_the_rest_is_in_the_chunk() {
    let chunk = |names: &[String]| {
        let members: Vec<String> = names.iter().map(|name| format!(r#""{name}":1"#)).collect();
        format!(r#"{{"choices":[],{}}}"#, members.join(","))
    };
    let names: Vec<String> = (10..27).map(|number| format!("m{number}")).collect();
    check(&chunk(&names[..16]), &format!("0 {}", names[..16].join(", ")));
    check(&chunk(&names), &format!("0 {}, …", names[..16].join(", ")));
    check(&chunk(&["ü".repeat(64)]), &format!("0 {}", "ü".repeat(64)));
    check(&chunk(&["ü".repeat(65)]), &format!("0 {}…", "ü".repeat(64)));
}
