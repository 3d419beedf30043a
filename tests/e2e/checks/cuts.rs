//! Streams that end too early, each proxy in its own way: as a broken body, as a reset stream, as a clean end.

use codex_api::{FailureKind, Phase, RetryPolicy, TurnEvent, Wire};
use stream_replay::{Cut, Gate, Response};

use super::{Check, both};
use crate::client::{Lane, TEXT, ask, attempts, drain_releasing, last_attempt, without_proxy};
use crate::peers::Site;

/// How an answer is cut in its middle.
#[derive(Clone, Copy, Debug)]
enum How {
    /// By the proxy, after 2 s of silence.
    Silence,
    /// By the service.
    By(Cut),
}

pub(super) fn checks() -> Vec<Check<Site>> {
    let mut checks = Vec::new();
    checks.extend(both("an idle stream is cut and retried", idle));
    checks.extend(both("an upstream's FIN inside the answer is retried", closed));
    checks.extend(both("an upstream's RST inside the answer is retried", reset));
    checks.extend(both("a clean end without the terminal event is retried", ended));
    checks
}

async fn idle(lane: Lane) {
    check(&lane, How::Silence).await;
}

async fn closed(lane: Lane) {
    check(&lane, How::By(Cut::Close)).await;
}

async fn reset(lane: Lane) {
    check(&lane, How::By(Cut::Reset)).await;
}

async fn ended(lane: Lane) {
    check(&lane, How::By(Cut::Finish)).await;
}

/// After the retry the caller holds what an uncut answer would have brought; without retries the error says that the
/// answer is not whole.
async fn check(lane: &Lane, how: How) {
    let expected = without_proxy(Wire::Responses, TEXT).await;

    let (events, error, requests) = cut(lane, how, attempts(3)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(requests, 2);
    let retries = events.iter().filter_map(|event| match event {
        TurnEvent::Retry(retry) => Some((retry.attempt, retry.reason, retry.discarded)),
        _ => None,
    });
    assert_eq!(retries.collect::<Vec<_>>(), [(2, FailureKind::Truncated, true)]);
    assert_eq!(last_attempt(&events), expected);

    let (events, error, requests) = cut(lane, how, attempts(1)).await;
    let error = error.expect("half an answer is none");
    assert_eq!(
        (error.kind(), error.phase(), error.is_retryable(), error.output_delivered(), requests),
        (FailureKind::Truncated, Phase::Streaming, true, true, 1),
        "{error}"
    );
    assert!(expected.starts_with(&last_attempt(&events)));
    lane.logged(3).await;
}

/// Cuts the first answer.
async fn cut(lane: &Lane, how: How, policy: RetryPolicy) -> (Vec<TurnEvent>, Option<codex_api::Error>, usize) {
    let half = TEXT.find("event: response.output_text.done").unwrap();
    let gate = Gate::new();
    let (route, end) = match how {
        How::Silence => ("IDLE", Cut::Finish),
        How::By(cut) => ("PLAIN", cut),
    };
    let (hold, release) = match how {
        How::Silence => (Gate::new(), gate.clone()),
        How::By(_) => (gate.clone(), gate.clone()),
    };
    let server = lane.upstream([Response::sse(TEXT).cut_at(half, end).hold_until(hold), Response::sse(TEXT)]).await;
    let client = lane.builder(route).retry(policy).build().unwrap();
    let (events, error) = drain_releasing(ask(&client), &release).await;
    let requests = server.requests().len();
    server.shutdown().await;
    (events, error, requests)
}
