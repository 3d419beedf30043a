//! What is shown and serialised: the table of error codes, failures, events.

use std::{fmt::Write, time::Duration};

use response_events::{
    ApiError, Completed, Created, Delta, Failure, FailureKind, Fallback, Incomplete, Interpreter, InterpreterOptions,
    Item, ItemEvent, Opened, Outcome, Phase, RequestStarted, Retry, TransportKind, TurnEvent, Usage, Wire,
    classify_code, classify_status, known_codes,
};
use serde_json::{Value, json};

#[test]
fn the_table_of_error_codes() {
    let mut table = format!("{:<40}{:<28}second try\n", "code", "class");
    for (code, class) in known_codes() {
        let name = serde_json::to_value(class).unwrap();
        let retry = if class.is_retryable() { "can succeed" } else { "never" };
        writeln!(table, "{code:<40}{:<28}{retry}", name.as_str().unwrap()).unwrap();
        assert_eq!(classify_code(code), class, "{code}");
    }
    insta::with_settings!({
        description => "Every error code that is known, what it means, and whether the same request can succeed later. \
                        Codes that are not listed count as `unknown`, which is retryable; those that begin with \
                        `image_` or `invalid_image` as `invalid_request`.",
        omit_expression => true,
    }, {
        insta::assert_snapshot!("error_codes", table);
    });
}

#[test]
fn the_table_of_http_statuses() {
    let mut table = format!("{:<12}{:<20}second try\n", "status", "class");
    let mut first = 100;
    for status in 101..=600 {
        let class = classify_status(first);
        if status == 600 || classify_status(status) != class {
            let range = if status - 1 == first { first.to_string() } else { format!("{first}-{}", status - 1) };
            let name = serde_json::to_value(class).unwrap();
            let retry = if class.is_retryable() { "can succeed" } else { "never" };
            writeln!(table, "{range:<12}{:<20}{retry}", name.as_str().unwrap()).unwrap();
            first = status;
        }
    }
    insta::with_settings!({
        description => "What an HTTP status means where the service gave no error code of its own.",
        omit_expression => true,
    }, {
        insta::assert_snapshot!("http_statuses", table);
    });
}

#[test]
fn codes_that_are_not_listed_are_unknown() {
    for code in ["", "Invalid_Prompt", "invalid_prompt ", "invalid", "zzz", "\u{0}"] {
        assert_eq!(classify_code(code), response_events::ErrorClass::Unknown, "{code:?}");
    }
}

#[test]
fn a_type_that_is_a_code_is_the_code_of_the_failure() {
    for (fields, code) in [
        (r#""type":"usage_limit_reached""#, Some("usage_limit_reached")),
        (r#""type":"insufficient_quota","code":null"#, Some("insufficient_quota")),
        (r#""type":"usage_limit_reached","code":"x""#, Some("x")),
        // Families of errors, and what is no name of an error.
        (r#""type":"invalid_request_error""#, None),
        (r#""type":"rate_limit_error","code":"""#, None),
        (r#""type":"tokens""#, None),
    ] {
        let error = ApiError::from_body(format!(r#"{{"error":{{"message":"m",{fields}}}}}"#).as_bytes()).unwrap();
        assert_eq!(error.code.as_deref(), code.filter(|_| fields.contains(r#""code":"x""#)), "as the service said it");
        assert_eq!(error.to_string(), code.map_or("m".to_owned(), |code| format!("m ({code})")));
        assert_eq!(Failure::from_api(error).code.as_deref(), code, "{fields}");
    }
}

#[test]
fn the_class_is_that_of_the_code_then_the_type_then_the_status() {
    use response_events::ErrorClass as Class;
    let cases = [
        (json!({"code": "credit_balance_exhausted", "type": "insufficient_quota"}), Class::Quota),
        (json!({"code": "server_error", "type": "invalid_request_error"}), Class::Server),
        (json!({"code": "never_heard_of", "type": "insufficient_quota"}), Class::Quota),
        (json!({"code": "never_heard_of", "type": "neither", "status": 422}), Class::InvalidRequest),
        (json!({"code": "never_heard_of"}), Class::Unknown),
        (json!({"code": 429}), Class::RateLimit),
        (json!({"code": "503"}), Class::Overloaded),
        (json!({"code": 7}), Class::Unknown),
        (json!({"code": "rate_limit_exceeded", "message": "Limit 30,000, Requested 30,001."}), Class::OverLimit),
        (json!({"code": "rate_limit_exceeded", "message": "Limit 30000, Used 29999, Requested 30."}), Class::RateLimit),
        (json!({"code": "rate_limit_exceeded", "message": "Limit , Requested x"}), Class::RateLimit),
    ];
    for (error, class) in cases {
        let body = json!({"error": error}).to_string();
        assert_eq!(ApiError::from_body(body.as_bytes()).unwrap().class(), class, "{body}");
    }
}

#[test]
fn a_failure_serialises_as_the_error_object_of_json_output() {
    let error = ApiError::from_body(
        br#"{"error":{"code":429,"type":"rate_limit_exceeded","message":"Slow \"down\".","param":"p"},"status":429}"#,
    )
    .unwrap();
    let mut failure = Failure::from_api(error).in_phase(Phase::Streaming);
    failure.request_id = Some("req_1".into());
    failure.retry_after = Some(Duration::from_millis(1500));
    failure.attempts = 3;
    failure.output_delivered = true;
    let expected = json!({
        "kind": "api", "code": "429", "message": "Slow \"down\".", "status": 429, "request_id": "req_1",
        "retry_after_ms": 1500, "attempts": 3, "retryable": true, "output_delivered": true,
    });
    assert_eq!(serde_json::to_value(&failure).unwrap(), expected);

    let mut closed = Failure::new(FailureKind::Closed, "the peer closed");
    closed.close_code = Some(1011);
    let expected = json!({
        "kind": "closed", "message": "the peer closed", "close_code": 1011, "attempts": 1, "retryable": true,
        "output_delivered": false,
    });
    assert_eq!(serde_json::to_value(&closed).unwrap(), expected);
    assert_eq!(closed.to_string(), "the peer closed");
}

#[test]
fn the_outcomes_of_streams_are_failures_of_their_kind() {
    let kind = |wire, payloads: &[&str]| {
        let mut stream = Interpreter::new(wire, InterpreterOptions::default());
        for payload in payloads {
            stream.handle_event(None, payload.as_bytes());
        }
        stream.handle_end();
        let outcome = stream.outcome().unwrap();
        (outcome.as_str(), outcome.failure().map(|failure| (failure.kind, failure.retryable)))
    };
    let completed = r#"{"type":"response.completed"}"#;
    assert_eq!(kind(Wire::Responses, &[completed]), ("completed", None));
    assert_eq!(kind(Wire::Responses, &[r#"{"type":"response.incomplete"}"#]), ("incomplete", None));
    assert_eq!(kind(Wire::Responses, &[]), ("truncated", Some((FailureKind::Truncated, true))));
    assert_eq!(kind(Wire::Chat, &[]), ("truncated", Some((FailureKind::Truncated, true))));
    assert_eq!(kind(Wire::Chat, &["<p>"; 32]), ("failed", Some((FailureKind::Protocol, true))));
    let failed = r#"{"type":"error","code":"invalid_prompt","message":"No."}"#;
    assert_eq!(kind(Wire::Responses, &[failed]), ("failed", Some((FailureKind::Api, false))));
    assert_eq!(Outcome::Completed(Completed::default()).failure(), None);
}

/// One event of every variant; those that a stream brings are read from one.
fn every_event() -> Vec<TurnEvent> {
    let mut stream = Interpreter::new(Wire::Responses, InterpreterOptions::default());
    for payload in [
        r#"{"type":"codex.rate_limits","plan_type":"pro","rate_limits":{"primary":{"used_percent":42.5,"window_minutes":300,"reset_at":1700000000}},"credits":{"has_credits":true,"unlimited":false,"balance":"1.5"}}"#,
        r#"{"type":"response.brand_new","x":[1,2.50,null]}"#,
        r#"{"type":"response.output_text.delta","delta":"ha"#,
        "<p>",
        "{\"type\":\"response.metadata\",\n \"headers\":{\"x-codex-turn-state\":\"secret\"}}",
        "{\"type\":\"keepalive\",\n \"a\": 1}",
    ] {
        stream.handle_event(None, payload.as_bytes());
    }
    let seen: Vec<TurnEvent> = std::iter::from_fn(|| stream.poll_event()).collect();

    let delta = |output_index, content_index, summary_index, text: &str| {
        let mut delta = Delta::new(output_index, text);
        delta.item_id = Some("msg_1".into());
        delta.content_index = content_index;
        delta.summary_index = summary_index;
        delta.sequence_number = Some(7);
        delta
    };
    let mut of_another_choice = delta(1, None, None, "hm");
    of_another_choice.item_id = None;
    of_another_choice.choice_index = 1;
    let item = |item: Value, choice_index| {
        let mut event = ItemEvent::new(2, Item::from_json(item).unwrap());
        event.choice_index = choice_index;
        event.call_index = Some(4);
        event.sequence_number = Some(7);
        event
    };
    let mut response = Completed::default();
    response.response_id = Some("resp_1".into());
    response.model = Some("gpt-5".into());
    response.usage = Usage::from_json(json!({"input_tokens": 3, "output_tokens": 2, "cost": 0.01}));
    response.finish_reason = Some("length".into());
    let mut incomplete = Incomplete::default();
    incomplete.reason = "length".into();
    incomplete.response = response.clone();
    let mut created = Created::default();
    created.response_id = Some("resp_1".into());
    created.model = Some("gpt-5".into());
    let mut opened = Opened::new(200);
    opened.request_id = Some("req_1".into());
    opened.turn_state = true;
    let mut retry = Retry::new(2, 9, FailureKind::Api, "Oh.");
    retry.delay = Duration::from_micros(1_500_900);
    retry.code = Some("server_error".into());
    retry.discarded = true;
    let url = "https://api.example.com/v1/responses";
    let mut events = vec![
        TurnEvent::Request(RequestStarted::new(1, TransportKind::WebSocket, url)),
        TurnEvent::Opened(opened),
        TurnEvent::Opened(Opened::new(101)),
        TurnEvent::Created(created),
        TurnEvent::Created(Created::default()),
        TurnEvent::ItemAdded(item(json!({"type": "message", "role": "assistant", "content": []}), 0)),
        TurnEvent::ItemDone(item(json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}), 1)),
        TurnEvent::TextDelta(delta(0, Some(0), None, "a\n\"b\"")),
        TurnEvent::RefusalDelta(delta(0, Some(1), None, "no")),
        TurnEvent::ReasoningDelta(of_another_choice),
        TurnEvent::ReasoningSummaryDelta(delta(1, None, Some(0), "so")),
        TurnEvent::ToolInputDelta(delta(2, None, None, "{")),
    ];
    events.extend(seen);
    events.extend([
        TurnEvent::Retry(retry),
        TurnEvent::Fallback(Fallback::new(TransportKind::WebSocket, TransportKind::Sse, "the handshake was refused")),
        TurnEvent::Completed(response),
        TurnEvent::Completed(Completed::default()),
        TurnEvent::Incomplete(incomplete),
    ]);
    events
}

#[test]
fn an_event_is_named_as_in_its_json() {
    for event in every_event() {
        assert_eq!(serde_json::to_value(&event).unwrap()["type"], event.name());
    }
}

#[test]
fn every_event_as_a_line_of_json_output() {
    let lines: Vec<String> = every_event().iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    insta::with_settings!({
        description => "One line of `--output json` for every kind of event, without the fields that `turn` adds.",
        omit_expression => true,
    }, {
        insta::assert_snapshot!("events_as_json", lines.join("\n"));
    });
}

/// The fields that JSON output promises for each type; `?` marks those that may be missing.
#[test]
fn the_fields_of_json_lines_are_those_of_the_contract() {
    let delta = "output_index item_id? content_index? summary_index? choice_index? delta";
    let contract = [
        ("request", "attempt transport url turn_state"),
        ("opened", "status request_id? turn_state"),
        ("created", "response_id? model?"),
        ("item_added", "output_index item choice_index?"),
        ("item_done", "output_index item choice_index?"),
        ("text_delta", delta),
        ("refusal_delta", delta),
        ("reasoning_delta", delta),
        ("reasoning_summary_delta", delta),
        ("tool_input_delta", delta),
        ("rate_limits", "limit_id limit_name? plan_type? primary? secondary? credits?"),
        ("unknown", "event raw"),
        ("malformed", "event? error raw"),
        ("other", "event raw"),
        ("retry", "attempt max_attempts delay_ms reason code? message discarded"),
        ("fallback", "from to reason"),
        ("completed", "response_id? model? usage? finish_reason?"),
        ("incomplete", "reason response_id? model? usage? finish_reason?"),
    ];
    let mut seen = Vec::new();
    for event in every_event() {
        let Ok(Value::Object(line)) = serde_json::to_value(&event) else { panic!("{event:?}") };
        let event_type = line["type"].as_str().unwrap();
        let (_, fields) = contract.iter().find(|(name, _)| *name == event_type).expect(event_type);
        let fields: Vec<&str> = fields.split(' ').collect();
        for field in &fields {
            assert!(field.ends_with('?') || line.contains_key(*field), "{event_type} lacks {field}");
        }
        for key in line.keys().filter(|key| *key != "type") {
            assert!(fields.iter().any(|field| field.trim_end_matches('?') == key), "{event_type} has {key}");
        }
        seen.push(event_type.to_owned());
    }
    for (event_type, _) in contract {
        assert!(seen.iter().any(|seen| seen == event_type), "no {event_type} was looked at");
    }
}

#[test]
fn usage_keeps_what_it_does_not_know() {
    let usage = Usage::from_json(json!({
        "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12, "cost": 0.5,
        "prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 3},
    }))
    .unwrap();
    let counts = [
        usage.input_tokens(),
        usage.output_tokens(),
        usage.total_tokens(),
        usage.cached_tokens(),
        usage.reasoning_tokens(),
    ];
    assert_eq!(counts, [Some(5), Some(7), Some(12), Some(2), Some(3)]);
    assert_eq!(usage.as_json()["cost"], 0.5);
    let bare = Usage::from_json(json!({"input_tokens": 1, "input_tokens_details": null})).unwrap();
    assert_eq!((bare.input_tokens(), bare.output_tokens(), bare.cached_tokens()), (Some(1), None, None));
    for none in [json!(null), json!([]), json!(1)] {
        assert_eq!(Usage::from_json(none), None);
    }
}
