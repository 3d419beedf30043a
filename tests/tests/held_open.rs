//! What ends a request at once although the server keeps the connection open, and what does not wait although it talks.

mod support;

use std::{
    fmt::Write,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use codex_api::{
    Auth, AuthorizeFuture, CredentialNeed, Credentials, FailureKind, OutgoingRequest, Request, Timeouts, Transport,
    TurnEvent, Wire,
};
use http::HeaderValue;
use serde_json::{Value, json};
use stream_replay::{Exchange, Gate, ReplayServer, Response, WebSocketScript};
use support::{drain, impatient, playing, soon};

fn request() -> Request {
    Request::new("m").user("Hi")
}

/// A body in one chunk whose end never comes.
async fn held(status: u16, content_type: Option<&str>, body: String) -> (ReplayServer, Gate) {
    let gate = Gate::new();
    let response = Response::new(status).body(body).hold_until(gate.clone());
    let response = match content_type {
        Some(content_type) => response.header("content-type", content_type),
        None => response,
    };
    (playing([response]).await, gate)
}

fn flagged() -> Value {
    json!({"error": {"code": "invalid_prompt", "message": "Flagged.", "details": "a \"}\" in a text"}})
}

#[tokio::test]
async fn an_error_body_that_is_whole_is_not_waited_behind() {
    // An error status; an error under 200, by its own name, by a wrong one, and by none.
    let cases = [
        (400, Some("application/json")),
        (400, None),
        (200, Some("application/json")),
        (200, Some("text/event-stream")),
        (200, Some("text/plain")),
        (200, None),
    ];
    for (status, content_type) in cases {
        for (wire, transport) in
            [(Wire::Responses, Transport::Sse), (Wire::Responses, Transport::Auto), (Wire::Chat, Transport::Sse)]
        {
            if transport == Transport::Auto && status == 200 {
                // Not a refusal of this request, but of the socket: it goes on over server-sent events.
                continue;
            }
            let (server, _gate) = held(status, content_type, flagged().to_string()).await;
            let client = impatient(&server.base_url()).wire(wire).transport(transport).build().unwrap();
            let (_, error) = drain(client.session().begin_turn().stream(request())).await;
            let error = error.expect("a failure");
            let told = (error.kind(), error.code(), error.message());
            assert_eq!(
                told,
                (FailureKind::Api, Some("invalid_prompt"), "Flagged."),
                "{status} {content_type:?} {wire:?}"
            );
            assert_eq!(server.requests().len(), 1);
        }
    }
}

type Dress = fn(&str) -> String;

/// How a refusal's body may be dressed.
const CLOTHES: [(&str, Dress); 9] = [
    ("a byte order mark", |error| format!("\u{feff} {error}")),
    ("a list", |error| format!("[{error}]")),
    ("an event", |error| format!("event: error\ndata: {error}\n\n")),
    ("an event without its blank line", |error| format!("event: error\ndata: {error}\n")),
    ("an event without its end", |error| format!("data:{error}")),
    ("an event with comments, as gateways write it", |error| {
        format!("id:1\nevent:error\n:HTTP_STATUS/429\ndata:{error}\n\n")
    }),
    ("an event over several lines", |error| {
        format!("\u{feff}: hello {{\r\n\r\ndata: {}\r\n\r\n", error.replace(':', ":\r\ndata: "))
    }),
    ("an event behind others", |error| {
        let created = "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"error\":null}}";
        format!("data: {created}\n\ndata: [DONE]\n\ndata: {{\"cut\n\ndata: {error}\n\n")
    }),
    ("an event of the API", |error| {
        let error = error.strip_prefix("{\"error\":").and_then(|error| error.strip_suffix('}')).unwrap();
        format!("data: {{\"type\":\"response.failed\",\"response\":{{\"id\":\"r\",\"error\":{error}}}}}\n\n")
    }),
];

#[tokio::test]
async fn an_error_object_is_found_in_whatever_clothes_it_comes() {
    for (name, dress) in CLOTHES {
        for (status, content_type) in
            [(400, "text/event-stream"), (429, "application/json"), (500, "text/plain"), (200, "application/json")]
        {
            // What begins as a stream is read as one: a line counts when it has ended, and nothing behind [DONE] does.
            if status == 200 && ["an event without its end", "an event behind others"].contains(&name) {
                continue;
            }
            let error = r#"{"error":{"code":"invalid_prompt","message":"Flagged {."}}"#;
            let (server, _gate) = held(status, Some(content_type), dress(error)).await;
            let client = impatient(&server.base_url()).build().unwrap();
            let (_, error) = soon(drain(client.session().begin_turn().stream(request()))).await;
            let error = error.expect("a failure");
            let told = (error.kind(), error.code(), error.message(), error.is_retryable());
            assert_eq!(
                told,
                (FailureKind::Api, Some("invalid_prompt"), "Flagged {.", false),
                "{name}, {status} {content_type}"
            );
            assert_eq!(server.requests().len(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn an_answer_behind_a_byte_order_mark_is_one() {
    let document = "\u{feff}{\"id\":\"r\",\"status\":\"completed\",\"output\":[]}";
    let (server, _gate) = held(200, Some("application/json"), document.to_owned()).await;
    let client = impatient(&server.base_url()).build().unwrap();
    assert_eq!(client.session().begin_turn().stream(request()).collect().await.unwrap().text(), "");
}

#[tokio::test]
async fn a_whole_answer_in_one_document_is_not_waited_behind() {
    let document = json!({"id": "r", "status": "completed", "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}]});
    let (server, _gate) = held(200, Some("application/json"), document.to_string()).await;
    let client = impatient(&server.base_url()).build().unwrap();
    assert_eq!(client.session().begin_turn().stream(request()).collect().await.unwrap().text(), "Hello");
}

/// Cut in front of and inside of the sentinel, and not at all: then it comes with the last piece of the call.
#[tokio::test]
async fn a_sentinel_hands_out_custom_calls_wherever_it_is_cut() {
    let chunks = concat!(
        r#"data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"custom","#,
        r#""custom":{"name":"sh","input":"DONE"}}]}}]}"#,
        "\n\n",
        r#"data: {"id":"c","citations":["u"],"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"#,
        r#""custom":{"input":"\ndata: [DONE]\n"}}]},"logprobs":{"content":[1]}}]}"#,
        "\n\n",
    );
    for sentinel in ["data: [DONE]\n\n", "data: [DONE]\n", "data: DONE\r\n", "data:DONE\n"] {
        let body = format!("{chunks}{sentinel}");
        for cut in chunks.len()..=body.len() {
            let (first, second) = body.as_bytes().split_at(cut);
            let pieces = [first, second].into_iter().filter(|piece| !piece.is_empty()).map(Bytes::copy_from_slice);
            let response = Response::new(200).header("content-type", "text/event-stream").chunks(pieces);
            let gate = Gate::new();
            let server = playing([response.hold_until(gate.clone())]).await;
            let client = impatient(&server.base_url()).wire(Wire::Chat).build().unwrap();
            let (events, error) = soon(drain(client.session().begin_turn().stream(request()))).await;
            assert!(error.is_none(), "{sentinel:?} {cut}: {error:?}");
            let [.., TurnEvent::Other(_), TurnEvent::ItemDone(done), TurnEvent::Completed(_)] = &events[..] else {
                panic!("{sentinel:?} {cut}: {events:?}")
            };
            let call = done.item.as_call().expect("a call");
            assert_eq!((done.item.item_type(), call.name), ("custom_tool_call", "sh"));
            assert_eq!(call.arguments, "DONE\ndata: [DONE]\n");
            let ends = events.iter().filter(|event| matches!(event, TurnEvent::Completed(_))).count();
            assert_eq!((ends, server.requests().len()), (1, 1), "{sentinel:?} {cut}");
        }
    }
}

#[tokio::test]
async fn what_is_no_event_stream_is_quoted() {
    let cases = [
        ("<html><title>Log in</title></html>", FailureKind::Protocol, "Log in"),
        ("upstream is gone", FailureKind::Truncated, "upstream is gone"),
    ];
    for (body, kind, part) in cases {
        let server = playing([Response::new(200).header("content-type", "text/event-stream").body(body)]).await;
        let client = impatient(&server.base_url()).build().unwrap();
        let (_, error) = drain(client.session().begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_407_is_the_matter_of_a_proxy_whoever_passes_it_on() {
    let server = playing([Response::new(407)]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.status(), error.attempts()), (FailureKind::Proxy, Some(407), 1));
}

#[tokio::test]
async fn a_page_in_place_of_a_handshake_is_no_api_answer() {
    let server = playing([Response::new(200).header("content-type", "text/html").body("<title>Portal</title>")]).await;
    let client = impatient(&server.base_url()).transport(Transport::WebSocket).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    assert_eq!(error.map(|error| error.kind()), Some(FailureKind::Protocol));
}

#[tokio::test]
async fn an_end_on_a_reused_socket_is_that_of_its_own_request() {
    let first = [
        json!({"type": "response.created", "sequence_number": 0, "response": {"id": "r1"}}),
        json!({"type": "response.completed", "sequence_number": 4, "response": {"id": "r1"}}),
    ];
    let ends = [
        json!({"type": "error", "sequence_number": 9, "code": "invalid_prompt", "message": "Flagged."}),
        json!({"type": "response.failed", "sequence_number": 9, "response": {
            "error": {"code": "invalid_prompt", "message": "Flagged."}}}),
    ];
    for end in ends {
        let exchange = |events: &[Value]| events.iter().fold(Exchange::new(), |all, event| all.text(event.to_string()));
        let script = WebSocketScript::new().exchange(exchange(&first)).exchange(exchange(&[end]));
        let server = playing([Response::websocket(script)]).await;
        let client = impatient(&server.base_url()).transport(Transport::WebSocket).build().unwrap();
        let session = client.session();
        session.begin_turn().stream(request()).collect().await.unwrap();
        let (_, error) = drain(session.begin_turn().stream(request())).await;
        assert_eq!(error.expect("a failure").code(), Some("invalid_prompt"));
        assert_eq!(server.requests().len(), 1, "the socket was used again");
    }
}

#[tokio::test]
async fn a_turn_that_is_over_ends_a_stream_that_never_pauses() {
    let delta = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n".repeat(1000);
    let server = playing([Response::sse(delta)]).await;
    let timeouts = Timeouts { turn: Some(Duration::from_nanos(1)), ..Timeouts::default() };
    let client = impatient(&server.base_url()).timeouts(timeouts).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.is_retryable()), (FailureKind::Timeout, false));
}

#[test]
fn outside_of_a_runtime_a_stream_ends_with_an_error() {
    let client = impatient("http://127.0.0.1:1/v1").build().unwrap();
    let mut stream = client.session().begin_turn().stream(request());
    let mut poll = || pin!(stream.try_next()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll(), Poll::Ready(Ok(Some(TurnEvent::Request(_))))));
    let Poll::Ready(Err(error)) = poll() else { panic!("no error") };
    assert_eq!((error.kind(), error.message()), (FailureKind::Config, "an exchange must be polled on a tokio runtime"));
}

#[tokio::test]
async fn the_deadline_of_a_turn_counts_from_its_beginning_also_while_no_request_runs() {
    const LIMIT: Duration = Duration::from_secs(3600);
    let server = playing([Response::sse("data: {\"type\":\"response.completed\",\"response\":{}}\n\n")]).await;
    let timeouts = Timeouts { turn: Some(LIMIT), ..Timeouts::default() };
    let client = impatient(&server.base_url()).timeouts(timeouts).build().unwrap();
    let session = client.session();
    let late = session.begin_turn();
    // The clock moves and stands for nobody else.
    tokio::time::pause();
    tokio::time::advance(LIMIT).await;
    tokio::time::resume();
    for _ in 0..2 {
        let (_, error) = drain(late.stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.is_retryable()), (FailureKind::Timeout, false));
        assert_eq!(error.message(), "the turn took longer than 3600s (turn timeout)");
    }
    session.begin_turn().stream(request()).collect().await.unwrap();
}

/// Gives another token each time, and a key in a header of its own.
struct Rotating;

impl Credentials for Rotating {
    fn authorize(&self, mut request: OutgoingRequest) -> AuthorizeFuture {
        let token = if request.credentials == CredentialNeed::Renewed { "b-very-secret" } else { "a-very-secret" };
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        request.headers.insert("authorization", bearer);
        request.headers.insert("api-key", HeaderValue::from_static("k-very-secret"));
        let mut marked = HeaderValue::from_static("m-very-secret");
        marked.set_sensitive(true);
        request.headers.insert("x-signed-by", marked);
        request.headers.insert("x-trace", HeaderValue::from_static("open-to-all"));
        Box::pin(async move { Ok(request) })
    }
}

#[tokio::test]
async fn what_a_hook_gave_is_not_shown_on_either() {
    let said = "a-very-secret, b-very-secret, k-very-secret, m-very-secret, open-to-all";
    let refusal = json!({"error": {"message": said, "hint": said}}).to_string();
    for transport in [Transport::Sse, Transport::WebSocket] {
        let server = playing([Response::json(401, refusal.clone())]).await;
        let builder = impatient(&server.base_url()).transport(transport).auth(Auth::hook(Rotating));
        let (events, error) = drain(builder.build().unwrap().session().begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!(error.message(), "[redacted], [redacted], [redacted], [redacted], open-to-all");
        assert_eq!(server.requests().len(), 2, "both tokens were tried");
        let shown = format!("{events:?} {error:?}");
        assert!(!shown.contains("very-secret"), "{shown}");
    }
}

#[tokio::test]
async fn secrets_that_a_service_repeats_are_not_shown_on() {
    let quoted = json!({"error": {"message": "Incorrect API key: sk-very-secret, state ts-very-secret."}});
    let payloads = [
        // Unknown: in its JSON, and in its type.
        json!({"type": "brand.new", "text": "ts-very-secret"}).to_string(),
        json!({"type": "sk-very-secret.new"}).to_string(),
        // Known, and passed on.
        json!({"type": "response.in_progress", "note": "sk-very-secret"}).to_string(),
        // Malformed, with a type that could be read.
        "sk-very-secret".to_owned(),
        json!({"type": "sk-very-secret.new"}).to_string().replace('}', ""),
    ];
    let body = format!("data: {}\n\nevent: sk-very-secret\ndata: {{\n\n", payloads.join("\n\ndata: "));
    let first = Response::sse(body).header("x-codex-turn-state", "ts-very-secret");
    let server = playing([first, Response::json(401, quoted.to_string())]).await;
    let client = impatient(&server.base_url()).auth(Auth::bearer("sk-very-secret").unwrap()).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    let shown = format!("{events:#?} {error:?} {}", serde_json::to_string(&events).unwrap());
    assert!(!shown.contains("very-secret"), "{shown}");
    for quoted in ["event: \"[redacted].new\"", "Unknown(", "Malformed(", "Other("] {
        assert!(shown.contains(quoted), "{quoted}: {shown}");
    }
    assert_eq!(error.expect("a failure").message(), "Incorrect API key: [redacted], state [redacted].");
}

/// Everything that can be printed of a request whose service quotes the key, wherever it does.
#[tokio::test]
async fn a_quoted_key_is_in_nothing_that_can_be_printed() {
    const KEY: &str = "sk-very-secret";
    let error = json!({"message": KEY, "code": format!("bad_{KEY}"), "type": KEY, "param": KEY, "more": [KEY]});
    let refused = Response::json(401, json!({"error": error}).to_string());
    let event = json!({"type": "error", "error": error});
    let failed = json!({"type": "response.failed", "response": {"id": "r", "error": error}});
    let done = json!({"type": "response.completed", "response": {"id": "r"}});
    let sse = |event: &Value| Response::sse(format!("data: {event}\n\n"));
    let overloaded = json!({"type": "error", "error": {"code": "server_is_overloaded", "message": KEY, "param": KEY}});
    let closed = Response::websocket(WebSocketScript::new().exchange(Exchange::new().close(1008, KEY)));
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}).to_string();
    let too_big = WebSocketScript::new().exchange(Exchange::new().text(delta).close(1009, KEY));
    let named = json!({"id": KEY, "model": KEY, "usage": {"note": [KEY]}, "incomplete_details": {"reason": KEY}});
    let of_type = |event_type: &str| json!({"type": event_type, "response": named});
    let limits = json!({"type": "codex.rate_limits", "plan_type": KEY, "limit_name": KEY,
        "rate_limits": {"primary": {"used_percent": 1}}, "credits": {"balance": KEY}});
    let state = Response::json(400, json!({"error": {"message": "state ts-very-secret"}}).to_string())
        .header("x-codex-turn-state", "ts-very-secret");
    for (name, transport, responses) in [
        ("the id of a request", Transport::Sse, vec![Response::new(400).header("x-request-id", KEY)]),
        ("a turn state that is not taken", Transport::Sse, vec![state]),
        ("a beginning", Transport::Sse, vec![sse(&of_type("response.created")), sse(&done)]),
        ("an end", Transport::Sse, vec![sse(&of_type("response.completed"))]),
        ("an early end", Transport::Sse, vec![sse(&of_type("response.incomplete"))]),
        ("limits", Transport::Sse, vec![sse(&limits), sse(&done)]),
        ("a refusal", Transport::Sse, vec![refused.clone()]),
        ("an event", Transport::Sse, vec![sse(&event)]),
        ("a failed response", Transport::Sse, vec![sse(&failed)]),
        ("a failure that is tried again", Transport::Sse, vec![sse(&overloaded), sse(&done)]),
        ("a close", Transport::WebSocket, vec![closed]),
        ("a refused handshake", Transport::WebSocket, vec![refused]),
        ("a fallback", Transport::Auto, vec![Response::json(403, json!({"error": error}).to_string()), sse(&done)]),
        ("a fallback after output", Transport::Auto, vec![Response::websocket(too_big), sse(&done)]),
    ] {
        let server = playing(responses).await;
        let builder = impatient(&server.base_url()).transport(transport).auth(Auth::bearer(KEY).unwrap());
        let session = builder.build().unwrap().session();
        let turn = session.begin_turn();
        let mut stream = turn.stream(request());
        let mut shown = String::new();
        loop {
            let item = stream.try_next().await;
            let reason = session.fallback_reason();
            writeln!(shown, "{item:?} {stream:?} {turn:?} {session:?} {reason:?}").unwrap();
            if let Ok(event) = &item {
                shown += &serde_json::to_string(event).unwrap();
            }
            let mut cause: Option<&dyn std::error::Error> = item.as_ref().err().map(|error| error as _);
            while let Some(error) = cause {
                writeln!(shown, "{error} {error:?}").unwrap();
                cause = error.source();
            }
            if !matches!(item, Ok(Some(_))) {
                break;
            }
        }
        assert!(!shown.contains("very-secret"), "{name}: {shown}");
        assert!(shown.contains("[redacted]"), "{name}: {shown}");
    }
}

/// Where a client can set no other header, it sends its key among the subprotocols.
#[tokio::test]
async fn a_key_among_subprotocols_is_not_shown_on_and_their_names_are() {
    let said = "sk-very-secret in openai-insecure-api-key.sk-very-secret is not for realtime";
    let refusal = json!({"error": {"message": said}}).to_string();
    let server = playing([Response::json(401, refusal)]).await;
    let offered = "realtime, openai-insecure-api-key.sk-very-secret";
    let builder = impatient(&server.base_url()).header("sec-websocket-protocol", offered).unwrap();
    let (_, error) = drain(builder.build().unwrap().session().begin_turn().stream(request())).await;
    assert_eq!(
        error.expect("a failure").message(),
        "[redacted] in openai-insecure-api-key.[redacted] is not for realtime"
    );
}
