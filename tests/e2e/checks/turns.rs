//! Turns that succeed, or end for a stated reason, whatever the proxy makes of connections and bodies.

use std::collections::BTreeSet;

use codex_api::{FailureKind, OnCut, Request, Wire};
use stream_replay::{Gate, Response};

use super::{Check, both};
use crate::client::{CALLS, CHAT, Lane, TEXT, Version, ask, attempts, last_attempt, request, without_proxy};
use crate::peers::{Kind, Site};
use crate::support::drain;

const TURN_STATE: &str = "x-codex-turn-state";
const TURNS: usize = 20;
/// Without what is around it.
const LARGE: usize = 1024 * 1024;

pub(super) fn checks(kind: Kind) -> Vec<Check<Site>> {
    let mut checks = Vec::new();
    checks.extend(both("a turn brings what it brings without a proxy", whole_turns));
    checks.extend(both("turn state stays within its turn", turn_state));
    checks.extend(both("20 turns on few connections", reused));
    checks.extend(both("turns at the same time", at_the_same_time));
    checks.extend(both("a proxy that closes after each answer", closing));
    checks.extend(both("a terminal event ends a turn that is held open", held_open));
    checks.extend(both("a dropped stream is cancelled at the service", cancelled));
    checks.extend(both("a request of 1 MiB arrives whole", large));
    if kind == Kind::Nginx {
        checks.extend(both("a request above nginx's limit is refused once", too_large));
        checks.extend(both("a buffered stream ends right", buffered));
        checks.extend(both("compression is asked for and undone", compression));
    }
    checks
}

async fn whole_turns(lane: Lane) {
    for (wire, body) in [(Wire::Responses, TEXT), (Wire::Responses, CALLS), (Wire::Chat, CHAT)] {
        let server = lane.upstream([Response::sse(body).chunk_bytes(100)]).await;
        let (events, error) = drain(ask(&lane.builder("PLAIN").wire(wire).build().unwrap())).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(last_attempt(&events), without_proxy(wire, body).await);
        server.shutdown().await;
    }
    lane.logged(3).await;
}

async fn turn_state(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT).header(TURN_STATE, "ts-1"), Response::sse(TEXT)]).await;
    let session = lane.client("PLAIN").session();
    let turn = session.begin_turn();
    for turn in [&turn, &turn, &session.begin_turn()] {
        turn.stream(request()).collect().await.unwrap();
    }
    let sent: Vec<_> = server.requests().iter().map(|request| request.header(TURN_STATE).map(str::to_owned)).collect();
    assert_eq!(sent, [None, Some("ts-1".to_owned()), None]);
    server.shutdown().await;
    lane.logged(3).await;
}

async fn reused(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT)]).await;
    let client = lane.client("PLAIN");
    for _ in 0..TURNS {
        ask(&client).collect().await.unwrap();
    }
    server.shutdown().await;
    let logged = lane.logged(TURNS).await;
    assert_eq!(logged.len(), TURNS);
    let connections: BTreeSet<_> = logged.iter().map(|request| &request.connection).collect();
    match lane.version {
        // A turn that begins while the end of the last body is still on its way needs another one.
        Version::Http1 => assert!(connections.len() <= TURNS / 2, "{connections:?}"),
        Version::Http2 => assert_eq!(connections.len(), 1, "{connections:?}"),
    }
}

/// Over HTTP/2 they share a connection, over HTTP/1.1 they cannot.
async fn at_the_same_time(lane: Lane) {
    let gate = Gate::new();
    let server = lane.upstream([Response::sse(TEXT), Response::sse(TEXT).gate_head(gate.clone())]).await;
    let client = lane.client("PLAIN");
    // From here on there is a connection.
    ask(&client).collect().await.unwrap();
    let mut turns = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let turn = ask(&client);
        turns.spawn(turn.collect());
    }
    server.wait_for_requests(6).await;
    gate.open();
    while let Some(answer) = turns.join_next().await {
        assert!(answer.unwrap().unwrap().text().starts_with("The bridge"));
    }
    server.shutdown().await;
    let logged = lane.logged(6).await;
    let connections: BTreeSet<_> = logged.iter().map(|request| &request.connection).collect();
    match lane.version {
        Version::Http1 => assert!(connections.len() >= 5, "{connections:?}"),
        Version::Http2 => assert_eq!(connections.len(), 1, "{connections:?}"),
    }
}

async fn closing(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT)]).await;
    let client = lane.builder("CLOSING").retry(attempts(1)).build().unwrap();
    for _ in 0..5 {
        ask(&client).collect().await.unwrap();
    }
    assert_eq!(server.requests().len(), 5);
    server.shutdown().await;
    let logged = lane.logged(5).await;
    if lane.version == Version::Http1 {
        let connections: BTreeSet<_> = logged.iter().map(|request| &request.connection).collect();
        assert_eq!(connections.len(), 5, "{connections:?}");
    }
}

async fn held_open(lane: Lane) {
    let failed = "data: {\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"error\":\
        {\"code\":\"invalid_prompt\",\"message\":\"Flagged.\"}}}\n\n";
    let server = lane.upstream([Response::sse(failed).hold_until(Gate::new())]).await;
    let (_, error) = drain(ask(&lane.client("PLAIN"))).await;
    let error = error.expect("a failure");
    assert_eq!((error.code(), error.message(), error.attempts()), (Some("invalid_prompt"), "Flagged.", 1));
    server.wait_for_disconnects(1).await;
    server.shutdown().await;
    for (wire, body) in [(Wire::Responses, TEXT.to_owned()), (Wire::Chat, CHAT.replace("[DONE]", "DONE"))] {
        let server = lane.upstream([Response::sse(body).hold_until(Gate::new())]).await;
        let client = lane.builder("PLAIN").wire(wire).build().unwrap();
        assert!(!ask(&client).collect().await.unwrap().text().is_empty());
        server.wait_for_disconnects(1).await;
        server.shutdown().await;
    }
    lane.logged(3).await;
}

async fn cancelled(lane: Lane) {
    let half = TEXT.find("event: response.output_text.done").unwrap();
    let server = lane.upstream([Response::sse(&TEXT[..half]).hold_until(Gate::new())]).await;
    let client = lane.client("PLAIN");
    let mut stream = ask(&client);
    while !stream.try_next().await.unwrap().expect("output").is_output() {}
    drop(stream);
    server.wait_for_disconnects(1).await;
    server.shutdown().await;
    lane.logged(1).await;
}

async fn large(lane: Lane) {
    // nginx refuses as much by its default, see `too_large`.
    let route = if lane.site.kind() == Kind::Nginx { "LARGE" } else { "PLAIN" };
    let server = lane.upstream([Response::sse(TEXT)]).await;
    let prompt = "x".repeat(LARGE);
    let turn = lane.client(route).session().begin_turn();
    turn.stream(Request::new("m").user(&prompt)).collect().await.unwrap();
    let sent: serde_json::Value = serde_json::from_slice(&server.requests()[0].body).unwrap();
    assert!(sent.to_string().contains(&prompt));
    server.shutdown().await;
    lane.logged(1).await;
}

async fn too_large(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT)]).await;
    let turn = lane.client("PLAIN").session().begin_turn();
    let (_, error) = drain(turn.stream(Request::new("m").user("x".repeat(LARGE)))).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.status(), error.attempts()), (FailureKind::Status, Some(413), 1), "{error}");
    assert!(!error.message().contains('<') && error.message().contains("413"), "{error}");
    assert_eq!(server.requests().len(), 0);
    server.shutdown().await;
    lane.logged(1).await;
}

async fn buffered(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT).chunk_bytes(10)]).await;
    let client = lane.builder("BUFFERED").on_cut(OnCut::Fail).build().unwrap();
    let (events, error) = drain(ask(&client)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(last_attempt(&events), without_proxy(Wire::Responses, TEXT).await);
    server.shutdown().await;
    lane.logged(1).await;
}

async fn compression(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT)]).await;
    let plain = lane.builder("GZIP").header("accept-encoding", "identity").unwrap().build().unwrap();
    for client in [plain, lane.client("GZIP")] {
        // With the features of these checks, compression is asked for, and undone.
        let (events, error) = drain(ask(&client)).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(last_attempt(&events), without_proxy(Wire::Responses, TEXT).await);
    }
    server.shutdown().await;
    lane.logged(2).await;
}
