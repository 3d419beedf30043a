//! WebSockets through a proxy.

use codex_api::{Client, FailureKind, Transport, TransportKind, TurnEvent};
use serde_json::Value;
use stream_replay::{Exchange, Gate, ReplayServer, Response, WebSocketScript};

use super::{Check, check};
use crate::client::{CALLS, TEXT, ask, attempts, last_attempt, request};
use crate::peers::Site;
use crate::support::{drain, impatient};

const TURN_STATE: &str = "x-codex-turn-state";

pub(super) fn checks() -> Vec<Check<Site>> {
    vec![
        check("WebSocket: turns with the turn state of the handshake", turns),
        check("WebSocket: an idle socket is cut and the turn retried", idle),
        check("WebSocket: an idle socket that is cut is told without retries", idle_once),
        check("WebSocket: a message of 1 MiB arrives whole", large),
        check("WebSocket: a refused handshake falls back to a stream", fallback),
    ]
}

fn client(site: &Site, route: &str, transport: Transport, tries: u32) -> Client {
    let builder = impatient(&site.base_url(route)).ca_file(&site.authority().root);
    builder.transport(transport).retry(attempts(tries)).build().unwrap()
}

fn socket(exchanges: impl IntoIterator<Item = Exchange>) -> Response {
    Response::websocket(exchanges.into_iter().fold(WebSocketScript::new(), WebSocketScript::exchange))
}

fn answer(body: &str) -> Exchange {
    Exchange::new().sse(body)
}

fn messages(server: &ReplayServer) -> Vec<Value> {
    server.messages().iter().map(|message| serde_json::from_str(&message.text).unwrap()).collect()
}

async fn turns(site: Site) {
    // What has the id of a finished response is taken for late events of that.
    let last = TEXT.replace("resp_text", "resp_last");
    let script = socket([answer(CALLS), answer(TEXT), answer(&last)]).header(TURN_STATE, "ts-1");
    let server = site.upstream([script]).await;
    let session = client(&site, "PLAIN", Transport::WebSocket, 1).session();
    let turn = session.begin_turn();
    let calls = turn.stream(request()).collect().await.unwrap();
    assert_eq!(calls.calls().map(|call| call.name).collect::<Vec<_>>(), ["weather", "clock"]);
    let follow_up = request().items(calls.items.clone()).user("And?");
    assert!(turn.stream(follow_up).collect().await.unwrap().text().starts_with("The bridge"));
    // The next turn uses the same socket, and not its state.
    session.begin_turn().stream(request()).collect().await.unwrap();
    assert_eq!(server.requests().len(), 1, "one handshake");
    let messages = messages(&server);
    let states: Vec<_> = messages.iter().map(|message| message["client_metadata"][TURN_STATE].as_str()).collect();
    assert_eq!(states, [Some("ts-1"), Some("ts-1"), None]);
    assert_eq!(messages[1]["previous_response_id"], "resp_calls");
    server.shutdown().await;
}

/// The beginning of an answer, and then nothing.
fn stalling() -> Response {
    let half = TEXT.find("event: response.output_text.done").unwrap();
    socket([answer(&TEXT[..half]).gate(Gate::new())])
}

async fn idle(site: Site) {
    let server = site.upstream([stalling(), socket([answer(TEXT)])]).await;
    let (events, error) = drain(ask(&client(&site, "IDLE", Transport::WebSocket, 3))).await;
    assert!(error.is_none(), "{error:?}");
    let retries = events.iter().filter_map(|event| match event {
        TurnEvent::Retry(retry) => Some((retry.attempt, retry.reason, retry.discarded)),
        _ => None,
    });
    assert_eq!(retries.collect::<Vec<_>>(), [(2, FailureKind::Closed, true)]);
    let texts = last_attempt(&events).into_iter().filter(|event| matches!(event, TurnEvent::TextDelta(_)));
    assert_eq!(texts.count(), 6);
    assert!(matches!(events.last(), Some(TurnEvent::Completed(_))));
    assert_eq!((server.requests().len(), server.messages().len()), (2, 2));
    server.shutdown().await;
}

async fn idle_once(site: Site) {
    let server = site.upstream([stalling()]).await;
    let (_, error) = drain(ask(&client(&site, "IDLE", Transport::WebSocket, 1))).await;
    let error = error.expect("half an answer is none");
    assert_eq!(
        (error.kind(), error.close_code(), error.is_retryable(), error.output_delivered()),
        (FailureKind::Closed, Some(1006), true, true),
        "{error}"
    );
    server.shutdown().await;
}

async fn large(site: Site) {
    let server = site.upstream([socket([answer(TEXT)])]).await;
    let prompt = "x".repeat(1024 * 1024);
    let turn = client(&site, "PLAIN", Transport::WebSocket, 1).session().begin_turn();
    turn.stream(codex_api::Request::new("m").user(&prompt)).collect().await.unwrap();
    assert!(server.messages()[0].text.contains(&prompt));
    server.shutdown().await;
}

async fn fallback(site: Site) {
    let refusal = Response::json(426, r#"{"error":{"message":"No sockets here."}}"#);
    let server = site.upstream([refusal, Response::sse(TEXT)]).await;
    let (events, error) = drain(ask(&client(&site, "PLAIN", Transport::Auto, 3))).await;
    assert!(error.is_none(), "{error:?}");
    let fallback = events.iter().find_map(|event| match event {
        TurnEvent::Fallback(fallback) => Some((fallback.to, fallback.reason.as_str())),
        _ => None,
    });
    assert_eq!(fallback, Some((TransportKind::Sse, "No sockets here.")));
    server.shutdown().await;
}
