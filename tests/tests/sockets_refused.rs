//! Handshakes of WebSockets that come to nothing: refused, answered with something else, or of no use.

mod support;

use std::time::Duration;

use codex_api::{Auth, Client, FailureKind, Provider, RetryPolicy, Transport, TransportKind, TurnEvent};
use stream_replay::{Cut, Exchange, Gate, Response};
use support::sockets::{HEADER, completed, fallbacks, hello, request, session, socket, stream};
use support::{drain, impatient, playing, soon};

/// The number and the transport of each attempt.
fn attempts(events: &[TurnEvent]) -> Vec<(u32, TransportKind)> {
    let attempts = events.iter().filter_map(|event| match event {
        TurnEvent::Request(request) => Some((request.attempt, request.transport)),
        _ => None,
    });
    attempts.collect()
}

#[tokio::test]
async fn a_refused_upgrade_falls_back_at_once_and_the_session_remembers() {
    let statuses = [426, 400, 403, 404, 405, 406, 410, 415, 501, 505];
    // A family of errors says no more than the status.
    let bodies = [
        r#"{"error":{"message":"No sockets here."}}"#,
        r#"{"error":{"message":"No sockets here.","type":"invalid_request_error","code":null}}"#,
    ];
    for (status, body) in statuses.into_iter().flat_map(|status| bodies.map(|body| (status, body))) {
        let refusal = Response::json(status, body);
        let server = playing([refusal, stream()]).await;
        let session = session(&server, Transport::Auto);
        let (events, error) = drain(session.begin_turn().stream(request())).await;
        assert!(error.is_none(), "{status}: {error:?}");
        assert_eq!(fallbacks(&events), 1);
        // At once, and counted.
        assert!(!events.iter().any(|event| matches!(event, TurnEvent::Retry(_))), "{status}: {events:?}");
        assert_eq!(attempts(&events), [(1, TransportKind::WebSocket), (2, TransportKind::Sse)], "{status}");
        assert_eq!(session.fallback_reason().as_deref(), Some("No sockets here."));
        session.begin_turn().stream(request()).collect().await.unwrap();
        let methods: Vec<String> = server.requests().iter().map(|request| request.method.clone()).collect();
        assert_eq!(methods, ["GET", "POST", "POST"]);
    }
}

#[tokio::test]
async fn a_handshake_refused_for_a_reason_that_holds_everywhere_is_final() {
    let codes = ["invalid_prompt", "insufficient_quota"];
    for (status, code) in [200, 302, 400, 501].into_iter().flat_map(|status| codes.map(|code| (status, code))) {
        let refusal = Response::json(status, format!(r#"{{"error":{{"message":"No.","code":"{code}"}}}}"#));
        let server = playing([refusal.hold_until(Gate::new()), stream()]).await;
        let (events, error) = soon(drain(session(&server, Transport::Auto).begin_turn().stream(request()))).await;
        let error = error.unwrap_or_else(|| panic!("{status} {code}"));
        assert_eq!((error.code(), error.message(), error.is_retryable()), (Some(code), "No.", false));
        assert_eq!((error.status(), fallbacks(&events), server.requests().len()), (Some(status), 0, 1));
    }
}

#[tokio::test]
async fn a_pinned_socket_never_falls_back() {
    for status in [426, 400, 403, 404, 405, 406, 410, 415, 501, 505] {
        let server = playing([Response::json(status, r#"{"error":{"message":"No sockets here."}}"#)]).await;
        let (events, error) = drain(session(&server, Transport::WebSocket).begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        let told = (error.kind(), error.status(), error.message());
        assert_eq!(told, (FailureKind::Api, Some(status), "No sockets here."));
        assert_eq!((error.attempts(), error.is_retryable()), (1, false), "{status}");
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 1));
    }
}

/// A fallback is an attempt like every other: where there is only one, nothing is left to fall back with.
#[tokio::test]
async fn a_fallback_needs_an_attempt() {
    let server = playing([Response::json(426, r#"{"error":{"message":"No sockets here."}}"#), stream()]).await;
    let client = impatient(&server.base_url()).transport(Transport::Auto);
    let client = client.retry(RetryPolicy::new().with_max_attempts(1)).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.message(), error.attempts()), ("No sockets here.", 1));
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
    let (ws, sse) = (TransportKind::WebSocket, TransportKind::Sse);
    assert_eq!(attempts(&events), [(1, ws), (2, ws), (3, sse)]);
}

#[tokio::test]
async fn a_handshake_that_is_refused_for_now_is_tried_again() {
    for status in [429, 503] {
        let refusal = Response::json(status, r#"{"error":{"message":"Later."}}"#).header("retry-after", "0");
        let server = playing([refusal.clone(), socket([hello("r1")])]).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        assert!(error.is_none(), "{status}: {error:?}");
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 2), "{status}");
        // Again and again over a WebSocket, which is not what the service complains about.
        let server = playing([refusal]).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        let told = (error.kind(), error.status(), error.message());
        assert_eq!(told, (FailureKind::Api, Some(status), "Later."), "{status}");
        assert_eq!((error.attempts(), error.is_retryable(), fallbacks(&events)), (9, true, 0), "{status}");
        assert!(server.requests().iter().all(|request| request.method == "GET"), "{status}");
        assert_eq!(server.requests().len(), 9, "{status}");
    }
}

/// With the default waits. The seed is fixed, and so are the draws.
#[tokio::test]
async fn a_handshake_that_is_refused_for_now_is_waited_for_as_a_request_is() {
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    for (status, hint, least, most) in [
        (429, Some(("retry-after", "5")), s(5), ms(7_500)),
        (503, Some(("retry-after", "5")), s(5), ms(7_500)),
        (503, Some(("retry-after-ms", "5000")), s(5), ms(7_500)),
        (429, Some(("retry-after", "soon")), s(1), s(2)),
        (429, None, s(1), s(2)),
        (503, None, s(0), s(2)),
    ] {
        let refusal = Response::json(status, r#"{"error":{"message":"Later."}}"#);
        let refusal = hint.into_iter().fold(refusal, |refusal, (name, value)| refusal.header(name, value));
        let server = playing([refusal]).await;
        let client = Client::builder(Provider::new(&server.base_url()).unwrap()).transport(Transport::Auto);
        let client = client.retry_seed(1).build().unwrap();
        let mut delays = Vec::new();
        for _ in 0..20 {
            // A stream that is dropped while it waits gives its token back.
            let mut stream = client.session().begin_turn().stream(request());
            let retry = loop {
                if let Some(TurnEvent::Retry(retry)) = soon(stream.try_next()).await.unwrap() {
                    break retry;
                }
            };
            assert_eq!((retry.attempt, retry.message.as_str(), retry.discarded), (2, "Later.", false));
            delays.push(retry.delay);
        }
        delays.sort();
        let (first, last) = (delays[0], delays[delays.len() - 1]);
        assert!(least <= first && last <= most, "{status} {hint:?}: {first:?} to {last:?}");
        let part = most.saturating_sub(least) / 3;
        assert!(first <= least + part && last + part >= most, "{status} {hint:?}: {first:?} to {last:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_refused_for_long_ends_the_request() {
    let far = Response::json(429, r#"{"error":{"message":"Tomorrow."}}"#).header("retry-after", "10800");
    let spent = r#"{"error":{"type":"usage_limit_reached","message":"Spent.","resets_in_seconds":3600}}"#;
    for (refusal, message, retryable, hint) in
        [(far, "Tomorrow.", true, 10_800), (Response::json(429, spent), "Spent.", false, 3_600)]
    {
        let server = playing([refusal, socket([hello("r1")])]).await;
        let (events, error) = drain(session(&server, Transport::Auto).begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.message(), error.is_retryable(), error.attempts()), (message, retryable, 1));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(hint)));
        assert_eq!((fallbacks(&events), server.requests().len()), (0, 1));
    }
}

#[tokio::test]
async fn handshakes_tell_their_headers_and_no_secret() {
    let said = "for sk-very-secret in ts-very-secret";
    for status in [302, 401, 403, 426, 429, 503] {
        for transport in [Transport::Auto, Transport::WebSocket] {
            let dressed = |response: Response| response.header(HEADER, "ts-very-secret").header("x-note", said);
            let (refusal, accepted) = (Response::json(status, "{}"), socket([hello("r")]));
            // The second one over a socket where a handshake is tried again, and else over server-sent events.
            let second = if matches!(status, 429 | 503) { accepted } else { stream() };
            let server = playing([dressed(refusal.header("retry-after-ms", "1")), dressed(second)]).await;
            let builder = impatient(&server.base_url()).transport(transport);
            let client = builder.auth(Auth::bearer("sk-very-secret").unwrap()).build().unwrap();
            let (events, error) = soon(drain(client.session().begin_turn().stream(request()))).await;
            let shown = format!("{events:?} {error:?}");
            assert!(!shown.contains("very-secret"), "{status} {transport:?}: {shown}");
            let heads = events.iter().filter_map(|event| match event {
                TurnEvent::Opened(opened) => Some(opened),
                _ => None,
            });
            for (at, head) in heads.enumerate() {
                // Only an answer that goes on brings the turn its state, and nobody else.
                assert_eq!((head.turn_state, head.headers.get(HEADER)), (at > 0, None), "{status} {transport:?}");
                assert_eq!(head.headers["x-note"], "for [redacted] in [redacted]", "{status} {transport:?}");
            }
            let tried_again = error.is_none();
            assert_eq!(server.requests().len(), 1 + usize::from(tried_again), "{status} {transport:?}: {error:?}");
        }
    }
}

/// It is followed nowhere, and says itself what is wrong.
#[tokio::test]
async fn a_redirect_to_nowhere_with_an_error_object_is_final() {
    for status in [300, 301, 302, 303, 307, 308] {
        for transport in [Transport::WebSocket, Transport::Sse] {
            let refusal = Response::json(status, r#"{"error":{"message":"Not here.","code":"moved"}}"#);
            let server = playing([refusal.hold_until(Gate::new())]).await;
            let (_, error) = soon(drain(session(&server, transport).begin_turn().stream(request()))).await;
            let error = error.expect("a failure");
            let told = (error.kind(), error.code(), error.status(), error.message(), error.is_retryable());
            assert_eq!(told, (FailureKind::Api, Some("moved"), Some(status), "Not here.", false), "{transport:?}");
            assert_eq!((error.attempts(), server.requests().len()), (1, 1), "{status} {transport:?}");
        }
    }
}

/// Where 101 was asked for, a success says something.
#[tokio::test]
async fn an_error_object_that_answers_a_handshake_has_the_status_of_the_answer() {
    for (code, retryable, requests) in [("invalid_prompt", false, 1), ("server_is_overloaded", true, 9)] {
        let refusal = Response::json(200, format!(r#"{{"error":{{"message":"No.","code":"{code}"}}}}"#));
        let server = playing([refusal.hold_until(Gate::new())]).await;
        let (_, error) = soon(drain(session(&server, Transport::WebSocket).begin_turn().stream(request()))).await;
        let error = error.expect("a failure");
        let told = (error.kind(), error.code(), error.status(), error.message(), error.is_retryable());
        assert_eq!(told, (FailureKind::Api, Some(code), Some(200), "No.", retryable));
        assert_eq!(server.requests().len(), requests, "{code}");
    }
}
