//! `decode` in its forms, at several chunkings, with its exit statuses.

mod support;

use serde_json::json;
use support::{Ran, run_with_input};

const CHAT: &str = r#"data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"reasoning_content":"Hm."}}]}

data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"Hello"}}]}

data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_x","function":{"name":"clock","arguments":"{}"}}]}}]}

data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}}

data: [DONE]

"#;

const CREATED: &str = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r1\",\"model\":\"m\"}}\n\n";
const HALF: &str = "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Half\"}\n\n";
const COMPLETED: &str =
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r1\",\"status\":\"completed\"}}\n\n";

/// Decodes at several chunkings, which must agree.
#[track_caller]
fn decode(wire: &str, output: &str, input: &str) -> Ran {
    let args = ["decode", "-", "--wire", wire, "--output", output];
    let whole = run_with_input(&args, input.as_bytes());
    for chunk_bytes in ["1", "7"] {
        let cut = run_with_input(&[&args[..], &["--chunk-bytes", chunk_bytes]].concat(), input.as_bytes());
        assert_eq!((cut.status, &cut.stdout), (whole.status, &whole.stdout), "in chunks of {chunk_bytes} bytes");
    }
    whole
}

#[test]
fn text_is_the_answer_and_the_calls() {
    let ran = decode("chat", "text", CHAT);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "Hello\n[tool call] clock {}\n"));
    assert_eq!(ran.stderr, "");
}

#[test]
fn transcript_has_one_line_an_event_and_two_at_the_end() {
    let ran = run_with_input(&["decode", "--wire", "chat"], CHAT.as_bytes());
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 11 + 2, "{}", ran.stdout);
    for (line, parts) in [
        (0, &["created", "m"][..]),
        (5, &["text", "o1", "\"Hello\""]),
        (9, &["item.done", "o2", "clock", "\"{}\""]),
        (10, &["completed", "finish=tool_calls", "usage=3in+5out"]),
        (11, &["== end"]),
        (12, &["== connection=open bytes=461 events=5 sentinels=1"]),
    ] {
        assert!(parts.iter().all(|part| lines[line].contains(part)), "{parts:?}: {}", lines[line]);
    }
    assert_eq!(ran.status, Some(0));
}

#[test]
fn columns_of_a_transcript_stay_apart_in_long_streams() {
    let ran = decode("responses", "transcript", &[&HALF.repeat(10_001), COMPLETED].concat());
    for (line, begins) in [(999, "#999 text  "), (1000, "#1000 text  "), (10_000, "#10000 text  ")] {
        let seen = ran.stdout.lines().nth(line).unwrap_or_default();
        assert!(seen.starts_with(begins), "{seen}");
    }
}

#[test]
fn json_has_one_object_a_line_and_ends_with_the_outcome() {
    let lines = decode("chat", "json", CHAT).json_lines();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        types,
        [
            "created",
            "item_added",
            "reasoning_delta",
            "item_done",
            "item_added",
            "text_delta",
            "item_done",
            "item_added",
            "tool_input_delta",
            "item_done",
            "completed"
        ]
    );
    assert_eq!(lines[5], json!({"type": "text_delta", "output_index": 1, "content_index": 0, "delta": "Hello"}));
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8});
    assert_eq!(
        lines[10],
        json!({"type": "completed", "response_id": "c1", "model": "m", "usage": usage, "finish_reason": "tool_calls"})
    );
}

#[test]
fn summary_is_one_object_in_reading_order() {
    let ran = decode("responses", "summary", &[CREATED, HALF, COMPLETED].concat());
    assert!(
        ran.stdout.starts_with(r#"{"wire_api":"responses","outcome":"completed","sse_events":3,"#),
        "{}",
        ran.stdout
    );
    let [summary] = &ran.json_lines()[..] else { panic!("one line: {}", ran.stdout) };
    assert_eq!(summary["delta_text_bytes"], 4);
    assert_eq!(summary["terminal_event"], "response.completed");
}

#[test]
fn a_failed_stream_is_status_1_with_the_message_verbatim() {
    let failed = r#"data: {"type":"response.failed","response":{"id":"r1","error":{"code":"invalid_prompt","message":"No: \"x\"."}}}"#;
    let input = [CREATED, HALF, failed, "\n\n", COMPLETED].concat();
    let ran = decode("responses", "json", &input);
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.contains("error: No: \"x\".\n"), "{}", ran.stderr);
    let error = json!({"kind": "api", "code": "invalid_prompt", "message": "No: \"x\".", "attempts": 1,
        "retryable": false, "output_delivered": true});
    assert_eq!(ran.json_lines().last(), Some(&json!({"type": "failed", "error": error})));
    // The first terminal signal counts, and the counting goes on.
    let summary = decode("responses", "summary", &input).json_lines().remove(0);
    assert_eq!((&summary["outcome"], &summary["sse_events"]), (&json!("failed"), &json!(4)));
    assert_eq!((&summary["terminal_event"], &summary["terminal_events_seen"]), (&json!("response.failed"), &json!(2)));
}

#[test]
fn a_cut_stream_is_status_3() {
    let ran = decode("responses", "text", &[CREATED, HALF].concat());
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), "Half\n"));
    assert!(ran.stderr.contains("before a terminal event"), "{}", ran.stderr);
    let cut = COMPLETED.trim_end().strip_suffix('}').unwrap();
    let ran = decode("responses", "text", &[CREATED, HALF, cut].concat());
    assert_eq!(ran.status, Some(3));
    assert!(ran.stderr.contains("note: the input ends inside an event"), "{}", ran.stderr);
}

#[test]
fn a_last_event_without_its_blank_line_counts_only_where_it_decides() {
    let note = "the input ends inside an event";
    let no_blank = |text: &str| text.trim_end().to_owned();
    let chat_half: String = CHAT.split_inclusive("\n\n").take(2).collect();
    for (wire, input, status, counts) in [
        ("responses", format!("{CREATED}{HALF}{}", no_blank(COMPLETED)), 0, true),
        ("responses", format!("{CREATED}{}", no_blank(HALF)), 3, false),
        ("chat", format!("{chat_half}data: DONE\n"), 0, true),
        // The answer is complete without its sentinel, which stays what the standard makes of it.
        ("chat", no_blank(CHAT), 0, false),
    ] {
        let ran = decode(wire, "summary", &input);
        assert_eq!((ran.status, ran.stderr.contains(note)), (Some(status), !counts), "{input}\n{}", ran.stderr);
        let dispatched = input.matches("data: ").count() as u64;
        assert_eq!(ran.json_lines()[0]["sse_events"], dispatched - u64::from(!counts), "{input}");
    }
}

#[test]
fn an_incomplete_answer_is_status_0_with_its_reason() {
    let incomplete =
        r#"data: {"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#;
    let ran = decode("responses", "text", &[CREATED, HALF, incomplete, "\n\n"].concat());
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "Half\n"));
    assert!(ran.stderr.contains("incomplete: max_output_tokens"), "{}", ran.stderr);
}

#[test]
fn an_input_that_is_no_stream_is_status_3_and_named() {
    for (input, seen) in [
        ("", "the input is empty"),
        ("<!doctype html><title>502</title>", "HTML or XML: \"<!doctype html>"),
        ("{\"error\":{\"message\":\"bad\"}}", "JSON: "),
        ("upstream connect error", "begins with \"upstream connect error\""),
    ] {
        let ran = decode("chat", "transcript", input);
        assert_eq!(ran.status, Some(3), "{input}");
        assert!(ran.stderr.contains(seen), "{input}: {}", ran.stderr);
        assert!(ran.stdout.starts_with("== error truncated"), "{input}: {}", ran.stdout);
    }
}

#[test]
fn an_event_above_the_limit_fails_once_and_the_rest_is_counted() {
    let input = [CREATED, HALF, "data: ", &"x".repeat(300), "\n\n", COMPLETED, COMPLETED].concat();
    let args = ["decode", "--wire", "responses", "--max-event-bytes", "100", "--output"];
    let json = run_with_input(&[&args[..], &["json"]].concat(), input.as_bytes());
    assert_eq!(json.status, Some(3));
    let lines = json.json_lines();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(types, ["created", "text_delta", "failed"]);
    assert_eq!(lines[2]["error"]["kind"], "too_large");
    let mut summaries = ["1", "7", "1400"].map(|chunk_bytes| {
        let ran = run_with_input(&[&args[..], &["summary", "--chunk-bytes", chunk_bytes]].concat(), input.as_bytes());
        ran.json_lines().remove(0)
    });
    assert!(summaries[1..].iter().all(|summary| *summary == summaries[0]));
    let summary = summaries[0].take();
    assert_eq!((&summary["outcome"], &summary["terminal_event"]), (&json!("failed"), &json!(null)));
    assert_eq!((&summary["sse_events"], &summary["terminal_events_seen"]), (&json!(4), &json!(2)));
}

#[test]
fn an_event_above_the_limit_fails_although_the_input_ends_in_it() {
    for tail in ["", "\n", "\ndata: x"] {
        for chunk_bytes in ["1", "7", "1400"] {
            let input = [CREATED, HALF, "data: ", &"x".repeat(300), tail].concat();
            let args = ["decode", "--wire", "responses", "--output", "json", "--max-event-bytes", "100"];
            let ran = run_with_input(&[&args[..], &["--chunk-bytes", chunk_bytes]].concat(), input.as_bytes());
            let lines = ran.json_lines();
            let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap_or_default()).collect();
            assert_eq!(types, ["created", "text_delta", "failed"], "{tail:?}");
            let error = &lines[2]["error"];
            assert_eq!((&error["kind"], &error["retryable"]), (&json!("too_large"), &json!(false)), "{tail:?}");
        }
    }
}

#[test]
fn a_picture_of_a_stream_is_one_page_that_says_it_has_no_clock() {
    let ran = decode("chat", "html", CHAT);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.starts_with("<!DOCTYPE html>") && ran.stdout.ends_with("</html>\n"), "{}", ran.stdout);
    for part in ["<title>completed</title>", "standard input", "has no clock", "completed (tool_calls)"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[test]
fn a_picture_of_a_cassette_has_its_exchanges_and_times() {
    let lines = |stream: &str| stream.lines().fold(String::new(), |text, line| text + "  | " + line + "\n");
    let cassette = format!(
        "codex-cassette 1\n\nrequest +0s POST \"/v1/responses?key=secret\"\nheader authorization \"Bearer secret\"\n\
         response +0.1s 503\nheader x-codex-turn-state \"secret\"\nchunk +0.1s\n  : {{\"error\":{{\"code\":\"server_is_overloaded\",\"message\":\"Later.\"}}}}\n\
         end +0.1s finish\nrequest +1s POST \"/v1/responses\"\nresponse +0.2s 200\nheader x-request-id \"req_7\"\n\
         chunk +0.3s\n{}chunk +2s\n{}end +2.5s finish\n",
        lines(&[CREATED, HALF].concat()),
        lines(COMPLETED)
    );
    let ran = run_with_input(&["decode", "--wire", "responses", "--output", "html"], cassette.as_bytes());
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    for part in [
        "<title>completed after 3.00 s, 2 attempts</title>",
        "failed (server_is_overloaded), void",
        "status 503",
        "req_7",
        "no event for 1.70 s: 1.300 s to 3.000 s",
        "first token after 300 ms",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("secret"), "{}", ran.stdout);
    let cut = cassette.split("chunk +2s").next().unwrap_or_default().to_owned() + "end +2.5s rst\n";
    let ran = run_with_input(&["decode", "--wire", "responses", "--output", "html"], cut.as_bytes());
    assert_eq!(ran.status, Some(3), "{}", ran.stderr);
    assert!(ran.stdout.contains("<title>failed after 3.50 s, 2 attempts: truncated"), "{}", ran.stdout);
}

#[test]
fn a_cassette_without_its_body_says_why() {
    let why = "a body coded as gzip cannot be redacted";
    let cassette = format!(
        "codex-cassette 1\nrequest +0s POST \"/v1/responses\"\nresponse +0.1s 200\n\
         header content-encoding \"gzip\"\nend +0.2s failed \"{why}\"\n"
    );
    let ran = run_with_input(&["decode", "--wire", "responses", "--output", "json"], cassette.as_bytes());
    let line = ran.json_lines().remove(0);
    assert_eq!((ran.status, &line["error"]["kind"]), (Some(3), &json!("truncated")));
    assert_eq!(line["error"]["message"], format!("the recording ends early: {why}"));
}

#[test]
fn a_close_whose_reason_names_a_code_is_an_error_of_the_api() {
    let cassette = "codex-cassette 1\nrequest +0s GET \"/v1/responses\"\nresponse +0.1s 101 websocket\n\
         client +0.2s text\n  : {}\nserver +0.3s close 1008\n  : invalid_prompt\nend +0.4s finish\n";
    let ran = run_with_input(&["decode", "--wire", "responses", "--output", "json"], cassette.as_bytes());
    let lines = ran.json_lines();
    let error = &lines.last().expect("a line")["error"];
    let told = (&error["kind"], &error["code"], &error["close_code"], &error["retryable"]);
    assert_eq!(told, (&json!("api"), &json!("invalid_prompt"), &json!(1008), &json!(false)), "{}", ran.stderr);
    assert_eq!(ran.status, Some(1));
}

#[test]
fn failures_of_a_cassette_name_the_request() {
    let head = "codex-cassette 1\nrequest +0s POST \"/v1/responses\"\n";
    let id = "header x-request-id \"req_7\"\n";
    let refused = "chunk +0.1s\n  : {\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No.\"}}\nend +0.1s finish\n";
    let cut = "chunk +0.1s\n  | data: {\"type\":\"response.created\",\"response\":{}}\n  |\nend +0.2s rst\n";
    for (status, rest, expected) in [(400, refused, 1), (502, "end +0.1s finish\n", 1), (200, cut, 3)] {
        let cassette = format!("{head}response +0.1s {status}\n{id}{rest}");
        for output in ["json", "html"] {
            let ran = run_with_input(&["decode", "--wire", "responses", "--output", output], cassette.as_bytes());
            assert_eq!(ran.status, Some(expected), "{ran:?}");
            assert!(ran.stderr.contains("request id req_7"), "{output}: {}", ran.stderr);
            assert!(ran.stdout.contains("req_7"), "{output}: {}", ran.stdout);
        }
    }
}

#[test]
fn the_last_event_of_a_cassette_counts_by_how_its_exchange_ended() {
    let whole = COMPLETED.trim_end();
    for (wire, last, end, status) in [
        ("responses", format!("  : {whole}"), "finish", 0),
        ("responses", format!("  : {whole}"), "rst", 3),
        // The line is whole, and was the end, however the connection came to its own.
        ("responses", format!("  | {whole}"), "hang-up", 0),
        ("chat", "  : data: [DONE]".to_owned(), "finish", 0),
        ("chat", "  : data: DONE".to_owned(), "finish", 0),
        ("chat", "  : data: DONE".to_owned(), "fin", 3),
        ("chat", "  : data: [DONE]".to_owned(), "fin", 0),
        ("chat", "  | data: [DONE]".to_owned(), "hang-up", 0),
    ] {
        let cassette = format!(
            "codex-cassette 1\nrequest +0s POST \"/v1\"\nresponse +0.1s 200\nchunk +0.1s\n{last}\nend +0.2s {end}\n"
        );
        for output in ["text", "html"] {
            let ran = run_with_input(&["decode", "--wire", wire, "--output", output], cassette.as_bytes());
            assert_eq!(ran.status, Some(status), "{cassette}{}", ran.stderr);
        }
    }
}

#[test]
fn a_stream_of_the_other_wire_is_taken_for_one() {
    let responses = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n";
    let chat = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    let hint = |wire: &str, stream: &str| {
        let ran = run_with_input(&["decode", "--wire", wire], stream.as_bytes());
        assert_eq!(ran.status, Some(3), "{ran:?}");
        ran.stderr.lines().find_map(|line| line.split_once(": try the wire ")).map(|(_, wire)| wire.to_owned())
    };
    let to = |wire: &str| Some(format!("`{wire}`"));
    assert_eq!(hint("chat", responses), to("responses"));
    assert_eq!(hint("responses", chat), to("chat"));
    assert_eq!(hint("responses", &format!("{chat}data: [DONE]\n\n")), to("chat"));
    // Long enough for nobody to read on.
    assert_eq!(hint("responses", &chat.repeat(40)), to("chat"));
    assert_eq!((hint("responses", responses), hint("chat", chat), hint("chat", "")), (None, None, None));
    // Text is of neither.
    assert_eq!((hint("chat", "data: Sorry\n\n"), hint("responses", "data: Sorry\n\n")), (None, None));
}
