//! A server beside the binary, and what it answers.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stream_replay::{RecordedRequest, ReplayServer, ReplayServerBuilder, Response};
use tokio::runtime::Runtime;

use super::{Ran, command};

/// A server on a runtime of its own, since the binary is waited for.
pub(crate) struct Server {
    pub(crate) runtime: Runtime,
    pub(crate) server: ReplayServer,
}

impl Server {
    pub(crate) fn new(responses: impl IntoIterator<Item = Response>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let builder = responses.into_iter().fold(ReplayServer::builder(), ReplayServerBuilder::respond);
        let server = runtime.block_on(builder.start()).expect("a loopback port is free");
        Self { runtime, server }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command();
        command.arg("turn").args(args).args(["--base-url", &self.server.base_url()]).stdin(Stdio::null());
        command
    }

    pub(crate) fn turn(&self, args: &[&str]) -> Ran {
        self.command(args).output().expect("the binary runs").into()
    }

    /// The bodies that were sent.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.server.requests().iter().map(body).collect()
    }
}

fn body(request: &RecordedRequest) -> Value {
    request.json().expect("a request is JSON")
}

pub(crate) fn sse(events: &[Value]) -> Response {
    let events: Vec<String> = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    Response::sse(events.concat())
}

pub(crate) fn message(text: &str) -> Response {
    let content = json!([{"type": "output_text", "text": text}]);
    sse(&[
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": text}),
        json!({"type": "response.output_item.done", "output_index": 0,
            "item": {"type": "message", "role": "assistant", "content": content}}),
        json!({"type": "response.completed", "response": {"id": "r", "status": "completed"}}),
    ])
}

pub(crate) fn call(name: &str) -> Response {
    sse(&[
        json!({"type": "response.output_item.done", "output_index": 0,
            "item": {"type": "function_call", "call_id": "c1", "name": name, "arguments": "{}", "status": "completed"}}),
        json!({"type": "response.completed", "response": {"id": "r", "status": "completed"}}),
    ])
}
