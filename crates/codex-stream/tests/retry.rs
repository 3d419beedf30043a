//! `turn` when attempts fail: what is tried again, what is shown of it, and the status at the end.
//!
//! `--max-wait` keeps the waits short: they are drawn from what is left of it.

mod support;

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use bytes::Bytes;
use codex_stream::{OutputFormat, TextStyle, renderer};
use response_events::{Delta, FailureKind, Ledger, Retry, TurnEvent, Wire};
use serde_json::{Value, json};
use stream_replay::{Cut, Gate, Response};
use support::{
    Ran,
    server::{Server, call, message, sse},
};

const HURRY: &str = "--max-wait=50ms";

/// The text of an answer that never comes to its end.
fn half(text: &str) -> Response {
    sse(&[json!({"type": "response.output_text.delta", "output_index": 0, "delta": text})])
}

/// An answer that is cut behind its second item, in whose place the next one has nothing.
fn cut_message(text: &str) -> Response {
    let content = json!([{"type": "output_text", "text": text}]);
    sse(&[
        json!({"type": "response.output_text.delta", "output_index": 1, "delta": text}),
        json!({"type": "response.output_item.done", "output_index": 1,
            "item": {"type": "message", "role": "assistant", "content": content}}),
    ])
    .cut(Cut::Close)
}

fn types(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["type"].as_str().unwrap_or_default()).collect()
}

#[test]
fn a_cut_answer_reaches_a_pipe_once() {
    let server = Server::new([cut_message("One, two"), message("One.")]);
    let ran = server.turn(&["hi", HURRY]);
    assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "One.\n", ""), "{ran:?}");
    assert_eq!(server.bodies().len(), 2);
}

#[test]
fn what_came_of_the_last_attempt_is_shown() {
    let server = Server::new([half("One"), half("Two")]);
    let ran = server.turn(&["hi", "--max-attempts=2", HURRY]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), "Two\n"), "{ran:?}");
    assert!(ran.stderr.contains("the answer is not complete"), "{}", ran.stderr);
}

#[test]
fn fail_on_cut_prints_at_once_and_stops() {
    let server = Server::new([cut_message("Half\n"), message("Whole.")]);
    let ran = server.turn(&["hi", "--on-cut", "fail", HURRY]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), "Half\n"), "{ran:?}");
    assert_eq!(server.bodies().len(), 1);
    // Nothing was delivered yet.
    let server = Server::new([Response::new(503), message("Whole.")]);
    let ran = server.turn(&["hi", "--on-cut", "fail", HURRY]);
    assert_eq!((ran.status, ran.stdout.as_str(), server.bodies().len()), (Some(0), "Whole.\n", 2), "{ran:?}");
}

#[test]
fn text_that_cannot_become_void_is_not_held_back() {
    for option in ["--on-cut=fail", "--max-attempts=1"] {
        let gate = Gate::new();
        let rest = json!({"type": "response.completed", "response": {"id": "r"}});
        let text = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Half\n"});
        let events = [text, rest].map(|event| Bytes::from(format!("data: {event}\n\n")));
        let server = Server::new([Response::sse("").chunks(events).gate(gate.clone())]);
        gate.release();
        // If the text comes only after this, the answer fails.
        let mut command = server.command(&["hi", option, "--idle-timeout=10s"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("text arrives");
        assert_eq!(line, "Half\n", "{option}");
        gate.release();
        let status = child.wait().expect("the binary ends");
        assert_eq!(status.code(), Some(0), "{option}: the text came too late");
    }
}

#[test]
fn a_persistent_refusal_takes_the_attempts_that_were_asked_for() {
    for attempts in 1..=3 {
        let server = Server::new([Response::new(500)]);
        let ran = server.turn(&["hi", "--max-attempts", &attempts.to_string(), HURRY]);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert_eq!(server.bodies().len(), attempts);
        assert_eq!(ran.stderr.contains(&format!("{attempts} attempts")), attempts > 1, "{}", ran.stderr);
    }
}

#[test]
fn the_last_failure_decides_the_status() {
    let overloaded = || Response::json(503, json!({"error": {"message": "Busy."}}).to_string());
    for (responses, status, message) in [
        ([half("Half"), half("Half")], 3, "the stream ended"),
        ([half("Half"), overloaded()], 1, "Busy."),
        ([overloaded(), half("Half").cut(Cut::Reset)], 3, ""),
    ] {
        let server = Server::new(responses);
        let ran = server.turn(&["hi", "second", "--max-attempts", "2", HURRY]);
        assert_eq!(ran.status, Some(status), "{ran:?}");
        assert!(ran.stderr.starts_with(&format!("error: {message}")), "{}", ran.stderr);
        assert_eq!(server.bodies().len(), 2, "a failed turn ends the run");
    }
}

#[test]
fn nobody_listening_is_status_3() {
    let server = Server::new([]);
    let base_url = server.server.base_url();
    server.runtime.block_on(server.server.shutdown());
    let ran = support::run(&["turn", "hi", "--base-url", &base_url, "--max-attempts", "3", HURRY]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("3 attempts"), "{}", ran.stderr);
}

#[test]
fn what_cannot_succeed_is_status_1_after_one_request() {
    let error = json!({"code": "invalid_prompt", "message": "Flagged."});
    let held = |event: Value| sse(&[event]).hold_until(Gate::new());
    for response in [
        held(json!({"type": "response.failed", "response": {"error": error}})),
        held(json!({"type": "error", "error": error})),
        Response::json(400, json!({"error": error}).to_string()),
    ] {
        let server = Server::new([response]);
        let ran = server.turn(&["hi"]);
        assert_eq!((ran.status, server.bodies().len()), (Some(1), 1), "{ran:?}");
        assert!(ran.stderr.starts_with("error: Flagged.\n"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("invalid_prompt") && ran.stderr.contains("not worth another try"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_hint_too_far_away_ends_with_when_to_come_back() {
    let refusal =
        Response::json(429, json!({"error": {"message": "Later."}}).to_string()).header("retry-after", "10800");
    let server = Server::new([refusal]);
    let ran = server.turn(&["hi"]);
    assert_eq!((ran.status, server.bodies().len()), (Some(1), 1), "{ran:?}");
    assert!(ran.stderr.contains("asks to come back in 3 h"), "{}", ran.stderr);
}

#[test]
fn json_tells_every_attempt_and_what_is_void() {
    let server = Server::new([Response::new(500), cut_message("Half"), message("Whole.")]);
    let ran = server.turn(&["hi", "--output", "json", "--max-attempts", "3", HURRY]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let lines = ran.json_lines();
    let expected = [
        &["request", "opened", "retry"][..],
        &["request", "opened", "text_delta", "item_done", "retry"],
        &["request", "opened", "text_delta", "item_done", "completed"],
    ];
    assert_eq!(types(&lines), expected.concat());
    let retries: Vec<_> = lines.iter().filter(|line| line["type"] == "retry").collect();
    let told = |retry: &Value| {
        let keys = ["turn", "request", "attempt", "max_attempts", "reason", "discarded"];
        keys.map(|key| retry[key].clone())
    };
    assert_eq!(told(retries[0]), [json!(0), json!(0), json!(2), json!(3), json!("status"), json!(false)]);
    assert_eq!(told(retries[1]), [json!(0), json!(0), json!(3), json!(3), json!("truncated"), json!(true)]);
    assert!(retries.iter().all(|retry| retry["delay_ms"].as_u64().is_some_and(|delay| delay <= 50)), "{retries:?}");
}

#[test]
fn a_summary_holds_the_last_attempt_only() {
    let server = Server::new([cut_message("Half of it"), message("Whole.")]);
    let ran = server.turn(&["hi", "--output", "summary", HURRY]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let lines = ran.json_lines();
    let alone = Server::new([message("Whole.")]).turn(&["hi", "--output", "summary"]).json_lines();
    assert_eq!(lines, alone);
    assert_eq!((lines.len(), &lines[0]["output_text_bytes"]), (1, &json!(6)));
}

#[test]
fn a_summary_of_a_request_that_ends_while_it_waits_is_empty() {
    let text = TurnEvent::TextDelta(Delta::new(0, "Half"));
    let mut retry = Retry::new(2, 9, FailureKind::Truncated, "cut");
    retry.discarded = true;
    let void = TurnEvent::Retry(retry);
    let mut out = Vec::new();
    let mut summary = renderer(OutputFormat::Summary, Wire::Responses, TextStyle::Pipe);
    summary.event(None, &text, &mut out).expect("a vector takes everything");
    summary.event(None, &void, &mut out).expect("a vector takes everything");
    summary.end(None, &Ledger::default(), &mut out).expect("a vector takes everything");
    let summary: Value = serde_json::from_slice(&out).expect("a summary is JSON");
    assert_eq!(summary["delta_text_bytes"], 0);
}

#[test]
fn nothing_of_a_void_attempt_becomes_history() {
    let server = Server::new([cut_message("Void."), message("Kept."), message("Two.")]);
    let ran = server.turn(&["first", "second", HURRY]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "Kept.\nTwo.\n"), "{ran:?}");
    let bodies = server.bodies();
    assert_eq!(bodies[0], bodies[1], "the same request again");
    let input = bodies[2]["input"].as_array().expect("a list");
    assert_eq!((input.len(), &input[1]["content"][0]["text"]), (3, &json!("Kept.")));
}

#[test]
fn the_turn_state_stays_within_its_turn_and_is_never_shown() {
    const HEADER: &str = "x-codex-turn-state";
    let metadata = json!({"type": "response.metadata", "headers": {HEADER: "ts-secret-2"}});
    for output in ["text", "json", "transcript", "summary"] {
        let cut = sse(std::slice::from_ref(&metadata)).header(HEADER, "ts-secret-1").cut(Cut::Close);
        let server = Server::new([cut, call("clock"), message("Noon."), message("Bye.")]);
        let args = ["time?", "thanks", "--tool-output", "clock=12:00", "--output", output, HURRY];
        let mut command = server.command(&args);
        let ran: Ran = command.env("RUST_LOG", "trace").output().expect("the binary runs").into();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let requests = server.server.requests();
        let sent: Vec<_> = requests.iter().map(|request| request.header(HEADER)).collect();
        assert_eq!(sent, [None, Some("ts-secret-1"), Some("ts-secret-1"), None]);
        assert!(!format!("{ran:?}").contains("ts-secret"), "{ran:?}");
    }
}
