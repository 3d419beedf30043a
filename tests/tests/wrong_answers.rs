//! What comes back over real HTTP in place of a stream, or ends too early: what the caller sees of it.

mod support;

use codex_api::{ClientBuilder, ErrorClass, FailureKind, Phase, Request, TurnEvent, TurnStream, Wire};
use serde_json::{Value, json};
use stream_replay::{Cut, Gate, Response};
use support::turns::{HELLO, ask, builder, terminal_events};
use support::{drain, impatient, playing, soon};

/// What the caller is told of a wrong answer: kind, code, status, message, retryable.
type Told = (FailureKind, Option<&'static str>, Option<u16>, &'static str, bool);

/// A request that is sent again wherever that may help.
fn ask_again(base_url: &str, wire: Wire) -> TurnStream {
    impatient(base_url).wire(wire).build().unwrap().session().begin_turn().stream(Request::new("m"))
}

#[tokio::test]
async fn wrong_answers_say_what_came() {
    use FailureKind::{Api, Protocol, Status, Truncated};

    let api = |status: u16, body: Value| Response::json(status, body.to_string());
    let invalid = json!({"error": {"code": "invalid_prompt", "message": "No.", "type": "invalid_request_error"}});
    let redirect = Response::new(307).header("location", "https://other.example/v1?key=secret");
    let page = Response::new(200).header("content-type", "text/html").body("<html><title>Log in</title>");
    let created = "data: {\"type\":\"response.created\"}\n\n";
    let cut_inside = format!("{created}data: {{\"type\":\"response.compl");
    let cases: Vec<(Response, Told)> = vec![
        (api(400, invalid), (Api, Some("invalid_prompt"), Some(400), "No.", false)),
        (
            api(429, json!({"error": {"code": "insufficient_quota", "message": "Pay."}})),
            (Api, Some("insufficient_quota"), Some(429), "Pay.", false),
        ),
        (api(429, json!({"error": {"code": null, "message": "Slow."}})), (Api, None, Some(429), "Slow.", true)),
        (api(404, json!({"detail": "No such model"})), (Api, None, Some(404), "No such model", false)),
        (
            Response::new(502).body("upstream\ngone"),
            (Status, None, Some(502), "HTTP 502 Bad Gateway: upstream gone", true),
        ),
        (Response::new(500), (Status, None, Some(500), "HTTP 500 Internal Server Error", true)),
        (
            redirect,
            (Protocol, None, Some(307), "HTTP 307 redirects to https://other.example/v1, which is not followed", false),
        ),
        (
            Response::sse(HELLO).header("content-encoding", "compress"),
            (Protocol, None, Some(200), "the answer is encoded as \"compress\", which was not asked for", false),
        ),
        (page, (Protocol, None, Some(200), "not an API answer: HTTP 200 with text/html: Log in", true)),
        (
            api(200, json!({"error": {"code": "server_error", "message": "Oops."}})),
            (Api, Some("server_error"), None, "Oops.", true),
        ),
        (
            api(200, json!({"ok": true})),
            (Protocol, None, Some(200), "not an API answer: HTTP 200 with application/json: {\"ok\":true}", true),
        ),
        (
            Response::sse(""),
            (Truncated, None, None, "the answer ended without a single event (HTTP 200, text/event-stream)", true),
        ),
        (Response::sse(created), (Truncated, None, None, "the stream ended before a terminal event", true)),
        (Response::sse(cut_inside), (Truncated, None, None, "the stream ended in the middle of an event", true)),
        (
            Response::sse("data: [DONE]\n\n"),
            (Truncated, None, None, "the stream ended with a [DONE] sentinel before a terminal event", true),
        ),
    ];
    for (response, expected) in cases {
        let server = playing([response]).await;
        let (_, error) = drain(ask(&server.base_url(), Wire::Responses)).await;
        let error = error.expect("a failure");
        let told = (error.kind(), error.code(), error.status(), error.message(), error.is_retryable());
        assert_eq!(told, expected);
        // There was an answer: the phase says how far it came.
        assert!(matches!(error.phase(), Phase::FirstEvent | Phase::Streaming), "{error:?}");
    }
}

#[tokio::test]
async fn redirects_are_followed_within_the_origin_and_no_further() {
    let to = |status: u16, location: &str| Response::new(status).header("location", location);
    let server = playing([to(307, "/v2/answers?x=1"), to(308, "moved"), Response::sse(HELLO)]).await;
    assert_eq!(ask(&server.base_url(), Wire::Responses).collect().await.unwrap().text(), "Hello");
    let requests = server.requests();
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/v1/responses", "/v2/answers?x=1", "/v2/moved"]);
    assert!(requests.iter().all(|request| request.method == "POST" && request.body == requests[0].body));
    // The next attempt goes where the caller sent it, and follows as many.
    let hops = || [to(307, "/v2"), to(307, "/v3"), Response::new(503).header("retry-after", "0")];
    let server = playing(hops().into_iter().chain(hops()).chain([Response::sse(HELLO)])).await;
    assert_eq!(ask_again(&server.base_url(), Wire::Responses).collect().await.unwrap().text(), "Hello");
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    let attempt = ["/v1/responses", "/v2", "/v3"];
    assert_eq!(paths, [&attempt[..], &attempt, &attempt[..1]].concat());
    // A redirect that makes a GET of the request, and a loop.
    for (response, requests, message) in [
        (to(303, "/v2"), 1, "HTTP 303 redirects to /v2, which is not followed"),
        (to(307, "/v1/responses"), 4, "HTTP 307 redirects to /v1/responses, after too many redirects"),
        (to(300, "/v2"), 1, "HTTP 300 redirects to /v2, which is not followed"),
        (to(305, "http://proxy.example/"), 1, "HTTP 305 redirects to http://proxy.example/, which is not followed"),
    ] {
        let server = playing([response]).await;
        let (_, error) = drain(ask(&server.base_url(), Wire::Responses)).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.is_retryable(), error.attempts()), (FailureKind::Protocol, false, 1));
        assert_eq!((server.requests().len(), error.message()), (requests, message));
    }
}

#[tokio::test]
async fn an_answer_that_is_one_document_is_understood() {
    let document = json!({"id": "resp_1", "object": "response", "status": "completed", "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}]});
    let chat = json!({"id": "c1", "object": "chat.completion", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]});
    for (wire, document) in [(Wire::Responses, document), (Wire::Chat, chat)] {
        let server = playing([Response::json(200, document.to_string())]).await;
        assert_eq!(ask(&server.base_url(), wire).collect().await.unwrap().text(), "Hello", "{wire:?}");
    }
}

/// Whoever asks again gets it again.
#[tokio::test]
async fn an_answer_of_the_other_wire_is_told_at_once() {
    const CHUNK: &str = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hi"}}]}"#;
    const CREATED: &str = r#"{"type":"response.created","response":{"id":"r"}}"#;
    let chat = "the answer is one of Chat Completions, not of the Responses API: try the wire `chat`";
    let responses = "the answer is one of the Responses API, not of Chat Completions: try the wire `responses`";
    let document = |body: &str| Response::json(200, body.to_owned()).hold_until(Gate::new());
    let stream =
        |payloads: &[&str]| Response::sse(format!("data: {}\n\n", payloads.join("\n\ndata: "))).hold_until(Gate::new());
    for (wire, response, message) in [
        (Wire::Responses, stream(&[CHUNK]), chat),
        (Wire::Responses, stream(&[": ping", "Sorry", r#"{"choices":[],"id":""}"#, CHUNK, CHUNK]), chat),
        (Wire::Responses, document(r#"{"choices":[{"index":0,"message":{"content":"Hi"}}]}"#), chat),
        (Wire::Chat, stream(&[CREATED]), responses),
        (Wire::Chat, stream(&[r#"{"type":"ping"}"#, r#"{"type":"response.in_progress"}"#]), responses),
        (Wire::Chat, document(r#"{"object":"response","status":"completed","output":[]}"#), responses),
    ] {
        let server = playing([response]).await;
        let (_, error) = soon(drain(ask_again(&server.base_url(), wire))).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.message(), error.is_retryable()), (FailureKind::Protocol, message, false));
        assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{message}");
    }
    // An event that is understood, and events that nobody understands.
    let completed = r#"{"type":"response.completed","response":{"id":"r"}}"#;
    let server = playing([stream(&[r#"{"type":"ping"}"#, CREATED, CHUNK, completed])]).await;
    ask_again(&server.base_url(), Wire::Responses).collect().await.unwrap();
    for strange in ["Sorry", "[]", r#"{"type":"message_start"}"#, r#"{"text":"Hi"}"#] {
        let server = playing([Response::sse(format!("data: {strange}\n\n"))]).await;
        let error = ask_again(&server.base_url(), Wire::Responses).collect().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (FailureKind::Truncated, 9), "{strange}");
        assert!(!error.message().contains("wire"), "{error}");
    }
}

/// Gateways call everything a document, or a page. Whoever waits for its end waits for ever.
#[tokio::test]
async fn a_stream_is_read_as_it_comes_whatever_it_is_called() {
    for name in [
        Some("application/json"),
        Some("text/html; charset=UTF-8"),
        Some("text/plain"),
        Some("application/octet-stream"),
        Some("application/x-ndjson"),
        None,
    ] {
        for before in ["", "\u{feff}", ": ready\n\n", "\n\n", "id: 1\n", "retry: 5\n\n"] {
            for bytes in [1, 3, 1000] {
                let answer = Response::new(200).body(format!("{before}{HELLO}")).chunk_bytes(bytes);
                let answer = name.into_iter().fold(answer, |answer, name| answer.header("content-type", name));
                let server = playing([answer.hold_until(Gate::new())]).await;
                let answer = soon(ask(&server.base_url(), Wire::Responses).collect()).await;
                let answer = answer.unwrap_or_else(|error| panic!("{name:?}, {before:?}, {bytes}: {error}"));
                assert_eq!((answer.text(), server.requests().len()), ("Hello".to_owned(), 1), "{name:?}, {before:?}");
            }
        }
    }
}

/// Its beginning says what it is, at once.
#[tokio::test]
async fn what_is_no_stream_is_quoted_whatever_it_is_called() {
    for (name, body, quote) in [
        (Some("text/html"), "\n<html><title>Log in</title>", "text/html: Log in"),
        (Some("text/plain"), "<p>Log in", "text/plain: Log in"),
        (Some("text/event-stream"), "<p>Log in", "text/event-stream: Log in"),
        (Some("text/html"), "Data base down", "text/html: Data base down"),
        (Some("text/plain"), "database down", "text/plain: database down"),
        (Some("application/octet-stream"), "retry later", "application/octet-stream: retry later"),
        (None, "upstream gone", "no content type: upstream gone"),
    ] {
        for bytes in [1, 1000] {
            let answer = Response::new(200).body(format!("{body}{}", " ".repeat(64 * 1024))).chunk_bytes(bytes);
            let answer = name.into_iter().fold(answer, |answer, name| answer.header("content-type", name));
            let server = playing([answer.hold_until(Gate::new())]).await;
            let (_, error) = soon(drain(ask(&server.base_url(), Wire::Responses))).await;
            let error = error.expect("a failure");
            assert_eq!((error.kind(), error.is_retryable()), (FailureKind::Protocol, true), "{name:?}, {body:?}");
            assert_eq!(error.message(), format!("not an API answer: HTTP 200 with {quote}"), "{bytes}");
        }
    }
}

/// Asked again, it would be compressed again. Nobody waits for its end.
#[tokio::test]
async fn what_is_compressed_without_saying_so_is_told_once_and_not_quoted() {
    let marks: [(&str, &[u8]); 2] = [("gzip", b"\x1f\x8b\x08\0"), ("zstd", b"\x28\xb5\x2f\xfd\x04")];
    let marks = marks.into_iter().flat_map(|mark| [1, 3, 1000].map(|bytes| (mark, bytes)));
    for ((coding, mark), bytes) in marks {
        let seems = format!("a body that seems to be {coding}, which its content-encoding does not say");
        for name in ["text/event-stream", "application/json", "text/html", "text/plain"] {
            let body = [mark, b"\xe2\x80\xffdata".as_slice()].concat();
            let answer = Response::new(200).header("content-type", name).body(body).chunk_bytes(bytes);
            let server = playing([answer.hold_until(Gate::new())]).await;
            let (_, error) = soon(drain(ask_again(&server.base_url(), Wire::Responses))).await;
            let error = error.expect("a failure");
            let told = (error.kind(), error.is_retryable(), error.status(), server.requests().len());
            assert_eq!(told, (FailureKind::Protocol, false, Some(200), 1), "{name}, {bytes}: {error}");
            assert_eq!(error.message(), format!("not an API answer: HTTP 200 with {name} and {seems}"), "{bytes}");
        }
        let server = playing([Response::new(404).body(mark.to_vec())]).await;
        let (_, error) = drain(ask_again(&server.base_url(), Wire::Responses)).await;
        let expected = format!("HTTP 404 Not Found at {}/responses: {seems}", server.base_url());
        assert_eq!(error.expect("a failure").message(), expected);
    }
}

#[tokio::test]
async fn a_document_may_come_behind_any_number_of_empty_lines() {
    let document = json!({"id": "r", "status": "completed", "output": []});
    for content_type in ["application/json", "text/event-stream"] {
        let body = format!("{}{document}", "\n".repeat(5000));
        let answer = Response::new(200).header("content-type", content_type).body(body).chunk_bytes(700);
        let server = playing([answer]).await;
        assert!(ask(&server.base_url(), Wire::Responses).collect().await.is_ok(), "{content_type}");
    }
}

/// A second try would begin another background response.
#[tokio::test]
async fn a_document_that_states_no_end_is_a_failure_and_is_asked_for_once() {
    for status in ["queued", "in_progress", "brand_new"] {
        let document = json!({"id": "resp_1", "object": "response", "status": status, "output": []});
        let server = playing([Response::json(200, document.to_string())]).await;
        let (events, error) = drain(ask(&server.base_url(), Wire::Responses)).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.is_retryable()), (FailureKind::Protocol, false), "{status}");
        assert_eq!((server.requests().len(), terminal_events(&events)), (1, 0), "{status}");
        let named =
            |event: &TurnEvent| matches!(event, TurnEvent::Created(c) if c.response_id.as_deref() == Some("resp_1"));
        assert!(events.iter().any(named), "{status}: {events:?}");
    }
}

#[tokio::test]
async fn a_cut_after_the_terminal_event_changes_nothing() {
    let server = playing([Response::sse(HELLO).cut(Cut::Close)]).await;
    assert_eq!(ask(&server.base_url(), Wire::Responses).collect().await.unwrap().text(), "Hello");
}

#[tokio::test]
async fn a_cut_before_the_terminal_event_is_told_with_its_cause() {
    let at = HELLO.find("data: {\"type\":\"response.completed").unwrap();
    let server = playing([Response::sse(HELLO).cut_at(at, Cut::Close)]).await;
    let (events, error) = drain(ask(&server.base_url(), Wire::Responses)).await;
    let error = error.expect("a failure");
    let told = (error.kind(), error.phase(), error.output_delivered());
    assert_eq!(told, (FailureKind::Truncated, Phase::Streaming, true));
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(terminal_events(&events), 0);
}

#[tokio::test]
async fn an_event_over_the_limit_is_refused_once() {
    let server = playing([Response::sse(HELLO)]).await;
    let client = builder(&server.base_url()).max_event_bytes(100).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(Request::new("m"))).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.is_retryable()), (FailureKind::TooLarge, false));
    assert_eq!(error.to_string(), "event is larger than the limit of 100 bytes");
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_once() {
    let text = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"too long\"}}]}\n\n".repeat(2);
    let server = playing([Response::sse(text)]).await;
    // The limit of an event raises that of the answer, and does not lower it.
    for (bytes, expected) in [(None, FailureKind::Truncated), (Some(40), FailureKind::TooLarge)] {
        let client = builder(&server.base_url()).wire(Wire::Chat).max_event_bytes(100);
        let client = bytes.into_iter().fold(client, ClientBuilder::max_answer_bytes).build().unwrap();
        let (events, error) = drain(client.session().begin_turn().stream(Request::new("m"))).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.attempts()), (expected, 1), "{error}");
        let deltas = events.iter().filter(|event| matches!(event, TurnEvent::TextDelta(_))).count();
        assert_eq!(deltas, 2);
    }
}

#[tokio::test]
async fn nobody_listening_is_a_connect_failure() {
    let server = playing([Response::new(200)]).await;
    let base_url = server.base_url();
    server.shutdown().await;
    let (_, error) = drain(ask(&base_url, Wire::Responses)).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.phase(), error.is_retryable()), (FailureKind::Connect, Phase::Connect, true));
}

#[tokio::test]
async fn a_refusal_without_an_error_object_has_the_class_of_its_status() {
    let rows = [
        (401, ErrorClass::Auth),
        (404, ErrorClass::InvalidRequest),
        (429, ErrorClass::RateLimit),
        (503, ErrorClass::Overloaded),
    ];
    for (status, class) in rows {
        let page = Response::new(status).header("content-type", "text/html").body("<title>No.</title>");
        let server = playing([page]).await;
        let error = ask(&server.base_url(), Wire::Responses).collect().await.unwrap_err();
        assert_eq!((error.kind(), error.class()), (FailureKind::Status, Some(class)), "{status}");
        let gave_up = error.is_retryable().then_some("all attempts are used up");
        assert_eq!(error.gave_up(), gave_up, "{status}");
        // Where nothing is, the address is what has to be looked at.
        let place = if status == 404 { format!(" at {}/responses", server.base_url()) } else { String::new() };
        assert!(error.message().ends_with(&format!("{place}: No.")), "{error}");
    }
    let server = playing([Response::sse("").cut(Cut::Reset)]).await;
    assert_eq!(ask(&server.base_url(), Wire::Responses).collect().await.unwrap_err().class(), None);
}

/// What web frameworks say of a path that they do not know, mostly for a base URL without its `/v1`.
#[tokio::test]
async fn a_refusal_that_repeats_the_name_of_its_status_says_where_it_was_met() {
    for (status, name, body) in [
        (404, "Not Found", r#"{"detail":"Not Found"}"#),
        (404, "Not Found", r#"{"error":"not found"}"#),
        (405, "Method Not Allowed", r#"{"message":"Method Not Allowed"}"#),
    ] {
        let server = playing([Response::json(status, body)]).await;
        let error = ask(&server.base_url(), Wire::Responses).collect().await.unwrap_err();
        let expected = format!("HTTP {status} {name} at {}/responses: {body}", server.base_url());
        assert_eq!((error.kind(), error.message(), error.is_retryable()), (FailureKind::Status, &*expected, false));
    }
    let named = r#"{"error":{"code":"not_found","message":"Not Found"}}"#;
    let server = playing([Response::json(404, named)]).await;
    let error = ask(&server.base_url(), Wire::Responses).collect().await.unwrap_err();
    assert_eq!((error.kind(), error.code(), error.message()), (FailureKind::Api, Some("not_found"), "Not Found"));
}
