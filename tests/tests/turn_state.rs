//! The turn's sticky state over real HTTP: captured once, sent on every later request of the turn, gone with the next.

mod support;

use codex_api::{Auth, Item, Request, Session, Transport, Turn, Wire};
use serde_json::json;
use stream_replay::{Cut, Exchange, Gate, ReplayServer, Response, WebSocketScript};
use support::{drain, impatient, playing, soon};

const HEADER: &str = "x-codex-turn-state";
const DONE: &str = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n";

fn answer() -> Response {
    Response::sse(DONE)
}

fn answer_with(state: impl AsRef<[u8]>) -> Response {
    answer().header(HEADER, state)
}

fn request() -> Request {
    Request::new("m").user("Hi")
}

fn session(server: &ReplayServer) -> Session {
    impatient(&server.base_url()).build().unwrap().session()
}

async fn ask(turn: &Turn) {
    turn.stream(request()).collect().await.unwrap();
}

/// The turn state of each request that the server got.
fn sent(server: &ReplayServer) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header(HEADER).map(str::to_owned)).collect()
}

#[track_caller]
fn check_sent(server: &ReplayServer, expected: &[Option<&str>]) {
    let sent = sent(server);
    assert_eq!(sent.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_state_is_kept_within_a_turn_and_gone_with_the_next() {
    let server = playing([answer_with("ts-1"), answer_with("ts-2"), answer()]).await;
    let session = session(&server);
    let turn = session.begin_turn();
    for _ in 0..3 {
        ask(&turn).await;
    }
    ask(&session.begin_turn()).await;
    // The second value is ignored: the first one wins.
    check_sent(&server, &[None, Some("ts-1"), Some("ts-1"), None]);
}

#[tokio::test]
async fn a_tool_follow_up_and_a_compaction_send_the_state() {
    let document = Response::json(200, r#"{"object":"response.compaction","output":[{"type":"compaction","id":"c"}]}"#);
    let server = playing([answer_with("ts-1"), answer(), document, answer()]).await;
    let turn = session(&server).begin_turn();
    ask(&turn).await;
    let follow_up = request().item(Item::function_output("call", "42"));
    turn.stream(follow_up).collect().await.unwrap();
    let compacted = turn.compact(request()).await.unwrap();
    assert_eq!(compacted.items[0].item_type(), "compaction");
    check_sent(&server, &[None, Some("ts-1"), Some("ts-1")]);
    let request = &server.requests()[2];
    assert_eq!((request.path.as_str(), request.header("accept")), ("/v1/responses/compact", Some("application/json")));
}

#[tokio::test]
async fn a_turn_goes_on_elsewhere_with_its_exported_state_and_the_next_one_does_not() {
    let server = playing([answer_with("ts-1"), answer_with("ts-2"), answer(), answer()]).await;
    let turn = session(&server).begin_turn();
    assert_eq!(turn.export_state(), None);
    ask(&turn).await;
    let kept = turn.export_state().unwrap().expose().to_owned();

    let elsewhere = session(&server);
    let resumed = elsewhere.resume_turn(kept.parse().unwrap());
    assert!(resumed.has_state());
    ask(&resumed).await;
    ask(&resumed).await;
    ask(&elsewhere.begin_turn()).await;
    check_sent(&server, &[None, Some("ts-1"), Some("ts-1"), None]);
    assert!(!format!("{resumed:?} {:?}", resumed.export_state()).contains("ts-1"));
}

#[tokio::test]
async fn a_compaction_can_bring_the_state() {
    let document = Response::json(200, r#"{"output":[]}"#).header(HEADER, "ts-c");
    let server = playing([document, answer()]).await;
    let turn = session(&server).begin_turn();
    turn.compact(request()).await.unwrap();
    ask(&turn).await;
    check_sent(&server, &[None, Some("ts-c")]);
}

#[tokio::test]
async fn the_state_of_an_attempt_that_was_cut_is_kept_for_the_next() {
    let cut = answer_with("ts-1").cut_at(20, Cut::Reset);
    let server = playing([cut, answer_with("ts-2"), answer()]).await;
    let turn = session(&server).begin_turn();
    ask(&turn).await;
    ask(&turn).await;
    check_sent(&server, &[None, Some("ts-1"), Some("ts-1")]);
}

#[tokio::test]
async fn metadata_events_bring_the_state() {
    for event_type in ["response.metadata", "codex.response.metadata"] {
        for value in [r#""ts-e""#, r#"["ts-e","other"]"#] {
            let event =
                format!("data: {{\"type\":\"{event_type}\",\"headers\":{{\"X-Codex-Turn-State\":{value}}}}}\n\n");
            let cut = Response::sse(format!("{event}{DONE}")).cut_at(event.len(), Cut::Close);
            let server = playing([cut, answer()]).await;
            let session = session(&server);
            let (events, error) = drain(session.begin_turn().stream(request())).await;
            assert!(error.is_none(), "{error:?}");
            assert!(!format!("{events:?}").contains("ts-e"), "{events:?}");
            ask(&session.begin_turn()).await;
            check_sent(&server, &[None, Some("ts-e"), None]);
        }
    }
}

#[tokio::test]
async fn a_header_is_earlier_than_an_event() {
    let event = "data: {\"type\":\"response.metadata\",\"headers\":{\"x-codex-turn-state\":\"ts-e\"}}\n\n";
    let server = playing([Response::sse(format!("{event}{DONE}")).header(HEADER, "ts-h"), answer()]).await;
    let turn = session(&server).begin_turn();
    ask(&turn).await;
    ask(&turn).await;
    check_sent(&server, &[None, Some("ts-h")]);
}

#[tokio::test]
async fn malformed_values_are_as_good_as_none() {
    let long = vec![b'x'; 9 * 1024];
    for malformed in [&b""[..], b"  ", b"a b", b"a\x01b", b"\xff\xfe", &long] {
        let server = playing([answer_with(malformed), answer_with("ts-1"), answer()]).await;
        let turn = session(&server).begin_turn();
        for _ in 0..3 {
            ask(&turn).await;
        }
        check_sent(&server, &[None, None, Some("ts-1")]);
    }
}

/// Nor what stands in the place of an answer; over any transport, in place of a handshake, too.
#[tokio::test]
async fn refusals_bring_no_state() {
    let auth = || Auth::from_fn(async |request| Ok(request));
    for refusal in [
        Response::json(500, "{}"),
        Response::json(429, "{}"),
        // The hook is asked once more.
        Response::json(401, "{}"),
        Response::new(307).header("location", "/v1/elsewhere"),
        Response::json(403, "{}"),
    ] {
        for transport in [Transport::Sse, Transport::WebSocket, Transport::Auto] {
            let server = playing([refusal.clone().header(HEADER, "ts-no"), answer_with("ts-1"), answer()]).await;
            let client = impatient(&server.base_url()).transport(transport).auth(auth()).build().unwrap();
            let turn = client.session().begin_turn();
            let first = drain(turn.stream(request())).await.1;
            // What is refused for good is asked for again by the caller.
            if first.is_some() {
                ask(&turn).await;
            }
            let sent = sent(&server);
            assert_eq!(sent[..2], [None, None], "{transport:?}: {sent:?}");
            assert_eq!(turn.export_state().unwrap().expose(), "ts-1", "{transport:?}");
        }
    }
}

/// Both are cut amid their answers, and asked for again, while the other goes on.
#[tokio::test]
async fn two_turns_at_the_same_time_have_a_state_each() {
    let metadata = |state: &str| json!({"type": "response.metadata", "headers": {HEADER: state}});
    let cut = |state: &str| {
        let body = format!("data: {}\n\n{DONE}", metadata("late"));
        answer_with(state).body(body.clone()).cut_at(body.len() - DONE.len(), Cut::Reset)
    };
    let cut_socket = |state: &str| {
        let exchange = Exchange::new().text(metadata("late").to_string()).cut(Cut::Reset);
        Response::websocket(WebSocketScript::new().exchange(exchange)).header(HEADER, state)
    };
    let whole_socket = || {
        let exchange = Exchange::new().sse(DONE);
        Response::websocket(WebSocketScript::new().exchange(exchange)).header(HEADER, "ts-late")
    };
    for (transport, responses) in [
        (Transport::Sse, [cut("ts-0"), cut("ts-1"), answer_with("ts-late")]),
        (Transport::WebSocket, [cut_socket("ts-0"), cut_socket("ts-1"), whole_socket()]),
    ] {
        let gate = Gate::new();
        let [first, second, rest] = responses;
        let server = playing([first.gate_head(gate.clone()), second.gate_head(gate.clone()), rest]).await;
        let session = impatient(&server.base_url()).transport(transport).build().unwrap().session();
        let turns = [session.begin_turn(), session.begin_turn()];
        // No answer before both have asked.
        let both_asked = async move {
            gate.wait_for_arrivals(2).await;
            gate.release();
            gate.release();
        };
        tokio::spawn(both_asked);
        for _ in 0..2 {
            let [first, second] = turns.each_ref().map(|turn| Box::pin(drain(turn.stream(request()))));
            let ((_, first), (_, second)) = soon(async { tokio::join!(first, second) }).await;
            assert!(first.is_none() && second.is_none(), "{transport:?}: {first:?} {second:?}");
        }
        let mut states = turns.each_ref().map(|turn| turn.export_state().unwrap().expose().to_owned());
        states.sort();
        assert_eq!(states, ["ts-0", "ts-1"], "{transport:?}");
        ask(&session.begin_turn()).await;
        // Over sockets the state of a request is in its message, too, and a handshake is not always needed.
        let mut sent = sent(&server);
        assert_eq!(sent.pop(), Some(None), "{transport:?}");
        assert_eq!(sent[..2], [None, None], "{transport:?}");
        for state in states {
            assert!(sent[2..].iter().flatten().any(|sent| *sent == state), "{transport:?}: {sent:?}");
        }
        assert!(sent[2..].iter().all(Option::is_some), "{transport:?}: {sent:?}");
        if transport == Transport::Sse {
            assert_eq!(sent.len(), 6);
            sent.sort();
            let [zero, one] = ["ts-0", "ts-1"].map(|state| Some(state.to_owned()));
            assert_eq!(sent[2..], [zero.clone(), zero, one.clone(), one]);
        }
    }
}

#[tokio::test]
async fn the_first_state_of_two_requests_at_the_same_time_is_that_of_the_turn() {
    let gate = Gate::new();
    let server = playing([answer_with("ts-late").gate_head(gate.clone()), answer_with("ts-early"), answer()]).await;
    let turn = session(&server).begin_turn();
    let mut first = turn.stream(request());
    tokio::select! {
        biased;
        () = async { while first.try_next().await.unwrap().is_some() {} } => panic!("its head waits"),
        () = gate.wait_for_arrivals(1) => {}
    }
    ask(&turn).await;
    gate.release();
    assert!(drain(first).await.1.is_none());
    ask(&turn).await;
    check_sent(&server, &[None, None, Some("ts-early")]);
}

#[tokio::test]
async fn the_chat_wire_keeps_the_state_too() {
    let chat = Response::sse("data: [DONE]\n\n").header(HEADER, "ts-1");
    let server = playing([chat]).await;
    let client = impatient(&server.base_url()).wire(Wire::Chat).build().unwrap();
    let turn = client.session().begin_turn();
    ask(&turn).await;
    ask(&turn).await;
    check_sent(&server, &[None, Some("ts-1")]);
}

#[tokio::test]
async fn the_state_is_shown_nowhere() {
    let server = playing([answer_with("ts-very-secret"), answer()]).await;
    let session = session(&server);
    let turn = session.begin_turn();
    let (events, _) = drain(turn.stream(request())).await;
    let stream = turn.stream(request());
    let shown = format!("{events:?} {session:?} {turn:?} {stream:?}");
    assert!(!shown.contains("very-secret"), "{shown}");
    assert!(turn.has_state());
}

/// It would go with every turn, and past the end of its own.
#[tokio::test]
async fn no_caller_sets_the_state_as_a_header() {
    let server = playing([answer()]).await;
    let name = "X-Codex-Turn-State";
    let session = session(&server);
    for error in [
        impatient(&server.base_url()).header(name, "ts").err(),
        session.clone().header(name, "ts").err(),
        session.begin_turn().header(name, "ts").err(),
    ] {
        let error = error.expect("it is refused");
        assert_eq!(error.kind(), codex_api::FailureKind::Config);
        assert!(error.message().contains("resume_turn"), "{error}");
    }
    ask(&session.begin_turn()).await;
    check_sent(&server, &[None]);
}
