//! What a service can say over HTTP/1.1 beyond the rows of `docs/faults.md`: events that are barely what they should
//! be, or just not.

mod support;

use std::time::Duration;

use codex_api::FailureKind::{Api, Timeout};
use codex_api::{Phase, Request, RetryPolicy, Timeouts, Wire};
use stream_replay::{FaultScript, Response};
use support::faults::{Bound, COMPLETED, Ends, Row, SSE, TEXT, answer, check, check_all, events, send, step, stream};
use support::{drain, impatient, playing, soon};

#[tokio::test]
async fn failures_without_a_reason_are_failures() {
    let failed = |error: &str| format!("{{\"type\":\"response.failed\",\"response\":{{\"error\":{error}}}}}");
    let told = |message| Ends::Fails { kind: Api, code: None, retryable: true, requests: 3, message };
    let no_reason = "the service gave no reason for the failure";
    for (event, message) in [
        ("{\"type\":\"response.failed\"}".to_owned(), no_reason),
        ("{\"type\":\"response.failed\",\"response\":[]}".to_owned(), no_reason),
        (failed("{}"), no_reason),
        (failed("[]"), no_reason),
        (failed("{\"code\":\"\",\"message\":\"\"}"), no_reason),
        (failed("\"boom\""), "boom"),
        ("{\"type\":\"error\"}".to_owned(), no_reason),
        ("{\"type\":\"error\",\"error\":null}".to_owned(), no_reason),
        ("{\"type\":\"error\",\"error\":\"boom\"}".to_owned(), "boom"),
    ] {
        check_all([("a failure", stream([event.as_str()], "hold"), told(message), Bound::LetsGo)]).await;
    }
    let numbers = failed("{\"code\":7,\"message\":8}");
    let numbered = Ends::Fails { kind: Api, code: Some("7"), retryable: true, requests: 3, message: "8" };
    check_all([("numbers", stream([numbers.as_str()], "hold"), numbered, Bound::LetsGo)]).await;
    let code = "{\"code\":\"invalid_prompt\",\"message\":null}";
    let final_one =
        Ends::Fails { kind: Api, code: Some("invalid_prompt"), retryable: false, requests: 1, message: no_reason };
    check_all([("a code alone", stream([failed(code).as_str()], "hold"), final_one, Bound::LetsGo)]).await;
}

/// Half a character must not hide what the service says: half of a surrogate pair, or a byte that is no UTF-8.
#[tokio::test]
async fn half_a_character_in_a_message_does_not_hide_the_code() {
    for half in [&b"\\ud83d"[..], b"\\ude00", b"\\ud83d\\u0041", b"\xe9", b"\xf0\x9f"] {
        let message = if half.ends_with(b"41") { "No \u{fffd}A." } else { "No \u{fffd}." };
        let error = [&b"{\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No "[..], half, b".\"}}"].concat();
        let event = |kind: &str, error: &[u8]| [kind.as_bytes(), error].concat();
        let ends = || Ends::Fails { kind: Api, code: Some("invalid_prompt"), retryable: false, requests: 1, message };
        let line = |payload: Vec<u8>| [&b"data: "[..], &payload, b"\n\n"].concat();
        let failed = [event("{\"type\":\"response.failed\",\"response\":", &error), b"}".to_vec()].concat();
        let flat = event("{\"type\":\"error\",", &error[1..]);
        let refusal = |status: u16| {
            let length = error.len();
            format!("head {status} \"content-length: {length}\"\n{}serve", send(&error))
        };
        for (name, wire, script, bound) in [
            ("failed", Wire::Responses, format!("{SSE}{}hold", step("chunk", line(failed))), Bound::LetsGo),
            ("error", Wire::Responses, format!("{SSE}{}hold", step("chunk", line(flat))), Bound::LetsGo),
            ("a chunk", Wire::Chat, format!("{SSE}{}hold", step("chunk", line(error.clone()))), Bound::LetsGo),
            ("a refusal", Wire::Responses, refusal(400), Bound::Ended),
            ("a refusal that is tried again without a code", Wire::Chat, refusal(429), Bound::Ended),
        ] {
            check(Row { name, wire, script, ends: ends(), bound }).await;
        }
    }
}

/// What else an error holds may be unreadable: a number beyond all numbers, a nesting without end.
#[tokio::test]
async fn unreadable_details_do_not_hide_the_code() {
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    for odd in ["1e999", "-1e999", &deep] {
        let error = format!("{{\"code\":\"invalid_prompt\",\"message\":\"No.\",\"more\":{odd}}}");
        let plain = "{\"code\":\"invalid_prompt\",\"message\":\"No.\"}";
        let nested = format!("{{\"error\":{error}}}");
        let refusal =
            |status: u16| format!("head {status} \"content-length: {}\"\n{}serve", nested.len(), send(&nested));
        let held = |payload: String| stream([payload.as_str()], "hold");
        let response = |fields: String| held(format!("{{\"type\":\"response.failed\",\"response\":{{{fields}}}}}"));
        for (name, wire, script, bound) in [
            ("in the error", Wire::Responses, response(format!("\"error\":{error}")), Bound::LetsGo),
            (
                "beside the error",
                Wire::Responses,
                response(format!("\"error\":{plain},\"usage\":{odd}")),
                Bound::LetsGo,
            ),
            ("nested", Wire::Responses, held(format!("{{\"type\":\"error\",\"error\":{error}}}")), Bound::LetsGo),
            ("flat", Wire::Responses, held(format!("{{\"type\":\"error\",{}", &error[1..])), Bound::LetsGo),
            ("a chunk", Wire::Chat, held(nested.clone()), Bound::LetsGo),
            ("a refusal", Wire::Responses, refusal(400), Bound::Ended),
            ("a refusal that is tried again without a code", Wire::Chat, refusal(429), Bound::Ended),
        ] {
            let ends =
                Ends::Fails { kind: Api, code: Some("invalid_prompt"), retryable: false, requests: 1, message: "No." };
            check(Row { name, wire, script, ends, bound }).await;
        }
    }
}

#[tokio::test]
async fn terminal_events_are_terminal_whatever_else_they_hold() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for response in [
        "null".to_owned(),
        "[]".to_owned(),
        "{\"id\":7,\"usage\":\"x\",\"status\":9}".to_owned(),
        "{\"usage\":{\"total_tokens\":-5}}".to_owned(),
        format!("{{\"more\":{deep}}}"),
    ] {
        let completed = format!("{{\"type\":\"response.completed\",\"response\":{response}}}");
        check_all([("completed", stream([TEXT, &completed], "hold"), answer("Hé"), Bound::LetsGo)]).await;
    }
    let escaped = COMPLETED.replacen("completed", "\\u0063ompleted", 1);
    check_all([("completed in escapes", stream([TEXT, &escaped], "hold"), answer("Hé"), Bound::LetsGo)]).await;
}

#[tokio::test]
async fn what_is_no_event_of_the_wire_is_reported_and_read_over() {
    let odd = |unknown, malformed| Ends::Answer { text: "Hé", unknown, malformed };
    let deep = format!("{{\"type\":\"x\",\"more\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (payload, ends) in [
        ("null", odd(0, 1)),
        ("[]", odd(0, 1)),
        ("7", odd(0, 1)),
        ("\"response.completed\"", odd(0, 1)),
        ("{\"type\":null}", odd(0, 1)),
        ("{\"type\":\"x\",\"type\":\"response.completed\"}", odd(0, 1)),
        ("{\"TYPE\":\"response.completed\"}", odd(0, 1)),
        ("{\"type\":\" response.completed\"}", odd(1, 0)),
        (&"[".repeat(200_000), odd(0, 1)),
        (&deep, odd(1, 0)),
        ("{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":{}}", odd(0, 1)),
        ("{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":null}", odd(0, 1)),
        ("{\"type\":\"response.output_text.delta\",\"output_index\":18446744073709551615,\"delta\":\"\"}", odd(0, 0)),
    ] {
        check_all([("a payload", stream([payload, TEXT, COMPLETED], "hold"), ends, Bound::LetsGo)]).await;
    }
    // Fields without data are no event at all.
    for lines in ["event: response.completed\n\n", "id: a\0b\n\n", "foo: bar\n: c\n\n", "data\n\n", "event: error\n\n"]
    {
        let script = format!("{SSE}{}{}hold", step("chunk", lines), events([TEXT, COMPLETED]));
        check_all([("lines", script, answer("Hé"), Bound::LetsGo)]).await;
    }
}

#[tokio::test]
async fn places_beyond_all_numbers_take_no_memory() {
    let choice = |index: &str| format!("{{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"x\"}}}}]}}");
    let call = "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":4294967295,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}";
    for (chunk, text) in [
        (choice("4294967295"), "x"),
        (choice("18446744073709551615"), "x"),
        (choice("-1"), "x"),
        (call.to_owned(), ""),
        ("{\"choices\":null}".to_owned(), ""),
        ("{\"choices\":[{\"index\":0,\"delta\":null,\"finish_reason\":\"stop\"}]}".to_owned(), ""),
    ] {
        let script = stream([chunk.as_str(), "[DONE]"], "hold");
        check(Row { name: "a place", wire: Wire::Chat, script, ends: answer(text), bound: Bound::LetsGo }).await;
    }
}

/// Nothing but signs of life, as fast as they can be read: there is never a moment in which nothing is to be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_comments_does_not_outrun_the_deadlines() {
    let limit = Some(Duration::from_millis(1));
    let timeouts = Timeouts { first_event: limit, progress: limit, ..Timeouts::default() };
    let text = step("chunk", format!("data: {TEXT}\n\n"));
    for (begin, flood, phase) in
        [("", ": x\\n", Phase::FirstEvent), (text.as_str(), "data: : x\\n\\n", Phase::Streaming)]
    {
        let script = format!("{SSE}{begin}repeat forever chunk \"{flood}\" * 10000");
        let server = playing([Response::fault(FaultScript::parse(&script).unwrap())]).await;
        let client = impatient(&server.base_url()).timeouts(timeouts);
        let client = client.retry(RetryPolicy::new().with_max_attempts(1)).build().unwrap();
        let stream = client.session().begin_turn().stream(Request::new("m").user("Hi"));
        let (_, error) = soon(drain(stream)).await;
        let error = error.expect("a failure");
        assert_eq!(error.kind(), Timeout, "{flood}: {error:?}");
        // A server that is slow to begin has not said anything by then.
        assert!(error.phase() == phase || error.phase() == Phase::FirstEvent, "{flood}: {error:?}");
        soon(server.wait_for_disconnects(1)).await;
    }
}
