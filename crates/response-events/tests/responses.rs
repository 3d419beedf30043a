//! What the events of a Responses stream mean, its end aside.

mod common;

use common::{Lines, check_responses, interpreter};
use response_events::{FinishedResponse, Interpreter, InterpreterOptions, TurnEvent, Wire};

#[test]
fn a_whole_turn_with_reasoning_text_and_a_call() {
    check_responses(
        r#"
        {"type":"response.created","sequence_number":0,"response":{"id":"r","model":"m","status":"in_progress","usage":null}}
        {"type":"response.in_progress","sequence_number":1,"response":{"id":"r"}}
        {"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"reasoning","id":"i0","summary":[]}}
        {"type":"response.reasoning_summary_text.delta","sequence_number":3,"item_id":"i0","output_index":0,"summary_index":1,"delta":"Hm"}
        {"type":"response.reasoning_text.delta","sequence_number":4,"item_id":"i0","output_index":0,"content_index":0,"delta":"so"}
        {"type":"response.output_item.done","sequence_number":5,"output_index":0,"item":{"type":"reasoning","id":"i0","content":[{"type":"reasoning_text","text":"so"}]}}
        {"type":"response.output_text.delta","sequence_number":6,"item_id":"i1","output_index":1,"content_index":2,"delta":"Hel\n","logprobs":[],"obfuscation":"xyz"}
        {"type":"response.refusal.delta","sequence_number":7,"item_id":"i1","output_index":1,"content_index":0,"delta":"No"}
        {"type":"response.function_call_arguments.delta","sequence_number":8,"item_id":"i2","output_index":2,"delta":"{}"}
        {"type":"response.output_item.done","sequence_number":9,"output_index":2,"item":{"type":"function_call","call_id":"c","name":"f","arguments":"{}","status":"completed"}}
        {"type":"response.completed","sequence_number":10,"response":{"id":"r","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":2}}}
        "#,
        r#"
        created r m
        other response.in_progress {"type":"response.in_progress","sequence_number":1,"response":{"id":"r"}}
        +0 reasoning
        0 summary "Hm" id=i0 summary=1 seq=3
        0 reasoning "so" id=i0 seq=4
        =0 reasoning "so"
        1 text "Hel\n" id=i1 content=2 seq=6
        1 refusal "No" id=i1 seq=7
        2 input "{}" id=i2 seq=8
        =2 call c f "{}" completed
        == completed r 3+2
        "#,
    );
}

#[test]
fn the_json_type_decides_not_the_event_name() {
    check_responses(
        r#"
        @response.completed {"type":"response.output_text.delta","delta":"a"}
        @error {"type":"response.output_text.delta","delta":"b"}
        @message {"type":"response.output_text.delta","delta":"c"}
        @response.output_text.delta {"type":"response.completed"}
        "#,
        r#"
        0 text "a"
        0 text "b"
        0 text "c"
        == completed -
        "#,
    );
}

/// Every event type of the API's reference and of recorded streams, with the variant that it becomes.
#[test]
fn every_known_event_type_becomes_its_variant() {
    let delta = r#","delta":"x""#;
    let item = r#","item":{"type":"message","role":"assistant","content":[]}"#;
    let limits = r#","rate_limits":{"primary":{"used_percent":1.5}}"#;
    let with_variant = [
        ("codex.rate_limits", limits, "RateLimits"),
        ("response.created", "", "Created"),
        ("response.custom_tool_call_input.delta", delta, "ToolInputDelta"),
        ("response.function_call_arguments.delta", delta, "ToolInputDelta"),
        ("response.mcp_call_arguments.delta", delta, "ToolInputDelta"),
        ("response.output_item.added", item, "ItemAdded"),
        ("response.output_item.done", item, "ItemDone"),
        ("response.output_text.delta", delta, "TextDelta"),
        ("response.reasoning_summary_text.delta", delta, "ReasoningSummaryDelta"),
        ("response.reasoning_text.delta", delta, "ReasoningDelta"),
        ("response.refusal.delta", delta, "RefusalDelta"),
    ];
    let others = [
        "codex.response.metadata",
        "keepalive",
        "response.apply_patch_call_operation_diff.delta",
        "response.apply_patch_call_operation_diff.done",
        "response.audio.delta",
        "response.audio.done",
        "response.audio.transcript.delta",
        "response.audio.transcript.done",
        "response.code_interpreter_call.completed",
        "response.code_interpreter_call.in_progress",
        "response.code_interpreter_call.interpreting",
        "response.code_interpreter_call_code.delta",
        "response.code_interpreter_call_code.done",
        "response.compaction.compacting",
        "response.content_part.added",
        "response.content_part.done",
        "response.custom_tool_call_input.done",
        "response.file_search_call.completed",
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.function_call_arguments.done",
        "response.image_generation_call.completed",
        "response.image_generation_call.generating",
        "response.image_generation_call.in_progress",
        "response.image_generation_call.partial_image",
        "response.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "response.mcp_call.in_progress",
        "response.mcp_call_arguments.done",
        "response.mcp_list_tools.completed",
        "response.mcp_list_tools.failed",
        "response.mcp_list_tools.in_progress",
        "response.metadata",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.queued",
        "response.reasoning_part.added",
        "response.reasoning_part.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.refusal.done",
        "response.shell_call_command.added",
        "response.shell_call_command.delta",
        "response.shell_call_command.done",
        "response.shell_call_output_content.delta",
        "response.shell_call_output_content.done",
        "response.steer.accepted",
        "response.steer.failed",
        "response.steer.pending",
        "response.web_search_call.completed",
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
    ];
    let all = with_variant.into_iter().chain(others.map(|event_type| (event_type, delta, "Other")));
    for (event_type, fields, variant) in all {
        let mut stream = interpreter(Wire::Responses);
        stream.handle_event(None, format!(r#"{{"type":"{event_type}"{fields}}}"#).as_bytes());
        let event = stream.poll_event().expect(event_type);
        assert!(format!("{event:?}").starts_with(&format!("{variant}(")), "{event_type}: {event:?}");
        if let TurnEvent::Other(other) = event {
            assert_eq!(other.event, event_type);
        }
        assert_eq!(stream.poll_event(), None, "{event_type}");
        assert_eq!(stream.outcome(), None, "{event_type}");
        assert_eq!((stream.ledger().unknown, stream.ledger().malformed), (0, 0), "{event_type}");
        assert_eq!(stream.ledger().event_types.iter().collect::<Vec<_>>(), [(event_type, 1)]);
    }
}

#[test]
fn unknown_types_are_passed_on_with_their_json() {
    check_responses(
        r#"
        {"type":"response.brand_new.delta","delta":"x","n":[1,{"a":null}]}
        {"type":"","x":1}
        "#,
        r#"
        ?? response.brand_new.delta {"type":"response.brand_new.delta","delta":"x","n":[1,{"a":null}]}
        ??  {"type":"","x":1}
        == open
        unknown=2
        "#,
    );
}

#[test]
fn known_types_that_do_not_decode_are_reported() {
    check_responses(
        r#"
        {"type":"response.output_text.delta"}
        {"type":"response.output_text.delta","delta":null}
        {"type":"response.output_text.delta","delta":{"text":"a"}}
        {"type":"response.output_item.done","output_index":0}
        {"type":"response.output_item.added","item":{"no":"type"}}
        {"type":"response.output_item.done","item":[1]}
        {"type":"response.output_text.delta","delta":"half
        {"delta":"a"}
        {"type":7}
        {"type":null,"error":null}
        "#,
        r#"
        !! response.output_text.delta {"type":"response.output_text.delta"}
        !! response.output_text.delta {"type":"response.output_text.delta","delta":null}
        !! response.output_text.delta {"type":"response.output_text.delta","delta":{"text":"a"}}
        !! response.output_item.done {"type":"response.output_item.done","output_index":0}
        !! response.output_item.added {"type":"response.output_item.added","item":{"no":"type"}}
        !! response.output_item.done {"type":"response.output_item.done","item":[1]}
        !! response.output_text.delta {"type":"response.output_text.delta","delta":"half
        !! - {"delta":"a"}
        !! - {"type":7}
        !! - {"type":null,"error":null}
        == open
        malformed=10
        "#,
    );
}

#[test]
fn fields_of_a_wrong_type_hide_nothing() {
    check_responses(
        r#"
        {"type":"response.output_text.delta","delta":"a","output_index":"x","item_id":5,"content_index":null,"sequence_number":-1,"logprobs":7}
        {"type":"response.output_text.delta","delta":"b","output_index":1e9,"content_index":99999999999,"sequence_number":18446744073709551615}
        {"type":"response.created","response":{"id":5,"model":["x"]}}
        {"type":"response.created","response":"odd"}
        {"type":"response.created","response":null}
        "#,
        r#"
        0 text "a"
        0 text "b" seq=18446744073709551615
        created - -
        created - -
        created - -
        == open
        "#,
    );
}

#[test]
fn what_is_no_event_is_reported_and_survived() {
    check_responses(
        r#"
        <!DOCTYPE html><html></html>
        ["response.completed"]
        [{"type":"response.completed"}]
        "response.completed"
        3.5
        true
        null
        {"type":"response.output_text.delta","delta":"a"}
        "#,
        r#"
        !! - <!DOCTYPE html><html></html>
        !! - ["response.completed"]
        !! - [{"type":"response.completed"}]
        !! - "response.completed"
        !! - 3.5
        !! - true
        !! - null
        0 text "a"
        == open
        malformed=7
        "#,
    );
}

#[test]
fn half_a_character_is_reported() {
    let mut lines = Lines::of(Wire::Responses);
    lines.feed(None, b"{\"type\":\"response.output_text.delta\",\"delta\":\"\xf0\x9f\"}");
    lines.feed(None, b"\x80");
    let expected = [
        "!! response.output_text.delta {\"type\":\"response.output_text.delta\",\"delta\":\"\u{fffd}\"}",
        "!! - \u{fffd}",
        "== open",
        "malformed=2",
    ];
    assert_eq!(lines.finish(), expected);
}

#[test]
fn keep_alives_wrapped_as_data_are_skipped() {
    let mut lines = Lines::of(Wire::Responses);
    for data in ["", "  ", ":", ": keepalive", ": OPENROUTER PROCESSING"] {
        lines.feed(None, data.as_bytes());
    }
    assert_eq!(lines.finish(), ["== open"]);
}

#[test]
fn what_only_keeps_the_connection_alive_is_no_progress() {
    let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
    stream.expect_late(FinishedResponse::default());
    for (data, progress) in [
        ("", 0),
        (": x", 0),
        (r#"{"type":"keepalive"}"#, 0),
        (r#"{"type":"new"}"#, 1),
        (r#"{"type":"keepalive"}{"type":"response.output_text.delta","delta":"a"}"#, 2),
        ("<p>", 3),
    ] {
        stream.handle_event(None, data.as_bytes());
        assert_eq!(stream.ledger().progress(), progress, "{data}");
    }
}

#[test]
fn two_events_in_one_payload_are_both_read() {
    check_responses(
        r#"
        {"type":"response.output_text.delta","delta":"a"}{"type":"response.output_text.delta","delta":"b"}
        {"type":"response.output_text.delta","delta":"c"}  DONE
        {"type":"response.output_text.delta","delta":"d"}, {"type":"response.completed"}
        {"type":"response.completed"}{"type":"response.failed"}
        "#,
        r#"
        0 text "a"
        0 text "b"
        0 text "c"
        !! - DONE
        0 text "d"
        !! - , {"type":"response.completed"}
        == completed -
        malformed=2
        "#,
    );
}

#[test]
fn thirty_two_undecodable_payloads_in_a_row_make_a_stream_unreadable() {
    let mut lines = Lines::of(Wire::Responses);
    for _ in 0..31 {
        lines.feed(None, b"{\"x\":1}");
    }
    lines.feed(None, br#"{"type":"keepalive"}"#);
    for _ in 0..31 {
        lines.feed(None, b"{\"x\":1}");
    }
    // An empty delta brings nothing, but it was understood.
    lines.feed(None, br#"{"type":"response.output_text.delta","delta":""}"#);
    for _ in 0..32 {
        lines.feed(None, b"{\"x\":1}");
    }
    let seen = lines.finish();
    assert_eq!(seen[95..], ["== unreadable", "malformed=94"]);
}

#[test]
fn empty_deltas_are_left_out() {
    check_responses(
        r#"
        {"type":"response.output_text.delta","delta":"","output_index":0}
        {"type":"response.function_call_arguments.delta","delta":"","output_index":0}
        "#,
        "== open",
    );
}

#[test]
fn no_opening_event_is_required() {
    check_responses(
        r#"
        {"type":"response.output_text.delta","output_index":3,"item_id":"i","delta":"a"}
        {"type":"response.queued","response":{"id":"r","model":"m"}}
        {"type":"response.completed","response":{"status":"completed"}}
        "#,
        r#"
        3 text "a" id=i
        other response.queued {"type":"response.queued","response":{"id":"r","model":"m"}}
        == completed r
        "#,
    );
}

#[test]
fn sequence_numbers_are_watched_and_never_required() {
    for (numbers, contiguous) in [
        (&["0", "1", "2"][..], true),
        (&["5", "6"], true),
        (&["0", "2"], false),
        (&["0", "0"], false),
        (&["1", "0"], false),
        (&["0", "null", "1"], true),
        (&["\"x\"", "4"], true),
        (&["18446744073709551615", "0"], false),
        (&[], true),
    ] {
        let mut stream = interpreter(Wire::Responses);
        for number in numbers {
            stream.handle_event(None, format!(r#"{{"type":"keepalive","sequence_number":{number}}}"#).as_bytes());
        }
        assert_eq!(stream.ledger().sequence_contiguous, contiguous, "{numbers:?}");
    }
}
