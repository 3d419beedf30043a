//! Whatever a connection brings, in whatever order: what holds for every request.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::{collection::vec, prelude::*, sample::select};
use response_events::{Failure, FailureKind, Phase, TransportKind, TurnEvent, Wire};
use retry_policy::Policy;
use turn_session::{
    Action, CredentialSource, EngineConfig, InputForm, OnCut, ResponseHead, SocketMemory, TURN_STATE_HEADER, Target,
    Timeouts, Transport, TurnEngine, TurnState,
};

/// What happens to an engine.
#[derive(Clone, Debug)]
enum Input {
    Head(u16, &'static str, Option<(&'static str, &'static str)>),
    Reused,
    Sent(InputForm),
    Data(&'static str),
    Payload(&'static str),
    Unfinished(&'static str),
    Last(&'static str),
    Body(&'static str),
    Closed(Option<FailureKind>, u16),
    Failed(FailureKind, Phase),
    Drained,
    /// The next deadline has passed.
    Timeout,
    Pass(Duration),
}

const FATAL: &str = r#"{"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"No."}}}"#;

const PAYLOADS: [&str; 14] = [
    FATAL,
    r#"{"error":{"code":"invalid_prompt","message":"No."}}"#,
    r#"{"type":"response.created","response":{"id":"r"}}"#,
    r#"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#,
    r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"m"}}"#,
    r#"{"type":"response.metadata","headers":{"x-codex-turn-state":"ts-e"}}"#,
    r#"{"type":"response.completed","response":{"id":"r"}}"#,
    r#"{"type":"response.failed","response":{"error":{"code":"server_is_overloaded","message":"Later."}}}"#,
    r#"{"type":"error","status":401,"error":{"message":"Who?"}}"#,
    r#"{"type":"error","error":{"code":"previous_response_not_found","message":"What?"}}"#,
    r#"{"type":"error","error":{"code":"websocket_connection_limit_reached","message":"Old."}}"#,
    r#"{"id":"c","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
    "[DONE]",
    "DONE",
];

fn input() -> impl Strategy<Value = Input> {
    let payload = || select(&PAYLOADS[..]);
    let kind = || {
        select(vec![
            FailureKind::Dns,
            FailureKind::Connect,
            FailureKind::Tls,
            FailureKind::Timeout,
            FailureKind::Truncated,
            FailureKind::Protocol,
            FailureKind::TooLarge,
            FailureKind::Closed,
            FailureKind::Config,
        ])
    };
    let phase = select(vec![Phase::Connect, Phase::Tls, Phase::Sending, Phase::Head, Phase::Streaming]);
    let status = select(vec![101, 200, 200, 200, 204, 307, 400, 401, 403, 426, 429, 500, 503]);
    let content_type = select(vec!["", "text/event-stream", "text/event-stream", "application/json", "text/html"]);
    let header = select(vec![
        None,
        Some((TURN_STATE_HEADER, "ts-h")),
        Some((TURN_STATE_HEADER, "no state")),
        Some(("retry-after-ms", "700")),
        Some(("retry-after", "4000")),
        Some(("x-should-retry", "true")),
        Some(("location", "/elsewhere")),
    ]);
    prop_oneof![
        6 => (status, content_type, header).prop_map(|(status, kind, header)| Input::Head(status, kind, header)),
        1 => Just(Input::Reused),
        2 => select(vec![InputForm::Whole, InputForm::NewOnly]).prop_map(Input::Sent),
        1 => select(vec!["data: x", "{", "<html>", ": ok\n", " \n"]).prop_map(Input::Data),
        8 => payload().prop_map(Input::Payload),
        1 => payload().prop_map(Input::Unfinished),
        1 => payload().prop_map(Input::Last),
        2 => select(vec![FATAL, "", "{}", "oops", r#"{"error":{"code":"slow_down","message":"Later."}}"#])
            .prop_map(Input::Body),
        2 => (proptest::option::of(kind()), select(vec![0, 1000, 1001, 1008, 1009, 1012, 3000]))
            .prop_map(|(kind, code)| Input::Closed(kind, code)),
        3 => (kind(), phase).prop_map(|(kind, phase)| Input::Failed(kind, phase)),
        1 => Just(Input::Drained),
        6 => Just(Input::Timeout),
        1 => (0..400_000_u64).prop_map(|millis| Input::Pass(Duration::from_millis(millis))),
    ]
}

/// What a driver can have for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brings {
    Head,
    Events,
    Body,
}

/// A request that is played, and what is known of it.
struct Play {
    engine: TurnEngine,
    config: EngineConfig,
    now: Instant,
    is_done: bool,
    opened: u32,
    attempt: u32,
    waited: Duration,
    /// Whether the attempt under way has delivered output.
    output: bool,
    /// What the connection can bring.
    brings: Brings,
    /// The status of an answer that goes on.
    success: u16,
    /// The turn's state, once it was seen.
    state: Option<String>,
}

impl Play {
    fn new(config: EngineConfig) -> Self {
        let (engine, now) = (TurnEngine::new(config.clone()), config.turn_started);
        let mut play = Self {
            engine,
            config,
            now,
            is_done: false,
            opened: 0,
            attempt: 0,
            waited: Duration::ZERO,
            output: false,
            brings: Brings::Head,
            success: 0,
            state: None,
        };
        play.drain();
        play
    }

    fn input(&mut self, input: &Input) {
        let due = match input {
            Input::Head(..) | Input::Reused => Some(Brings::Head),
            Input::Sent(_) | Input::Data(_) | Input::Payload(_) | Input::Unfinished(_) | Input::Last(_) => {
                Some(Brings::Events)
            }
            Input::Body(_) => Some(Brings::Body),
            _ => None,
        };
        if due.is_some_and(|due| due != self.brings) {
            return;
        }
        let (engine, now) = (&mut self.engine, self.now);
        match input {
            Input::Head(status, content_type, header) => {
                let header =
                    header.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
                let content_type = HeaderValue::from_static(content_type);
                let mut headers: HeaderMap = header.into_iter().collect();
                headers.insert(http::header::CONTENT_TYPE, content_type);
                self.brings = Brings::Events;
                engine.handle_opened(ResponseHead::new(*status, headers), now);
            }
            Input::Reused => {
                self.brings = Brings::Events;
                engine.handle_reused(&SocketMemory::default(), now);
            }
            Input::Sent(form) => engine.handle_sent(*form, now),
            Input::Data(data) => engine.handle_data(data.as_bytes(), now),
            Input::Payload(payload) => engine.handle_payload(None, payload.as_bytes(), now),
            Input::Unfinished(payload) => engine.handle_unfinished(payload.as_bytes(), now),
            Input::Last(payload) => engine.handle_last(None, payload.as_bytes(), now),
            Input::Body(body) => engine.handle_body(body.as_bytes(), None, now),
            Input::Closed(kind, code) => {
                let failure = kind.map(|kind| {
                    let mut failure = Failure::new(kind, "m");
                    failure.close_code = (kind == FailureKind::Closed).then_some(*code);
                    failure
                });
                engine.handle_closed(failure, now);
            }
            Input::Failed(kind, phase) => engine.handle_failed(Failure::new(*kind, "m").in_phase(*phase), now),
            Input::Drained => engine.handle_drained(now),
            Input::Timeout => {
                if let Some(at) = engine.poll_timeout() {
                    self.now = now.max(at);
                    engine.handle_timeout(self.now);
                }
            }
            Input::Pass(time) => self.now += *time,
        }
        self.drain();
    }

    /// Looks at everything that comes out.
    fn drain(&mut self) {
        while let Some(item) = self.engine.poll_event() {
            assert!(!self.is_done, "{item:?} behind the end");
            match item {
                Ok(TurnEvent::Request(request)) => {
                    assert!(request.attempt >= self.attempt);
                    (self.attempt, self.output) = (request.attempt, false);
                }
                Ok(TurnEvent::Retry(retry)) => {
                    assert_eq!(retry.discarded, self.output, "{retry:?}");
                    assert_ne!(retry.code.as_deref(), Some("invalid_prompt"));
                    self.waited += retry.delay;
                }
                Ok(event) => {
                    self.is_done = event.is_terminal();
                    self.output |= event.is_output();
                }
                Err(failure) => {
                    self.is_done = true;
                    assert_eq!(failure.output_delivered, self.output, "{failure:?}");
                    assert!(failure.code.as_deref() != Some("invalid_prompt") || !failure.retryable);
                }
            }
        }
        assert_eq!(self.is_done, self.engine.is_done());
        while let Some(action) = self.engine.poll_action() {
            assert!(!self.is_done || matches!(action, Action::Park | Action::Close), "{action:?} behind the end");
            match action {
                Action::Open { turn_state, attempt, transport, .. } => {
                    assert!(self.config.turn_state == turn_state && attempt == self.attempt);
                    self.opened += 1;
                    self.brings = Brings::Head;
                    self.success = if transport == TransportKind::WebSocket { 101 } else { 200 };
                }
                Action::ReadBody(_) => self.brings = Brings::Body,
                Action::Send { turn_state, .. } => assert!(self.config.turn_state == turn_state),
                _ => {}
            }
        }
        let state = self.config.turn_state.get().map(str::to_owned);
        assert!(self.state.is_none() || self.state == state, "the first value wins");
        self.state = state;
        let policy = &self.config.policy;
        assert!(self.attempt <= policy.max_attempts() && self.waited <= policy.max_wait());
        // A repair of each kind, and three redirects each.
        assert!(self.opened <= (policy.max_attempts() + 4) * (1 + 3), "{}", self.opened);
        assert!(!self.is_done || self.engine.poll_timeout().is_none());
    }
}

fn config() -> impl Strategy<Value = EngineConfig> {
    let wire = select(vec![Wire::Responses, Wire::Chat]);
    let transport = select(vec![Transport::Sse, Transport::WebSocket, Transport::Auto]);
    let credentials = select(vec![CredentialSource::Fixed, CredentialSource::Renewable]);
    let on_cut = select(vec![OnCut::Discard, OnCut::Fail]);
    (wire, transport, credentials, on_cut, 1..6_u32, any::<u64>(), any::<bool>()).prop_map(
        |(wire, transport, credentials, on_cut, attempts, seed, has_end)| {
            let mut config = EngineConfig::new(wire, Target::new("http://service.example/v1"), Instant::now());
            // A pinned WebSocket belongs to the Responses API.
            config.transport = if wire == Wire::Chat { Transport::Sse } else { transport };
            (config.credentials, config.on_cut, config.seed) = (credentials, on_cut, seed);
            config.policy = Policy::new().with_max_attempts(attempts);
            config.turn_state = TurnState::new();
            if has_end {
                config.timeouts = Timeouts { turn: Some(Duration::from_secs(100)), ..Timeouts::default() };
            }
            config
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_ends_once_within_its_limits_and_under_one_state(config in config(), inputs in vec(input(), 0..60)) {
        let mut play = Play::new(config);
        for input in &inputs {
            play.input(input);
        }
    }

    /// However far it has come, and whatever came before.
    #[test]
    fn what_cannot_succeed_ends_the_request_at_once(config in config(), inputs in vec(input(), 0..30)) {
        let mut play = Play::new(config);
        for input in &inputs {
            play.input(input);
        }
        // At most: the end of a wait, a handshake that is refused in favour of the other transport, the answer.
        for _ in 0..3 {
            play.input(&Input::Head(play.success, "", None));
            play.input(&Input::Body(FATAL));
            play.input(&Input::Payload(PAYLOADS[usize::from(play.config.wire == Wire::Chat)]));
            if !play.is_done {
                play.input(&Input::Timeout);
            }
        }
        prop_assert!(play.is_done);
    }
}
