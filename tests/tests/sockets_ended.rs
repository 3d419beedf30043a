//! How answers over a WebSocket end: with a close, an error event, or nonsense.

mod support;

use std::time::{Duration, Instant};

use codex_api::{Client, FailureKind, Item, Pacing, Provider, RetryBudget, RetryPolicy, Transport, TurnEvent, Wire};
use serde_json::{Value, json};
use stream_replay::{Cut, Exchange, Response};
use support::sockets::{
    HEADER, completed, created, exchange, fallbacks, hello, message_item, messages, request, session, socket, stream,
};
use support::{drain, impatient, playing, soon};
use turn_session::{EngineConfig, InputForm, ResponseHead, Target, TurnEngine};

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

/// By the code, else by the status, else as what nobody knows; with the waits that its headers ask for.
#[tokio::test]
async fn the_code_and_then_the_status_of_an_error_event_decide() {
    let coded = |code: &str| json!({"code": code, "message": "Oh."});
    let bare = json!({"message": "Oh."});
    for (event, code, attempts) in [
        (json!({"type": "error", "status": 429, "error": coded("rate_limit_exceeded")}), "rate_limit_exceeded", 9),
        (json!({"type": "error", "error": coded("server_is_overloaded")}), "server_is_overloaded", 9),
        // The code comes first.
        (json!({"type": "error", "status": 400, "error": coded("server_is_overloaded")}), "server_is_overloaded", 9),
        (json!({"type": "error", "status": 503, "error": coded("invalid_prompt")}), "invalid_prompt", 1),
        (json!({"type": "error", "status": 429, "error": coded("insufficient_quota")}), "insufficient_quota", 1),
        // A code that nobody knows, or none.
        (json!({"type": "error", "status": 503, "error": coded("brand_new")}), "brand_new", 9),
        (json!({"type": "error", "status": 422, "error": coded("brand_new")}), "brand_new", 1),
        (json!({"type": "error", "error": coded("brand_new")}), "brand_new", 3),
        (json!({"type": "error", "status": 500, "error": bare}), "", 9),
        (json!({"type": "error", "status": 404, "error": bare}), "", 1),
        (json!({"type": "error", "error": bare}), "", 3),
    ] {
        let server = playing([socket([exchange(std::slice::from_ref(&event))])]).await;
        let (_, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
        let error = error.unwrap_or_else(|| panic!("{event}: no failure"));
        let told = (error.kind(), error.code().unwrap_or_default(), error.message());
        assert_eq!(told, (FailureKind::Api, code, "Oh."), "{event}");
        assert_eq!(error.status().map(u64::from), event["status"].as_u64(), "{event}");
        assert_eq!((error.attempts(), error.is_retryable()), (attempts, attempts > 1), "{event}");
        assert_eq!(server.messages().len(), attempts as usize, "{event}");
    }
}

/// With the default waits. The seed is fixed, and so are the draws.
#[tokio::test]
async fn the_headers_of_an_error_event_are_hints() {
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    let refusal =
        |headers: Value| json!({"type": "error", "status": 429, "error": {"message": "Oh."}, "headers": headers});
    for (headers, least, most) in [
        (json!({"retry-after": "5"}), s(5), ms(7_500)),
        (json!({"Retry-After-Ms": 5000}), s(5), ms(7_500)),
        (json!({"retry-after": ["5", "9"]}), s(5), ms(7_500)),
        (json!({"retry-after": "soon"}), s(1), s(2)),
        (json!({}), s(1), s(2)),
    ] {
        let server = playing([socket([exchange(&[refusal(headers.clone())])])]).await;
        let client = Client::builder(Provider::new(&server.base_url()).unwrap()).transport(Transport::WebSocket);
        let client = client.retry_seed(1).build().unwrap();
        for _ in 0..20 {
            // A stream that is dropped while it waits gives its token back.
            let mut stream = client.session().begin_turn().stream(request());
            let retry = loop {
                if let Some(TurnEvent::Retry(retry)) = soon(stream.try_next()).await.unwrap() {
                    break retry;
                }
            };
            assert!(least <= retry.delay && retry.delay <= most, "{headers}: {:?}", retry.delay);
        }
    }
    let server = playing([socket([exchange(&[refusal(json!({"retry-after": "10800"}))])])]).await;
    let (_, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.attempts(), error.is_retryable()), (1, true));
    assert_eq!(error.retry_after(), Some(s(10_800)));
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
        (3000, 1, None),
        (3003, 1, None),
        (3008, 9, None),
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

/// A service may say so in an event or by its close, and may close behind the event.
#[tokio::test]
async fn an_unknown_previous_response_is_repaired_once_with_the_whole_input() {
    let unknown =
        json!({"type": "error", "status": 400, "error": {"code": "previous_response_not_found", "message": "?"}});
    let told = || exchange(std::slice::from_ref(&unknown));
    let another = || socket([hello("r3")]);
    for (name, sockets) in [
        ("an event", vec![socket([hello("r1"), told(), hello("r3")])]),
        ("a close", vec![socket([hello("r1"), Exchange::new().close(1008, "previous_response_not_found")]), another()]),
        ("an event and a close", vec![socket([hello("r1"), told().close(1000, "")]), another()]),
        ("an event and a refusal", vec![socket([hello("r1"), told().close(1008, "")]), another()]),
        ("an event and a wordy refusal", vec![socket([hello("r1"), told().close(1008, "Unknown.")]), another()]),
        ("an event and a code of its own", vec![socket([hello("r1"), told().close(4000, "Unknown.")]), another()]),
        ("an event and an end", vec![socket([hello("r1"), told().cut(Cut::Close)]), another()]),
    ] {
        let handshakes = sockets.len();
        let server = playing(sockets).await;
        let turn = session(&server, Transport::WebSocket).begin_turn();
        turn.stream(request()).collect().await.unwrap();
        let follow_up = request().item(Item::from_json(message_item()).unwrap()).user("And?");
        let (events, error) = drain(turn.stream(follow_up)).await;
        assert!(error.is_none(), "{name}: {error:?}");
        assert!(
            !events.iter().any(|event| matches!(event, TurnEvent::Retry(_))),
            "{name}: a repair is nobody's business"
        );
        assert_eq!(server.requests().len(), handshakes, "{name}");
        // The second try may still have gone out over a socket that was about to close.
        let (messages, most) = (messages(&server), 2 + handshakes);
        assert!((3..=most).contains(&messages.len()), "{name}: {messages:?}");
        assert_eq!(messages[1]["previous_response_id"], "r1", "{name}");
        for whole in &messages[2..] {
            let input = whole["input"].as_array().map(Vec::len);
            assert_eq!((whole.get("previous_response_id"), input), (None, Some(3)), "{name}");
        }
    }
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

fn too_old() -> Value {
    json!({"type": "error", "status": 400,
        "error": {"code": "websocket_connection_limit_reached", "message": "60 minutes"}})
}

#[tokio::test]
async fn a_socket_that_is_too_old_is_replaced_for_free() {
    let server = playing([socket([exchange(&[too_old()])]), socket([hello("r2")])]).await;
    let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert!(!events.iter().any(|event| matches!(event, TurnEvent::Retry(_))));
    let attempts = events.iter().filter_map(|event| match event {
        TurnEvent::Request(request) => Some(request.attempt),
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [1, 1], "a repair is no attempt");
    assert_eq!(server.requests().len(), 2, "it is a fresh one");
    // Once it is free; from then on it is tried again as everything that may pass.
    let server = playing([socket([exchange(&[too_old()])])]).await;
    let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    let told = (error.kind(), error.code(), error.message());
    assert_eq!(told, (FailureKind::Api, Some("websocket_connection_limit_reached"), "60 minutes"));
    assert_eq!((error.attempts(), error.is_retryable()), (9, true));
    assert_eq!(events.iter().filter(|event| matches!(event, TurnEvent::Retry(_))).count(), 8);
    assert_eq!((server.requests().len(), server.messages().len()), (10, 10));
}

/// So that all who are told at the same time do not come back at the same time. Without a token of the budget.
#[test]
fn the_free_replacement_of_a_socket_comes_within_a_second() {
    let mut waits = Vec::new();
    for seed in 0..40 {
        let now = Instant::now();
        let budget = RetryBudget::new(Pacing::default());
        let mut config = EngineConfig::new(Wire::Responses, Target::new("http://service.example/v1"), now);
        config.transport = Transport::WebSocket;
        config.policy = RetryPolicy::new();
        config.budget = Some(budget.clone());
        config.seed = seed;
        let mut engine = TurnEngine::new(config);
        engine.handle_opened(ResponseHead::new(101, http::HeaderMap::new()), now);
        engine.handle_sent(InputForm::Whole, now);
        engine.handle_payload(None, too_old().to_string().as_bytes(), now);
        waits.push(engine.poll_timeout().expect("a wait").duration_since(now));
        assert_eq!(budget.tokens(), 2);
    }
    waits.sort();
    assert!(waits[0] < Duration::from_millis(200) && waits[39] > Duration::from_millis(800), "{waits:?}");
    assert!(waits[39] <= Duration::from_secs(1), "{waits:?}");
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
