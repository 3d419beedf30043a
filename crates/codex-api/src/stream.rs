//! The driver: joins engine, decoder and connection into a stream that its caller polls.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use futures_core::{FusedStream, Stream};
use http::{HeaderName, HeaderValue, Method, header::ACCEPT};
use http_transport::{BodyEnd, BodyLimits, LimitedBody};
use response_events::{Failure, FailureKind, Ledger, TurnEvent};
use sse_codec::{Decoded, Decoder, End};
use tokio::time::{Sleep, sleep_until};
use turn_session::{
    Action, CredentialNeed, EngineConfig, ErrorBody, ResponseHead, TURN_STATE_HEADER, TurnEngine, TurnState,
};

use crate::{
    Answer, BoxError, Error, OutgoingRequest, Request, Turn,
    answer::Collector,
    connection::{Connection, Signal},
    endpoint::Endpoint,
    failures,
};

/// The events of one request, up to its one terminal item: `Completed`, `Incomplete`, or an error.
///
/// A `futures` stream, with [`try_next`](Self::try_next) for those who need no more. It moves only while it is
/// polled, on a tokio runtime with time and I/O enabled; dropping it cancels the request and closes its connection.
#[must_use = "a stream does nothing unless polled"]
pub struct TurnStream {
    turn: Turn,
    endpoint: Endpoint,
    engine: TurnEngine,
    body: Bytes,
    connection: Connection,
    decoder: Decoder,
    /// Bytes that were received and not yet decoded.
    chunk: Bytes,
    /// When they were received.
    received: Instant,
    /// The error behind the failure that ends the stream.
    cause: Option<BoxError>,
    timer: Option<Pin<Box<Sleep>>>,
    span: tracing::Span,
}

impl TurnStream {
    pub(crate) fn new(turn: &Turn, request: &Request, endpoint: Endpoint) -> Self {
        let client = &turn.session.client;
        let mut config = EngineConfig::new(endpoint.wire(), client.provider.display_url(endpoint), turn.started);
        config.options = request.interpreter_options();
        config.timeouts = client.timeouts;
        config.policy = client.policy.clone();
        config.on_cut = client.on_cut;
        config.classifier = client.classifier.clone();
        config.budget = Some((*turn.session.budget).clone());
        config.turn_state = turn.state.clone();
        config.credentials = client.auth.source();
        config.unix_time = turn.unix_time;
        config.seed = client.seeds.next();
        let span = tracing::debug_span!("request", url = %config.url);
        let mut engine = TurnEngine::new(config);
        let mut cause = None;
        let body = endpoint.encode(request).unwrap_or_else(|error| {
            engine.handle_failed(Failure::new(FailureKind::Config, error.to_string()), now());
            cause = Some(error.into());
            Vec::new()
        });
        Self {
            turn: turn.clone(),
            endpoint,
            engine,
            body: body.into(),
            connection: Connection::Closed,
            decoder: Decoder::with_limits(client.limits),
            chunk: Bytes::new(),
            received: turn.started,
            cause,
            timer: None,
            span,
        }
    }

    /// The next event; `None` after the terminal one. Cancel safe.
    pub async fn try_next(&mut self) -> Result<Option<TurnEvent>, Error> {
        poll_fn(|cx| self.poll_item(cx)).await.transpose()
    }

    /// Reads on to the end and gives the whole answer.
    pub async fn collect(mut self) -> Result<Answer, Error> {
        let mut collector = Collector::default();
        while let Some(event) = self.try_next().await? {
            if let Some(answer) = collector.observe(event) {
                return Ok(answer);
            }
        }
        Err(Error::config("the stream had been read to its end before"))
    }

    /// What passed on the wire so far, in the latest attempt.
    pub fn ledger(&self) -> &Ledger {
        self.engine.ledger()
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<TurnEvent, Error>>> {
        let span = self.span.clone();
        let _entered = span.enter();
        loop {
            if let Some(item) = self.engine.poll_event() {
                return Poll::Ready(Some(item.map_err(|failure| {
                    tracing::debug!(kind = %failure.kind, code = failure.code, attempts = failure.attempts, "failed");
                    Error::new(failure, self.cause.take())
                })));
            }
            if self.engine.is_done() {
                self.close();
                return Poll::Ready(None);
            }
            if let Some(action) = self.engine.poll_action() {
                self.act(action);
            } else if self.chunk.has_remaining() {
                self.decode();
            } else if let Poll::Ready(signal) = self.connection.poll(cx) {
                self.handle(signal);
            // Only now, when nothing is there to be read: a slow caller must not time out a healthy stream.
            } else if self.poll_timer(cx).is_ready() {
                self.engine.handle_timeout(now());
            } else {
                return Poll::Pending;
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open { attempt, turn_state, credentials, .. } => self.open(attempt, &turn_state, credentials),
            Action::ReadBody(ErrorBody::Answer) => {
                let client = &self.turn.session.client;
                let time = client.timeouts.progress.unwrap_or(Duration::MAX);
                self.connection.read_body(BodyLimits { bytes: client.limits.get_max_event_bytes(), time });
            }
            Action::ReadBody(_) => self.connection.read_body(BodyLimits::default()),
            _ => self.close(),
        }
    }

    /// Sends the request, with the state that the turn has by now.
    fn open(&mut self, attempt: u32, turn_state: &TurnState, credentials: CredentialNeed) {
        let client = &self.turn.session.client;
        let uri = match client.provider.uri(self.endpoint) {
            Ok(uri) => uri,
            Err(error) => return self.engine.handle_failed(error.failure().clone(), now()),
        };
        tracing::debug!(attempt, turn_state = turn_state.get().is_some(), "attempt");
        let mut headers = client.headers.clone();
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(self.endpoint.accept()));
        // A state that was taken in is a header value.
        if let Some(mut value) = turn_state.get().and_then(|value| HeaderValue::try_from(value).ok()) {
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(TURN_STATE_HEADER), value);
        }
        let body = self.body.clone();
        let request = OutgoingRequest { method: Method::POST, uri, headers, body, credentials };
        self.decoder.reset();
        self.connection = Connection::open(&client.transport, client.auth.authorize(request));
    }

    fn close(&mut self) {
        self.connection = Connection::Closed;
        self.chunk = Bytes::new();
        self.timer = None;
    }

    fn handle(&mut self, signal: Signal) {
        match signal {
            Signal::Head { status, headers } => {
                tracing::debug!(status, "response head");
                self.engine.handle_opened(ResponseHead { status, headers: &headers }, now());
            }
            Signal::Data(data) => {
                self.received = now();
                self.engine.handle_activity(self.received);
                self.chunk = data;
            }
            Signal::End => {
                let cut = match self.decoder.finish() {
                    End::Truncated { had_data: true, .. } => {
                        Some(Failure::new(FailureKind::Truncated, "the stream ended in the middle of an event"))
                    }
                    _ => None,
                };
                self.engine.handle_closed(cut, now());
            }
            Signal::Body(body) => self.handle_body(body),
            Signal::TransportFailed(error) => {
                let (failure, cause) = failures::of_transport(error);
                self.cause = cause;
                if failure.phase == response_events::Phase::Streaming {
                    self.engine.handle_closed(Some(failure), now());
                } else {
                    self.engine.handle_failed(failure, now());
                }
            }
            Signal::CredentialsFailed(error) => {
                let (failure, cause) = failures::of_credentials(error);
                self.cause = cause;
                self.engine.handle_failed(failure, now());
            }
        }
    }

    fn handle_body(&mut self, body: LimitedBody) {
        // What arrived is enough to say why a request was refused. It is not enough to be an answer, and will be
        // reported as none.
        if let BodyEnd::Failed(error) = body.end {
            self.cause = Some(error.into());
        }
        self.engine.handle_body(&body.bytes, now());
    }

    /// Gives the engine the next payload of the received bytes. One at a time, so that the caller gets its events
    /// before more is decoded.
    fn decode(&mut self) {
        match self.decoder.decode(&self.chunk) {
            Ok(Decoded { consumed, event, .. }) => {
                if let Some(event) = event {
                    self.engine.handle_payload(event.event_field().as_deref(), event.data(), self.received);
                }
                self.chunk.advance(consumed);
            }
            Err(error) => {
                let (failure, cause) = failures::of_decoder(error);
                self.cause = cause;
                self.chunk = Bytes::new();
                self.engine.handle_failed(failure, now());
            }
        }
    }

    /// Ready when the engine's deadline has passed. The deadline moves with every byte, the timer only when it fires.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.engine.poll_timeout() else { return Poll::Pending };
        let deadline = tokio::time::Instant::from_std(deadline);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < timer.deadline() {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// The clock of the runtime, which tests can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Stream for TurnStream {
    type Item = Result<TurnEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl FusedStream for TurnStream {
    fn is_terminated(&self) -> bool {
        self.engine.is_done()
    }
}

impl fmt::Debug for TurnStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnStream").field("ledger", self.ledger()).finish_non_exhaustive()
    }
}
