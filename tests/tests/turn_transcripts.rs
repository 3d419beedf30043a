//! Whole turns over real connections as people read them: requests and heads, retries, the turn state kept and gone.

#[path = "support/snapshot.rs"]
mod snapshot;
mod support;

use codex_api::{Item, Request, Transcriber, Transport, Wire};
use serde_json::json;
use stream_replay::{Cut, Exchange, Gate, Response, WebSocketScript};
use support::{impatient, playing, soon};

const STATE: &str = "x-codex-turn-state";

const CREATED: &str = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_77\",\"model\":\"gpt-5\"}}\n\n";
const TEXT: &str = "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"item_id\":\"m\",\"delta\":\"It is noon.\"}\n\n";
const ITEM: &str = concat!(
    "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"message\",\"id\":\"m\",",
    "\"role\":\"assistant\",\"status\":\"completed\",",
    "\"content\":[{\"type\":\"output_text\",\"text\":\"It is noon.\"}]}}\n\n",
);
const CALL: &str = concat!(
    "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"function_call\",",
    "\"id\":\"f\",\"call_id\":\"call_Xy\",\"name\":\"clock\",\"arguments\":\"{}\",\"status\":\"completed\"}}\n\n",
);
const DONE: &str = concat!(
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_77\",",
    "\"usage\":{\"input_tokens\":9,\"output_tokens\":4}}}\n\n",
);

fn answer() -> Response {
    Response::sse([CREATED, TEXT, ITEM, DONE].concat())
}

fn call() -> Response {
    Response::sse([CREATED, CALL, DONE].concat())
}

fn request() -> Request {
    Request::new("gpt-5").user("What time is it?")
}

/// The follow-up that brings the result of a call.
fn with_output(call: &Item) -> Request {
    request().item(call.clone()).item(Item::function_output("call_Xy", "12:00"))
}

/// Compares what was written with its snapshot; `server` says what the server did.
#[track_caller]
fn check_turn(name: &str, description: &str, server: &str, transcriber: &Transcriber) {
    let text = transcriber.as_str();
    snapshot::settings(description, &[("server", server)], text).bind(|| insta::assert_snapshot!(name, text));
}

#[tokio::test]
async fn a_cut_voids_what_was_shown_and_the_retry_sends_the_state_that_the_cut_attempt_brought() {
    let cut = Response::sse([CREATED, TEXT, ITEM, DONE].concat())
        .header("x-request-id", "req-a")
        .header(STATE, "secret-1")
        .cut_at(CREATED.len() + TEXT.len(), Cut::Close);
    let server = playing([cut, answer().header("x-request-id", "req-b").header(STATE, "secret-1")]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let mut transcriber = Transcriber::new();
    let answer = soon(transcriber.read(client.session().begin_turn().stream(request()))).await.unwrap();
    assert_eq!(answer.text(), "It is noon.");
    check_turn(
        "retry_after_a_cut",
        "The connection closes after some text: the retry says that it is void, and the second attempt sends the turn \
         state that the head of the first had brought.",
        "1: head with state, two events, close; 2: whole answer",
        &transcriber,
    );
}

#[tokio::test]
async fn a_tool_follow_up_sends_the_state_and_the_next_turn_does_not() {
    let limits = |response: Response| {
        response
            .header("x-codex-primary-used-percent", "42")
            .header("x-codex-primary-window-minutes", "300")
            .header("x-codex-secondary-used-percent", "7.5")
            .header("x-codex-secondary-window-minutes", "10080")
    };
    let server = playing([
        limits(call().header(STATE, "secret-1")),
        answer().header(STATE, "secret-2"),
        answer().header(STATE, "secret-3"),
    ])
    .await;
    let session = impatient(&server.base_url()).build().unwrap().session();
    let mut transcriber = Transcriber::new();
    transcriber.note("first turn");
    let turn = session.begin_turn();
    let called = soon(transcriber.read(turn.stream(request()))).await.unwrap();
    transcriber.note("first turn, result of the call");
    soon(transcriber.read(turn.stream(with_output(&called.items[0])))).await.unwrap();
    transcriber.note("next turn");
    soon(transcriber.read(session.begin_turn().stream(request()))).await.unwrap();
    assert!(!transcriber.as_str().contains("secret"));
    check_turn(
        "tool_follow_up_and_next_turn",
        "A turn of two requests: the follow-up sends the state ts_A that the first head brought, and another value that \
         comes later is ignored. The next turn begins without a state and takes its own.",
        "1: call, with state and limits; 2, 3: answers, each with another state",
        &transcriber,
    );
}

#[tokio::test]
async fn a_refused_socket_falls_back_to_an_event_stream_for_good() {
    let refusal = Response::json(426, json!({"error": {"message": "Use HTTP."}}).to_string());
    let server = playing([refusal, answer().header(STATE, "secret-1"), answer()]).await;
    let client = impatient(&server.base_url()).transport(Transport::Auto).build().unwrap();
    let mut transcriber = Transcriber::new();
    let turn = client.session().begin_turn();
    soon(transcriber.read(turn.stream(request()))).await.unwrap();
    soon(transcriber.read(turn.stream(request()))).await.unwrap();
    check_turn(
        "socket_falls_back_to_event_stream",
        "The service refuses the WebSocket with 426: the second attempt goes out as an event stream without a wait, and \
         the next request of the turn goes there at once, with the state.",
        "1: 426 to the handshake; 2, 3: whole answers",
        &transcriber,
    );
}

#[tokio::test]
async fn a_socket_is_used_again_by_the_follow_up() {
    let exchange = |parts: &[&str]| {
        parts.iter().fold(Exchange::new(), |exchange, part| {
            exchange.text(part.trim_start_matches("data: ").trim_end().to_owned())
        })
    };
    let script = WebSocketScript::new().exchange(exchange(&[CREATED, CALL, DONE])).exchange(exchange(&[
        &CREATED.replace("resp_77", "resp_78"),
        &ITEM.replace("\"m\"", "\"m2\""),
        &DONE.replace("resp_77", "resp_78"),
    ]));
    let server = playing([Response::websocket(script).header(STATE, "secret-1")]).await;
    let client = impatient(&server.base_url()).transport(Transport::WebSocket).build().unwrap();
    let mut transcriber = Transcriber::new();
    let turn = client.session().begin_turn();
    let called = soon(transcriber.read(turn.stream(request()))).await.unwrap();
    soon(transcriber.read(turn.stream(with_output(&called.items[0])))).await.unwrap();
    assert_eq!(server.requests().len(), 1, "one handshake");
    check_turn(
        "socket_used_again",
        "A turn over a WebSocket: the handshake (101) brings the state, and the follow-up goes over the same socket, so \
         that no second head comes.",
        "1: handshake with state, call, then the answer over the same socket",
        &transcriber,
    );
}

#[tokio::test]
async fn a_refused_prompt_ends_the_stream_while_the_connection_stays_open() {
    let failed = concat!(
        "data: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_77\",\"status\":\"failed\",",
        "\"error\":{\"code\":\"invalid_prompt\",\"message\":\"Your prompt was flagged.\"}}}\n\n",
    );
    let gate = Gate::new();
    let held = Response::sse([CREATED, failed].concat()).hold_until(gate.clone());
    let server = playing([held]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let mut transcriber = Transcriber::new();
    soon(transcriber.read(client.session().begin_turn().stream(request()))).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    drop(gate);
    check_turn(
        "invalid_prompt_held_open",
        "The service refuses the prompt and keeps the connection open: the failure is told at once and never retried.",
        "1: response.failed, then nothing, held open",
        &transcriber,
    );
}

#[tokio::test]
async fn a_bare_done_ends_the_stream_while_the_connection_stays_open() {
    let body = concat!(
        "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Noon.\"}}]}\n\n",
        "data: DONE\n\n",
    );
    let gate = Gate::new();
    let server = playing([Response::sse(body).hold_until(gate.clone())]).await;
    let client = impatient(&server.base_url()).wire(Wire::Chat).build().unwrap();
    let mut transcriber = Transcriber::new();
    soon(transcriber.read(client.session().begin_turn().stream(request()))).await.unwrap();
    drop(gate);
    check_turn(
        "bare_done_held_open",
        "A bare DONE, without brackets, completes the answer although the connection stays open and no finish_reason came.",
        "1: one chunk, DONE, then nothing, held open",
        &transcriber,
    );
}

#[tokio::test]
async fn a_service_that_keeps_failing_is_given_up() {
    let busy =
        || Response::json(503, json!({"error": {"code": "server_is_overloaded", "message": "Busy."}}).to_string());
    let server = playing([busy()]).await;
    let policy = support::at_once().with_max_attempts(2);
    let client = impatient(&server.base_url()).retry(policy).build().unwrap();
    let mut transcriber = Transcriber::new();
    soon(transcriber.read(client.session().begin_turn().stream(request()))).await.unwrap_err();
    check_turn(
        "overloaded_until_given_up",
        "Every attempt is refused with 503: after the last one the failure says why nobody tries again.",
        "1, 2: 503 with an error object",
        &transcriber,
    );
}
