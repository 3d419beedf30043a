//! Whole turns over real HTTP: what the caller sees of what a service does.

mod support;

use std::time::Duration;

use codex_api::{
    Auth, Client, ClientBuilder, Error, FailureKind, ItemKind, Opened, RateLimits, Request, RetryPolicy, Transport,
    Turn, TurnEvent, TurnStream, Wire,
};
use serde_json::json;
use stream_replay::{Cut, Gate, ReplayServer, Response};
use support::turns::{HELLO, ask, builder, client, terminal_events};
use support::{drain, impatient, playing};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_partial_json, header, method, path},
};

const INVALID_PROMPT: &str = concat!(
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n",
    "data: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_1\",\"status\":\"failed\",",
    "\"error\":{\"code\":\"invalid_prompt\",\"message\":\"Your prompt was flagged. \\\"No.\\\"\"}}}\n\n",
);

const CHAT_PENDING_THEN_DONE: &str = concat!(
    "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"Hm\"}}]}\n\n",
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Let me look.\"}}]}\n\n",
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"t1\",",
    "\"function\":{\"name\":\"look\",\"arguments\":\"{}\"}}]}}]}\n\n",
    "data: DONE\n\n",
);

fn text_of(events: &[TurnEvent]) -> String {
    let deltas = events.iter().filter_map(|event| match event {
        TurnEvent::TextDelta(delta) => Some(delta.text.as_str()),
        _ => None,
    });
    deltas.collect()
}

/// A server that plays one body and keeps the connection open for as long as the gate lives.
async fn held_open(body: &'static str) -> (ReplayServer, Gate) {
    let gate = Gate::new();
    (playing([Response::sse(body).hold_until(gate.clone())]).await, gate)
}

#[tokio::test]
async fn a_responses_turn_streams_to_its_end() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/responses"))
        .and(header("accept", "text/event-stream"))
        .and(header("content-type", "application/json"))
        .and(header("authorization", "Bearer sk-test"))
        .and(body_partial_json(json!({"model": "gpt-5", "stream": true, "store": false})))
        .respond_with(
            ResponseTemplate::new(200).insert_header("x-request-id", "req_7").set_body_raw(HELLO, "text/event-stream"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let client = builder(&format!("{}/v1", server.uri())).auth(Auth::bearer("sk-test").unwrap()).build().unwrap();
    let stream = client.session().begin_turn().stream(Request::new("gpt-5").user("Hi"));
    let (events, error) = drain(stream).await;
    assert!(error.is_none(), "{error:?}");
    assert!(matches!(&events[0], TurnEvent::Request(request) if request.attempt == 1));
    assert!(matches!(&events[1], TurnEvent::Opened(opened) if opened.request_id.as_deref() == Some("req_7")));
    assert_eq!(text_of(&events), "Hello");
    assert_eq!(terminal_events(&events), 1);
    assert!(matches!(events.last(), Some(TurnEvent::Completed(done)) if done.response_id.as_deref() == Some("resp_1")));
}

/// The heads that a stream told.
fn heads(events: &[TurnEvent]) -> Vec<&Opened> {
    fn head(event: &TurnEvent) -> Option<&Opened> {
        if let TurnEvent::Opened(opened) = event { Some(opened) } else { None }
    }
    events.iter().filter_map(head).collect()
}

#[tokio::test]
async fn every_head_is_told_with_its_headers_and_without_the_turn_state() {
    let busy = Response::json(429, "{}").header("retry-after-ms", "1").header("x-ratelimit-remaining-requests", "0");
    let answer = Response::sse(HELLO)
        .header("OpenAI-Model", "gpt-5-2")
        .header("openai-processing-ms", "12")
        .header("x-tag", "a")
        .header("x-tag", "b")
        .header("x-note", "for sk-very-secret, you know")
        .header("set-cookie", "session=very-secret")
        .header("x-codex-turn-state", "ts-very-secret");
    let server = playing([busy, answer]).await;
    let client = impatient(&server.base_url()).auth(Auth::bearer("sk-very-secret").unwrap()).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(Request::new("m").user("Hi"))).await;
    assert!(error.is_none(), "{error:?}");
    let [refused, opened] = heads(&events)[..] else { panic!("{events:?}") };
    assert_eq!((refused.status, &refused.headers["x-ratelimit-remaining-requests"]), (429, &"0".parse().unwrap()));
    let value = |name| opened.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(
        (opened.status, value("openai-model"), value("openai-processing-ms")),
        (200, Some("gpt-5-2"), Some("12"))
    );
    assert_eq!(opened.headers.get_all("x-tag").iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(value("x-note"), Some("for [redacted], you know"));
    assert_eq!((opened.turn_state, value("x-codex-turn-state")), (true, None));
    // A cookie is the caller's to send back, and nobody's to see.
    assert_eq!(value("set-cookie"), Some("session=very-secret"));
    let shown = format!("{events:?} {:?} {}", *opened.headers, serde_json::to_string(&events).unwrap());
    assert!(!shown.contains("very-secret") && !shown.contains("very_secret"), "{shown}");
}

#[tokio::test]
async fn a_chat_turn_streams_to_its_end() {
    let server = MockServer::start().await;
    let body = concat!(
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"}}]}\n\n",
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n",
        "data: [DONE]\n\n",
    );
    Mock::given(method("POST"))
        .and(path("/chat/completions"))
        .and(body_partial_json(json!({
            "stream": true,
            "stream_options": {"include_usage": true},
            "messages": [{"role": "user", "content": "Hi"}],
        })))
        .respond_with(ResponseTemplate::new(200).set_body_raw(body, "text/event-stream; charset=utf-8"))
        .expect(1)
        .mount(&server)
        .await;
    let (events, error) = drain(ask(&server.uri(), Wire::Chat)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(text_of(&events), "Hello");
    let Some(TurnEvent::Completed(done)) = events.last() else { panic!("{events:?}") };
    assert_eq!(done.finish_reason.as_deref(), Some("stop"));
    assert_eq!(done.usage.as_ref().and_then(codex_api::Usage::output_tokens), Some(2));
}

#[tokio::test]
async fn collect_gives_the_answer_as_a_whole() {
    let server = playing([Response::sse(HELLO).chunk_bytes(7)]).await;
    let answer = ask(&server.base_url(), Wire::Responses).collect().await.unwrap();
    assert_eq!(answer.text(), "Hello");
    assert_eq!(answer.incomplete_reason, None);
    assert_eq!(answer.response.usage.and_then(|usage| usage.total_tokens()), Some(4));
}

#[tokio::test]
async fn collect_gives_the_head_of_the_attempt_that_answered_and_the_latest_limits() {
    let used = "x-codex-primary-used-percent";
    let busy = Response::json(429, "{}").header("retry-after-ms", "1").header("x-request-id", "req_1");
    let busy = busy.header(used, "98").header("x-other-primary-used-percent", "3");
    let answering = Response::sse(HELLO).header("x-request-id", "req_2").header(used, "99");
    let server = playing([busy, answering.header("openai-processing-ms", "12")]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let answer = client.session().begin_turn().stream(Request::new("m").user("Hi")).collect().await.unwrap();
    let opened = answer.opened.as_ref().expect("a head");
    assert_eq!((opened.status, opened.request_id.as_deref()), (200, Some("req_2")));
    assert_eq!(opened.headers["openai-processing-ms"], "12");
    let used = |limits: &RateLimits| limits.primary.as_ref().map(|window| window.used_percent);
    let limits: Vec<_> = answer.rate_limits.iter().map(|limits| (limits.limit_id.as_str(), used(limits))).collect();
    assert_eq!(limits, [("codex", Some(99.0)), ("other", Some(3.0))]);
}

#[tokio::test]
async fn invalid_prompt_is_told_at_once_while_the_connection_stays_open() {
    let (server, _gate) = held_open(INVALID_PROMPT).await;
    let (events, error) = drain(ask(&server.base_url(), Wire::Responses)).await;
    let error = error.expect("a failure");
    assert_eq!(error.kind(), FailureKind::Api);
    assert_eq!(error.code(), Some("invalid_prompt"));
    assert_eq!(error.message(), "Your prompt was flagged. \"No.\"");
    assert!(!error.is_retryable());
    assert_eq!((error.attempts(), terminal_events(&events)), (1, 0));
    assert_eq!(server.requests().len(), 1);
    // The client has let go of the connection, too.
    server.wait_for_disconnects(1).await;
}

#[tokio::test]
async fn bare_done_completes_while_the_connection_stays_open() {
    let (server, _gate) = held_open(CHAT_PENDING_THEN_DONE).await;
    let (events, error) = drain(ask(&server.base_url(), Wire::Chat)).await;
    assert!(error.is_none(), "{error:?}");
    let done = events.iter().filter_map(|event| match event {
        TurnEvent::ItemDone(done) => Some(match done.item.kind() {
            ItemKind::Reasoning(reasoning) if reasoning.text == "Hm" => "reasoning",
            ItemKind::Message(message) if message.text == "Let me look." => "message",
            ItemKind::FunctionCall(call) if (call.call_id, call.arguments) == ("t1", "{}") => "call",
            _ => "?",
        }),
        _ => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), ["reasoning", "message", "call"]);
    assert_eq!(terminal_events(&events), 1);
    assert!(matches!(events.last(), Some(TurnEvent::Completed(_))));
    server.wait_for_disconnects(1).await;
}

#[tokio::test]
async fn events_arrive_before_the_stream_goes_on() {
    let gate = Gate::new();
    let (first, rest) = HELLO.split_at(HELLO.find("data: {\"type\":\"response.output_item.done").unwrap());
    let server = playing([Response::sse(HELLO).chunks([first.into(), rest.into()]).gate(gate.clone())]).await;
    let mut stream = ask(&server.base_url(), Wire::Responses);
    gate.release();
    loop {
        match stream.try_next().await.unwrap().expect("the text comes before the end") {
            TurnEvent::TextDelta(delta) => break assert_eq!(delta.text, "Hello"),
            event => assert!(!event.is_terminal()),
        }
    }
    gate.open();
    assert_eq!(stream.collect().await.unwrap().text(), "Hello");
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let (server, _gate) = held_open(": waiting\n\n").await;
    let mut stream = ask(&server.base_url(), Wire::Responses);
    while !matches!(stream.try_next().await.unwrap(), Some(TurnEvent::Opened(_))) {}
    drop(stream);
    server.wait_for_disconnects(1).await;
}

#[tokio::test]
async fn calls_without_names_differ_from_request_to_request() {
    let call = "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}}]}\n\ndata: DONE\n\n";
    let server = playing([Response::sse(call)]).await;
    let ids = async || {
        let client = builder(&server.base_url()).wire(Wire::Chat).retry_seed(1).build().unwrap();
        let turn = client.session().begin_turn();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let answer = turn.stream(Request::new("m")).collect().await.unwrap();
            ids.extend(answer.calls().map(|call| call.call_id.to_owned()));
        }
        ids
    };
    let (first, again) = (ids().await, ids().await);
    assert_eq!(first.len(), 2);
    assert_ne!(first[0], first[1]);
    assert_eq!(first, again, "the seed decides");
}

/// An answer of two items, and when to stop reading it by hand.
const TWO_ITEMS: &str = concat!(
    "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"message\",",
    "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hello\"}]}}\n\n",
    "data: {\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{\"type\":\"function_call\",",
    "\"call_id\":\"c\",\"name\":\"n\",\"arguments\":\"{}\"}}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\"}}\n\n",
);

#[tokio::test]
async fn what_was_read_before_is_collected_too() {
    let server = playing([Response::sse(TWO_ITEMS)]).await;
    let whole = ask(&server.base_url(), Wire::Responses).collect().await.unwrap();
    assert_eq!((whole.text().as_str(), whole.items.len()), ("Hello", 2));
    // Request, head, two items, the end; and once more behind the end.
    for events in 0..=6 {
        let mut stream = ask(&server.base_url(), Wire::Responses);
        for _ in 0..events {
            stream.try_next().await.unwrap();
        }
        assert_eq!(stream.answer().map(|answer| &answer.items), (events >= 5).then_some(&whole.items));
        let mut collected = stream.collect().await.unwrap();
        // The head is the second event: whoever has read it has it.
        assert_eq!(collected.opened.is_none(), events >= 2, "after {events} events");
        collected.opened.clone_from(&whole.opened);
        assert_eq!(collected, whole, "after {events} events");
    }
}

#[tokio::test]
async fn headers_of_a_session_and_a_turn_go_with_their_requests_alone() {
    let server = playing([Response::sse(HELLO)]).await;
    let client = builder(&server.base_url()).header("x-team", "client").unwrap().build().unwrap();
    let plain = client.session();
    let session = plain.clone().header("x-team", "session").unwrap().header("x-conversation", "c-1").unwrap();
    let turn = session.begin_turn().header("traceparent", "00-1").unwrap().header("x-api-key", "sk-secret").unwrap();
    for _ in 0..2 {
        turn.stream(Request::new("m")).collect().await.unwrap();
    }
    turn.header("traceparent", "00-2").unwrap().stream(Request::new("m")).collect().await.unwrap();
    session.begin_turn().stream(Request::new("m")).collect().await.unwrap();
    plain.begin_turn().stream(Request::new("m")).collect().await.unwrap();
    let requests = server.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|request| ["x-team", "x-conversation", "traceparent"].map(|name| request.header(name)))
        .collect();
    let of_session = |trace| [Some("session"), Some("c-1"), trace];
    let (first, later) = (of_session(Some("00-1")), of_session(Some("00-2")));
    assert_eq!(seen, [first, first, later, of_session(None), [Some("client"), None, None]]);
    assert!(requests.iter().all(|request| !String::from_utf8_lossy(&request.body).contains("00-")));

    let turn = plain.begin_turn().header("x-api-key", "sk-secret").unwrap();
    assert!(!format!("{turn:?}").contains("sk-secret"));
    let refused = plain.begin_turn().header("x", "a\nsk-secret").unwrap_err();
    assert_eq!((refused.kind(), refused.to_string().contains("sk-secret")), (FailureKind::Config, false));
    assert!(plain.header("a b", "").is_err());
}

/// The values that the only request to a server like this had under each name.
async fn values_sent(turn: impl FnOnce(ClientBuilder) -> Turn) -> [Vec<String>; 2] {
    let server = playing([Response::sse(HELLO)]).await;
    turn(builder(&server.base_url())).stream(Request::new("m")).collect().await.unwrap();
    let request = &server.requests()[0];
    let values = |name| {
        let of_name = request.headers.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, value)| value.clone()).collect()
    };
    [values("x-team"), values("user-agent")]
}

#[tokio::test]
async fn a_header_replaces_what_was_there_on_every_level_and_only_appending_adds() {
    let ours = vec![format!("codex-api/{}", env!("CARGO_PKG_VERSION"))];
    let turn = |client: ClientBuilder| client.build().unwrap().session().begin_turn();
    let twice = |client: ClientBuilder| client.header("x-team", "a")?.header("X-Team", "b");
    let many = |client: ClientBuilder| client.append_header("x-team", "a")?.append_header("x-team", "b");

    assert_eq!(values_sent(|client| turn(twice(client).unwrap())).await, [vec!["b".to_owned()], ours.clone()]);
    assert_eq!(values_sent(|client| turn(many(client).unwrap())).await, [vec!["a".to_owned(), "b".into()], ours]);
    let replaced = values_sent(|client| turn(many(client).unwrap().header("x-team", "c").unwrap())).await;
    assert_eq!(replaced[0], ["c"]);

    // A level takes the place of all that the one before it has of a name.
    let layered = values_sent(|client| {
        let session = many(client).unwrap().build().unwrap().session();
        let session = session.header("x-team", "s").unwrap().header("x-team", "t").unwrap();
        session.begin_turn().header("user-agent", "u").unwrap().header("user-agent", "v").unwrap()
    });
    assert_eq!(layered.await, [["t"], ["v"]]);

    // One of ours is no value to add to.
    let appended = values_sent(|client| turn(client.append_header("user-agent", "mine").unwrap())).await;
    assert_eq!(appended[1], ["mine"]);
    assert!(builder("http://127.0.0.1:1/v1").append_header("x-codex-turn-state", "ts").is_err());
}

#[tokio::test]
async fn a_failure_that_was_read_before_is_told_again() {
    let server = playing([Response::sse(INVALID_PROMPT)]).await;
    let mut stream = ask(&server.base_url(), Wire::Responses);
    let error = loop {
        if let Err(error) = stream.try_next().await {
            break error;
        }
    };
    assert_eq!(stream.answer(), None);
    assert_eq!(stream.collect().await.unwrap_err().failure(), error.failure());
}

#[tokio::test]
async fn only_the_attempt_that_answered_is_collected() {
    let cut = Response::sse(TWO_ITEMS.split_inclusive("\n\n").next().unwrap()).cut(Cut::Reset);
    let server = playing([cut, Response::sse(HELLO)]).await;
    let client = builder(&server.base_url()).retry(RetryPolicy::new().with_reconnect_lone(Duration::from_nanos(1)));
    let mut stream = client.build().unwrap().session().begin_turn().stream(Request::new("m").user("Hi"));
    while !matches!(stream.try_next().await.unwrap(), Some(TurnEvent::ItemDone(_))) {}
    let answer = stream.collect().await.unwrap();
    assert_eq!(
        (answer.text().as_str(), answer.items.len(), answer.response.response_id.as_deref()),
        ("Hello", 1, Some("resp_1"))
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_encoded_is_the_streams_one_error() {
    let server = playing([Response::sse(HELLO)]).await;
    let ways = [
        (Wire::Responses, Transport::Sse),
        (Wire::Responses, Transport::WebSocket),
        (Wire::Responses, Transport::Auto),
        (Wire::Chat, Transport::Sse),
    ];
    for (wire, transport) in ways {
        let client = builder(&server.base_url()).wire(wire).transport(transport).build().unwrap();
        let request = Request::new("m").set("model.name", "x");
        let (_, error) = drain(client.session().begin_turn().stream(request)).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.attempts()), (FailureKind::Config, 1), "{wire:?} {transport:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
    let request = Request::new("m").set("instructions..x", "x");
    let turn = client(&server.base_url(), Wire::Responses).session().begin_turn();
    assert_eq!(turn.compact(request).await.map_err(|error| error.kind()), Err(FailureKind::Config));
    assert!(server.requests().is_empty(), "nothing is sent, not even a handshake");
}

#[tokio::test]
async fn secrets_show_up_in_no_debug_text() {
    let server = playing([Response::json(401, "{}")]).await;
    let client = builder(&server.base_url()).auth(Auth::bearer("sk-very-secret").unwrap()).build().unwrap();
    let turn = client.session().begin_turn();
    let stream = turn.stream(Request::new("m"));
    let shown = format!("{client:?} {turn:?} {stream:?}");
    let (events, error) = drain(stream).await;
    let shown = format!("{shown} {events:?} {error:?}");
    assert!(!shown.contains("very-secret"), "{shown}");
    assert_eq!(server.requests()[0].header("authorization"), Some("Bearer sk-very-secret"));
}

/// Of the types that a caller keeps, and of every future that the facade hands out. It is the compiler that says so.
#[test]
fn handles_streams_and_futures_can_be_sent_and_shared() {
    fn assert_send<T: Send + Unpin + 'static>() {}
    fn assert_shared<T: Send + Sync + Unpin + 'static>() {}
    fn assert_future<T: Future + Send>(_: fn(Parts) -> T) {}
    /// What futures are made of.
    type Parts = (codex_api::Session, Turn, &'static mut TurnStream, &'static mut codex_api::Transcriber);

    assert_shared::<Client>();
    assert_shared::<ClientBuilder>();
    assert_shared::<codex_api::Session>();
    assert_shared::<Turn>();
    assert_shared::<Request>();
    assert_shared::<Auth>();
    assert_shared::<codex_api::RetryBudget>();
    assert_shared::<TurnEvent>();
    assert_shared::<codex_api::Answer>();
    assert_shared::<codex_api::Failure>();
    // As `?` into the boxed errors of others needs it.
    assert_shared::<Error>();
    // It holds the future of a credential hook, which nobody asks to be shared.
    assert_send::<TurnStream>();
    assert_send::<codex_api::Transcriber>();
    assert_future(|(session, ..)| async move { session.warm_up(Request::new("m")).await });
    assert_future(|(_, turn, ..)| async move { turn.compact(Request::new("m")).await });
    assert_future(|(_, turn, ..)| turn.stream(Request::new("m")).collect());
    assert_future(|(_, turn, ..)| codex_api::transcript(turn.stream(Request::new("m"))));
    assert_future(|(_, _, stream, _)| stream.try_next());
    assert_future(|(_, turn, _, transcriber)| transcriber.read(turn.stream(Request::new("m"))));
}

#[tokio::test]
async fn a_failure_can_be_kept_without_its_error() {
    let server = playing([Response::json(401, r#"{"error":{"code":"bad_key","message":"No."}}"#)]).await;
    let error = ask(&server.base_url(), Wire::Responses).collect().await.unwrap_err();
    let told = error.failure().clone();
    let failure = error.into_failure();
    assert_eq!(
        (failure.code.as_deref(), failure.message.as_str(), failure.status),
        (Some("bad_key"), "No.", Some(401))
    );
    assert_eq!(failure, told);
}
