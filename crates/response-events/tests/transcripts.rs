//! Whole streams as people read them. Each snapshot says in its description what is special about the stream.

mod common;

use std::{fmt::Write, time::Duration};

use response_events::{
    ApiError, Failure, FailureKind, Fallback, Interpreter, InterpreterOptions, Opened, Outcome, Phase, RequestStarted,
    Retry, Transcript, TransportKind, TurnEvent, Wire,
};

/// The transcript of a stream that is written as in `common`; `(clock N)` moves the virtual clock to N milliseconds.
fn transcript(wire: Wire, stream: &str) -> String {
    let mut interpreter = Interpreter::new(wire, InterpreterOptions::default());
    let mut transcript = Transcript::new();
    let mut text = String::new();
    let mut clock = None;
    let mut output_delivered = false;
    for line in stream.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(millis) = line.strip_prefix("(clock ").and_then(|rest| rest.strip_suffix(')')) {
            clock = Some(Duration::from_millis(millis.parse().unwrap()));
        } else if line == "(end)" {
            interpreter.handle_end();
        } else {
            let (name, data) = common::payload(line);
            interpreter.handle_event(name, data.as_bytes());
        }
        while let Some(event) = interpreter.poll_event() {
            output_delivered |= event.is_output();
            text.push_str(&transcript.event(clock, &event));
        }
    }
    let outcome = interpreter.outcome().expect("the stream ends");
    match outcome {
        Outcome::Completed(response) => {
            text.push_str(&transcript.event(clock, &TurnEvent::Completed(response.clone())));
        }
        Outcome::Incomplete(end) => text.push_str(&transcript.event(clock, &TurnEvent::Incomplete(end.clone()))),
        _ => {}
    }
    let mut failure = outcome.failure();
    if let Some(failure) = &mut failure {
        failure.output_delivered = output_delivered;
    }
    text.push_str(&transcript.end(failure.as_ref(), interpreter.ledger()));
    text
}

#[track_caller]
fn check(name: &str, description: &str, wire: Wire, stream: &str) {
    let text = transcript(wire, stream);
    assert!(text.lines().count() <= 60, "too long to be read");
    insta::with_settings!({ description => description, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn responses_text() {
    check(
        "responses_text",
        "A plain answer in two pieces. The ids of the service are renumbered; white space in text is visible.",
        Wire::Responses,
        r#"
        (clock 0)
        {"type":"response.created","response":{"id":"resp_68a1","model":"gpt-5"}}
        {"type":"response.in_progress","response":{"id":"resp_68a1"}}
        (clock 180)
        {"type":"response.output_item.added","output_index":0,"item":{"id":"msg_9c","type":"message","role":"assistant","content":[]}}
        {"type":"response.content_part.added","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}
        (clock 195)
        {"type":"response.output_text.delta","output_index":0,"item_id":"msg_9c","content_index":0,"delta":"Hel"}
        (clock 230)
        {"type":"response.output_text.delta","output_index":0,"item_id":"msg_9c","content_index":0,"delta":"lo\n\t\"you\""}
        {"type":"response.output_text.done","output_index":0,"text":"Hello\n\t\"you\""}
        {"type":"response.output_item.done","output_index":0,"item":{"id":"msg_9c","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hello\n\t\"you\""}]}}
        (clock 1234)
        {"type":"response.completed","response":{"id":"resp_68a1","status":"completed","output":[],"usage":{"input_tokens":12,"output_tokens":5,"total_tokens":17}}}
        "#,
    );
}

#[test]
fn responses_tools() {
    check(
        "responses_tools",
        "Reasoning with a summary, then two calls whose arguments alternate; rate limits and metadata on the way.",
        Wire::Responses,
        r#"
        {"type":"codex.rate_limits","plan_type":"pro","rate_limits":{"primary":{"used_percent":42,"window_minutes":300},"secondary":{"used_percent":7.5}}}
        {"type":"response.created","response":{"id":"resp_1f","model":"gpt-5"}}
        {"type":"response.metadata","headers":{"x-codex-turn-state":"never to be seen"}}
        {"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}
        {"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"Two cities"}
        {"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Two cities"}],"encrypted_content":"gAAA"}}
        {"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"call_Xa","name":"weather","arguments":""}}
        {"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","call_id":"call_Yb","name":"weather","arguments":""}}
        {"type":"response.function_call_arguments.delta","output_index":1,"delta":"{\"city\":"}
        {"type":"response.function_call_arguments.delta","output_index":2,"delta":"{\"city\":"}
        {"type":"response.function_call_arguments.delta","output_index":1,"delta":"\"Oslo\"}"}
        {"type":"response.function_call_arguments.delta","output_index":2,"delta":"\"Rome\"}"}
        {"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"call_Xa","name":"weather","arguments":"{\"city\":\"Oslo\"}","status":"completed"}}
        {"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"call_Yb","name":"weather","arguments":"{\"city\":\"Rome\"}","status":"completed"}}
        {"type":"response.completed","response":{"id":"resp_1f","usage":{"input_tokens":80,"output_tokens":41}}}
        "#,
    );
}

#[test]
fn responses_failed_invalid_prompt() {
    check(
        "responses_failed_invalid_prompt",
        "The service refuses the prompt after some text. The connection stays open: nothing closes it here.",
        Wire::Responses,
        r#"
        {"type":"response.created","response":{"id":"resp_2b","model":"gpt-5"}}
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","role":"assistant","content":[]}}
        {"type":"response.output_text.delta","output_index":0,"delta":"I think"}
        {"type":"response.failed","response":{"id":"resp_2b","status":"failed","error":{"code":"invalid_prompt","message":"Your prompt was flagged. See \"usage policies\"."}}}
        "#,
    );
}

#[test]
fn responses_error_then_failed() {
    check(
        "responses_error_then_failed",
        "An `error` event, then `response.failed` with the same code: one end, the second is only counted.",
        Wire::Responses,
        r#"
        {"type":"response.created","response":{"id":"resp_3c","model":"gpt-5"}}
        {"type":"error","error":{"type":"tokens","code":"rate_limit_exceeded","message":"Rate limit reached. Please try again in 1.2s."}}
        {"type":"response.failed","response":{"id":"resp_3c","status":"failed","error":{"code":"rate_limit_exceeded","message":"Rate limit reached. Please try again in 1.2s."}}}
        (end)
        "#,
    );
}

#[test]
fn responses_unknown_and_malformed() {
    check(
        "responses_unknown_and_malformed",
        "Nothing is dropped silently: an event type from the future, a delta without text, garbage, a type with a line \
         break in it. The stream completes all the same, although its last event has a garbled body.",
        Wire::Responses,
        r#"
        {"type":"response.created","response":{"id":"resp_4d","model":"gpt-5"}}
        {"type":"response.brand_new.delta","output_index":0,"item_id":"x","delta":{"a":1}}
        {"type":"response.output_text.delta","output_index":0}
        <html><body><h1>502 Bad Gateway</h1></body></html>
        {"type":"two\nlines"}
        {"type":"response.output_item.done","output_index":0,"item":{"type":"hologram_call","status":"completed"}}
        {"type":"response.completed","response":{"id":"resp_4d","usage":
        "#,
    );
}

#[test]
fn responses_incomplete() {
    check(
        "responses_incomplete",
        "The token limit cuts the answer. The terminal event tells of an item that no event of its own announced.",
        Wire::Responses,
        r#"
        {"type":"response.created","response":{"id":"resp_5e","model":"gpt-5"}}
        {"type":"response.incomplete","response":{"id":"resp_5e","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"message","role":"assistant","status":"incomplete","content":[{"type":"output_text","text":"Once upon"}]}],"usage":{"input_tokens":9,"output_tokens":16}}}
        [DONE]
        "#,
    );
}

#[test]
fn responses_cut() {
    check(
        "responses_cut",
        "The connection closes in the middle of an item.",
        Wire::Responses,
        r#"
        {"type":"response.output_item.added","output_index":0,"item":{"type":"message","role":"assistant","content":[]}}
        {"type":"response.output_text.delta","output_index":0,"delta":"Once upon a"}
        (end)
        "#,
    );
}

#[test]
fn chat_bare_done_flushes_everything() {
    check(
        "chat_bare_done_flushes_everything",
        "Reasoning, text and a call are pending when a bare DONE ends the stream; the connection stays open.",
        Wire::Chat,
        r#"
        {"id":"chatcmpl-7","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":"Look it up"}}]}
        delta {"content":"Let me "}
        delta {"content":"look: DONE"}
        delta {"tool_calls":[{"index":0,"id":"call_Zz","function":{"name":"search","arguments":"{\"q\":"}}]}
        delta {"tool_calls":[{"index":0,"function":{"arguments":"\"x\"}"}}]}
        DONE
        "#,
    );
}

#[test]
fn chat_two_choices() {
    check(
        "chat_two_choices",
        "Two choices alternate; the second one is cut by the token limit. The usage comes last, without a sentinel.",
        Wire::Chat,
        r#"
        {"id":"chatcmpl-8","model":"m-1","choices":[{"index":0,"delta":{"content":"Red"}},{"index":1,"delta":{"content":"Blu"}}]}
        delta {"content":" or"}
        delta1 {"refusal":"no"}
        finish stop
        finish1 length
        {"id":"chatcmpl-8","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":6}}
        (end)
        "#,
    );
}

#[test]
fn chat_error_chunk() {
    check(
        "chat_error_chunk",
        "A gateway reports an error beside the last choice, with a number for a code; keep-alives came before it.",
        Wire::Chat,
        r#"
        : keepalive
        {"id":"gen-1","model":"m-2","choices":[{"index":0,"delta":{"content":"Half a s"}}]}
        : OPENROUTER PROCESSING
        {"id":"gen-1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"Upstream provider went away"}}
        [DONE]
        "#,
    );
}

#[test]
fn chat_cut_call() {
    check(
        "chat_cut_call",
        "The token limit cuts the second call: its arguments are no JSON, and its status says so.",
        Wire::Chat,
        r#"
        {"id":"chatcmpl-9","model":"m-1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"f","arguments":"{}"}}]}}]}
        delta {"tool_calls":[{"index":1,"id":"call_2","function":{"name":"g","arguments":"{\"text\":\"half"}}]}
        {"choices":[{"index":0,"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":4,"completion_tokens":6}}
        [DONE]
        "#,
    );
}

/// What a turn puts around its streams: requests, heads, retries.
#[test]
fn turn_with_retry_and_fallback() {
    let at = |millis| Some(Duration::from_millis(millis));
    let request = |attempt, transport, turn_state| {
        let mut request = RequestStarted::new(attempt, transport, "http://127.0.0.1:49152/v1/responses");
        request.turn_state = turn_state;
        TurnEvent::Request(request)
    };
    let opened = |status, id: &str, turn_state| {
        let mut opened = Opened::new(status);
        opened.request_id = Some(id.into());
        opened.turn_state = turn_state;
        TurnEvent::Opened(opened)
    };
    let stream = |payloads: &[&str]| {
        let mut interpreter = Interpreter::new(Wire::Responses, InterpreterOptions::default());
        for payload in payloads {
            interpreter.handle_event(None, payload.as_bytes());
        }
        let events: Vec<TurnEvent> = std::iter::from_fn(|| interpreter.poll_event()).collect();
        (events, interpreter.ledger().clone())
    };
    let created = r#"{"type":"response.created","response":{"id":"resp_a","model":"gpt-5"}}"#;
    let delta = r#"{"type":"response.output_text.delta","output_index":0,"delta":"Hel"}"#;

    let mut transcript = Transcript::new();
    let mut text = String::new();
    let mut write = |events: &[(Option<Duration>, TurnEvent)], transcript: &mut Transcript| {
        for (at, event) in events {
            write!(text, "{}", transcript.event(*at, event)).unwrap();
        }
    };
    write(
        &[
            (at(0), request(1, TransportKind::WebSocket, false)),
            (
                at(40),
                TurnEvent::Fallback(Fallback::new(
                    TransportKind::WebSocket,
                    TransportKind::Sse,
                    "the service asks for another transport (426)",
                )),
            ),
            (at(40), request(1, TransportKind::Sse, false)),
            (at(90), opened(200, "req_8f3", true)),
        ],
        &mut transcript,
    );
    let (events, _) = stream(&[created, delta]);
    write(&events.into_iter().map(|event| (at(150), event)).collect::<Vec<_>>(), &mut transcript);
    let mut retry = Retry::new(2, 9, FailureKind::Truncated, "the stream ended before a terminal event");
    retry.delay = Duration::from_millis(734);
    retry.discarded = true;
    write(
        &[
            (at(150), TurnEvent::Retry(retry)),
            (at(884), request(2, TransportKind::Sse, true)),
            (at(930), opened(200, "req_9a0", false)),
        ],
        &mut transcript,
    );
    let failed = r#"{"type":"error","error":{"code":"insufficient_quota","message":"You exceeded your quota."}}"#;
    let (events, ledger) = stream(&[created, delta, failed]);
    write(&events.into_iter().map(|event| (at(980), event)).collect::<Vec<_>>(), &mut transcript);
    let error = ApiError::from_body(failed.as_bytes()).unwrap();
    let mut failure = Failure::from_api(error).in_phase(Phase::Streaming);
    failure.output_delivered = true;
    text.push_str(&transcript.end(Some(&failure), &ledger));

    insta::with_settings!({
        description => "A WebSocket that the service does not want, a cut whose output is void, and a second try that \
                        is sent with the turn state and fails for good.",
        omit_expression => true,
    }, {
        insta::assert_snapshot!("turn_with_retry_and_fallback", text);
    });
}

#[test]
fn long_text_is_cut_in_items_and_garbage_but_never_in_deltas() {
    let long = "x".repeat(500);
    let text = transcript(
        Wire::Chat,
        &format!(
            "delta {{\"content\":\"{long}\"}}\n<{long}\n\
             delta {{\"tool_calls\":[{{\"id\":\"c\",\"function\":{{\"name\":\"f\",\"arguments\":\"{long}\"}}}}]}}\nDONE"
        ),
    );
    let longest = |word: &str| text.lines().filter(|line| line.contains(word)).map(str::len).max().unwrap();
    assert!(longest("text ") > 500 && longest("tool.input") > 500, "{text}");
    assert!(longest("item.done") < 200 && longest("!!") < 200, "{text}");
}
