//! Turns over real WebSockets: one engine, second transport.

mod support;

use codex_api::{FailureKind, Item, Request, Transport, TransportKind, TurnEvent, Wire};
use serde_json::json;
use stream_replay::{Cut, Gate, Response};
use support::sockets::{
    HEADER, check_states, completed, created, done_item, exchange, hello, message_item, messages, request, session,
    socket, states, stream,
};
use support::{drain, impatient, playing, soon};

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
    let server = playing([socket([cut]), socket([hello("r2"), hello("r3"), hello("r4")]), socket([hello("r5")])]).await;
    let session = session(&server, Transport::WebSocket);
    let turn = session.begin_turn();
    turn.stream(request()).collect().await.unwrap();
    turn.stream(request()).collect().await.unwrap();
    // A turn that goes on elsewhere is the same turn. The next one is not, and the socket was opened with the state.
    session.resume_turn(turn.export_state().unwrap()).stream(request()).collect().await.unwrap();
    session.begin_turn().stream(request()).collect().await.unwrap();
    check_states(&server, &[None, Some("ts-meta"), Some("ts-meta"), Some("ts-meta"), None]);
    let handshakes: Vec<_> =
        server.requests().iter().map(|request| request.header(HEADER).map(str::to_owned)).collect();
    assert_eq!(handshakes, [None, Some("ts-meta".to_owned()), None]);
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
