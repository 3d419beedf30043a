//! What the suites over WebSockets share.

use codex_api::{Request, Session, Transport, TurnEvent};
use serde_json::{Value, json};
use stream_replay::{Exchange, ReplayServer, Response, WebSocketScript};

use super::impatient;

pub(crate) const HEADER: &str = "x-codex-turn-state";

pub(crate) fn completed(id: &str) -> Value {
    json!({"type": "response.completed", "response": {"id": id, "usage": {"total_tokens": 1}}})
}

pub(crate) fn created(id: &str) -> Value {
    json!({"type": "response.created", "response": {"id": id}})
}

pub(crate) fn message_item() -> Value {
    json!({"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]})
}

pub(crate) fn done_item() -> Value {
    json!({"type": "response.output_item.done", "output_index": 0, "item": message_item()})
}

pub(crate) fn exchange(events: &[Value]) -> Exchange {
    events.iter().fold(Exchange::new(), |exchange, event| exchange.text(event.to_string()))
}

/// An answer of one message.
pub(crate) fn hello(id: &str) -> Exchange {
    exchange(&[created(id), done_item(), completed(id)])
}

pub(crate) fn socket(exchanges: impl IntoIterator<Item = Exchange>) -> Response {
    Response::websocket(exchanges.into_iter().fold(WebSocketScript::new(), WebSocketScript::exchange))
}

pub(crate) fn stream() -> Response {
    Response::sse(format!("data: {}\n\ndata: {}\n\n", done_item(), completed("r-sse")))
}

pub(crate) fn session(server: &ReplayServer, transport: Transport) -> Session {
    impatient(&server.base_url()).transport(transport).build().unwrap().session()
}

pub(crate) fn request() -> Request {
    Request::new("m").user("Hi")
}

pub(crate) fn messages(server: &ReplayServer) -> Vec<Value> {
    server.messages().iter().map(|message| serde_json::from_str(&message.text).unwrap()).collect()
}

pub(crate) fn states(server: &ReplayServer) -> Vec<Option<String>> {
    let state = |message: &Value| message["client_metadata"][HEADER].as_str().map(str::to_owned);
    messages(server).iter().map(state).collect()
}

#[track_caller]
pub(crate) fn check_states(server: &ReplayServer, expected: &[Option<&str>]) {
    let states = states(server);
    assert_eq!(states.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
}

pub(crate) fn fallbacks(events: &[TurnEvent]) -> usize {
    events.iter().filter(|event| matches!(event, TurnEvent::Fallback(_))).count()
}
