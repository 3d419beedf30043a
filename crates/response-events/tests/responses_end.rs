//! How a Responses stream ends: exactly one outcome, at once, with the service's own words.

mod common;

use common::{Lines, check, check_responses, interpreter};
use response_events::{FailureKind, InterpreterOptions, Outcome, RawJson, TransportKind, TurnEvent, Wire};

#[test]
fn a_failure_is_settled_at_once_with_code_and_message_verbatim() {
    let message = "Invalid prompt: \"…\"\n\tflagged  as 100% — café ☕";
    let event = format!(
        r#"{{"type":"response.failed","sequence_number":3,"response":{{"id":"r","status":"failed","error":{{"code":"invalid_prompt","message":{message:?}}},"usage":null}}}}"#
    )
    .replace("\\u{2026}", "…");
    let mut stream = interpreter(Wire::Responses);
    stream.handle_event(Some("response.failed"), event.as_bytes());
    let failure = stream.outcome().and_then(Outcome::failure).expect("a failure at once");
    assert_eq!(failure.kind, FailureKind::Api);
    assert_eq!(failure.code.as_deref(), Some("invalid_prompt"));
    assert_eq!(failure.message, message);
    assert!(!failure.retryable);
    assert_eq!(failure.to_string(), format!("{message} (invalid_prompt)"));
    assert_eq!(stream.ledger().terminal_event.as_deref(), Some("response.failed"));
    assert_eq!(stream.ledger().status.as_deref(), Some("failed"));
    assert_eq!(stream.ledger().response_id.as_deref(), Some("r"));
}

#[test]
fn failures_of_every_shape() {
    let no_reason = "the service gave no reason for the failure";
    let cases: &[(&str, String)] = &[
        // The shapes of `error`.
        (
            r#"{"type":"error","code":"rate_limit_exceeded","message":"Slow down.","param":null,"sequence_number":1}"#,
            r#"rate_limit_exceeded "Slow down." RateLimit retryable"#.into(),
        ),
        (
            r#"{"type":"error","sequence_number":1,"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"Too long.","param":"input"}}"#,
            r#"context_length_exceeded "Too long." ContextLength final"#.into(),
        ),
        (
            r#"{"type":"error","status":400,"error":{"type":"invalid_request_error","message":"No such thing.","code":null},"headers":{"x":"y"}}"#,
            r#"- "No such thing." InvalidRequest final"#.into(),
        ),
        (
            r#"{"type":"error","status":429,"error":{"type":"usage_limit_reached","message":"Used up.","resets_at":1}}"#,
            r#"- "Used up." UsageLimit final"#.into(),
        ),
        (r#"{"type":"error","status":503,"error":{"message":"Full."}}"#, r#"- "Full." Overloaded retryable"#.into()),
        (
            r#"{"type":"error","status_code":404,"error":{"message":"Gone.","code":"strange"}}"#,
            r#"strange "Gone." InvalidRequest final"#.into(),
        ),
        (
            r#"{"type":"error","error":[[{"code":"invalid_prompt","message":"No."}]]}"#,
            r#"invalid_prompt "No." InvalidRequest final"#.into(),
        ),
        (
            r#"{"type":"error","detail":{"error":{"type":"insufficient_quota","message":"Pay."}}}"#,
            r#"- "Pay." Quota final"#.into(),
        ),
        (r#"{"type":"error","error":"plain words"}"#, r#"- "plain words" Unknown retryable"#.into()),
        (r#"{"type":"error","message":"flat","error":{}}"#, r#"- "flat" Unknown retryable"#.into()),
        (r#"{"type":"error"}"#, format!("- {no_reason:?} Unknown retryable")),
        (r#"{"type":"error","error":{"code":"server_error"}}"#, format!("server_error {no_reason:?} Server retryable")),
        // Errors without a type.
        (r#"{"error":{"code":"invalid_api_key","message":"Who?"}}"#, r#"invalid_api_key "Who?" Auth final"#.into()),
        (r#"@error {"code":"server_error","message":"Oh."}"#, r#"server_error "Oh." Server retryable"#.into()),
        (r#"@error {"detail":"Not here."}"#, r#"- "Not here." Unknown retryable"#.into()),
        // Errors whose `type` is their own.
        (
            r#"@error {"type":"invalid_request_error","code":"invalid_prompt","message":"No."}"#,
            r#"invalid_prompt "No." InvalidRequest final"#.into(),
        ),
        (
            r#"{"type":"invalid_request_error","error":{"code":"invalid_prompt","message":"No."}}"#,
            r#"invalid_prompt "No." InvalidRequest final"#.into(),
        ),
        (r#"@error {"type":"usage_limit_reached","message":"Used up."}"#, r#"- "Used up." UsageLimit final"#.into()),
        (r#"{"type":"usage_limit_reached","error":"Used up."}"#, r#"- "Used up." UsageLimit final"#.into()),
        (r#"@error {"type":"response.odd","message":"Oh."}"#, r#"- "Oh." Unknown retryable"#.into()),
        ("@error upstream connect error", r#"- "upstream connect error" Unknown retryable"#.into()),
        // `response.failed`.
        (
            r#"{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"No."}}}"#,
            r#"invalid_prompt "No." InvalidRequest final"#.into(),
        ),
        (
            r#"{"type":"response.failed","response":{"error":{"code":null,"message":"Hm."}}}"#,
            r#"- "Hm." Unknown retryable"#.into(),
        ),
        (
            r#"{"type":"response.failed","response":{"error":{"code":400,"message":"Hm."}}}"#,
            r#"400 "Hm." InvalidRequest final"#.into(),
        ),
        (
            r#"{"type":"response.failed","response":{"error":{"code":"","type":"insufficient_quota","message":"Pay."}}}"#,
            r#"- "Pay." Quota final"#.into(),
        ),
        (
            r#"{"type":"response.failed","response":{"error":{"code":"brand_new_code","message":"Hm."}}}"#,
            r#"brand_new_code "Hm." Unknown retryable"#.into(),
        ),
        (
            r#"{"type":"response.failed","response":{"id":"r","error":null}}"#,
            format!(r#"- "{no_reason} of response r" Unknown retryable"#),
        ),
        (
            r#"{"type":"response.failed","response":{"id":"r","error":{}},"error":{"code":"bio_policy","message":"No."}}"#,
            r#"bio_policy "No." Policy final"#.into(),
        ),
        (r#"{"type":"response.failed","response":null}"#, format!("- {no_reason:?} Unknown retryable")),
        (r#"{"type":"response.failed","response":"garbage"}"#, format!("- {no_reason:?} Unknown retryable")),
        (r#"{"type":"response.failed"}"#, format!("- {no_reason:?} Unknown retryable")),
        (
            r#"{"type":"response.failed","response":{"error":{"code":["odd"],"message":{}}}}"#,
            format!("- {no_reason:?} Unknown retryable"),
        ),
        (
            r#"{"type":"response.failed","response":{"error":[{"code":"slow_down","message":{"odd":1}}]}}"#,
            r#"slow_down "{\"odd\":1}" Overloaded retryable"#.into(),
        ),
        (
            r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"Request too large: Limit 10, Requested 30."}}}"#,
            r#"rate_limit_exceeded "Request too large: Limit 10, Requested 30." OverLimit final"#.into(),
        ),
        // `response.cancelled`.
        (
            r#"{"type":"response.cancelled","response":{"id":"r"}}"#,
            r#"cancelled "the response was cancelled" Cancelled final"#.into(),
        ),
    ];
    for (payload, expected) in cases {
        check_responses(&format!("{payload}\n(end)"), &format!("== failed {expected}"));
    }
}

#[test]
fn the_error_keeps_type_param_and_status() {
    let mut stream = interpreter(Wire::Responses);
    let event = r#"{"type":"error","status":400,"error":{"type":"invalid_request_error","code":"c","message":"m","param":"tools[0]"}}"#;
    stream.handle_event(None, event.as_bytes());
    let Some(Outcome::Failed(error)) = stream.outcome() else { panic!("no failure") };
    assert_eq!(error.error_type.as_deref(), Some("invalid_request_error"));
    assert_eq!(error.param.as_deref(), Some("tools[0]"));
    assert_eq!(error.status, Some(400));
    // The flat shape has the event's own type.
    let mut stream = interpreter(Wire::Responses);
    stream.handle_event(None, br#"{"type":"error","code":"c","message":"m","param":"p"}"#);
    let Some(Outcome::Failed(error)) = stream.outcome() else { panic!("no failure") };
    assert_eq!((error.error_type.as_deref(), error.param.as_deref()), (None, Some("p")));
}

#[test]
fn the_first_terminal_signal_wins_and_what_follows_is_counted() {
    check_responses(
        r#"
        {"type":"error","error":{"code":"rate_limit_exceeded","message":"First."}}
        {"type":"response.failed","response":{"id":"r","error":{"code":"rate_limit_exceeded","message":"Second."}}}
        (end)
        "#,
        "== failed rate_limit_exceeded \"First.\" RateLimit retryable\nafter=1",
    );
    check_responses(
        r#"
        {"type":"response.completed","response":{"id":"r","usage":{"input_tokens":1,"output_tokens":1}}}
        {"type":"response.completed","response":{"id":"s","usage":{"input_tokens":2,"output_tokens":2}}}
        {"type":"response.failed","response":{"error":{"code":"server_error","message":"Late."}}}
        {"type":"response.output_text.delta","delta":"late"}
        {"type":"response.output_item.done","item":{"type":"message"}}
        {"type":"response.metadata","headers":{"x-codex-turn-state":"late"}}
        {"type":"brand_new"}
        [DONE]
        (end)
        "#,
        "== completed r 1+1\nsentinels=1 after=6",
    );
}

#[test]
fn the_ledger_tells_of_the_first_end_and_counts_all() {
    let mut stream = interpreter(Wire::Responses);
    stream.handle_event(None, br#"{"type":"response.incomplete","response":{"id":"r","status":"incomplete"}}"#);
    stream.handle_event(None, br#"{"type":"response.completed","response":{"id":"s","status":"completed"}}"#);
    let ledger = stream.ledger();
    assert_eq!(ledger.terminal_event.as_deref(), Some("response.incomplete"));
    assert_eq!(ledger.terminal_events, 2);
    assert_eq!(ledger.status.as_deref(), Some("incomplete"));
    assert_eq!(ledger.response_id.as_deref(), Some("r"));
    assert_eq!(ledger.incomplete_reason.as_deref(), Some("unknown"));
    assert_eq!(ledger.event_types.iter().count(), 2);
}

#[test]
fn a_completion_completes_whatever_its_optional_parts_look_like() {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let cases = [
        (r#"{"type":"response.completed"}"#.to_owned(), "-"),
        (r#"{"type":"response.completed","response":{}}"#.to_owned(), "-"),
        (r#"{"type":"response.completed","response":null}"#.to_owned(), "-"),
        (r#"{"type":"response.completed","response":[1,{"a":2}]}"#.to_owned(), "-"),
        (r#"{"type":"response.completed","response":"garbage","sequence_number":"x"}"#.to_owned(), "-"),
        (
            r#"{"type":"response.completed","response":{"id":"r","usage":"odd","output":"odd","status":9}}"#.to_owned(),
            "r",
        ),
        (r#"{"type":"response.completed","response":{"id":"r","usage":{"input_tokens":"odd"}}}"#.to_owned(), "r -+-"),
        (
            r#"{"type":"response.completed","response":{"id":"r","usage":null,"output":null,"error":{"code":"x"}}}"#
                .to_owned(),
            "r",
        ),
        (r#"{"type":"response.completed","response":{"id":"r","output":[null,7,{"no":"type"}]}}"#.to_owned(), "r"),
        (
            format!(r#"{{"type":"response.completed","response":{{"id":"r","instructions":{deep},"tools":{deep}}}}}"#),
            "r",
        ),
        (r#"{"response":{"id":"r"},"type":"response.completed"}"#.to_owned(), "r"),
    ];
    for (payload, expected) in cases {
        check_responses(&format!("{payload}\n(end)"), &format!("== completed {expected}"));
    }
}

#[test]
fn a_completion_whose_status_says_otherwise_is_what_its_status_says() {
    let cases = [
        (
            r#""status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":2}"#,
            "incomplete max_output_tokens r 1+2",
        ),
        (r#""status":"incomplete""#, "incomplete unknown r"),
        (
            r#""status":"failed","error":{"code":"invalid_prompt","message":"No."}"#,
            "failed at its end: invalid_prompt \"No.\" InvalidRequest",
        ),
        (
            r#""status":"failed","error":{"code":"server_error","message":"Oh."}"#,
            "failed at its end: server_error \"Oh.\" Server",
        ),
        (
            r#""status":"failed","error":null"#,
            "failed at its end: - \"the service gave no reason for the failure of response r\" Unknown",
        ),
        (r#""status":"cancelled""#, "failed at its end: cancelled \"the response was cancelled\" Cancelled"),
        // A status that does not belong to an end says nothing.
        (r#""status":"in_progress""#, "completed r"),
        (r#""status":"brand_new""#, "completed r"),
    ];
    for (fields, expected) in cases {
        let event = format!(r#"{{"type":"response.completed","response":{{"id":"r",{fields}}}}}"#);
        check_responses(&format!("{event}\n(end)"), &format!("== {expected}"));
    }
}

#[test]
fn a_failure_in_a_completion_is_final() {
    for (code, retryable) in [("server_error", true), ("invalid_prompt", false)] {
        let mut stream = interpreter(Wire::Responses);
        let event = format!(
            r#"{{"type":"response.completed","response":{{"status":"failed","error":{{"code":"{code}","message":"Oh."}}}}}}"#
        );
        stream.handle_event(None, event.as_bytes());
        assert_eq!(stream.outcome().map(Outcome::as_str), Some("failed"));
        assert_eq!(stream.ledger().error.as_ref().and_then(|error| error.code.as_deref()), Some(code));
        let failure = stream.outcome().and_then(Outcome::failure).expect("a failure");
        assert_eq!((failure.kind, failure.retryable), (FailureKind::Api, retryable));
        let reason = "the service had called the answer completed";
        assert_eq!(failure.gave_up.as_deref(), retryable.then_some(reason), "{code}");
    }
}

#[test]
fn a_terminal_type_ends_the_stream_although_the_rest_is_broken() {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    for broken in [
        r#"{"type":"response.completed","response":{"id":"r","usage":"#.to_owned(),
        r#"{"type":"response.completed","response":{"id":"r"},,}"#.to_owned(),
        format!(r#"{{"type":"response.completed","response":{{"id":"r","output":{deep}}}}}"#),
        format!(r#"{{"response":{{"output":{deep}}},"type":"response.completed"}}"#),
    ] {
        check_responses(&broken, &format!("!! response.completed {broken}\n== completed -\nmalformed=1"));
    }
    let broken = r#"{"type":"response.incomplete","response":"#;
    check_responses(broken, &format!("!! response.incomplete {broken}\n== incomplete unknown -\nmalformed=1"));
    let undecodable = "- \"the service reported a failure whose details could not be decoded\" Unknown retryable";
    let known = "invalid_prompt \"the service gave no reason for the failure\" InvalidRequest final";
    for (event_type, error, told) in [
        ("response.failed", r#"{"code":"invalid_pro"#, undecodable),
        ("error", r#"{"code":"invalid_pro"#, undecodable),
        // What was whole before it broke is not lost.
        ("response.failed", r#"{"code":"invalid_prompt""#, known),
        ("error", r#"{"code":"invalid_prompt","message":"N"#, known),
        (
            "response.failed",
            r#"{"message":"Not "so"","code":"invalid_prompt"}}}"#,
            r#"invalid_prompt "Not \"so\"" InvalidRequest final"#,
        ),
    ] {
        let broken = format!(r#"{{"type":"{event_type}","response":{{"error":{error}"#);
        check_responses(&broken, &format!("!! {event_type} {broken}\n== failed {told}\nmalformed=1"));
    }
}

#[test]
fn an_error_tells_the_limits_that_its_headers_have() {
    check_responses(
        r#"{"type":"error","status":429,"error":{"type":"usage_limit_reached","message":"m"},"headers":{"X-Codex-Primary-Used-Percent":100,"x-big-primary-used-percent":["7"],"x":null}}"#,
        "limits big true\nlimits codex true\n== failed - \"m\" UsageLimit final",
    );
}

#[test]
fn an_error_of_an_event_that_is_new_does_not_end_the_stream() {
    check_responses(
        r#"
        {"type":"response.new_tool.failed","error":{"message":"m"}}
        {"type":"response.mcp_call.failed","error":{"message":"m"}}
        {"type":"news","error":null}
        {"type":"news","message":"m"}
        "#,
        r#"
        ?? response.new_tool.failed {"type":"response.new_tool.failed","error":{"message":"m"}}
        other response.mcp_call.failed {"type":"response.mcp_call.failed","error":{"message":"m"}}
        ?? news {"type":"news","error":null}
        ?? news {"type":"news","message":"m"}
        == open
        unknown=3
        "#,
    );
}

#[test]
fn half_a_character_in_a_terminal_event_does_not_hide_what_it_says() {
    let cases = [
        (
            r#"{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"No ?"}}}"#,
            "== failed invalid_prompt \"No \u{fffd}\" InvalidRequest final",
        ),
        (
            r#"{"type":"response.completed","response":{"status":"failed","error":{"code":"x","message":"No ?"}}}"#,
            "== failed at its end: x \"No \u{fffd}\" Unknown",
        ),
        (
            r#"{"type":"response.completed","response":{"status":"incomplete","model":"?","incomplete_details":{"reason":"content_filter"}}}"#,
            "== incomplete content_filter -",
        ),
        (r#"{"type":"response.completed","response":{"status":"completed","model":"?"}}"#, "== completed -"),
    ];
    for (text, expected) in cases {
        let data = text.bytes().flat_map(|byte| if byte == b'?' { vec![0xe2, 0x82] } else { vec![byte] });
        let mut lines = Lines::of(Wire::Responses);
        lines.feed(None, &data.collect::<Vec<u8>>());
        assert_eq!(lines.finish()[1..], [expected, "malformed=1"], "{text}");
    }
}

#[test]
fn a_type_inside_other_json_is_not_terminal() {
    check_responses(
        r#"
        {"type":"keepalive","x":{"type":"response.completed"}}
        {"x":{"type":"response.completed"},"type":
        {"x":"\"type\":\"response.completed\""
        "#,
        r#"
        other keepalive {"type":"keepalive","x":{"type":"response.completed"}}
        !! - {"x":{"type":"response.completed"},"type":
        !! - {"x":"\"type\":\"response.completed\""
        == open
        malformed=2
        "#,
    );
}

#[test]
fn incomplete_says_why() {
    for (details, reason) in [
        (r#"{"reason":"max_output_tokens"}"#, "max_output_tokens"),
        (r#"{"reason":"content_filter"}"#, "content_filter"),
        (r#"{"reason":"brand_new"}"#, "brand_new"),
        (r#"{"reason":null}"#, "unknown"),
        ("{}", "unknown"),
        ("null", "unknown"),
        (r#""odd""#, "unknown"),
    ] {
        check_responses(
            &format!(
                r#"{{"type":"response.incomplete","response":{{"id":"r","incomplete_details":{details},"usage":{{"input_tokens":1,"output_tokens":2}}}}}}"#
            ),
            &format!("== incomplete {reason} r 1+2"),
        );
    }
    check_responses(r#"{"type":"response.incomplete"}"#, "== incomplete unknown -");
}

#[test]
fn a_steered_response_goes_on_over_a_websocket_only() {
    let steered = r#"{"type":"response.incomplete","response":{"id":"r","incomplete_details":{"reason":"steered"}}}"#;
    let completed = r#"{"type":"response.completed","response":{"id":"s"}}"#;
    let mut options = InterpreterOptions::default();
    check(Wire::Responses, options, &format!("{steered}\n{completed}"), "== incomplete steered r\nafter=1");
    options.transport = TransportKind::WebSocket;
    check(
        Wire::Responses,
        options,
        &format!("{steered}\n{completed}"),
        &format!("other response.incomplete {steered}\n== completed s"),
    );
}

#[test]
fn a_sentinel_is_no_terminal_event_here() {
    for sentinel in ["[DONE]", "DONE"] {
        check_responses(
            &format!("{{\"type\":\"response.output_text.delta\",\"delta\":\"a\"}}\n{sentinel}"),
            "0 text \"a\"\n== truncated\nsentinels=1",
        );
        check_responses(
            &format!("{sentinel}\n{{\"type\":\"response.completed\"}}"),
            "== truncated\nsentinels=1 after=1",
        );
        check_responses(&format!("{{\"type\":\"response.completed\"}}\n{sentinel}"), "== completed -\nsentinels=1");
    }
}

#[test]
fn the_end_without_a_terminal_event_is_a_cut() {
    check_responses("(end)", "== truncated");
    check_responses(
        r#"
        {"type":"response.output_item.done","output_index":0,"item":{"type":"message","status":"completed"}}
        (end)
        {"type":"response.completed"}
        (end)
        "#,
        "=0 message completed\n== truncated\nafter=1",
    );
}

#[test]
fn items_that_only_the_terminal_event_tells_of_come_before_the_end() {
    for terminal in ["completed", "incomplete"] {
        let end = if terminal == "completed" { "completed" } else { "incomplete unknown" };
        check_responses(
            &format!(
                r#"
                {{"type":"response.output_item.done","output_index":1,"item":{{"type":"function_call","id":"i","call_id":"c","name":"f","arguments":""}}}}
                {{"type":"response.{terminal}","response":{{"output":[{{"type":"reasoning","content":[]}},{{"type":"function_call","call_id":"c","name":"f"}},{{"type":"message","content":[{{"type":"output_text","text":"a"}}]}}]}}}}
                "#
            ),
            &format!("=1 call c f \"\"\n=0 reasoning \"\"\n=2 message \"a\"\n== {end} -"),
        );
    }
}

#[test]
fn what_a_response_says_of_itself_is_there_at_its_beginning_and_its_end() {
    let response = |fields: &str| format!(r#""response":{{"id":"r","output":[],{fields}}}"#);
    let mut stream = interpreter(Wire::Responses);
    let headers = r#""headers":{"OpenAI-Model":"m","x-codex-turn-state":"s3cret"}"#;
    stream.handle_event(None, format!(r#"{{"type":"response.created",{}}}"#, response(headers)).as_bytes());
    let Some(TurnEvent::Created(created)) = stream.poll_event() else { panic!("no beginning") };
    assert_eq!(created.raw.as_ref().unwrap().to_value()["headers"]["OpenAI-Model"], "m");
    assert!(!format!("{created:?}").contains("s3cret"));
    assert_eq!(serde_json::to_string(&created).unwrap(), r#"{"response_id":"r"}"#);
    let end = r#""end_turn":true,"service_tier":"flex","metadata":{"k":"v"}"#;
    let expected = format!(r#"{{"id":"r",{end}}}"#);
    for event_type in ["response.completed", "response.incomplete"] {
        let mut stream = interpreter(Wire::Responses);
        stream.handle_event(None, format!(r#"{{"type":"{event_type}",{}}}"#, response(end)).as_bytes());
        let completed = match stream.outcome() {
            Some(Outcome::Completed(completed)) => completed,
            Some(Outcome::Incomplete(incomplete)) => &incomplete.response,
            other => panic!("{other:?}"),
        };
        assert_eq!(completed.raw.as_ref().map(RawJson::as_str), Some(expected.as_str()));
    }
}
