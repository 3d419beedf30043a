//! Which connections turns use, and that nobody waits for one.

mod support;

use std::time::Duration;

use codex_api::{FailureKind, Request, Wire};
use stream_replay::{Cut, Gate, ReplayServer, Response};
use support::{drain, impatient, playing};
use tokio::time::Instant;

const HELLO: &str = concat!(
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\"}}\n\n",
);

const REFUSED: &str = "{\"error\":{\"code\":\"invalid_prompt\",\"message\":\"No.\"}}";

/// Plays the responses to as many turns of one client and tells the connections that they came on.
async fn check(responses: impl IntoIterator<Item = Response>, turns: &[Option<FailureKind>], connections: &[usize]) {
    let server = playing(responses).await;
    let session = impatient(&server.base_url()).build().unwrap().session();
    for expected in turns {
        let (_, error) = drain(session.begin_turn().stream(Request::new("m"))).await;
        assert_eq!(error.map(|error| error.kind()), *expected);
    }
    assert_eq!(used(&server), connections);
}

fn used(server: &ReplayServer) -> Vec<usize> {
    server.requests().iter().map(|request| request.connection).collect()
}

#[tokio::test]
async fn turns_one_after_another_use_one_connection() {
    check([Response::sse(HELLO)], &[None; 3], &[0, 0, 0]).await;
}

#[tokio::test]
async fn a_refusal_is_read_to_its_end_and_leaves_the_connection_too() {
    let responses = [Response::json(400, REFUSED), Response::sse(HELLO)];
    check(responses, &[Some(FailureKind::Api), None], &[0, 0]).await;
}

#[tokio::test]
async fn a_connection_that_failed_is_not_used_again() {
    let at = HELLO.len() - 10;
    check([Response::sse(HELLO).cut_at(at, Cut::Close), Response::sse(HELLO)], &[None], &[0, 1]).await;
    check([Response::sse(HELLO).cut(Cut::Reset), Response::sse(HELLO)], &[None; 2], &[0, 1]).await;
}

#[tokio::test]
async fn a_clean_end_without_a_terminal_event_costs_the_connection() {
    let begun = &HELLO[..HELLO.find("\n\n").unwrap() + 2];
    // The body is whole as far as HTTP is concerned.
    check([Response::sse(begun), Response::sse(HELLO)], &[None; 2], &[0, 1, 1]).await;
}

#[tokio::test]
async fn an_answer_that_is_whole_at_the_end_of_its_body_leaves_the_connection() {
    let chunk =
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
    let server = playing([Response::sse(chunk)]).await;
    let session = impatient(&server.base_url()).wire(Wire::Chat).build().unwrap().session();
    for _ in 0..2 {
        session.begin_turn().stream(Request::new("m")).collect().await.unwrap();
    }
    assert_eq!(used(&server), [0, 0]);
}

#[tokio::test]
async fn a_body_that_is_held_open_delays_no_turn() {
    let gate = Gate::new();
    let responses = [Response::sse(HELLO).hold_until(gate.clone()), Response::sse(HELLO)];
    let server = playing(responses).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let session = client.session();
    let mut stream = session.begin_turn().stream(Request::new("m"));
    while !stream.try_next().await.unwrap().expect("there is a terminal event").is_terminal() {}
    // Sockets are not waited for in virtual time, so it begins only now.
    tokio::time::pause();
    let start = Instant::now();
    assert!(stream.try_next().await.unwrap().is_none());
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop(stream);
    tokio::time::resume();
    let (_, error) = drain(session.begin_turn().stream(Request::new("m"))).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(used(&server), [0, 1]);
    drop(gate);
}

#[tokio::test]
async fn a_body_that_ends_a_moment_later_leaves_the_connection() {
    let gate = Gate::new();
    let responses = [Response::sse(HELLO).hold_until(gate.clone()), Response::sse(HELLO)];
    let server = playing(responses).await;
    let session = impatient(&server.base_url()).build().unwrap().session();
    let tasks = tokio::runtime::Handle::current().metrics();
    let before = tasks.num_alive_tasks();
    let (_, error) = drain(session.begin_turn().stream(Request::new("m"))).await;
    assert!(error.is_none(), "{error:?}");
    // The server's task for the connection, and the one that reads the rest.
    assert_eq!(tasks.num_alive_tasks(), before + 2);
    gate.release();
    while tasks.num_alive_tasks() > before + 1 {
        tokio::task::yield_now().await;
    }
    let (_, error) = drain(session.begin_turn().stream(Request::new("m"))).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(used(&server), [0, 0]);
}
