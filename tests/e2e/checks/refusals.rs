//! Answers that the proxy gives itself: statuses with pages of HTML.

use std::time::Duration;

use codex_api::{Error, FailureKind, TurnEvent};
use stream_replay::{FaultScript, Gate, Response};

use super::{Check, both};
use crate::client::{Lane, TEXT, Version, ask, attempts};
use crate::peers::{Kind, Site};
use crate::support::drain;

/// Longer than both proxies remember a request.
const FLOOR: Duration = Duration::from_millis(1_200);

pub(super) fn checks(kind: Kind) -> Vec<Check<Site>> {
    let mut checks = Vec::new();
    checks.extend(both("429 with a page is retried after the floor", limited));
    checks.extend(both("the status of a proxy whose service is down", down));
    checks.extend(both("502 for a service that hangs up", hung_up));
    checks.extend(both("504 for a service that is silent", silent));
    if kind == Kind::Nginx {
        checks.extend(both("503 of the proxy itself", busy));
    }
    checks
}

async fn limited(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT)]).await;
    let policy = attempts(3).with_rate_limit_floor(FLOOR);
    let client = lane.builder("LIMITED").retry(policy).build().unwrap();
    let mut turns = 0;
    // The second one already, unless the machine is very slow.
    let retry = loop {
        turns += 1;
        assert!(turns < 10, "no turn was limited");
        let (events, error) = drain(ask(&client)).await;
        assert!(error.is_none(), "{error:?}");
        let retry = events.into_iter().find_map(|event| match event {
            TurnEvent::Retry(retry) => Some(retry),
            _ => None,
        });
        if let Some(retry) = retry {
            break retry;
        }
    };
    assert_eq!((retry.attempt, retry.reason), (2, FailureKind::Status));
    assert!(retry.delay >= FLOOR, "{:?}", retry.delay);
    check_message(&retry.message, 429);
    assert_eq!(server.requests().len(), turns, "what was refused did not get through");
    server.shutdown().await;
    lane.logged(turns + 1).await;
}

async fn down(lane: Lane) {
    let status = if lane.site.kind() == Kind::Nginx { 502 } else { 503 };
    check(&lane, "DOWN", 3, status).await;
}

async fn busy(lane: Lane) {
    check(&lane, "BUSY", 3, 503).await;
}

async fn hung_up(lane: Lane) {
    let server = lane.upstream([Response::fault(FaultScript::parse("fin").unwrap())]).await;
    if lane.site.kind() == Kind::Nginx {
        check(&lane, "PLAIN", 3, 502).await;
        assert_eq!(server.requests().len(), 3);
    } else {
        // For any but the first request of a connection haproxy gives no answer: it closes the connection, or refuses
        // the stream, so that the client tries again. That costs no attempt, and at most one more request for each.
        let client = lane.builder("PLAIN").retry(attempts(3)).build().unwrap();
        let (_, error) = drain(ask(&client)).await;
        let error = error.expect("a failure");
        match error.kind() {
            FailureKind::Status => check_message(error.message(), 502),
            kind => assert_eq!(kind, FailureKind::Connect, "{error}"),
        }
        assert_eq!((error.attempts(), error.is_retryable()), (3, true), "{error}");
        assert!((3..=6).contains(&server.requests().len()), "{:?}", server.requests());
        match lane.version {
            Version::Http1 => _ = lane.logged(1).await,
            // What it refuses in silence is not in its log.
            Version::Http2 => assert!(error.message().contains("REFUSED_STREAM"), "{error}"),
        }
    }
    server.shutdown().await;
}

async fn silent(lane: Lane) {
    let server = lane.upstream([Response::sse(TEXT).gate_head(Gate::new())]).await;
    check(&lane, "IDLE", 2, 504).await;
    server.shutdown().await;
}

/// The proxy's answer is tried as often as the policy says, and not more often.
async fn check(lane: &Lane, route: &str, tries: u32, status: u16) {
    let client = lane.builder(route).retry(attempts(tries)).build().unwrap();
    let (events, error) = drain(ask(&client)).await;
    let error: Error = error.expect("a failure");
    assert_eq!(
        (error.kind(), error.status(), error.attempts(), error.is_retryable()),
        (FailureKind::Status, Some(status), tries, true),
        "{error}"
    );
    check_message(error.message(), status);
    let retries = events.iter().filter(|event| matches!(event, TurnEvent::Retry(_))).count();
    assert_eq!(retries + 1, tries as usize);
    let logged = lane.logged(tries as usize).await;
    assert_eq!(logged.iter().map(|request| request.status).collect::<Vec<_>>(), vec![status; tries as usize]);
}

/// One line with the status, and nothing of the page but its words.
fn check_message(message: &str, status: u16) {
    assert!(message.contains(&status.to_string()), "{message}");
    assert!(!message.contains(['<', '\n']) && message.len() < 200, "{message}");
}
