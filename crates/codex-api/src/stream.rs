//! The driver: joins engine, decoder and connection into a stream that its caller polls.

mod reading;
mod sending;

use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use http::header::AUTHORIZATION;
use http_transport::{BodyLimits, Repeat};
use response_events::{Failure, Phase, TransportKind, TurnEvent};
use sse_codec::{Decoded, Decoder};
use tokio::task::coop;
use turn_session::{
    Action, CredentialNeed, EngineConfig, ResponseHead, SocketMemory, SocketNeed, Target, Transport, TurnEngine,
    TurnState, WantedBody,
};

use crate::{
    BoxError, Error, Request, Turn,
    answer::Collector,
    clock::now,
    connection::{Connection, Signal},
    endpoint::Endpoint,
    failures, logs,
    request_body::RequestBody,
    secrets::Secrets,
    timer::Timer,
};

/// After so many signals that brought the caller nothing a poll lets other tasks run: a read brings thousands of empty
/// messages.
const MOST_SIGNALS: u32 = 1024;

/// The events of one request, up to its one terminal item: `Completed`, `Incomplete`, or an error.
///
/// A `futures` stream, with [`try_next`](Self::try_next) for those who need no more. It moves only while it is
/// polled, on a tokio runtime with time and I/O enabled; dropping it cancels the request and closes its connection.
/// Outside of any runtime it ends with an error; on one that was built without `enable_all`, tokio panics: whether a
/// runtime has timers cannot be asked.
#[must_use = "a stream does nothing unless polled"]
pub struct TurnStream {
    turn: Turn,
    endpoint: Endpoint,
    engine: TurnEngine,
    /// Where the present attempt goes.
    target: Target,
    request: Request,
    /// The request's body over HTTP, once an attempt needed it.
    body: Option<RequestBody>,
    connection: Connection,
    decoder: Decoder,
    /// Bytes that were received and not yet decoded.
    chunk: Bytes,
    /// When they were received.
    received: Instant,
    /// Bytes that the socket had received when it was looked at last.
    bytes_received: u64,
    /// Bytes that the socket had sent then, if a message was on its way.
    bytes_sent: Option<u64>,
    /// The one time that a request may be sent again without counting.
    repeat: Repeat,
    /// How to open a socket if the parked one is gone.
    fresh: Option<(TurnState, CredentialNeed)>,
    /// The error behind the failure of the present attempt.
    cause: Option<BoxError>,
    /// What the caller has read so far.
    collector: Collector,
    timer: Timer,
    /// Whether the stream has asked for another turn of its task, to read behind a deadline.
    has_extra_turn: bool,
    secrets: Secrets,
    span: tracing::Span,
}

impl TurnStream {
    pub(crate) fn new(turn: &Turn, request: Request, endpoint: Endpoint, transport: Transport) -> Self {
        let client = &turn.session.client;
        let target = client.target(endpoint);
        let span = logs::span(&target);
        let mut config = EngineConfig::new(endpoint.wire(), target.clone(), turn.started);
        config.transport = transport;
        config.memory = turn.session.memory.clone();
        config.requested = now();
        config.options = request.interpreter_options();
        config.options.max_answer_bytes = client.max_answer_bytes;
        config.timeouts = client.timeouts;
        config.policy = client.policy.clone();
        config.on_cut = client.on_cut;
        config.classifier = client.classifier.clone();
        config.budget = Some((*turn.session.budget).clone());
        config.turn_state = turn.state.clone();
        config.credentials = client.auth.source();
        config.unix_time = turn.unix_time;
        config.seed = client.seeds.next();
        let mut secrets = Secrets::new(turn.state.clone());
        // Which of these are secret was found when they were set.
        let headers = client.headers.iter().chain(turn.headers.0.iter()).filter(|(_, value)| value.is_sensitive());
        headers.for_each(|(name, value)| secrets.learn_header(name, value));
        client.auth.fixed().into_iter().for_each(|value| secrets.learn_header(&AUTHORIZATION, value));
        Self {
            turn: turn.clone(),
            endpoint,
            engine: TurnEngine::new(config),
            target,
            request,
            body: None,
            connection: Connection::Closed,
            decoder: Decoder::with_limits(client.limits),
            chunk: Bytes::new(),
            received: turn.started,
            bytes_received: 0,
            bytes_sent: None,
            repeat: Repeat::default(),
            fresh: None,
            cause: None,
            collector: Collector::default(),
            timer: Timer::default(),
            has_extra_turn: false,
            secrets,
            span,
        }
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<TurnEvent, Error>>> {
        if self.span.is_disabled() {
            return self.poll_step(cx);
        }
        let span = self.span.clone();
        span.in_scope(|| self.poll_step(cx))
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<TurnEvent, Error>>> {
        let mut signals = 0;
        loop {
            if let Some(mut item) = self.engine.poll_event() {
                self.connection.heed(&item);
                if let Ok(event) = &mut item {
                    self.secrets.scrub_event(event);
                    match event {
                        TurnEvent::Fallback(fallback) => self.turn.session.memory.restate(&fallback.reason),
                        TurnEvent::Created(_) | TurnEvent::Other(_) | TurnEvent::Retry(_) => self.scrub_ledger(),
                        _ => {}
                    }
                    self.collector.observe(event);
                    logs::event(event, &self.target);
                }
                if self.engine.is_done() {
                    self.end(item.is_ok());
                }
                return Poll::Ready(Some(item.map_err(|failure| self.error(failure))));
            }
            if self.engine.is_done() {
                return Poll::Ready(None);
            }
            if let Some(action) = self.engine.poll_action() {
                self.act(action);
            } else if self.chunk.has_remaining() {
                self.decode();
            } else if let Poll::Ready(signal) = self.poll_signal(signals, cx) {
                signals += 1;
                self.handle(signal);
                if !self.chunk.has_remaining() {
                    self.engine.handle_drained(self.received);
                }
            } else if self.wants_another_turn(signals) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            } else {
                self.note_activity();
                // Only now, when nothing is there to be read: a slow caller must not time out a healthy stream.
                if self.poll_timer(cx).is_pending() {
                    return Poll::Pending;
                }
                // Either the engine's deadline has passed, or the connection's, which the next turn of the loop sees.
                let now = now();
                if self.engine.poll_timeout().is_some_and(|deadline| deadline <= now) {
                    if let Some(phase) = self.connection.reached() {
                        self.engine.handle_reached(phase);
                    }
                    self.engine.handle_timeout(now);
                }
            }
        }
    }

    /// The terminal item is there.
    #[cold]
    fn end(&mut self, is_ok: bool) {
        if is_ok {
            // The service behaved: what is left of the body must not cost its connection.
            self.connection.finish();
        }
        // A caller who has the terminal item need not poll again.
        self.act_all();
        self.scrub_ledger();
    }

    #[cold]
    fn error(&mut self, failure: Failure) -> Error {
        let failure = self.secrets.scrub_failure(failure);
        self.collector.fail(&failure);
        logs::failure(&failure, &self.target);
        let cause = self.cause.take().filter(|cause| !self.secrets.are_in(&**cause));
        Error::new(failure, cause)
    }

    fn poll_signal(&mut self, signals: u32, cx: &mut Context<'_>) -> Poll<Signal> {
        if signals < MOST_SIGNALS { self.connection.poll(cx) } else { Poll::Pending }
    }

    fn scrub_ledger(&mut self) {
        self.secrets.scrub_ledger(self.engine.ledger_mut());
    }

    fn act_all(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            self.act(action);
        }
    }

    /// Pings and pongs keep a socket from being idle, and bring no signal; neither does compressed data before there is
    /// enough of it.
    fn note_activity(&mut self) {
        let received = self.connection.bytes_received();
        if received != self.bytes_received {
            self.bytes_received = received;
            self.engine.handle_activity(now());
        }
        // The last piece of a message moves, too: then it is on its way no more.
        let sent = self.connection.bytes_sent();
        if sent != self.bytes_sent {
            self.bytes_sent = sent;
            self.engine.handle_upload(now());
        }
    }

    fn act(&mut self, action: Action) {
        if let Action::Open { .. } | Action::Send { .. } = action {
            // What made an earlier attempt fail is not the cause of what comes.
            self.cause = None;
        }
        match action {
            Action::Open { attempt, transport, target, turn_state, credentials, socket } => {
                self.target = target;
                tracing::debug!(
                    attempt,
                    transport = transport.as_str(),
                    turn_state = turn_state.get().is_some(),
                    "attempt"
                );
                match transport {
                    TransportKind::WebSocket => self.open_socket(turn_state, credentials, socket),
                    _ => self.open_stream(&turn_state, credentials),
                }
            }
            Action::Send { turn_state, input } => self.send(&turn_state, input),
            Action::ReadBody(body) => self.read_body(body),
            Action::Park => {
                if let Some(mut socket) = self.connection.take_socket() {
                    socket.memory = self.engine.socket_memory(&self.request);
                    self.turn.session.parking.park(socket);
                }
                self.close();
            }
            _ => self.close(),
        }
    }

    /// Reads the body as a whole; what has arrived of it is its beginning.
    fn read_body(&mut self, body: WantedBody) {
        let client = &self.turn.session.client;
        let limits = match body {
            WantedBody::Answer => BodyLimits {
                bytes: client.limits.get_max_event_bytes(),
                time: client.timeouts.progress.unwrap_or(Duration::MAX),
            },
            WantedBody::Refusal => BodyLimits::default(),
        };
        let arrived = std::mem::take(&mut self.chunk);
        self.connection.read_body(&arrived, limits);
    }

    fn fail(&mut self, failure: Failure, cause: Option<BoxError>) {
        self.cause = cause;
        self.engine.handle_failed(failure, now());
    }

    fn close(&mut self) {
        self.connection = Connection::Closed;
        self.chunk = Bytes::new();
        self.timer = Timer::default();
    }

    fn handle(&mut self, signal: Signal) {
        match signal {
            Signal::Authorized(ready) => {
                let (request, purpose) = *ready;
                self.begin(request, purpose);
            }
            Signal::Head { status, headers } => {
                tracing::debug!(status, "response head");
                self.secrets.learn_state(&headers);
                self.engine.handle_opened(ResponseHead::new(status, headers), now());
            }
            Signal::Data(data) => {
                self.received = now();
                self.engine.handle_data(&data, self.received);
                self.chunk = data;
            }
            Signal::End => {
                let now = now();
                let cut = match self.decoder.flush() {
                    Ok(None) => None,
                    Ok(Some(event)) => {
                        self.engine.handle_last(event.event_field().as_deref(), event.data(), now);
                        Some(failures::in_an_event())
                    }
                    Err(error) => {
                        let (failure, cause) = failures::of_decoder(error);
                        self.cause = cause;
                        Some(failure)
                    }
                };
                self.engine.handle_closed(cut, now);
            }
            Signal::Activity => self.engine.handle_activity(now()),
            Signal::Body(bytes, end) => {
                // What arrived may be enough to say why a request was refused. It is not enough to be an answer.
                let (cut, cause) = failures::of_body_end(end, self.turn.session.client.limits.get_max_event_bytes());
                self.cause = cause;
                self.engine.handle_body(&bytes, cut, now());
            }
            Signal::Reused => {
                // What it brought before is no sign of life.
                self.bytes_received = self.connection.bytes_received();
                let nothing = SocketMemory::default();
                self.engine.handle_reused(self.connection.memory().unwrap_or(&nothing), now());
            }
            Signal::NoSocket => {
                if let Some((turn_state, credentials)) = self.fresh.take() {
                    self.open_socket(turn_state, credentials, SocketNeed::Fresh);
                }
            }
            Signal::Message(message) => {
                self.received = now();
                self.engine.handle_activity(self.received);
                self.engine.handle_payload(None, &message, self.received);
            }
            Signal::SocketClosed(error) => {
                let (failure, cause) = failures::of_socket(error, &self.turn.session.client.classifier);
                self.cause = cause;
                self.engine.handle_closed(Some(failure), now());
            }
            Signal::TransportFailed(error) => {
                let (failure, cause) = failures::of_transport(error);
                if failure.phase == Phase::Streaming {
                    self.cause = cause;
                    self.engine.handle_closed(Some(failure), now());
                } else {
                    self.fail(failure, cause);
                }
            }
            Signal::HandshakeFailed(error) => {
                let (failure, cause) = failures::of_handshake(error);
                self.fail(failure, cause);
            }
            Signal::CredentialsFailed(error) => {
                let (failure, cause) = failures::of_credentials(error);
                self.fail(failure, cause);
            }
        }
    }

    /// Gives the engine the next payload of the received bytes. One at a time, so that the caller gets its events
    /// before more is decoded.
    fn decode(&mut self) {
        match self.decoder.decode(&self.chunk) {
            Ok(Decoded { consumed, event, .. }) => {
                if let Some(event) = event {
                    self.engine.handle_payload(event.event_field().as_deref(), event.data(), self.received);
                } else if let Some(data) = self.decoder.pending_data() {
                    self.engine.handle_unfinished(data, self.received);
                } else if let Some(data) = self.decoder.partial_data() {
                    self.engine.handle_partial(data, self.received);
                }
                self.chunk.advance(consumed);
                if self.chunk.is_empty() {
                    self.engine.handle_drained(self.received);
                    // Even an empty part of it keeps hyper from using its read buffer again.
                    self.chunk = Bytes::new();
                }
            }
            Err(error) => {
                let (failure, cause) = failures::of_decoder(error);
                self.chunk = Bytes::new();
                self.fail(failure, cause);
            }
        }
    }

    /// Whether what is there may still be unread: a task that has used up its budget is told that nothing is there,
    /// whatever is. Behind a deadline it gets another turn, but only one: a service that never pauses uses up every
    /// budget.
    fn wants_another_turn(&mut self, signals: u32) -> bool {
        let may_be_more = signals >= MOST_SIGNALS || !coop::has_budget_remaining();
        let is_late = may_be_more && self.next_deadline().is_some_and(|deadline| deadline <= now());
        self.has_extra_turn = is_late && !self.has_extra_turn;
        self.has_extra_turn || (may_be_more && !is_late)
    }

    fn next_deadline(&self) -> Option<Instant> {
        [self.engine.poll_timeout(), self.connection.poll_timeout()].into_iter().flatten().min()
    }

    /// Ready when a deadline has passed: the engine's, or that of the socket.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.next_deadline() {
            Some(deadline) => self.timer.poll(deadline, cx),
            None => Poll::Pending,
        }
    }
}
