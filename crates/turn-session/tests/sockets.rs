//! The engine over a WebSocket that can be left for server-sent events.

use std::time::{Duration, Instant};

use http::HeaderMap;
use response_events::{Failure, FailureKind, Request, TransportKind, TurnEvent, Wire};
use retry_policy::{Jitter, Policy};
use turn_session::{
    Action, EngineConfig, InputForm, OnCut, ResponseHead, SessionMemory, Target, Transport, TurnEngine,
};

const CREATED: &str = r#"{"type":"response.created","response":{"id":"r"}}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"id":"r"}}"#;
const TEXT: &str = r#"{"type":"response.output_text.delta","output_index":0,"delta":"a"}"#;

/// An engine, the instant at which it stands, and what came out of it, a word or two each.
struct Play {
    engine: TurnEngine,
    now: Instant,
    memory: SessionMemory,
    seen: Vec<String>,
    failure: Option<Failure>,
    /// Of the last `Retry`.
    delay: Option<Duration>,
}

impl Play {
    /// An engine that may leave its socket, as `setup` changes it.
    fn new(setup: impl FnOnce(&mut EngineConfig)) -> Self {
        let now = Instant::now();
        let memory = SessionMemory::new();
        let mut config = EngineConfig::new(Wire::Responses, Target::new("http://service.example/v1"), now);
        config.transport = Transport::Auto;
        config.policy = Policy::new().with_jitter(Jitter::None);
        config.memory = memory.clone();
        setup(&mut config);
        let mut play = Self { engine: TurnEngine::new(config), now, memory, seen: vec![], failure: None, delay: None };
        play.drain();
        play
    }

    fn with_attempts(attempts: u32, transport: Transport) -> Self {
        Self::new(|config| {
            config.policy = config.policy.clone().with_max_attempts(attempts);
            config.transport = transport;
        })
    }

    fn drain(&mut self) {
        while let Some(item) = self.engine.poll_event() {
            self.seen.push(match item {
                Ok(TurnEvent::Request(request)) => {
                    format!("request {} {}", request.attempt, request.transport.as_str())
                }
                Ok(TurnEvent::Opened(opened)) => format!("opened {}", opened.status),
                Ok(TurnEvent::Created(created)) => format!("created {}", created.response_id.unwrap_or_default()),
                Ok(TurnEvent::TextDelta(_)) => "text".into(),
                Ok(TurnEvent::Completed(_)) => "completed".into(),
                Ok(TurnEvent::Retry(retry)) => {
                    self.delay = Some(retry.delay);
                    format!("retry {}{}", retry.attempt, if retry.discarded { " void" } else { "" })
                }
                Ok(TurnEvent::Fallback(fallback)) => format!("fallback: {}", fallback.reason),
                Ok(other) => format!("{other:?}"),
                Err(failure) => {
                    let word = format!("failed {}", failure.kind);
                    self.failure = Some(failure);
                    word
                }
            });
        }
        while let Some(action) = self.engine.poll_action() {
            self.seen.push(match action {
                Action::Open { transport: TransportKind::Sse, .. } => "> open sse".into(),
                Action::Open { .. } => "> open ws".into(),
                Action::Send { input: InputForm::Whole, .. } => "> send whole".into(),
                Action::Send { .. } => "> send new".into(),
                Action::ReadBody(_) => "> read".into(),
                Action::Close => "> close".into(),
                Action::Park => "> park".into(),
                other => format!("{other:?}"),
            });
        }
    }

    fn head(&mut self, status: u16) -> &mut Self {
        self.engine.handle_opened(ResponseHead::new(status, HeaderMap::new()), self.now);
        self.drain();
        self
    }

    fn body(&mut self, body: &str) -> &mut Self {
        self.engine.handle_body(body.as_bytes(), None, self.now);
        self.drain();
        self
    }

    fn sent(&mut self, input: InputForm) -> &mut Self {
        self.engine.handle_sent(input, self.now);
        self.drain();
        self
    }

    fn payload(&mut self, payload: &str) -> &mut Self {
        self.engine.handle_payload(None, payload.as_bytes(), self.now);
        self.drain();
        self
    }

    fn failed(&mut self, failure: Failure) -> &mut Self {
        self.engine.handle_failed(failure, self.now);
        self.drain();
        self
    }

    fn closed(&mut self, failure: Failure) -> &mut Self {
        self.engine.handle_closed(Some(failure), self.now);
        self.drain();
        self
    }

    /// What came since the last call.
    #[track_caller]
    fn check(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.seen), expected);
        self
    }
}

fn too_large() -> Failure {
    Failure::new(FailureKind::TooLarge, "too large")
}

#[test]
fn a_request_too_large_for_a_socket_goes_over_the_other_transport() {
    let mut play = Play::new(|_| {});
    play.head(101).check(&["request 1 ws", "> open ws", "opened 101", "> send whole"]);
    play.failed(too_large()).check(&["fallback: too large", "request 2 sse", "> close", "> open sse"]);
    assert!(play.memory.fallback_reason(play.now).is_some());
}

/// It would come again, over whatever transport, and be paid for again.
#[test]
fn an_answer_too_large_is_asked_for_once() {
    let begun = |play: &mut Play| {
        play.head(101).sent(InputForm::Whole);
    };
    let behind_output = |play: &mut Play| {
        play.head(101).sent(InputForm::Whole).payload(CREATED).payload(TEXT);
    };
    // The last one is the head of the handshake.
    for arrive in [begun, behind_output, |_: &mut Play| {}] {
        for closed in [true, false] {
            let mut play = Play::new(|_| {});
            arrive(&mut play);
            play.seen.clear();
            if closed {
                play.closed(too_large())
            } else {
                play.failed(too_large())
            };
            play.check(&["failed too_large", "> close"]);
            assert_eq!(play.memory.fallback_reason(play.now), None);
        }
    }
}

fn closed_with(code: u16) -> Failure {
    let mut failure = Failure::new(FailureKind::Closed, format!("closed (code {code})"));
    failure.close_code = Some(code);
    failure
}

fn too_big() -> Failure {
    closed_with(1009)
}

/// What the last attempt says of a failure does not depend on the transport that was wished for.
#[test]
fn a_fallback_without_an_attempt_left_is_classified_as_every_failure() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let mut play = Play::with_attempts(1, transport);
        play.head(101).sent(InputForm::Whole).closed(too_big());
        let failure = play.failure.expect("a failure");
        assert_eq!((failure.retryable, failure.gave_up, failure.attempts), (false, None, 1), "{transport:?}");
    }
    for transport in [Transport::WebSocket, Transport::Auto] {
        let mut play = Play::with_attempts(1, transport);
        play.head(200).body("<title>Portal</title>");
        let failure = play.failure.expect("a failure");
        let reason = Some("all attempts are used up".to_owned());
        assert_eq!((failure.retryable, failure.gave_up), (true, reason), "{transport:?}");
    }
    // The service's own wish is told, too.
    let mut play = Play::with_attempts(1, Transport::Auto);
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", http::HeaderValue::from_static("7"));
    play.engine.handle_opened(ResponseHead::new(426, headers), play.now);
    play.body("");
    assert_eq!(play.failure.expect("a failure").retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn a_fallback_counts_as_an_attempt_and_is_made_at_once() {
    let mut play = Play::with_attempts(2, Transport::Auto);
    play.head(101).sent(InputForm::Whole).payload(TEXT).seen.clear();
    play.closed(too_big());
    let reason = "fallback: closed (code 1009)";
    play.check(&["retry 2 void", reason, "request 2 sse", "> close", "> open sse"]);
    play.head(500).seen.clear();
    play.body("").check(&["failed status", "> close"]);
    assert_eq!(play.failure.map(|failure| failure.attempts), Some(2));
}

/// A socket that has carried the response `r1`, with a request that goes on from it.
fn reused() -> Play {
    reused_by(|_| {})
}

fn reused_by(setup: impl FnOnce(&mut EngineConfig)) -> Play {
    let mut first = Play::new(|_| {});
    first.head(101).sent(InputForm::Whole).payload(r#"{"type":"response.created","response":{"id":"r1"}}"#);
    first.payload(r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"m1"}}"#);
    first.payload(r#"{"type":"response.completed","response":{"id":"r1"}}"#);
    let memory = first.engine.socket_memory(&Request::new("m"));
    let mut play = Play::new(setup);
    play.engine.handle_reused(&memory, play.now);
    play.drain();
    play.sent(InputForm::NewOnly).check(&["request 1 ws", "> open ws", "> send new"]);
    play
}

const UNKNOWN: &str = r#"{"type":"error","error":{"code":"previous_response_not_found","message":"?"}}"#;
/// Late events of the response `r1`: one that only its item tells, and one that says its name.
const LATE: [&str; 2] = [
    r#"{"type":"response.output_text.delta","output_index":0,"item_id":"m1","delta":"late"}"#,
    r#"{"type":"response.in_progress","response":{"id":"r1"}}"#,
];

/// How often and after which waits a request is sent whose sockets are closed with a code as soon as it was sent: the
/// first by `first`, the others freshly opened.
fn waits_after(code: u16, mut first: Play) -> Vec<Duration> {
    let mut waits = Vec::new();
    loop {
        first.delay = None;
        first.closed(closed_with(code));
        if first.failure.is_some() {
            return waits;
        }
        // A repair has no wait, and is not told of.
        waits.push(first.delay.unwrap_or_default());
        first.now += waits[waits.len() - 1];
        first.engine.handle_timeout(first.now);
        first.drain();
        first.head(101).sent(InputForm::Whole);
    }
}

/// A lone reconnect comes within a second, one that others make, too, within five; a wait that is no reconnect begins
/// with half a second. (Without jitter a wait is as long as its window.)
#[test]
fn close_codes_decide_on_a_used_socket_as_on_a_fresh_one() {
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    let pinned = |attempts: u32| {
        move |config: &mut EngineConfig| {
            config.policy = config.policy.clone().with_max_attempts(attempts).with_base(Duration::from_millis(500));
            config.transport = Transport::WebSocket;
        }
    };
    // What a socket may have died of before it was used again is repaired for free, once, and then as every cut.
    for (code, waits, free) in [
        (0, vec![ms(500)], true),
        (1000, vec![ms(500)], true),
        (1001, vec![s(5)], false),
        (1002, vec![ms(500)], false),
        (1003, vec![ms(500)], false),
        (1005, vec![ms(500)], true),
        (1006, vec![ms(500)], true),
        (1007, vec![ms(500)], false),
        (1008, vec![], false),
        (1009, vec![], false),
        (1010, vec![ms(500)], false),
        (1011, vec![ms(500)], false),
        (1012, vec![s(5)], false),
        (1013, vec![s(5)], false),
        (1014, vec![ms(500)], false),
        (4000, vec![ms(500)], false),
    ] {
        let mut fresh = Play::new(pinned(2));
        fresh.head(101).sent(InputForm::Whole);
        assert_eq!(waits_after(code, fresh), waits, "{code} on a fresh socket");
        let repaired = if free { [vec![Duration::ZERO], waits.clone()].concat() } else { waits.clone() };
        assert_eq!(waits_after(code, reused_by(pinned(2))), repaired, "{code} on a used socket");
        // One that has brought a byte since, whatever it is, has not died before.
        let mut alive = reused_by(pinned(2));
        alive.engine.handle_activity(alive.now);
        assert_eq!(waits_after(code, alive), waits, "{code} on a used socket that is alive");
        // Behind an event, what is reconnected at once is reconnected within the window of its code.
        let mut streaming = reused_by(pinned(2));
        streaming.payload(CREATED);
        let cut = [0, 1000, 1005, 1006, 4000].contains(&code);
        let waits = if cut { vec![s(1)] } else { waits };
        assert_eq!(waits_after(code, streaming), waits, "{code} behind an event");
    }
}

#[test]
fn a_request_that_is_sent_again_on_its_socket_is_told_as_every_other() {
    let mut quiet = reused();
    quiet.payload(UNKNOWN).check(&["request 1 ws", "> send whole"]);
    let mut void = reused();
    void.payload(CREATED).payload(TEXT).payload(UNKNOWN);
    void.check(&["created r", "text", "retry 1 void", "request 1 ws", "> send whole"]);
    void.sent(InputForm::Whole).payload(COMPLETED).check(&["completed", "> park"]);
}

/// However the socket is closed behind such an error, and whenever: it is still about the request that it has refused.
/// Where it says that the service goes away, others come back, too.
#[test]
fn a_close_behind_an_unknown_previous_response_is_repaired_once() {
    let pinned = |config: &mut EngineConfig| config.transport = Transport::WebSocket;
    for code in [0, 1000, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 3003, 4000] {
        for late in [false, true] {
            let mut play = reused_by(pinned);
            play.payload(UNKNOWN).sent(InputForm::Whole);
            if late {
                play.engine.handle_activity(play.now);
            }
            play.closed(closed_with(code)).check(&[
                "request 1 ws",
                "> send whole",
                "request 1 ws",
                "> close",
                "> open ws",
            ]);
        }
    }
    // Behind the first event of the second answer it is about that one; and a fresh socket has refused nothing.
    for fresh in [false, true] {
        let mut play = reused_by(pinned);
        play.payload(UNKNOWN).sent(InputForm::Whole);
        if fresh {
            play.closed(closed_with(1008)).head(101).sent(InputForm::Whole);
        } else {
            play.payload(CREATED);
        }
        play.closed(closed_with(1008));
        assert_eq!(play.failure.expect("a failure").close_code, Some(1008));
    }
}

#[test]
fn late_events_stay_late_when_the_request_is_sent_again() {
    // Before the first failure, behind it, and both.
    for before in [&LATE[..0], &LATE[..]] {
        let mut play = reused();
        for late in before {
            play.payload(late);
        }
        play.payload(UNKNOWN).sent(InputForm::Whole).seen.clear();
        for late in LATE {
            play.payload(late);
        }
        play.payload(COMPLETED).check(&["completed", "> park"]);
        assert_eq!(play.engine.ledger().late, 2);
    }
    // The failed response has a name of its own; its end, told once more, is not that of the next one.
    let mut play = reused();
    play.payload(r#"{"type":"response.created","sequence_number":0,"response":{"id":"r2"}}"#);
    play.payload(&UNKNOWN.replace(r#""error","error""#, r#""error","sequence_number":1,"error""#));
    play.sent(InputForm::Whole).seen.clear();
    play.payload(r#"{"type":"response.failed","sequence_number":2,"response":{"id":"r2","error":{"code":"x"}}}"#);
    play.payload(COMPLETED).check(&["completed", "> park"]);
}

#[test]
fn output_that_cannot_be_taken_back_keeps_its_transport() {
    let mut play = Play::new(|config| config.on_cut = OnCut::Fail);
    play.head(101).sent(InputForm::Whole).payload(TEXT).closed(too_big());
    let failure = play.failure.expect("a failure");
    assert_eq!((failure.retryable, failure.gave_up.as_deref()), (false, Some("output had been delivered")));
    assert_eq!(play.memory.fallback_reason(play.now), None);
}

/// Here while the body of the refusal is read.
#[test]
fn a_turn_that_is_over_falls_back_to_nothing() {
    let mut play = Play::new(|config| config.timeouts.turn = Some(Duration::from_secs(5)));
    play.head(403).check(&["request 1 ws", "> open ws", "opened 403", "> read"]);
    play.now += Duration::from_secs(5);
    play.engine.handle_timeout(play.now);
    play.drain();
    play.check(&["failed timeout", "> close"]);
    let failure = play.failure.as_ref().expect("a failure");
    assert_eq!((failure.attempts, failure.retryable, failure.gave_up.as_deref()), (1, false, None));
    assert_eq!(play.memory.fallback_reason(play.now), None);
}
