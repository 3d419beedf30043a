//! The turn state and the retries of the engine alone: no sockets, and instants that the test chooses.

use std::time::{Duration, Instant};

use codex_api::{Jitter, Pacing, RetryBudget, RetryPolicy};
use http::{HeaderMap, HeaderValue};
use response_events::{Failure, FailureKind, TurnEvent, Wire};
use serde_json::json;
use turn_session::{
    Action, CredentialNeed, CredentialSource, EngineConfig, OnCut, ResponseHead, TURN_STATE_HEADER, Target, Transport,
    TurnEngine, TurnState,
};

const TEXT: &str = r#"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#;
const ITEM: &str = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[]}}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"id":"r"}}"#;
const SECOND: Duration = Duration::from_secs(1);

/// An engine, the instant at which it stands, and what came out of it.
struct Play {
    engine: TurnEngine,
    now: Instant,
    /// The attempts that were opened: number, turn state, credentials.
    opened: Vec<(u32, Option<String>, CredentialNeed)>,
    /// The events, a word or two each; a failure is the last of them.
    events: Vec<String>,
    /// The waits that were announced.
    delays: Vec<Duration>,
    failure: Option<Failure>,
}

impl Play {
    /// An engine that draws no random waits, as `setup` changes it.
    fn new(setup: impl FnOnce(&mut EngineConfig)) -> Self {
        let now = Instant::now();
        let mut config = EngineConfig::new(Wire::Responses, Target::new("http://service.example/v1"), now);
        config.policy = RetryPolicy::new().with_jitter(Jitter::None);
        setup(&mut config);
        let engine = TurnEngine::new(config);
        let mut play = Self { engine, now, opened: vec![], events: vec![], delays: vec![], failure: None };
        play.drain();
        play
    }

    /// An engine of the turn with this state.
    fn of_turn(state: &TurnState) -> Self {
        Self::new(|config| config.turn_state = state.clone())
    }

    /// The same over a WebSocket.
    fn over_socket(state: &TurnState) -> Self {
        Self::new(|config| {
            config.turn_state = state.clone();
            config.transport = Transport::WebSocket;
        })
    }

    fn drain(&mut self) {
        while let Some(item) = self.engine.poll_event() {
            self.events.push(match item {
                Ok(TurnEvent::Request(request)) => format!("request {}", request.attempt),
                Ok(TurnEvent::Opened(opened)) => format!("opened {}", opened.status),
                Ok(TurnEvent::TextDelta(_)) => "text".into(),
                Ok(TurnEvent::ItemDone(_)) => "item".into(),
                Ok(TurnEvent::Completed(_)) => "completed".into(),
                Ok(TurnEvent::Retry(retry)) => {
                    self.delays.push(retry.delay);
                    let void = if retry.discarded { " void" } else { "" };
                    format!("retry {}/{} {}{void}", retry.attempt, retry.max_attempts, retry.reason)
                }
                Ok(other) => format!("{other:?}"),
                Err(failure) => {
                    let word = format!("failed {}", failure.kind);
                    self.failure = Some(failure);
                    word
                }
            });
        }
        while let Some(action) = self.engine.poll_action() {
            if let Action::Open { attempt, turn_state, credentials, .. } = action {
                self.opened.push((attempt, turn_state.get().map(str::to_owned), credentials));
            }
        }
    }

    fn head(&mut self, status: u16, headers: &[(&'static str, &[u8])]) -> &mut Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        self.engine.handle_opened(ResponseHead::new(status, map), self.now);
        self.drain();
        self
    }

    fn head_with(&mut self, status: u16, state: &str) -> &mut Self {
        self.head(status, &[(TURN_STATE_HEADER, state.as_bytes())])
    }

    /// The body of a refusal.
    fn body(&mut self, body: &str) -> &mut Self {
        self.engine.handle_body(body.as_bytes(), None, self.now);
        self.drain();
        self
    }

    /// A WebSocket message, or the data of an event without a name.
    fn payload(&mut self, payload: &str) -> &mut Self {
        self.engine.handle_payload(None, payload.as_bytes(), self.now);
        self.drain();
        self
    }

    fn metadata(&mut self, event_type: &str, state: &str) -> &mut Self {
        self.payload(&json!({"type": event_type, "headers": {TURN_STATE_HEADER: state}}).to_string())
    }

    fn cut(&mut self) -> &mut Self {
        self.engine.handle_closed(Some(Failure::new(FailureKind::Truncated, "connection reset")), self.now);
        self.drain();
        self
    }

    /// Waits until the next attempt, and not a nanosecond less.
    #[track_caller]
    fn wait(&mut self) -> &mut Self {
        let (until, attempts) = (self.engine.poll_timeout().expect("a wait"), self.opened.len());
        assert_eq!(Some(until - self.now), self.delays.last().copied(), "the deadline is the end of the wait");
        self.engine.handle_timeout(until.checked_sub(Duration::from_nanos(1)).unwrap());
        self.drain();
        assert_eq!(self.opened.len(), attempts, "the wait is not over yet");
        self.now = until;
        self.engine.handle_timeout(until);
        self.drain();
        assert_eq!(self.opened.len(), attempts + 1, "{:?}", self.events);
        self
    }

    /// The turn state of each attempt.
    fn sent(&self) -> Vec<Option<&str>> {
        self.opened.iter().map(|(_, state, _)| state.as_deref()).collect()
    }
}

#[test]
fn the_state_of_a_head_goes_with_every_later_request_of_its_turn() {
    for (status, play) in [(200, Play::of_turn as fn(&TurnState) -> Play), (101, Play::over_socket)] {
        let state = TurnState::new();
        let mut first = play(&state);
        first.head_with(status, "ts-1").payload(TEXT).cut().wait();
        // The first value wins, also over that of the retry.
        first.head_with(status, "ts-2").payload(COMPLETED);
        assert_eq!(first.sent(), [None, Some("ts-1")], "{status}");
        let mut follow_up = play(&state);
        follow_up.head_with(status, "ts-3").payload(COMPLETED);
        assert_eq!(follow_up.sent(), [Some("ts-1")], "{status}");
        assert_eq!(play(&state).sent(), [Some("ts-1")], "{status}");
        assert_eq!(play(&TurnState::new()).sent(), [None], "{status}");
    }
}

#[test]
fn the_state_of_a_metadata_event_counts_as_that_of_a_head() {
    for event_type in ["response.metadata", "codex.response.metadata"] {
        let state = TurnState::new();
        let mut first = Play::over_socket(&state);
        first.head(101, &[]).metadata(event_type, "ts-e").metadata(event_type, "ts-f");
        // Kept at once: nothing has been said of the attempt yet.
        assert_eq!(state.get(), Some("ts-e"));
        first.cut().wait();
        assert_eq!(first.sent(), [None, Some("ts-e")]);
        first.head_with(101, "ts-h").payload(COMPLETED);
        assert_eq!(Play::over_socket(&state).sent(), [Some("ts-e")]);
        assert!(!format!("{:?}{:?}", first.events, first.engine).contains("ts-"), "{:?}", first.events);
    }
}

#[test]
fn a_head_is_earlier_than_its_events() {
    let state = TurnState::new();
    Play::of_turn(&state).head_with(101, "ts-h").metadata("response.metadata", "ts-e");
    assert_eq!(state.get(), Some("ts-h"));
}

#[test]
fn malformed_values_are_passed_over() {
    let long = "x".repeat(9 * 1024);
    for malformed in [&b""[..], b" ", b"a b", b"\xff", long.as_bytes()] {
        let state = TurnState::new();
        // Behind it stands one that can be used.
        Play::of_turn(&state).head(200, &[(TURN_STATE_HEADER, malformed), (TURN_STATE_HEADER, b"ts-1")]);
        assert_eq!(state.get(), Some("ts-1"));
    }
    let mut play = Play::new(|_| {});
    play.head_with(200, &long);
    for malformed in ["", "a b", "ü", "a\nb", &long] {
        play.metadata("response.metadata", malformed);
    }
    play.payload(r#"{"type":"response.metadata","headers":{"x-codex-turn-state":7}}"#);
    play.payload(r#"{"type":"response.metadata","headers":null}"#);
    play.cut().wait();
    assert_eq!(play.sent(), [None, None]);
}

#[test]
fn refusals_bring_no_state() {
    for status in [400, 401, 404, 429, 500, 503] {
        let state = TurnState::new();
        Play::of_turn(&state).head_with(status, "ts-no").body("{}");
        assert_eq!(state.get(), None, "{status}");
    }
}

#[test]
fn each_retry_is_announced_once_before_its_wait() {
    let mut play = Play::new(|_| {});
    play.head(200, &[]).payload(TEXT).cut();
    // The attempt is over: what still arrives belongs to nobody, and changes nothing.
    let announced = play.events.clone();
    play.metadata("response.metadata", "ts-late").payload(TEXT).payload(COMPLETED).cut().head_with(200, "ts-late");
    assert_eq!(play.events, announced);
    play.wait().head(500, &[]).body("").wait().head(200, &[]).payload(TEXT).payload(COMPLETED);
    let expected = [
        &["request 1", "opened 200", "text", "retry 2/9 truncated void"][..],
        &["request 2", "opened 500", "retry 3/9 status"],
        &["request 3", "opened 200", "text", "completed"],
    ];
    assert_eq!(play.events, expected.concat());
    assert_eq!(play.sent(), [None, None, None]);
    assert_eq!(play.engine.ledger().events, 2, "the ledger is that of the last attempt");
    assert_eq!(play.engine.poll_timeout(), None);
}

#[test]
fn events_that_nobody_has_seen_are_not_shown_once_they_are_void() {
    let mut play = Play::new(|_| {});
    play.head(200, &[]);
    // Nobody asks for the events in between.
    play.engine.handle_payload(None, TEXT.as_bytes(), play.now);
    play.engine.handle_payload(None, ITEM.as_bytes(), play.now);
    play.cut();
    assert_eq!(play.events, ["request 1", "opened 200", "retry 2/9 truncated"]);
}

#[test]
fn waits_grow_until_an_item_is_finished() {
    let mut play = Play::new(|_| {});
    for _ in 0..3 {
        play.head(200, &[]).payload(TEXT).cut().wait();
    }
    play.head(200, &[]).payload(ITEM).cut().wait();
    play.head(200, &[]).payload(TEXT).cut().wait();
    assert_eq!(play.delays, [SECOND, 2 * SECOND, 4 * SECOND, SECOND, 2 * SECOND]);
    // The count of attempts goes on.
    assert_eq!(play.opened.last().map(|(attempt, ..)| *attempt), Some(6));
}

#[test]
fn all_failures_of_a_request_add_up_in_one_ledger() {
    let mut play = Play::new(|config| config.policy = config.policy.clone().with_max_attempts(4));
    play.engine.handle_failed(Failure::new(FailureKind::Connect, "connection refused"), play.now);
    play.drain();
    play.wait().head(503, &[]).body("").wait().head(200, &[]).payload(ITEM).cut().wait().head(500, &[]).body("");
    assert_eq!(play.opened.len(), 4);
    let failure = play.failure.expect("a failure");
    assert_eq!((failure.kind, failure.attempts, failure.retryable), (FailureKind::Status, 4, true));
    assert_eq!(play.events.iter().filter(|event| event.starts_with("retry")).count(), 3);
}

#[test]
fn a_hint_is_the_least_wait() {
    for (name, value, expected) in [("retry-after", "7", 7 * SECOND), ("retry-after-ms", "1500", 3 * SECOND / 2)] {
        let mut play = Play::new(|_| {});
        play.head(429, &[(name, value.as_bytes())]).body("{}").wait();
        assert_eq!(play.delays, [expected]);
    }
    let mut play = Play::new(|_| {});
    play.head(200, &[]).payload(
        r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"Please try again in 11.5s."}}}"#,
    );
    assert_eq!(play.delays, [23 * SECOND / 2]);
}

#[test]
fn a_wait_beyond_the_end_of_the_turn_is_not_begun() {
    let budget = RetryBudget::new(Pacing::new(2, 20 * SECOND));
    for (turn, gives_up) in [(SECOND, true), (SECOND + Duration::from_nanos(1), false)] {
        let tokens = budget.tokens();
        let mut play = Play::new(|config| {
            config.timeouts.turn = Some(turn);
            config.budget = Some(budget.clone());
        });
        play.head(500, &[]).body("");
        assert_eq!(play.failure.is_some(), gives_up, "{:?}", play.events);
        assert_eq!(play.delays.is_empty(), gives_up);
        drop(play);
        assert_eq!(budget.tokens(), tokens, "no attempt was made");
    }
}

#[test]
fn the_deadline_of_the_turn_goes_on_over_its_attempts() {
    let mut play = Play::new(|config| config.timeouts.turn = Some(5 * SECOND));
    play.head(200, &[]).payload(TEXT).cut().wait().head(200, &[]);
    assert_eq!(play.engine.poll_timeout(), Some(play.now + 4 * SECOND));
    play.now += 4 * SECOND;
    play.engine.handle_timeout(play.now);
    play.drain();
    assert_eq!(play.events.last().map(String::as_str), Some("failed timeout"));
}

#[test]
fn a_token_is_given_back_when_the_wait_is_given_up() {
    let budget = RetryBudget::new(Pacing::new(2, 20 * SECOND));
    let with_budget = || Play::new(|config| config.budget = Some(budget.clone()));
    let mut waiting = with_budget();
    waiting.head(500, &[]).body("");
    assert_eq!(budget.tokens(), 1);
    drop(waiting);
    assert_eq!(budget.tokens(), 2);
    // An attempt that was made has used its token.
    with_budget().head(500, &[]).body("").wait();
    assert_eq!(budget.tokens(), 1);
}

#[test]
fn fail_after_output_ends_with_the_cut() {
    let budget = RetryBudget::new(Pacing::new(2, 20 * SECOND));
    let mut play = Play::new(|config| {
        config.on_cut = OnCut::Fail;
        config.budget = Some(budget.clone());
    });
    play.head(200, &[]).cut().wait().head(200, &[]).payload(TEXT).cut();
    let expected =
        ["request 1", "opened 200", "retry 2/9 truncated", "request 2", "opened 200", "text", "failed truncated"];
    assert_eq!(play.events, expected);
    assert!(play.failure.is_some_and(|failure| failure.output_delivered && failure.retryable));
    assert_eq!(budget.tokens(), 1, "the second failure took none");
}

#[test]
fn refused_credentials_are_renewed_once_in_silence_and_for_free() {
    let state = TurnState::new();
    let mut play = Play::new(|config| {
        config.credentials = CredentialSource::Renewable;
        config.turn_state = state.clone();
    });
    state.capture(b"ts-1");
    play.head_with(401, "ts-no").body("{}");
    assert_eq!(play.events, ["request 1", "opened 401", "request 1"]);
    let sent = |play: &Play| play.opened.last().cloned();
    assert_eq!(sent(&play), Some((1, Some("ts-1".to_owned()), CredentialNeed::Renewed)));
    // Those of a retry are the usual ones again, and a second refusal is final.
    play.head(500, &[]).body("").wait();
    assert_eq!(sent(&play), Some((2, Some("ts-1".to_owned()), CredentialNeed::Usual)));
    play.head(401, &[]).body(r#"{"error":{"message":"Who?"}}"#);
    assert_eq!(play.failure.map(|failure| (failure.message, failure.attempts)), Some(("Who?".to_owned(), 2)));
}

#[test]
fn what_cannot_succeed_is_not_followed_by_a_wait() {
    for payload in [
        r#"{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"No."}}}"#,
        r#"{"type":"error","error":{"code":"invalid_prompt","message":"No."}}"#,
        r#"{"type":"error","status":400,"error":{"code":"invalid_prompt","message":"No."}}"#,
    ] {
        let mut play = Play::over_socket(&TurnState::new());
        play.head(101, &[]).payload(TEXT).payload(payload);
        assert_eq!((play.engine.poll_timeout(), play.engine.is_done(), play.opened.len()), (None, true, 1));
        let failure = play.failure.expect("a failure");
        assert_eq!((failure.code.as_deref(), failure.message.as_str()), (Some("invalid_prompt"), "No."));
        assert!(!failure.retryable && failure.output_delivered);
    }
}
