//! The state machine of one request.

use std::{collections::VecDeque, time::Instant};

use response_events::{
    Completed, Failure, FailureKind, InterpreterOptions, Ledger, Opened, Outcome, Phase, RequestStarted, TransportKind,
    TurnEvent, Wire,
};

use crate::{
    Action, ErrorBody, ResponseHead, Timeouts,
    attempt::Attempt,
    head::BodyKind,
    refusal::{not_an_api_answer, redirected, refused},
};

/// What an engine has to know of its request.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The API that is spoken.
    pub wire: Wire,
    /// What the interpreter has to know of the request.
    pub options: InterpreterOptions,
    /// The deadlines.
    pub timeouts: Timeouts,
    /// Where the request goes, for the caller's eyes: without user information and query values.
    pub url: String,
    /// When the turn began, for its deadline.
    pub turn_started: Instant,
}

/// One request, from its first attempt to its one terminal item.
///
/// A driver does what [`poll_action`](Self::poll_action) says, feeds what happens to the `handle_*` inputs, hands
/// [`poll_event`](Self::poll_event) to the caller, and calls [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) has passed and nothing was there to be read.
#[derive(Debug)]
pub struct TurnEngine {
    config: EngineConfig,
    attempt: Attempt,
    /// Events about the attempt; those of the answer wait in its interpreter.
    notices: VecDeque<TurnEvent>,
    actions: VecDeque<Action>,
    end: End,
}

/// The terminal item: not there yet, waiting behind the last events, handed out.
#[derive(Debug)]
enum End {
    Open,
    Pending(Box<Result<TurnEvent, Failure>>),
    Delivered,
}

impl TurnEngine {
    /// An engine for one request; its first action opens a connection.
    pub fn new(config: EngineConfig) -> Self {
        let EngineConfig { wire, options, timeouts, turn_started, .. } = config;
        let attempt = Attempt::new(1, wire, options, timeouts, turn_started);
        let mut engine = Self { config, attempt, notices: VecDeque::new(), actions: VecDeque::new(), end: End::Open };
        engine.open();
        engine
    }

    fn open(&mut self) {
        let transport = TransportKind::Sse;
        let attempt = self.attempt.number;
        let url = self.config.url.clone();
        self.notices.push_back(TurnEvent::Request(RequestStarted { attempt, transport, url, turn_state: false }));
        self.actions.push_back(Action::Open { attempt, transport });
    }

    /// The response head arrived.
    pub fn handle_opened(&mut self, head: ResponseHead<'_>, now: Instant) {
        if self.is_ended() {
            return;
        }
        let attempt = &mut self.attempt;
        attempt.phase = Phase::FirstEvent;
        attempt.timers.note_opened(now);
        attempt.status = Some(head.status);
        attempt.content_type = head.header("content-type").map(str::to_owned);
        attempt.request_id = head.request_id();
        let request_id = attempt.request_id.clone();
        self.notices.push_back(TurnEvent::Opened(Opened { status: head.status, request_id, turn_state: false }));
        if let Some(encoding) = head.content_encoding() {
            let mut failure = self
                .attempt
                .fail(FailureKind::Protocol, format!("the answer is encoded as {encoding:?}, which was not asked for"));
            failure.status = Some(head.status);
            failure.retryable = false;
            self.fail(failure);
        } else if head.is_redirect() {
            self.fail(redirected(head.status, head.header("location")));
        } else if !head.is_success() {
            self.actions.push_back(Action::ReadBody(ErrorBody::Refusal));
        } else {
            match head.body_kind() {
                BodyKind::Events => {}
                BodyKind::Json => self.actions.push_back(Action::ReadBody(ErrorBody::Answer)),
                BodyKind::Page => self.actions.push_back(Action::ReadBody(ErrorBody::Refusal)),
            }
        }
    }

    /// The body that [`Action::ReadBody`] asked for, as far as it arrived.
    pub fn handle_body(&mut self, body: &[u8], now: Instant) {
        if self.is_ended() {
            return;
        }
        self.attempt.timers.note_byte(now);
        let status = self.attempt.status.unwrap_or_default();
        if (200..300).contains(&status) {
            if !self.handle_whole_answer(body, now) {
                self.fail(not_an_api_answer(status, self.attempt.content_type.as_deref(), body));
            }
        } else {
            self.fail(refused(status, body));
        }
    }

    /// Bytes arrived, whatever they are.
    pub fn handle_activity(&mut self, now: Instant) {
        self.attempt.timers.note_byte(now);
    }

    /// One payload arrived: the data of an SSE event and its `event:` field.
    pub fn handle_payload(&mut self, name: Option<&str>, data: &[u8], now: Instant) {
        if self.is_ended() {
            return;
        }
        let attempt = &mut self.attempt;
        attempt.phase = Phase::Streaming;
        attempt.timers.note_event(now);
        attempt.interpreter.handle_event(name, data);
        if attempt.interpreter.is_finishing() {
            attempt.timers.note_finishing(now);
        }
        self.settle(None);
    }

    /// The body ended, or broke with a failure.
    pub fn handle_closed(&mut self, failure: Option<Failure>) {
        if self.is_ended() {
            return;
        }
        self.attempt.interpreter.handle_end();
        let failure = failure.map(|failure| failure.in_phase(self.attempt.phase));
        self.settle(failure);
    }

    /// The attempt failed: no connection, no head, or a limit passed.
    pub fn handle_failed(&mut self, failure: Failure) {
        if !self.is_ended() {
            // What was read before the failure is still the caller's.
            self.attempt.interpreter.handle_end();
            self.fail(failure);
        }
    }

    /// The instant of [`poll_timeout`](Self::poll_timeout) has passed, and nothing was there to be read.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.is_ended() {
            return;
        }
        let Some(timer) = self.attempt.timers.expired(now) else { return };
        self.attempt.interpreter.handle_end();
        match self.attempt.timed_out(timer) {
            Some(failure) => self.fail(failure),
            None => self.settle(None),
        }
    }

    /// What to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next item for the caller; an error is the last one, and so are the terminal events.
    pub fn poll_event(&mut self) -> Option<Result<TurnEvent, Failure>> {
        if let Some(notice) = self.notices.pop_front() {
            return Some(Ok(notice));
        }
        if let Some(event) = self.attempt.interpreter.poll_event() {
            self.attempt.output_delivered |= event.is_output();
            return Some(Ok(event));
        }
        match std::mem::replace(&mut self.end, End::Delivered) {
            End::Pending(item) => Some(item.map_err(|failure| self.attempt.describe(failure))),
            end => {
                self.end = end;
                None
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_ended() { None } else { self.attempt.timers.next() }
    }

    /// Whether the terminal item was handed out.
    pub fn is_done(&self) -> bool {
        matches!(self.end, End::Delivered)
    }

    /// What passed in the latest attempt.
    pub fn ledger(&self) -> &Ledger {
        self.attempt.interpreter.ledger()
    }

    fn is_ended(&self) -> bool {
        !matches!(self.end, End::Open)
    }

    /// Ends the request if the stream has: `cause` says more of a stream that was cut.
    fn settle(&mut self, cause: Option<Failure>) {
        let Some(outcome) = self.attempt.interpreter.outcome() else { return };
        if let Some(failure) = self.attempt.cut_short(outcome, cause) {
            self.fail(failure);
            return;
        }
        let event = match outcome {
            Outcome::Incomplete(incomplete) => TurnEvent::Incomplete(incomplete.clone()),
            Outcome::Completed(completed) => TurnEvent::Completed(completed.clone()),
            _ => TurnEvent::Completed(Completed::default()),
        };
        self.finish(Ok(event));
    }

    fn fail(&mut self, failure: Failure) {
        self.finish(Err(failure));
    }

    fn finish(&mut self, item: Result<TurnEvent, Failure>) {
        self.end = End::Pending(Box::new(item));
        self.actions.clear();
        self.actions.push_back(Action::Close);
    }

    /// A service that does not stream answers with one document. It means what a stream of one event would mean.
    fn handle_whole_answer(&mut self, body: &[u8], now: Instant) -> bool {
        let Some(payload) = response_events::whole_answer(self.config.wire, body) else { return false };
        for payload in payload {
            self.handle_payload(None, &payload, now);
        }
        if !self.is_ended() {
            self.fail(self.attempt.fail(FailureKind::Protocol, "the answer is a document that states no end"));
        }
        true
    }
}
