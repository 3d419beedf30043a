//! Every code and status of the tables, in every phase in which a service can tell it: is it tried again, and how
//! often?

use std::time::{Duration, Instant};

use http::HeaderMap;
use response_events::{ApiError, Failure, FailureKind, TurnEvent, Wire, known_codes, known_statuses};
use retry_policy::{Jitter, Pacing, Policy, SharedBudget};
use turn_session::{EngineConfig, ResponseHead, Target, TurnEngine};

/// How many attempts a request makes whose every attempt ends in the same way, and whether the failure says that
/// another try could help.
fn attempts(play: impl FnMut(&mut TurnEngine, Instant)) -> (u32, bool) {
    paced_attempts(play, None)
}

fn paced_attempts(mut play: impl FnMut(&mut TurnEngine, Instant), budget: Option<SharedBudget>) -> (u32, bool) {
    let mut now = Instant::now();
    let mut config = EngineConfig::new(Wire::Responses, Target::new("http://service.example/v1"), now);
    config.policy = Policy::new().with_jitter(Jitter::None).with_max_wait(Duration::from_secs(3600));
    config.budget = budget;
    let mut engine = TurnEngine::new(config);
    loop {
        while engine.poll_action().is_some() {}
        play(&mut engine, now);
        while let Some(item) = engine.poll_event() {
            if let Err(failure) = item {
                return (failure.attempts, failure.retryable);
            }
        }
        now = engine.poll_timeout().expect("a wait before the next attempt");
        engine.handle_timeout(now);
    }
}

fn told(outcome: (u32, bool)) -> String {
    let (attempts, retryable) = outcome;
    match (attempts, retryable) {
        (1, false) => "never".to_owned(),
        (attempts, _) => format!("{attempts} attempts"),
    }
}

fn opened(engine: &mut TurnEngine, status: u16, now: Instant) {
    engine.handle_opened(ResponseHead::new(status, HeaderMap::new()), now);
}

/// A service that answers with an HTTP error.
fn by_http(status: u16, body: &str) -> String {
    told(attempts(|engine, now| {
        opened(engine, status, now);
        engine.handle_body(body.as_bytes(), None, now);
    }))
}

/// A service that reports an error in its stream, behind some events or as the first of them.
fn by_event(first: Option<&str>, code: &str) -> String {
    let failed = format!(r#"{{"type":"response.failed","response":{{"error":{{"code":"{code}","message":"m"}}}}}}"#);
    told(attempts(|engine, now| {
        opened(engine, 200, now);
        for payload in first.into_iter().chain([failed.as_str()]) {
            engine.handle_payload(None, payload.as_bytes(), now);
        }
    }))
}

#[test]
fn every_code_in_every_phase() {
    let text = r#"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#;
    let mut table =
        format!("{:<38}{:<28}{:<14}{:<14}{}\n", "code", "class", "HTTP 400", "first event", "behind output");
    let codes = known_codes().map(|(code, _)| code).chain(["never_heard_of"]);
    for code in codes {
        let mut error = ApiError::new("m");
        error.code = Some(code.to_owned());
        let body = format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        let (http, first, behind) = (by_http(400, &body), by_event(None, code), by_event(Some(text), code));
        let class = format!("{:?}", error.class());
        table += format!("{code:<38}{class:<28}{http:<14}{first:<14}{behind}").trim_end();
        table.push('\n');
    }
    insta::assert_snapshot!("every_code_in_every_phase", table);
}

#[test]
fn every_status_with_and_without_an_error_object() {
    let mut table = format!("{:<12}{:<18}{:<14}{}\n", "status", "class", "bare", "with an unknown code");
    for (first, last, class) in known_statuses() {
        let statuses = if first == last { first.to_string() } else { format!("{first}-{last}") };
        let class = format!("{class:?}");
        let (bare, coded) = (by_http(first, "oops"), by_http(first, r#"{"error":{"code":"odd","message":"m"}}"#));
        assert_eq!(
            (&bare, &coded),
            (&by_http(last, "oops"), &by_http(last, r#"{"error":{"code":"odd","message":"m"}}"#))
        );
        table += format!("{statuses:<12}{class:<18}{bare:<14}{coded}").trim_end();
        table.push('\n');
    }
    insta::assert_snapshot!("every_status_with_and_without_an_error_object", table);
}

/// The same, and whether the retries take tokens of the budget that paces them.
fn told_with_cost(play: impl FnMut(&mut TurnEngine, Instant)) -> String {
    let budget = SharedBudget::new(Pacing::new(100, Duration::from_secs(24 * 60 * 60)));
    let told = told(paced_attempts(play, Some(budget.clone())));
    if budget.tokens() < 100 { told + ", paced" } else { told }
}

#[test]
fn every_failure_on_the_way_in_every_phase() {
    use FailureKind as K;
    use response_events::Phase;

    let names = ["connecting", "tls", "sending", "head", "streaming"].map(|name| format!("{name:<20}"));
    let mut table = format!("{:<12}{}", "kind", names.concat().trim_end()) + "\n";
    for kind in [
        K::Config,
        K::Dns,
        K::Connect,
        K::Tls,
        K::Proxy,
        K::Timeout,
        K::Truncated,
        K::Protocol,
        K::TooLarge,
        K::Closed,
        K::Cancelled,
    ] {
        let early = [Phase::Connect, Phase::Tls, Phase::Sending, Phase::Head].map(|phase| {
            told_with_cost(|engine, now| engine.handle_failed(Failure::new(kind, "m").in_phase(phase), now))
        });
        let streaming = told_with_cost(|engine, now| {
            opened(engine, 200, now);
            engine.handle_payload(None, br#"{"type":"response.output_text.delta","delta":"a"}"#, now);
            engine.handle_closed(Some(Failure::new(kind, "m")), now);
        });
        let cells = early.map(|cell| format!("{cell:<20}")).concat() + &streaming;
        table += format!("{:<12}{cells}", kind.as_str()).trim_end();
        table.push('\n');
    }
    insta::assert_snapshot!("every_failure_on_the_way_in_every_phase", table);
}

/// The terminal event is the control: nothing follows it.
#[test]
fn a_completed_answer_is_not_tried_again() {
    let now = Instant::now();
    let mut engine = TurnEngine::new(EngineConfig::new(Wire::Responses, Target::new(""), now));
    opened(&mut engine, 200, now);
    engine.handle_payload(None, br#"{"type":"response.completed"}"#, now);
    let last = std::iter::from_fn(|| engine.poll_event()).last();
    assert!(matches!(last, Some(Ok(TurnEvent::Completed(_)))));
    assert_eq!(engine.poll_timeout(), None);
}
