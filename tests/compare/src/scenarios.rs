//! What the server does.

use std::{
    io,
    time::{Duration, Instant},
};

use stream_replay::{Cut, Gate, ReplayServer, Response};

use crate::{
    clients::{Subject, Until},
    seen::{Cell, Seen},
};

/// How long a stream may go on while nothing comes.
const PATIENCE: Duration = Duration::from_secs(8);

/// The same where a client may try again for long.
const LONG_PATIENCE: Duration = Duration::from_secs(240);

/// The API that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Responses,
    Chat,
}

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    wire: Wire,
    until: Until,
    patience: Duration,
    responses: Vec<Response>,
}

impl Scenario {
    fn new(name: &'static str, wire: Wire, responses: Vec<Response>) -> Self {
        Self { name, wire, until: Until::End, patience: PATIENCE, responses }
    }

    fn patient(self) -> Self {
        Self { patience: LONG_PATIENCE, ..self }
    }

    fn dropped(self) -> Self {
        Self { until: Until::Text, ..self }
    }

    /// Lets a client meet a server of its own.
    pub(crate) async fn run(&self, subject: &Subject) -> io::Result<Cell> {
        let mut server = ReplayServer::builder();
        for response in &self.responses {
            server = server.respond(response.clone());
        }
        let server = server.start().await?;
        let mut seen = Seen::default();
        let mut begin = Instant::now();
        let base_url = server.base_url();
        // A client that waits has still shown what came before.
        let asked = subject.ask(&base_url, self.wire, self.until, &mut seen);
        // Time counts from the request on: an interpreter has to start first.
        let limit = async {
            server.wait_for_requests(1).await;
            begin = Instant::now();
            tokio::time::sleep(self.patience).await;
        };
        tokio::select! {
            () = asked => {}
            () = limit => {}
        }
        let elapsed = begin.elapsed();
        let hung_up = match self.until {
            Until::End => None,
            Until::Text => {
                Some(tokio::time::timeout(Duration::from_secs(3), server.wait_for_disconnects(1)).await.is_ok())
            }
        };
        Ok(Cell { seen, elapsed, requests: server.requests().len(), hung_up })
    }
}

/// An event of the Responses API.
fn event(data: &str) -> String {
    let event_type = data.split('"').nth(3).unwrap_or_default();
    format!("event: {event_type}\ndata: {data}\n\n")
}

fn created() -> String {
    event(&format!(
        r#"{{"type":"response.created","sequence_number":0,"response":{}}}"#,
        response("in_progress", "null")
    ))
}

fn delta(text: &str) -> String {
    event(&format!(
        r#"{{"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"{text}","logprobs":[]}}"#
    ))
}

/// The item around the text, for clients that want to be told.
fn opened() -> String {
    event(
        r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message","id":"msg_1","status":"in_progress","role":"assistant","content":[]}}"#,
    ) + &event(
        r#"{"type":"response.content_part.added","sequence_number":1,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}}"#,
    )
}

fn closed(text: &str) -> String {
    event(&format!(
        r#"{{"type":"response.output_item.done","sequence_number":2,"output_index":0,"item":{{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{{"type":"output_text","text":"{text}","annotations":[],"logprobs":[]}}]}}}}"#
    ))
}

fn completed() -> String {
    event(&format!(
        r#"{{"type":"response.completed","sequence_number":3,"response":{}}}"#,
        response("completed", "null")
    ))
}

fn failed() -> String {
    let error = r#"{"code":"invalid_prompt","message":"The prompt was flagged."}"#;
    event(&format!(r#"{{"type":"response.failed","sequence_number":2,"response":{}}}"#, response("failed", error)))
}

fn response(status: &str, error: &str) -> String {
    format!(
        r#"{{"id":"resp_1","object":"response","created_at":1700000000,"status":"{status}","error":{error},"incomplete_details":null,"instructions":null,"metadata":{{}},"model":"demo","output":[],"parallel_tool_calls":true,"temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0,"usage":{{"input_tokens":1,"input_tokens_details":{{"cached_tokens":0}},"output_tokens":1,"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":2}}}}"#
    )
}

fn begun() -> String {
    created() + &opened() + &delta("Hello")
}

fn whole() -> String {
    begun() + &closed("Hello") + &completed()
}

fn chat(sentinel: &str) -> String {
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"demo\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    chunk(r#"{"role":"assistant","content":"Hello"}"#, "null") + &chunk("{}", r#""stop""#) + sentinel
}

fn held(body: String) -> Response {
    Response::sse(body).hold_until(Gate::new())
}

fn error_body(code: &str, message: &str) -> String {
    format!(r#"{{"error":{{"message":"{message}","type":"invalid_request_error","param":null,"code":"{code}"}}}}"#)
}

/// All rows.
pub(crate) fn all() -> Vec<Scenario> {
    use Wire::{Chat, Responses};
    let ok = || Response::sse(whole());
    let unknown = event(r#"{"type":"response.brand_new","sequence_number":1,"note":"x"}"#);
    let error = event(
        r#"{"type":"error","sequence_number":1,"code":"invalid_prompt","message":"The prompt was flagged.","param":null}"#,
    );
    let split = created() + &opened() + &delta("Grüße 👋") + &closed("Grüße 👋") + &completed();
    let busy = Response::json(500, error_body("server_error", "Something broke."));
    vec![
        Scenario::new("sends `response.completed` and keeps the connection open", Responses, vec![held(whole())]),
        Scenario::new(
            "sends `response.failed` (`invalid_prompt`) and keeps the connection open",
            Responses,
            vec![held(begun() + &failed())],
        ),
        Scenario::new(
            "sends an `error` event (`invalid_prompt`) and keeps the connection open",
            Responses,
            vec![held(begun() + &error)],
        ),
        Scenario::new(
            "refuses with 400 `invalid_prompt`",
            Responses,
            vec![Response::json(400, error_body("invalid_prompt", "The prompt was flagged."))],
        ),
        Scenario::new(
            "ends the body properly before a terminal event, then works",
            Responses,
            vec![Response::sse(begun()), ok()],
        )
        .patient(),
        Scenario::new(
            "resets the connection in the middle, then works",
            Responses,
            vec![Response::sse(begun()).cut(Cut::Reset), ok()],
        )
        .patient(),
        Scenario::new(
            "sends an event of a type nobody knows, then completes",
            Responses,
            vec![Response::sse(created() + &opened() + &unknown + &delta("Hello") + &closed("Hello") + &completed())],
        ),
        Scenario::new(
            "answers 429 with `Retry-After: 2`, then works",
            Responses,
            vec![Response::json(429, error_body("rate_limit_exceeded", "Slow down.")).header("retry-after", "2"), ok()],
        )
        .patient(),
        Scenario::new("answers 500, whatever is asked", Responses, vec![busy]).patient(),
        Scenario::new("goes on; the caller drops the stream after the first text", Responses, vec![held(begun())])
            .dropped(),
        Scenario::new(
            "sends multibyte text in chunks of one byte",
            Responses,
            vec![Response::sse(split).chunk_bytes(1)],
        ),
        Scenario::new(
            "ends a Chat stream with `[DONE]` and keeps the connection open",
            Chat,
            vec![held(chat("data: [DONE]\n\n"))],
        ),
        Scenario::new(
            "ends a Chat stream with bare `DONE` and keeps the connection open",
            Chat,
            vec![held(chat("data: DONE\n\n"))],
        ),
        Scenario::new(
            "breaks a Chat stream off properly before a `finish_reason`, then works",
            Chat,
            vec![
                Response::sse(chat("").split_inclusive("\n\n").next().unwrap_or_default().to_owned()),
                Response::sse(chat("data: [DONE]\n\n")),
            ],
        )
        .patient(),
    ]
}
