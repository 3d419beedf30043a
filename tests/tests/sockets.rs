//! Turns over real WebSockets: one engine, second transport, and a fallback that does not lose the turn.

mod support;

use codex_api::{FailureKind, Item, Request, Session, Transport, TransportKind, TurnEvent, Wire};
use serde_json::{Value, json};
use stream_replay::{Cut, Exchange, Gate, ReplayServer, Response, WebSocketScript};
use support::{drain, impatient, playing, soon};

const HEADER: &str = "x-codex-turn-state";

fn completed(id: &str) -> Value {
    json!({"type": "response.completed", "response": {"id": id, "usage": {"total_tokens": 1}}})
}

fn created(id: &str) -> Value {
    json!({"type": "response.created", "response": {"id": id}})
}

fn message_item() -> Value {
    json!({"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]})
}

fn done_item() -> Value {
    json!({"type": "response.output_item.done", "output_index": 0, "item": message_item()})
}

fn exchange(events: &[Value]) -> Exchange {
    events.iter().fold(Exchange::new(), |exchange, event| exchange.text(event.to_string()))
}

/// An answer of one message.
fn hello(id: &str) -> Exchange {
    exchange(&[created(id), done_item(), completed(id)])
}

fn socket(exchanges: impl IntoIterator<Item = Exchange>) -> Response {
    Response::websocket(exchanges.into_iter().fold(WebSocketScript::new(), WebSocketScript::exchange))
}

fn stream() -> Response {
    Response::sse(format!("data: {}\n\ndata: {}\n\n", done_item(), completed("r-sse")))
}

fn session(server: &ReplayServer, transport: Transport) -> Session {
    impatient(&server.base_url()).transport(transport).build().unwrap().session()
}

fn request() -> Request {
    Request::new("m").user("Hi")
}

fn messages(server: &ReplayServer) -> Vec<Value> {
    server.messages().iter().map(|message| serde_json::from_str(&message.text).unwrap()).collect()
}

fn states(server: &ReplayServer) -> Vec<Option<String>> {
    let state = |message: &Value| message["client_metadata"][HEADER].as_str().map(str::to_owned);
    messages(server).iter().map(state).collect()
}

#[track_caller]
fn check_states(server: &ReplayServer, expected: &[Option<&str>]) {
    let states = states(server);
    assert_eq!(states.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

fn fallbacks(events: &[TurnEvent]) -> usize {
    events.iter().filter(|event| matches!(event, TurnEvent::Fallback(_))).count()
}

#[tokio::test]
async fn a_turn_streams_over_a_socket_that_the_next_request_uses_again() {
    let server = playing([socket([hello("r1"), hello("r2")])]).await;
    let session = session(&server, Transport::WebSocket);
    let turn = session.begin_turn();
    let (events, error) = drain(turn.stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert!(matches!(&events[0], TurnEvent::Request(request) if request.transport == TransportKind::WebSocket
        && request.url.starts_with("ws://")));
    assert!(
        matches!(&events[1], TurnEvent::Opened(opened) if opened.status == 101 && opened.headers.contains_key("upgrade"))
    );
    assert!(matches!(events.last(), Some(TurnEvent::Completed(done)) if done.response_id.as_deref() == Some("r1")));
    // The follow-up extends the conversation: it sends what is new, over the same socket.
    let follow_up = request().item(Item::from_json(message_item()).unwrap()).user("And?");
    assert_eq!(turn.stream(follow_up).collect().await.unwrap().text(), "Hello");
    let handshakes = server.requests();
    assert_eq!((handshakes.len(), handshakes[0].header("openai-beta")), (1, Some("responses_websockets=2026-02-06")));
    let messages = messages(&server);
    assert_eq!((&messages[0]["type"], messages[0].get("stream")), (&json!("response.create"), None));
    assert_eq!(messages[0]["input"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&messages[1]["previous_response_id"], messages[1]["input"].as_array().map(Vec::len)),
        (&json!("r1"), Some(1))
    );
}

#[tokio::test]
async fn another_conversation_sends_its_whole_input() {
    let server = playing([socket([hello("r1"), hello("r2")])]).await;
    let session = session(&server, Transport::WebSocket);
    session.begin_turn().stream(request()).collect().await.unwrap();
    session.begin_turn().stream(Request::new("m").user("Something else")).collect().await.unwrap();
    let messages = messages(&server);
    assert_eq!(
        (messages[1].get("previous_response_id"), messages[1]["input"].as_array().map(Vec::len)),
        (None, Some(1))
    );
}

#[tokio::test]
async fn a_handshake_state_belongs_to_the_turn_that_made_the_handshake() {
    let server = playing([socket([hello("r1"), hello("r2"), hello("r3")]).header(HEADER, "ts-hand")]).await;
    let session = session(&server, Transport::WebSocket);
    let turn = session.begin_turn();
    turn.stream(request()).collect().await.unwrap();
    turn.stream(request()).collect().await.unwrap();
    // The next turn uses the same socket, and not its state.
    session.begin_turn().stream(request()).collect().await.unwrap();
    assert_eq!(server.requests().len(), 1);
    // It is known as soon as the socket is open, so the first request sends it, too.
    check_states(&server, &[Some("ts-hand"), Some("ts-hand"), None]);
}

#[tokio::test]
async fn a_metadata_event_brings_the_state_and_a_reconnect_sends_it() {
    let metadata = json!({"type": "response.metadata", "headers": {HEADER: "ts-meta"}});
    let cut = exchange(&[metadata, created("r1")]).cut(Cut::Close);
    let server = playing([socket([cut]), socket([hello("r2"), hello("r3"), hello("r4")])]).await;
    let session = session(&server, Transport::WebSocket);
    let turn = session.begin_turn();
    turn.stream(request()).collect().await.unwrap();
    turn.stream(request()).collect().await.unwrap();
    session.begin_turn().stream(request()).collect().await.unwrap();
    check_states(&server, &[None, Some("ts-meta"), Some("ts-meta"), None]);
    let handshakes: Vec<_> =
        server.requests().iter().map(|request| request.header(HEADER).map(str::to_owned)).collect();
    assert_eq!(handshakes, [None, Some("ts-meta".to_owned())]);
}

#[tokio::test]
async fn the_state_goes_along_with_the_fallback() {
    let too_big = exchange(&[created("r1")]).close(1009, "too big");
    let server = playing([socket([too_big]).header(HEADER, "ts-1"), stream()]).await;
    let session = session(&server, Transport::Auto);
    let (events, error) = drain(session.begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(fallbacks(&events), 1);
    let requests = server.requests();
    assert_eq!((requests[1].method.as_str(), requests[1].header(HEADER)), ("POST", Some("ts-1")));
}

#[tokio::test]
async fn a_refused_upgrade_falls_back_at_once_and_the_session_remembers() {
    for status in [426, 400, 403, 404, 405, 406, 410, 415, 501, 505] {
        let refusal = Response::json(status, r#"{"error":{"message":"No sockets here."}}"#);
        let server = playing([refusal, stream()]).await;
        let session = session(&server, Transport::Auto);
        let (events, error) = drain(session.begin_turn().stream(request())).await;
        assert!(error.is_none(), "{status}: {error:?}");
        assert_eq!(fallbacks(&events), 1);
        assert_eq!(session.fallback_reason().as_deref(), Some("No sockets here."));
        session.begin_turn().stream(request()).collect().await.unwrap();
        let methods: Vec<String> = server.requests().iter().map(|request| request.method.clone()).collect();
        assert_eq!(methods, ["GET", "POST", "POST"]);
    }
}

#[tokio::test]
async fn a_handshake_refused_for_a_reason_that_holds_everywhere_is_final() {
    for code in ["invalid_prompt", "insufficient_quota"] {
        let refusal = Response::json(400, format!(r#"{{"error":{{"message":"No.","code":"{code}"}}}}"#));
        let server = playing([refusal, stream()]).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        let error = error.unwrap();
        assert_eq!((error.code(), error.message(), error.is_retryable()), (Some(code), "No.", false));
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 1));
    }
}

#[tokio::test]
async fn headers_of_a_turn_go_with_the_handshake_that_it_makes() {
    let server = playing([socket([hello("r1"), hello("r2")])]).await;
    let session = session(&server, Transport::WebSocket).header("x-conversation", "c-1").unwrap();
    for trace in ["00-1", "00-2"] {
        let turn = session.begin_turn().header("traceparent", trace).unwrap();
        turn.stream(request()).collect().await.unwrap();
    }
    let [handshake] = &server.requests()[..] else { panic!("one socket for both turns") };
    assert_eq!((handshake.header("x-conversation"), handshake.header("traceparent")), (Some("c-1"), Some("00-1")));
    assert_eq!((handshake.header("content-type"), handshake.header("upgrade")), (None, Some("websocket")));
}

#[tokio::test]
async fn a_subprotocol_that_the_caller_offers_may_be_chosen() {
    for (chosen, expected) in
        [("realtime", None), ("other", Some("the server chose a subprotocol that was not offered"))]
    {
        let answer = socket([hello("r")]).header("sec-websocket-protocol", chosen);
        let server = playing([answer.clone(), answer]).await;
        let builder = impatient(&server.base_url()).transport(Transport::WebSocket);
        let client = builder.header("sec-websocket-protocol", "realtime, x.y").unwrap().build().unwrap();
        let (_, error) = soon(drain(client.session().begin_turn().stream(request()))).await;
        assert_eq!(error.as_ref().map(codex_api::Error::message), expected, "{chosen}");
    }
}

#[tokio::test]
async fn a_pinned_socket_never_falls_back() {
    let server = playing([Response::json(426, r#"{"error":{"message":"No sockets here."}}"#)]).await;
    let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.status(), error.message()), (FailureKind::Api, Some(426), "No sockets here."));
    assert_eq!((fallbacks(&events), server.requests().len()), (0, 1));
}

/// What services and proxies send that have never heard of a WebSocket: whatever they have, with a status of success.
fn deaf() -> [(Response, &'static str); 5] {
    let answer = |content_type: &str| {
        let body = format!("data: {}\n\n", completed("nobody's"));
        Response::new(200).header("content-type", content_type).body(body).hold_until(Gate::new())
    };
    [
        (answer("text/event-stream"), "text/event-stream"),
        (answer("text/plain"), "text/plain"),
        (Response::new(204), "HTTP 204"),
        (Response::json(200, r#"{"object":"response","status":"completed","id":"x","output":[]}"#), "application/json"),
        (Response::new(200).header("content-type", "text/html").body("<title>Welcome</title>"), "Welcome"),
    ]
}

#[tokio::test]
async fn an_answer_to_the_handshake_is_no_answer_to_the_request() {
    for (response, told) in deaf() {
        let server = playing([response]).await;
        let stream = session(&server, Transport::WebSocket).begin_turn().stream(request());
        let (events, error) = soon(drain(stream)).await;
        let error = error.unwrap_or_else(|| panic!("{told}: {events:?}"));
        assert_eq!(error.kind(), FailureKind::Protocol, "{error}");
        assert!(error.message().contains(told), "{error}");
        assert!(!events.iter().any(TurnEvent::is_output), "{events:?}");
        assert!(server.requests().iter().all(|request| request.method == "GET"));
    }
}

#[tokio::test]
async fn an_answer_to_the_handshake_makes_auto_fall_back() {
    for (response, told) in deaf() {
        let server = playing([response, stream()]).await;
        let session = session(&server, Transport::Auto);
        let (events, error) = soon(drain(session.begin_turn().stream(request()))).await;
        assert!(error.is_none(), "{error:?}");
        assert!(
            matches!(events.last(), Some(TurnEvent::Completed(done)) if done.response_id.as_deref() == Some("r-sse"))
        );
        assert_eq!(fallbacks(&events), 1, "{told}");
        assert!(session.fallback_reason().is_some_and(|reason| reason.contains(told)));
    }
}

#[tokio::test]
async fn two_sockets_that_bring_nothing_are_enough() {
    let dead = || socket([Exchange::new().cut(Cut::Close)]);
    let server = playing([dead(), dead(), stream()]).await;
    let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(fallbacks(&events), 1);
    let attempts = events.iter().filter_map(|event| match event {
        TurnEvent::Request(request) => Some((request.attempt, request.transport)),
        _ => None,
    });
    let (ws, sse) = (TransportKind::WebSocket, TransportKind::Sse);
    assert_eq!(attempts.collect::<Vec<_>>(), [(1, ws), (2, ws), (3, sse)]);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_asked_for_once_over_every_transport() {
    let big = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "x".repeat(2000)});
    for transport in [Transport::Sse, Transport::WebSocket, Transport::Auto] {
        // A handshake for a recorded stream gets its events as messages.
        let server = playing([Response::sse(format!("data: {}\n\ndata: {big}\n\n", created("r1")))]).await;
        let client = impatient(&server.base_url()).transport(transport).max_event_bytes(1000).build().unwrap();
        let session = client.session();
        let (events, error) = drain(session.begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (FailureKind::TooLarge, 1, false));
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 1), "{transport:?}");
        assert_eq!(session.fallback_reason(), None);
    }
}

#[tokio::test]
async fn error_events_of_every_shape_end_the_request_while_the_socket_stays_open() {
    let nested = json!({"code": "invalid_prompt", "message": "Flagged."});
    let shapes = [
        json!({"type": "error", "status": 400, "error": nested}),
        json!({"type": "error", "error": nested}),
        json!({"type": "error", "code": "invalid_prompt", "message": "Flagged."}),
        json!({"type": "response.failed", "response": {"id": "r", "error": nested}}),
    ];
    for shape in shapes {
        let server = playing([socket([exchange(&[shape])])]).await;
        let (_, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.code(), error.message()), (Some("invalid_prompt"), "Flagged."));
        assert_eq!((server.requests().len(), server.messages().len()), (1, 1));
        server.wait_for_disconnects(1).await;
    }
}

#[tokio::test]
async fn close_codes_are_told_and_decide() {
    let close = |code: u16, reason: &str| socket([exchange(&[created("r1")]).close(code, reason)]);
    // Tried again.
    for code in [1000, 1001, 1011, 1012, 1013] {
        let server = playing([close(code, ""), socket([hello("r2")])]).await;
        let answer = session(&server, Transport::WebSocket).begin_turn().stream(request()).collect().await;
        assert_eq!(answer.unwrap().text(), "Hello", "{code}");
    }
    // Not tried again.
    let server = playing([close(1008, "policy of the house")]).await;
    let (_, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.close_code(), error.attempts()), (FailureKind::Closed, Some(1008), 1));
    assert!(error.message().contains("policy of the house"), "{error}");
}

#[tokio::test]
async fn a_close_code_says_how_often_it_is_tried_again() {
    // Attempts over a socket that is pinned; then over one that is not, before it falls back.
    for (code, pinned, auto) in [
        (1000, 9, None),
        (1001, 9, None),
        (1002, 2, Some(2)),
        (1003, 2, Some(2)),
        (1007, 2, Some(2)),
        (1008, 1, None),
        (1009, 1, Some(1)),
        (1010, 2, Some(2)),
        (1011, 9, None),
        (1012, 9, None),
        (1013, 9, None),
        (4000, 9, None),
    ] {
        let close = || socket([exchange(&[created("r1")]).close(code, "")]);
        let server = playing([close()]).await;
        let (_, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.close_code(), error.attempts()), (FailureKind::Closed, Some(code), pinned));
        assert_eq!(error.is_retryable(), pinned > 1, "{code}");
        let Some(auto) = auto else { continue };
        let server = playing((0..auto).map(|_| close()).chain([stream()])).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        assert!(error.is_none(), "{code}: {error:?}");
        assert_eq!((fallbacks(&events), server.requests().len()), (1, auto + 1), "{code}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_refused_for_now_is_tried_again() {
    for status in [429, 503] {
        let refusal = Response::json(status, r#"{"error":{"message":"Later."}}"#).header("retry-after", "0");
        let server = playing([refusal, socket([hello("r1")])]).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        assert!(error.is_none(), "{status}: {error:?}");
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 2), "{status}");
    }
}

#[tokio::test]
async fn a_known_code_in_the_reason_of_a_close_decides_before_the_close_code() {
    let close = |code: u16, reason: &str| socket([exchange(&[created("r1")]).close(code, reason)]);
    for (close_code, reason, code) in [
        (1008, "rate_limit_exceeded", "rate_limit_exceeded"),
        (1008, "server_is_overloaded", "server_is_overloaded"),
        (1008, "websocket_connection_limit_reached", "websocket_connection_limit_reached"),
        (4000, "slow_down: please wait", "slow_down"),
    ] {
        let server = playing([close(close_code, reason), socket([hello("r2")])]).await;
        let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
        assert!(error.is_none(), "{reason}: {error:?}");
        let retry =
            events.iter().find_map(|event| if let TurnEvent::Retry(retry) = event { Some(retry) } else { None });
        let is_free = code == "websocket_connection_limit_reached";
        assert_eq!(retry.and_then(|retry| retry.code.as_deref()), (!is_free).then_some(code), "{reason}");
    }
    for (close_code, reason, code, message) in [
        (1008, "invalid_prompt", "invalid_prompt", "invalid_prompt"),
        (1011, "usage_limit_reached", "usage_limit_reached", "usage_limit_reached"),
        (1000, "Flagged (invalid_prompt).", "invalid_prompt", "Flagged (invalid_prompt)."),
        (1011, r#"{"error":{"code":"invalid_prompt","message":"Flagged."}}"#, "invalid_prompt", "Flagged."),
    ] {
        let server = playing([close(close_code, reason)]).await;
        let (_, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.code(), error.message()), (FailureKind::Api, Some(code), message), "{reason}");
        assert_eq!((error.close_code(), error.attempts()), (Some(close_code), 1), "{reason}");
    }
}

#[tokio::test]
async fn an_unknown_previous_response_is_repaired_once_with_the_whole_input() {
    let unknown =
        json!({"type": "error", "status": 400, "error": {"code": "previous_response_not_found", "message": "?"}});
    let server = playing([socket([hello("r1"), exchange(&[unknown]), hello("r3")])]).await;
    let turn = session(&server, Transport::WebSocket).begin_turn();
    turn.stream(request()).collect().await.unwrap();
    let follow_up = request().item(Item::from_json(message_item()).unwrap()).user("And?");
    let (events, error) = drain(turn.stream(follow_up)).await;
    assert!(error.is_none(), "{error:?}");
    assert!(!events.iter().any(|event| matches!(event, TurnEvent::Retry(_))), "a repair is nobody's business");
    let messages = messages(&server);
    assert_eq!((messages.len(), server.requests().len()), (3, 1));
    assert_eq!(messages[1]["previous_response_id"], "r1");
    assert_eq!(
        (messages[2].get("previous_response_id"), messages[2]["input"].as_array().map(Vec::len)),
        (None, Some(3))
    );
}

/// The service finishes an item before it finds out, and gives another one instead.
#[tokio::test]
async fn what_came_before_such_a_repair_is_void() {
    let unknown = json!({"type": "error", "error": {"code": "previous_response_not_found", "message": "?"}});
    let void = json!({"type": "response.output_item.done", "output_index": 3, "item": {"type": "message", "id": "v"}});
    let script = [hello("r1"), exchange(&[created("r2"), void, unknown]), hello("r3")];
    let server = playing([socket(script.clone())]).await;
    let turn = session(&server, Transport::WebSocket).begin_turn();
    turn.stream(request()).collect().await.unwrap();
    let follow_up = || request().item(Item::from_json(message_item()).unwrap()).user("And?");
    let answer = turn.stream(follow_up()).collect().await.unwrap();
    assert_eq!(answer.items, [Item::from_json(message_item()).unwrap()]);
    // The same, event by event.
    let server = playing([socket(script)]).await;
    let turn = session(&server, Transport::WebSocket).begin_turn();
    turn.stream(request()).collect().await.unwrap();
    let (events, error) = drain(turn.stream(follow_up())).await;
    assert!(error.is_none(), "{error:?}");
    let retry = events.iter().position(|event| matches!(event, TurnEvent::Retry(retry) if retry.discarded)).unwrap();
    assert!(matches!(&events[retry + 1], TurnEvent::Request(request) if request.attempt == 1), "{events:?}");
}

#[tokio::test]
async fn a_previous_response_of_the_callers_own_is_the_callers() {
    let unknown =
        json!({"type": "error", "status": 400, "error": {"code": "previous_response_not_found", "message": "?"}});
    let server = playing([socket([exchange(&[unknown])])]).await;
    let request = request().set("previous_response_id", "mine");
    let (_, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request)).await;
    assert_eq!(error.expect("a failure").code(), Some("previous_response_not_found"));
    assert_eq!(messages(&server).len(), 1);
}

#[tokio::test]
async fn a_socket_that_is_too_old_is_replaced_for_free() {
    let old = json!({"type": "error", "status": 400,
        "error": {"code": "websocket_connection_limit_reached", "message": "60 minutes"}});
    let server = playing([socket([exchange(&[old])]), socket([hello("r2")])]).await;
    let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert!(!events.iter().any(|event| matches!(event, TurnEvent::Retry(_))));
}

#[tokio::test]
async fn late_events_of_a_finished_response_never_touch_the_next_one() {
    let late = json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": "late"});
    let second = exchange(&[late, completed("r1"), created("r2"), done_item(), completed("r2")]);
    let server = playing([socket([hello("r1"), second])]).await;
    let turn = session(&server, Transport::WebSocket).begin_turn();
    turn.stream(request()).collect().await.unwrap();
    let mut stream = turn.stream(request());
    let mut text = String::new();
    while let Some(event) = stream.try_next().await.unwrap() {
        match event {
            TurnEvent::TextDelta(delta) => text.push_str(&delta.text),
            TurnEvent::Completed(done) => assert_eq!(done.response_id.as_deref(), Some("r2")),
            _ => {}
        }
    }
    assert_eq!((text.as_str(), stream.ledger().late), ("", 2));
}

/// A service with canned answers, say, has one id for all of them.
#[tokio::test]
async fn an_answer_with_the_names_of_the_one_before_is_a_new_answer() {
    let bare = || exchange(&[done_item(), completed("r1")]);
    let ends = || exchange(&[completed("r1")]);
    let server = playing([socket([hello("r1"), hello("r1"), bare(), bare(), ends(), ends(), hello("r1")])]).await;
    let session = session(&server, Transport::WebSocket);
    for items in [1, 1, 1, 1, 0, 0, 1] {
        let (events, error) = drain(session.begin_turn().stream(request())).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(events.iter().filter(|event| matches!(event, TurnEvent::ItemDone(_))).count(), items);
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_parked_socket_that_was_closed_is_replaced_for_free() {
    let server = playing([socket([hello("r1").close(1000, "bye")]), socket([hello("r2")])]).await;
    let session = session(&server, Transport::WebSocket);
    session.begin_turn().stream(request()).collect().await.unwrap();
    let (events, error) = drain(session.begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert!(!events.iter().any(|event| matches!(event, TurnEvent::Retry(_))));
    assert_eq!(server.requests().len(), 2);
}

/// Programs without a runtime of their own may have one for each call, and nobody drives the other ones meanwhile.
#[test]
fn a_socket_that_another_runtime_keeps_is_left_to_it() {
    let serving = tokio::runtime::Runtime::new().unwrap();
    let server = serving.block_on(playing([socket([hello("r1")]), socket([hello("r2")])]));
    let session = session(&server, Transport::WebSocket);
    let runtimes = [(); 2].map(|()| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
    for runtime in &runtimes {
        let answer = runtime.block_on(soon(session.begin_turn().stream(request()).collect()));
        assert_eq!(answer.unwrap().items.len(), 1);
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_warm_up_prepares_the_first_request_and_belongs_to_no_turn() {
    let server = playing([socket([exchange(&[completed("r0")]), hello("r1")]).header(HEADER, "ts-none")]).await;
    let session = session(&server, Transport::WebSocket);
    session.warm_up(request()).await.unwrap();
    session.begin_turn().stream(request()).collect().await.unwrap();
    let messages = messages(&server);
    assert_eq!((&messages[0]["generate"], messages[1].get("generate")), (&json!(false), None));
    assert_eq!((&messages[1]["previous_response_id"], &messages[1]["input"]), (&json!("r0"), &json!([])));
    assert_eq!((server.requests().len(), states(&server)[1].clone()), (1, None));
}

#[tokio::test]
async fn a_warm_up_that_no_turn_would_gain_by_is_refused_and_opens_nothing() {
    for (wire, transport, message) in [
        (Wire::Chat, Transport::Sse, "the chat wire has no WebSocket transport"),
        (Wire::Chat, Transport::Auto, "the chat wire has no WebSocket transport"),
        (Wire::Responses, Transport::Sse, "the client is pinned to server-sent events: there is no WebSocket to open"),
    ] {
        let server = playing([socket([hello("r1")])]).await;
        let client = impatient(&server.base_url()).wire(wire).transport(transport).build().unwrap();
        let error = soon(client.session().warm_up(request())).await.expect_err("nobody would use it");
        assert_eq!((error.kind(), error.message()), (FailureKind::Config, message), "{wire:?} {transport:?}");
        assert!(server.requests().is_empty());
    }
    // The same of a session that keeps away from them for now.
    let refusal = Response::json(426, r#"{"error":{"message":"No sockets here."}}"#);
    let server = playing([refusal, stream(), socket([hello("r1")])]).await;
    let session = session(&server, Transport::Auto);
    session.begin_turn().stream(request()).collect().await.unwrap();
    let error = session.warm_up(request()).await.expect_err("nobody would use it");
    let message = "the session keeps away from WebSockets for now: No sockets here.";
    assert_eq!((error.kind(), error.message(), server.requests().len()), (FailureKind::Config, message, 2));
}

#[tokio::test]
async fn dropping_a_stream_in_flight_closes_its_socket() {
    let gate = Gate::new();
    let server = playing([socket([exchange(&[created("r1")]).gate(gate.clone())]), socket([hello("r2")])]).await;
    let session = session(&server, Transport::WebSocket);
    let mut stream = session.begin_turn().stream(request());
    while !matches!(stream.try_next().await.unwrap(), Some(TurnEvent::Created(_))) {}
    drop(stream);
    server.wait_for_disconnects(1).await;
    session.begin_turn().stream(request()).collect().await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_same_turn_reads_the_same_over_both_transports() {
    let body = format!(
        "data: {}\n\ndata: {}\n\ndata: {}\n\n",
        created("r1"),
        json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "delta": "Hello"}),
        completed("r1"),
    );
    let mut transcripts = Vec::new();
    for transport in [Transport::Sse, Transport::WebSocket] {
        // A handshake for a recorded stream gets its events as messages.
        let server = playing([Response::sse(body.clone())]).await;
        let (events, error) = drain(session(&server, transport).begin_turn().stream(request())).await;
        assert!(error.is_none(), "{error:?}");
        let mut transcript = codex_api::Transcript::new();
        transcripts.push(events.iter().skip(2).map(|event| transcript.event(None, event)).collect::<String>());
    }
    assert_eq!(transcripts[0], transcripts[1]);
}

#[tokio::test]
async fn what_is_no_text_of_the_protocol_is_a_typed_failure() {
    // A binary frame, a masked frame, half a character, a frame of a tebibyte.
    let broken: [&'static [u8]; 4] =
        [b"\x82\x01x", b"\x81\x81\x00\x00\x00\x00x", b"\x81\x02\xc3\x28", b"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00"];
    for frame in broken {
        let server = playing([socket([Exchange::new().frames(frame)])]).await;
        let (_, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
        let kind = error.expect("a failure").kind();
        assert!(matches!(kind, FailureKind::Protocol | FailureKind::TooLarge), "{kind}: {frame:?}");
    }
    // Text that is no JSON is reported, and no reason to stop.
    let server = playing([socket([Exchange::new().text("<html>").text(completed("r1").to_string())])]).await;
    let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert!(events.iter().any(|event| matches!(event, TurnEvent::Malformed(_))));
}
