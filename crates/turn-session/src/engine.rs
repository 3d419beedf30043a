//! The state machine of one request.

mod failing;
mod opening;

use std::{collections::VecDeque, time::Instant};

use response_events::{Failure, FailureKind, Item, Ledger, Outcome, Phase, Request, TurnEvent};

use retry_policy::{Entropy, SplitMix64};

use crate::{
    Action, CredentialNeed, EngineConfig, InputForm, SocketMemory, SocketNeed, WantedBody,
    attempt::Attempt,
    head::BodyKind,
    other_wire,
    preview::{BYTE_ORDER_MARK, Beginning},
    refusal::refused,
    retrying::Retrying,
    timers::Timer,
    transport::Route,
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
    route: Route,
    attempt: Attempt,
    retrying: Retrying,
    /// Events about the attempt; those of the answer wait in its interpreter.
    notices: VecDeque<TurnEvent>,
    actions: VecDeque<Action>,
    /// The finished items of an answer over a socket, which the next request may go on from.
    items: Vec<Item>,
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
    pub fn new(mut config: EngineConfig) -> Self {
        // Another number than the first wait is drawn from.
        config.options.call_seed.get_or_insert_with(|| SplitMix64::new(!config.seed).next_u64());
        let route = Route::new(config.transport, config.wire, &config.memory, config.requested);
        let mut engine = Self {
            route,
            attempt: Attempt::new(1, &config, route.transport),
            retrying: Retrying::new(config.seed),
            notices: VecDeque::new(),
            actions: VecDeque::new(),
            items: Vec::new(),
            end: End::Open,
            config,
        };
        engine.open(CredentialNeed::Usual, SocketNeed::Any);
        engine
    }

    /// The request was sent over the socket, in this form.
    pub fn handle_sent(&mut self, input: InputForm, now: Instant) {
        self.attempt.socket.sending = false;
        self.attempt.socket.chained = input == InputForm::NewOnly;
        self.attempt.timers.note_opened(now);
    }

    /// More of the request went out over the socket since [`handle_sent`](Self::handle_sent): a long one over a slow
    /// line is no silence of the service, as long as it moves.
    pub fn handle_upload(&mut self, now: Instant) {
        if self.is_attempting() && self.attempt.phase == Phase::FirstEvent {
            self.attempt.timers.note_opened(now);
        }
    }

    /// The body that [`Action::ReadBody`] asked for, as far as it arrived, and what `cut` it short, if anything did.
    pub fn handle_body(&mut self, body: &[u8], cut: Option<Failure>, now: Instant) {
        if !self.is_attempting() {
            return;
        }
        self.attempt.note_byte(now);
        let body = &*self.attempt.preview.completed(body);
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let status = self.attempt.status.unwrap_or_default();
        if (200..300).contains(&status) {
            if self.route.is_socket() || !self.handle_whole_answer(body, now) {
                self.fail(self.attempt.no_answer(self.route, self.config.wire, body, cut), now);
            }
        } else {
            self.fail(refused(status, body, &self.shown_url()).in_phase(self.attempt.phase), now);
        }
    }

    /// Bytes of the event stream arrived. What they begin counts, and not what the head calls it: gateways call a
    /// stream a document or a page, services forget to name the type of an error, and portals of a page. Only of what
    /// is called an event stream any line may be one.
    pub fn handle_data(&mut self, data: &[u8], now: Instant) {
        self.attempt.note_byte(now);
        self.attempt.timers.note_read(data.len());
        if self.is_attempting() && self.attempt.phase == Phase::FirstEvent {
            match (self.attempt.preview.take_in(data), self.attempt.announced) {
                (None | Some(Beginning::Stream), _) | (Some(Beginning::Text), BodyKind::Events) => {}
                (Some(Beginning::Document), _) | (Some(Beginning::Text), BodyKind::Json) => {
                    self.read_body(WantedBody::Answer, now);
                }
                (Some(Beginning::Page | Beginning::Text), _) => self.read_body(WantedBody::Refusal, now),
                (Some(Beginning::Coded), _) => self.handle_body(data, None, now),
            }
        }
    }

    /// Bytes arrived, whatever they are.
    pub fn handle_activity(&mut self, now: Instant) {
        self.attempt.note_byte(now);
    }

    /// One payload arrived: the data of an SSE event and its `event:` field, or a WebSocket message and `None`.
    pub fn handle_payload(&mut self, name: Option<&str>, data: &[u8], now: Instant) {
        if !self.is_attempting() {
            return;
        }
        let attempt = &mut self.attempt;
        let before = attempt.interpreter.ledger();
        let (progress, items) = (before.progress(), before.done_item_types.len());
        attempt.note_byte(now);
        if self.route.is_socket() {
            // Nothing else tells how much was read. A frame around nothing has two bytes.
            attempt.timers.note_read(data.len() + 2);
        }
        attempt.interpreter.handle_event(name, data);
        // However it is dressed, what is no progress only keeps the connection alive.
        if attempt.interpreter.ledger().progress() != progress {
            attempt.begin_streaming();
            attempt.timers.note_event(now);
            if attempt.interpreter.is_finishing() {
                attempt.timers.note_finishing(now);
            }
        }
        if attempt.interpreter.ledger().done_item_types.len() > items {
            self.retrying.note_progress();
        }
        // Kept at once, also when the attempt that brought it fails.
        if let Some(value) = attempt.interpreter.take_turn_state() {
            self.config.turn_state.capture(value.as_bytes());
        }
        match other_wire(self.config.wire, &self.attempt.interpreter, data) {
            Some(failure) => self.handle_failed(failure.in_phase(self.attempt.phase), now),
            None => self.settle(None, now),
        }
    }

    /// Everything that was read up to `now` has been handed in, and nothing is known of what comes next. Before the
    /// next read, this ends a turn whose time is over, and an attempt whose stream never pauses and has outrun another
    /// deadline by 8 MiB without an event: a caller who was late finds no more than that of what came in good time.
    pub fn handle_drained(&mut self, now: Instant) {
        if let Some(timer) = self.attempt.timers.overrun(now).filter(|_| self.is_attempting()) {
            self.end_by(timer, now);
        }
    }

    /// The data of an event whose blank line has not come, behind a line of data: what ends the stream need not wait
    /// for it.
    pub fn handle_unfinished(&mut self, data: &[u8], now: Instant) {
        if self.is_attempting() && self.attempt.interpreter.handle_unfinished(data) {
            self.attempt.begin_streaming();
            self.settle(None, now);
        }
    }

    /// The data of an event inside a line of it: what ends the stream by how it begins need not wait for the rest.
    pub fn handle_partial(&mut self, data: &[u8], now: Instant) {
        if self.is_attempting() && self.attempt.interpreter.handle_partial(data) {
            self.attempt.begin_streaming();
            self.settle(None, now);
        }
    }

    /// The body came to a clean end in this event, before its blank line. It counts if it is whole and says how the
    /// answer ended; [`handle_closed`](Self::handle_closed) follows in any case.
    pub fn handle_last(&mut self, name: Option<&str>, data: &[u8], now: Instant) {
        if self.is_attempting() && self.attempt.interpreter.handle_last(name, data) {
            self.attempt.begin_streaming();
            self.settle(None, now);
        }
    }

    /// The body ended, or broke with a failure.
    pub fn handle_closed(&mut self, failure: Option<Failure>, now: Instant) {
        if !self.is_attempting() {
            return;
        }
        let is_called_otherwise = matches!(self.attempt.announced, BodyKind::Json | BodyKind::Page);
        if is_called_otherwise && self.attempt.phase == Phase::FirstEvent && self.attempt.preview.is_empty() {
            return self.handle_body(b"", failure, now);
        }
        self.attempt.interpreter.handle_end();
        let failure = failure.map(|failure| failure.in_phase(self.attempt.phase));
        self.settle(failure, now);
    }

    /// The attempt failed: no connection, no head, or a limit passed. The phase of the failure says how far it came;
    /// what the service never looked at (a `Connect` in [`Phase::Sending`]) should have been sent once more by the
    /// transport, which is not done here for free again.
    pub fn handle_failed(&mut self, failure: Failure, now: Instant) {
        if self.is_attempting() {
            // What was read before the failure is still the caller's.
            match failure.kind {
                // It is this side that does not go on.
                FailureKind::TooLarge | FailureKind::Protocol | FailureKind::Config => {
                    self.attempt.interpreter.handle_given_up();
                }
                _ => self.attempt.interpreter.handle_end(),
            }
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
                self.open(CredentialNeed::Usual, SocketNeed::Fresh);
            }
            return;
        }
        if let Some(timer) = self.attempt.timers.expired(now) {
            self.end_by(timer, now);
        }
    }

    /// What to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next item for the caller; an error is the last one, and so are the terminal events.
    pub fn poll_event(&mut self) -> Option<Result<TurnEvent, Failure>> {
        if let Some(notice) = self.notices.pop_front() {
            if self.notices.is_empty() {
                // They come with a head, and a stream may then be silent for long.
                self.notices = VecDeque::new();
            }
            return Some(Ok(notice));
        }
        if let Some(event) = self.attempt.interpreter.poll_event() {
            self.attempt.output_delivered |= event.is_output();
            self.attempt.content_delivered |= event.is_content();
            if let (TurnEvent::ItemDone(done), true) = (&event, self.route.is_socket()) {
                self.items.push(done.item.clone());
            }
            return Some(Ok(event));
        }
        if !matches!(self.end, End::Pending(_)) {
            return None;
        }
        match std::mem::replace(&mut self.end, End::Delivered) {
            // The last events of the answer may have been delivered since the failure.
            End::Pending(item) => Some(item.map_err(|failure| self.attempt.describe(failure))),
            End::Open | End::Delivered => None,
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

    /// The same, for a driver that knows what in it must not be shown.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        self.attempt.interpreter.ledger_mut()
    }

    fn is_ended(&self) -> bool {
        !matches!(self.end, End::Open)
    }

    fn end_by(&mut self, timer: Timer, now: Instant) {
        self.attempt.interpreter.handle_given_up();
        match self.attempt.timed_out(timer) {
            Some(failure) => self.fail(failure, now),
            None => self.settle(None, now),
        }
    }

    fn read_body(&mut self, body: WantedBody, now: Instant) {
        self.attempt.timers.note_body(body, now);
        self.actions.push_back(Action::ReadBody(body));
    }

    /// Whether an attempt is under way, so that what a connection brings belongs to it.
    fn is_attempting(&self) -> bool {
        !self.is_ended() && self.retrying.waits_until().is_none()
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

    /// What the socket remembers once it is parked: asked for by the driver after [`Action::Park`].
    pub fn socket_memory(&mut self, request: &Request) -> SocketMemory {
        let interpreter = &self.attempt.interpreter;
        let response_id = match interpreter.outcome() {
            Some(Outcome::Completed(completed)) => completed.response_id.clone(),
            _ => None,
        };
        SocketMemory::new(interpreter.finished_response(), request, response_id, std::mem::take(&mut self.items))
    }

    fn finish(&mut self, item: Result<TurnEvent, Failure>) {
        let reusable = item.is_ok() && self.route.is_socket();
        self.end = End::Pending(Box::new(item));
        self.actions.clear();
        self.actions.push_back(if reusable { Action::Park } else { Action::Close });
    }

    /// A service that does not stream answers with one document. It means what a stream of one event would mean.
    fn handle_whole_answer(&mut self, body: &[u8], now: Instant) -> bool {
        let Some(payloads) = response_events::whole_answer(self.config.wire, body) else { return false };
        for payload in payloads {
            self.handle_payload(None, &payload, now);
        }
        if self.is_attempting() {
            // The service has taken the request on (a background response): another try would begin a second one.
            let message = "the answer is a document that states no end";
            let mut failure = self.attempt.failure(FailureKind::Protocol, message);
            failure.retryable = false;
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
