//! Handshakes of WebSockets that come to nothing: refused, answered with something else, or of no use.

mod support;

use codex_api::{FailureKind, Transport, TransportKind, TurnEvent};
use stream_replay::{Cut, Exchange, Gate, Response};
use support::sockets::{completed, fallbacks, hello, request, session, socket, stream};
use support::{drain, playing, soon};

#[tokio::test]
async fn a_refused_upgrade_falls_back_at_once_and_the_session_remembers() {
    for status in [426, 400, 403, 404, 405, 406, 410, 415, 501, 505] {
        let refusal = Response::json(status, r#"{"error":{"message":"No sockets here."}}"#);
        let server = playing([refusal, stream()]).await;
        let session = session(&server, Transport::Auto);
        let (events, error) = drain(session.begin_turn().stream(request())).await;
        assert!(error.is_none(), "{status}: {error:?}");
        assert_eq!(fallbacks(&events), 1);
        assert_eq!(session.fallback_reason().as_deref(), Some("No sockets here."));
        session.begin_turn().stream(request()).collect().await.unwrap();
        let methods: Vec<String> = server.requests().iter().map(|request| request.method.clone()).collect();
        assert_eq!(methods, ["GET", "POST", "POST"]);
    }
}

#[tokio::test]
async fn a_handshake_refused_for_a_reason_that_holds_everywhere_is_final() {
    for code in ["invalid_prompt", "insufficient_quota"] {
        let refusal = Response::json(400, format!(r#"{{"error":{{"message":"No.","code":"{code}"}}}}"#));
        let server = playing([refusal, stream()]).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        let error = error.unwrap();
        assert_eq!((error.code(), error.message(), error.is_retryable()), (Some(code), "No.", false));
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 1));
    }
}

#[tokio::test]
async fn a_pinned_socket_never_falls_back() {
    let server = playing([Response::json(426, r#"{"error":{"message":"No sockets here."}}"#)]).await;
    let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.status(), error.message()), (FailureKind::Api, Some(426), "No sockets here."));
    assert_eq!((fallbacks(&events), server.requests().len()), (0, 1));
}

/// What services and proxies send that have never heard of a WebSocket: whatever they have, with a status of success.
fn deaf() -> [(Response, &'static str); 5] {
    let answer = |content_type: &str| {
        let body = format!("data: {}\n\n", completed("nobody's"));
        Response::new(200).header("content-type", content_type).body(body).hold_until(Gate::new())
    };
    [
        (answer("text/event-stream"), "text/event-stream"),
        (answer("text/plain"), "text/plain"),
        (Response::new(204), "HTTP 204"),
        (Response::json(200, r#"{"object":"response","status":"completed","id":"x","output":[]}"#), "application/json"),
        (Response::new(200).header("content-type", "text/html").body("<title>Welcome</title>"), "Welcome"),
    ]
}

#[tokio::test]
async fn an_answer_to_the_handshake_is_no_answer_to_the_request() {
    for (response, told) in deaf() {
        let server = playing([response]).await;
        let stream = session(&server, Transport::WebSocket).begin_turn().stream(request());
        let (events, error) = soon(drain(stream)).await;
        let error = error.unwrap_or_else(|| panic!("{told}: {events:?}"));
        assert_eq!(error.kind(), FailureKind::Protocol, "{error}");
        assert!(error.message().contains(told), "{error}");
        assert!(!events.iter().any(TurnEvent::is_output), "{events:?}");
        assert!(server.requests().iter().all(|request| request.method == "GET"));
    }
}

#[tokio::test]
async fn an_answer_to_the_handshake_makes_auto_fall_back() {
    for (response, told) in deaf() {
        let server = playing([response, stream()]).await;
        let session = session(&server, Transport::Auto);
        let (events, error) = soon(drain(session.begin_turn().stream(request()))).await;
        assert!(error.is_none(), "{error:?}");
        assert!(
            matches!(events.last(), Some(TurnEvent::Completed(done)) if done.response_id.as_deref() == Some("r-sse"))
        );
        assert_eq!(fallbacks(&events), 1, "{told}");
        assert!(session.fallback_reason().is_some_and(|reason| reason.contains(told)));
    }
}

#[tokio::test]
async fn two_sockets_that_bring_nothing_are_enough() {
    let dead = || socket([Exchange::new().cut(Cut::Close)]);
    let server = playing([dead(), dead(), stream()]).await;
    let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(fallbacks(&events), 1);
    let attempts = events.iter().filter_map(|event| match event {
        TurnEvent::Request(request) => Some((request.attempt, request.transport)),
        _ => None,
    });
    let (ws, sse) = (TransportKind::WebSocket, TransportKind::Sse);
    assert_eq!(attempts.collect::<Vec<_>>(), [(1, ws), (2, ws), (3, sse)]);
}

#[tokio::test]
async fn a_handshake_that_is_refused_for_now_is_tried_again() {
    for status in [429, 503] {
        let refusal = Response::json(status, r#"{"error":{"message":"Later."}}"#).header("retry-after", "0");
        let server = playing([refusal, socket([hello("r1")])]).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        assert!(error.is_none(), "{status}: {error:?}");
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 2), "{status}");
    }
}
