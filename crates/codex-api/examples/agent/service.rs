//! A service that stands on this machine and plays a turn.

use std::io;

use serde_json::{Value, json};
use stream_replay::{Cut, ReplayServer, Response};

/// What the turn answers.
pub(crate) const PROMPT: &str = "How many people live in Oslo and Bergen together, and how far are they apart?";

/// Starts it. Its first answer breaks off, which the client repairs; its last one goes to all later requests, too.
pub(crate) async fn start() -> io::Result<ReplayServer> {
    let look_ups = [
        function("call_1", "population", &json!({"city": "Oslo"})),
        function("call_2", "population", &json!({"city": "Bergen"})),
        function("call_3", "distance", &json!({"from": "Oslo", "to": "Bergen"})),
    ];
    let sum = json!({"type": "custom_tool_call", "call_id": "call_4", "name": "calc", "input": "717710 + 291940"});
    ReplayServer::builder()
        .respond(Response::sse(event(&delta("I guess that "))).cut(Cut::Close))
        .respond(answer("Let me look that up.", &look_ups, &completed()))
        .respond(answer("", &[sum], &completed()))
        .respond(answer("1009650 people live there, and the cities are 305 km apart.", &[], &completed()))
        .start()
        .await
}

/// An answer of some text and some calls.
pub(crate) fn answer(text: &str, calls: &[Value], end: &Value) -> Response {
    let mut events = Vec::new();
    if !text.is_empty() {
        let (begin, rest) = text.split_at(text.find(' ').unwrap_or(0));
        events.extend([begin, rest].map(delta));
        let message =
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]});
        events.push(done(0, &message));
    }
    events.extend(calls.iter().zip(1..).map(|(call, place)| done(place, call)));
    events.push(end.clone());
    Response::sse(events.iter().map(event).collect::<String>())
}

/// A call of a function.
pub(crate) fn function(call_id: &str, name: &str, arguments: &Value) -> Value {
    json!({"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments.to_string()})
}

/// The end of an answer that is whole.
pub(crate) fn completed() -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1"}})
}

fn delta(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "output_index": 0, "delta": text})
}

fn done(place: u32, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": place, "item": item})
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}
