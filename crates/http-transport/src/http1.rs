//! One HTTP/1.1 connection with one request on it, driven by whoever polls it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::StatusCode;
use http_body::Body;
use hyper::body::Incoming;
use tokio::runtime::Id;

use crate::classify;
use crate::dial::BoxStream;
use crate::framing::Framing;
use crate::idle::{Idle, Link, Sender};
use crate::outgoing::RequestBody;
use crate::progress::Progress;
use crate::relay::Relay;
use crate::upgrade::Switch;

/// Interim (1xx) answers before the real one.
pub(crate) const INTERIM_LIMIT: usize = 32;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A connection that a request was put on.
pub(crate) struct Http1 {
    halves: Halves,
    relay: Relay,
    /// The way to put another request on the connection; `None` if there must be none.
    sender: Option<Sender>,
    progress: Arc<Progress>,
    interim: Arc<AtomicUsize>,
    /// The transfer coding that the body has and must not have, until that is told.
    foreign_coding: Option<String>,
    /// That of the socket.
    runtime: Option<Id>,
}

/// What hyper makes of a connection with a request: a future that moves bytes, and what comes out of it.
struct Halves {
    /// `None` once it has ended, unless by a switch of protocols.
    connection: Option<Box<Link>>,
    /// What the connection ended with, when hyper could not tell the head or the body.
    failure: Option<hyper::Error>,
    /// `None` once the response is there.
    response: Option<Boxed<hyper::Result<http::Response<Incoming>>>>,
    body: Option<Incoming>,
    switch: Switch,
}

impl Http1 {
    /// Puts the first request on a connection. Nothing is written before the first poll of the result.
    pub(crate) async fn start(stream: BoxStream, request: http::Request<Bytes>) -> hyper::Result<Self> {
        Ok(Self::on(Idle::new(stream).await?, request))
    }

    /// Puts a request on a connection that has none. Nothing is written before the result is polled.
    pub(crate) fn on(idle: Idle, request: http::Request<Bytes>) -> Self {
        let Idle { connection, mut sender, progress, runtime } = idle;
        let switch = Switch::of(&request);
        let interim = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&interim);
        progress.restart();
        let mut request = request.map(|data| RequestBody::new(data, Arc::clone(&progress)));
        hyper::ext::on_informational(&mut request, move |_| {
            count.fetch_add(1, Relaxed);
        });
        let response: Boxed<_> = Box::pin(sender.send_request(request));
        let (connection, response) = (Some(connection), Some(response));
        let halves = Halves { connection, failure: None, response, body: None, switch };
        // What may become another protocol takes no other request.
        let sender = Some(sender).filter(|_| switch == Switch::Excluded);
        Self { halves, relay: Relay::new(), sender, progress, interim, foreign_coding: None, runtime }
    }

    /// The connection without its request, if it can take another one: both sides are done with this one, and both
    /// keep the connection.
    pub(crate) fn into_idle(mut self) -> Option<Idle> {
        // hyper sees whether the connection goes on when it is polled behind the end of the body.
        self.halves.drive(&mut Context::from_waker(Waker::noop()));
        let connection = self.halves.connection.filter(|_| !self.progress.is_broken())?;
        let idle = Idle { connection, sender: self.sender?, progress: self.progress, runtime: self.runtime };
        idle.is_ready().then_some(idle)
    }

    pub(crate) fn runtime(&self) -> Option<Id> {
        self.runtime
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether the server sent more interim answers than anyone needs.
    pub(crate) fn is_interim_flood(&self) -> bool {
        self.interim.load(Relaxed) > INTERIM_LIMIT
    }

    /// Whether the request asked to switch protocols, and was not refused.
    pub(crate) fn switch(&self) -> Switch {
        self.halves.switch
    }

    /// The stream behind a 101 that was asked for, or behind a `CONNECT`, and what the server has already sent on it.
    pub(crate) fn into_stream(self) -> Option<(BoxStream, Bytes)> {
        let parts = self.halves.connection.filter(|_| !self.progress.is_broken())?.into_parts();
        Some((parts.io.into_inner().into_inner(), parts.read_buf))
    }

    /// The response without its body, which stays here. Ready once.
    pub(crate) fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<http::Response<()>>> {
        let response = ready!(self.relay.poll(cx, |cx| self.halves.poll_response(cx)))?;
        let framing = Framing::of(&response);
        // RFC 9110, section 15.5.20: behind a misdirected request, another try needs another connection.
        if response.status() == StatusCode::MISDIRECTED_REQUEST || framing != Framing::Clear {
            self.sender = None;
        }
        if let Framing::Foreign(coding) = framing {
            // Where there is no body (of a 204, say), it is in no coding.
            self.foreign_coding = Some(coding).filter(|_| !self.halves.is_bodyless());
        }
        Poll::Ready(Ok(response))
    }

    /// What keeps the body from being read, if anything: told once, before it is.
    pub(crate) fn take_foreign_coding(&mut self) -> Option<String> {
        self.foreign_coding.take()
    }

    /// The next bytes of the body, or `None` at its clean end. Trailers are passed over.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
        self.relay.poll(cx, |cx| self.halves.poll_data(cx))
    }
}

impl Halves {
    /// Whether the head says that nothing follows it.
    fn is_bodyless(&self) -> bool {
        self.body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<http::Response<()>>> {
        self.drive(cx);
        let Some(response) = &mut self.response else { return Poll::Pending };
        let response = ready!(response.as_mut().poll(cx));
        self.response = None;
        let response = response?;
        if !self.switch.happens_at(response.status()) {
            if self.switch != Switch::Excluded {
                // From here on it is a connection like any other: one that is done is shut down.
                self.switch = Switch::Excluded;
                self.drive(cx);
            }
        } else if let Some(cause) = self.failure.take() {
            return Poll::Ready(Err(cause));
        }
        let (parts, body) = response.into_parts();
        self.body = Some(body);
        Poll::Ready(Ok(http::Response::from_parts(parts, ())))
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
        // hyper reads on only when the chunk before was taken. So at most one chunk and hyper's read buffer are ever
        // held here.
        self.drive(cx);
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        loop {
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => {
                    // hyper tells the body only "connection error" when the connection itself failed.
                    let error = match self.failure.take() {
                        Some(cause) if classify::find::<std::io::Error>(&error).is_none() => cause,
                        _ => error,
                    };
                    return Poll::Ready(Some(Err(error)));
                }
                None => return Poll::Ready(None),
            }
        }
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let end = match self.switch {
            // hyper is done with a connection that has switched, and must not shut it down.
            Switch::Possible | Switch::Tunnel => connection.poll_without_shutdown(cx),
            Switch::Excluded => Pin::new(&mut **connection).poll(cx),
        };
        if let Poll::Ready(end) = end {
            self.failure = end.err();
            if self.failure.is_some() || self.switch == Switch::Excluded {
                self.connection = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
