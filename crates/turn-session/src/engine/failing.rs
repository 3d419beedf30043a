//! What follows a failed attempt: another one, another transport, or the end.

use std::time::Instant;

use response_events::{ErrorClass, Failure, FailureKind, Outcome, Phase, Retry, TurnEvent};
use retry_policy::{Cost, FailureClass, Fallback, NextTransport, RetryAfter};

use super::TurnEngine;
use crate::{
    Action, CredentialNeed, InputForm, OnCut, SocketNeed,
    attempt::{Attempt, SocketPast},
    classes::names_a_family_alone,
    retrying::{Retrying, Verdict},
    transport::Route,
};

impl TurnEngine {
    /// How far the attempt has come on the way to its head: what a failure says, should its time be over.
    pub fn handle_reached(&mut self, phase: Phase) {
        if self.is_attempting() && self.attempt.phase < Phase::FirstEvent {
            self.attempt.phase = phase;
        }
    }

    /// Ends the attempt with a failure; the policy says whether another one follows.
    pub(super) fn fail(&mut self, failure: Failure, now: Instant) {
        let mut failure = self.attempt.describe(failure);
        let fallback = self.fallback(&failure, now);
        let verdict = self.retrying.decide(&mut failure, &self.attempt, fallback, &self.config, now);
        match (verdict, self.reason_to_stay()) {
            (Verdict::Retry(retry, class), None) => self.retry(failure, retry, class, fallback, now),
            (Verdict::Retry(retry, _), Some(reason)) => {
                Retrying::give_back(retry, &self.config);
                failure.gave_up = Some(reason.to_owned());
                self.finish(Err(failure));
            }
            (Verdict::GiveUp, _) => self.finish(Err(failure)),
        }
    }

    /// Why no other attempt may follow, although the policy would allow it.
    fn reason_to_stay(&self) -> Option<&'static str> {
        let delivered = self.config.on_cut == OnCut::Fail && self.attempt.content_delivered;
        let settled = self.attempt.interpreter.outcome().and_then(Outcome::reason_to_stay);
        settled.or(delivered.then_some("output had been delivered"))
    }

    /// Whether the request can, or has to, leave its WebSocket.
    fn fallback(&self, failure: &Failure, now: Instant) -> Fallback {
        // A turn that is over has no time for another transport.
        if !self.route.can_fall_back || self.attempt.timers.turn_expired(now).is_some() {
            Fallback::None
        } else if self.demands_fallback(failure) {
            Fallback::Demanded
        } else {
            Fallback::Possible
        }
    }

    /// Whether WebSockets are not for this request: the service will not accept the handshake, or the message is too
    /// large for it or for this side. An answer that is too large would be so over any transport.
    fn demands_fallback(&self, failure: &Failure) -> bool {
        let refused = match self.attempt.status {
            Some(403 | 404 | 405 | 426) => true,
            // What servers say that do not know what is asked for; and services that know very well, with a code.
            Some(200..=400 | 406 | 410 | 415 | 501 | 505) => !self.names_its_error(failure),
            _ => false,
        };
        let cannot_be_sent = failure.kind == FailureKind::TooLarge && self.attempt.socket.sending;
        refused || cannot_be_sent || failure.close_code == Some(1009)
    }

    /// Whether the service has said what is wrong by a code or type that is known.
    fn names_its_error(&self, failure: &Failure) -> bool {
        let config = &self.config;
        let is_known =
            |error| config.classifier.classify(error) != ErrorClass::Unknown && !names_a_family_alone(error, config);
        failure.api.as_ref().is_some_and(is_known)
    }

    fn retry(
        &mut self,
        mut failure: Failure,
        retry: RetryAfter,
        class: FailureClass,
        fallback: Fallback,
        now: Instant,
    ) {
        let deadline = self.attempt.timers.turn_deadline();
        if !self.retrying.begin_wait(retry, deadline, now) {
            Retrying::give_back(retry, &self.config);
            failure.gave_up = Some("the turn would be over before the next attempt".to_owned());
            self.finish(Err(failure));
            return;
        }
        // A repair is nobody's business, as long as there is nothing to take back; a fallback has an event of its own.
        let is_quiet = retry.cost == Cost::Repair || fallback == Fallback::Demanded;
        if !is_quiet || failure.output_delivered {
            self.announce_retry(&failure, retry);
        }
        if retry.transport == NextTransport::FallBack {
            self.leave_socket(&failure, now);
        }
        // A service may say so by its close.
        let is_open = failure.close_code.is_none();
        if class == FailureClass::UnknownPrevious && retry.transport == NextTransport::Same && is_open {
            self.retrying.end_wait();
            self.send_again(retry.attempt, now);
            return;
        }
        self.begin_attempt(retry.attempt);
        self.actions.push_back(Action::Close);
        if retry.delay.is_zero() {
            self.retrying.end_wait();
            let refused = class == FailureClass::Unauthorized;
            let credentials = if refused { CredentialNeed::Renewed } else { CredentialNeed::Usual };
            self.open(credentials, SocketNeed::Fresh);
        }
    }

    /// Sends the whole input: the service answered on this socket, and will again, unless it closes it behind that.
    fn send_again(&mut self, number: u32, now: Instant) {
        let failed = self.attempt.interpreter.finished_response();
        // Once a response has told its name, what may be late is its own rest, and not that of the one before.
        let before = if failed.id().is_some() { failed } else { std::mem::take(&mut self.attempt.before) };
        let target = self.attempt.target.clone();
        self.begin_attempt(number);
        self.attempt.target = target;
        self.attempt.socket.past = SocketPast::Refused;
        self.tell_request();
        self.send_behind(before, InputForm::Whole, now);
    }

    fn announce_retry(&mut self, failure: &Failure, RetryAfter { attempt, delay, .. }: RetryAfter) {
        let max_attempts = self.config.policy.max_attempts();
        let mut retry = Retry::new(attempt, max_attempts, failure.kind, &failure.message);
        retry.delay = delay;
        retry.code.clone_from(&failure.code);
        retry.request_id.clone_from(&failure.request_id);
        retry.discarded = failure.output_delivered;
        self.notices.push_back(TurnEvent::Retry(retry));
    }

    /// Changes to server-sent events, and remembers it; why, the driver says when it passes the event on.
    fn leave_socket(&mut self, failure: &Failure, now: Instant) {
        let reason = failure.to_string();
        self.config.memory.note_fallback(now);
        let (from, to) = (self.route.transport, Route::SSE.transport);
        self.route = Route::SSE;
        self.notices.push_back(TurnEvent::Fallback(response_events::Fallback::new(from, to, reason)));
    }

    /// Begins the next attempt. What the last one left is void: events that nobody has seen are not shown any more.
    pub(super) fn begin_attempt(&mut self, number: u32) {
        self.attempt = Attempt::new(number, &self.config, self.route.transport);
        self.items.clear();
        self.actions.clear();
    }
}
