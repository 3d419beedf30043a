//! What a stream is waiting for: credentials, a head, bytes, a whole body; a socket, its handshake, its messages.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_transport::{
    BodyEnd, BodyLimits, BodyReader, BodyStep, Exchange, LimitedBody, Repeat, Request, Reuse, Transport,
};
use response_events::{Failure, FailureKind, Phase, TurnEvent};
use tokio::task::JoinHandle;
use turn_session::{SocketMemory, TurnState};
use ws_codec::{ClientHandshake, HandshakeError, SendError};

use crate::{
    OutgoingRequest,
    asking::{Asking, NoCredentials},
    clock::now,
    error_body::ErrorBody,
    failures,
    socket::{Health, Socket},
};

/// The way to the service, in the state that the engine asked for.
pub(crate) enum Connection {
    Closed,
    Authorizing(Asking, Purpose),
    Opening(Exchange),
    Streaming(Exchange),
    /// The body has ended; whether the answer has is not known yet.
    Ended(Exchange),
    Reading(Box<(Exchange, BodyReader)>),
    /// A parked socket is being handed over.
    Fetching(JoinHandle<Option<Box<Socket>>>),
    Probing(Box<Socket>),
    Shaking(Box<Shaking>),
    /// The socket is open; once the request was sent, its messages are the answer.
    Open(Box<Socket>),
}

/// What a request is for, once it has its credentials.
pub(crate) struct Purpose {
    pub(crate) transport: Transport,
    /// The handshake that the request makes; `None` if it asks for a stream.
    pub(crate) handshake: Option<ClientHandshake>,
    /// The turn state that the request sends, if it sends one.
    pub(crate) turn_state: Option<TurnState>,
    /// The limit of an event, which is that of a message, too.
    pub(crate) max_event_bytes: usize,
    /// One for all attempts together.
    pub(crate) repeat: Repeat,
}

/// A handshake under way.
pub(crate) struct Shaking {
    exchange: Exchange,
    handshake: ClientHandshake,
    turn_state: Option<TurnState>,
    max_event_bytes: usize,
}

/// Something happened.
pub(crate) enum Signal {
    /// The request has its credentials, and waits for [`Connection::begin`].
    Authorized(Box<(OutgoingRequest, Purpose)>),
    Head {
        status: u16,
        headers: HeaderMap,
    },
    Data(Bytes),
    End,
    /// Bytes of a body that is read as a whole.
    Activity,
    Body(Bytes, BodyEnd),
    /// The parked socket is in good health.
    Reused,
    /// There is no parked socket any more.
    NoSocket,
    Message(Bytes),
    SocketClosed(Option<ws_codec::Error>),
    TransportFailed(http_transport::Error),
    HandshakeFailed(HandshakeError),
    CredentialsFailed(NoCredentials),
}

impl Signal {
    fn of_body(body: LimitedBody) -> Self {
        Self::Body(ErrorBody::undressed(body.bytes), body.end)
    }
}

impl Connection {
    /// Sends a request that has its credentials.
    pub(crate) fn begin(request: OutgoingRequest, purpose: Purpose) -> Self {
        let OutgoingRequest { method, uri, headers, body, .. } = request;
        // Only here it is known what a hook has put into the headers.
        let handshake = purpose.handshake.map(|handshake| handshake.offering(&headers));
        let mut request = Request::new(method, uri, headers, body);
        request.repeat = purpose.repeat;
        let mut exchange = purpose.transport.open(request);
        // A body that ends cleanly before its answer does came over a connection that is not to be trusted.
        exchange.set_reuse(Reuse::AfterFinish);
        match handshake {
            None => Self::Opening(exchange),
            Some(handshake) => {
                let Purpose { turn_state, max_event_bytes, .. } = purpose;
                Self::Shaking(Box::new(Shaking { exchange, handshake, turn_state, max_event_bytes }))
            }
        }
    }

    /// Reads the body as a whole instead of streaming it; `bytes` of it have arrived already.
    pub(crate) fn read_body(&mut self, bytes: &[u8], limits: BodyLimits) {
        *self = match std::mem::replace(self, Self::Closed) {
            Self::Streaming(exchange) => {
                let mut seen = ErrorBody::new();
                let reader = BodyReader::new(limits).enough_when(move |data| seen.feed(data)).with_arrived(bytes);
                Self::Reading(Box::new((exchange, reader)))
            }
            other => other,
        };
    }

    /// Lets go of a stream whose answer is whole, so that its connection can be used again. A socket is left as it is.
    pub(crate) fn finish(&mut self) {
        *self = match std::mem::replace(self, Self::Closed) {
            Self::Streaming(exchange) | Self::Ended(exchange) => {
                exchange.finish();
                Self::Closed
            }
            other => other,
        };
    }

    /// Leaves a service that has fallen silent. Over HTTP/2 the silent one may be the connection, which then must not
    /// get the next attempt.
    pub(crate) fn heed(&mut self, item: &Result<TurnEvent, Failure>) {
        let is_silent = match item {
            Ok(TurnEvent::Retry(retry)) => retry.reason == FailureKind::Timeout,
            // What a deadline of the caller ends is not repeated, and says nothing about the service.
            Err(failure) => failure.kind == FailureKind::Timeout && failure.retryable,
            Ok(_) => false,
        };
        if is_silent {
            match std::mem::replace(self, Self::Closed) {
                Self::Opening(exchange) | Self::Streaming(exchange) => exchange.distrust(),
                Self::Reading(body) => body.0.distrust(),
                other => *self = other,
            }
        }
    }

    /// What the open socket remembers. It holds a whole conversation, and is lent.
    pub(crate) fn memory(&self) -> Option<&SocketMemory> {
        match self {
            Self::Open(socket) => Some(&socket.memory),
            _ => None,
        }
    }

    /// Sends a message over the open socket.
    pub(crate) fn send(&mut self, message: Vec<u8>) -> Result<(), SendError> {
        match self {
            Self::Open(socket) => socket.send(message),
            _ => Err(SendError::Closed),
        }
    }

    /// Gives the open socket away.
    pub(crate) fn take_socket(&mut self) -> Option<Box<Socket>> {
        match std::mem::replace(self, Self::Closed) {
            Self::Open(socket) => Some(socket),
            _ => None,
        }
    }

    /// When to poll again, even if nothing arrived.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Authorizing(asking, _) => asking.poll_timeout(),
            Self::Probing(socket) | Self::Open(socket) => socket.poll_timeout(),
            _ => None,
        }
    }

    /// How far a request has come whose head is awaited.
    pub(crate) fn reached(&self) -> Option<Phase> {
        match self {
            Self::Opening(exchange) => Some(failures::reached(exchange.phase())),
            Self::Shaking(shaking) => Some(failures::reached(shaking.exchange.phase())),
            _ => None,
        }
    }

    /// Bytes that an open socket, or a compressed body, has received in all.
    pub(crate) fn bytes_received(&self) -> u64 {
        match self {
            Self::Open(socket) => socket.bytes_received(),
            Self::Streaming(exchange) => exchange.coded_bytes_received(),
            _ => 0,
        }
    }

    /// Bytes that an open socket has sent in all, while a message is on its way.
    pub(crate) fn bytes_sent(&self) -> Option<u64> {
        match self {
            Self::Open(socket) => socket.bytes_sent(),
            _ => None,
        }
    }

    /// Waits for the next thing to happen. A closed connection is for ever pending.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        loop {
            // States that lead to another one leave by `next`, the last thing that happens leaves `Closed` behind.
            let (next, signal) = match self {
                Self::Closed | Self::Ended(_) => return Poll::Pending,
                Self::Authorizing(asking, _) => match ready!(asking.poll(cx, now())) {
                    Ok(request) => (Self::Closed, self.authorized(request)),
                    Err(error) => (Self::Closed, Some(Signal::CredentialsFailed(error))),
                },
                Self::Opening(exchange) => match ready!(exchange.poll_head(cx)) {
                    Ok(head) => {
                        let signal = Signal::Head { status: head.status.as_u16(), headers: head.headers };
                        (self.streaming(), Some(signal))
                    }
                    Err(error) => (Self::Closed, Some(Signal::TransportFailed(error))),
                },
                Self::Streaming(exchange) => match ready!(exchange.poll_data(cx)) {
                    Some(Ok(data)) => return Poll::Ready(Signal::Data(data)),
                    Some(Err(error)) => (Self::Closed, Some(Signal::TransportFailed(error))),
                    None => (self.ended(), Some(Signal::End)),
                },
                Self::Reading(body) => {
                    let (exchange, reader) = &mut **body;
                    match ready!(reader.poll_step(cx, |cx| exchange.poll_data(cx))) {
                        BodyStep::End(body) => (self.read(&body.end), Some(Signal::of_body(body))),
                        _ => return Poll::Ready(Signal::Activity),
                    }
                }
                Self::Fetching(task) => match ready!(Pin::new(task).poll(cx)) {
                    Ok(Some(socket)) => (Self::Probing(socket), None),
                    Ok(None) | Err(_) => (Self::Closed, Some(Signal::NoSocket)),
                },
                Self::Probing(socket) => match ready!(socket.poll_healthy(cx, now())) {
                    Health::Good => (self.probed(), Some(Signal::Reused)),
                    Health::Lost => (Self::Closed, Some(Signal::NoSocket)),
                },
                Self::Shaking(shaking) => {
                    let head = ready!(shaking.exchange.poll_head(cx));
                    match std::mem::replace(self, Self::Closed) {
                        Self::Shaking(shaking) => shaking.end(head),
                        other => (other, None),
                    }
                }
                Self::Open(socket) => match ready!(socket.poll_message(cx, now())) {
                    Some(Ok(message)) => return Poll::Ready(Signal::Message(message)),
                    Some(Err(error)) => (Self::Closed, Some(Signal::SocketClosed(Some(error)))),
                    None => (Self::Closed, Some(Signal::SocketClosed(None))),
                },
            };
            *self = next;
            if let Some(signal) = signal {
                return Poll::Ready(signal);
            }
        }
    }

    fn authorized(&mut self, request: OutgoingRequest) -> Option<Signal> {
        match std::mem::replace(self, Self::Closed) {
            Self::Authorizing(_, purpose) => Some(Signal::Authorized(Box::new((request, purpose)))),
            _ => None,
        }
    }

    fn streaming(&mut self) -> Self {
        match std::mem::replace(self, Self::Closed) {
            Self::Opening(exchange) => Self::Streaming(exchange),
            other => other,
        }
    }

    fn ended(&mut self) -> Self {
        match std::mem::replace(self, Self::Closed) {
            Self::Streaming(exchange) => Self::Ended(exchange),
            other => other,
        }
    }

    /// Behind a document nothing of interest follows; behind anything else, what follows is not worth its connection.
    fn read(&mut self, end: &BodyEnd) -> Self {
        if let (Self::Reading(body), BodyEnd::Complete | BodyEnd::Enough) = (std::mem::replace(self, Self::Closed), end)
        {
            body.0.finish();
        }
        Self::Closed
    }

    fn probed(&mut self) -> Self {
        match std::mem::replace(self, Self::Closed) {
            Self::Probing(socket) => Self::Open(socket),
            other => other,
        }
    }
}

impl Shaking {
    /// The server has answered the handshake: a socket, a refusal with a body, or nonsense.
    fn end(self, head: Result<http_transport::Head, http_transport::Error>) -> (Connection, Option<Signal>) {
        let head = match head {
            Ok(head) => head,
            Err(error) => return (Connection::Closed, Some(Signal::TransportFailed(error))),
        };
        let signal = |head: http_transport::Head| Signal::Head { status: head.status.as_u16(), headers: head.headers };
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            return (Connection::Streaming(self.exchange), Some(signal(head)));
        }
        if let Err(error) = self.handshake.verify(head.version, head.status, &head.headers) {
            return (Connection::Closed, Some(Signal::HandshakeFailed(error)));
        }
        match self.exchange.into_upgraded() {
            Ok(stream) => {
                let socket = Box::new(Socket::new(stream, self.max_event_bytes, self.turn_state));
                (Connection::Open(socket), Some(signal(head)))
            }
            Err(error) => (Connection::Closed, Some(Signal::TransportFailed(error))),
        }
    }
}
