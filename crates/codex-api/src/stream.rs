//! The driver: joins engine, decoder and connection into a stream that its caller polls.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::{Buf, Bytes};
use futures_core::{FusedStream, Stream};
use http::Method;
use http_transport::{BodyEnd, BodyLimits, LimitedBody};
use response_events::{Failure, FailureKind, Ledger, TurnEvent};
use sse_codec::{Decoded, Decoder, End};
use tokio::time::{Sleep, sleep_until};
use turn_session::{Action, EngineConfig, ErrorBody, ResponseHead, TurnEngine};

use crate::{
    Answer, BoxError, Error, OutgoingRequest, Request,
    answer::Collector,
    client::Settings,
    connection::{Connection, Signal},
    failures,
};

/// The events of one request, up to its one terminal item: `Completed`, `Incomplete`, or an error.
///
/// A `futures` stream, with [`try_next`](Self::try_next) for those who need no more. It moves only while it is
/// polled, on a tokio runtime with time and I/O enabled; dropping it cancels the request and closes its connection.
#[must_use = "a stream does nothing unless polled"]
pub struct TurnStream {
    client: Arc<Settings>,
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
}

impl TurnStream {
    pub(crate) fn new(client: &Arc<Settings>, turn_started: Instant, request: &Request) -> Self {
        let mut engine = TurnEngine::new(EngineConfig {
            wire: client.wire,
            options: request.interpreter_options(),
            timeouts: client.timeouts,
            url: client.provider.display_url(client.wire),
            turn_started,
        });
        let mut cause = None;
        let body = request.encode(client.wire).unwrap_or_else(|error| {
            engine.handle_failed(Failure::new(FailureKind::Config, error.to_string()));
            cause = Some(error.into());
            Vec::new()
        });
        Self {
            client: Arc::clone(client),
            engine,
            body: body.into(),
            connection: Connection::Closed,
            decoder: Decoder::with_limits(client.limits),
            chunk: Bytes::new(),
            received: turn_started,
            cause,
            timer: None,
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
        loop {
            if let Some(item) = self.engine.poll_event() {
                return Poll::Ready(Some(item.map_err(|failure| Error::new(failure, self.cause.take()))));
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
            Action::Open { attempt, .. } => {
                self.decoder.reset();
                match self.client.provider.endpoint(self.client.wire) {
                    Ok(uri) => {
                        tracing::debug!(attempt, url = %self.client.provider.display_url(self.client.wire), "request");
                        let headers = self.client.headers.clone();
                        let request = OutgoingRequest { method: Method::POST, uri, headers, body: self.body.clone() };
                        self.connection = Connection::open(&self.client.transport, self.client.auth.authorize(request));
                    }
                    Err(error) => self.engine.handle_failed(error.failure().clone()),
                }
            }
            Action::ReadBody(ErrorBody::Answer) => {
                let time = self.client.timeouts.progress.unwrap_or(std::time::Duration::MAX);
                self.connection.read_body(BodyLimits { bytes: self.client.limits.get_max_event_bytes(), time });
            }
            Action::ReadBody(_) => self.connection.read_body(BodyLimits::default()),
            _ => self.close(),
        }
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
                self.engine.handle_closed(cut);
            }
            Signal::Body(body) => self.handle_body(body),
            Signal::TransportFailed(error) => {
                let (failure, cause) = failures::of_transport(error);
                self.cause = cause;
                if failure.phase == response_events::Phase::Streaming {
                    self.engine.handle_closed(Some(failure));
                } else {
                    self.engine.handle_failed(failure);
                }
            }
            Signal::CredentialsFailed(error) => {
                let (failure, cause) = failures::of_credentials(error);
                self.cause = cause;
                self.engine.handle_failed(failure);
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
                self.engine.handle_failed(failure);
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
