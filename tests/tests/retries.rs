//! Failed attempts over real HTTP: which are followed by another, and what the caller sees of it.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use codex_api::{
    Auth, AuthorizeFuture, CredentialNeed, Credentials, FailureKind, OnCut, OutgoingRequest, Pacing, Phase, Request,
    RetryBudget, RetryPolicy, Timeouts, Transport, TurnEvent, Wire,
};
use http::HeaderValue;
use serde_json::json;
use stream_replay::{Cut, Exchange, Gate, Response};
use support::sockets::socket;
use support::{drain, impatient, playing};

const TEXT: &str = "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hello\"}\n\n";
const ITEM: &str = concat!(
    "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"message\",",
    "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hello\"}]}}\n\n",
);
const DONE: &str = "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n";

fn whole() -> String {
    format!("{TEXT}{ITEM}{DONE}")
}

fn request() -> Request {
    Request::new("m").user("Hi")
}

fn retries(events: &[TurnEvent]) -> Vec<(u32, FailureKind, bool)> {
    let retries = events.iter().filter_map(|event| match event {
        TurnEvent::Retry(retry) => Some((retry.attempt, retry.reason, retry.discarded)),
        _ => None,
    });
    retries.collect()
}

#[tokio::test]
async fn a_cut_voids_the_attempt_and_the_next_one_brings_the_whole_answer() {
    let cut = Response::sse(whole()).cut_at(TEXT.len() + ITEM.len(), Cut::Close);
    let server = playing([cut, Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(retries(&events), [(2, FailureKind::Truncated, true)]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body, "the same request again");
    // What a caller collects is the answer once.
    let server = playing([Response::sse(whole()).cut_at(TEXT.len(), Cut::Reset), Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    assert_eq!(client.session().begin_turn().stream(request()).collect().await.unwrap().text(), "Hello");
}

/// The cause is that of the failure which ends the request, not of one that was tried again.
#[tokio::test]
async fn an_error_has_no_cause_of_an_earlier_attempt() {
    let flagged =
        json!({"type": "response.failed", "response": {"error": {"code": "invalid_prompt", "message": "No."}}});
    let cut = || Response::sse(whole()).cut_at(TEXT.len(), Cut::Reset);
    for (last, has_cause) in [(Response::sse(format!("data: {flagged}\n\n")), false), (cut(), true)] {
        let server = playing([cut(), last]).await;
        let policy = support::at_once().with_max_attempts(2);
        let client = impatient(&server.base_url()).retry(policy).build().unwrap();
        let (events, error) = drain(client.session().begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((retries(&events).len(), error.attempts()), (1, 2));
        assert_eq!(std::error::Error::source(&error).is_some(), has_cause, "{error:?}");
    }
}

#[tokio::test]
async fn a_failure_before_any_output_voids_nothing() {
    let created = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n";
    let server = playing([Response::sse(created), Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let (events, _) = drain(client.session().begin_turn().stream(request())).await;
    assert_eq!(retries(&events), [(2, FailureKind::Truncated, false)]);
}

#[tokio::test]
async fn fail_after_output_ends_with_the_cut() {
    let cut = || Response::sse(whole()).cut_at(TEXT.len(), Cut::Close);
    let server = playing([cut(), Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).on_cut(OnCut::Fail).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.output_delivered(), error.is_retryable()), (FailureKind::Truncated, true, true));
    assert_eq!((retries(&events).len(), server.requests().len()), (0, 1));
    // Before any output it retries like everybody.
    let server = playing([Response::new(500), Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).on_cut(OnCut::Fail).build().unwrap();
    assert_eq!(client.session().begin_turn().stream(request()).collect().await.unwrap().text(), "Hello");
}

/// What only says that the service is at work has shown nothing that could not be taken back.
#[tokio::test]
async fn fail_after_output_goes_on_behind_events_that_bring_nothing_of_the_answer() {
    let begun = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n\
        data: {\"type\":\"response.in_progress\",\"response\":{\"id\":\"r\"}}\n\n\
        data: {\"type\":\"keepalive\"}\n\n";
    let added = "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"message\"}}\n\n";
    for (first, requests) in [(begun.to_owned(), 2), (format!("{begun}{added}"), 1)] {
        let server = playing([Response::sse(first), Response::sse(whole())]).await;
        let client = impatient(&server.base_url()).on_cut(OnCut::Fail).build().unwrap();
        let (events, error) = drain(client.session().begin_turn().stream(request())).await;
        assert_eq!((server.requests().len(), error.is_none()), (requests, requests == 2), "{error:?}");
        // What came is void all the same.
        assert!(retries(&events).iter().all(|(_, _, discarded)| *discarded), "{events:?}");
    }
}

#[tokio::test]
async fn a_persistent_failure_takes_the_configured_attempts_and_no_more() {
    for (response, kind) in [
        (Response::new(500), FailureKind::Status),
        (Response::json(429, "{}"), FailureKind::Status),
        (Response::sse(TEXT), FailureKind::Truncated),
        (
            Response::json(503, json!({"error": {"code": "slow_down", "message": "Slow."}}).to_string()),
            FailureKind::Api,
        ),
    ] {
        let server = playing([response]).await;
        let client = impatient(&server.base_url()).build().unwrap();
        let (events, error) = drain(client.session().begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (kind, 9, true));
        assert_eq!((retries(&events).len(), server.requests().len()), (8, 9));
    }
}

#[tokio::test]
async fn what_cannot_succeed_is_asked_once_however_it_is_told() {
    let message = "Flagged as \"potentially violating\".";
    let error = json!({"code": "invalid_prompt", "message": message});
    let failed = format!("data: {}\n\n", json!({"type": "response.failed", "response": {"error": error}}));
    let nested = format!("data: {}\n\n", json!({"type": "error", "error": error}));
    let flat = format!("data: {}\n\n", json!({"type": "error", "code": "invalid_prompt", "message": message}));
    let chat = format!("data: {}\n\n", json!({"error": error}));
    let gate = Gate::new();
    let held = |body: &String| Response::sse(body.clone()).hold_until(gate.clone());
    let cases = [
        (Wire::Responses, Response::sse(failed.clone())),
        (Wire::Responses, held(&failed)),
        (Wire::Responses, Response::sse(nested.clone())),
        (Wire::Responses, held(&nested)),
        (Wire::Responses, Response::sse(flat.clone())),
        (Wire::Responses, held(&flat)),
        (Wire::Responses, Response::json(400, json!({"error": error}).to_string())),
        // Whatever the service says of another try.
        (Wire::Responses, Response::json(503, json!({"error": error}).to_string()).header("x-should-retry", "true")),
        (Wire::Responses, Response::json(429, json!({"error": error}).to_string()).header("retry-after-ms", "1")),
        (Wire::Chat, held(&chat)),
        (Wire::Chat, Response::json(400, json!({"error": error}).to_string())),
    ];
    for (wire, response) in cases {
        let server = playing([response]).await;
        let client = impatient(&server.base_url()).wire(wire).build().unwrap();
        let (events, error) = drain(client.session().begin_turn().stream(request())).await;
        let error = error.expect("a failure");
        assert_eq!((error.code(), error.message()), (Some("invalid_prompt"), message));
        assert!(!error.is_retryable());
        assert_eq!((retries(&events).len(), server.requests().len()), (0, 1));
    }
}

#[tokio::test]
async fn unknown_codes_are_tried_three_times_in_all() {
    let failed = json!({"type": "response.failed", "response": {"error": {"code": "brand_new", "message": "?"}}});
    let server = playing([Response::sse(format!("data: {failed}\n\n"))]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    assert_eq!(error.map(|error| error.attempts()), Some(3));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_hint_too_far_away_gives_up_and_says_when() {
    let refusal = Response::json(429, r#"{"error":{"message":"Later."}}"#).header("retry-after", "10800");
    let server = playing([refusal]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3 * 60 * 60)));
    assert_eq!((error.message(), error.attempts(), error.is_retryable()), ("Later.", 1, true));
}

#[tokio::test]
async fn a_hint_is_waited_for() {
    let refusal = Response::json(429, "{}").header("retry-after-ms", "2");
    let server = playing([refusal, Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    let delays = events.iter().filter_map(|event| match event {
        TurnEvent::Retry(retry) => Some(retry.delay),
        _ => None,
    });
    let delays: Vec<Duration> = delays.collect();
    assert!(matches!(delays[..], [delay] if delay >= Duration::from_millis(2)), "{delays:?}");
}

#[tokio::test]
async fn dropping_the_stream_cancels_the_wait() {
    let server = playing([Response::json(503, "{}").header("retry-after", "100")]).await;
    let budget = RetryBudget::new(Pacing::new(2, Duration::from_secs(24 * 60 * 60)));
    let client = impatient(&server.base_url()).retry_budget(budget.clone()).build().unwrap();
    let mut stream = client.session().begin_turn().stream(request());
    while !matches!(stream.try_next().await.unwrap(), Some(TurnEvent::Retry(_))) {}
    assert_eq!(budget.tokens(), 1);
    let waiting = tokio::spawn(async move { stream.try_next().await.map(|_| ()) });
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.is_err_and(|end| end.is_cancelled()));
    // Nobody comes back when the wait would have been over, and what was set aside for it is there again.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1000)).await;
    tokio::time::resume();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((server.requests().len(), budget.tokens()), (1, 2));
}

/// Gives a worn-out token until it is asked for another.
#[derive(Default)]
struct Renewing(Arc<AtomicU32>);

impl Credentials for Renewing {
    fn authorize(&self, mut request: OutgoingRequest) -> AuthorizeFuture {
        self.0.fetch_add(1, Ordering::Relaxed);
        let token = if request.credentials == CredentialNeed::Renewed { "Bearer new" } else { "Bearer old" };
        request.headers.insert("authorization", HeaderValue::from_static(token));
        Box::pin(async move { Ok(request) })
    }
}

#[tokio::test]
async fn refused_credentials_are_renewed_once_for_free() {
    let unauthorized = || Response::json(401, json!({"error": {"message": "Who?"}}).to_string());
    let asked = Arc::new(AtomicU32::new(0));
    let server = playing([unauthorized(), Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).auth(Auth::hook(Renewing(Arc::clone(&asked)))).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!((retries(&events).len(), asked.load(Ordering::Relaxed)), (0, 2));
    let sent: Vec<_> =
        server.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Bearer old".to_owned()), Some("Bearer new".to_owned())]);

    let server = playing([unauthorized()]).await;
    let client = impatient(&server.base_url()).auth(Auth::hook(Renewing::default())).build().unwrap();
    let (_, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.message(), error.status(), error.attempts()), ("Who?", Some(401), 1));
    assert_eq!(server.requests().len(), 2);

    // A key that is fixed is not tried again.
    let server = playing([unauthorized()]).await;
    let client = impatient(&server.base_url()).auth(Auth::bearer("key").unwrap()).build().unwrap();
    assert!(client.session().begin_turn().stream(request()).collect().await.is_err());
    assert_eq!(server.requests().len(), 1);
}

/// The first answer, a turn that renews its credentials, and whether it got its answer from the second request.
async fn check_renewed(transport: Transport, refusal: Response, renewed: bool, name: &str) {
    let server = playing([refusal, Response::sse(whole())]).await;
    let client = impatient(&server.base_url()).transport(transport).auth(Auth::hook(Renewing::default()));
    let (_, failure) = drain(client.build().unwrap().session().begin_turn().stream(request())).await;
    assert_eq!(failure.is_none(), renewed, "{transport:?} {name}: {failure:?}");
    assert!(!failure.is_some_and(|failure| failure.is_retryable()), "{transport:?} {name}");
    let sent = server.requests();
    let sent: Vec<_> = sent.iter().filter_map(|request| request.header("authorization")).collect();
    assert_eq!(sent, ["Bearer old", "Bearer new"][..=usize::from(renewed)], "{transport:?} {name}");
}

/// Services count a refused token among the bad requests, or call it what nobody knows. What is surely something else
/// is not asked for again.
#[tokio::test]
async fn a_401_is_about_credentials_whatever_it_is_called() {
    for (mut error, renewed) in [
        (json!({"type": "invalid_request_error", "code": null}), true),
        (json!({"type": "invalid_request_error", "code": "token_expired"}), true),
        (json!({"type": "authentication_error", "code": "invalid_request_error"}), true),
        (json!({"type": "invalid_request_error", "code": "invalid_api_key"}), true),
        (json!({"type": "auth_error", "code": 401}), true),
        (json!({"type": "invalid_request_error", "code": "invalid_prompt"}), false),
        (json!({"code": "insufficient_quota"}), false),
    ] {
        error["message"] = json!("No.");
        let told = json!({"type": "error", "status": 401, "error": error}).to_string();
        // Over a WebSocket: in place of the handshake, and over the open socket.
        for refusal in [Response::json(401, told.clone()), Response::sse(format!("data: {told}\n\n"))] {
            for transport in [Transport::Sse, Transport::WebSocket] {
                check_renewed(transport, refusal.clone(), renewed, &told).await;
            }
        }
    }
    // Nobody can renew a key that is fixed, whatever the service says of another try.
    let refusal = json!({"error": {"message": "No.", "code": "invalid_api_key"}}).to_string();
    let server = playing([Response::json(401, refusal).header("x-should-retry", "true")]).await;
    let client = impatient(&server.base_url()).auth(Auth::bearer("key").unwrap()).build().unwrap();
    let (_, failure) = drain(client.session().begin_turn().stream(request())).await;
    let failure = failure.expect("a failure");
    assert_eq!((failure.code(), failure.is_retryable(), failure.attempts()), (Some("invalid_api_key"), false, 1));
    for (code, renewed) in [(3000, true), (3003, false)] {
        let closed = socket([Exchange::new().close(code, "")]);
        check_renewed(Transport::WebSocket, closed, renewed, &code.to_string()).await;
    }
}

/// Fails after some minutes, or never answers; the marker is held as long as somebody waits for it.
struct Slow(Option<u32>, Arc<()>);

impl Credentials for Slow {
    fn authorize(&self, _: OutgoingRequest) -> AuthorizeFuture {
        let (minutes, waiting) = (self.0, Arc::clone(&self.1));
        Box::pin(async move {
            match minutes {
                Some(minutes) => tokio::time::sleep(minutes * MINUTE).await,
                None => std::future::pending().await,
            }
            drop(waiting);
            Err("the token service is closed".into())
        })
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn credentials_that_do_not_come_in_time_end_the_request() {
    let late = (FailureKind::Timeout, "no credentials came for the request within 300s (connect timeout)");
    let closed = (FailureKind::Config, "no credentials for the request: the token service is closed");
    for (hook, limit, after, expected) in [
        (Some(6), Some(5), 5, late),
        (None, Some(5), 5, late),
        (Some(4), Some(5), 4, closed),
        (Some(60), None, 60, closed),
    ] {
        for transport in [Transport::Sse, Transport::Auto] {
            let waiting = Arc::new(());
            let timeouts = Timeouts { connect: limit.map(|limit| limit * MINUTE), ..Timeouts::default() };
            let client = impatient("http://127.0.0.1:1/v1").timeouts(timeouts).transport(transport);
            let client = client.auth(Auth::hook(Slow(hook, Arc::clone(&waiting)))).build().unwrap();
            let start = tokio::time::Instant::now();
            let (events, error) = drain(client.session().begin_turn().stream(request())).await;
            let error = error.expect("a failure");
            // Timers are exact to a millisecond.
            assert_eq!(start.elapsed().as_secs(), after * 60, "{hook:?}");
            assert_eq!((error.kind(), error.message()), expected);
            assert_eq!((error.phase(), error.attempts(), error.is_retryable()), (Phase::Connect, 1, false));
            assert!(matches!(events[..], [TurnEvent::Request(_)]), "{events:?}");
            assert_eq!(Arc::strong_count(&waiting), 2, "nobody waits for it any more");
        }
    }
}

#[tokio::test]
async fn an_unreachable_service_is_tried_again() {
    let server = playing([Response::new(200)]).await;
    let base_url = server.base_url();
    server.shutdown().await;
    let client = impatient(&base_url).build().unwrap();
    let (events, error) = drain(client.session().begin_turn().stream(request())).await;
    let error = error.expect("a failure");
    assert_eq!((error.kind(), error.phase(), error.attempts()), (FailureKind::Connect, Phase::Connect, 9));
    let address = base_url.trim_start_matches("http://").trim_end_matches("/v1");
    assert_eq!(error.message(), format!("{address} refused the connection: connection refused"));
    assert!(error.is_retryable());
    assert!(retries(&events).iter().all(|(_, kind, discarded)| (*kind, *discarded) == (FailureKind::Connect, false)));
}

#[test]
fn settings_that_nobody_can_mean_are_refused_by_name() {
    let policy = RetryPolicy::new();
    let timeouts = codex_api::Timeouts { idle: Some(Duration::MAX), ..codex_api::Timeouts::default() };
    let zero = codex_api::Timeouts { head: Some(Duration::ZERO), ..codex_api::Timeouts::default() };
    let builder = || impatient("http://127.0.0.1:1/v1");
    let cases = [
        (builder().retry(policy.clone().with_max_attempts(0)).build(), "max_attempts"),
        (builder().retry(policy.clone().with_base(Duration::from_secs(40))).build(), "base"),
        (builder().retry(policy.with_max_wait(Duration::MAX)).build(), "max_wait"),
        (builder().timeouts(timeouts).build(), "idle"),
        (builder().timeouts(zero).build(), "head"),
        (builder().header("x-näme", "v").and_then(codex_api::ClientBuilder::build), "x-näme"),
        (builder().header("x-name", "a\nb").and_then(codex_api::ClientBuilder::build), "x-name"),
    ];
    for (built, setting) in cases {
        let error = built.expect_err(setting);
        assert_eq!(error.kind(), FailureKind::Config);
        assert!(error.message().contains(setting), "{error}");
    }
}
