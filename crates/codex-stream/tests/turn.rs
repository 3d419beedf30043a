//! `turn` against a server in the test.

mod support;

use serde_json::{Value, json};
use stream_replay::Response;
use support::{
    Ran, run,
    server::{Server, call, message, sse},
};

fn types(input: &Value) -> Vec<&str> {
    input.as_array().into_iter().flatten().map(|item| item["type"].as_str().unwrap_or_default()).collect()
}

#[test]
fn without_a_service_a_recording_is_played_and_said_to_be_one() {
    for wire in ["responses", "chat"] {
        let ran = run(&["turn", "Say hello", "--wire", wire]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stdout.starts_with("Hello!"), "{}", ran.stdout);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("recording"), "{}", ran.stderr);
    }
}

#[test]
fn nothing_leads_to_the_recording_but_the_way_on_this_machine() {
    let ran = run(&["turn", "hi", "--proxy", "http://127.0.0.1:1", "--max-attempts", "1"]);
    assert_eq!((ran.status, ran.stderr.lines().count()), (Some(0), 1), "{ran:?}");
}

#[test]
fn turns_of_a_session_carry_the_history() {
    let server = Server::new([message("One."), message("Two.")]);
    let ran = server.turn(&["first", "second", "--model", "m", "--set", "store=true"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "One.\nTwo.\n"), "{ran:?}");
    let bodies = server.bodies();
    assert_eq!((&bodies[0]["model"], &bodies[0]["store"]), (&json!("m"), &json!(true)));
    assert_eq!(types(&bodies[0]["input"]), ["message"]);
    assert_eq!(types(&bodies[1]["input"]), ["message", "message", "message"]);
    assert_eq!(bodies[1]["input"][1]["content"][0]["text"], "One.");
}

#[test]
fn answered_calls_are_followed_up_in_the_same_turn() {
    let server = Server::new([call("clock"), message("Noon.")]);
    let ran = server.turn(&["time?", "--tool-output", "clock=12:00", "--output", "json"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let places: Vec<_> = ran.json_lines().iter().map(|line| (line["turn"].clone(), line["request"].clone())).collect();
    assert!(places.contains(&(json!(0), json!(0))) && places.contains(&(json!(0), json!(1))), "{places:?}");
    let completed = ran.json_lines().iter().filter(|line| line["type"] == "completed").count();
    assert_eq!(completed, 2);
    let input = &server.bodies()[1]["input"];
    assert_eq!(types(input), ["message", "function_call", "function_call_output"]);
    assert_eq!(input[2], json!({"type": "function_call_output", "call_id": "c1", "output": "12:00"}));
}

#[test]
fn a_call_that_nobody_answers_ends_the_turn_well() {
    let server = Server::new([call("map")]);
    let ran = server.turn(&["where?", "--tool-output", "clock=12:00"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "[tool call] map {}\n"), "{ran:?}");
    assert_eq!(server.bodies().len(), 1);
    // Some are answered, so the name may be wrong.
    assert_eq!(ran.stderr, "note: the turn ends with the call of map, which no --tool-output answers\n");
    let ran = server.turn(&["where?"]);
    assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "[tool call] map {}\n", ""));
    // Services refuse a call without its output, so the next turn does without it.
    let server = Server::new([call("map"), message("Here.")]);
    assert_eq!(server.turn(&["where?", "well?"]).status, Some(0));
    assert_eq!(types(&server.bodies()[1]["input"]), ["message", "message"]);
}

#[test]
fn the_follow_up_limit_is_status_3() {
    let server = Server::new([call("clock")]);
    let ran = server.turn(&["time?", "--tool-output", "clock=12:00", "--max-follow-ups", "2"]);
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("after 2 follow-up requests"), "{}", ran.stderr);
    assert_eq!(server.bodies().len(), 3);
}

#[test]
fn a_failed_turn_ends_the_run_with_the_message_of_the_service() {
    let failed =
        json!({"type": "response.failed", "response": {"error": {"code": "invalid_prompt", "message": "No."}}});
    let server = Server::new([sse(&[failed]).hold_until(stream_replay::Gate::new())]);
    let ran = server.turn(&["first", "second"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.starts_with("error: No.\n"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("note: the run ends with prompt 1; none behind it is sent\n"), "{}", ran.stderr);
    assert_eq!(server.bodies().len(), 1);

    let refused = json!({"error": {"code": "invalid_api_key", "message": "Wrong key."}}).to_string();
    let server = Server::new([Response::json(401, refused)]);
    let ran = server.turn(&["first", "--output", "summary"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.starts_with("error: Wrong key.\n"), "{}", ran.stderr);
    // There was only one.
    assert!(!ran.stderr.contains("note: "), "{}", ran.stderr);
    let summary = &ran.json_lines()[0];
    assert_eq!((&summary["outcome"], &summary["error"]["code"]), (&json!("failed"), &json!("invalid_api_key")));
}

#[test]
fn a_service_that_may_have_only_the_other_wire_is_told_as_one() {
    let hint = |status, body: &str, args: &[&str]| {
        let server = Server::new([Response::json(status, body.to_owned())]);
        let ran = server.turn(&[&["hi"], args].concat());
        assert_eq!(ran.status, Some(1), "{ran:?}");
        ran.stderr.lines().find_map(|line| line.split_once(": try ")).map(|(_, wire)| wire.to_owned())
    };
    let unknown_url = |path: &str| json!({"error": {"message": format!("Unknown endpoint (POST {path})")}}).to_string();
    let chat = Some("`--wire chat`".to_owned());
    let responses = Some("`--wire responses`".to_owned());
    assert_eq!(hint(404, "404 page not found", &[]), chat);
    assert_eq!(hint(405, "{\"detail\":\"Method Not Allowed\"}", &["--wire", "chat"]), responses);
    assert_eq!(hint(404, &unknown_url("/v1/responses"), &[]), chat);
    assert_eq!(hint(200, &unknown_url("/v1/chat/completions"), &["--wire", "chat"]), responses);
    // It knows the endpoint, or was asked for a WebSocket.
    let no_model = r#"{"error": {"code": "model_not_found", "message": "The model does not exist."}}"#;
    assert_eq!(hint(404, no_model, &[]), None);
    assert_eq!(hint(404, "404 page not found", &["--transport", "ws"]), None);
}

#[test]
fn a_cut_stream_is_status_3() {
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Half"});
    let server = Server::new([sse(&[delta])]);
    let ran = server.turn(&["hi", "--max-attempts", "1"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), "Half\n"), "{ran:?}");
}

#[test]
fn the_key_is_sent_and_never_shown() {
    let server = Server::new([message("Hi.")]);
    let run = |output: &str| -> Ran {
        let mut command = server.command(&["hi", "--output", output, "--api-key-env", "A_KEY", "--header", "x-a: b"]);
        command.env("A_KEY", "sk-secret").output().expect("the binary runs").into()
    };
    for output in ["text", "json", "transcript", "summary"] {
        let ran = run(output);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(!ran.stdout.contains("sk-secret") && !ran.stderr.contains("sk-secret"));
    }
    let requests = server.server.requests();
    assert_eq!(requests[0].header("authorization"), Some("Bearer sk-secret"));
    assert_eq!(requests[0].header("x-a"), Some("b"));
    server.turn(&["hi"]);
    assert_eq!(server.server.requests().last().and_then(|request| request.header("authorization")), None);
}

#[test]
fn a_key_in_place_of_the_name_of_its_variable_is_not_repeated() {
    let server = Server::new([message("Hi.")]);
    for (name, told) in [("A_KEY", "A_KEY"), ("gsk_abc123", "--api-key-env")] {
        let ran = server.turn(&["hi", "--api-key-env", name]);
        assert_eq!((ran.status, ran.stderr.lines().count()), (Some(0), 1), "{ran:?}");
        assert!(ran.stderr.contains("requests go without a key") && ran.stderr.contains(told), "{ran:?}");
        assert!(!ran.stderr.contains("gsk"), "{ran:?}");
        let ran = run(&["turn", "hi", "--api-key-env", name]);
        assert!(ran.stderr.contains(&format!("({told} or --base-url)")) && !ran.stderr.contains("gsk"), "{ran:?}");
    }
    assert!(server.server.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_key_in_the_path_of_the_service_is_not_shown() {
    let server = Server::new([message("Hi.")]);
    let url = format!("{}/sk-secret", server.server.base_url());
    for output in ["json", "transcript"] {
        let mut command = support::command();
        command.args(["turn", "hi", "--output", output, "--base-url", &url]).env("OPENAI_API_KEY", "sk-secret");
        let ran = Ran::from(command.output().expect("the binary runs"));
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("/v1/[redacted]/responses"), "{ran:?}");
        assert!(!ran.stdout.contains("sk-secret") && !ran.stderr.contains("sk-secret"), "{ran:?}");
    }
}

#[test]
fn prompts_are_read_from_standard_input_line_by_line() {
    let ran = support::run_with_input(&["turn", "-", "--output", "summary"], b"one\n\ntwo\n");
    assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 2), "{ran:?}");
}

#[test]
fn files_of_prompts_may_have_a_byte_order_mark_and_any_line_ends() {
    let server = Server::new([message("Hi.")]);
    let ask = |input: &[u8]| support::run_with_input(&["turn", "-", "--base-url", &server.server.base_url()], input);
    let ran = ask("\u{feff}one\r\n\u{feff}\r\n \ntwo".as_bytes());
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let bodies = server.bodies();
    let said: Vec<_> =
        bodies[1]["input"].as_array().expect("items").iter().map(|item| &item["content"][0]["text"]).collect();
    assert_eq!(said, ["one", "Hi.", "two"]);
}

#[test]
fn prompts_that_cannot_be_read_are_named_by_their_line() {
    let server = Server::new([message("Hi.")]);
    let ask = |input: &[u8]| support::run_with_input(&["turn", "-", "--base-url", &server.server.base_url()], input);
    let ran = ask(b"one\n\ntwo\xff\n");
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), "Hi.\n"), "{ran:?}");
    assert_eq!(ran.stderr, "error: cannot read standard input: line 3 is not UTF-8\n");
    for nothing in ["", "\n \r\n"] {
        let ran = ask(nothing.as_bytes());
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), "note: standard input has no prompt in it\n"));
    }
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn a_repeated_header_is_sent_with_each_of_its_values() {
    let server = Server::new([message("Hi.")]);
    let ran = server.turn(&["hi", "--header", "x-tag: a", "--header", "X-Tag:b", "--header", "user-agent: mine"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let request = &server.server.requests()[0];
    let sent = |name: &str| -> Vec<&str> {
        request.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!((sent("x-tag"), sent("user-agent")), (vec!["a", "b"], vec!["mine"]));
}
