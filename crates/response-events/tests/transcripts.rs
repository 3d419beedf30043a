//! The renderer of transcripts by itself. Whole streams as people read them are in the workspace's `tests/`.

mod common;

use std::{fmt::Write, time::Duration};

use insta::internals::Content;

use response_events::{
    ApiError, Failure, FailureKind, Fallback, Interpreter, InterpreterOptions, Opened, Outcome, Phase, RequestStarted,
    Retry, Transcript, TransportKind, TurnEvent, TurnStateMark, Wire,
};

/// The transcript of a stream that is written as in `common` and completes.
fn transcript(wire: Wire, stream: &str) -> String {
    let mut interpreter = Interpreter::new(wire, InterpreterOptions::default());
    for line in stream.lines() {
        let (name, data) = common::payload(line);
        interpreter.handle_event(name, data.as_bytes());
    }
    assert!(matches!(interpreter.outcome(), Some(Outcome::Completed(_))), "the stream completes");
    let mut transcript = Transcript::new();
    let events: String =
        std::iter::from_fn(|| interpreter.poll_event()).map(|event| transcript.event(None, &event)).collect();
    events + &transcript.end(None, interpreter.ledger())
}

/// What a turn puts around its streams: requests, heads, retries.
#[test]
fn turn_with_retry_and_fallback() {
    let at = |millis| Some(Duration::from_millis(millis));
    let request = |attempt, transport, turn_state: Option<&str>| {
        let mut request = RequestStarted::new(attempt, transport, "http://127.0.0.1:49152/v1/responses");
        request.turn_state = turn_state.is_some();
        request.turn_state_mark = turn_state.map(TurnStateMark::new);
        TurnEvent::Request(request)
    };
    let opened = |status, id: &str, turn_state: &str, captured| {
        let mut opened = Opened::new(status);
        opened.request_id = Some(id.into());
        opened.turn_state = captured;
        opened.turn_state_mark = Some(TurnStateMark::new(turn_state));
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
            (at(0), request(1, TransportKind::WebSocket, None)),
            (
                at(40),
                TurnEvent::Fallback(Fallback::new(
                    TransportKind::WebSocket,
                    TransportKind::Sse,
                    "the service asks for another transport (426)",
                )),
            ),
            (at(40), request(1, TransportKind::Sse, None)),
            (at(90), opened(200, "req_8f3", "secret", true)),
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
            (at(884), request(2, TransportKind::Sse, Some("secret"))),
            (at(930), opened(200, "req_9a0", "unwanted", false)),
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

    assert!(!text.contains("secret") && !text.contains("unwanted"), "{text}");
    let made = Content::from("events made by hand, with virtual times");
    insta::with_settings!({
        raw_info => &Content::Map(vec![(Content::from("fixture"), made)]),
        description => "A WebSocket that the service does not want, a cut whose output is void, and a second try that \
                        is sent with the turn state and fails for good.",
        omit_expression => true,
    }, {
        insta::assert_snapshot!("turn_with_retry_and_fallback", text);
    });
}

/// It has an id of its own only when it is whole; then it is the first one that has.
#[test]
fn a_call_that_the_service_does_not_name_is_numbered_once() {
    let calls = r#"delta {"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]}"#;
    let text = transcript(Wire::Chat, &format!("{calls}\nDONE"));
    let calls: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once("function_call ")?.1)).collect();
    assert_eq!(calls, ["- f", r#"call_1 f "{}" completed"#], "{text}");
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
