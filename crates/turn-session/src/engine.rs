//! The state machine of one request.

use std::{collections::VecDeque, time::Instant};

use response_events::{
    Failure, FailureKind, Ledger, Opened, Outcome, Phase, RateLimits, RequestStarted, Retry, TransportKind, TurnEvent,
};
use retry_policy::{Cost, RetryAfter};

use crate::{
    Action, Capture, CredentialNeed, EngineConfig, ErrorBody, OnCut, ResponseHead, TURN_STATE_HEADER,
    attempt::Attempt,
    head::BodyKind,
    hints::HeadHints,
    refusal::{not_an_api_answer, redirected, refused},
    retrying::{Retrying, Verdict},
};

/// One request, from its first attempt to its one terminal item.
///
/// A driver does what [`poll_action`](Self::poll_action) says, feeds what happens to the `handle_*` inputs, hands
/// [`poll_event`](Self::poll_event) to the caller, and calls [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) has passed and nothing was there to be read. Waiting before a retry is a
/// deadline like every other.
#[derive(Debug)]
pub struct TurnEngine {
    config: EngineConfig,
    attempt: Attempt,
    retrying: Retrying,
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
        let mut engine = Self {
            attempt: Attempt::new(1, &config),
            retrying: Retrying::new(config.seed),
            notices: VecDeque::new(),
            actions: VecDeque::new(),
            end: End::Open,
            config,
        };
        engine.open(CredentialNeed::Usual);
        engine
    }

    /// The response head arrived.
    pub fn handle_opened(&mut self, head: ResponseHead<'_>, now: Instant) {
        if !self.is_attempting() {
            return;
        }
        let attempt = &mut self.attempt;
        attempt.phase = Phase::FirstEvent;
        attempt.timers.note_opened(now);
        attempt.status = Some(head.status);
        attempt.content_type = head.header("content-type").map(str::to_owned);
        attempt.request_id = head.request_id();
        attempt.hints = HeadHints::new(head);
        let request_id = attempt.request_id.clone();
        let turn_state = self.capture_from_head(head);
        self.notices.push_back(TurnEvent::Opened(Opened { status: head.status, request_id, turn_state }));
        self.notices.extend(RateLimits::from_headers(head.texts()).into_iter().map(TurnEvent::RateLimits));
        if let Some(encoding) = head.content_encoding() {
            let message = format!("the answer is encoded as {encoding:?}, which was not asked for");
            let mut failure = self.attempt.fail(FailureKind::Protocol, message);
            failure.status = Some(head.status);
            failure.retryable = false;
            self.fail(failure, now);
        } else if head.is_redirect() {
            self.fail(redirected(head.status, head.header("location")), now);
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
        if !self.is_attempting() {
            return;
        }
        self.attempt.timers.note_byte(now);
        let status = self.attempt.status.unwrap_or_default();
        if (200..300).contains(&status) {
            if !self.handle_whole_answer(body, now) {
                self.fail(not_an_api_answer(status, self.attempt.content_type.as_deref(), body), now);
            }
        } else {
            self.fail(refused(status, body), now);
        }
    }

    /// Bytes arrived, whatever they are.
    pub fn handle_activity(&mut self, now: Instant) {
        self.attempt.timers.note_byte(now);
    }

    /// One payload arrived: the data of an SSE event and its `event:` field, or a WebSocket message and `None`.
    pub fn handle_payload(&mut self, name: Option<&str>, data: &[u8], now: Instant) {
        if !self.is_attempting() {
            return;
        }
        let attempt = &mut self.attempt;
        attempt.phase = Phase::Streaming;
        attempt.timers.note_event(now);
        let items = attempt.interpreter.ledger().done_item_types.len();
        attempt.interpreter.handle_event(name, data);
        if attempt.interpreter.is_finishing() {
            attempt.timers.note_finishing(now);
        }
        if attempt.interpreter.ledger().done_item_types.len() > items {
            self.retrying.note_progress();
        }
        // Kept at once, also when the attempt that brought it fails.
        if let Some(value) = attempt.interpreter.take_turn_state() {
            self.config.turn_state.capture(value.as_bytes());
        }
        self.settle(None, now);
    }

    /// The body ended, or broke with a failure.
    pub fn handle_closed(&mut self, failure: Option<Failure>, now: Instant) {
        if !self.is_attempting() {
            return;
        }
        self.attempt.interpreter.handle_end();
        let failure = failure.map(|failure| failure.in_phase(self.attempt.phase));
        self.settle(failure, now);
    }

    /// The attempt failed: no connection, no head, or a limit passed.
    pub fn handle_failed(&mut self, failure: Failure, now: Instant) {
        if self.is_attempting() {
            // What was read before the failure is still the caller's.
            self.attempt.interpreter.handle_end();
            self.fail(failure, now);
        }
    }

    /// The instant of [`poll_timeout`](Self::poll_timeout) has passed, and nothing was there to be read.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.is_ended() {
            return;
        }
        if let Some(until) = self.retrying.waits_until() {
            if until <= now {
                self.retrying.end_wait();
                self.open(CredentialNeed::Usual);
            }
            return;
        }
        let Some(timer) = self.attempt.timers.expired(now) else { return };
        self.attempt.interpreter.handle_end();
        match self.attempt.timed_out(timer) {
            Some(failure) => self.fail(failure, now),
            None => self.settle(None, now),
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
            // The last events of the answer may have been delivered since the failure.
            End::Pending(item) => Some(item.map_err(|failure| self.attempt.describe(failure))),
            end => {
                self.end = end;
                None
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_ended() { None } else { self.retrying.waits_until().or_else(|| self.attempt.timers.next()) }
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

    /// Whether an attempt is under way, so that what a connection brings belongs to it.
    fn is_attempting(&self) -> bool {
        !self.is_ended() && self.retrying.waits_until().is_none()
    }

    fn open(&mut self, credentials: CredentialNeed) {
        let attempt = self.attempt.number;
        let transport = TransportKind::Sse;
        let turn_state = self.config.turn_state.clone();
        self.notices.push_back(TurnEvent::Request(RequestStarted {
            attempt,
            transport,
            url: self.config.url.clone(),
            turn_state: turn_state.get().is_some(),
        }));
        self.actions.push_back(Action::Open { attempt, transport, turn_state, credentials });
    }

    /// Only an answer that goes on belongs to the backend that keeps the turn.
    fn capture_from_head(&self, head: ResponseHead<'_>) -> bool {
        let accepted = head.is_success() || head.status == 101;
        let mut values = head.headers.get_all(TURN_STATE_HEADER).iter();
        accepted && values.any(|value| self.config.turn_state.capture(value.as_bytes()) == Capture::First)
    }

    /// Ends the attempt if its stream has ended: `cause` says more of a stream that was cut.
    fn settle(&mut self, cause: Option<Failure>, now: Instant) {
        let event = match self.attempt.interpreter.outcome() {
            None => return,
            Some(Outcome::Completed(completed)) => TurnEvent::Completed(completed.clone()),
            Some(Outcome::Incomplete(incomplete)) => TurnEvent::Incomplete(incomplete.clone()),
            Some(outcome) => {
                if let Some(failure) = self.attempt.cut_short(outcome, cause) {
                    self.fail(failure, now);
                }
                return;
            }
        };
        self.finish(Ok(event));
    }

    /// Ends the attempt with a failure; the policy says whether another one follows.
    fn fail(&mut self, failure: Failure, now: Instant) {
        let mut failure = self.attempt.describe(failure);
        let verdict = self.retrying.decide(&mut failure, &self.attempt.hints, &self.config, now);
        let must_stay = self.config.on_cut == OnCut::Fail && failure.output_delivered;
        match verdict {
            Verdict::Retry(retry) if !must_stay => self.retry(failure, retry, now),
            Verdict::Retry(retry) => {
                Retrying::give_back(retry, &self.config);
                self.finish(Err(failure));
            }
            Verdict::GiveUp => self.finish(Err(failure)),
        }
    }

    fn retry(&mut self, failure: Failure, retry: RetryAfter, now: Instant) {
        let deadline = self.attempt.timers.turn_deadline();
        if self.retrying.wait(retry, deadline, now).is_none() {
            // The turn would be over before the next attempt begins.
            Retrying::give_back(retry, &self.config);
            self.finish(Err(failure));
            return;
        }
        // A repair is nobody's business, as long as there is nothing to take back.
        let discarded = failure.output_delivered;
        if retry.cost != Cost::Repair || discarded {
            self.notices.push_back(TurnEvent::Retry(Retry {
                attempt: retry.attempt,
                max_attempts: self.config.policy.max_attempts(),
                delay: retry.delay,
                reason: failure.kind,
                code: failure.code.clone(),
                message: failure.message.clone(),
                discarded,
            }));
        }
        // Void with the rest of the attempt: events that nobody has seen are not shown any more.
        self.attempt = Attempt::new(retry.attempt, &self.config);
        self.actions.clear();
        self.actions.push_back(Action::Close);
        if retry.delay.is_zero() {
            self.retrying.end_wait();
            let refused = failure.status == Some(401);
            self.open(if refused { CredentialNeed::Renewed } else { CredentialNeed::Usual });
        }
    }

    fn finish(&mut self, item: Result<TurnEvent, Failure>) {
        self.end = End::Pending(Box::new(item));
        self.actions.clear();
        self.actions.push_back(Action::Close);
    }

    /// A service that does not stream answers with one document. It means what a stream of one event would mean.
    fn handle_whole_answer(&mut self, body: &[u8], now: Instant) -> bool {
        let Some(payloads) = response_events::whole_answer(self.config.wire, body) else { return false };
        for payload in payloads {
            self.handle_payload(None, &payload, now);
        }
        if self.is_attempting() {
            let failure = self.attempt.fail(FailureKind::Protocol, "the answer is a document that states no end");
            self.fail(failure, now);
        }
        true
    }
}

impl Drop for TurnEngine {
    /// A request that is given up while it waits does not use its token.
    fn drop(&mut self) {
        self.retrying.release(&self.config);
    }
}
