//! How an attempt goes out, and what its head says.

use std::time::Instant;

use response_events::{FailureKind, FinishedResponse, Opened, Phase, RateLimits, RequestStarted, TurnEvent};

use super::TurnEngine;
use crate::{
    Action, Capture, CredentialNeed, InputForm, ResponseHead, SocketMemory, SocketNeed, WantedBody,
    attempt::SocketPast,
    head::BodyKind,
    hints::HeadHints,
    refusal::{Refusal, encoded, not_upgraded, redirected},
    turn_state,
};

/// Redirects that are followed in one attempt.
const MAX_REDIRECTS: u32 = 3;

impl TurnEngine {
    /// The response head arrived.
    pub fn handle_opened(&mut self, mut head: ResponseHead, now: Instant) {
        if !self.is_attempting() {
            return;
        }
        let attempt = &mut self.attempt;
        attempt.phase = Phase::FirstEvent;
        attempt.timers.note_opened(now);
        attempt.status = Some(head.status);
        attempt.content_type = head.shown_content_type();
        attempt.request_id = head.request_id();
        attempt.hints = HeadHints::new(&head, now);
        let mut opened = Opened::new(head.status);
        opened.request_id.clone_from(&attempt.request_id);
        opened.turn_state = self.capture_from_head(&head);
        opened.turn_state_mark = head.turn_states().find_map(turn_state::mark);
        head.withhold_turn_states();
        opened.headers = head.headers.clone();
        self.notices.push_back(TurnEvent::Opened(opened));
        self.notices
            .extend(RateLimits::from_headers(head.texts()).into_iter().map(Box::new).map(TurnEvent::RateLimits));
        if self.route.is_socket() && head.status == 101 {
            self.send(InputForm::Whole);
        } else if head.status < 200 {
            let message = format!("HTTP {} is no answer to this request", head.status);
            let mut failure = self.attempt.failure(FailureKind::Protocol, message);
            failure.status = Some(head.status);
            self.fail(failure, now);
        } else if head.is_redirect() {
            self.handle_redirect(&head, now);
        } else if let Some(encoding) = head.content_encoding() {
            self.fail(encoded(head.status, encoding, &self.shown_url()).in_phase(self.attempt.phase), now);
        } else if !head.is_success() {
            self.read_body(WantedBody::Refusal, now);
        } else {
            match head.body_kind() {
                BodyKind::Nothing if !self.route.is_socket() => self.handle_body(b"", None, now),
                body if !self.route.is_socket() => self.attempt.expect(body, now),
                // The request has not been sent, and nobody waits for the end of what answers something else.
                BodyKind::Json | BodyKind::Page => self.read_body(WantedBody::Refusal, now),
                _ => self.fail(not_upgraded(head.status, self.attempt.content_type.as_deref()), now),
            }
        }
    }

    /// A socket that was open already carries the request; `memory` is what it remembers of the response before.
    pub fn handle_reused(&mut self, memory: &SocketMemory, now: Instant) {
        if !self.is_attempting() {
            return;
        }
        self.attempt.socket.past = SocketPast::Unproven;
        self.send_behind(memory.finished.clone(), InputForm::NewOnly, now);
    }

    pub(super) fn open(&mut self, credentials: CredentialNeed, socket: SocketNeed) {
        self.tell_request();
        let (attempt, transport) = (self.attempt.number, self.route.transport);
        let (target, turn_state) = (self.attempt.target.clone(), self.config.turn_state.clone());
        self.actions.push_back(Action::Open { attempt, transport, target, turn_state, credentials, socket });
    }

    /// Each attempt begins with this event, however it goes out.
    pub(super) fn tell_request(&mut self) {
        let mut started = RequestStarted::new(self.attempt.number, self.route.transport, self.shown_url());
        started.turn_state_mark = self.config.turn_state.mark();
        started.turn_state = started.turn_state_mark.is_some();
        self.notices.push_back(TurnEvent::Request(started));
    }

    /// Sends the request over a socket that has carried another response before.
    pub(super) fn send_behind(&mut self, before: FinishedResponse, input: InputForm, now: Instant) {
        let attempt = &mut self.attempt;
        attempt.phase = Phase::FirstEvent;
        attempt.timers.note_opened(now);
        attempt.interpreter.expect_late(before.clone());
        attempt.before = before;
        self.send(input);
    }

    fn send(&mut self, input: InputForm) {
        self.attempt.socket.sending = true;
        self.actions.push_back(Action::Send { turn_state: self.config.turn_state.clone(), input });
    }

    /// The address under the scheme of the transport.
    pub(super) fn shown_url(&self) -> String {
        let url = self.attempt.target.shown();
        match url.strip_prefix("http") {
            Some(rest) if self.route.is_socket() => format!("ws{rest}"),
            _ => url,
        }
    }

    /// The service wants the same request elsewhere. It goes there only within the origin, and only if the method and
    /// the body stay what they are (RFC 9110, section 15.4). It holds for this attempt alone: by the next one,
    /// or for another transport, it may lead elsewhere.
    fn handle_redirect(&mut self, head: &ResponseHead, now: Instant) {
        let location = head.header("location");
        let target = &self.attempt.target;
        let next = location.filter(|_| matches!(head.status, 307 | 308)).and_then(|to| target.redirected(to));
        let redirects = self.attempt.redirects + 1;
        let refusal = match next {
            Some(next) if redirects <= MAX_REDIRECTS => {
                self.begin_attempt(self.attempt.number);
                (self.attempt.target, self.attempt.redirects) = (next, redirects);
                self.actions.push_back(Action::Close);
                return self.open(CredentialNeed::Usual, SocketNeed::Fresh);
            }
            Some(_) => Refusal::TooMany,
            None => Refusal::Elsewhere,
        };
        self.fail(redirected(head.status, location, refusal).in_phase(self.attempt.phase), now);
    }

    /// Only an answer that goes on belongs to the backend that keeps the turn.
    fn capture_from_head(&self, head: &ResponseHead) -> bool {
        head.goes_on() && head.turn_states().any(|value| self.config.turn_state.capture(value) == Capture::First)
    }
}
