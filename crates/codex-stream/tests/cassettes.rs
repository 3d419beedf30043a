//! `decode` of cassettes tells what `turn` told when they were recorded.

mod support;

use serde_json::{Value, json};
use support::{Ran, run_with_input};

const OUTPUTS: [&str; 5] = ["json", "text", "transcript", "summary", "html"];

/// Decodes in every form, which must agree on the status and on what is said of the failure; gives the JSON form.
#[track_caller]
fn decode(wire: &str, cassette: &str) -> Ran {
    let decode = |output| run_with_input(&["decode", "--wire", wire, "--output", output], cassette.as_bytes());
    let json = decode("json");
    for output in OUTPUTS {
        assert_eq!(decode(output).status, json.status, "{output}: {cassette}\n{}", json.stderr);
    }
    json
}

/// A recorded WebSocket: `>` is a message of the client, everything else one of the server.
fn socket(messages: &[String], end: &str) -> String {
    let frame = |message: &String| match message.as_str() {
        ">" => "client +0.2s text\n  : {\"type\":\"response.create\"}\n".to_owned(),
        message => format!("server +0.3s text\n  : {message}\n"),
    };
    let frames: String = messages.iter().map(frame).collect();
    format!("codex-cassette 1\nrequest +0s GET \"/v1/responses\"\nresponse +0.1s 101 websocket\n{frames}{end}\n")
}

fn ask() -> String {
    ">".to_owned()
}

fn text(delta: &str) -> String {
    json!({"type": "response.output_text.delta", "output_index": 0, "delta": delta}).to_string()
}

fn end(kind: &str, id: &str) -> String {
    json!({"type": format!("response.{kind}"), "response": {"id": id}}).to_string()
}

fn failed(code: &str) -> String {
    json!({"type": "response.failed", "response": {"error": {"code": code, "message": "No."}}}).to_string()
}

#[track_caller]
fn check_socket(messages: &[String], end: &str, types: &[&str], status: i32) -> Vec<Value> {
    let ran = decode("responses", &socket(messages, end));
    let lines = ran.json_lines();
    let seen: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap_or_default()).collect();
    assert_eq!((seen.as_slice(), ran.status), (types, Some(status)), "{}", ran.stderr);
    lines
}

#[test]
fn every_answer_of_a_socket_is_shown_and_the_last_one_is_the_status() {
    let finish = "end +1s finish";
    let good = || [ask(), text("Hi"), end("completed", "r1")];
    let two = [good(), good()].concat();
    check_socket(&two, finish, &["text_delta", "completed", "text_delta", "completed"], 0);
    let bad = [&good()[..], &[ask(), failed("invalid_prompt")]].concat();
    check_socket(&bad, finish, &["text_delta", "completed", "failed"], 1);
    let unknown = json!({"type": "error", "error": {"code": "previous_response_not_found", "message": "Who?"}});
    let repaired = [&[ask(), unknown.to_string()], &good()[..]].concat();
    check_socket(&repaired, finish, &["failed", "text_delta", "completed"], 0);
    // Each answer is a summary of its own.
    let summaries =
        run_with_input(&["decode", "--wire", "responses", "--output", "summary"], socket(&two, finish).as_bytes());
    assert_eq!(summaries.json_lines().len(), 2, "{summaries:?}");
}

#[test]
fn late_events_of_a_response_are_not_those_of_the_next() {
    let said = |kind: &str, id: &str| json!({"type": kind, "response": {"id": id}}).to_string();
    let first = [ask(), said("response.created", "r1"), end("completed", "r1")];
    let late = [ask(), said("response.in_progress", "r1"), end("completed", "r1")];
    let second = [said("response.created", "r2"), text("Hi"), end("completed", "r2")];
    let types = ["created", "completed", "created", "text_delta", "completed"];
    let lines = check_socket(&[first, late, second].concat(), "end +1s finish", &types, 0);
    assert_eq!(lines[4]["response_id"], "r2");
}

#[test]
fn a_steered_answer_goes_on_over_a_socket_only() {
    let steered = json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "steered"}}});
    let messages = [ask(), text("One"), steered.to_string(), text("two"), end("completed", "r")];
    let lines = check_socket(&messages, "end +1s finish", &["text_delta", "other", "text_delta", "completed"], 0);
    assert_eq!(lines[2]["delta"], "two");
    let ran = run_with_input(
        &["decode", "--wire", "responses", "--output", "json"],
        format!("data: {steered}\n\n").as_bytes(),
    );
    assert_eq!(ran.json_lines()[0]["type"], "incomplete");
}

#[test]
fn a_socket_that_ends_early_is_closed() {
    let half = [ask(), text("Half")];
    for (end, code, message) in [
        ("server +1s close 1011\n  : going away\nend +1s finish", 1011, "(code 1011): going away"),
        ("end +1s fin", 1006, "without a close"),
    ] {
        let lines = check_socket(&half, end, &["text_delta", "failed"], 3);
        let error = &lines[1]["error"];
        let told = (&error["kind"], &error["close_code"], &error["retryable"], &error["output_delivered"]);
        assert_eq!(told, (&json!("closed"), &json!(code), &json!(true), &json!(true)));
        assert!(error["message"].as_str().is_some_and(|text| text.contains(message)), "{error}");
    }
}

/// One answer over HTTP: its status, headers and body.
fn exchange(head: &str, body: &str) -> String {
    let body = body.lines().fold(String::new(), |text, line| text + "  | " + line + "\n");
    let chunk = if body.is_empty() { String::new() } else { format!("chunk +0.2s\n{body}") };
    format!(
        "codex-cassette 1\nrequest +0s POST \"/v1/responses\"\nheader host \"a.test\"\nresponse +0.1s {head}{chunk}end +0.3s finish\n"
    )
}

#[test]
fn an_answer_that_is_no_stream_is_what_it_was_to_the_turn() {
    let api = r#"{"error":{"code":"invalid_prompt","message":"No."}}"#;
    let page = "<!doctype html><title>Log in</title>";
    let html = "200\nheader content-type \"text/html\"\n";
    for (head, body, status, kind, retryable, message) in [
        ("302\nheader location \"https://other.test/\"\n", "", 3, "protocol", false, "redirects to"),
        ("307\nheader location \"/elsewhere\"\n", "", 3, "protocol", true, "redirects within"),
        ("407\n", "", 3, "proxy", false, "HTTP 407"),
        ("200\nheader content-type \"application/json\"\n", api, 1, "api", false, "No."),
        ("200\n", api, 1, "api", false, "No."),
        (html, page, 3, "protocol", true, "Log in"),
        ("200\n", page, 3, "protocol", true, "Log in"),
        ("500\n", "Out of order", 1, "status", true, "HTTP 500 Internal Server Error: Out of order"),
        ("400\n", api, 1, "api", false, "No."),
        ("404\n", "", 1, "status", false, "at http://a.test/v1/responses"),
    ] {
        let ran = decode("responses", &exchange(head, body));
        let line = ran.json_lines().remove(0);
        let error = &line["error"];
        let told = (ran.status, &error["kind"], &error["retryable"]);
        assert_eq!(told, (Some(status), &json!(kind), &json!(retryable)), "{head}: {error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(message)), "{head}: {error}");
    }
}

#[test]
fn a_whole_answer_in_one_document_is_an_answer() {
    let item = json!({"type": "message", "content": [{"type": "output_text", "text": "Hi"}]});
    let responses = json!({"id": "r1", "status": "completed", "output": [item]});
    let chat = json!({"id": "c1", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]});
    for (wire, document) in [("responses", responses), ("chat", chat)] {
        let pretty = serde_json::to_string_pretty(&document).expect("text");
        let cassette = exchange("200\nheader content-type \"application/json\"\n", &pretty);
        let ran = decode(wire, &cassette);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        assert_eq!(ran.json_lines().last().map(|line| &line["type"]), Some(&json!("completed")), "{}", ran.stdout);
        let text = run_with_input(&["decode", "--wire", wire, "--output", "text"], cassette.as_bytes());
        assert_eq!(text.stdout, "Hi\n");
    }
}

#[test]
fn the_id_of_a_request_has_several_names() {
    for name in ["x-request-id", "x-oai-request-id", "apim-request-id", "x-amzn-requestid"] {
        for head in ["500\n", "200\n"] {
            let ran = decode("responses", &exchange(&format!("{head}header {name} \"req_7\"\n"), ": ping\n"));
            assert_eq!(ran.json_lines()[0]["error"]["request_id"], "req_7", "{name}");
        }
    }
}

#[test]
fn the_summary_of_a_refusal_is_that_of_a_stream_without_events() {
    let cassette = exchange("500\n", "");
    let ran = run_with_input(&["decode", "--wire", "responses", "--output", "summary"], cassette.as_bytes());
    assert_eq!(ran.json_lines()[0]["sequence_numbers_contiguous"], true);
}
