//! What a stream is waiting for: credentials, a head, bytes, a whole body.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_transport::{BodyLimits, BodyReader, Exchange, LimitedBody, Request, Transport};

use crate::{
    BoxError, OutgoingRequest,
    auth::{AuthorizeFuture, Authorized},
};

/// The way to the service, in the state that the engine asked for.
pub(crate) enum Connection {
    Closed,
    Authorizing(Transport, AuthorizeFuture),
    Opening(Exchange),
    Streaming(Exchange),
    Reading(Box<(Exchange, BodyReader)>),
}

/// Something happened.
pub(crate) enum Signal {
    Head { status: u16, headers: HeaderMap },
    Data(Bytes),
    End,
    Body(LimitedBody),
    TransportFailed(http_transport::Error),
    CredentialsFailed(BoxError),
}

impl Connection {
    /// Sends the request, once its credentials are there.
    pub(crate) fn open(transport: &Transport, authorized: Authorized) -> Self {
        match authorized {
            Authorized::Ready(request) => Self::Opening(exchange(transport, *request)),
            Authorized::Pending(future) => Self::Authorizing(transport.clone(), future),
        }
    }

    /// Reads the body as a whole instead of streaming it.
    pub(crate) fn read_body(&mut self, limits: BodyLimits) {
        *self = match std::mem::replace(self, Self::Closed) {
            Self::Streaming(exchange) => Self::Reading(Box::new((exchange, BodyReader::new(limits)))),
            other => other,
        };
    }

    /// Waits for the next thing to happen. A closed connection is for ever pending.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        if let Self::Authorizing(transport, future) = self {
            match ready!(future.as_mut().poll(cx)) {
                Ok(request) => *self = Self::Opening(exchange(transport, request)),
                Err(error) => {
                    *self = Self::Closed;
                    return Poll::Ready(Signal::CredentialsFailed(error));
                }
            }
        }
        let signal = match self {
            Self::Closed | Self::Authorizing(..) => return Poll::Pending,
            Self::Opening(exchange) => match ready!(exchange.poll_head(cx)) {
                Ok(head) => {
                    let status = head.status.as_u16();
                    if let Self::Opening(exchange) = std::mem::replace(self, Self::Closed) {
                        *self = Self::Streaming(exchange);
                    }
                    return Poll::Ready(Signal::Head { status, headers: head.headers });
                }
                Err(error) => Signal::TransportFailed(error),
            },
            Self::Streaming(exchange) => match ready!(exchange.poll_data(cx)) {
                Some(Ok(data)) => return Poll::Ready(Signal::Data(data)),
                Some(Err(error)) => Signal::TransportFailed(error),
                None => Signal::End,
            },
            Self::Reading(reading) => {
                let (exchange, reader) = &mut **reading;
                Signal::Body(ready!(reader.poll(exchange, cx)))
            }
        };
        // Everything but a head and data is the last thing that happens.
        *self = Self::Closed;
        Poll::Ready(signal)
    }
}

fn exchange(transport: &Transport, request: OutgoingRequest) -> Exchange {
    let OutgoingRequest { method, uri, headers, body, .. } = request;
    transport.open(Request { method, uri, headers, body })
}
